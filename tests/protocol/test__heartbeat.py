import pytest

from hata_gateway_ext.protocol.heartbeat import (
    HEARTBEAT_BEAT, HEARTBEAT_SILENT, HEARTBEAT_UNACKNOWLEDGED, HeartbeatClock, LATENCY_WINDOW_SIZE, SILENCE_MAXIMUM,
    STALL_GRACE, STALL_TOLERANCE, UNACKNOWLEDGED_LIMIT
)

# Discord's interval.
INTERVAL = 41.25


def _look_twice(clock, now, last_received_at):
    """
    Returns the verdict of the second look. The first one has none.
    """
    assert clock.check(now, last_received_at) is None
    assert clock.get_wake_up_at(last_received_at) == now + STALL_TOLERANCE
    return clock.check(now + STALL_TOLERANCE, last_received_at)


def test__constants():
    """Silence of `min(interval, 15 s)`, two unacknowledged heartbeats in a row."""
    assert SILENCE_MAXIMUM == 15.0
    assert UNACKNOWLEDGED_LIMIT == 2


@pytest.mark.parametrize(('jitter', 'expected'), ((0.0, 100.0), (0.5, 120.625), (0.999, 141.20875)))
def test__HeartbeatClock__first_beat(jitter, expected):
    """The first heartbeat is due at `interval * random[0, 1)` after HELLO, and not before."""
    clock = HeartbeatClock(100.0, INTERVAL, jitter)
    
    assert clock.get_wake_up_at(100.0) == pytest.approx(expected)
    assert clock.check(expected - 0.001, 100.0) is None
    assert clock.check(expected + 0.001, 100.0) == HEARTBEAT_BEAT


def test__HeartbeatClock__every_interval():
    """Then a heartbeat is due every interval; a few milliseconds of lateness do not add up."""
    clock = HeartbeatClock(100.0, INTERVAL, 0.5)
    due_at = 120.625
    
    for _ in range(50):
        assert clock.next_beat_at == pytest.approx(due_at)
        assert clock.check(due_at + 0.01, due_at) == HEARTBEAT_BEAT
        clock.beat_sent(due_at + 0.01, due_at, True)
        clock.acknowledged(due_at + 0.05)
        due_at += INTERVAL


def test__HeartbeatClock__late_beat():
    """A heartbeat that is more than an interval late does not make the next ones come in a burst."""
    clock = HeartbeatClock(0.0, 10.0, 0.5)
    
    assert clock.check(38.0, 37.9) == HEARTBEAT_BEAT
    clock.beat_sent(38.0, 37.9, True)
    assert clock.next_beat_at == 48.0


@pytest.mark.parametrize('interval', (0.5, 5.0, 15.0, 20.0, INTERVAL, 120.0))
def test__HeartbeatClock__silent(interval):
    """Nothing received for `min(interval, 15 s)` after a heartbeat was sent: the connection is dead."""
    clock = HeartbeatClock(0.0, interval, 0.5)
    beat_at = interval * 0.5
    clock.beat_sent(beat_at, 0.0, True)
    deadline = beat_at + min(interval, 15.0)
    
    assert clock.get_wake_up_at(0.0) == deadline
    assert clock.check(deadline - 0.001, 0.0) is None
    assert _look_twice(clock, deadline, 0.0) == HEARTBEAT_SILENT


def test__HeartbeatClock__silent__discords_interval():
    """A line that dies right after an acknowledgement is found within one interval plus 15 s."""
    clock = HeartbeatClock(0.0, INTERVAL, 0.0)
    clock.beat_sent(0.0, 0.0, True)
    clock.acknowledged(0.04)
    last_received_at = 0.04
    
    assert clock.get_wake_up_at(last_received_at) == INTERVAL
    assert clock.check(INTERVAL, last_received_at) == HEARTBEAT_BEAT
    clock.beat_sent(INTERVAL, last_received_at, True)
    
    assert clock.get_wake_up_at(last_received_at) == INTERVAL + 15.0
    assert _look_twice(clock, INTERVAL + 15.0, last_received_at) == HEARTBEAT_SILENT
    assert INTERVAL + 15.0 + STALL_TOLERANCE - last_received_at < 57.0


def test__HeartbeatClock__silent__anything_counts():
    """Anything that is received after the heartbeat ends the silence, not only its acknowledgement."""
    clock = HeartbeatClock(0.0, INTERVAL, 0.0)
    clock.beat_sent(0.0, 0.0, True)
    
    assert clock.check(15.0, 0.001) is None
    assert clock.get_wake_up_at(0.001) == INTERVAL


