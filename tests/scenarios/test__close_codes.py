"""
The table of close codes, each code on a shard of its own.
"""
from hata_gateway_ext import GatewayCloseReport
from hata_gateway_ext.local_discord import LocalDiscord

# None, 1000-3999: server went away. 4006, 4015 and 4999 stand for those that are not in Discord's table.
RESUMABLE = (None, 1000, 1001, 1011, 1012, 3000, 3999, 4000, 4001, 4002, 4005, 4006, 4008, 4015, 4999)
REPORTED = (4001, 4002, 4008)
SESSION_ENDING = (4003, 4007, 4009)


async def test__close_codes__resume(run_bot, settle):
    """After these codes, or without one, the session is resumed; where a payload of ours was wrong it is reported as well."""
    count = len(RESUMABLE)
    async with LocalDiscord(heartbeat_interval = 0.5, shards = count, max_concurrency = count, guilds = count) as discord:
        async with run_bot(discord, shard_count = count) as bot:
            for shard_id, code in enumerate(RESUMABLE):
                discord.send_messages(10, shard_id = shard_id)
                discord.close(shard_id, code)
                discord.send_messages(10, shard_id = shard_id)
            
            await discord.wait_for(lambda recording: all(recording.resumed_count(shard_id) for shard_id in range(count)))
            await settle(discord, bot)
            assert discord.recording.identify_count() == count
            
            await bot.wait_for(lambda: len(bot.errors) == len(REPORTED))
            assert all(isinstance(error, GatewayCloseReport) for error in bot.errors)
            assert {error.code: error.shard_id for error in bot.errors} == {
                code: RESUMABLE.index(code) for code in REPORTED
            }
            for error in bot.errors:
                assert str(error.code) in str(error)


async def test__close_codes__identify(run_bot, settle, short_window):
    """After these codes the session is gone: the shard identifies, through its bucket, without trying to resume."""
    count = len(SESSION_ENDING)
    async with LocalDiscord(
        heartbeat_interval = 0.5, shards = count, max_concurrency = count, guilds = count, identify_interval = 1.0
    ) as discord:
        async with run_bot(discord, shard_count = count) as bot:
            session_ids = [gateway.session_id for gateway in bot.gateway.gateways]
            for shard_id, code in enumerate(SESSION_ENDING):
                discord.close(shard_id, code)
            
            await discord.wait_for(lambda recording: all(recording.ready_count(shard_id) == 2 for shard_id in range(count)))
            await settle(discord, bot, forfeited = True)
            assert discord.recording.resume_count() == 0
            assert discord.recording.identify_count() == 2 * count
            assert not set(session_ids).intersection(gateway.session_id for gateway in bot.gateway.gateways)
            assert {identify.result for identify in discord.recording.identifies} == {'ready'}
            assert not bot.errors
