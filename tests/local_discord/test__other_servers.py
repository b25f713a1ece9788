"""
What other servers of Discord's protocol do, and what Discord does not document: the local Discord can be told to.
"""
import json

import pytest
from backports.zstd import ZstdDecompressor

from hata_gateway_ext.local_discord import LocalDiscord, Skip


@pytest.mark.parametrize(('guilds', 'bound'), ((0, 100), (1, 100), (2, 150), (40, 3000), (100, 3500)))
async def test__replay_bound__as_staff_told(connect, resumed, guilds, bound):
    """A session keeps `max(100, min(3500, guilds * 75))` events: that many can be missed, one more is too much."""
    async with LocalDiscord(guilds = guilds, identify_interval = 0.0) as discord:
        for missed, operation in ((bound, 0), (bound + 1, 9)):
            peer = await connect(discord)
            await peer.start(guild_count = guilds)
            peer.abort()
            await discord.wait_for(lambda recording: not discord.session(0).is_connected)
            discord.emit_many('TYPING_START', [{}] * missed)

            async with resumed(discord, peer) as new_peer:
                assert (await new_peer.receive())['op'] == operation


async def test__replay_bound__counts_the_guilds_of_the_shard(connect):
    """The guilds of the session's own shard count."""
    async with LocalDiscord(guilds = 8, shards = 2, identify_interval = 0.0) as discord:
        peer = await connect(discord)
        await peer.start((1, 2), guild_count = 4)
        discord.emit_many('TYPING_START', [{}] * 1000)
        assert discord.session(1).buffered == 300


async def test__replay_bound__given(connect):
    """A number of one's own goes for every session that begins afterwards."""
    async with LocalDiscord(guilds = 0, replay_bound = 7, identify_interval = 0.0) as discord:
        for bound in (7, 9):
            discord.options.replay_bound = bound
            peer = await connect(discord)
            await peer.start()
            discord.emit_many('TYPING_START', [{}] * 20)
            assert discord.session(0).buffered == bound


async def test__takeover__close(discord, connect, resumed):
    """By default the old connection of a resumed session is closed, with a code that keeps sessions."""
    peer = await connect(discord)
    await peer.start()
    async with resumed(discord, peer) as new_peer:
        await new_peer.expect_event('RESUMED')
        assert await peer.expect_close() == 4000


async def test__takeover__refuse(discord, connect, resumed):
    """The old connection stays, and the RESUME is refused as long as it does."""
    discord.options.takeover = 'refuse'
    peer = await connect(discord)
    await peer.start()
    async with resumed(discord, peer) as new_peer:
        assert (await new_peer.expect(9)) is False

    discord.emit('TYPING_START', {})
    await peer.expect_event('TYPING_START')
    peer.abort()
    await discord.wait_for(lambda recording: not discord.session(0).is_connected)

    async with resumed(discord, peer) as new_peer:
        await new_peer.expect_event('RESUMED')

    assert [record.result for record in discord.recording.resumes] == ['taken', 'resumed']


@pytest.mark.parametrize(('trims', 'operation'), ((False, 0), (True, 9)))
async def test__heartbeat_trims(connect, resumed, trims, operation):
    """What a heartbeat acknowledged cannot be had again."""
    async with LocalDiscord(guilds = 0, heartbeat_trims = trims) as discord:
        peer = await connect(discord)
        await peer.start()
        discord.emit_many('TYPING_START', [{}] * 4)
        for _ in range(4):
            await peer.expect_event('TYPING_START')

        await peer.send(1, 3)
        await peer.expect(11)
        peer.abort()

        # From 3 on everything is still there.
        async with resumed(discord, peer, sequence = 3) as new_peer:
            assert [payload['s'] for payload in await new_peer.receive_until('RESUMED')] == [4, 5, 6]

        async with resumed(discord, peer, sequence = 2) as new_peer:
            assert (await new_peer.receive())['op'] == operation


async def test__heartbeat_trims__not_acknowledged(connect, resumed):
    """A heartbeat without acknowledgement drops nothing."""
    async with LocalDiscord(guilds = 0, heartbeat_trims = True) as discord:
        discord.fault(Skip(), at = 'heartbeat')
        peer = await connect(discord)
        await peer.start()
        discord.emit('TYPING_START', {})
        await peer.send(1, 2)
        await discord.wait_for(lambda recording: recording.heartbeats)
        peer.abort()
        async with resumed(discord, peer, sequence = 1) as new_peer:
            await new_peer.expect_event('TYPING_START')


async def test__zstd_frame_per_message(connect):
    """Each message is a whole zstd frame, that can be read without those before it."""
    async with LocalDiscord(guilds = 1, zstd_frame_per_message = True) as discord:
        peer = await connect(discord, 'zstd-stream')
        payloads = []
        for _ in range(2):
            decompressor = ZstdDecompressor()
            payloads.append(json.loads(decompressor.decompress(await peer.receive_message())))
            assert decompressor.eof
            if len(payloads) == 1:
                await peer.identify()

        assert [payload['op'] for payload in payloads] == [10, 0]


