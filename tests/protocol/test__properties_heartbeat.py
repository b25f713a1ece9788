"""
Properties of the heartbeat clock, on a line that is simulated with a clock of its own: latencies, traffic, death and
stalls of the event loop are any.

The simulated loop is as unkind as scarletio's: timers that are due run before what waits in the socket is read.
"""
from hypothesis import given, settings, strategies as st

from hata_gateway_ext.protocol.heartbeat import (
    HEARTBEAT_BEAT, HEARTBEAT_SILENT, HEARTBEAT_UNACKNOWLEDGED, HeartbeatClock, SILENCE_MAXIMUM, STALL_GRACE,
    STALL_TOLERANCE, UNACKNOWLEDGED_LIMIT
)

PROPERTY_SETTINGS = settings(max_examples = 150, deadline = None, database = None)

# What the sums of a simulation may be off by.
EPSILON = 1e-6

INTERVALS = st.floats(0.3, 90.0)
JITTERS = st.floats(0.0, 1.0, exclude_max = True)
FRACTIONS = st.floats(0.001, 1.0)
STALLS = st.lists(st.tuples(st.floats(0.0, 20.0), st.floats(0.0, 3.0)), max_size = 4)


class Line:
    """
    A connection that only beats, and its peer.
    
    Attributes
    ----------
    beats : `list<float>`
        When the scheduled heartbeats were sent.
    clock : ``HeartbeatClock``
        The tested clock.
    last_received_at : `float`
        When anything was read last.
    looks : `int`
        How often the clock was asked what to do.
    """
    def __init__(self, interval, jitter, *, latencies, traffic = None, dies_at = None, stalls = ()):
        """
        Parameters
        ----------
        interval : `float`
            Seconds between two heartbeats.
        jitter : `float`
            For the first heartbeat.
        latencies : `None | list<float>`
            Seconds from a heartbeat to its acknowledgement, over and over; `None`: nothing is acknowledged.
        traffic : `None | float`
            Seconds from one event to the next; `None`: there are none.
        dies_at : `None | float`
            Nothing arrives any more from then on.
        stalls : `list<(float, float)>`
            When the loop stands still, and until when.
        """
        self.acknowledged_at = 0.0
        self.acknowledgements = []
        self.beats = []
        self.clock = HeartbeatClock(0.0, interval, jitter)
        self.dies_at = dies_at
        self.last_received_at = 0.0
        self.latencies = latencies
        self.looks = 0
        self.next_event_at = traffic
        self.stalls = stalls
        self.traffic = traffic
    
    
    def run(self, until):
        """
        Runs the line.
        
        Parameters
        ----------
        until : `float`
            When to stop.
        
        Returns
        -------
        verdict : `None | (str, float)`
            What the clock decided, and when.
        """
        wake_up_at = self.clock.get_wake_up_at(self.last_received_at)
        now = 0.0
        
        while now < until:
            arrivals = [*self.acknowledgements[:1]]
            if (self.next_event_at is not None):
                arrivals.append(self.next_event_at)
            
            now = max(now, min(wake_up_at, *arrivals)) if arrivals else max(now, wake_up_at)
            for start, end in self.stalls:
                if start <= now < end:
                    now = end
            
            if wake_up_at <= now:
                self.looks += 1
                action = self.clock.check(now, self.last_received_at)
                if action == HEARTBEAT_BEAT:
                    self.beat(now)
                elif (action is not None):
                    return action, now
                
                wake_up_at = self.clock.get_wake_up_at(self.last_received_at)
                assert wake_up_at > now, 'A timer in the past would spin.'
            
            self.read(now)
        
        return None
    
    
    def beat(self, now):
        self.clock.beat_sent(now, self.last_received_at, True)
        self.beats.append(now)
        if (self.latencies is None) or (not self.is_alive(now)):
            return
        
        # Acknowledgements come in order.
        latency = self.latencies[len(self.beats) % len(self.latencies)]
        self.acknowledged_at = max(self.acknowledged_at, now + latency)
        if self.is_alive(self.acknowledged_at):
            self.acknowledgements.append(self.acknowledged_at)
    
    
    def is_alive(self, now):
        return (self.dies_at is None) or (now < self.dies_at)
    
    
    def read(self, now):
        while self.acknowledgements and (self.acknowledgements[0] <= now):
            del self.acknowledgements[0]
            self.last_received_at = now
            assert self.clock.acknowledged(now) >= 0.0
        
        while (self.next_event_at is not None) and (self.next_event_at <= now):
            self.last_received_at = now
            self.next_event_at += self.traffic
            if not self.is_alive(self.next_event_at):
                self.next_event_at = None


