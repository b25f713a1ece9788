"""
Properties of what limits a shard: the send window, the backoff and the identify queue, each by itself and at any times.
"""
from bisect import bisect_right

from hypothesis import given, settings, strategies as st

from hata_gateway_ext.protocol.backoff import ATTEMPT_BUDGET, Backoff, DELAY_MAXIMUM, RETRY_AFTER_MAXIMUM
from hata_gateway_ext.protocol.identify import IDENTIFY_INTERVAL, IdentifyLimiter, SESSION_START_WINDOW
from hata_gateway_ext.protocol.rate_limit import SEND_LIMIT, SEND_WINDOW, SendWindow
from hata_gateway_ext.protocol.session import Session, SessionMachine
from hata_gateway_ext.protocol.transitions import (
    ACTION_CONNECT, INPUT_CONNECTED, INPUT_CONNECT_FAILED, INPUT_LOST, INPUT_RESUMED, INPUT_START, STATE_WAITING
)

PROPERTY_SETTINGS = settings(max_examples = 100, deadline = None, database = None)

# Late in the life of a machine the clock has less digits left for fractions.
STARTS = st.floats(0.0, 1e7)
JITTERS = st.lists(st.floats(0.0, 1.0, exclude_max = True), min_size = 1, max_size = 40)


# ---- send window ----

@PROPERTY_SETTINGS
@given(
    STARTS,
    st.none() | st.floats(0.01, 3600.0),
    st.lists(
        st.tuples(st.sampled_from((0.0, 0.001, 0.4, 7.0, 61.0)), st.booleans(), st.integers(1, 130)), max_size = 30
    ),
    st.booleans(),
)
def test__never_more_than_120_in_60_seconds(now, interval, bursts, is_waiting):
    """
    However the bot and the heartbeat send, at once or waiting for the permits that were named: no 60 s hold more than
    120 payloads, nor more of the bot's than the reserve leaves.
    """
    window = SendWindow()
    if (interval is not None):
        window.set_heartbeat_interval(interval)
    
    sent = []
    for delay, reserved, amount in bursts:
        now += delay
        for _ in range(amount):
            if not window.take(now, reserved):
                if not is_waiting:
                    break
                
                next_permit_at = window.get_next_permit_at(now, reserved)
                assert next_permit_at > now
                now = next_permit_at
                # What was named is kept.
                assert window.take(now, reserved)
            
            sent.append((now, reserved))
    
    for times, limit in (
        ([sent_at for sent_at, _ in sent], SEND_LIMIT),
        ([sent_at for sent_at, reserved in sent if not reserved], SEND_LIMIT - window.reserve),
    ):
        for index, sent_at in enumerate(times):
            # As many as fall into the window that ends with this one.
            assert index + 1 - bisect_right(times, sent_at - SEND_WINDOW) <= limit


@PROPERTY_SETTINGS
@given(st.floats(1.1, 3600.0), st.floats(0.0, 1.0, exclude_max = True), st.integers(0, 400))
def test__heartbeats_never_wait_for_the_bot(interval, jitter, amount):
    """Whatever the bot sends as fast as it may: each heartbeat, IDENTIFY and one answer to op 1 have a permit."""
    window = SendWindow()
    window.set_heartbeat_interval(interval)
    now = 0.0
    next_beat_at = interval * jitter
    
    # IDENTIFY or RESUME.
    assert window.take(now, True)
    
    while amount:
        if window.take(now):
            amount -= 1
            continue
        
        next_permit_at = window.get_next_permit_at(now)
        assert next_permit_at > now
        if next_beat_at <= next_permit_at:
            now = next_beat_at
            assert window.take(now, True)
            next_beat_at += interval
        else:
            now = next_permit_at
    
    # Op 1 at the worst moment.
    assert window.take(now, True)


# ---- backoff ----

@PROPERTY_SETTINGS
@given(STARTS, JITTERS)
def test__five_minutes_of_outage_cost_15_attempts(started_at, jitters):
    """With any jitter, an outage of five minutes costs at most 15 attempts, and ends within the current delay."""
    backoff = Backoff()
    now = started_at
    attempts = 0
    
    while True:
        delay = backoff.attempt(now, jitters[attempts % len(jitters)])
        assert delay <= DELAY_MAXIMUM
        now += delay
        if now - started_at > 300.0:
            break
        
        attempts += 1
        backoff.failed()
    
    assert attempts <= 15


@PROPERTY_SETTINGS
@given(
    STARTS,
    JITTERS,
    st.lists(
        st.tuples(
            st.floats(0.0, 3.0), st.sampled_from(('succeeded', 'failed', 'dropped')), st.just(0.0) | st.floats(0.0, 9.0)
        ),
        min_size = 1,
        max_size = 200,
    ),
)
def test__attempts_are_bounded(started_at, jitters, attempts):
    """Whatever the attempts come to: at most 60 of them, and one for each second that passed."""
    backoff = Backoff()
    now = started_at
    
    for count, (duration, outcome, minimum) in enumerate(attempts, 1):
        bound = backoff.get_delay_bound()
        delay = backoff.attempt(now, jitters[count % len(jitters)], minimum)
        assert delay >= minimum
        assert delay <= max(bound, minimum, 1.0) + 1e-6
        now += delay
        
        assert count <= ATTEMPT_BUDGET + (now - started_at) + 1e-6
        
        now += duration
        if outcome == 'succeeded':
            backoff.succeeded()
        elif outcome == 'failed':
            backoff.failed()


