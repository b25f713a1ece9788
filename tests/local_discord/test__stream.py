"""
Prepared streams of the local Discord.
"""
import json
from time import monotonic

import pytest

from hata_gateway_ext.local_discord import LocalDiscord, create_certificates


def build_payloads(first, count, name = 'SCENARIO'):
    """Payloads with sequences from `first` on."""
    return [
        json.dumps({'t': name, 's': sequence, 'op': 0, 'd': {'text': 'x' * (sequence % 300)}}).encode()
        for sequence in range(first, first + count)
    ]


@pytest.mark.parametrize('has_tls', (False, True))
@pytest.mark.parametrize('compression', ('none', 'zlib-stream', 'zstd-stream'))
async def test__stream__flood(connect, compression, has_tls):
    """The payloads come as they are, behind READY and the guilds; acknowledgements come behind them."""
    certificates = create_certificates()
    context = certificates.create_server_context() if has_tls else None
    async with LocalDiscord(guilds = 1, ssl_context = context) as discord:
        payloads = build_payloads(3, 5000)
        stream = discord.stream(0, payloads, start = False)
        peer = await connect(discord, compression, ssl = certificates.create_client_context())
        await peer.start(guild_count = 1)
        await discord.wait_for(lambda recording: stream.prepared_count)
        await peer.send(1, None)
        await discord.wait_for(lambda recording: recording.heartbeats)
        assert stream.sent_count == 0
        assert stream.wire_size > 0
        stream.start()
        assert [await peer.receive() for _ in payloads] == [json.loads(payload) for payload in payloads]
        await peer.expect(11)
        assert stream.sent_count == discord.recording.connections[0].dispatched - 2 == 5000
        # The session goes on behind it.
        discord.emit('TYPING_START', {})
        assert (await peer.receive())['s'] == 5003


async def test__stream__rate(connect):
    """At a rate the payloads come one by one, and other events in between."""
    async with LocalDiscord(guilds = 0) as discord:
        payloads = build_payloads(2, 50)
        stream = discord.stream(0, payloads, rate = 100.0)
        peer = await connect(discord, 'zlib-stream')
        started_at = monotonic()
        await peer.start()
        await peer.send(1, None)
        received = [await peer.receive() for _ in range(51)]
        # Load makes it later, never earlier.
        assert monotonic() - started_at > 0.4
        assert [payload['s'] for payload in received if payload['op'] == 0] == [*range(2, 52)]
        assert received[-1]['op'] == 0
        assert stream.sent_count == 50


async def test__stream__preface(connect, resumed):
    """READY and what follows it may be given; the session of it is the local Discord's, and can be resumed."""
    async with LocalDiscord(guilds = 1, identify_interval = 0.0) as discord:
        ready = json.dumps({'t': 'READY', 's': 1, 'op': 0, 'd': {'user': {'id': '1'}, 'session_id': 'x'}}).encode()
        discord.stream(0, build_payloads(3, 3), preface = [ready, *build_payloads(2, 1, 'GUILD_CREATE')])
        peer = await connect(discord)
        data = await peer.start()
        assert data['user'] == {'id': '1'}
        assert data['session_id'] == discord.session(0).session_id
        assert data['shard'] == [0, 1]
        assert [(await peer.receive())['t'] for _ in range(4)] == ['GUILD_CREATE'] + ['SCENARIO'] * 3
        async with resumed(discord, peer) as new_peer:
            await new_peer.expect_event('RESUMED')

        # What the stream carried is not kept.
        async with resumed(discord, peer, sequence = 4) as new_peer:
            assert (await new_peer.expect(9)) is False


async def test__stream__of_its_shard(connect):
    """Other shards have nothing of it; a stopped one, and one that another took the place of, ends."""
    async with LocalDiscord(guilds = 0, shards = 2, identify_interval = 0.0) as discord:
        stream = discord.stream(1, build_payloads(2, 3))
        peer = await connect(discord)
        await peer.start((0, 2))
        await peer.send(1, None)
        await peer.expect(11)
        discord.stream(1, build_payloads(2, 1))
        peer = await connect(discord)
        await peer.start((1, 2))
        assert (await peer.receive())['s'] == 2
        await peer.send(1, None)
        await peer.expect(11)
        assert stream.sent_count == 0


async def test__stream__stopped(connect):
    """A flood that is stopped before it was started goes out all the same; one at a rate ends."""
    async with LocalDiscord(guilds = 0, identify_interval = 0.0) as discord:
        stream = discord.stream(0, build_payloads(2, 3), start = False)
        peer = await connect(discord, 'zlib-stream')
        await peer.start()
        stream.stop()
        assert [(await peer.receive())['s'] for _ in range(3)] == [2, 3, 4]

        stream = discord.stream(0, build_payloads(2, 1000), rate = 1.0)
        peer = await connect(discord, 'zlib-stream')
        await peer.start()
        assert (await peer.receive())['s'] == 2
        stream.stop()
        await peer.send(1, None)
        await peer.expect(11)


def test__stream__wrong_rate():
    """A rate is positive."""
    with pytest.raises(ValueError):
        LocalDiscord().stream(0, (), rate = 0.0)
