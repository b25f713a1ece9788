"""
The send queue of a shard, on hata's loop. The web socket and the clock are fakes; timers are armed for real, and called by
hand.
"""
import pytest
from hata import KOKORO
from scarletio import LOOP_TIME, Task
from scarletio.web_common import ConnectionClosed

from hata_gateway_ext import GatewaySendReport
from hata_gateway_ext.gateway import send_queue as send_queue_module
from hata_gateway_ext.gateway.send_queue import DOWN_QUEUE_LIMIT, DOWN_TIMEOUT, SendQueue
from hata_gateway_ext.protocol.rate_limit import SEND_LIMIT, SEND_WINDOW, SEND_WINDOW_MARGIN

TIMEOUT = 10.0

# With an interval of 60 s three permits are reserved: one heartbeat, and two more.
INTERVAL = 60.0
SHARE = SEND_LIMIT - 3


class FakeWebSocket:
    """A web socket that keeps what is sent."""
    def __init__(self):
        self.sent = []
        self.closed = False
    
    
    def send_message(self, data):
        if self.closed:
            raise ConnectionClosed(1006, None, '')
        
        self.sent.append(data)


class RecordingReports:
    """Keeps reports, as ``Reports`` decides about them."""
    def __init__(self):
        self.reported = []
        self.open = set()
    
    
    def report_once(self, trouble, exception, occurrence = None):
        if trouble not in self.open:
            self.open.add(trouble)
            self.reported.append(exception)
    
    
    def settle(self, trouble):
        self.open.discard(trouble)


class Clock:
    """The time of the send queue."""
    def __init__(self):
        self.now = LOOP_TIME()
    
    
    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still."""
    clock = Clock()
    monkeypatch.setattr(send_queue_module, 'LOOP_TIME', clock)
    return clock


@pytest.fixture
def reports():
    """Where dropped payloads are reported."""
    return RecordingReports()


@pytest.fixture
def queue(clock, reports):
    """A send queue that does not run."""
    queue = SendQueue(1, reports)
    yield queue
    run(call(queue.stop))


def run(coroutine):
    """Runs a coroutine on hata's loop."""
    return KOKORO.run(coroutine, TIMEOUT)


async def call(function, *arguments):
    """Calls a function on hata's loop."""
    return function(*arguments)


async def start_sending(queue, *payloads):
    """Sends without waiting. Returns the tasks, each of which has made its first step."""
    tasks = [Task(KOKORO, queue.send(payload)) for payload in payloads]
    marker = Task(KOKORO, call(int))
    await marker
    return tasks


async def bring_up(queue):
    """Starts the queue, with a connection that is ready. Returns the connection."""
    web_socket = FakeWebSocket()
    queue.start()
    queue.connect(web_socket, INTERVAL)
    queue.open()
    return web_socket


def test__SendQueue__not_running(queue):
    """On a shard that does not run a send returns at once, and so does a permit."""
    async def test():
        assert (await queue.send('a')) is False
        assert (await queue) is False
        assert queue.send_reserved('b') is False
        assert not queue.queue
    
    run(test())


def test__SendQueue__open(queue):
    """Payloads go out at once, in order; a permit of its own counts as a payload."""
    async def test():
        web_socket = await bring_up(queue)
        assert (await queue.send('a')) is True
        assert (await queue) is True
        assert (await queue.send('b')) is True
        
        assert web_socket.sent == ['a', 'b']
        assert queue.sent == 2
        assert queue.remaining == SHARE - 3
        assert queue.resets_at == send_queue_module.LOOP_TIME()
    
    run(test())


def test__SendQueue__waits_until_open(queue):
    """What is sent before READY or RESUMED waits, and goes out in order; what is reserved does not wait."""
    async def test():
        queue.start()
        tasks = await start_sending(queue, 'a', 'b')
        assert queue.send_reserved('too early') is False
        
        web_socket = FakeWebSocket()
        queue.connect(web_socket, INTERVAL)
        tasks += await start_sending(queue, 'c')
        assert queue.send_reserved('identify') is True
        assert web_socket.sent == ['identify']
        
        queue.open()
        assert [await task for task in tasks] == [True, True, True]
        assert web_socket.sent == ['identify', 'a', 'b', 'c']
    
    run(test())


