"""
The one module that touches the client: set up, resharding, and what hata's launcher is told.
"""
import asyncio

import pytest
from hata import KOKORO
from scarletio import Future

import hata_gateway_ext.extension as extension
from hata_gateway_ext import (
    DurableGatewayClientShard, DurableGatewayClientSharder, GatewayConnectReport, setup_ext_gateway_ext
)
from hata_gateway_ext.configuration import OPTIONS
from hata_gateway_ext.local_discord import LocalDiscord


@pytest.fixture
def quick_launcher(monkeypatch):
    """Makes hata's launcher, and ours within it, wait a moment instead of five seconds."""
    async def quick_sleep(duration, loop):
        await extension_sleep(min(duration, 0.02), loop)
    
    extension_sleep = extension.sleep
    monkeypatch.setattr('hata.discord.client.client.sleep', quick_sleep)
    monkeypatch.setattr(extension, 'sleep', quick_sleep)


@pytest.fixture
async def discord(monkeypatch):
    """A local Discord, where shards may identify as often as they want."""
    monkeypatch.setattr('hata_gateway_ext.protocol.identify.IDENTIFY_INTERVAL', 0.0)
    monkeypatch.setattr('hata_gateway_ext.protocol.backoff.DELAY_BASE', 0.01)
    async with LocalDiscord(heartbeat_interval = 0.5, identify_interval = 0.0, guilds = 4) as discord:
        yield discord


async def test__setup_ext_gateway_ext__type(discord):
    """What is no client is refused by name."""
    with pytest.raises(TypeError, match = 'Client'):
        setup_ext_gateway_ext('client')


async def test__setup_ext_gateway_ext__unknown_option(discord, make_bot):
    """An option that does not exist is refused, with those that do."""
    bot = make_bot(discord, extensions = ())
    with pytest.raises(TypeError) as exception_info:
        setup_ext_gateway_ext(bot.client, gateway_compresion = 'none')
    
    assert '\'gateway_compresion\'' in str(exception_info.value)
    assert all(option.keyword in str(exception_info.value) for option in OPTIONS)
    assert not isinstance(bot.gateway, DurableGatewayClientShard)


async def test__setup_ext_gateway_ext__wrong_option(discord, make_bot):
    """A wrong value is refused while the client is built."""
    with pytest.raises(ValueError, match = 'gateway_compression'):
        make_bot(discord, gateway_compression = 'gzip')
    
    with pytest.raises(TypeError, match = 'gateway_offline_timeout'):
        make_bot(discord, gateway_offline_timeout = 'long')


@pytest.mark.parametrize(
    ('shard_count', 'gateway_type'),
    ((0, DurableGatewayClientShard), (1, DurableGatewayClientShard), (2, DurableGatewayClientSharder)),
)
async def test__create_gateway__type(discord, make_bot, shard_count, gateway_type):
    """One shard needs no sharder."""
    assert type(make_bot(discord, shard_count = shard_count).gateway) is gateway_type


async def test__Resharder__login(discord, make_bot):
    """At login the client gets as many shards as Discord recommends, of our classes and with our configuration."""
    discord.options.shards = 3
    bot = make_bot(discord, gateway_compression = 'none')
    old_gateway = bot.gateway
    await bot.start()
    
    assert bot.client.shard_count == 3
    assert type(bot.gateway) is DurableGatewayClientSharder
    assert bot.gateway.context is old_gateway.context
    assert bot.gateway.context.configuration.compression == 'none'
    await discord.wait_for(lambda recording: recording.ready_count() == 3)
    await bot.stop()


@pytest.mark.parametrize('recommended', (0, 1, 2, -1, '7', None, 3.5, 10 ** 9))
async def test__Resharder__fewer(discord, make_bot, recommended):
    """A lower recommendation, or one that makes no sense, changes nothing: the gateway keeps its sessions."""
    discord.rest_fault(
        '/gateway/bot', body = {'url': discord.gateway_url, 'shards': recommended}, status = 200, times = None
    )
    bot = make_bot(discord, shard_count = 2)
    gateway = bot.gateway
    await bot.start()
    assert bot.gateway is gateway
    assert bot.client.shard_count == 2
    await bot.stop()


@pytest.mark.parametrize(
    'body', ({'shards': 1}, {'url': 5}, {'url': None}, {'url': 'https://127.0.0.1:99/'}, [], 'gateway', '{', None), ids = repr
)
async def test__Resharder__malformed_at_login(discord, make_bot, body):
    """An answer that does not say where the gateway is raises what hata documents, and leaves the client as it is."""
    discord.rest_fault('/gateway/bot', body = body, status = 200, times = None)
    bot = make_bot(discord)
    
    with pytest.raises(ConnectionError, match = '/gateway/bot'):
        await bot.start()
    
    assert not bot.client.running
    assert not discord.recording.connections


