"""
What Discord should never send. Whatever it is: reported once, nothing dumped, and the session goes on without a loss.
"""
from resource import RUSAGE_SELF, getrusage
from time import monotonic
from zlib import Z_FULL_FLUSH, compressobj

import pytest
from hata.discord.events.core import PARSERS

from hata_gateway_ext import GatewayInputReport
from hata_gateway_ext.local_discord import LocalDiscord, Replace, SendBytes, SendMessage, SendPayload, SkipSequence

# Stands for what may never be in a report.
SECRET = 'SiXtYnInE'

BAD_PAYLOADS = {
    'empty': b' ',
    'array': b'[1, "%s"]' % SECRET.encode(),
    'string': b'"%s"' % SECRET.encode(),
    'number': b'5',
    'null': b'null',
    'truncated': b'{"op": 11, "d": "%s' % SECRET.encode(),
    'two': b'{"op": 11}{"op": 11}',
    'UTF-8': b'{"op": 11, "d": "\xff%s"}' % SECRET.encode(),
    'UTF-8 in an event': b'{"t":"MESSAGE_CREATE","s":%d,"op":0,"d":{"content":"\xff%s"}}',
    'depth': b'{"op": 11, "d": ' + b'[' * 200_000 + b']' * 200_000 + b'}',
    'digits': b'{"op": 11, "d": ' + b'1' * 100_000 + b'}',
    'op missing': {'d': {'a': SECRET}},
    'op null': {'op': None, 'd': {'a': SECRET}},
    'op string': {'op': '7', 'd': SECRET},
    'op float': {'op': 7.5, 'd': SECRET},
    'op bool': {'op': True, 'd': SECRET},
    'op array': {'op': [7], 'd': SECRET},
    's missing': {'op': 0, 't': 'TYPING_START', 'd': {'a': SECRET}},
    's null': {'op': 0, 's': None, 't': 'TYPING_START', 'd': {'a': SECRET}},
    's string': {'op': 0, 's': '50000', 't': 'TYPING_START', 'd': {'a': SECRET}},
    's float': {'op': 0, 's': 50000.5, 't': 'TYPING_START', 'd': {'a': SECRET}},
    's bool': {'op': 0, 's': True, 't': 'TYPING_START', 'd': {'a': SECRET}},
    's negative': {'op': 0, 's': -1, 't': 'TYPING_START', 'd': {'a': SECRET}},
    't missing': {'op': 0, 's': 50000, 'd': {'a': SECRET}},
    't null': {'op': 0, 's': 50000, 't': None, 'd': {'a': SECRET}},
    't number': {'op': 0, 's': 50000, 't': 5, 'd': {'a': SECRET}},
    'd missing': {'op': 0, 's': 50000, 't': 'MESSAGE_CREATE', 'a': SECRET},
    's goes back': {'op': 0, 's': 1, 't': 'MESSAGE_CREATE', 'd': {'content': SECRET}},
    'READY again': {'op': 0, 's': 50000, 't': 'READY', 'd': {'a': SECRET}},
}

BAD_BYTES = {
    'reserved bit 1': b'\xc2\x01a',
    'reserved bit 2': b'\xa2\x01a',
    'reserved bit 3': b'\x92\x01a',
    'unknown operation': b'\x83\x01a',
    'unknown control operation': b'\x8b\x01a',
    'masked': b'\x82\x81\x00\x00\x00\x00a',
    '2 ** 62 bytes': b'\x82\x7f' + (1 << 62).to_bytes(8, 'big'),
    '2 ** 63 bytes': b'\x82\x7f' + (1 << 63).to_bytes(8, 'big'),
    'length not minimal': b'\x82\x7e\x00\x01a',
    'continuation of nothing': b'\x80\x01a',
    'text without end, then binary': b'\x01\x01a\x82\x01a',
    'fragmented ping': b'\x09\x01a',
    'long ping': b'\x89\x7e\x00\x80' + b'a' * 128,
    'close with one byte': b'\x88\x01a',
    'close 1006': b'\x88\x02\x03\xee',
    'close 999': b'\x88\x02\x03\xe7',
    'close with a reason that is no UTF-8': b'\x88\x03\x0f\xa0\xff',
    'text that is no UTF-8': b'\x81\x01\xff',
}