def test__SendQueue__window(queue, clock):
    """200 at once: the share of the window leaves at once, heartbeats still do, and the rest follows in order."""
    async def test():
        payloads = [str(number) for number in range(200)]
        web_socket = await bring_up(queue)
        tasks = await start_sending(queue, *payloads)
        assert web_socket.sent == payloads[: SHARE]
        assert queue.remaining == 0
        
        assert queue.send_reserved('heartbeat') is True
        assert web_socket.sent.pop() == 'heartbeat'
        
        # One that comes later does not overtake.
        tasks += await start_sending(queue, 'later')
        assert queue.resets_at == clock.now + SEND_WINDOW + SEND_WINDOW_MARGIN
        
        clock.now = queue.resets_at
        queue._wake_up()
        assert [await task for task in tasks] == [True] * 201
        assert web_socket.sent == [*payloads, 'later']
    
    run(test())


def test__SendQueue__new_window(queue):
    """A new connection has a new window, and what waited for the old one goes out on it."""
    async def test():
        await bring_up(queue)
        tasks = await start_sending(queue, *map(str, range(SHARE + 2)))
        assert len(queue.queue) == 2
        
        queue.disconnect()
        web_socket = FakeWebSocket()
        queue.connect(web_socket, INTERVAL)
        assert queue.remaining == SHARE
        queue.open()
        assert [await task for task in tasks] == [True] * (SHARE + 2)
        assert web_socket.sent == [str(SHARE), str(SHARE + 1)]
    
    run(test())


def test__SendQueue__lost_unnoticed(queue):
    """A connection that turns out to be closed at the send costs nothing: the payload goes out on the next one."""
    async def test():
        web_socket = await bring_up(queue)
        web_socket.closed = True
        first, = await start_sending(queue, 'a')
        queue._wake_up()
        second, = await start_sending(queue, 'b')
        assert not first.is_done()
        
        queue.disconnect()
        web_socket = FakeWebSocket()
        queue.connect(web_socket, INTERVAL)
        queue.open()
        assert (await first) and (await second)
        assert web_socket.sent == ['a', 'b']
        assert queue.send_reserved('c') is True
    
    run(test())


def test__SendQueue__expires(queue, clock, reports):
    """After a minute without a connection payloads are dropped, counted, and reported once."""
    async def test():
        queue.start()
        old, permit = await start_sending(queue, 'a', None)
        clock.now += DOWN_TIMEOUT - 1.0
        new, = await start_sending(queue, 'b')
        
        clock.now += 1.0
        queue._wake_up()
        assert (await old) is False
        assert (await permit) is False
        assert not new.is_done()
        # A permit that nobody got is no payload.
        assert queue.dropped == 1
        report, = reports.reported
        assert type(report) is GatewaySendReport
        assert report.shard_id == 1
        assert report.count == 1
        assert '60 seconds' in str(report)
        
        clock.now += DOWN_TIMEOUT
        queue._wake_up()
        assert (await new) is False
        assert queue.dropped == 2
        assert len(reports.reported) == 1
        assert queue._handle is None
    
    run(test())


def test__SendQueue__expires_from_the_loss_on(queue, clock):
    """What waited for the window when the connection was lost gets its minute from then on."""
    async def test():
        await bring_up(queue)
        *_, task = await start_sending(queue, *map(str, range(SHARE + 1)))
        clock.now += DOWN_TIMEOUT
        queue.disconnect()
        queue._wake_up()
        assert not task.is_done()
        
        clock.now += DOWN_TIMEOUT
        queue._wake_up()
        assert (await task) is False
    
    run(test())


