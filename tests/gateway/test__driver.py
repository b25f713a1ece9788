"""
How a shard's session is driven: begins and ends at every moment, and what comes from within.
"""
import asyncio

import pytest
from hata import InvalidToken, KOKORO
from hata.discord.events.core import PARSERS
from scarletio import CancelledError, Future, LOOP_TIME, Task

from hata_gateway_ext import DurableGatewayClientShard, setup_ext_gateway_ext
from hata_gateway_ext.local_discord import Close, Invalidate, LocalDiscord, Refuse, Skip
from hata_gateway_ext.protocol.transitions import (
    STATE_CONNECTING, STATE_GREETING, STATE_IDENTIFYING, STATE_QUEUED, STATE_READY, STATE_STOPPED,
    STATE_WAITING
)


@pytest.fixture
async def discord():
    """A local Discord, where shards may identify as often as they want."""
    async with LocalDiscord(heartbeat_interval = 0.5, identify_interval = 0.0) as discord:
        yield discord


@pytest.fixture(autouse = True)
def quick_identify(monkeypatch):
    """Shards identify as often as they want, after op 9 at once, and connect again soon."""
    monkeypatch.setattr('hata_gateway_ext.protocol.session.INVALID_PAUSE_MINIMUM', 0.02)
    monkeypatch.setattr('hata_gateway_ext.protocol.session.INVALID_PAUSE_SPREAD', 0.0)
    monkeypatch.setattr('hata_gateway_ext.protocol.identify.IDENTIFY_INTERVAL', 0.0)
    monkeypatch.setattr('hata_gateway_ext.protocol.backoff.DELAY_BASE', 0.01)
    monkeypatch.setattr('hata_gateway_ext.protocol.backoff.DELAY_MAXIMUM', 0.05)


class Run:
    """A gateway that is run without hata's launcher."""
    def __init__(self, bot):
        self.bot = bot
        self.task = None
        self.waiter = None
        self.outcomes = []
    
    
    @property
    def driver(self):
        """Drives the session."""
        return self.bot.gateway.driver
    
    
    async def start(self):
        """Runs the gateway."""
        async def start():
            self.bot.client.running = True
            self.waiter = Future(KOKORO)
            self.task = Task(KOKORO, self.bot.gateway.run(self.waiter))
        
        await self.bot.run(start())
    
    
    async def wait_for_state(self, state):
        """Waits until the shard is in the state."""
        await self.bot.wait_for_gateway(lambda: self.driver.machine.state == state)
    
    
    async def end(self):
        """Waits for the outcome of the run."""
        async def end():
            return await self.task
        
        try:
            return await self.bot.run(end(), 10.0)
        finally:
            self.bot.client.running = False


@pytest.fixture
async def gateway_run(discord, make_bot):
    """A gateway to be run."""
    run = Run(make_bot(discord))
    yield run
    run.bot.client.running = False
    await run.bot.call(run.bot.gateway.abort)


async def get_result(future):
    """Awaits a future of hata's loop."""
    return await future


def build_presence(name):
    """Builds a payload that anyone may send."""
    return {'op': 3, 'd': {'status': 'idle', 'activities': [{'name': name, 'type': 0}], 'since': None, 'afk': False}}


async def assert_is_clean(discord, bot):
    """Nothing is left of a run: no connection, no place in a queue, no timer, and who sends does not wait."""
    driver = bot.gateway.driver
    
    def get_rest():
        queue = driver.identify_queue.limiter
        return (
            driver.connection, driver._ticket, driver._handle, driver._result, queue.get_waiting_count(),
            driver.kokoro is not None and driver.kokoro.should_run, len(driver.send_queue.queue), driver.send_queue._handle,
        )
    
    assert await bot.call(get_rest) == (None, None, None, None, 0, False, 0, None)
    await discord.wait_for(lambda recording: not discord.connections)
    await bot.run(bot.gateway.send_as_json(build_presence('nothing')), 2.0)


# Seconds. No test lives to see the end of it.
FAR = 1000.0

# How a shard is brought into a state: where the local Discord keeps it waiting.
STOPS = (
    (STATE_QUEUED, None),
    (STATE_CONNECTING, 'connect'),
    (STATE_GREETING, 'hello'),
    (STATE_IDENTIFYING, 'identify'),
)


async def bring_into(discord, run, state, stage):
    """Brings a new run into a state."""
    if stage is None:
        limiter = run.driver.identify_queue.limiter
        await run.bot.call(limiter.set_session_start_limit, 1, 0, LOOP_TIME() + FAR, 1)
    else:
        discord.fault(Skip(), at = stage, times = None)
    
    await run.start()
    await run.wait_for_state(state)


