"""
The heart of a shard, on hata's loop. The clock and the connection are fakes; timers are armed for real, and called by hand.
"""
import pytest
from hata import KOKORO
from hata.discord.gateway.constants import LATENCY_DEFAULT
from scarletio import LOOP_TIME

from hata_gateway_ext.gateway import kokoro as kokoro_module
from hata_gateway_ext.gateway.kokoro import Kokoro
from hata_gateway_ext.protocol.heartbeat import (
    HEARTBEAT_SILENT, HEARTBEAT_UNACKNOWLEDGED, SILENCE_MAXIMUM, STALL_TOLERANCE
)

TIMEOUT = 10.0
INTERVAL = 40.0


class FakeWebSocket:
    """What the heart looks at of a connection."""
    def __init__(self, now):
        self.last_received_at = now
        self.has_backlog = False


class FakeDriver:
    """The driver of a shard, as far as its heart knows it."""
    def __init__(self):
        self.gateway = object()
        self.heartbeats = 0
        self.can_send = True
        self.next_permit_at = 0.0
        self.shard_id = 2
        self.verdicts = []
    
    
    def send_heartbeat(self):
        self.heartbeats += self.can_send
        return self.can_send
    
    
    def get_next_permit_at(self):
        return self.next_permit_at
    
    
    def zombie_found(self, verdict):
        self.verdicts.append(verdict)


class Clock:
    """The time of the heart."""
    def __init__(self):
        self.now = LOOP_TIME()
    
    
    def __call__(self):
        return self.now


class Heart:
    """A heart with everything around it."""
    def __init__(self, clock):
        self.clock = clock
        self.driver = FakeDriver()
        self.kokoro = Kokoro(self.driver)
        self.web_socket = None
    
    
    def start(self, jitter = 0.5):
        """There is a new connection."""
        self.web_socket = FakeWebSocket(self.clock.now)
        self.kokoro.start(self.web_socket, INTERVAL, jitter)
    
    
    def receive(self):
        """Anything is received."""
        self.web_socket.last_received_at = self.clock.now
    
    
    def acknowledge(self, after):
        """An acknowledgement is received."""
        self.clock.now += after
        self.receive()
        self.kokoro.answered()
    
    
    def sleep(self):
        """Lets the time pass until the timer runs out. Returns how long that is."""
        duration = self.kokoro.runner.when - self.clock.now
        self.clock.now = self.kokoro.runner.when
        self.kokoro._wake_up()
        return duration


@pytest.fixture
def heart(monkeypatch):
    """A heart that does not beat yet."""
    clock = Clock()
    monkeypatch.setattr(kokoro_module, 'LOOP_TIME', clock)
    heart = Heart(clock)
    yield heart
    run(call(heart.kokoro.stop))


def run(coroutine):
    """Runs a coroutine on hata's loop."""
    return KOKORO.run(coroutine, TIMEOUT)


async def call(function, *arguments):
    """Calls a function on hata's loop."""
    return function(*arguments)


def test__Kokoro__new(heart):
    """Before the first connection there is nothing."""
    kokoro = heart.kokoro
    assert kokoro.latency == LATENCY_DEFAULT
    assert kokoro.latencies == ()
    assert kokoro.gateway is heart.driver.gateway
    assert not kokoro.should_run
    assert kokoro.beat_now() is False
    kokoro.answered()
    assert kokoro.latency == LATENCY_DEFAULT
    assert kokoro.last_answer == 0.0
    assert repr(kokoro) == f'<Kokoro shard_id = 2, state = dormant, interval = {kokoro.interval!r}>'


def test__Kokoro__beats(heart):
    """The first heartbeat after a random part of the interval, the following ones an interval later each."""
    async def test():
        heart.start(0.25)
        assert heart.kokoro.should_run
        assert 'beating' in repr(heart.kokoro)
        assert heart.sleep() == pytest.approx(INTERVAL * 0.25)
        assert heart.driver.heartbeats == 1
        assert heart.kokoro.last_send == heart.clock.now
        
        heart.acknowledge(0.125)
        assert heart.kokoro.latency == pytest.approx(0.125)
        assert heart.kokoro.last_answer == heart.clock.now
        heart.sleep()
        assert heart.driver.heartbeats == 1, 'The silence was checked, and was none.'
        heart.sleep()
        assert heart.driver.heartbeats == 2
        assert heart.clock.now - heart.kokoro.last_answer == pytest.approx(INTERVAL - 0.125)
    
    run(test())


