"""
`gateway_offline_timeout`: how long no connection may be made before `run()` says that there is no internet.
"""
import asyncio

from hata_gateway_ext.local_discord import LocalDiscord, Refuse, Skip


async def test__offline__launched_again(run_bot, settle, quick_relaunch):
    """
    `run()` returns `True`, keeping the sessions. The client launches the gateway again until the internet is back, and the
    shards resume.
    """
    async with LocalDiscord(heartbeat_interval = 0.5, shards = 2, max_concurrency = 2, guilds = 2) as discord:
        async with run_bot(discord, shard_count = 2, gateway_offline_timeout = 0.5) as bot:
            gateway = bot.gateway
            session_ids = [shard.session_id for shard in gateway.gateways]
            discord.stop_listening()
            
            await bot.wait_for_gateway(lambda: {shard.get_statistics().state for shard in gateway.gateways} == {'stopped'})
            assert bot.client.running
            discord.send_messages(10, shard_id = 0)
            discord.send_messages(10, shard_id = 1)
            
            discord.start_listening()
            await discord.wait_for(lambda recording: recording.resumed_count() == 2)
            assert bot.gateway is gateway
            assert [shard.session_id for shard in gateway.gateways] == session_ids
            await settle(discord, bot)
            assert discord.recording.identify_count() == 2
            assert discord.recording.close_codes() == []


async def test__offline__outcome(run_bot):
    """What `run()` returns: `True` when it was offline for too long, `False` when it was closed."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord, gateway_offline_timeout = 0.5) as bot:
            # The client's own run is ended first; these are the test's. The client waits for five seconds.
            await bot.call(bot.gateway.abort)
            with discord.fault(Refuse(503), at = 'connect', times = None):
                assert await bot.run(bot.gateway.run()) is True
            
            assert bot.gateway.session_id is not None
            running = asyncio.ensure_future(bot.run(bot.gateway.run()))
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            await bot.run(bot.gateway.close())
            assert await running is False
            assert bot.gateway.session_id is None


async def test__offline__connection_without_hello(run_bot, settle, quick_relaunch):
    """A connection over which nothing is said is none."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord, gateway_offline_timeout = 0.5) as bot:
            fault = discord.fault(Skip(), at = 'hello', times = None)
            discord.cut(0)
            await bot.wait_for_gateway(lambda: bot.gateway.get_statistics().state == 'stopped')
            fault.heal()
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            await settle(discord, bot)
            assert discord.recording.identify_count(0) == 1


async def test__offline__one_of_several(run_bot, settle, short_delays):
    """While other shards are connected the internet is there: the one that cannot connect goes on trying."""
    async with LocalDiscord(heartbeat_interval = 0.5, shards = 2, max_concurrency = 2, guilds = 2) as discord:
        async with run_bot(discord, shard_count = 2, gateway_offline_timeout = 0.5) as bot:
            fault = discord.fault(Skip(), at = 'hello', shard_id = 1, times = None)
            discord.stop_listening('gateway', cut = False)
            discord.cut(1)
            discord.send_messages(10, shard_id = 1)
            # Each try ends after half a second, offline: there are some of them.
            await discord.wait_for(lambda recording: fault.count >= 2)
            fault.heal()
            discord.start_listening('gateway')
            await discord.wait_for(lambda recording: recording.resumed_count(1))
            await settle(discord, bot)
            assert discord.recording.connection_count(0) == 1
            assert discord.recording.identify_count() == 2


async def test__offline__never(run_bot, settle, short_delays):
    """Without the option the gateway never gives up."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            fault = discord.fault(Refuse(503), at = 'connect', times = None)
            discord.cut(0)
            await discord.wait_for(lambda recording: fault.count == 4)
            assert bot.gateway.driver.is_running()
            fault.heal()
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            await settle(discord, bot)
