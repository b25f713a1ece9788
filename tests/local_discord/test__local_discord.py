"""
How the local Discord is run and called: on a loop, in a thread, over TLS.
"""
import asyncio
import threading

import aiohttp
import pytest

from hata_gateway_ext.local_discord import LocalDiscord, Skip, create_certificates


async def test__LocalDiscord__on_the_loop(connect):
    """On a loop; afterwards nothing is left of it, and what happened can still be asked."""
    tasks = asyncio.all_tasks()
    async with LocalDiscord(guilds = 0) as discord:
        assert discord.is_running
        peer = await connect(discord)
        await peer.start()

    assert not discord.is_running
    assert await peer.expect_close() is None
    assert discord.recording.ready_count() == 1
    assert discord.connections == discord.sessions == ()
    assert asyncio.all_tasks() == tasks
    with pytest.raises(aiohttp.ClientConnectorError):
        await connect(discord)


async def test__LocalDiscord__in_a_thread(connect):
    """In a thread of its own: every method works from another thread, with results."""
    with LocalDiscord(guilds = 1, identify_interval = 0.0) as discord:
        peer = await connect(discord)
        await peer.start(guild_count = 1)
        assert await asyncio.to_thread(discord.wait, lambda recording: recording.ready_count(0)) == 1

        assert discord.send_message()['number'] == 0
        assert (await peer.expect_event('MESSAGE_CREATE'))['content'] == '#0'
        assert discord.emit('TEST', {}) == 1
        await peer.expect_event('TEST')
        assert discord.session(0).is_connected
        assert discord.ask(lambda recording: [record.shard_id for record in recording.identifies]) == [0]

        with discord.fault(Skip(), at = 'heartbeat') as fault:
            await peer.send(1, None)
            await asyncio.to_thread(discord.wait, lambda recording: recording.heartbeats)

        assert fault.count == 1
        with pytest.raises(ValueError):
            discord.send_message(guild_id = 12)

        discord.cut(0)
        assert await peer.expect_close() is None
        thread = discord._thread.thread

    assert not thread.is_alive()
    assert not any(thread.name == 'local-discord' for thread in threading.enumerate())


def test__LocalDiscord__wait__timeout():
    """A condition that does not hold in time: the error tells what was recorded."""
    with LocalDiscord() as discord:
        with pytest.raises(TimeoutError, match = 'connections = 0'):
            discord.wait(lambda recording: recording.connections, timeout = 0.01)


