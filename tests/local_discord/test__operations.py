"""
What a client sends to the local Discord: what is answered, and with which code Discord closes.
"""
import json

import pytest

from hata_gateway_ext.local_discord import LocalDiscord


async def test__operations__heartbeat(discord, connect):
    """Op 1 is acknowledged, also before IDENTIFY, and recorded with its sequence."""
    peer = await connect(discord)
    await peer.expect(10)
    await peer.send(1, None)
    await peer.expect(11)
    await peer.identify()
    await peer.expect_event('READY')
    await peer.send(1, 1)
    await peer.expect(11)
    assert [(record.sequence, record.shard_id) for record in discord.recording.heartbeats] == [(None, None), (1, 0)]


@pytest.mark.parametrize('operation', (3, 4, 8, 31, 43))
async def test__operations__before_identify(discord, connect, operation):
    """What needs a session is closed with 4003 without one."""
    peer = await connect(discord)
    await peer.expect(10)
    await peer.send(operation, {})
    assert await peer.expect_close() == 4003


@pytest.mark.parametrize('operation', (0, 5, 7, 99))
async def test__operations__unknown(discord, connect, operation):
    """An operation that is none of a client's is closed with 4001."""
    peer = await connect(discord)
    await peer.start()
    await peer.send(operation, None)
    assert await peer.expect_close() == 4001


@pytest.mark.parametrize('message', ('{', '[]', '"x"', '{"d":1}', '{"op":"1"}', '{"op":true}', b'\xff\xff'))
async def test__operations__undecodable(discord, connect, message):
    """What is no payload is closed with 4002."""
    peer = await connect(discord)
    await peer.start()
    if isinstance(message, bytes):
        await peer.web_socket.send_bytes(message)
    else:
        await peer.web_socket.send_str(message)

    assert await peer.expect_close() == 4002


@pytest.mark.parametrize(('size', 'close_code'), ((4096, None), (4097, 4002)))
async def test__operations__size(discord, connect, size, close_code):
    """A payload of 4096 bytes is taken, a larger one is closed with 4002."""
    peer = await connect(discord)
    await peer.start()
    payload = json.dumps({'op': 3, 'd': {'x': ''}})
    payload = payload.replace('""', '"' + 'a' * (size - len(payload)) + '"')
    assert len(payload) == size
    await peer.web_socket.send_str(payload)

    if close_code is None:
        await peer.send(1, None)
        await peer.expect(11)
    else:
        assert await peer.expect_close() == close_code

    assert discord.recording.operations_of(3, 0)[0].size == size


async def test__operations__rate_limit(discord, connect):
    """The payload after 120 within 60 seconds is closed with 4008, whatever its operation; the session lives on."""
    peer = await connect(discord)
    await peer.start()
    for _ in range(119):
        await peer.send(1, None)

    for _ in range(119):
        await peer.expect(11)

    await peer.send(1, None)
    assert await peer.expect_close() == 4008
    assert discord.recording.connections[0].discord_close_code == 4008
    assert (discord.session(0) is not None)


async def test__operations__rate_limit_is_per_connection(connect):
    """A new connection starts a new window."""
    async with LocalDiscord(guilds = 0, identify_interval = 0.0, send_limit = 2) as discord:
        for _ in range(2):
            peer = await connect(discord)
            await peer.start()
            await peer.send(1, None)
            await peer.expect(11)


async def test__operations__voice_state(connect):
    """Op 4 is answered by VOICE_STATE_UPDATE; leaving has no channel."""
    async with LocalDiscord(guilds = 1) as discord:
        peer = await connect(discord)
        await peer.start(guild_count = 1)
        guild_id = discord.world.guild_ids[0]
        channel_id = discord.world.get_voice_channel_id(guild_id)
        await peer.send(4, {
            'guild_id': str(guild_id), 'channel_id': str(channel_id), 'self_deaf': True, 'self_mute': False,
        })
        data = await peer.expect_event('VOICE_STATE_UPDATE')
        assert data['guild_id'] == str(guild_id)
        assert data['channel_id'] == str(channel_id)
        assert data['user_id'] == str(discord.application_id)
        assert (data['self_deaf'], data['self_mute']) == (True, False)

        await peer.send(4, {'guild_id': str(guild_id), 'channel_id': None, 'self_deaf': False, 'self_mute': False})
        assert (await peer.expect_event('VOICE_STATE_UPDATE'))['channel_id'] is None


