"""
Scripted faults: each action, and each stage that they can strike at.
"""
import json

import aiohttp
import pytest

from hata_gateway_ext.local_discord import (
    STAGES, Close, Cut, Delay, Invalidate, LocalDiscord, Reconnect, Refuse, Replace, SendBytes, SendMessage,
    SendPayload, Silence, Skip, SkipSequence,
)


@pytest.fixture
async def discord():
    """A local Discord with one guild."""
    async with LocalDiscord(guilds = 1, identify_interval = 0.0) as discord:
        yield discord


@pytest.fixture
def start(discord, connect):
    """Starts a peer that got everything it gets at first."""
    async def start(compression = 'none'):
        peer = await connect(discord, compression)
        await peer.start(guild_count = 1)
        return peer


    return start


# at once


@pytest.mark.parametrize('reset', (True, False))
async def test__cut(discord, start, reset):
    """The TCP connection ends without a close frame; the session waits to be resumed."""
    peer = await start()
    fault = discord.cut(0, reset)
    assert fault.count == 1
    assert await peer.expect_close() is None
    session = discord.session(0)
    assert (session is not None) and (not session.is_connected)
    assert discord.recording.connections[0].closed_by == 'discord'


@pytest.mark.parametrize(('code', 'received'), ((4000, 4000), (1000, 1000), (3000, 3000), (None, 0)))
async def test__close(discord, start, code, received):
    """
    A close frame with any code, or without one. The session waits to be resumed, even after 1000: that is Discord's
    side.
    """
    peer = await start()
    discord.close(0, code)
    assert await peer.expect_close() == received
    assert discord.recording.connections[0].discord_close_code == received
    assert (discord.session(0) is not None)


async def test__close__unanswered(discord, start):
    """
    The client's answer to our close frame ends the TCP connection, and is not taken for a close of the client's own.
    """
    peer = await start()
    discord.close(0)
    assert await peer.expect_close() == 4000
    await peer.web_socket.close(code = 4000)
    await discord.wait_for(lambda recording: recording.connections[0].closed_at)
    assert discord.recording.close_codes() == []


async def test__reconnect(discord, start):
    """Op 7 leaves connection and session as they are."""
    peer = await start()
    discord.reconnect(0)
    await peer.expect(7)
    discord.send_message(content = 'still here')
    await peer.expect_event('MESSAGE_CREATE')


@pytest.mark.parametrize('resumable', (True, False))
async def test__invalidate(discord, start, resumable):
    """Op 9 takes the session off the connection, and ends it if false; the connection can go on without."""
    peer = await start()
    session = discord.session(0)
    discord.invalidate(0, resumable)
    assert (await peer.expect(9)) is resumable
    assert session.is_ended is (not resumable)
    assert session.is_forfeited is (not resumable)

    await peer.resume(peer.session_id, peer.sequence)
    if resumable:
        await peer.expect_event('RESUMED')
    else:
        assert (await peer.expect(9)) is False


async def test__request_heartbeat(discord, start):
    """Op 1 of Discord's."""
    peer = await start()
    discord.request_heartbeat(0)
    await peer.expect(1)


async def test__faults__strike_their_shard_only(discord, connect):
    """A fault of a shard leaves the others alone; without a shard it strikes all."""
    peers = []
    for shard_id in range(2):
        peer = await connect(discord)
        await peer.expect(10)
        await peer.identify((shard_id, 2))
        await peer.receive_until('READY')
        peers.append(peer)

    assert discord.close(1, 4001).count == 1
    assert await peers[1].expect_close() == 4001
    await discord.wait_for(lambda recording: discord.connection(1) is None)
    assert discord.close(None, 4000).count == 1
    assert await peers[0].expect_close() == 4000


async def test__send_message__raw(discord, start):
    """Messages past the compression: text and binary as they are."""
    peer = await start()
    discord.fault(SendMessage('no json'))
    discord.fault(SendMessage(b'\x00\x01'))
    assert await peer.receive_message() == 'no json'
    assert await peer.receive_message() == b'\x00\x01'


async def test__send_payload__raw(discord, start):
    """Payloads through the compression, right or wrong."""
    peer = await start('zlib-stream')
    discord.fault(SendPayload({'op': 99, 'd': None}))
    discord.fault(SendPayload(b'[1]'))
    assert (await peer.receive())['op'] == 99
    with pytest.raises(AttributeError):
        # It is JSON, but no payload.
        await peer.receive()


async def test__send_bytes(discord, start):
    """Bytes into the TCP stream: here a ping, and a frame with a reserved bit, which a client has to refuse."""
    peer = await start()
    discord.fault(SendBytes(b'\x89\x00\xf1\x00'))
    assert await peer.expect_close() is None