async def test__LocalDiscord__wait_for():
    """The first true value is returned, at once if it is there; an error of the condition's is raised."""
    async with LocalDiscord() as discord:
        assert await discord.wait_for(lambda recording: 'there') == 'there'
        with pytest.raises(TimeoutError):
            await discord.wait_for(lambda recording: recording.connections, timeout = 0.01)

        with pytest.raises(ZeroDivisionError):
            await discord.wait_for(lambda recording: 1 // 0)


async def test__LocalDiscord__wait__on_the_wrong_thread():
    """Waiting in the wrong way would never end, so it is refused."""
    async with LocalDiscord() as discord:
        with pytest.raises(RuntimeError):
            discord.wait(lambda recording: True)

    with LocalDiscord() as discord:
        with pytest.raises(RuntimeError):
            await discord.wait_for(lambda recording: True)


async def test__LocalDiscord__once():
    """A local Discord can be started once."""
    async with LocalDiscord() as discord:
        with pytest.raises(RuntimeError):
            await discord.open()

    with pytest.raises(RuntimeError):
        await discord.open()


async def test__LocalDiscord__tls(connect):
    """With TLS: a client that trusts the authority gets in, one that does not is kept out."""
    certificates = create_certificates()
    async with LocalDiscord(guilds = 0, ssl_context = certificates.create_server_context()) as discord:
        assert discord.api_endpoint.startswith('https://')
        assert discord.gateway_url.startswith('wss://')
        peer = await connect(discord, ssl = certificates.create_client_context())
        await peer.start()
        discord.cut(0)
        assert await peer.expect_close() is None
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await connect(discord)


@pytest.mark.parametrize('reset', (True, False))
async def test__LocalDiscord__tls_faults(connect, reset):
    """Over TLS a connection falls silent, goes on, and is cut, as without."""
    certificates = create_certificates()
    async with LocalDiscord(guilds = 0, ssl_context = certificates.create_server_context()) as discord:
        peer = await connect(discord, 'zlib-stream', ssl = certificates.create_client_context())
        await peer.start()
        fault = discord.silence(0)
        discord.emit('TEST', {})
        await peer.send(1, None)
        fault.heal()
        await peer.expect_event('TEST')
        await peer.expect(11)
        discord.silence(0)
        discord.cut(0, reset)
        assert await peer.expect_close() is None


async def test__LocalDiscord__tls_misnamed(connect):
    """A certificate for another name is not accepted by who checks names."""
    certificates = create_certificates('discord.invalid')
    async with LocalDiscord(guilds = 0, ssl_context = certificates.create_server_context()) as discord:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await connect(discord, ssl = certificates.create_client_context())


async def test__LocalDiscord__send_message(connect):
    """
    Numbered messages go to the shard's guild; the ledger knows into which sessions. Without session they count nowhere.
    """
    async with LocalDiscord(guilds = 2, identify_interval = 0.0) as discord:
        assert discord.send_message()['number'] == 0
        peers = []
        for shard_id in range(2):
            peer = await connect(discord)
            await peer.start((shard_id, 2), guild_count = 1)
            peers.append(peer)

        assert discord.send_messages(2, shard_id = 1) == range(1, 3)
        assert discord.send_message(shard_id = 0)['number'] == 3
        assert discord.send_message(content = 'hello', guild_id = discord.world.guild_ids[1])['number'] is None

        contents = [(await peers[1].expect_event('MESSAGE_CREATE'))['content'] for _ in range(3)]
        assert contents == ['#1', '#2', 'hello']
        assert (await peers[0].expect_event('MESSAGE_CREATE'))['content'] == '#3'
        assert discord.ledger.sent_numbers() == [1, 2, 3]
        assert discord.ledger.sent_numbers(1) == [1, 2]


async def test__LocalDiscord__emit_many(discord, connect):
    """Many events at once arrive all, in order."""
    peer = await connect(discord, 'zlib-stream')
    await peer.start()
    assert discord.emit_many('TEST', ({'index': index} for index in range(20000))) == 1
    for index in range(20000):
        assert (await peer.expect_event('TEST'))['index'] == index

    assert discord.recording.connections[0].dispatched == 20001


async def test__LocalDiscord__traffic(discord, connect):
    """Traffic goes into every shard that has a session and a guild, until it is stopped."""
    discord.options.guilds = 2
    peers = []
    for shard_id in range(2):
        peer = await connect(discord)
        await peer.start((shard_id, 3), guild_count = 1)
        peers.append(peer)

    await (await connect(discord)).start((2, 3))

    traffic = discord.start_traffic(500.0)
    for peer in peers:
        for _ in range(20):
            await peer.expect_event('MESSAGE_CREATE')

    traffic.stop()
    count = discord.ledger.next_number
    assert not discord.core.traffics
    assert count >= 40
    assert len(discord.ledger.sent_numbers(0)) == len(discord.ledger.sent_numbers(1))
    with pytest.raises(ValueError):
        discord.start_traffic(0.0)


async def test__LocalDiscord__recording_keeps_secrets(discord, connect):
    """Neither token nor session id is recorded."""
    peer = await connect(discord)
    await peer.start()
    peer.abort()
    new_peer = await connect(discord)
    await new_peer.expect(10)
    await new_peer.resume(peer.session_id, peer.sequence)
    await new_peer.expect_event('RESUMED')
    recorded = repr([
        [(name, getattr(record, name)) for name in record.__slots__]
        for records in (discord.recording.connections, discord.recording.operations)
        for record in records
    ])
    assert discord.token not in recorded
    assert peer.session_id not in recorded
