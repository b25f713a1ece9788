"""
The identify queue of an application, on hata's loop: the limiter is the real one, the shards are fakes, and so is the clock.
"""
from gc import collect
from inspect import signature
from warnings import catch_warnings, simplefilter

import pytest
from hata import KOKORO
from scarletio import Future, LOOP_TIME

from hata_gateway_ext.gateway import identify_queue as identify_queue_module
from hata_gateway_ext.gateway.identify_queue import IDENTIFY_QUEUES, IdentifyQueue, get_identify_queue
from hata_gateway_ext.local_discord import LocalDiscord
from hata_gateway_ext.protocol.identify import IDENTIFY_INTERVAL, IDENTIFY_MARGIN, SESSION_START_WINDOW

TIMEOUT = 10.0


class FakeDriver:
    """A shard that keeps what it is told, and is ready to identify when it is told to connect."""
    def __init__(self, queue, shard_id, told, is_quick = True):
        self.queue = queue
        self.shard_id = shard_id
        self.told = told
        self.is_quick = is_quick
        self.is_connecting = False
        self.refreshed = Future(KOKORO)
        self.ticket = queue.enqueue(self, shard_id)
    
    
    def identify_near(self):
        if not self.is_connecting:
            self.is_connecting = True
            self.told.append(('near', self.shard_id))
            if self.is_quick:
                self.queue.set_ready(self.ticket)
    
    
    def identify_permitted(self):
        self.told.append(('permitted', self.shard_id))
    
    
    async def refresh_discovery(self):
        self.told.append(('refresh', self.shard_id))
        await self.refreshed


class Clock:
    """The time of the identify queue."""
    def __init__(self):
        self.now = LOOP_TIME()
    
    
    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still."""
    clock = Clock()
    monkeypatch.setattr(identify_queue_module, 'LOOP_TIME', clock)
    return clock


@pytest.fixture
def told():
    """What the shards were told, in order."""
    return []


@pytest.fixture
def queue(clock):
    """An identify queue. What is armed is called by hand, through `advance`."""
    queue = IdentifyQueue()
    yield queue
    run(call(disarm, queue))


def disarm(queue):
    """Disarms the timer of a queue."""
    if queue._handle is not None:
        queue._handle.cancel()
        queue._handle = None


def advance(queue):
    """Lets the queue do what is due, until nothing is due any more. Returns when it wakes up next."""
    while (queue._handle is not None) and (queue._handle.when <= identify_queue_module.LOOP_TIME()):
        queue._advance()
    
    return None if queue._handle is None else queue._handle.when


def set_limit(queue, total = 1000, remaining = 1000, reset_after = 86_400_000, max_concurrency = 1):
    """Gives a queue a session start limit."""
    queue.set_session_start_limit({
        'total': total, 'remaining': remaining, 'reset_after': reset_after, 'max_concurrency': max_concurrency,
    })


def run(coroutine):
    """Runs a coroutine on hata's loop."""
    return KOKORO.run(coroutine, TIMEOUT)


async def call(function, *arguments):
    """Calls a function on hata's loop."""
    return function(*arguments)


def on_loop(function):
    """Makes a coroutine function a test that runs on hata's loop."""
    def test(**fixtures):
        run(function(**fixtures))
    
    test.__signature__ = signature(function)
    test.__name__ = function.__name__
    test.__doc__ = function.__doc__
    return test


@on_loop
async def test__IdentifyQueue__later(queue, told):
    """Nobody is told from within a call of theirs."""
    driver = FakeDriver(queue, 0, told)
    assert told == []
    queue.set_ready(driver.ticket)
    assert told == []
    advance(queue)
    assert told[-1] == ('permitted', 0)


@on_loop
async def test__IdentifyQueue__bucket(queue, clock, told):
    """One identify per window and bucket; the next two shards of a bucket connect, the others wait without a connection."""
    for shard_id in range(4):
        FakeDriver(queue, shard_id, told)
    
    wake_up_at = advance(queue)
    assert told == [('near', 0), ('near', 1), ('permitted', 0), ('near', 2)]
    assert wake_up_at == clock.now + IDENTIFY_INTERVAL + IDENTIFY_MARGIN
    
    clock.now = wake_up_at
    assert advance(queue) == wake_up_at + IDENTIFY_INTERVAL + IDENTIFY_MARGIN
    assert told[4:] == [('permitted', 1), ('near', 3)]


@on_loop
async def test__IdentifyQueue__buckets_side_by_side(queue, told):
    """The buckets of `max_concurrency` do not wait for each other."""
    set_limit(queue, max_concurrency = 4)
    for shard_id in range(8):
        FakeDriver(queue, shard_id, told)
    
    advance(queue)
    assert {shard_id for what, shard_id in told if what == 'permitted'} == {0, 1, 2, 3}


@on_loop
async def test__IdentifyQueue__slow_shard(queue, told):
    """A shard that connects slowly does not hold up the one behind it."""
    FakeDriver(queue, 0, told, is_quick = False)
    FakeDriver(queue, 1, told)
    advance(queue)
    assert ('permitted', 1) in told
    assert ('permitted', 0) not in told


@on_loop
async def test__IdentifyQueue__withdraw(queue, told):
    """Who gives its place back is not told any more; the next one moves up."""
    drivers = [FakeDriver(queue, shard_id, told, is_quick = False) for shard_id in range(3)]
    advance(queue)
    queue.withdraw(drivers[0].ticket)
    advance(queue)
    assert told == [('near', 0), ('near', 1), ('near', 2)]
    
    for driver in drivers:
        queue.withdraw(driver.ticket)
    
    advance(queue)
    assert queue.limiter.get_waiting_count() == 0
    assert queue._handle is None