async def check_each(discord, bot, actions):
    """Lets each action strike the first shard, with traffic around it; expects one report and one resume of each."""
    recording = discord.recording
    for index, (name, action) in enumerate(actions.items()):
        discord.send_messages(5)
        discord.fault(action, shard_id = 0)
        discord.send_messages(5)
        try:
            await discord.wait_for(lambda recording, count = index + 1: recording.resumed_count(0) == count)
            number = discord.send_message()['number']
            await bot.wait_for(lambda number = number: number in bot.numbers)
            await bot.wait_for(lambda count = index + 1: len(bot.errors) >= count)
        except TimeoutError as exception:
            raise AssertionError(name) from exception
        
        assert len(bot.errors) == index + 1, (name, bot.errors[index :])
        report = bot.errors[-1]
        assert isinstance(report, GatewayInputReport), (name, report)
        assert report.shard_id == 0, name
        assert SECRET not in f'{report} {report!r} {report.__cause__!r}', name
        assert len(str(report)) < 500, name
        assert len(repr(report.__cause__)) < 500, name
    
    assert recording.identify_count(0) == 1
    assert 1000 not in recording.close_codes(0)


@pytest.mark.parametrize('compression', ('zlib-stream', 'zstd-stream', 'none'))
async def test__bad_input__payloads(run_bot, settle, compression):
    """Payloads that are not what they should be."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord, gateway_compression = compression) as bot:
            actions = {}
            for name, payload in BAD_PAYLOADS.items():
                if name == 'UTF-8 in an event':
                    payload = payload.replace(b'%d', b'50000').replace(b'%s', SECRET.encode())
                
                actions[name] = SendPayload(payload)
            
            await check_each(discord, bot, actions)
            await settle(discord, bot)


async def test__bad_input__frames(run_bot, settle):
    """Bytes that are no web socket frames, or none that a server may send."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord, gateway_compression = 'none') as bot:
            await check_each(discord, bot, {name: SendBytes(data) for name, data in BAD_BYTES.items()})
            await settle(discord, bot)


