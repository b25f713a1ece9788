"""
Op 7, RECONNECT: at any moment, before HELLO as well.
"""
import pytest

from hata_gateway_ext.local_discord import LocalDiscord, Reconnect, Skip


@pytest.mark.parametrize('stage', ('hello', 'hello_sent', 'identify', 'ready'))
async def test__reconnect__before_ready(run_bot, settle, short_delays, quick_identify, stage):
    """Before READY there is nothing to resume: the shard connects again and identifies."""
    async with LocalDiscord(heartbeat_interval = 0.5, identify_interval = 0.0) as discord:
        # The first one goes on as if nothing were, the second one instead of the message that is due.
        discord.fault(Reconnect(), at = stage)
        if stage != 'hello_sent':
            discord.fault(Skip(), at = stage)
        
        async with run_bot(discord) as bot:
            await settle(discord, bot)
            assert discord.recording.resume_count() == 0
            assert discord.recording.connection_count() == 2
            assert discord.recording.ready_count(0) == 1
            assert discord.recording.connections[0].close_code == 4000


@pytest.mark.parametrize('instead', (False, True))
async def test__reconnect__while_connecting_to_resume(run_bot, settle, short_delays, instead):
    """Op 7 before or instead of HELLO, before or instead of RESUMED, and in the middle of the replay keeps the session."""
    stages = ('hello', 'hello_sent', 'resume', 'replay', 'resumed', 'resumed_sent')
    count = len(stages)
    
    async with LocalDiscord(heartbeat_interval = 0.5, shards = count, max_concurrency = count, guilds = count) as discord:
        async with run_bot(discord, shard_count = count) as bot:
            faults = []
            for shard_id, stage in enumerate(stages):
                faults.append(discord.fault(Reconnect(), at = stage, shard_id = shard_id))
                if instead and (stage in ('hello', 'resume', 'resumed')):
                    discord.fault(Skip(), at = stage, shard_id = shard_id)
                
                discord.reconnect(shard_id)
                discord.send_messages(20, shard_id = shard_id)
            
            await discord.wait_for(lambda recording: all(
                fault.count and recording.resume_count(shard_id) and
                any(connection.resumed_at and (connection.closed_at is None) for connection in recording.connections
                    if connection.shard_id == shard_id)
                for shard_id, fault in enumerate(faults)
            ))
            await settle(discord, bot)
            assert discord.recording.identify_count() == count
            assert set(discord.recording.close_codes()) == {4000}
            assert not bot.errors


async def test__reconnect__ready(run_bot, settle):
    """Op 7 on a running connection: closed with a code that keeps the session, and resumed at once."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            discord.send_messages(20)
            discord.reconnect(0)
            discord.send_messages(20)
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            await settle(discord, bot)
            assert discord.recording.close_codes(0) == [4000]
            assert discord.recording.identify_count(0) == 1
            assert not bot.errors