def test__Kokoro__silent(heart):
    """Nothing at all after a heartbeat, and at the second look either: the connection is dead."""
    async def test():
        heart.start(0.0)
        heart.sleep()
        assert heart.sleep() == pytest.approx(SILENCE_MAXIMUM)
        assert heart.driver.verdicts == []
        assert heart.sleep() == pytest.approx(STALL_TOLERANCE)
        assert heart.driver.verdicts == [HEARTBEAT_SILENT]
    
    run(test())


def test__Kokoro__backlog_is_no_silence(heart):
    """What was received and is not handled yet counts: it is we who are slow."""
    async def test():
        heart.start(0.0)
        heart.sleep()
        heart.web_socket.has_backlog = True
        while heart.driver.heartbeats == 1:
            heart.sleep()
        
        assert heart.driver.verdicts == []
    
    run(test())


def test__Kokoro__unacknowledged(heart):
    """There is traffic, but two heartbeats in a row stay unacknowledged until the third is due."""
    async def test():
        heart.start(0.0)
        while not heart.driver.verdicts:
            heart.sleep()
            heart.receive()
        
        assert heart.driver.verdicts == [HEARTBEAT_UNACKNOWLEDGED]
        assert heart.driver.heartbeats == 2
    
    run(test())


def test__Kokoro__beat_now(heart):
    """A heartbeat out of turn neither puts off the next one, nor counts as one that must be acknowledged."""
    async def test():
        heart.start(0.5)
        due_at = heart.kokoro.runner.when
        for _ in range(5):
            assert heart.kokoro.beat_now() is True
            heart.receive()
        
        while heart.driver.heartbeats == 5:
            heart.clock.now = heart.kokoro.runner.when
            heart.receive()
            heart.kokoro._wake_up()
        
        assert heart.clock.now == due_at
        assert heart.driver.verdicts == []
    
    run(test())


def test__Kokoro__cannot_send(heart):
    """While the send window is full the heartbeat is put off to the next permit; it does not spin."""
    async def test():
        heart.start(0.0)
        heart.driver.can_send = False
        heart.driver.next_permit_at = heart.clock.now + 3.0
        heart.sleep()
        assert heart.kokoro.runner.when == heart.driver.next_permit_at
        
        heart.driver.next_permit_at = 0.0
        heart.sleep()
        assert heart.kokoro.runner.when > heart.clock.now
        
        heart.driver.can_send = True
        heart.sleep()
        assert heart.driver.heartbeats == 1
    
    run(test())


def test__Kokoro__stop(heart):
    """Stopped, nothing is armed, and nothing is sent."""
    async def test():
        heart.start()
        handle = heart.kokoro.runner
        heart.kokoro.stop()
        assert not heart.kokoro.should_run
        assert handle.cancelled
        assert heart.kokoro.beat_now() is False
        assert heart.driver.heartbeats == 0
        heart.kokoro.stop()
    
    run(test())


def test__Kokoro__next_connection(heart):
    """Latencies outlive the connection, but what it owed is forgotten."""
    async def test():
        heart.start(0.0)
        heart.sleep()
        heart.acknowledge(0.25)
        heart.kokoro.beat_now()
        heart.kokoro.stop()
        
        # An acknowledgement on the next connection before its HELLO.
        heart.clock.now += 100.0
        heart.kokoro.answered()
        assert heart.kokoro.latency == pytest.approx(0.25)
        
        heart.start(0.5)
        heart.acknowledge(5.0)
        assert heart.kokoro.latency == pytest.approx(0.25)
        assert heart.kokoro.latencies == pytest.approx((0.25,))
        assert heart.driver.verdicts == []
    
    run(test())
