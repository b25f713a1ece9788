"""
Identifies are precious: the buckets of `max_concurrency`, and the session start limit.
"""
from time import monotonic

import pytest
from hata import CLIENTS

from hata_gateway_ext.local_discord import Delay, LocalDiscord, create_token

GATEWAY_BOT = '/gateway/bot'


def count_gateway_requests(recording):
    """Counts how often the gateway was looked up."""
    return sum(request.path.endswith(GATEWAY_BOT) for request in recording.requests)


def get_bucket_pauses(identifies, max_concurrency):
    """Returns the seconds between each two identifies in a row of the same bucket."""
    buckets = {}
    for identify in identifies:
        buckets.setdefault(identify.shard_id % max_concurrency, []).append(identify.at)
    
    return [
        later - earlier for identified_at in buckets.values() for earlier, later in zip(identified_at, identified_at[1:])
    ]


async def test__identify__payload(run_bot, settle):
    """
    IDENTIFY names the shard and the shard count. A guild belongs to the shard `(guild_id >> 22) % shard_count`: its events
    come there, and what is about it is sent there.
    """
    async with LocalDiscord(heartbeat_interval = 0.5, shards = 3, max_concurrency = 3, guilds = 6) as discord:
        async with run_bot(discord, shard_count = 3) as bot:
            identifies = discord.recording.operations_of(2)
            assert sorted(identify.data['shard'] for identify in identifies) == [[0, 3], [1, 3], [2, 3]]
            assert {identify.data['intents'] for identify in identifies} == {int(bot.client.intents)}
            assert discord.token not in repr(identifies)
            
            assert len(bot.client.guilds) == 6
            for guild in bot.client.guilds:
                assert bot.gateway.get_gateway(guild.id).shard_id == (guild.id >> 22) % 3
            
            await settle(discord, bot)


async def test__identify__eight_shards(run_bot):
    """Eight shards at `max_concurrency` 4 are up in 5 s plus at most 0.5 s."""
    async with LocalDiscord(heartbeat_interval = 0.5, shards = 8, max_concurrency = 4) as discord:
        async with run_bot(discord, shard_count = 8):
            recording = discord.recording
            started_at = min(connection.opened_at for connection in recording.connections)
            ready_at = max(connection.ready_at for connection in recording.connections)
            assert ready_at - started_at <= 5.5
            assert min(get_bucket_pauses(recording.identifies, 4)) >= 5.0
            assert {identify.result for identify in recording.identifies} == {'ready'}


async def test__identify__mass_invalidation(run_bot, settle, short_window):
    """When Discord invalidates all shards at once, the buckets hold as well: counted on from the identifies before."""
    async with LocalDiscord(
        heartbeat_interval = 0.5, shards = 8, max_concurrency = 4, guilds = 8, identify_interval = 1.0
    ) as discord:
        async with run_bot(discord, shard_count = 8) as bot:
            recording = discord.recording
            discord.invalidate()
            await discord.wait_for(
                lambda recording: all(recording.ready_count(shard_id) == 2 for shard_id in range(8)), timeout = 20.0
            )
            await settle(discord, bot, forfeited = True)
            
            assert {identify.result for identify in recording.identifies} == {'ready'}
            pauses = get_bucket_pauses(recording.identifies, 4)
            assert len(pauses) == 12
            assert min(pauses) >= 1.0
            assert count_gateway_requests(recording) == 1
            assert recording.resume_count() == 0


async def test__identify__ready_delays_nobody(make_bot, short_window):
    """READY of a shard that is late delays neither the other bucket nor the next shard of the same one."""
    async with LocalDiscord(heartbeat_interval = 0.5, shards = 4, max_concurrency = 2, identify_interval = 1.0) as discord:
        with discord.fault(Delay(10.0), at = 'ready', shard_id = 0):
            bot = make_bot(discord, shard_count = 4)
            await bot.start()
            await discord.wait_for(lambda recording: recording.identify_count() == 4)
            
            identified_at = {identify.shard_id: identify.at for identify in discord.recording.identifies}
            assert identified_at[1] - identified_at[0] < 1.0
            # The window runs from IDENTIFY to IDENTIFY.
            assert 1.0 <= identified_at[2] - identified_at[0] < 2.0
            assert identified_at[3] - identified_at[0] < 2.0
            assert not discord.recording.ready_count(0)
            await bot.stop()


async def test__identify__slow_connection_delays_nobody(make_bot, short_window):
    """A shard whose connection is slow lets the next one of its bucket go first."""
    async with LocalDiscord(heartbeat_interval = 0.5, shards = 2, max_concurrency = 1, identify_interval = 1.0) as discord:
        discord.fault(Delay(3.0), at = 'hello')
        bot = make_bot(discord, shard_count = 2)
        await bot.start()
        await discord.wait_for(lambda recording: recording.ready_count() == 2)
        first, second = discord.recording.identifies
        slow, quick = discord.recording.connections
        assert (first.connection, second.connection) == (quick.number, slow.number)
        assert first.at < slow.hello_at <= second.at
        await bot.stop()