@pytest.mark.parametrize('is_guild_first', (False, True))
async def test__repeat_sequences(connect, resumed, is_guild_first):
    """READY, READY_SUPPLEMENTAL and the guilds have 0, what comes then is numbered from 1 on, and can be replayed."""
    async with LocalDiscord(
        guilds = 2, guilds_before_ready = is_guild_first, repeat_sequences = True, identify_interval = 0.0
    ) as discord:
        peer = await connect(discord)
        await peer.expect(10)
        await peer.identify()
        payloads = [await peer.receive() for _ in range(4)]
        guilds = [('GUILD_CREATE', 0), ('GUILD_CREATE', 0)]
        ready = [('READY', 0), ('READY_SUPPLEMENTAL', 0)]
        assert [(payload['t'], payload['s']) for payload in payloads] == (
            (guilds + ready) if is_guild_first else (ready + guilds)
        )
        discord.emit_many('TYPING_START', [{}] * 2)
        assert [(await peer.receive())['s'] for _ in range(2)] == [1, 2]
        peer.abort()
        async with resumed(discord, peer, sequence = 0) as new_peer:
            assert [payload['s'] for payload in await new_peer.receive_until('RESUMED')] == [1, 2, 3]


async def test__guilds_before_ready(connect, resumed):
    """The guilds come first, with the first numbers; READY comes last, and so does what was left out of it."""
    async with LocalDiscord(guilds = 2, guilds_before_ready = True, identify_interval = 0.0) as discord:
        peer = await connect(discord)
        await peer.expect(10)
        await peer.identify()
        payloads = [await peer.receive() for _ in range(3)]
        assert [(payload['t'], payload['s']) for payload in payloads] == [
            ('GUILD_CREATE', 1), ('GUILD_CREATE', 2), ('READY', 3),
        ]
        discord.emit('TYPING_START', {})
        assert (await peer.receive())['s'] == 4


@pytest.mark.parametrize('compression', ('zlib-stream', 'zstd-stream', 'brotli-stream'))
async def test__ignore_compress(connect, compression):
    """Plain text comes, whatever was asked for; what was asked for is recorded."""
    async with LocalDiscord(guilds = 1, ignore_compress = True) as discord:
        peer = await connect(discord, compression)
        assert json.loads(await peer.receive_message())['op'] == 10
        await peer.identify(compress = True)
        message = await peer.receive_message()
        assert isinstance(message, str)
        assert json.loads(message)['t'] == 'READY'
        # Also what `compress` of IDENTIFY would make binary.
        assert isinstance(await peer.receive_message(), str)
        assert discord.recording.connections[0].compression == compression


async def miss(discord, connect, count):
    """A peer that missed so many events."""
    peer = await connect(discord)
    await peer.start()
    peer.abort()
    await discord.wait_for(lambda recording: not discord.session(0).is_connected)
    discord.emit_many('TYPING_START', [{}] * count)
    return peer


@pytest.mark.parametrize(('parameters', 'sequences'), (
    ({'every': 3, 'times': None}, [2, 3, 5, 6, 8, 9, 11]),
    ({'every': 3, 'times': 1}, [2, 3, 5, 6, 7, 8, 9, 10, 11]),
    ({'every': 3, 'times': None, 'after': 4}, [2, 3, 4, 5, 6, 7, 9, 10, 11]),
    ({'passes': (1, 2, 9), 'times': None}, [4, 5, 6, 7, 8, 9, 11]),
    ({'times': None}, [11]),
))
async def test__replay_with_holes(discord, connect, resumed, parameters, sequences):
    """Each so manieth event of a replay is left out, or chosen ones; the numbers of the others and of RESUMED tell."""
    peer = await miss(discord, connect, 9)
    discord.fault(Skip(), at = 'replay', **parameters)
    async with resumed(discord, peer) as new_peer:
        assert [payload['s'] for payload in await new_peer.receive_until('RESUMED')] == sequences

    # The events are the session's all the same: another resume may have them.
    discord.heal()
    async with resumed(discord, peer) as new_peer:
        assert [payload['s'] for payload in await new_peer.receive_until('RESUMED')] == [*range(2, 11), 12]


@pytest.mark.parametrize('every', (0, -1))
async def test__replay_with_holes__wrong(discord, every):
    """Each zeroth of them means nothing."""
    with pytest.raises(ValueError):
        discord.fault(Skip(), at = 'replay', every = every)


@pytest.mark.parametrize(('name', 'value', 'exception_type'), (
    ('takeover', 'both', ValueError),
    ('replay_bound', 0, ValueError),
    ('heartbeat_trims', 1, TypeError),
    ('repeat_sequences', None, TypeError),
    ('guilds_before_ready', 'yes', TypeError),
    ('ignore_compress', 0, TypeError),
    ('zstd_frame_per_message', 'no', TypeError),
))
def test__options__wrong(name, value, exception_type):
    """What an option cannot be is refused by name."""
    with pytest.raises(exception_type, match = name):
        LocalDiscord(**{name: value})