async def test__skip_sequence(discord, start):
    """The next numbers are moved."""
    peer = await start()
    sequence = peer.sequence
    discord.fault(SkipSequence(10))
    discord.emit('TEST', {})
    await peer.expect_event('TEST')
    assert peer.sequence == sequence + 11


# silence


async def test__silence(discord, start):
    """Nothing is written or read until healed; then everything comes, in order."""
    peer = await start()
    fault = discord.silence(0)
    discord.send_message(content = '0')
    await peer.send(1, None)
    # Whatever is sent over another connection is there before anything that was held back.
    discord.send_message(content = '1')
    assert discord.connection(0).outbox.is_held
    assert not discord.recording.heartbeats

    fault.heal()
    payloads = [await peer.receive() for _ in range(3)]
    assert [payload['d']['content'] for payload in payloads if payload['op'] == 0] == ['0', '1']
    assert [payload['op'] for payload in payloads if payload['op'] != 0] == [11]


async def test__silence__read(discord, start):
    """With `read` the client is heard, but not answered: neither its heartbeat nor its close frame."""
    peer = await start()
    discord.silence(0, read = True)
    await peer.send(1, None)
    await discord.wait_for(lambda recording: recording.heartbeats)
    await peer.web_socket.close(code = 4000)
    await discord.wait_for(lambda recording: recording.close_codes(0) == [4000])
    await discord.wait_for(lambda recording: recording.connections[0].closed_at)
    assert discord.recording.connections[0].closed_by == 'client'


async def test__silence__session_is_resumed_elsewhere(discord, start, resumed):
    """A session whose connection fell silent can be resumed on another; the silent one stays as it is."""
    peer = await start()
    discord.silence(0)
    async with resumed(discord, peer) as new_peer:
        await new_peer.expect_event('RESUMED')
        assert len(discord.connections) == 2


# stages


async def test__stage__connect_refused(discord, connect):
    """The upgrade is refused, with status and headers, as often as told."""
    discord.fault(Refuse(429, {'Retry-After': '3'}), at = 'connect', times = 2)
    for _ in range(2):
        with pytest.raises(aiohttp.WSServerHandshakeError) as exception_info:
            await connect(discord)

        assert exception_info.value.status == 429
        assert exception_info.value.headers['Retry-After'] == '3'

    await (await connect(discord)).expect(10)
    assert [record.refused_status for record in discord.recording.connections] == [429, 429, None]


async def test__stage__connect_cut(discord, connect):
    """The connection is cut instead of being upgraded."""
    # aiohttp tries once again by itself.
    discord.fault(Cut(), at = 'connect', times = None)
    with pytest.raises(aiohttp.ClientError):
        await connect(discord)


@pytest.mark.parametrize('action', (Skip(), Silence()))
async def test__stage__connect_never_answered(discord, connect, action):
    """The upgrade request is not answered; the client has to give up."""
    discord.fault(action, at = 'connect')
    async with aiohttp.ClientSession() as http:
        task = discord.core.loop.create_task(http.ws_connect(discord.gateway_url))
        await discord.wait_for(lambda recording: recording.connections)
        assert not task.done()
        task.cancel()


async def test__stage__connect_of_a_shard(discord, start, resumed, connect):
    """At the upgrade only connections to a shard's own url are known to be the shard's."""
    peer = await start()
    discord.fault(Refuse(503), at = 'connect', shard_id = 0)
    await (await connect(discord)).expect(10)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with resumed(discord, peer):
            pass


async def test__stage__no_hello(discord, connect):
    """Without HELLO the connection is there, and takes an identify."""
    discord.fault(Skip(), at = 'hello')
    peer = await connect(discord)
    await peer.identify()
    await peer.expect_event('READY')


@pytest.mark.parametrize(
    ('action', 'close_code'), ((Cut(), None), (Cut(False), None), (Close(4000), 4000), (Close(None), 0)),
)
async def test__stage__lost_before_hello(discord, connect, action, close_code):
    """The connection ends before HELLO."""
    discord.fault(action, at = 'hello')
    peer = await connect(discord)
    assert await peer.expect_close() == close_code
    assert discord.recording.connections[0].hello_at is None


async def test__stage__reconnect_before_hello(discord, connect):
    """Op 7 before HELLO; with `Skip()` it comes instead."""
    discord.fault(Reconnect(), at = 'hello', times = 2)
    peer = await connect(discord)
    await peer.expect(7)
    await peer.expect(10)

    discord.fault(Skip(), at = 'hello')
    peer = await connect(discord)
    await peer.expect(7)
    await peer.identify()
    await peer.expect_event('READY')