@pytest.mark.filterwarnings('ignore:The session start limit is exhausted')
@pytest.mark.parametrize(('state', 'stage'), STOPS)
@pytest.mark.parametrize('how', ('close', 'suspend', 'abort', 'cancel'))
async def test__SessionDriver__ends_anywhere(discord, gateway_run, state, stage, how):
    """However it is ended, wherever it is: at once, with the right outcome, and nothing is left."""
    bot = gateway_run.bot
    await bring_into(discord, gateway_run, state, stage)
    sending = await bot.call(lambda: Task(KOKORO, bot.gateway.send_as_json(build_presence('nothing'))))
    
    if how == 'abort':
        await bot.call(bot.gateway.abort)
    elif how == 'cancel':
        await bot.call(gateway_run.task.cancel)
    else:
        await bot.run(getattr(bot.gateway, how)(), 2.0)
    
    if how == 'cancel':
        with pytest.raises(CancelledError):
            await gateway_run.end()
    else:
        assert (await gateway_run.end()) is False
    
    assert (await bot.run(get_result(gateway_run.waiter))) is False
    await bot.run(get_result(sending), 2.0)
    await assert_is_clean(discord, bot)


async def test__SessionDriver__runs_again(discord, gateway_run):
    """What was closed runs again: a new session, and none of the old one's."""
    session_ids = set()
    for _ in range(3):
        await gateway_run.start()
        assert (await gateway_run.bot.run(get_result(gateway_run.waiter), 10.0)) is True
        session_ids.add(gateway_run.bot.gateway.session_id)
        await gateway_run.bot.run(gateway_run.bot.gateway.close())
        assert (await gateway_run.end()) is False
        await assert_is_clean(discord, gateway_run.bot)
    
    assert len(session_ids) == 3
    assert discord.recording.close_codes() == [1000] * 3


async def test__SessionDriver__resumes_after_abort(discord, gateway_run):
    """What was aborted resumes when it runs again."""
    await gateway_run.start()
    await gateway_run.bot.run(get_result(gateway_run.waiter), 10.0)
    await gateway_run.bot.call(gateway_run.bot.gateway.abort)
    assert (await gateway_run.end()) is False
    
    discord.send_message()
    await gateway_run.start()
    assert (await gateway_run.bot.run(get_result(gateway_run.waiter), 10.0)) is True
    assert gateway_run.bot.gateway.sequence == discord.session(0).sequence
    assert discord.recording.resumed_count() == 1
    assert discord.recording.identify_count() == 1


async def test__SessionDriver__runs_once(discord, gateway_run):
    """A second run at the same time is refused, and says so; the first one goes on."""
    await gateway_run.start()
    await gateway_run.bot.run(get_result(gateway_run.waiter), 10.0)
    
    for run in (gateway_run.bot.gateway.run, gateway_run.bot.gateway.run_driver):
        waiter = Future(KOKORO)
        with pytest.raises(RuntimeError, match = 'runs already'):
            await gateway_run.bot.run(run(waiter))
    
    discord.send_message()
    await gateway_run.bot.wait_for_gateway(lambda: gateway_run.bot.gateway.sequence == discord.session(0).sequence)
    assert discord.recording.connection_count() == 1


async def test__SessionDriver__does_not_run_for_a_stopped_client(discord, make_bot):
    """The run of a client that does not run is over at once."""
    bot = make_bot(discord)
    
    async def run():
        waiter = Future(KOKORO)
        return await bot.gateway.run(waiter), await waiter
    
    assert await bot.run(run(), 2.0) == (False, False)
    assert not discord.recording.connections


async def test__SessionDriver__client_stopped_while_down(discord, gateway_run):
    """A client that is not running any more, though nobody closed its gateway, is noticed at the next deadline."""
    discord.fault(Refuse(503), at = 'connect', times = None)
    await gateway_run.start()
    await gateway_run.wait_for_state(STATE_WAITING)
    gateway_run.bot.client.running = False
    assert (await gateway_run.end()) is False
    await assert_is_clean(discord, gateway_run.bot)


@pytest.mark.parametrize(('close_code', 'name'), ((4004, 'InvalidToken'), (4010, 'Fatal'), (4011, 'DiscordGateway')))
async def test__SessionDriver__fatal(discord, gateway_run, close_code, name):
    """A fatal close code is what the run raises; the session is forgotten, and nothing is left."""
    discord.fault(Close(close_code), at = 'ready_sent', times = 1)
    await gateway_run.start()
    with pytest.raises(BaseException, match = 'token' if close_code == 4004 else str(close_code)) as exception_info:
        await gateway_run.end()
    
    assert type(exception_info.value).__name__.startswith(name)
    assert gateway_run.bot.gateway.session_id is None
    await assert_is_clean(discord, gateway_run.bot)
    
    # It can be run again, with another token perhaps.
    await gateway_run.start()
    assert (await gateway_run.bot.run(get_result(gateway_run.waiter), 10.0)) is True


