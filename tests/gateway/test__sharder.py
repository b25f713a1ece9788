"""
Many shards as one gateway: what one of them suffers, and what all of them do.
"""
import pytest
from hata import KOKORO
from scarletio import CancelledError, Task, sleep

from hata_gateway_ext import DurableGatewayClientSharder, PayloadTooLargeError
from hata_gateway_ext.local_discord import Close, LocalDiscord, Skip

SHARD_COUNT = 3


@pytest.fixture
async def discord(monkeypatch):
    """A local Discord, where shards may identify as often as they want."""
    monkeypatch.setattr('hata_gateway_ext.protocol.identify.IDENTIFY_INTERVAL', 0.0)
    monkeypatch.setattr('hata_gateway_ext.protocol.backoff.DELAY_BASE', 0.01)
    async with LocalDiscord(
        heartbeat_interval = 0.5, identify_interval = 0.0, shards = SHARD_COUNT, guilds = SHARD_COUNT
    ) as discord:
        yield discord


def build_presence(name):
    """Builds a payload that anyone may send."""
    return {'op': 3, 'd': {'status': 'idle', 'activities': [{'name': name, 'type': 0}], 'since': None, 'afk': False}}


def get_states(bot):
    """The states of the shards."""
    return [shard.driver.machine.state for shard in bot.gateway.gateways]


@pytest.fixture
async def start_run(discord, make_bot):
    """Runs a gateway without hata's launcher. `await start_run(...)` returns the bot and the task of the run."""
    bots = []
    
    async def start_run(**options):
        bot = make_bot(discord, shard_count = SHARD_COUNT, **options)
        bots.append(bot)
        return bot, await run_again(bot)
    
    async def run_again(bot):
        async def start():
            bot.client.running = True
            return Task(KOKORO, bot.gateway.run())
        
        task = await bot.run(start())
        await bot.wait_for_gateway(lambda: get_states(bot) == ['ready'] * SHARD_COUNT)
        return task
    
    start_run.again = run_again
    yield start_run
    
    for bot in bots:
        bot.client.running = False
        await bot.call(bot.gateway.abort)


async def get_result(future):
    """Awaits a future of hata's loop."""
    return await future


async def test__DurableGatewayClientSharder__new(discord, make_bot):
    """Each shard has its id; before anything is connected there is nothing to be said of latency."""
    gateway = make_bot(discord, shard_count = SHARD_COUNT).gateway
    assert type(gateway) is DurableGatewayClientSharder
    assert [shard.shard_id for shard in gateway.gateways] == [0, 1, 2]
    assert {shard.context for shard in gateway.gateways} == {gateway.context}
    assert gateway.latency == 9999.0
    assert f'shard_count = {SHARD_COUNT}' in repr(gateway)


async def test__DurableGatewayClientSharder__latency(discord, make_bot):
    """The mean of the shards that have one."""
    bot = make_bot(discord, shard_count = SHARD_COUNT)
    first, second, _ = bot.gateway.gateways
    
    def give_hearts():
        for shard, latency in ((first, 0.25), (second, 0.75)):
            shard.driver.kokoro = FakeHeart(latency)
    
    await bot.call(give_hearts)
    assert bot.gateway.latency == 0.5


class FakeHeart:
    """A heart that has a latency."""
    should_run = False
    
    def __init__(self, latency):
        self.latency = latency


async def test__DurableGatewayClientSharder__runs_once(discord, start_run):
    """A second run at the same time is refused, and the first one goes on."""
    bot, task = await start_run()
    with pytest.raises(RuntimeError, match = 'runs already'):
        await bot.run(bot.gateway.run(), 5.0)
    
    assert get_states(bot) == ['ready'] * SHARD_COUNT
    await bot.run(bot.gateway.close(), 5.0)
    assert (await bot.run(get_result(task), 5.0)) is False
    assert discord.recording.close_codes() == [1000] * SHARD_COUNT


async def test__DurableGatewayClientSharder__runs_again(discord, start_run):
    """What was closed, or aborted, runs again; what was aborted with its sessions."""
    bot, task = await start_run()
    await bot.run(bot.gateway.close(), 5.0)
    assert (await bot.run(get_result(task), 5.0)) is False
    
    task = await start_run.again(bot)
    assert discord.recording.identify_count() == 2 * SHARD_COUNT
    await bot.call(bot.gateway.abort)
    assert (await bot.run(get_result(task), 5.0)) is False
    
    await start_run.again(bot)
    assert discord.recording.identify_count() == 2 * SHARD_COUNT
    assert discord.recording.resumed_count() == SHARD_COUNT


async def test__DurableGatewayClientSharder__cancelled(discord, start_run):
    """A run that is cancelled ends every shard at once."""
    bot, task = await start_run()
    await bot.call(task.cancel)
    with pytest.raises(CancelledError):
        await bot.run(get_result(task), 5.0)
    
    assert get_states(bot) == ['stopped'] * SHARD_COUNT
    await discord.wait_for(lambda recording: not discord.connections)
    await bot.wait_for_gateway(lambda: not any(shard.driver.is_running() for shard in bot.gateway.gateways))


@pytest.mark.parametrize('close_code', (4004, 4010, 4011, 4014))
async def test__DurableGatewayClientSharder__fatal(discord, start_run, close_code):
    """What refuses one shard for good ends all of them, the others with 1000."""
    bot, task = await start_run()
    discord.close(1, close_code)
    with pytest.raises(BaseException, match = 'token' if close_code == 4004 else str(close_code)):
        await bot.run(get_result(task), 5.0)
    
    assert get_states(bot) == ['stopped'] * SHARD_COUNT
    await discord.wait_for(lambda recording: not discord.connections)
    assert [discord.recording.close_codes(shard_id) for shard_id in (0, 2)] == [[1000]] * 2
    assert [shard.session_id for shard in bot.gateway.gateways] == [None] * SHARD_COUNT