@pytest.mark.parametrize('interval', (None, 0, -1, 'soon'))
async def test__stage__hello_replaced(discord, connect, interval):
    """HELLO with a wrong interval."""
    def replace(payload):
        payload['d']['heartbeat_interval'] = interval
        return payload


    discord.fault(Replace(replace), at = 'hello')
    peer = await connect(discord)
    assert (await peer.expect(10))['heartbeat_interval'] == interval


async def test__stage__replace_by_bytes_and_lists(discord, connect):
    """What replaces may be nothing, bytes, or several payloads."""
    discord.fault(Replace(lambda payload: [payload, b'{"op":10,"d":null}', {'op': 99, 'd': None}]), at = 'hello')
    peer = await connect(discord)
    await peer.expect(10)
    assert (await peer.expect(10)) is None
    await peer.expect(99)

    discord.fault(Replace(lambda payload: None), at = 'hello')
    peer = await connect(discord)
    await peer.identify()
    await peer.expect_event('READY')


async def test__stage__identify_unanswered(discord, connect):
    """IDENTIFY is not answered, and recorded as such. It was counted nevertheless."""
    discord.fault(Skip(), at = 'identify')
    peer = await connect(discord)
    await peer.expect(10)
    await peer.identify()
    await discord.wait_for(lambda recording: recording.identify_count() and recording.identifies[0].result)
    assert discord.recording.identifies[0].result == 'faulted'
    assert not discord.sessions
    assert discord.applications[0].session_start_remaining == 999


@pytest.mark.parametrize('action', (Invalidate(False), Invalidate(True)))
async def test__stage__identify_invalidated(discord, connect, action):
    """Op 9 instead of READY."""
    discord.fault(action, at = 'identify')
    peer = await connect(discord)
    await peer.expect(10)
    await peer.identify()
    assert (await peer.expect(9)) is action.resumable
    assert not discord.sessions


async def test__stage__ready_reconnect(discord, connect):
    """Op 7 before READY."""
    discord.fault(Reconnect(), at = 'ready')
    peer = await connect(discord)
    await peer.expect(10)
    await peer.identify()
    await peer.expect(7)
    await peer.expect_event('READY')


async def test__stage__ready_left_out(discord, connect):
    """Without READY the events come."""
    discord.fault(Skip(), at = 'ready')
    peer = await connect(discord)
    await peer.expect(10)
    await peer.identify()
    await peer.expect_event('GUILD_CREATE')
    assert discord.recording.ready_count() == 0


async def test__stage__ready_cut(discord, connect):
    """The connection is lost before READY: the session exists, and nobody knows of it."""
    discord.fault(Cut(), at = 'ready')
    peer = await connect(discord)
    await peer.expect(10)
    await peer.identify()
    assert await peer.expect_close() is None
    assert not discord.session(0).is_connected
    assert discord.recording.identifies[0].result == 'faulted'


async def test__stage__ready_delayed(discord, connect):
    """Events that happen while READY is delayed come after it, in order."""
    discord.fault(Delay(0.05), at = 'ready')
    peer = await connect(discord)
    await peer.expect(10)
    await peer.identify()
    await discord.wait_for(lambda recording: recording.identify_count())
    discord.send_message(content = 'meanwhile')
    assert discord.recording.ready_count() == 0
    await peer.expect_event('READY')
    await peer.expect_event('GUILD_CREATE')
    assert (await peer.expect_event('MESSAGE_CREATE'))['content'] == 'meanwhile'
    assert peer.sequence == 3


async def test__stage__ready_without_fields(discord, connect):
    """READY that lacks fields."""
    def replace(payload):
        del payload['d']['session_id']
        return payload


    discord.fault(Replace(replace), at = 'ready')
    peer = await connect(discord)
    ready = await peer.start()
    assert 'session_id' not in ready


async def test__stage__ready_sent_cut(discord, connect):
    """The connection is lost after READY; what came after it can be resumed."""
    discord.fault(Cut(False), at = 'ready_sent')
    peer = await connect(discord)
    await peer.start()
    assert await peer.expect_close() is None
    assert not discord.session(0).is_connected


async def test__stage__resume_unanswered(discord, start, resumed):
    """RESUME is never answered; the session can be resumed on another connection."""
    peer = await start()
    peer.abort()
    discord.fault(Skip(), at = 'resume')
    async with resumed(discord, peer):
        await discord.wait_for(lambda recording: recording.resume_count() and recording.resumes[0].result)

    async with resumed(discord, peer) as new_peer:
        await new_peer.expect_event('RESUMED')

    assert [record.result for record in discord.recording.resumes] == ['faulted', 'resumed']


