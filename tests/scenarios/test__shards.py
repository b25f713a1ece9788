"""
Several shards: one shard's trouble is its own, and all of them end quickly.
"""
from time import monotonic

import pytest

from hata_gateway_ext.local_discord import Cut, Invalidate, LocalDiscord, Refuse, SendBytes, Silence, Skip

# "`close()` ends all of them within 2 s even if Discord answers nothing."
CLOSED_WITHIN = 2.0


async def test__shards__trouble_of_one(run_bot, settle, short_delays, quick_identify):
    """While one shard suffers from everything, the others are neither closed nor paused."""
    async with LocalDiscord(
        heartbeat_interval = 0.5, shards = 4, max_concurrency = 4, guilds = 4, identify_interval = 0.0
    ) as discord:
        async with run_bot(discord, shard_count = 4) as bot:
            others = (0, 2, 3)
            troubles = (
                lambda: discord.cut(1),
                lambda: discord.fault(SendBytes(b'\xff' * 100), shard_id = 1),
                lambda: discord.fault(Silence(), shard_id = 1),
                lambda: discord.fault(Refuse(503), at = 'connect', shard_id = 1, times = 2) and discord.cut(1),
                lambda: discord.fault(Cut(), at = 'resume', shard_id = 1, times = 3) and discord.cut(1),
                lambda: discord.invalidate(1),
            )
            for trouble in troubles:
                connection_count = discord.recording.connection_count(1)
                trouble()
                
                # The others go on, at each moment of it.
                def is_over(recording, connection_count = connection_count):
                    connection = discord.connection(1)
                    return recording.connection_count(1) > connection_count and (connection is not None)
                
                while not is_over(discord.recording):
                    numbers = {discord.send_message(shard_id = shard_id)['number'] for shard_id in others}
                    await bot.wait_for(lambda numbers = numbers: numbers.issubset(bot.numbers), timeout = 5.0)
            
            await settle(discord, bot, forfeited = True)
            for shard_id in others:
                assert discord.recording.connection_count(shard_id) == 1
                assert bot.gateway.gateways[shard_id].get_statistics().losses == 0
            
            assert {error.shard_id for error in bot.errors} == {1}


async def test__shards__flood_of_one(run_bot, settle):
    """A shard that is flooded does not delay the heartbeats of the others."""
    # Long enough that the local Discord, which makes the flood in the same process, is not taken for a dead peer itself.
    interval = 2.0
    async with LocalDiscord(heartbeat_interval = interval, shards = 2, max_concurrency = 2, guilds = 2) as discord:
        async with run_bot(discord, shard_count = 2) as bot:
            for _ in range(2):
                discord.send_messages(10000, shard_id = 0)
                count = len(discord.recording.heartbeats)
                await discord.wait_for(lambda recording, count = count: len(recording.heartbeats) > count + 1)
            
            await settle(discord, bot)
            assert discord.recording.connection_count() == 2
            heartbeats = [heartbeat.at for heartbeat in discord.recording.heartbeats if heartbeat.shard_id == 1]
            for earlier, later in zip(heartbeats, heartbeats[1:]):
                assert later - earlier < interval + 1.0


async def test__shards__end(run_bot):
    """
    Whatever each shard is doing: `disconnect()` is over within 2 s although Discord answers nothing, and no connection is
    left, nor made afterwards.
    """
    names = ('ready', 'silent', 'silent and deaf', 'refused', 'upgrading', 'greeting', 'resuming', 'replaying', 'invalid')
    count = len(names)
    async with LocalDiscord(heartbeat_interval = 20.0, shards = count, max_concurrency = count, guilds = count) as discord:
        async with run_bot(discord, shard_count = count) as bot:
            id_of = names.index
            discord.silence(id_of('silent'), read = True)
            discord.silence(id_of('silent and deaf'), read = False)
            faults = (
                discord.fault(Refuse(503), at = 'connect', shard_id = id_of('refused'), times = None),
                discord.fault(Skip(), at = 'connect', shard_id = id_of('upgrading'), times = None),
                discord.fault(Skip(), at = 'hello', shard_id = id_of('greeting'), times = None),
                discord.fault(Skip(), at = 'resume', shard_id = id_of('resuming'), times = None),
                discord.fault(Silence(), at = 'replay', shard_id = id_of('replaying'), times = None),
                discord.fault(Invalidate(), at = 'resume', shard_id = id_of('invalid'), times = None),
            )
            for shard_id in range(id_of('refused'), count):
                discord.cut(shard_id)
                discord.send_messages(5, shard_id = shard_id)
            
            await discord.wait_for(lambda recording: all(fault.count for fault in faults))
            
            stopped_at = monotonic()
            await bot.stop()
            assert monotonic() - stopped_at < CLOSED_WITHIN
            
            discord.heal()
            await discord.wait_for(lambda recording: not discord.connections)
            assert {gateway.get_statistics().state for gateway in bot.gateway.gateways} == {'stopped'}
            assert discord.recording.close_codes(id_of('ready')) == [1000]
            assert all(not gateway.driver.is_running() for gateway in bot.gateway.gateways)


@pytest.mark.parametrize('stage', ('connect', 'hello', 'identify', 'ready'))
async def test__shards__end_while_starting(make_bot, stage):
    """A client that is stopped in the middle of connecting first is down within 2 s, and stays so."""
    async with LocalDiscord(heartbeat_interval = 20.0, shards = 3) as discord:
        fault = discord.fault(Skip(), at = stage, times = None)
        bot = make_bot(discord, shard_count = 3)
        await bot.start()
        await discord.wait_for(lambda recording: fault.count)
        
        stopped_at = monotonic()
        await bot.stop()
        assert monotonic() - stopped_at < CLOSED_WITHIN
        
        await bot.wait_until_down()
        await discord.wait_for(lambda recording: not discord.connections)
        assert {gateway.get_statistics().state for gateway in bot.gateway.gateways} == {'stopped'}
        assert discord.recording.ready_count() == 0


async def test__shards__abort(run_bot, settle, quick_relaunch):
    """`abort()` waits for nothing, and keeps the sessions: when the client launches the gateway again, they are resumed."""
    async with LocalDiscord(heartbeat_interval = 0.5, shards = 2, max_concurrency = 2, guilds = 2) as discord:
        async with run_bot(discord, shard_count = 2) as bot:
            def abort():
                bot.gateway.abort()
                return {gateway.get_statistics().state for gateway in bot.gateway.gateways}
            
            
            assert await bot.call(abort) == {'stopped'}
            discord.send_messages(10, shard_id = 0)
            discord.send_messages(10, shard_id = 1)
            await discord.wait_for(lambda recording: recording.resumed_count() == 2)
            await settle(discord, bot)
            assert discord.recording.identify_count() == 2
            assert discord.recording.close_codes() == []