def test__HeartbeatClock__silent__what_came_before_does_not_count():
    """What was received before the heartbeat, or asked for it, is no sign of life after it."""
    clock = HeartbeatClock(0.0, INTERVAL, 0.5)
    clock.beat_sent(10.0, 10.0, False)
    
    assert clock.get_wake_up_at(10.0) == 20.625
    assert clock.check(20.625, 10.0) == HEARTBEAT_BEAT
    clock.beat_sent(20.625, 10.0, True)
    assert clock.get_wake_up_at(10.0) == 25.0
    assert _look_twice(clock, 25.0, 10.0) == HEARTBEAT_SILENT


def test__HeartbeatClock__silent__further_beats_do_not_postpone():
    """Heartbeats of ours do not make a silent line look alive: the silence counts from the first of them."""
    clock = HeartbeatClock(0.0, INTERVAL, 0.0)
    clock.beat_sent(0.0, 0.0, True)
    for now in (3.0, 6.0, 9.0, 12.0):
        clock.beat_sent(now, 0.0, False)
    
    assert _look_twice(clock, 15.0, 0.0) == HEARTBEAT_SILENT


def test__HeartbeatClock__silent__begins_anew():
    """After traffic came the silence counts from the next heartbeat on."""
    clock = HeartbeatClock(0.0, INTERVAL, 0.0)
    clock.beat_sent(0.0, 0.0, True)
    clock.beat_sent(10.0, 5.0, False)
    
    assert clock.check(15.0, 5.0) is None
    assert clock.get_wake_up_at(5.0) == 25.0
    assert _look_twice(clock, 25.0, 5.0) == HEARTBEAT_SILENT


def test__HeartbeatClock__no_silence_before_a_beat():
    """A line on which nothing was sent may be silent: there is nothing to answer."""
    clock = HeartbeatClock(0.0, 120.0, 0.9)
    
    assert clock.check(100.0, 0.0) is None
    assert clock.get_wake_up_at(0.0) == 108.0


def test__HeartbeatClock__unacknowledged():
    """With traffic the connection is cut when two heartbeats in a row are unacknowledged as the third is due."""
    clock = HeartbeatClock(0.0, INTERVAL, 0.0)
    
    for index in range(2):
        due_at = INTERVAL * index
        assert clock.check(due_at, due_at) == HEARTBEAT_BEAT
        clock.beat_sent(due_at, due_at, True)
    
    assert clock.check(INTERVAL * 2 - 0.01, INTERVAL * 2 - 0.1) is None
    assert _look_twice(clock, INTERVAL * 2, INTERVAL * 2 - 0.1) == HEARTBEAT_UNACKNOWLEDGED


def test__HeartbeatClock__unacknowledged__busy_with_late_acknowledgements():
    """A busy connection whose acknowledgements are almost two intervals late is not cut."""
    clock = HeartbeatClock(0.0, INTERVAL, 0.0)
    
    for index in range(30):
        due_at = INTERVAL * index
        # The acknowledgement of the heartbeat before the last one.
        if index >= 2:
            clock.acknowledged(due_at - 0.01)
        
        assert clock.check(due_at, due_at - 0.005) == HEARTBEAT_BEAT
        clock.beat_sent(due_at, due_at - 0.005, True)


def test__HeartbeatClock__unacknowledged__extra_beats_do_not_count():
    """Heartbeats that Discord or the bot asks for are extra: a burst of them is no reason to cut the connection."""
    clock = HeartbeatClock(0.0, INTERVAL, 0.0)
    clock.beat_sent(0.0, 0.0, True)
    for index in range(10):
        clock.beat_sent(1.0 + index, 0.5 + index, False)
    
    assert clock.next_beat_at == INTERVAL
    assert clock.check(INTERVAL, INTERVAL - 1.0) == HEARTBEAT_BEAT


def test__HeartbeatClock__acknowledged__unasked():
    """An acknowledgement that nobody waited for changes nothing."""
    clock = HeartbeatClock(0.0, INTERVAL, 0.5)
    
    assert clock.acknowledged(1.0) is None
    assert [*clock.latencies] == []


def test__HeartbeatClock__acknowledged__latency():
    """The latency counts from the heartbeat that is acknowledged: they come back in order."""
    clock = HeartbeatClock(0.0, 10.0, 0.0)
    clock.beat_sent(0.0, 0.0, True)
    clock.beat_sent(10.0, 9.0, True)
    
    assert clock.acknowledged(12.0) == 12.0
    assert clock.acknowledged(13.0) == 3.0
    assert clock.acknowledged(14.0) is None
    assert [*clock.latencies] == [12.0, 3.0]