async def test__SessionDriver__token_refused_by_rest(discord, gateway_run):
    """The look-up of the gateway says that the token is not accepted: so does the run."""
    discord.rest_fault('/gateway/bot', status = 401, times = None)
    await gateway_run.start()
    with pytest.raises(InvalidToken):
        await gateway_run.end()
    
    assert (await gateway_run.bot.run(get_result(gateway_run.waiter))) is False
    await assert_is_clean(discord, gateway_run.bot)


async def test__SessionDriver__suspends_late(discord, make_bot, tmp_path):
    """
    A client that suspends does so only after its voice clients ended. Until then a shard that is down keeps its session,
    although the client does not run any more.
    """
    bot = make_bot(discord, extensions = ())
    setup_ext_gateway_ext(bot.client, gateway_store = f'sqlite:///{tmp_path}/store', gateway_shutdown = 'suspend')
    await bot.start()
    try:
        await bot.wait_for_gateway(lambda: bot.gateway.driver.machine.state == 'ready')
        session_id = bot.gateway.session_id
        
        refused = discord.fault(Refuse(503), at = 'connect', times = None)
        discord.cut()
        await discord.wait_for(lambda recording: refused.count)
        bot.client.running = False
        count = refused.count
        await discord.wait_for(lambda recording: refused.count > count)
        assert bot.gateway.session_id == session_id
    finally:
        bot.client.running = True
        await bot.stop()


async def test__SessionDriver__aborted_by_a_parser(discord, run_bot, monkeypatch):
    """A parser that aborts the gateway in the middle of a read: what comes behind it in the same read is not dispatched."""
    async with run_bot(discord, gateway_compression = 'none') as bot:
        gateway = bot.gateway
        seen = []
        
        def message_create(client, data):
            seen.append(data['content'])
            if len(seen) == 2:
                client.running = False
                client.gateway.abort()
        
        monkeypatch.setitem(PARSERS, 'MESSAGE_CREATE', message_create)
        sequence = gateway.sequence
        discord.send_messages(50)
        await bot.wait_until_down()
        await bot.wait_for_gateway(lambda: gateway.driver._result is None)
        
        assert seen == ['#0', '#1']
        # The event counts: its parser has it.
        assert gateway.sequence == sequence + 2
        assert gateway.driver.machine.state == STATE_STOPPED


@pytest.mark.parametrize('name', ('READY', 'RESUMED'))
async def test__SessionDriver__aborted_by_the_parser_of(discord, make_bot, monkeypatch, name):
    """Aborting in the parsers of READY and RESUMED: the session that was just reached is kept, and no send is opened."""
    bot = make_bot(discord)
    gateway = bot.gateway
    await bot.start()
    await bot.wait_for_gateway(lambda: gateway.driver.machine.state == 'ready')
    parser = PARSERS.get(name, None)
    
    def abort(client, data):
        if parser is not None:
            parser(client, data)
        
        client.running = False
        client.gateway.abort()
    
    # hata puts the parsers in that a running client needs.
    monkeypatch.setitem(PARSERS, name, abort)
    if name == 'READY':
        discord.end_sessions()
    
    discord.cut()
    await bot.wait_until_down()
    await bot.wait_for_gateway(lambda: gateway.driver._result is None)
    
    assert gateway.session_id == discord.session(0).session_id
    # READY is the first event of its session; what came behind it was not dispatched, and will come again.
    assert gateway.sequence == (1 if name == 'READY' else discord.session(0).sequence)
    assert gateway.driver.machine.state == STATE_STOPPED
    assert not gateway.driver.send_queue._open


async def test__SessionDriver__stopped_by_a_handler(discord, make_bot):
    """A handler may stop its own client."""
    bot = make_bot(discord)
    
    async def message_create(client, message):
        await client.disconnect()
    
    bot.client.events(message_create, overwrite = True)
    await bot.start()
    await discord.wait_for(lambda recording: recording.ready_count())
    discord.send_message()
    await bot.wait_until_down()
    await discord.wait_for(lambda recording: recording.close_codes() == [1000])
    await assert_is_clean(discord, bot)


@pytest.mark.parametrize('is_down', (False, True))
async def test__SessionDriver__what_voice_clients_say_at_the_end(discord, run_bot, is_down):
    """What is sent while the client is being stopped goes out, and holds nothing up while the gateway is down."""
    states = []
    
    async def voice_client_shutdown(client):
        await client.gateway.change_voice_state(1 << 22, 0)
        states.append(client.gateway.driver.machine.state)
    
    async with run_bot(discord) as bot:
        bot.client.events(voice_client_shutdown)
        if is_down:
            refused = discord.fault(Refuse(503), at = 'connect', times = None)
            discord.cut()
            await discord.wait_for(lambda recording: refused.count)
        
        await asyncio.wait_for(bot.stop(), 10.0)
        if is_down:
            assert states and (STATE_READY not in states)
        else:
            assert states == [STATE_READY]
            await discord.wait_for(lambda recording: recording.operations_of(4))