def _get_silence(interval):
    return min(interval, SILENCE_MAXIMUM)


def _to_stalls(interval, parts):
    """Stalls begin anywhere, and last up to three intervals."""
    return [(start * interval, (start + duration) * interval) for start, duration in parts]


@PROPERTY_SETTINGS
@given(INTERVALS, JITTERS, st.lists(FRACTIONS, min_size = 1), st.none() | FRACTIONS, st.floats(0.0, 12.0))
def test__dead_line_is_found(interval, jitter, latencies, traffic, dies_after):
    """A line that dies is found within one interval and `min(interval, 15 s)` of its last sign of life, not before."""
    silence = _get_silence(interval)
    dies_at = interval * dies_after
    line = Line(
        interval,
        jitter,
        latencies = [latency * silence * 0.99 for latency in latencies],
        traffic = None if traffic is None else traffic * interval,
        dies_at = dies_at,
    )
    
    verdict, found_at = line.run(dies_at + interval * 4.0)
    
    assert verdict == HEARTBEAT_SILENT
    assert found_at >= dies_at
    assert found_at <= line.last_received_at + interval + silence + STALL_TOLERANCE + EPSILON


@PROPERTY_SETTINGS
@given(INTERVALS, JITTERS, st.lists(FRACTIONS, min_size = 1), FRACTIONS)
def test__busy_line_with_late_acknowledgements_is_not_cut(interval, jitter, latencies, traffic):
    """With traffic, acknowledgements may be almost two intervals late, each of them."""
    line = Line(
        interval,
        jitter,
        latencies = [latency * interval * 1.99 for latency in latencies],
        traffic = traffic * _get_silence(interval) * 0.99,
    )
    
    assert line.run(interval * 20.0) is None
    assert len(line.beats) >= 19


@PROPERTY_SETTINGS
@given(INTERVALS, JITTERS, FRACTIONS)
def test__busy_line_without_acknowledgements_is_cut(interval, jitter, traffic):
    """With traffic and no acknowledgement the connection is cut when the third heartbeat is due."""
    line = Line(interval, jitter, latencies = None, traffic = traffic * _get_silence(interval) * 0.99)
    
    verdict, cut_at = line.run(interval * 20.0)
    
    assert verdict == HEARTBEAT_UNACKNOWLEDGED
    assert len(line.beats) == UNACKNOWLEDGED_LIMIT
    assert abs(cut_at - (interval * (jitter + 2.0) + STALL_TOLERANCE)) < EPSILON


@PROPERTY_SETTINGS
@given(INTERVALS, JITTERS, st.lists(FRACTIONS, min_size = 1), st.none() | FRACTIONS)
def test__healthy_line_beats_every_interval(interval, jitter, latencies, traffic):
    """On a healthy line the heartbeats are an interval apart, from `interval * jitter` on, and are not cut."""
    line = Line(
        interval,
        jitter,
        latencies = [latency * _get_silence(interval) * 0.99 for latency in latencies],
        traffic = None if traffic is None else traffic * interval,
    )
    
    assert line.run(interval * 20.0) is None
    for index, beat_at in enumerate(line.beats):
        assert abs(beat_at - interval * (jitter + index)) < EPSILON
    
    # Each heartbeat is one look; each silence that ended in time is one at most.
    assert line.looks <= len(line.beats) * 2 + 1