def test__SendQueue__is_bounded(queue, reports):
    """While down, one more than the limit is dropped at once; who gave up waiting does not count."""
    async def test():
        queue.start()
        tasks = await start_sending(queue, *map(str, range(DOWN_QUEUE_LIMIT)))
        assert (await queue.send('too much')) is False
        assert queue.dropped == 1
        assert len(reports.reported) == 1
        
        tasks.pop(3).cancel()
        one_more, = await start_sending(queue, 'one more')
        assert not one_more.is_done()
        assert queue.dropped == 1
        
        web_socket = FakeWebSocket()
        queue.connect(web_socket, INTERVAL)
        queue.open()
        assert web_socket.sent == [str(number) for number in range(SHARE + 1) if number != 3]
        assert queue.queue[-1].data == 'one more'
    
    run(test())


def test__SendQueue__cancelled(queue):
    """Who stops waiting is not sent, and nobody waits behind them."""
    async def test():
        queue.start()
        first, second = await start_sending(queue, 'a', 'b')
        first.cancel()
        
        web_socket = FakeWebSocket()
        queue.connect(web_socket, INTERVAL)
        queue.open()
        assert (await second) is True
        assert web_socket.sent == ['b']
    
    run(test())


def test__SendQueue__stop(queue):
    """Stopping releases everyone who waits, and counts what is dropped; nothing is left armed."""
    async def test():
        queue.start()
        tasks = await start_sending(queue, 'a', 'b')
        queue.stop()
        assert [await task for task in tasks] == [False, False]
        assert queue.dropped == 2
        assert queue._handle is None
        assert (await queue.send('c')) is False
    
    run(test())


def test__SendQueue__pause(queue, clock):
    """Over a pause payloads go on waiting, and no longer than without it; further ones are not taken."""
    async def test():
        queue.start()
        first, = await start_sending(queue, 'a')
        clock.now += 1.0
        second, = await start_sending(queue, 'b')
        clock.now += DOWN_TIMEOUT - 2.0
        
        queue.pause()
        assert (await queue.send('c')) is False
        assert not first.is_done()
        
        queue.start()
        clock.now += 1.0
        queue._wake_up()
        assert (await first) is False
        
        web_socket = FakeWebSocket()
        queue.connect(web_socket, INTERVAL)
        queue.open()
        assert (await second) is True
        assert web_socket.sent == ['b']
    
    run(test())


def test__SendQueue__expires_while_paused(queue, clock, reports):
    """A pause that lasts too long drops what waits, as being down does."""
    async def test():
        queue.start()
        task, = await start_sending(queue, 'a')
        queue.pause()
        assert queue._handle is not None
        clock.now += DOWN_TIMEOUT
        queue._wake_up()
        assert (await task) is False
        assert len(reports.reported) == 1
    
    run(test())


def test__SendQueue__each_shard_reports(clock, reports):
    """What one shard drops is reported whatever the others do, and once although others come and go."""
    async def test():
        queues = [SendQueue(shard_id, reports) for shard_id in range(3)]
        for queue in queues[: 2]:
            queue.start()
            await start_sending(queue, 'a')
        
        clock.now += DOWN_TIMEOUT
        for queue in queues[: 2]:
            queue._wake_up()
        
        assert [report.shard_id for report in reports.reported] == [0, 1]
        
        await bring_up(queues[2])
        clock.now += DOWN_TIMEOUT
        await start_sending(queues[0], 'b')
        clock.now += DOWN_TIMEOUT
        queues[0]._wake_up()
        assert queues[0].dropped == 2
        assert len(reports.reported) == 2
        
        for queue in queues:
            queue.stop()
    
    run(test())


def test__SendQueue__repr(queue):
    """The repr shows no payload."""
    async def test():
        queue.start()
        await start_sending(queue, 'a secret')
        assert 'secret' not in repr(queue)
        assert 'waiting = 1' in repr(queue)
    
    run(test())
