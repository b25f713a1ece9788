"""
Where the gateway is: look-ups at a local Discord, by a client that does not run.
"""
import pytest
from hata import DiscordException, InvalidToken, KOKORO
from scarletio import LOOP_TIME, TaskGroup

from hata_gateway_ext.gateway import discovery as discovery_module
from hata_gateway_ext.gateway.discovery import DISCOVERY_LIFETIME, get_shard_count
from hata_gateway_ext.local_discord import LocalDiscord
from hata_gateway_ext.protocol.errors import PayloadError


@pytest.fixture
async def discord():
    """A local Discord."""
    async with LocalDiscord(max_concurrency = 4, session_start_remaining = 700) as discord:
        yield discord


@pytest.fixture
async def bot(discord, make_bot):
    """A bot that does not run."""
    return make_bot(discord)


@pytest.fixture
def discovery(bot):
    """Its discovery, which knows nothing yet."""
    return bot.gateway.context.discovery


def get_look_up_count(discord):
    """How often the gateway was looked up."""
    return [request.path for request in discord.recording.requests].count('/gateway/bot')


async def test__GatewayDiscovery__get_url(discord, bot, discovery):
    """The url is looked up once, and used again for a while; the session start limit is taken over with it."""
    assert await bot.run(discovery.get_url()) == discord.gateway_url
    assert await bot.run(discovery.get_url()) == discord.gateway_url
    assert get_look_up_count(discord) == 1
    
    limiter = discovery.identify_queue.limiter
    assert (limiter.max_concurrency, limiter.remaining) == (4, 700)
    
    discovery.fetched_at -= DISCOVERY_LIFETIME
    discord.options.max_concurrency = 2
    await bot.run(discovery.get_url())
    assert get_look_up_count(discord) == 2
    assert limiter.max_concurrency == 2


async def test__GatewayDiscovery__one_request(discord, bot, discovery):
    """Shards that ask at the same time share one request."""
    async def ask():
        task_group = TaskGroup(KOKORO)
        tasks = [task_group.create_task(discovery.get_url()) for _ in range(5)]
        await task_group.wait_all()
        return [task.get_result() for task in tasks]
    
    assert await bot.run(ask()) == [discord.gateway_url] * 5
    assert get_look_up_count(discord) == 1


async def test__GatewayDiscovery__asker_is_cancelled(discord, bot, discovery):
    """A shard that stops asking does not take the answer from the others."""
    async def ask():
        task_group = TaskGroup(KOKORO)
        first, second = [task_group.create_task(discovery.get_url()) for _ in range(2)]
        await task_group.create_task(step())
        first.cancel()
        return await second
    
    async def step():
        pass
    
    assert await bot.run(ask()) == discord.gateway_url
    assert get_look_up_count(discord) == 1


@pytest.mark.parametrize(
    'fault',
    (
        {'status': 403},
        {'status': 504},
        {'status': 200, 'body': {'shards': 1}},
        {'status': 200, 'body': {'url': 'http://127.0.0.1:80/'}},
        {'status': 200, 'body': []},
        {'status': 200, 'body': '{'},
        {'status': 200, 'body': None},
    ),
    ids = repr,
)
async def test__GatewayDiscovery__failed(discord, bot, discovery, fault):
    """A look-up that fails raises while nothing is known; later on what is known is used."""
    with discord.rest_fault('/gateway/bot', times = None, **fault):
        with pytest.raises((DiscordException, PayloadError)):
            await bot.run(discovery.get_url())
    
    assert discovery.url is None
    assert await bot.run(discovery.get_url()) == discord.gateway_url
    
    discovery.fetched_at -= DISCOVERY_LIFETIME
    with discord.rest_fault('/gateway/bot', times = None, **fault):
        assert await bot.run(discovery.get_url()) == discord.gateway_url
        with pytest.raises((DiscordException, PayloadError)):
            await bot.run(discovery.refresh())
    
    # It is asked again at once, not after the lifetime.
    await bot.run(discovery.get_url())
    assert discovery.fetched_at > LOOP_TIME() - DISCOVERY_LIFETIME


async def test__GatewayDiscovery__senseless_limit(discord, bot, discovery):
    """A url without a sensible session start limit is a url."""
    body = {'url': discord.gateway_url, 'session_start_limit': ['remaining']}
    with discord.rest_fault('/gateway/bot', status = 200, body = body, times = None):
        assert await bot.run(discovery.get_url()) == discord.gateway_url
    
    assert discovery.identify_queue.limiter.remaining is None


async def test__GatewayDiscovery__unreachable(discord, bot, discovery):
    """Without a connection it is a `ConnectionError`."""
    discord.stop_listening('api')
    with pytest.raises(ConnectionError):
        await bot.run(discovery.get_url())


async def test__GatewayDiscovery__no_answer(discord, bot, discovery, monkeypatch):
    """A look-up is bounded in time, and the next one is a new one."""
    monkeypatch.setattr(discovery_module, 'DISCOVERY_TIMEOUT', 0.2)
    with discord.rest_fault('/gateway/bot', hang = True, times = None):
        with pytest.raises(TimeoutError):
            await bot.run(discovery.get_url())
    
    monkeypatch.setattr(discovery_module, 'DISCOVERY_TIMEOUT', 10.0)
    assert await bot.run(discovery.get_url()) == discord.gateway_url


async def test__GatewayDiscovery__invalid_token(discord, bot, discovery):
    """An invalid token is what it is, also when the url is known; the client is not touched."""
    await bot.run(discovery.get_url())
    discovery.fetched_at -= DISCOVERY_LIFETIME
    with discord.rest_fault('/gateway/bot', status = 401, times = None):
        with pytest.raises(InvalidToken):
            await bot.run(discovery.get_url())


async def test__GatewayDiscovery__invalid_token_while_running(discord, run_bot, record_stderr, monkeypatch):
    """A token that was reset while the bot runs ends the client with hata's message, and never shows it."""
    stderr = record_stderr()
    monkeypatch.setattr('hata_gateway_ext.protocol.backoff.DELAY_BASE', 0.01)
    async with run_bot(discord) as bot:
        bot.gateway.context.discovery.fetched_at -= DISCOVERY_LIFETIME
        discord.rest_fault('/gateway/bot', status = 401, times = None)
        discord.end_sessions()
        discord.stop_listening('resume')
        discord.cut()
        await bot.wait_until_down()
        
        output = await stderr.wait_for('InvalidToken')
        assert 'InvalidToken' in output
        assert discord.token not in output


@pytest.mark.parametrize(
    ('shards', 'shard_count'),
    ((1, 1), (16, 16), (0, 1), (-4, 1), (None, 1), ('4', 1), (2.0, 1), (True, 1), (10 ** 9, 1), ([], 1)),
    ids = repr,
)
def test__get_shard_count(shards, shard_count):
    """What cannot be followed counts as one shard, which changes nothing."""
    assert get_shard_count({'shards': shards}) == shard_count


def test__get_shard_count__missing():
    """An answer without `shards` too."""
    assert get_shard_count({}) == 1