@PROPERTY_SETTINGS
@given(STARTS, JITTERS, st.lists(st.sampled_from((True, True, True, False)), min_size = 1), st.floats(0.0, 0.5))
def test__accept_and_drop(started_at, jitters, resumes, duration):
    """A server that accepts and drops in a loop is met with 60 attempts, then with one a second."""
    machine = SessionMachine(Session('session', None, 1))
    now = started_at
    connects = 0
    machine.receive(INPUT_START, now, 0.0)
    
    while now - started_at < 90.0:
        jitter = jitters[connects % len(jitters)]
        assert machine.state == STATE_WAITING
        assert machine.deadline >= now
        now = machine.deadline
        
        assert machine.delay_over(now, jitter) == (ACTION_CONNECT,)
        connects += 1
        assert connects <= ATTEMPT_BUDGET + (now - started_at) + 1e-6
        
        now += duration
        if resumes[connects % len(resumes)]:
            machine.receive(INPUT_CONNECTED, now, jitter)
            machine.hello(now, jitter)
            machine.receive(INPUT_RESUMED, now, jitter)
            machine.receive(INPUT_LOST, now, jitter)
        else:
            machine.receive(INPUT_CONNECT_FAILED, now, jitter)


@PROPERTY_SETTINGS
@given(st.floats(0.0, 1e9) | st.just(float('inf')), st.floats(0.0, 1.0, exclude_max = True), st.integers(0, 20))
def test__retry_after_is_followed_within_bounds(retry_after, jitter, failures):
    """The next attempt comes not before the peer asked for, nor later than 300 s; what was asked for is used up."""
    machine = SessionMachine(Session('session', None, 1))
    machine.receive(INPUT_START, 0.0, jitter)
    machine.delay_over(0.0, jitter)
    machine.backoff.failures = failures
    machine.connect_failed(retry_after, 0.0, jitter)
    
    assert min(retry_after, RETRY_AFTER_MAXIMUM) <= machine.deadline <= RETRY_AFTER_MAXIMUM


# ---- identify queue ----

IDENTIFY_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just('enqueue'), st.integers(0, 40)),
        st.tuples(st.just('ready'), st.integers(0, 40)),
        st.tuples(st.just('withdraw'), st.integers(0, 40)),
        st.tuples(st.just('sleep'), st.floats(0.0, 12.0)),
        st.tuples(
            st.just('limit'),
            st.tuples(st.integers(0, 6), st.integers(0, 6), st.floats(0.0, 40.0), st.sampled_from((1, 1, 2, 3, 4, 16))),
        ),
    ),
    max_size = 80,
)


@PROPERTY_SETTINGS
@given(STARTS, st.sampled_from((1, 2, 4, 16)), IDENTIFY_STEPS)
def test__identify_queue(now, max_concurrency, steps):
    """
    Shards that come, go and get ready in any order, with limits that change under way: no bucket identifies twice
    within 5 s, nobody identifies beyond what is remaining, nobody is granted who is not ready, and nobody is forgotten.
    """
    limiter = IdentifyLimiter(max_concurrency)
    waiting = []
    identified = []
    # What Discord would still allow, and until when.
    allowance = None
    allowance_until = None
    
    def advance(until):
        nonlocal allowance, allowance_until, now
        
        while True:
            limiter.is_exhausted(now)
            granted = limiter.grant(now)
            if (allowance is not None) and (now >= allowance_until):
                allowance = limiter.total
                allowance_until = now + SESSION_START_WINDOW
            
            for ticket in granted:
                assert ticket.ready
                waiting.remove(ticket)
                for shard_id, identified_at in identified:
                    if now - identified_at < IDENTIFY_INTERVAL:
                        assert shard_id % limiter.max_concurrency != ticket.shard_id % limiter.max_concurrency
                
                identified.append((ticket.shard_id, now))
                if (allowance is not None):
                    allowance -= 1
                    assert allowance >= 0
            
            if (allowance is not None):
                assert limiter.remaining == allowance
            
            assert limiter.get_waiting_count() == len(waiting)
            near = limiter.get_near(now)
            assert all(limiter.is_near(ticket, now) for ticket in near)
            if limiter.is_exhausted(now):
                assert near == []
            else:
                # The one of each bucket that waits longest is always told to connect.
                assert {ticket.bucket for ticket in near} == {ticket.bucket for ticket in waiting}
            
            wake_up_at = limiter.get_wake_up_at(now)
            assert (wake_up_at is None) or (wake_up_at > now)
            if (wake_up_at is None) or (wake_up_at > until):
                break
            
            now = wake_up_at
        
        now = until
    
    for step, value in steps:
        if step == 'enqueue':
            waiting.append(limiter.enqueue(value))
        elif step == 'ready' and waiting:
            limiter.set_ready(waiting[value % len(waiting)])
        elif step == 'withdraw' and waiting:
            limiter.withdraw(waiting.pop(value % len(waiting)))
        elif step == 'limit':
            total, remaining, reset_after, concurrency = value
            limiter.set_session_start_limit(total, remaining, now + reset_after, concurrency)
            allowance = remaining
            allowance_until = now + reset_after
        
        advance(now + (value if step == 'sleep' else 0.0))
    
    # Everyone's turn comes, once they are ready and Discord allows it.
    limiter.set_session_start_limit(1000, 1000, now + SESSION_START_WINDOW, limiter.max_concurrency)
    allowance = 1000
    allowance_until = now + SESSION_START_WINDOW
    for ticket in waiting:
        limiter.set_ready(ticket)
    
    advance(now + 6.0 * (len(waiting) + 1))
    assert waiting == []