async def test__Resharder__4011(discord, run_bot, quick_launcher, capfd):
    """After 4011 the client gets the shards that Discord recommends, of our classes, and goes on."""
    async with run_bot(discord) as bot:
        discord.options.shards = 2
        discord.options.required_shards = 2
        discord.close(0, 4011)
        await bot.wait_for(lambda: bot.ready_count == 2)
        
        assert bot.client.shard_count == 2
        assert type(bot.gateway) is DurableGatewayClientSharder
        assert {identify.shard_count for identify in discord.recording.identifies} == {1, 2}


async def test__Resharder__4011_without_more_shards(discord, run_bot, quick_launcher, capfd):
    """If Discord asks for more shards, and recommends no more, there are twice as many: identifies are not wasted."""
    async with run_bot(discord, shard_count = 2) as bot:
        discord.options.required_shards = 4
        discord.close(1, 4011)
        await bot.wait_for(lambda: bot.ready_count == 2)
        
        assert bot.client.shard_count == 4
        assert discord.recording.identify_count() == 6


async def test__Resharder__4011_while_rest_is_down(discord, run_bot, quick_launcher, capfd):
    """If Discord cannot be asked then, the client waits until it can, and says so once."""
    async with run_bot(discord) as bot:
        discord.options.shards = 2
        down = discord.rest_fault('/gateway/bot', status = 404, times = 3)
        discord.close(0, 4011)
        await bot.wait_for(lambda: bot.ready_count == 2)
        
        assert down.count == 3
        assert bot.client.shard_count == 2
        report, = [error for error in bot.errors if isinstance(error, GatewayConnectReport)]
        assert (report.kind, report.status, report.shard_id) == ('http', 404, None)


@pytest.mark.parametrize(
    'fault', ({'status': 404}, {'status': 200, 'body': '<html>'}, {'status': 200, 'body': {}}), ids = repr
)
async def test__Resharder__while_offline(discord, run_bot, quick_launcher, fault):
    """What hata's launcher meets while the internet is not back yet does not end the client."""
    async with run_bot(discord, gateway_offline_timeout = 0.05) as bot:
        down = discord.rest_fault('/gateway/bot', times = 3, **fault)
        discord.stop_listening('gateway', 'resume')
        await discord.wait_for(lambda recording: down.count == 3)
        
        discord.start_listening('gateway', 'resume')
        await discord.wait_for(lambda recording: recording.resumed_count())
        assert bot.client.running
        assert discord.recording.identify_count() == 1


async def test__Resharder__called_by_the_user(discord, run_bot):
    """A user may ask at any time; while the gateway runs and the count is right nothing is changed."""
    async with run_bot(discord) as bot:
        gateway = bot.gateway
        await bot.run(bot.client.client_gateway_reshard(force = True))
        assert bot.gateway is gateway
        assert discord.recording.connection_count() == 1


@pytest.mark.parametrize('shard_count', (0, 2))
@pytest.mark.parametrize('name', ('close', 'suspend'))
async def test__gateway__stays_down(discord, run_bot, quick_launcher, shard_count, name):
    """The gateway that was closed stays down while its client runs on, and comes back with the next start."""
    async with run_bot(discord, shard_count = shard_count) as bot:
        count = max(shard_count, 1)
        resharder = bot.client.client_gateway_reshard
        launched = asyncio.Event()
        loop = asyncio.get_running_loop()
        
        async def reshard(force = False):
            loop.call_soon_threadsafe(launched.set)
            await resharder(force)
        
        bot.client.client_gateway_reshard = reshard
        await bot.run(getattr(bot.gateway, name)())
        await asyncio.wait_for(launched.wait(), 10.0)
        
        # hata's launcher waits; nothing is looked up, nothing connects.
        await bot.call(lambda: None)
        assert [shard.driver.machine.state for shard in bot.gateway.gateways] == ['stopped'] * count
        assert discord.recording.connection_count() == count
        assert bot.client.running
        
        await bot.stop()
        await bot.wait_until_down()
        bot.client.client_gateway_reshard = resharder
        await bot.start()
        await discord.wait_for(lambda recording: recording.ready_count() == 2 * count)


async def test__gateway__started_anew_during_the_pause(discord, run_bot, monkeypatch):
    """
    A client that was stopped while hata's launcher paused, and started again, has two launchers. The old one leaves the
    gateway of the new one alone.
    """
    paused = asyncio.Event()
    woken = asyncio.Event()
    loop = asyncio.get_running_loop()
    pause_end = Future(KOKORO)
    
    async def pause(duration, loop_):
        loop.call_soon_threadsafe(paused.set)
        await pause_end
        loop.call_soon_threadsafe(woken.set)
    
    async with run_bot(discord) as bot:
        monkeypatch.setattr('hata.discord.client.client.sleep', pause)
        await bot.run(bot.gateway.close())
        await asyncio.wait_for(paused.wait(), 10.0)
        
        await bot.stop()
        await bot.start()
        await discord.wait_for(lambda recording: recording.ready_count() == 2)
        
        await bot.call(pause_end.set_result, None)
        await asyncio.wait_for(woken.wait(), 10.0)
        
        number = discord.send_message()['number']
        await bot.wait_for(lambda: number in bot.numbers)
        assert bot.client.running
        assert bot.gateway.driver.is_running()
        assert discord.recording.connection_count() == 2