async def test__DurableGatewayClientSharder__one_shard_is_offline(discord, start_run):
    """
    A shard that cannot connect for longer than the timeout, while others can, goes on trying: the internet is there. What is
    sent on it goes on waiting.
    """
    bot, task = await start_run(gateway_offline_timeout = 0.3)
    shard = bot.gateway.gateways[1]
    refused = discord.fault(Skip(), at = 'connect', times = None)
    discord.cut(1)
    await discord.wait_for(lambda recording: refused.count)
    sending = await bot.call(lambda: Task(KOKORO, shard.send_as_json(build_presence('kept'))))
    await discord.wait_for(lambda recording: refused.count > 1)
    assert not sending.is_done()
    assert not task.is_done()
    
    refused.heal()
    await bot.run(get_result(sending), 10.0)
    assert discord.recording.identify_count() == SHARD_COUNT
    assert discord.recording.connection_count(0) == discord.recording.connection_count(2) == 1
    await bot.run(bot.gateway.close(), 5.0)
    assert (await bot.run(get_result(task), 5.0)) is False


async def test__DurableGatewayClientSharder__all_are_offline(discord, start_run):
    """When no shard can connect the run is over with `True`; each keeps its session, and resumes with the next run."""
    bot, task = await start_run(gateway_offline_timeout = 0.3)
    session_ids = [shard.session_id for shard in bot.gateway.gateways]
    
    discord.stop_listening('gateway', 'resume')
    await bot.wait_for_gateway(lambda: 'ready' not in get_states(bot))
    sending = await bot.call(lambda: Task(KOKORO, bot.gateway.send_as_json(build_presence('kept'))))
    assert (await bot.run(get_result(task), 10.0)) is True
    assert get_states(bot) == ['stopped'] * SHARD_COUNT
    assert [shard.session_id for shard in bot.gateway.gateways] == session_ids
    assert not sending.is_done()
    
    discord.start_listening('gateway', 'resume')
    await start_run.again(bot)
    await bot.run(get_result(sending), 10.0)
    assert [shard.session_id for shard in bot.gateway.gateways] == session_ids
    assert discord.recording.identify_count() == SHARD_COUNT
    await discord.wait_for(lambda recording: len(recording.operations_of(3)) == SHARD_COUNT)


async def test__DurableGatewayClientSharder__send_is_cancelled(discord, start_run):
    """Who stops waiting for a send has it sent on no shard any more."""
    bot, _ = await start_run()
    silence = discord.fault(Skip(), at = 'resume', times = None)
    discord.cut()
    await discord.wait_for(lambda recording: silence.count == SHARD_COUNT)
    
    async def send():
        task = Task(KOKORO, bot.gateway.send_as_json(build_presence('given up')))
        while not all(shard.driver.send_queue.queue for shard in bot.gateway.gateways):
            await sleep(0.001, KOKORO)
        
        task.cancel()
        try:
            await task
        except CancelledError:
            pass
    
    await bot.run(send(), 5.0)
    silence.heal()
    await bot.run(bot.gateway.terminate(), 5.0)
    await bot.wait_for_gateway(lambda: get_states(bot) == ['ready'] * SHARD_COUNT)
    await bot.run(bot.gateway.send_as_json(build_presence('meant')), 5.0)
    await discord.wait_for(lambda recording: len(recording.operations_of(3)) >= SHARD_COUNT)
    assert {operation.data['activities'][0]['name'] for operation in discord.recording.operations_of(3)} == {'meant'}


async def test__DurableGatewayClientSharder__payload_too_large(discord, make_bot):
    """A payload that is too large raises, whether the gateway runs or not."""
    bot = make_bot(discord, shard_count = SHARD_COUNT)
    with pytest.raises(PayloadTooLargeError):
        await bot.run(bot.gateway.send_as_json(build_presence('x' * 4096)), 5.0)


async def test__DurableGatewayClientSharder__one_shard_is_closed(discord, start_run):
    """A single shard that is closed stays down; the others go on, and so does the run."""
    bot, task = await start_run()
    await bot.run(bot.gateway.gateways[1].close(), 5.0)
    assert get_states(bot) == ['ready', 'stopped', 'ready']
    assert discord.recording.close_codes() == [1000]
    
    discord.send_message(shard_id = 2)
    session = discord.session(2)
    await bot.wait_for_gateway(lambda: bot.gateway.gateways[2].sequence == session.sequence)
    assert not task.is_done()
    
    await bot.run(bot.gateway.close(), 5.0)
    assert (await bot.run(get_result(task), 5.0)) is False


async def test__DurableGatewayClientSharder__closed_while_one_fails(discord, start_run):
    """Closing while a shard is being refused for good: the run ends, once, and nothing is left."""
    bot, task = await start_run()
    
    async def close():
        bot.client.running = False
        await bot.gateway.close()
    
    discord.fault(Close(4014), at = 'resume', times = 1)
    discord.cut(0)
    await bot.run(close(), 5.0)
    assert (await bot.run(get_result(task), 5.0)) is False
    assert get_states(bot) == ['stopped'] * SHARD_COUNT
    await discord.wait_for(lambda recording: not discord.connections)
