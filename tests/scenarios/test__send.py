"""
What the bot sends: nothing over the limit, nothing reordered, nothing lost to a blip, and heartbeats never wait behind it.
"""
import asyncio
from time import monotonic

import pytest
from hata import KOKORO
from scarletio import Task, TaskGroup, to_json

from hata_gateway_ext import GatewaySendReport, PayloadTooLargeError
from hata_gateway_ext.local_discord import Delay, LocalDiscord, Skip

PRESENCE = 3
VOICE_STATE = 4
REQUEST_MEMBERS = 8

LIMIT = 120
WINDOW = 60.0


def build_presence(number):
    """Builds a payload that can be told from others."""
    return {'op': PRESENCE, 'd': {'since': number, 'activities': [], 'status': 'online', 'afk': False}}


def get_numbers(recording, shard_id = 0):
    """Returns the numbers of the payloads that came, in order."""
    return [operation.data['since'] for operation in recording.operations_of(PRESENCE, shard_id)]


async def send_all(gateway, numbers):
    """Sends payloads at once, and waits for all of them. On the client's thread."""
    task_group = TaskGroup(KOKORO, [Task(KOKORO, gateway.send_as_json(build_presence(number))) for number in numbers])
    await task_group.wait_all()


@pytest.fixture
def start_sending():
    """Sends payloads at once from the client's thread; returns an awaitable that is done when all are sent or dropped."""
    tasks = []
    
    def start_sending(bot, gateway, numbers):
        task = asyncio.ensure_future(bot.run(send_all(gateway, numbers), timeout = 100.0))
        tasks.append(task)
        return task
    
    yield start_sending
    
    for task in tasks:
        assert task.done()


@pytest.mark.long
async def test__send__two_hundred_at_once(run_bot, start_sending):
    """
    Over a whole window. Shard 0 sends 200 payloads at once: 120 less the reserve leave at once, the rest when the window frees,
    in order, and heartbeats go on on time. Meanwhile shard 1 is never resumed: what is sent there waits for a minute, is
    dropped then, counted, and reported once. Shard 2 goes on as if nothing were.
    """
    interval = 10.0
    # ceil(60 / 10) heartbeats, and two more.
    reserve = 8
    
    async with LocalDiscord(heartbeat_interval = interval, shards = 3, max_concurrency = 3, guilds = 3) as discord:
        async with run_bot(discord, shard_count = 3) as bot:
            gateways = bot.gateway.gateways
            recording = discord.recording
            
            discord.fault(Skip(), at = 'resume', shard_id = 1, times = None)
            discord.cut(1)
            await discord.wait_for(lambda recording: recording.resume_count(1))
            
            started_at = monotonic()
            sending = start_sending(bot, gateways[0], range(200))
            waiting = start_sending(bot, gateways[1], range(5))
            await discord.wait_for(lambda recording: len(get_numbers(recording)) == LIMIT - reserve)
            assert monotonic() - started_at < 5.0
            
            await start_sending(bot, gateways[2], range(3))
            
            await asyncio.wait_for(sending, 80.0)
            await asyncio.wait_for(waiting, 20.0)
            await discord.wait_for(lambda recording: len(get_numbers(recording)) == 200)
            
            assert get_numbers(recording) == [*range(200)]
            assert get_numbers(recording, 1) == []
            assert get_numbers(recording, 2) == [0, 1, 2]
            assert recording.connection_count(0) == 1
            
            # All operations counted, IDENTIFY and heartbeats as well.
            sent_at = [operation.at for operation in recording.operations if operation.shard_id == 0]
            for earlier, later in zip(sent_at, sent_at[LIMIT:]):
                assert later - earlier >= WINDOW
            
            # None of 120 less the reserve came later than the others.
            presences = recording.operations_of(PRESENCE, 0)
            assert presences[LIMIT - reserve - 1].at - started_at < 5.0
            assert presences[LIMIT - reserve].at - started_at >= WINDOW - 5.0
            
            heartbeats = [heartbeat.at for heartbeat in recording.heartbeats if heartbeat.shard_id == 0]
            assert len(heartbeats) >= 6
            for earlier, later in zip(heartbeats, heartbeats[1:]):
                assert later - earlier < interval + 1.0
            
            dropped = [error for error in bot.errors if isinstance(error, GatewaySendReport)]
            assert [(error.shard_id, error.count) for error in dropped] == [(1, 5)]
            assert [gateway.get_statistics().dropped for gateway in gateways] == [0, 5, 0]