@PROPERTY_SETTINGS
@given(INTERVALS, JITTERS, st.lists(FRACTIONS, min_size = 1), st.none() | FRACTIONS, STALLS)
def test__stalls_do_not_cut_a_living_line(interval, jitter, latencies, traffic, parts):
    """However the loop stands still, a peer that answers in time is not blamed for it."""
    # The peer answers within half of what it may take; the rest is for what stands in line during a stall.
    line = Line(
        interval,
        jitter,
        latencies = [latency * _get_silence(interval) * 0.5 for latency in latencies],
        traffic = None if traffic is None else traffic * interval,
        stalls = _to_stalls(interval, parts),
    )
    
    assert line.run(interval * 40.0) is None


@PROPERTY_SETTINGS
@given(INTERVALS, JITTERS, st.none() | FRACTIONS, st.floats(0.0, 12.0), STALLS)
def test__stalls_do_not_save_a_dead_line(interval, jitter, traffic, dies_after, parts):
    """However the loop stands still, a dead line is found: stalls add the time that they took, and one grace each."""
    dies_at = interval * dies_after
    stalls = _to_stalls(interval, parts)
    line = Line(
        interval,
        jitter,
        latencies = [_get_silence(interval) * 0.1],
        traffic = None if traffic is None else traffic * interval,
        dies_at = dies_at,
        stalls = stalls,
    )
    
    verdict, found_at = line.run(dies_at + interval * 100.0)
    
    # A stall can put off a heartbeat to shortly before the next one, and an event that was on its way can end the silence
    # behind both of them: then that neither is acknowledged is what is seen first.
    assert verdict in (HEARTBEAT_SILENT, HEARTBEAT_UNACKNOWLEDGED)
    excused = sum(end - start for start, end in stalls) + STALL_GRACE * (len(stalls) + 1)
    assert found_at <= line.last_received_at + interval + _get_silence(interval) + excused + EPSILON


CALLS = st.sampled_from(('extra', 'acknowledged', 'received', 'nothing'))


@PROPERTY_SETTINGS
@given(
    INTERVALS,
    JITTERS,
    st.lists(st.tuples(st.floats(0.0, 30.0), CALLS, st.none() | st.floats(0.1, 60.0)), max_size = 60),
)
def test__any_sequence_of_calls(interval, jitter, calls):
    """
    Whatever happens in whatever order, a full send window included: the next wake-up is never further than an interval
    (or the permit) away, and each one leads to a heartbeat or to a verdict within two looks.
    """
    clock = HeartbeatClock(0.0, interval, jitter)
    now = 0.0
    last_received_at = 0.0
    unanswered = 0
    looks = 0
    permit_at = 0.0
    
    for delay, call, full_for in calls:
        until = now + delay
        
        while True:
            wake_up_at = clock.get_wake_up_at(last_received_at)
            assert wake_up_at <= max(now + max(interval, STALL_GRACE), permit_at) + EPSILON
            if wake_up_at > until:
                break
            
            now = max(now, wake_up_at)
            action = clock.check(now, last_received_at)
            looks += 1
            assert looks <= 2
            if action is None:
                continue
            
            looks = 0
            if action != HEARTBEAT_BEAT:
                return
            
            if full_for is None:
                clock.beat_sent(now, last_received_at, True)
                unanswered += 1
            else:
                permit_at = now + full_for
                clock.postpone(permit_at)
        
        now = until
        looks = 0
        
        if call == 'extra':
            clock.beat_sent(now, last_received_at, False)
            unanswered += 1
        
        elif call == 'acknowledged':
            last_received_at = now
            latency = clock.acknowledged(now)
            # One that nobody waited for changes nothing.
            assert (latency is None) or (unanswered > 0 and latency >= 0.0)
            unanswered = max(unanswered - 1, 0)
        
        elif call == 'received':
            last_received_at = now
