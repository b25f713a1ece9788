"""
IDENTIFY at the local Discord: what follows, and what is refused.
"""
import pytest

from hata_gateway_ext.local_discord import LocalDiscord


async def test__identify__ready(discord, connect):
    """READY has what Discord's has, under sequence 1."""
    peer = await connect(discord)
    hello = await peer.expect(10)
    assert hello['heartbeat_interval'] == 41250

    await peer.identify()
    payload = await peer.receive()
    assert (payload['t'], payload['s'], payload['op']) == ('READY', 1, 0)

    data = payload['d']
    assert data['session_id']
    assert data['resume_gateway_url'] == discord.resume_gateway_url(0)
    assert data['shard'] == [0, 1]
    assert data['user']['id'] == data['application']['id'] == str(discord.application_id)
    assert data['guilds'] == []


async def test__identify__key_order(discord, connect):
    """The keys of an envelope come in Discord's order."""
    peer = await connect(discord)
    assert (await peer.receive_message()).startswith('{"t":null,"s":null,"op":10,"d":{')
    await peer.identify()
    assert (await peer.receive_message()).startswith('{"t":"READY","s":1,"op":0,"d":{')


async def test__identify__guilds_of_the_shard(connect):
    """Each shard gets the guilds that belong to it: unavailable in READY, then by GUILD_CREATE."""
    async with LocalDiscord(guilds = 5, identify_interval = 0.0) as discord:
        for shard_id in range(2):
            peer = await connect(discord)
            await peer.expect(10)
            await peer.identify((shard_id, 2))
            ready = await peer.expect_event('READY')
            guild_ids = [int(guild['id']) for guild in ready['guilds']]
            assert guild_ids
            assert all((guild_id >> 22) % 2 == shard_id for guild_id in guild_ids)
            assert all(guild['unavailable'] for guild in ready['guilds'])
            assert [int((await peer.expect_event('GUILD_CREATE'))['id']) for _ in guild_ids] == guild_ids


@pytest.mark.parametrize(
    ('fields', 'options', 'close_code'),
    (
        ({'token': 'nope'}, {}, 4004),
        ({'token': None}, {}, 4004),
        ({'shard': [2, 2]}, {}, 4010),
        ({'shard': [-1, 2]}, {}, 4010),
        ({'shard': [0]}, {}, 4010),
        ({'shard': 'x'}, {}, 4010),
        ({'shard': [0, 1]}, {'required_shards': 2}, 4011),
        ({'intents': 1 << 30}, {}, 4013),
        ({'intents': 'all'}, {}, 4013),
        ({'intents': 1 << 8}, {'disallowed_intents': 1 << 8}, 4014),
    ),
)
async def test__identify__refused(connect, fields, options, close_code):
    """What Discord refuses is refused, with Discord's close code, and recorded."""
    async with LocalDiscord(guilds = 0, **options) as discord:
        peer = await connect(discord)
        await peer.expect(10)
        await peer.identify(**fields)
        assert await peer.expect_close() == close_code
        assert [record.result for record in discord.recording.identifies] == [close_code]
        assert not discord.sessions


async def test__identify__invalid_version(discord, connect):
    """A version that Discord does not speak any more is closed with 4012."""
    peer = await connect(discord, query = {'v': '5'})
    await peer.expect(10)
    await peer.identify()
    assert await peer.expect_close() == 4012


async def test__identify__twice(discord, connect):
    """A second IDENTIFY on a connection is closed with 4005. The session lives on."""
    peer = await connect(discord)
    await peer.start()
    await peer.identify()
    assert await peer.expect_close() == 4005
    assert not discord.session(0).is_connected


async def test__identify__too_early(connect):
    """A second IDENTIFY in a bucket's window gets op 9 false, one in another bucket does not."""
    async with LocalDiscord(guilds = 0, identify_interval = 60.0, max_concurrency = 2) as discord:
        peer_0 = await connect(discord)
        await peer_0.start((0, 4))
        peer_1 = await connect(discord)
        await peer_1.start((1, 4))

        peer_2 = await connect(discord)
        await peer_2.expect(10)
        await peer_2.identify((2, 4))
        assert (await peer_2.expect(9)) is False

        assert [record.result for record in discord.recording.identifies] == ['ready', 'ready', 'too_early']
        assert discord.session(2) is None


async def test__identify__again_after_the_window(connect):
    """
    After the window the bucket is free again, also on the connection that was refused. The refused one did not prolong
    it.
    """
    async with LocalDiscord(guilds = 0, identify_interval = 60.0) as discord:
        peer = await connect(discord)
        await peer.start((0, 2))
        other = await connect(discord)
        await other.expect(10)
        await other.identify((1, 2))
        assert (await other.expect(9)) is False

        discord.options.identify_interval = 0.0
        await other.identify((1, 2))
        await other.expect_event('READY')


async def test__identify__session_starts_are_counted(discord, connect):
    """Each identify that reaches a session takes one of the session starts; a resume does not."""
    peer = await connect(discord)
    await peer.start()
    (application,) = discord.applications
    assert application.session_start_remaining == 999


async def test__identify__token_reset(connect):
    """At the limit of session starts the token is reset: all sessions end with 4004, and nothing is let in again."""
    async with LocalDiscord(guilds = 0, identify_interval = 0.0, session_start_remaining = 1) as discord:
        peer_0 = await connect(discord)
        await peer_0.start((0, 2))
        peer_1 = await connect(discord)
        await peer_1.expect(10)
        await peer_1.identify((1, 2))

        assert await peer_1.expect_close() == 4004
        assert await peer_0.expect_close() == 4004
        assert not discord.sessions

        peer_2 = await connect(discord)
        await peer_2.expect(10)
        await peer_2.identify((0, 2))
        assert await peer_2.expect_close() == 4004


async def test__identify__any_token(connect):
    """
    With `accept_any_token` each token is a bot of its own, with buckets of its own. What is no token is still refused.
    """
    async with LocalDiscord(guilds = 0, accept_any_token = True, identify_interval = 60.0) as discord:
        await (await connect(discord)).start()
        other = await connect(discord, token = 'MTA2MDY1NjA2MDAwMDAwMDAx.x.y')
        ready = await other.start()
        assert ready['user']['id'] == '106065606000000001'

        wrong = await connect(discord, token = 'wrong')
        await wrong.expect(10)
        await wrong.identify()
        assert await wrong.expect_close() == 4004