async def test__identify__after_restart(run_bot, short_window):
    """A client that starts right after another one of its application waits for the window that the other began."""
    async with LocalDiscord(heartbeat_interval = 0.5, identify_interval = 1.0) as discord:
        async with run_bot(discord) as bot:
            pass
        
        # Kept, so that it is not about what the garbage collector did meanwhile.
        bot.client._delete()
        async with run_bot(discord):
            assert [identify.result for identify in discord.recording.identifies] == ['ready', 'ready']
            assert min(get_bucket_pauses(discord.recording.identifies, 1)) >= 1.0


async def test__identify__several_clients_of_one_application(make_bot, short_window):
    """Clients of one application share its buckets."""
    async with LocalDiscord(
        heartbeat_interval = 0.5, shards = 2, max_concurrency = 2, identify_interval = 1.0
    ) as discord:
        bots = []
        for _ in range(3):
            bots.append(make_bot(discord, shard_count = 2))
            # hata knows one client of an application at a time; what it forgets goes on running nevertheless.
            CLIENTS.pop(bots[-1].client.id, None)
        
        for bot in bots:
            CLIENTS[bot.client.id] = bot.client
            await bot.start()
        
        await discord.wait_for(lambda recording: recording.ready_count() == 6)
        assert {identify.result for identify in discord.recording.identifies} == {'ready'}
        assert min(get_bucket_pauses(discord.recording.identifies, 2)) >= 1.0
        
        for bot in bots:
            await bot.stop()


async def test__identify__applications_are_independent(make_bot, short_window):
    """Clients of different applications do not wait for each other."""
    async with LocalDiscord(heartbeat_interval = 0.5, accept_any_token = True, identify_interval = 1.0) as discord:
        bots = [make_bot(discord, token = create_token(discord.application_id + 1000 * index)) for index in range(1, 4)]
        for bot in bots:
            await bot.start()
        
        await discord.wait_for(lambda recording: recording.ready_count() == 3)
        identified_at = [identify.at for identify in discord.recording.identifies]
        assert max(identified_at) - min(identified_at) < 1.0
        
        for bot in bots:
            await bot.stop()


async def test__session_start_limit__exhausted(make_bot):
    """
    At 0 remaining the shards wait for the reset, with a warning, without connections and without a storm of requests; then
    they identify, having asked how many starts there are now.
    """
    async with LocalDiscord(
        heartbeat_interval = 0.5, shards = 3, max_concurrency = 3, session_start_remaining = 0,
        session_start_reset_after = 2.0, session_start_total = 10,
    ) as discord:
        started_at = monotonic()
        with pytest.warns(RuntimeWarning, match = 'session start limit is exhausted') as warnings:
            bot = make_bot(discord, shard_count = 3)
            await bot.start()
            await discord.wait_for(lambda recording: recording.ready_count() == 3)
        
        assert len([warning for warning in warnings if 'is exhausted' in str(warning.message)]) == 1
        recording = discord.recording
        assert min(identify.at for identify in recording.identifies) - started_at >= 2.0 - 0.5
        assert {identify.result for identify in recording.identifies} == {'ready'}
        assert recording.connection_count() == 3
        # At the start, and after the reset.
        assert count_gateway_requests(recording) == 2
        await bot.stop()


async def test__session_start_limit__stopped_meanwhile(make_bot):
    """A client that waits for the reset is stopped as quickly as any other; it never made a connection."""
    async with LocalDiscord(
        heartbeat_interval = 0.5, shards = 3, max_concurrency = 3, session_start_remaining = 0,
    ) as discord:
        with pytest.warns(RuntimeWarning, match = 'session start limit is exhausted'):
            bot = make_bot(discord, shard_count = 3)
            await bot.start()
            await bot.wait_for_gateway(
                lambda: {gateway.get_statistics().state for gateway in bot.gateway.gateways} == {'queued'}
            )
            # The warning comes with the next round of the queue.
            await bot.wait_for_gateway(lambda: bot.gateway.context.identify_queue.limiter.get_waiting_count() == 3)
            await bot.call(lambda: None)
        
        stopped_at = monotonic()
        await bot.stop()
        assert monotonic() - stopped_at < 2.0
        assert not discord.recording.connections
        assert {gateway.get_statistics().state for gateway in bot.gateway.gateways} == {'stopped'}


async def test__session_start_limit__counted_between_requests(run_bot, short_window):
    """The count is kept up to date between requests: the last start is not spent twice, and RESUME is not charged."""
    async with LocalDiscord(
        heartbeat_interval = 0.5, shards = 2, max_concurrency = 2, identify_interval = 1.0, session_start_remaining = 3,
        session_start_reset_after = 6.0, session_start_total = 10,
    ) as discord:
        async with run_bot(discord, shard_count = 2):
            recording = discord.recording
            discord.cut()
            await discord.wait_for(lambda recording: recording.resumed_count() == 2)
            assert count_gateway_requests(recording) == 1
            
            with pytest.warns(RuntimeWarning, match = 'session start limit is exhausted'):
                # One start is left for two shards.
                discord.invalidate()
                await discord.wait_for(lambda recording: recording.ready_count() == 3)
                await discord.wait_for(lambda recording: recording.ready_count() == 4, timeout = 20.0)
            
            first_at = recording.identifies[0].at
            assert recording.identifies[2].at - first_at < 6.0
            assert recording.identifies[3].at - first_at >= 5.0
            # Had it been spent twice, the token would have been reset: 4004.
            assert {identify.result for identify in recording.identifies} == {'ready'}