def test__HeartbeatClock__latencies__window():
    """The latest round trips are kept, those of the connection before included."""
    clock = HeartbeatClock(0.0, 10.0, 0.0, [0.25] * LATENCY_WINDOW_SIZE)
    
    for index in range(3):
        clock.beat_sent(index * 10.0, index * 10.0, True)
        clock.acknowledged(index * 10.0 + 0.5)
    
    assert [*clock.latencies] == [0.25] * (LATENCY_WINDOW_SIZE - 3) + [0.5] * 3


@pytest.mark.parametrize('lateness', (STALL_TOLERANCE + 0.01, 0.9, 60.0, 3600.0))
def test__HeartbeatClock__stall__silent(lateness):
    """A verdict that comes late waits until what may lie unread in the socket was read."""
    clock = HeartbeatClock(0.0, INTERVAL, 0.0)
    clock.beat_sent(0.0, 0.0, True)
    now = 15.0 + lateness
    
    assert clock.check(now, 0.0) is None
    assert clock.get_wake_up_at(0.0) == now + STALL_GRACE
    assert clock.check(now + STALL_GRACE * 0.5, 0.0) is None
    
    # Something was unread: the connection lives, and its heartbeat goes on.
    assert clock.check(now + STALL_GRACE, now + 0.2) in (None, HEARTBEAT_BEAT)


def test__HeartbeatClock__stall__once():
    """If nothing was unread, the verdict falls, even if that wake-up is late as well."""
    clock = HeartbeatClock(0.0, INTERVAL, 0.0)
    clock.beat_sent(0.0, 0.0, True)
    
    assert clock.check(20.0, 0.0) is None
    assert clock.check(30.0, 0.0) == HEARTBEAT_SILENT


def test__HeartbeatClock__stall__unacknowledged():
    """The same holds for acknowledgements that may lie unread."""
    clock = HeartbeatClock(0.0, 10.0, 0.0)
    clock.beat_sent(0.0, 0.0, True)
    clock.beat_sent(10.0, 9.0, True)
    
    assert clock.check(25.0, 19.0) is None
    assert clock.get_wake_up_at(19.0) == 25.0 + STALL_GRACE
    assert clock.check(25.0 + STALL_GRACE, 19.0) == HEARTBEAT_UNACKNOWLEDGED
    
    clock.acknowledged(25.2)
    assert clock.check(25.0 + STALL_GRACE, 25.2) == HEARTBEAT_BEAT


@pytest.mark.parametrize('lateness', (0.0, STALL_TOLERANCE * 0.5))
def test__HeartbeatClock__stall__tolerated(lateness):
    """A lateness that is normal for a busy loop postpones the verdict only to the second look, after reading."""
    clock = HeartbeatClock(0.0, INTERVAL, 0.0)
    clock.beat_sent(0.0, 0.0, True)
    
    assert _look_twice(clock, 15.0 + lateness, 0.0) == HEARTBEAT_SILENT
    
    clock = HeartbeatClock(0.0, INTERVAL, 0.0)
    clock.beat_sent(0.0, 0.0, True)
    
    assert clock.check(15.0 + lateness, 0.0) is None
    assert clock.check(15.0 + lateness + STALL_TOLERANCE, 15.0 + lateness) is None


def test__HeartbeatClock__backlog():
    """While received bytes wait to be handled the line is not silent, however long that takes."""
    clock = HeartbeatClock(0.0, INTERVAL, 0.0)
    clock.beat_sent(0.0, 0.0, True)
    
    assert clock.check(15.0, 15.0) is None


def test__HeartbeatClock__postpone():
    """If the send window is full, the heartbeat is tried again when a permit is free."""
    clock = HeartbeatClock(0.0, 0.5, 0.0)
    
    assert clock.check(0.0, 0.0) == HEARTBEAT_BEAT
    clock.postpone(7.25)
    assert clock.get_wake_up_at(0.0) == 7.25
    assert clock.check(7.0, 0.0) is None
    assert clock.check(7.25, 0.0) == HEARTBEAT_BEAT
    clock.beat_sent(7.25, 0.0, True)
    assert clock.next_beat_at == 7.75


def test__HeartbeatClock__equal_times():
    """A jitter of 0 and an interval that the clock can hardly tell apart ask for a heartbeat, and for nothing else."""
    clock = HeartbeatClock(5.0, 0.001, 0.0)
    
    assert clock.check(5.0, 5.0) == HEARTBEAT_BEAT
    clock.beat_sent(5.0, 5.0, True)
    assert clock.next_beat_at > 5.0
    assert clock.check(5.0, 5.0) is None


def test__HeartbeatClock__repr():
    """The representation shows the interval and what is unacknowledged."""
    clock = HeartbeatClock(0.0, 10.0, 0.0)
    clock.beat_sent(0.0, 0.0, True)
    
    output = repr(clock)
    assert 'interval = 10.0' in output
    assert 'unacknowledged = 1' in output