@on_loop
async def test__IdentifyQueue__exhausted(queue, clock, told):
    """
    While the limit is exhausted nobody connects, which is warned about once; when it is reset it is asked for anew, by one
    shard, and who waited goes on with what Discord says then.
    """
    set_limit(queue, remaining = 0, reset_after = 600_000, max_concurrency = 2)
    drivers = [FakeDriver(queue, shard_id, told) for shard_id in range(2)]
    
    with pytest.warns(RuntimeWarning, match = r'2 shard\(s\) wait for 600 seconds') as warnings:
        wake_up_at = advance(queue)
        FakeDriver(queue, 2, told)
        advance(queue)
    
    assert len(warnings) == 1
    assert told == []
    assert wake_up_at == clock.now + 600.0
    
    clock.now = wake_up_at
    advance(queue)
    refresh_task = queue._refresh_task
    await call(int)
    queue._schedule(0.0)
    advance(queue)
    
    set_limit(queue, max_concurrency = 2)
    drivers[0].refreshed.set_result(None)
    await refresh_task
    advance(queue)
    assert told[0] == ('refresh', 0)
    assert [what for what, _ in told].count('refresh') == 1
    assert {shard_id for what, shard_id in told if what == 'permitted'} == {0, 1}
    assert queue.limiter.remaining == 998


@on_loop
async def test__IdentifyQueue__exhausted_on_the_way(queue, clock, told):
    """The count is kept between requests: who takes the last start has the others wait, and that is warned about as well."""
    set_limit(queue, remaining = 1, reset_after = 600_000)
    for shard_id in range(2):
        FakeDriver(queue, shard_id, told)
    
    with pytest.warns(RuntimeWarning, match = r'1 shard\(s\) wait for 600 seconds') as warnings:
        assert advance(queue) == clock.now + 600.0
    
    assert len(warnings) == 1
    assert [entry for entry in told if entry[0] == 'permitted'] == [('permitted', 0)]
    
    clock.now += 600.0
    advance(queue)
    assert queue._refresh_task is not None
    queue._refresh_task.cancel()


@on_loop
async def test__IdentifyQueue__last_start(queue, told):
    """Nobody is warned when nobody waits."""
    set_limit(queue, remaining = 1)
    FakeDriver(queue, 0, told)
    with catch_warnings():
        simplefilter('error')
        advance(queue)
    
    assert ('permitted', 0) in told


@on_loop
async def test__IdentifyQueue__warning_raises(queue, clock, told):
    """Where warnings are made errors, the queue goes on nevertheless."""
    set_limit(queue, remaining = 0, reset_after = 600_000)
    FakeDriver(queue, 0, told)
    
    with catch_warnings():
        simplefilter('error')
        with pytest.raises(RuntimeWarning):
            advance(queue)
    
    assert queue._handle.when == clock.now + 600.0


@pytest.mark.parametrize(
    'data',
    (
        None, [], 'limit', {},
        {'total': 10, 'remaining': 0, 'reset_after': None},
        {'total': 10, 'remaining': '0', 'reset_after': 1},
        {'total': None, 'remaining': 0, 'reset_after': 1},
        {'total': True, 'remaining': 0, 'reset_after': 1},
        {'total': 0, 'remaining': 0, 'reset_after': 1},
        {'total': -1, 'remaining': 0, 'reset_after': 1},
        {'total': 10, 'remaining': 0, 'reset_after': float('nan')},
        {'total': 10, 'remaining': 0, 'reset_after': float('inf')},
        {'total': 10, 'remaining': 0, 'reset_after': -1},
        {'total': 10, 'remaining': 0, 'reset_after': 1, 'max_concurrency': 0},
        {'total': 10, 'remaining': 0, 'reset_after': 1, 'max_concurrency': 10 ** 12},
        {'total': 10, 'remaining': 0, 'reset_after': 1, 'max_concurrency': '1'},
    ),
    ids = repr,
)
def test__IdentifyQueue__set_session_start_limit__malformed(queue, data):
    """A limit that makes no sense is not taken over."""
    run(call(queue.set_session_start_limit, data))
    assert queue.limiter.remaining is None
    assert queue.limiter.max_concurrency == 1


def test__IdentifyQueue__set_session_start_limit(queue, clock):
    """One that makes sense is; milliseconds become a time."""
    run(call(set_limit, queue, 1000, 7, SESSION_START_WINDOW * 1000.0, 16))
    limiter = queue.limiter
    assert (limiter.total, limiter.remaining, limiter.max_concurrency) == (1000, 7, 16)
    assert limiter.reset_at == clock.now + SESSION_START_WINDOW


def test__get_identify_queue():
    """There is one for each application in a process, also after its client is gone; tokens are not kept for it."""
    queue = get_identify_queue('a')
    queue_id = id(queue)
    assert get_identify_queue('a') is queue
    assert get_identify_queue('b') is not queue
    
    del queue
    collect()
    assert id(get_identify_queue('a')) == queue_id
    assert 'a' not in IDENTIFY_QUEUES


async def test__get_identify_queue__of_a_client(make_bot):
    """Each client uses the one of its application, which shows no token."""
    async with LocalDiscord(accept_any_token = True) as discord:
        first = make_bot(discord)
        second = make_bot(discord, token = 'MTIzNDU2Nzg5MDEyMzQ1Njc4.GAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')
        queue = first.gateway.context.identify_queue
        assert queue is get_identify_queue(discord.token)
        assert queue is not second.gateway.context.identify_queue
        assert discord.token not in repr(queue)
