"""
Heartbeats, and connections that are dead without having been closed.
"""
import asyncio
from time import monotonic, sleep

import pytest

from hata_gateway_ext.local_discord import Delay, LocalDiscord, Silence, Skip

INTERVAL = 0.5

# "Resumed within one interval plus `min(interval, 15 s)` plus one second."
RESUMED_WITHIN = INTERVAL + min(INTERVAL, 15.0) + 1.0


async def test__heartbeat__schedule(run_bot, settle):
    """The first within an interval, then one each interval; `d` is the last sequence."""
    async with LocalDiscord(heartbeat_interval = INTERVAL) as discord:
        async with run_bot(discord) as bot:
            await discord.wait_for(lambda recording: len(recording.heartbeats) == 3)
            sequence = discord.session(0).sequence
            await settle(discord, bot)
            await discord.wait_for(lambda recording: recording.heartbeats[-1].sequence == sequence + 1)
        
        connection, = discord.recording.connections
        first, second, third = [heartbeat.at for heartbeat in discord.recording.heartbeats][:3]
        # A loop that stands still for a moment makes one late, and not the next one.
        assert 0.0 <= first - connection.hello_at < INTERVAL + 1.0
        assert 1.5 * INTERVAL < third - first < 2 * INTERVAL + 1.0
        assert second - first < INTERVAL + 1.0


async def test__heartbeat__null_before_the_first_event(run_bot, short_window):
    """A shard that waits for its turn to identify keeps its connection alive: with `d = null`, since nothing came yet."""
    async with LocalDiscord(
        heartbeat_interval = INTERVAL / 5, shards = 2, max_concurrency = 1, identify_interval = 1.0
    ) as discord:
        async with run_bot(discord, shard_count = 2):
            pass
        
        waiting = max(discord.recording.connections, key = lambda connection: connection.ready_at)
        early = [
            heartbeat for heartbeat in discord.recording.heartbeats
            if heartbeat.connection == waiting.number and heartbeat.at < waiting.ready_at
        ]
        assert len(early) > 4
        assert {heartbeat.sequence for heartbeat in early} == {None}


async def test__heartbeat__asked_for(run_bot):
    """Op 1 of Discord is answered with a heartbeat at once."""
    async with LocalDiscord(heartbeat_interval = 30.0) as discord:
        async with run_bot(discord):
            for count in range(1, 4):
                discord.request_heartbeat(0)
                # Three of them come 30 seconds apart otherwise.
                await discord.wait_for(lambda recording, count = count: len(recording.heartbeats) >= count, timeout = 5.0)
            
            assert discord.recording.connection_count() == 1


async def test__heartbeat__latency(run_bot):
    """The latency is the time from a heartbeat to its acknowledgement."""
    async with LocalDiscord(heartbeat_interval = INTERVAL) as discord:
        async with run_bot(discord) as bot:
            with discord.fault(Delay(0.2), at = 'heartbeat', times = None):
                await discord.wait_for(lambda recording: len(recording.heartbeats) >= 4)
            
            assert 0.2 <= bot.gateway.latency < 0.45


@pytest.mark.parametrize('read', (True, False))
async def test__zombie__silent(run_bot, settle, read):
    """
    A connection gone silent, whether its peer still reads or not, is closed with a code that keeps the session, and resumed
    in time. Nothing that was sent meanwhile is lost.
    """
    async with LocalDiscord(heartbeat_interval = INTERVAL) as discord:
        async with run_bot(discord) as bot:
            discord.send_messages(20)
            silenced_at = monotonic()
            discord.silence(0, read = read)
            discord.send_messages(20)
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            resume, = discord.recording.resumes
            assert resume.at - silenced_at < RESUMED_WITHIN
            await settle(discord, bot)
            
            if read:
                assert discord.recording.connections[0].close_code == 4000
            
            assert discord.recording.identify_count(0) == 1


