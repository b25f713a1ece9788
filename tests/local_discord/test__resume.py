"""
RESUME at the local Discord: replay, and what is refused.
"""
import pytest

from hata_gateway_ext.local_discord import LocalDiscord


def get_contents(payloads):
    """The contents of the messages among the payloads."""
    return [payload['d']['content'] for payload in payloads if payload['t'] == 'MESSAGE_CREATE']


@pytest.fixture
async def discord():
    """A local Discord with one guild."""
    async with LocalDiscord(guilds = 1, identify_interval = 0.0) as discord:
        yield discord


@pytest.mark.parametrize('compression', ('none', 'zlib-stream', 'zstd-stream'))
async def test__resume__replays_what_was_missed(discord, connect, resumed, compression):
    """
    Events of the time without connection are replayed in order and under their own numbers, then RESUMED comes, then
    new ones.
    """
    peer = await connect(discord, compression)
    await peer.start(guild_count = 1)
    discord.send_message(content = 'seen')
    await peer.expect_event('MESSAGE_CREATE')
    peer.abort()
    await discord.wait_for(lambda recording: not discord.session(0).is_connected)

    for index in range(3):
        discord.send_message(content = f'missed {index}')

    async with resumed(discord, peer) as new_peer:
        payloads = await new_peer.receive_until('RESUMED')
        discord.send_message(content = 'new')
        payloads.extend(await new_peer.receive_until('MESSAGE_CREATE'))

    assert get_contents(payloads) == ['missed 0', 'missed 1', 'missed 2', 'new']
    assert [payload['s'] for payload in payloads] == [4, 5, 6, 7, 8]

    (record,) = discord.recording.resumes
    assert (record.result, record.sequence, record.replayed, record.listener) == ('resumed', 3, 3, 'resume')
    assert discord.recording.identify_count() == 1
    assert discord.recording.resumed_count(0) == 1


async def test__resume__from_an_earlier_sequence(discord, connect, resumed):
    """What was sent but not handled is replayed as well."""
    peer = await connect(discord)
    await peer.start(guild_count = 1)
    for index in range(3):
        discord.send_message(content = str(index))
    await peer.receive_until('MESSAGE_CREATE')
    peer.abort()

    async with resumed(discord, peer, sequence = 2) as new_peer:
        assert get_contents(await new_peer.receive_until('RESUMED')) == ['0', '1', '2']


async def test__resume__on_the_main_url(discord, connect):
    """The url of `/gateway/bot` takes RESUME too."""
    peer = await connect(discord)
    await peer.start(guild_count = 1)
    peer.abort()

    new_peer = await connect(discord)
    await new_peer.expect(10)
    await new_peer.resume(peer.session_id, peer.sequence)
    await new_peer.expect_event('RESUMED')
    assert discord.recording.resumes[0].listener == 'gateway'


@pytest.mark.parametrize('close_code', (1000, 1001))
async def test__resume__after_the_client_ended_it(discord, connect, resumed, close_code):
    """Closing with 1000 or 1001 ends the session: op 9 false."""
    peer = await connect(discord)
    await peer.start(guild_count = 1)
    await peer.close(close_code)

    async with resumed(discord, peer) as new_peer:
        assert (await new_peer.expect(9)) is False

    assert discord.recording.resumes[0].result == 'invalid'
    assert discord.recording.close_codes(0) == [close_code]


@pytest.mark.parametrize('close_code', (1002, 3000, 4000))
async def test__resume__after_another_close_code(discord, connect, resumed, close_code):
    """Any other code keeps the session."""
    peer = await connect(discord)
    await peer.start(guild_count = 1)
    await peer.close(close_code)

    async with resumed(discord, peer) as new_peer:
        await new_peer.expect_event('RESUMED')


async def test__resume__unknown_session(discord, connect):
    """A session that does not exist: op 9 false, and the connection may identify."""
    peer = await connect(discord)
    await peer.expect(10)
    await peer.resume('unknown', 3)
    assert (await peer.expect(9)) is False
    await peer.identify()
    await peer.expect_event('READY')


async def test__resume__session_of_another_application(connect):
    """A session cannot be resumed with the token of another bot."""
    async with LocalDiscord(guilds = 0, accept_any_token = True) as discord:
        peer = await connect(discord)
        await peer.start()
        peer.abort()
        other = await connect(discord, token = 'MTA2MDY1NjA2MDAwMDAwMDAx.x.y')
        await other.expect(10)
        await other.resume(peer.session_id, peer.sequence)
        assert (await other.expect(9)) is False


@pytest.mark.parametrize(
    ('sequence', 'close_code'), ((3, 4007), (-1, 4007), (None, 4002), ('1', 4002)),
)
async def test__resume__wrong_sequence(discord, connect, sequence, close_code):
    """A sequence from the future is closed with 4007, what is no sequence with 4002. The session lives on."""
    peer = await connect(discord)
    await peer.start(guild_count = 1)
    peer.abort()

    new_peer = await connect(discord)
    await new_peer.expect(10)
    await new_peer.resume(peer.session_id, sequence)
    assert await new_peer.expect_close() == close_code
    assert discord.recording.resumes[0].result == close_code
    assert (discord.session(0) is not None)


async def test__resume__wrong_token(discord, connect):
    """A wrong token is closed with 4004."""
    peer = await connect(discord)
    await peer.start(guild_count = 1)
    peer.abort()
    new_peer = await connect(discord)
    await new_peer.expect(10)
    await new_peer.resume(peer.session_id, peer.sequence, token = 'wrong')
    assert await new_peer.expect_close() == 4004


async def test__resume__expired(connect, resumed):
    """After `session_lifetime` without connection the session is gone."""
    async with LocalDiscord(guilds = 0, session_lifetime = 0.0) as discord:
        peer = await connect(discord)
        await peer.start()
        session = discord.session(0)
        peer.abort()
        await discord.wait_for(lambda recording: session.is_ended)
        assert session.end_reason == 'expired'

        async with resumed(discord, peer) as new_peer:
            assert (await new_peer.expect(9)) is False


async def test__resume__overflown_buffer(connect, resumed):
    """When the replay buffer does not reach back far enough: op 9 false."""
    async with LocalDiscord(guilds = 0, replay_bound = 3) as discord:
        peer = await connect(discord)
        await peer.start()
        session = discord.session(0)
        peer.abort()
        await discord.wait_for(lambda recording: not session.is_connected)
        discord.emit_many('TEST', [{}] * 4)

        async with resumed(discord, peer) as new_peer:
            assert (await new_peer.expect(9)) is False

        assert session.end_reason == 'overflow'


async def test__resume__takes_over_from_a_living_connection(discord, connect, resumed):
    """A session that is resumed elsewhere leaves its old connection, which is closed without ending it."""
    peer = await connect(discord)
    await peer.start(guild_count = 1)

    async with resumed(discord, peer) as new_peer:
        await new_peer.expect_event('RESUMED')
        assert await peer.expect_close() == 4000
        discord.send_message(content = 'here')
        assert (await new_peer.expect_event('MESSAGE_CREATE'))['content'] == 'here'

    assert discord.recording.resumed_count() == 1


async def test__resume__ended_sessions(discord, connect, resumed):
    """`end_sessions` forgets sessions silently; events do not go into them any more."""
    peer = await connect(discord)
    await peer.start(guild_count = 1)
    assert discord.end_sessions(0) == 1
    assert discord.emit('TEST', {}) == 0
    peer.abort()

    async with resumed(discord, peer) as new_peer:
        assert (await new_peer.expect(9)) is False