@pytest.mark.parametrize(
    ('action', 'close_code'),
    ((Cut(), None), (Cut(False), None), (Close(4000), 4000), (Close(4009), 4009), (Close(None), 0)),
)
async def test__stage__lost_during_replay(discord, start, resumed, action, close_code):
    """The connection is lost after some replayed events; the rest comes with the next resume."""
    peer = await start()
    peer.abort()
    await discord.wait_for(lambda recording: not discord.session(0).is_connected)
    for index in range(5):
        discord.send_message(content = str(index))

    discord.fault(action, at = 'replay', after = 2)
    seen = []
    async with resumed(discord, peer) as new_peer:
        for _ in range(2):
            seen.append((await new_peer.expect_event('MESSAGE_CREATE'))['content'])

        assert await new_peer.expect_close() == close_code

    async with resumed(discord, peer, sequence = new_peer.sequence) as newer_peer:
        seen.extend(
            payload['d']['content'] for payload in await newer_peer.receive_until('RESUMED')
            if payload['t'] == 'MESSAGE_CREATE'
        )

    assert seen == ['0', '1', '2', '3', '4']
    results = [(record.result, record.replayed) for record in discord.recording.resumes]
    assert results == [('faulted', 2), ('resumed', 3)]


async def test__stage__replay_delayed(discord, start, resumed):
    """Each replayed event may wait; events that happen meanwhile come in their order, before RESUMED."""
    peer = await start()
    peer.abort()
    await discord.wait_for(lambda recording: not discord.session(0).is_connected)
    for index in range(3):
        discord.send_message(content = str(index))

    discord.fault(Delay(0.01), at = 'replay', times = None)
    async with resumed(discord, peer) as new_peer:
        first = await new_peer.expect_event('MESSAGE_CREATE')
        discord.send_message(content = 'meanwhile')
        payloads = await new_peer.receive_until('RESUMED')
        contents = [first['content'], *(payload['d']['content'] for payload in payloads[:-1])]

    assert contents == ['0', '1', '2', 'meanwhile']


async def test__stage__replay_reconnect_and_invalidate(discord, start, resumed):
    """Op 7 in the middle of a replay, then op 9 true in the middle of another one."""
    peer = await start()
    peer.abort()
    await discord.wait_for(lambda recording: not discord.session(0).is_connected)
    for index in range(3):
        discord.send_message(content = str(index))

    discord.fault(Reconnect(), at = 'replay', after = 1)
    async with resumed(discord, peer) as new_peer:
        await new_peer.expect_event('MESSAGE_CREATE')
        await new_peer.expect(7)
        await new_peer.close(4000)

    discord.fault(Invalidate(True), at = 'replay', after = 1)
    async with resumed(discord, peer) as new_peer:
        await new_peer.expect_event('MESSAGE_CREATE')
        assert (await new_peer.expect(9)) is True

    async with resumed(discord, peer) as new_peer:
        assert len(await new_peer.receive_until('RESUMED')) == 4


async def test__stage__replay_skips(discord, start, resumed):
    """A replayed event may be left out."""
    peer = await start()
    peer.abort()
    await discord.wait_for(lambda recording: not discord.session(0).is_connected)
    for index in range(3):
        discord.send_message(content = str(index))

    discord.fault(Skip(), at = 'replay', after = 1)
    async with resumed(discord, peer) as new_peer:
        payloads = await new_peer.receive_until('RESUMED')

    assert [payload['d']['content'] for payload in payloads[:-1]] == ['0', '2']


async def test__stage__resumed_left_out(discord, start, resumed):
    """RESUMED is left out; events come nevertheless."""
    peer = await start()
    peer.abort()
    discord.fault(Skip(), at = 'resumed')
    async with resumed(discord, peer) as new_peer:
        await discord.wait_for(lambda recording: recording.resume_count() and recording.resumes[0].result)
        discord.send_message(content = 'new')
        assert (await new_peer.expect_event('MESSAGE_CREATE'))['content'] == 'new'

    assert discord.recording.resumed_count() == 0


async def test__stage__heartbeat_unacknowledged(discord, start):
    """Heartbeats are not acknowledged, everything else goes on; healed, they are again."""
    peer = await start()
    with discord.fault(Skip(), at = 'heartbeat', times = None) as fault:
        await peer.send(1, None)
        await discord.wait_for(lambda recording: recording.heartbeats)
        discord.send_message(content = 'x')
        await peer.expect_event('MESSAGE_CREATE')

    assert fault.is_healed
    assert fault.count == 1
    await peer.send(1, None)
    await peer.expect(11)