async def test__operations__request_members(connect):
    """Op 8 is answered by chunks of at most 1000 members; asking for all of them again at once by RATE_LIMITED."""
    async with LocalDiscord(guilds = 1, members_per_guild = 1500) as discord:
        peer = await connect(discord)
        await peer.start(guild_count = 1)
        guild_id = str(discord.world.guild_ids[0])
        await peer.send(8, {'guild_id': guild_id, 'query': '', 'limit': 0, 'presences': True, 'nonce': 'n'})
        chunks = [await peer.expect_event('GUILD_MEMBERS_CHUNK') for _ in range(2)]
        assert [len(chunk['members']) for chunk in chunks] == [1000, 501]
        assert [chunk['chunk_index'] for chunk in chunks] == [0, 1]
        assert all((chunk['chunk_count'], chunk['nonce']) == (2, 'n') for chunk in chunks)
        assert all(chunk['presences'] == [] for chunk in chunks)

        await peer.send(8, {'guild_id': guild_id, 'query': '', 'limit': 0})
        data = await peer.expect_event('RATE_LIMITED')
        assert data['opcode'] == 8
        assert 0.0 < data['retry_after'] <= 30.0
        assert data['meta'] == {'guild_id': guild_id, 'nonce': None}


async def test__operations__request_members_by_id_and_name(connect):
    """Members are found by id, and by what their name starts with. Ids that are nobody's are told."""
    async with LocalDiscord(guilds = 1, members_per_guild = 20) as discord:
        peer = await connect(discord)
        await peer.start(guild_count = 1)
        guild_id = discord.world.guild_ids[0]
        user_id = str(discord.world.get_member_ids(guild_id)[3])
        await peer.send(8, {'guild_id': str(guild_id), 'user_ids': [user_id, '1'], 'limit': 0})
        chunk = await peer.expect_event('GUILD_MEMBERS_CHUNK')
        assert [member['user']['id'] for member in chunk['members']] == [user_id]
        assert chunk['not_found'] == ['1']

        await peer.send(8, {'guild_id': str(guild_id), 'query': 'koishi', 'limit': 1})
        chunk = await peer.expect_event('GUILD_MEMBERS_CHUNK')
        assert [member['user']['username'] for member in chunk['members']] == ['koishi_0']


async def test__operations__nothing_is_answered_for_other_shards_guilds(connect):
    """Voice states and members of a guild of another shard are not answered."""
    async with LocalDiscord(guilds = 2) as discord:
        peer = await connect(discord)
        await peer.start((0, 2), guild_count = 1)
        guild_id = str(discord.world.guild_ids[1])
        await peer.send(4, {'guild_id': guild_id, 'channel_id': None})
        await peer.send(8, {'guild_id': guild_id, 'query': '', 'limit': 0})
        await peer.send(1, None)
        await peer.expect(11)


async def test__operations__soundboard(connect):
    """Op 31 is answered by one SOUNDBOARD_SOUNDS for each guild of the shard; others are passed over."""
    async with LocalDiscord(guilds = 3, shards = 2) as discord:
        peer = await connect(discord)
        await peer.start((0, 2), guild_count = 2)
        guild_ids = [str(guild_id) for guild_id in discord.world.guild_ids]
        await peer.send(31, {'guild_ids': [*guild_ids, '1']})
        for guild_id in (guild_ids[0], guild_ids[2]):
            data = await peer.expect_event('SOUNDBOARD_SOUNDS')
            assert data['guild_id'] == guild_id
            (sound,) = data['soundboard_sounds']
            assert sound['guild_id'] == guild_id

        await peer.send(1, None)
        await peer.expect(11)


async def test__operations__channel_info(connect):
    """Op 43 is answered by CHANNEL_INFO."""
    async with LocalDiscord(guilds = 1) as discord:
        peer = await connect(discord)
        await peer.start(guild_count = 1)
        guild_id = str(discord.world.guild_ids[0])
        await peer.send(43, {'guild_id': guild_id, 'fields': ['status', 'voice_start_time']})
        assert await peer.expect_event('CHANNEL_INFO') == {'guild_id': guild_id, 'channels': []}


@pytest.mark.parametrize(('operation', 'data'), (
    (31, None), (31, {}), (31, {'guild_ids': 5}), (31, {'guild_ids': ['x']}),
    (43, None), (43, {'fields': []}), (43, {'guild_id': '1'}), (43, {'guild_id': 'x', 'fields': []}),
))
async def test__operations__requests_undecodable(discord, connect, operation, data):
    """A request of another form is closed with 4002."""
    peer = await connect(discord)
    await peer.start()
    await peer.send(operation, data)
    assert await peer.expect_close() == 4002