@pytest.mark.parametrize('stage', ('hello_sent', 'ready_sent', 'resume', 'replay', 'resumed_sent'))
async def test__zombie__silent_while_connecting(run_bot, settle, short_delays, quick_identify, stage):
    """A connection that goes silent before or right after READY or RESUMED is found as quickly."""
    async with LocalDiscord(heartbeat_interval = INTERVAL, identify_interval = 0.0) as discord:
        if stage == 'ready_sent':
            # Set up before the bot runs: it strikes the first connection.
            discord.fault(Silence(), at = stage)
        
        async with run_bot(discord) as bot:
            if stage != 'ready_sent':
                fault = discord.fault(Silence(), at = stage, shard_id = 0)
                discord.send_messages(20)
                discord.cut(0)
                discord.send_messages(20)
                cut_at = monotonic()
                await discord.wait_for(lambda recording: fault.count and any(
                    connection.resumed_at and (connection.closed_at is None) and (connection.number > 2)
                    for connection in recording.connections
                ))
                assert discord.recording.resumes[-1].at - cut_at < RESUMED_WITHIN + 1.0
            
            await settle(discord, bot)
            assert discord.recording.identify_count(0) == 1


async def test__zombie__busy(run_bot, settle):
    """A busy connection whose acknowledgements are late, but not later than two heartbeats, is not cut."""
    async with LocalDiscord(heartbeat_interval = INTERVAL) as discord:
        async with run_bot(discord) as bot:
            traffic = discord.start_traffic(50, shard_id = 0)
            with discord.fault(Delay(INTERVAL * 1.6), at = 'heartbeat', times = None):
                await discord.wait_for(lambda recording: len(recording.heartbeats) >= 8)
            
            traffic.stop()
            await settle(discord, bot)
            assert discord.recording.connection_count() == 1


async def test__zombie__unacknowledged(run_bot, settle):
    """Traffic, but no acknowledgement for two heartbeats in a row: closed with a code that keeps the session, and resumed."""
    async with LocalDiscord(heartbeat_interval = INTERVAL) as discord:
        async with run_bot(discord) as bot:
            traffic = discord.start_traffic(50, shard_id = 0)
            with discord.fault(Skip(), at = 'heartbeat', times = None):
                struck_at = monotonic()
                resume = await discord.wait_for(lambda recording: recording.resumes and recording.resumes[0])
                # Two that stay without an acknowledgement, and the third is due.
                assert resume.at - struck_at < 4 * INTERVAL + 1.0
            
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            traffic.stop()
            await settle(discord, bot)
            assert discord.recording.connections[0].close_code == 4000
            assert len([
                heartbeat for heartbeat in discord.recording.heartbeats
                if (heartbeat.connection == 1) and (heartbeat.at > struck_at)
            ]) == 2


async def test__zombie__loop_that_stood_still(run_bot, settle):
    """
    A handler that blocks the loop for some intervals: it is the bot that stood still, and not the line. What came meanwhile
    is read first, and the connection is kept.
    """
    async with LocalDiscord(heartbeat_interval = INTERVAL) as discord:
        async with run_bot(discord) as bot:
            discord.send_messages(20)
            blocking = asyncio.ensure_future(bot.call(sleep, 4 * INTERVAL))
            discord.send_messages(20)
            await blocking
            
            heartbeat_count = len(discord.recording.heartbeats)
            await discord.wait_for(lambda recording: len(recording.heartbeats) >= heartbeat_count + 2)
            await settle(discord, bot)
            assert discord.recording.connection_count() == 1
            assert not bot.errors


async def test__zombie__close_is_not_waited_for(run_bot, settle):
    """`terminate()` on a connection whose peer neither reads nor writes: the new one does not wait for the old one."""
    async with LocalDiscord(heartbeat_interval = 30.0) as discord:
        async with run_bot(discord) as bot:
            discord.silence(0, read = False)
            discord.send_messages(20)
            terminated_at = monotonic()
            await bot.run(bot.gateway.terminate(), timeout = 5.0)
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            assert discord.recording.resumes[0].at - terminated_at < 1.0
            await settle(discord, bot)
