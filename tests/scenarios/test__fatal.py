"""
Close codes after which there is no sense in going on.
"""
import pytest

from hata_gateway_ext.local_discord import Close, LocalDiscord


@pytest.mark.parametrize(
    ('code', 'advice'),
    (
        (4004, 'InvalidToken'),
        (4010, 'shard_count'),
        (4012, 'HATA_API_VERSION'),
        (4013, 'intents'),
        (4014, 'developer portal'),
    ),
)
@pytest.mark.parametrize('when', ('identify', 'running'))
async def test__fatal__once(make_bot, record_stderr, code, advice, when):
    """A fatal code ends the client after one attempt, with a message that says what to do, and never with the token."""
    stderr = record_stderr()
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        bot = make_bot(discord)
        fault = discord.fault(Close(code), at = 'identify' if when == 'identify' else 'ready_sent')
        await bot.start()
        await discord.wait_for(lambda recording: fault.count)
        await bot.wait_until_down()
        
        assert discord.recording.connection_count() == 1
        assert discord.recording.identify_count() == 1
        assert discord.recording.resume_count() == 0
        
        output = await stderr.wait_for(advice)
        assert advice in output
        assert discord.token not in output


async def test__fatal__while_resuming(make_bot, capfd, run_bot):
    """A fatal code as the answer to RESUME ends the client as well."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            discord.fault(Close(4014), at = 'resume')
            discord.cut(0)
            await bot.wait_until_down()
            assert discord.recording.resume_count() == 1
            assert discord.recording.connection_count() == 2


async def test__fatal__of_one_shard(run_bot, capfd):
    """A code that refuses one shard for good ends all of them: the client cannot run without it."""
    async with LocalDiscord(heartbeat_interval = 0.5, shards = 3, max_concurrency = 3, guilds = 3) as discord:
        async with run_bot(discord, shard_count = 3) as bot:
            discord.close(1, 4010)
            await bot.wait_until_down()
            await discord.wait_for(lambda recording: not discord.connections)
            assert discord.recording.connection_count() == 3
            assert discord.recording.close_codes(0) == [1000]
            assert discord.recording.close_codes(2) == [1000]


async def test__fatal__token_of_another(make_bot, capfd):
    """hata's `InvalidToken` comes from REST already when the token is wrong from the start: nothing is identified."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        bot = make_bot(discord)
        with discord.rest_fault('/users/@me', status = 401, times = None):
            await bot.start()
        
        assert not bot.client.running
        assert discord.recording.connection_count() == 0