async def test__SessionDriver__terminated_by_a_handler(discord, run_bot):
    """A handler may terminate the gateway; nothing is lost."""
    async with run_bot(discord) as bot:
        async def message_create(client, message):
            bot.numbers.append(int(message.content[1:]))
            bot._notify()
            await client.gateway.terminate()
        
        bot.client.events(message_create, overwrite = True)
        for number in range(5):
            discord.send_message()
            await bot.wait_for(lambda number = number: number in bot.numbers)
        
        await discord.wait_for(lambda recording: recording.resumed_count() >= 1)
        await bot.wait_for(lambda: bot.numbers == [0, 1, 2, 3, 4])
        assert discord.recording.identify_count() == 1


async def test__SessionDriver__send_while_dispatching(discord, run_bot, monkeypatch):
    """What a parser sends goes out, in order, on the connection that it came over."""
    async with run_bot(discord):
        tasks = []
        
        def message_create(client, data):
            tasks.append(Task(KOKORO, client.gateway.send_as_json(build_presence(data['content']))))
        
        monkeypatch.setitem(PARSERS, 'MESSAGE_CREATE', message_create)
        discord.send_messages(10)
        operations = await discord.wait_for(
            lambda recording: len(recording.operations_of(3)) == 10 and recording.operations_of(3)
        )
        assert [operation.data['activities'] for operation in operations] == [
            [{'name': f'#{number}', 'type': 0}] for number in range(10)
        ]
        assert discord.recording.connection_count() == 1


async def test__SessionDriver__invalidated_again_and_again(discord, gateway_run):
    """Sessions that end at once are begun anew, after a pause each; no two places in the queue are held."""
    discord.fault(Invalidate(), at = 'identify', times = 6)
    await gateway_run.start()
    assert (await gateway_run.bot.run(get_result(gateway_run.waiter), 10.0)) is True
    assert discord.recording.identify_count() == 7
    assert gateway_run.driver.identify_queue.limiter.get_waiting_count() == 0
    await gateway_run.bot.run(gateway_run.bot.gateway.close())
    await gateway_run.end()
    await assert_is_clean(discord, gateway_run.bot)


@pytest.mark.parametrize('stage', ('connect', 'hello'))
async def test__SessionDriver__offline(discord, make_bot, stage):
    """
    With `gateway_offline_timeout` the run is over with `True` once no connection said HELLO for that long; the session is
    kept, and who sends goes on waiting until it runs again.
    """
    bot = make_bot(discord, gateway_offline_timeout = 0.3)
    run = Run(bot)
    assert type(bot.gateway) is DurableGatewayClientShard
    await run.start()
    await bot.run(get_result(run.waiter), 10.0)
    session_id = bot.gateway.session_id
    
    silence = discord.fault(Skip(), at = stage, times = None)
    discord.cut()
    await run.wait_for_state(STATE_CONNECTING if stage == 'connect' else STATE_GREETING)
    sending = await bot.call(lambda: Task(KOKORO, bot.gateway.send_as_json(build_presence('kept'))))
    assert (await run.end()) is True
    assert bot.gateway.session_id == session_id
    assert not sending.is_done()
    assert bot.gateway.driver._handle is None
    
    silence.heal()
    await run.start()
    await bot.run(get_result(sending), 10.0)
    assert discord.recording.resumed_count() == 1
    assert discord.recording.identify_count() == 1
    operation, = await discord.wait_for(lambda recording: recording.operations_of(3))
    assert operation.data['activities'][0]['name'] == 'kept'
    
    await bot.run(bot.gateway.close())
    assert (await run.end()) is False
    await assert_is_clean(discord, bot)


async def test__SessionDriver__repr(discord, gateway_run):
    """The reprs of what belongs to a session show neither token nor session id."""
    await gateway_run.start()
    await gateway_run.bot.run(get_result(gateway_run.waiter), 10.0)
    driver = gateway_run.driver
    
    secrets = (discord.token, driver.machine.session.session_id)
    for thing in (
        driver, driver.machine, driver.machine.session, driver.connection, driver.connection.dispatcher,
        driver.kokoro, driver.send_queue, driver.counts, driver.connect_troubles, driver.reports, driver.discovery,
        driver.identify_queue, driver.identify_queue.limiter, driver.gateway, driver.gateway.context, driver.configuration,
        driver.connection.web_socket, driver.gateway.gateways, driver.client.client_gateway_reshard,
    ):
        assert not any(secret in repr(thing) for secret in secrets)