async def test__send__new_connection_new_window(run_bot, start_sending):
    """
    Each connection has a window of its own. What waits for a permit when a connection is lost goes out on the next one, in
    order; heartbeats are on time although 200 payloads wait.
    """
    interval = 0.5
    async with LocalDiscord(heartbeat_interval = interval) as discord:
        async with run_bot(discord) as bot:
            sending = start_sending(bot, bot.gateway, range(200))
            
            # At this interval the half of the window is kept for heartbeats.
            for count in (60, 120, 180):
                await discord.wait_for(lambda recording, count = count: len(get_numbers(recording)) == count)
                # Two heartbeats while the others wait.
                heartbeat_count = len(discord.recording.heartbeats)
                await discord.wait_for(
                    lambda recording, count = heartbeat_count: len(recording.heartbeats) >= count + 2, timeout = 3.0
                )
                assert len(get_numbers(discord.recording)) == count
                discord.cut(0)
            
            await asyncio.wait_for(sending, 10.0)
            await discord.wait_for(lambda recording: len(get_numbers(recording)) == 200)
            assert get_numbers(discord.recording) == [*range(200)]
            assert discord.recording.resumed_count(0) == 3
            assert discord.recording.close_codes(0) == []


async def test__send__before_ready_and_while_down(make_bot, start_sending, short_delays):
    """Sends before READY, while the connection is down and before RESUMED wait, and are delivered in order."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        bot = make_bot(discord)
        with discord.fault(Delay(0.5), at = 'ready'):
            await bot.start()
            await discord.wait_for(lambda recording: recording.identify_count(0))
            await start_sending(bot, bot.gateway, range(10))
        
        await discord.wait_for(lambda recording: len(get_numbers(recording)) == 10)
        ready_at = discord.recording.connections[0].ready_at
        assert get_numbers(discord.recording) == [*range(10)]
        assert discord.recording.operations_of(PRESENCE)[0].at >= ready_at
        
        discord.stop_listening('gateway', 'resume')
        await discord.wait_for(lambda recording: not discord.connections)
        sending = start_sending(bot, bot.gateway, range(10, 20))
        await bot.run(bot.gateway.terminate())
        
        with discord.fault(Delay(0.5), at = 'resumed'):
            discord.start_listening('gateway', 'resume')
            await discord.wait_for(lambda recording: recording.resume_count(0))
            sending_too = start_sending(bot, bot.gateway, range(20, 30))
            await sending
            await sending_too
        
        await discord.wait_for(lambda recording: len(get_numbers(recording)) == 30)
        resumed_at = discord.recording.connections[-1].resumed_at
        assert get_numbers(discord.recording) == [*range(30)]
        assert discord.recording.operations_of(PRESENCE)[10].at >= resumed_at
        assert bot.gateway.get_statistics().dropped == 0
        await bot.stop()


async def test__send__voice_state_survives_a_blip(run_bot):
    """A voice state that is changed right after the connection was given up arrives, on the shard of its guild."""
    async def change_in_a_blip(gateway, guild_id, channel_id):
        gateway.get_gateway(guild_id).driver.terminate()
        await gateway.change_voice_state(guild_id, channel_id, self_mute = True)
        gateway.get_gateway(guild_id).driver.terminate()
        await gateway.change_voice_state(guild_id, 0)
    
    
    async with LocalDiscord(heartbeat_interval = 0.5, shards = 2, max_concurrency = 2, guilds = 2) as discord:
        async with run_bot(discord, shard_count = 2) as bot:
            for guild in [*bot.client.guilds]:
                shard_id = (guild.id >> 22) % 2
                channel_id = next(channel.id for channel in guild.channels.values() if channel.is_guild_voice())
                await bot.run(change_in_a_blip(bot.gateway, guild.id, channel_id))
                await discord.wait_for(lambda recording, shard_id = shard_id: (
                    len(recording.operations_of(VOICE_STATE, shard_id)) == 2
                ))
                assert [operation.data for operation in discord.recording.operations_of(VOICE_STATE, shard_id)] == [
                    {'guild_id': str(guild.id), 'channel_id': str(channel_id), 'self_mute': True, 'self_deaf': False},
                    {'guild_id': str(guild.id), 'channel_id': None, 'self_mute': False, 'self_deaf': False},
                ]


async def test__send__too_many_while_down(run_bot, start_sending):
    """512 payloads wait for a connection; what is more is dropped at once, counted, and reported once."""
    async with LocalDiscord(heartbeat_interval = 30.0) as discord:
        async with run_bot(discord) as bot:
            with discord.fault(Skip(), at = 'resume', times = None):
                discord.cut(0)
                await discord.wait_for(lambda recording: recording.resume_count(0))
                sending = start_sending(bot, bot.gateway, range(600))
                await bot.wait_for(lambda: bot.errors)
                assert bot.gateway.get_statistics().dropped == 88
            
            await bot.run(bot.gateway.terminate())
            # 120 less `ceil(60 / 30) + 2`.
            await discord.wait_for(lambda recording: len(get_numbers(recording)) == 116)
            assert get_numbers(discord.recording) == [*range(116)]
            assert not sending.done()
            report, = bot.errors
            assert isinstance(report, GatewaySendReport)
        
        # Stopping the client released who waited.
        await asyncio.wait_for(sending, 5.0)
        assert bot.gateway.get_statistics().dropped == 600 - 116


@pytest.mark.parametrize('how', ('close', 'abort'))
async def test__send__released(run_bot, start_sending, how):
    """`close()` and `abort()` release every waiting sender; after them a send returns at once."""
    async with LocalDiscord(heartbeat_interval = 30.0) as discord:
        async with run_bot(discord) as bot:
            sending = start_sending(bot, bot.gateway, range(200))
            await discord.wait_for(lambda recording: len(get_numbers(recording)) == 116)
            
            if how == 'close':
                await bot.run(bot.gateway.close())
            else:
                await bot.call(bot.gateway.abort)
            
            await asyncio.wait_for(sending, 5.0)
            await bot.run(send_all(bot.gateway, range(200, 210)), timeout = 5.0)
            assert get_numbers(discord.recording) == [*range(116)]


async def test__send__gateway_that_does_not_run(make_bot):
    """On a gateway that was never started, a send returns at once."""
    async with LocalDiscord() as discord:
        bot = make_bot(discord)
        await bot.run(send_all(bot.gateway, range(10)), timeout = 5.0)
        assert not discord.recording.operations


async def test__send__member_requests_over_the_limit(run_bot, settle):
    """Over one request of all members per guild and 30 s Discord dispatches RATE_LIMITED: no error for the connection."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            unknown = []
            
            async def unknown_dispatch_event(client, name, data):
                unknown.append((name, data['opcode']))
            
            bot.client.events(unknown_dispatch_event)
            guild_id = next(iter(bot.client.guilds)).id
            payload = {'op': REQUEST_MEMBERS, 'd': {'guild_id': str(guild_id), 'query': '', 'limit': 0}}
            await bot.run(bot.gateway.send_as_json(payload))
            await bot.run(bot.gateway.send_as_json(payload))
            await discord.wait_for(lambda recording: len(recording.operations_of(REQUEST_MEMBERS)) >= 2)
            await settle(discord, bot)
            
            assert ('RATE_LIMITED', REQUEST_MEMBERS) in unknown
            assert discord.recording.connection_count() == 1
            assert not bot.errors


async def test__send__over_the_limit_of_discord(run_bot, settle):
    """Close 4008, whoever's fault it is: reported, and resumed."""
    async with LocalDiscord(heartbeat_interval = 0.5, send_limit = 20) as discord:
        async with run_bot(discord) as bot:
            await bot.run(send_all(bot.gateway, range(30)))
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            await bot.wait_for(lambda: bot.errors)
            assert [error.code for error in bot.errors] == [4008]
            await settle(discord, bot)


async def test__send__size(run_bot, settle):
    """A payload of 4096 bytes of JSON is sent; one byte more is refused here, as Discord would close the connection."""
    def build(size):
        payload = build_presence(0)
        payload['d']['status'] = ''
        payload['d']['status'] = 'a' * (size - len(to_json(payload)))
        return payload
    
    
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            with pytest.raises(PayloadTooLargeError, match = '4096'):
                await bot.run(bot.gateway.send_as_json(build(4097)))
            
            await bot.run(bot.gateway.send_as_json(build(4096)))
            await discord.wait_for(lambda recording: recording.operations_of(PRESENCE))
            await settle(discord, bot)
            assert [operation.size for operation in discord.recording.operations_of(PRESENCE)] == [4096]
            assert discord.recording.connection_count() == 1