@pytest.mark.parametrize('compression', ('zlib-stream', 'zstd-stream'))
async def test__bad_input__compressed(run_bot, settle, compression):
    """Compressed data that is corrupt, or not compressed at all."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord, gateway_compression = compression) as bot:
            await check_each(discord, bot, {
                'noise': SendMessage(bytes(range(256)) + b'\x00\x00\xff\xff'),
                'zeros': SendMessage(b'\x07' * 100 + b'\x00\x00\xff\xff'),
                'not compressed': SendMessage(b'{"op": 11}\x00\x00\xff\xff'),
                'text': SendMessage('{"op": 11}'),
            })
            await settle(discord, bot)


def build_bomb(compression):
    """Builds compressed data that goes on in the stream of any connection, and inflates to over a gigabyte."""
    if compression == 'zstd-stream':
        # Blocks of one byte, repeated 128 KiB times (RFC 8878, section 3.1.1.2).
        return ((((1 << 17) << 3) | (1 << 1)).to_bytes(3, 'little') + b' ') * 10_000
    
    # What is behind a full flush needs nothing of what is in front of it, so it can be repeated.
    compressor = compressobj(9, wbits = -15)
    return (compressor.compress(b' ' * (1 << 20)) + compressor.flush(Z_FULL_FLUSH)) * 1100


@pytest.mark.parametrize('compression', ('zlib-stream', 'zstd-stream'))
async def test__bad_input__bomb(run_bot, settle, compression):
    """Data that inflates to over a gigabyte: given up at 64 MiB, quickly, and without the memory that it would take."""
    bomb = build_bomb(compression)
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord, gateway_compression = compression) as bot:
            memory = getrusage(RUSAGE_SELF).ru_maxrss
            await check_each(discord, bot, {'bomb': SendMessage(bomb), 'bomb again': SendMessage(bomb)})
            # KiB on Linux. 64 MiB, and as much again while it is joined.
            assert getrusage(RUSAGE_SELF).ru_maxrss - memory < 200 * 1024
            await settle(discord, bot)


async def test__bad_input__hello(run_bot, settle, short_delays):
    """HELLO without an interval, or with one that is none."""
    hellos = {
        'no data': {'op': 10},
        'null': {'op': 10, 'd': None},
        'array': {'op': 10, 'd': [41250]},
        'no interval': {'op': 10, 'd': {'secret': SECRET}},
        'interval null': {'op': 10, 'd': {'heartbeat_interval': None}},
        'interval string': {'op': 10, 'd': {'heartbeat_interval': SECRET}},
        'interval bool': {'op': 10, 'd': {'heartbeat_interval': True}},
        'interval 0': {'op': 10, 'd': {'heartbeat_interval': 0}},
        'interval -1': {'op': 10, 'd': {'heartbeat_interval': -1}},
        'interval NaN': b'{"op": 10, "d": {"heartbeat_interval": NaN}}',
        'interval infinite': b'{"op": 10, "d": {"heartbeat_interval": 1e999}}',
        'interval huge': b'{"op": 10, "d": {"heartbeat_interval": 1%s}}' % (b'0' * 400),
        'interval of weeks': {'op': 10, 'd': {'heartbeat_interval': 10 ** 10}},
    }
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            for index, (name, hello) in enumerate(hellos.items()):
                discord.fault(Replace(lambda payload, hello = hello: hello), at = 'hello')
                discord.cut(0)
                discord.send_messages(5)
                try:
                    await discord.wait_for(lambda recording, count = index + 1: recording.resumed_count(0) == count)
                    await bot.wait_for(lambda count = index + 1: len(bot.errors) >= count)
                except TimeoutError as exception:
                    raise AssertionError(name) from exception
                
                assert len(bot.errors) == index + 1, (name, bot.errors[index :])
                assert isinstance(bot.errors[-1], GatewayInputReport), name
                assert SECRET not in str(bot.errors[-1])
            
            await settle(discord, bot)
            assert discord.recording.identify_count(0) == 1


async def test__bad_input__ready(run_bot, settle, quick_identify, short_delays):
    """READY that lacks what a session needs: identified anew, and reported."""
    def without(name):
        def remove(payload):
            del payload['d'][name]
            return payload
        
        return remove
    
    
    def replaced(name, value):
        def replace(payload):
            payload['d'][name] = value
            return payload
        
        return replace
    
    
    readies = {
        'no session_id': without('session_id'),
        'session_id number': replaced('session_id', 5),
        'session_id empty': replaced('session_id', ''),
        'no user': without('user'),
        'user string': replaced('user', SECRET),
        'user without id': replaced('user', {'name': SECRET}),
        'no guilds': without('guilds'),
        'guilds string': replaced('guilds', SECRET),
        'guilds of strings': replaced('guilds', [SECRET]),
        'data null': lambda payload: {**payload, 'd': None},
        'data array': lambda payload: {**payload, 'd': [SECRET]},
        'no data': lambda payload: {'op': 0, 't': 'READY', 's': 1},
        's missing': lambda payload: {'op': 0, 't': 'READY', 'd': payload['d']},
        's null': lambda payload: {**payload, 's': None},
    }
    count = len(readies)
    async with LocalDiscord(
        heartbeat_interval = 0.5, shards = count, max_concurrency = count, guilds = count, identify_interval = 0.0
    ) as discord:
        for shard_id, replace in enumerate(readies.values()):
            discord.fault(Replace(replace), at = 'ready', shard_id = shard_id)
        
        async with run_bot(discord, shard_count = count) as bot:
            await discord.wait_for(
                lambda recording: all(recording.ready_count(shard_id) == 2 for shard_id in range(count))
            )
            await settle(discord, bot)
            
            reports = {report.shard_id: report for report in bot.errors}
            for shard_id, name in enumerate(readies):
                assert shard_id in reports, name
                assert isinstance(reports[shard_id], GatewayInputReport), name
                assert SECRET not in str(reports[shard_id]), name
                assert discord.recording.identify_count(shard_id) == 2, name
            
            assert len(bot.errors) == count


@pytest.mark.parametrize('url', (None, 5, '', 'http://127.0.0.1:1/', 'file:///etc/passwd'))
async def test__bad_input__resume_gateway_url(run_bot, settle, url):
    """A `resume_gateway_url` that is none is not used: the session is resumed at the url of `/gateway/bot`."""
    def replace(payload):
        payload['d']['resume_gateway_url'] = url
        return payload
    
    
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        discord.fault(Replace(replace), at = 'ready')
        async with run_bot(discord) as bot:
            discord.cut(0)
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            await settle(discord, bot)
            assert discord.recording.resumes[0].listener == 'gateway'


async def test__bad_input__same_event_again_and_again(run_bot, settle):
    """An event that is unreadable each time that Discord sends it is passed over: it holds the session up only shortly."""
    bad = b'{"t":"MESSAGE_CREATE","s":%d,"op":0,"d":{"content":"\xff"}}'
    
    
    def spoil(payload):
        if payload['d'].get('content', None) == 'spoilt':
            return bad % payload['s']
        
        return payload
    
    
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            with discord.fault(Replace(spoil), at = 'dispatch', times = None):
                with discord.fault(Replace(spoil), at = 'replay', times = None):
                    discord.send_messages(5)
                    discord.emit('MESSAGE_CREATE', {'content': 'spoilt'}, shard_id = 0)
                    discord.send_messages(5)
                    await discord.wait_for(lambda recording: recording.resumed_count(0))
                    await settle(discord, bot)
            
            assert discord.recording.resume_count(0) <= 4
            assert discord.recording.identify_count(0) == 1
            assert all(isinstance(error, GatewayInputReport) for error in bot.errors)
            assert len(bot.errors) == 2


async def test__normal_input__unknown(run_bot, settle):
    """Unknown operations, unknown events and unknown fields are normal; so are gaps in the sequence."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            discord.fault(SendPayload({'op': 99, 'd': {'a': 1}, 'x': [1]}))
            discord.fault(SendPayload({'op': -5}))
            discord.fault(SendPayload({'op': 11, 'd': None, 's': None, 't': None, 'unknown': {}}))
            discord.emit('SOMETHING_NEW', {'a': 1}, shard_id = 0)
            discord.emit('SOMETHING_NEW', None, shard_id = 0)
            discord.emit('SOMETHING_NEW', [1], shard_id = 0)
            discord.send_messages(5)
            discord.fault(SkipSequence(5))
            discord.send_messages(5)
            await settle(discord, bot)
            assert discord.recording.connection_count() == 1
            assert not bot.errors
            assert bot.gateway.get_statistics().gaps == 5


async def test__normal_input__handlers_that_raise(run_bot, settle, monkeypatch):
    """A parser or an event handler that raises never touches the connection, and the events after it are handled."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            def parser(client, data):
                raise SystemExit(data['index']) if data['index'] % 2 else ValueError(data['index'])
            
            
            async def typing(client, channel, user, timestamp):
                raise RuntimeError('typing')
            
            monkeypatch.setitem(PARSERS, 'SCENARIO', parser)
            bot.client.events(typing)
            discord.emit_many('SCENARIO', [{'index': index} for index in range(20)], shard_id = 0)
            discord.send_messages(5)
            await settle(discord, bot)
            await bot.wait_for(lambda: len(bot.errors) >= 20)
            
            assert {error.args[0] for error in bot.errors} == {*range(20)}
            assert discord.recording.connection_count() == 1
            assert bot.gateway.sequence == discord.session(0).sequence


async def test__normal_input__flood_of_pings(run_bot, settle):
    """A flood of pings does not starve the session, nor grow its memory."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            started_at = monotonic()
            discord.fault(SendBytes(b'\x89\x04ping' * 20_000))
            discord.send_messages(20)
            await settle(discord, bot)
            assert discord.recording.connection_count() == 1
            assert monotonic() - started_at < 10.0