async def test__stage__heartbeat_delayed(discord, start):
    """Only the acknowledgement waits, events do not."""
    peer = await start()
    discord.fault(Delay(0.05), at = 'heartbeat')
    await peer.send(1, None)
    await discord.wait_for(lambda recording: recording.heartbeats)
    discord.send_message(content = 'x')
    await peer.expect_event('MESSAGE_CREATE')
    await peer.expect(11)


async def test__stage__dispatch(discord, start):
    """An event may be left out, replaced, or end the connection; it stays in the session."""
    peer = await start()
    discord.fault(Skip(), at = 'dispatch')
    discord.fault(Replace(lambda payload: {**payload, 's': 1}), at = 'dispatch', after = 1)
    for index in range(3):
        discord.send_message(content = str(index))

    payloads = [await peer.receive() for _ in range(2)]
    assert [(payload['d']['content'], payload['s']) for payload in payloads] == [('1', 1), ('2', 5)]

    discord.fault(Cut(), at = 'dispatch')
    discord.send_message(content = '3')
    assert await peer.expect_close() is None
    assert discord.session(0).sequence == 6


async def test__stage__dispatch_delayed(discord, start):
    """A delayed event holds those after it back."""
    peer = await start()
    discord.fault(Delay(0.02), at = 'dispatch')
    discord.send_message(content = '0')
    discord.send_message(content = '1')
    assert [(await peer.expect_event('MESSAGE_CREATE'))['content'] for _ in range(2)] == ['0', '1']


# the script


async def test__faults__duration(discord, connect):
    """A fault heals by itself after its duration, and lets go what it holds."""
    peer = await connect(discord)
    await peer.start(guild_count = 1)
    fault = discord.fault(Silence(), duration = 0.05)
    discord.send_message(content = 'x')
    await peer.expect_event('MESSAGE_CREATE')
    assert fault.is_healed


async def test__faults__heal(discord, start):
    """`heal` ends every fault."""
    peer = await start()
    faults = [
        discord.silence(0),
        discord.fault(Skip(), at = 'heartbeat', times = None),
        discord.rest_fault(status = 500, times = None),
    ]
    discord.heal()
    assert all(fault.is_healed for fault in faults)
    await peer.send(1, None)
    await peer.expect(11)


async def test__faults__are_forgotten(discord, start):
    """The script keeps nothing of faults that struck, nor of silent connections that ended."""
    for _ in range(3):
        await start()
        discord.silence(0)
        discord.reconnect(0)
        discord.cut(0)
        await discord.wait_for(lambda recording: not discord.connections)

    # The last one of each stage may still be there.
    assert repr(discord.core.script).count('<Fault ') <= 1


@pytest.mark.parametrize(
    ('action', 'stage'),
    (
        (Close(), 'connect'), (SendPayload({}), 'connect'), (Skip(), 'now'), (Delay(1.0), 'now'), (Refuse(), 'hello'),
        (Replace(lambda payload: payload), 'now'), (Cut(), 'nowhere'),
    ),
)
async def test__faults__impossible(discord, action, stage):
    """An action where it means nothing, and a stage that does not exist, are refused."""
    with pytest.raises(ValueError):
        discord.fault(action, at = stage)


@pytest.mark.parametrize('stage', STAGES)
async def test__faults__cut_at_any_stage(discord, connect, resumed, stage):
    """Wherever a connection is cut, the next one works."""
    fault = discord.fault(Cut(), at = stage)
    for _ in range(3):
        try:
            peer = await connect(discord)
            await peer.start(guild_count = 1)
            await peer.send(1, None)
            await peer.expect(11)
            peer.abort()
            discord.send_message(content = 'x')
            async with resumed(discord, peer) as new_peer:
                await new_peer.receive_until('RESUMED')
                await new_peer.send(1, None)
                await new_peer.expect(11)
        except Exception as exception:
            # The peer raises whatever it runs into; what counts is that the last round runs into nothing.
            failure = exception
        else:
            failure = None

    assert failure is None
    assert fault.count == (0 if stage == 'now' else 1)


def test__actions__repr_keeps_content_to_itself():
    """What is sent does not show in the representation."""
    for action in (SendPayload({'d': 'secret'}), SendMessage('secret'), SendBytes(b'secret')):
        assert 'secret' not in repr(action)


async def test__stage__hello_sent_by_json(discord, connect):
    """After HELLO further payloads may follow."""
    discord.fault(SendPayload({'op': 1, 'd': None}), at = 'hello_sent')
    peer = await connect(discord)
    assert json.loads(await peer.receive_message())['op'] == 10
    await peer.expect(1)
