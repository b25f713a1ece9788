"""
A shard count that changes: at login, and after close 4011. The gateway stays ours.
"""
import pytest

from hata_gateway_ext import DurableGatewayClientShard, DurableGatewayClientSharder
from hata_gateway_ext.local_discord import Close, LocalDiscord


async def test__reshard__at_login(run_bot, settle):
    """Discord recommends more shards than the client has: it gets them, with our classes and its configuration."""
    async with LocalDiscord(heartbeat_interval = 0.5, shards = 3, max_concurrency = 3, guilds = 3) as discord:
        async with run_bot(discord, gateway_compression = 'zlib-stream', gateway_offline_timeout = 1234.5) as bot:
            await discord.wait_for(lambda recording: all(recording.ready_count(shard_id) for shard_id in range(3)))
            assert bot.client.shard_count == 3
            assert type(bot.gateway) is DurableGatewayClientSharder
            assert [type(gateway) for gateway in bot.gateway.gateways] == [DurableGatewayClientShard] * 3
            assert bot.gateway.context.configuration.offline_timeout == 1234.5
            assert {connection.compression for connection in discord.recording.connections} == {'zlib-stream'}
            assert {identify.shard_count for identify in discord.recording.identifies} == {3}
            
            discord.cut()
            await discord.wait_for(lambda recording: recording.resumed_count() == 3)
            await settle(discord, bot)


async def test__reshard__fewer_at_login(run_bot, settle):
    """Discord recommends fewer shards than the user asked for: the user's count is kept."""
    async with LocalDiscord(heartbeat_interval = 0.5, shards = 1, max_concurrency = 2) as discord:
        async with run_bot(discord, shard_count = 2) as bot:
            assert bot.client.shard_count == 2
            assert type(bot.gateway) is DurableGatewayClientSharder
            await settle(discord, bot)


@pytest.mark.parametrize('stage', ('identify', 'now'))
async def test__reshard__sharding_required(make_bot, settle, capfd, short_window, stage):
    """Close 4011, while identifying or later: the client reshards with force, and all shards are ours."""
    async with LocalDiscord(
        heartbeat_interval = 0.5, guilds = 4, max_concurrency = 4, identify_interval = 1.0
    ) as discord:
        bot = make_bot(discord, gateway_compression = 'zlib-stream')
        if stage == 'identify':
            discord.fault(Close(4011), at = 'identify')
        
        discord.options.shards = 1
        await bot.start()
        assert type(bot.gateway) is DurableGatewayClientShard
        
        discord.options.shards = 4
        if stage == 'now':
            await discord.wait_for(lambda recording: recording.ready_count(0))
            discord.options.required_shards = 4
            discord.close(0, 4011)
            discord.end_sessions()
        
        await discord.wait_for(lambda recording: all(
            any(identify.shard_id == shard_id and identify.shard_count == 4 and identify.result == 'ready'
                for identify in recording.identifies)
            for shard_id in range(4)
        ))
        assert bot.client.shard_count == 4
        assert type(bot.gateway) is DurableGatewayClientSharder
        assert [type(gateway) for gateway in bot.gateway.gateways] == [DurableGatewayClientShard] * 4
        assert {connection.compression for connection in discord.recording.connections} == {'zlib-stream'}
        assert discord.recording.resume_count() == 0
        
        await settle(discord, bot, forfeited = True)
        discord.cut()
        await discord.wait_for(lambda recording: recording.resumed_count() == 4)
        await settle(discord, bot, forfeited = True)
        await bot.stop()


async def test__reshard__recommended_too_few(make_bot, settle, capfd, short_window):
    """After 4011 the shards are too few, whatever `/gateway/bot` recommends: there are twice as many."""
    async with LocalDiscord(
        heartbeat_interval = 0.5, guilds = 4, max_concurrency = 4, shards = 2, identify_interval = 1.0
    ) as discord:
        bot = make_bot(discord, shard_count = 2)
        await bot.start()
        await discord.wait_for(lambda recording: recording.ready_count() == 2)
        discord.options.shards = 1
        discord.close(1, 4011)
        discord.end_sessions()
        await discord.wait_for(lambda recording: recording.ready_count() == 6)
        assert {identify.shard_count for identify in [*discord.recording.identifies][2:]} == {4}
        assert type(bot.gateway) is DurableGatewayClientSharder
        await settle(discord, bot, forfeited = True)
        await bot.stop()
