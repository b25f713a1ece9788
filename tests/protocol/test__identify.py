import pytest

from hata_gateway_ext.protocol.identify import (
    IDENTIFY_INTERVAL, IDENTIFY_MARGIN, IdentifyLimiter, NEAR_POSITION, SESSION_START_WINDOW
)

# From IDENTIFY to IDENTIFY of a bucket.
SPACING = IDENTIFY_INTERVAL + IDENTIFY_MARGIN


def _enqueue_ready(limiter, *shard_ids):
    tickets = []
    for shard_id in shard_ids:
        ticket = limiter.enqueue(shard_id)
        limiter.set_ready(ticket)
        tickets.append(ticket)
    
    return tickets


def _grant(limiter, now):
    return [ticket.shard_id for ticket in limiter.grant(now)]


def test__constants():
    """One IDENTIFY per 5 s per bucket; the limit is of 24 hours."""
    assert IDENTIFY_INTERVAL == 5.0
    assert IDENTIFY_MARGIN > 0.0
    assert SESSION_START_WINDOW == 24.0 * 60.0 * 60.0
    assert NEAR_POSITION == 2


def test__IdentifyLimiter__one_bucket():
    """With a `max_concurrency` of 1 shards identify one by one, first come first, 5 s apart."""
    limiter = IdentifyLimiter()
    _enqueue_ready(limiter, 2, 0, 1)
    
    assert _grant(limiter, 100.0) == [2]
    assert limiter.get_wake_up_at(100.0) == 100.0 + SPACING
    assert _grant(limiter, 100.0 + SPACING - 0.001) == []
    assert _grant(limiter, 100.0 + SPACING) == [0]
    # From IDENTIFY to IDENTIFY: one that came late pushes the next one back.
    assert _grant(limiter, 200.0) == [1]
    assert limiter.get_wake_up_at(200.0) is None


@pytest.mark.parametrize('max_concurrency', (1, 2, 4, 16))
def test__IdentifyLimiter__buckets(max_concurrency):
    """`bucket = shard_id % max_concurrency`; different buckets do not wait for each other."""
    limiter = IdentifyLimiter(max_concurrency)
    _enqueue_ready(limiter, *range(16))
    now = 0.0
    
    for start in range(0, 16, max_concurrency):
        assert _grant(limiter, now) == [*range(start, start + max_concurrency)]
        now += SPACING
    
    assert limiter.get_waiting_count() == 0


def test__IdentifyLimiter__eight_shards_at_four():
    """Eight shards at `max_concurrency` 4 identify within 5.5 s."""
    limiter = IdentifyLimiter(4)
    _enqueue_ready(limiter, *range(8))
    
    assert _grant(limiter, 0.0) == [0, 1, 2, 3]
    wake_up_at = limiter.get_wake_up_at(0.0)
    assert wake_up_at <= 5.5
    assert _grant(limiter, wake_up_at) == [4, 5, 6, 7]


def test__IdentifyLimiter__buckets_are_not_in_step():
    """A bucket that identified later is due later; the wake-up is that of the first."""
    limiter = IdentifyLimiter(2)
    _enqueue_ready(limiter, 0)
    assert _grant(limiter, 0.0) == [0]
    _enqueue_ready(limiter, 1)
    assert _grant(limiter, 2.0) == [1]
    _enqueue_ready(limiter, 2, 3)
    
    assert limiter.get_wake_up_at(2.0) == SPACING
    assert _grant(limiter, SPACING) == [2]
    assert _grant(limiter, 2.0 + SPACING) == [3]


def test__IdentifyLimiter__later_identifies_wait_as_well():
    """The bucket holds for every identify, not only for those of the start."""
    limiter = IdentifyLimiter()
    _enqueue_ready(limiter, 0)
    assert _grant(limiter, 0.0) == [0]
    _enqueue_ready(limiter, 0)
    assert _grant(limiter, 4.9) == []
    assert _grant(limiter, 5.2) == [0]


def test__IdentifyLimiter__slow_shard_does_not_hold_up():
    """The first *ready* ticket is granted: a shard that connects slowly keeps its place, and delays nobody."""
    limiter = IdentifyLimiter()
    slow = limiter.enqueue(0)
    fast = limiter.enqueue(1)
    limiter.set_ready(fast)
    
    assert _grant(limiter, 0.0) == [1]
    assert limiter.get_wake_up_at(0.0) is None
    limiter.set_ready(slow)
    assert limiter.get_wake_up_at(0.0) == SPACING
    assert _grant(limiter, SPACING) == [0]


def test__IdentifyLimiter__near():
    """Only the next two of a bucket should hold a connection, with hundreds in the queue."""
    limiter = IdentifyLimiter(2)
    tickets = [limiter.enqueue(shard_id) for shard_id in range(400)]
    
    assert sorted(ticket.shard_id for ticket in limiter.get_near(0.0)) == [0, 1, 2, 3]
    assert [limiter.is_near(ticket, 0.0) for ticket in tickets[:6]] == [True, True, True, True, False, False]
    
    limiter.set_ready(tickets[0])
    limiter.grant(0.0)
    assert limiter.is_near(tickets[4], 0.0)
    assert not limiter.is_near(tickets[0], 0.0)
    assert not limiter.is_near(tickets[5], 0.0)


def test__IdentifyLimiter__withdraw():
    """Who leaves the queue makes room; leaving twice, or after the grant, changes nothing."""
    limiter = IdentifyLimiter()
    first, second, third = _enqueue_ready(limiter, 0, 1, 2)
    
    limiter.withdraw(first)
    limiter.withdraw(first)
    assert limiter.get_waiting_count() == 2
    assert _grant(limiter, 0.0) == [1]
    limiter.withdraw(second)
    assert limiter.get_waiting_count() == 1
    assert _grant(limiter, SPACING) == [2]
    limiter.withdraw(third)
    assert limiter.get_waiting_count() == 0


def test__IdentifyLimiter__granted_is_not_granted_again():
    """Each ticket is granted once, even if it is said to be ready again."""
    limiter = IdentifyLimiter()
    ticket, = _enqueue_ready(limiter, 0)
    
    assert limiter.grant(0.0) == [ticket]
    limiter.set_ready(ticket)
    assert limiter.grant(1000.0) == []


def test__IdentifyLimiter__waiter():
    """The caller is given back what it queued up with."""
    waiter = object()
    limiter = IdentifyLimiter()
    limiter.set_ready(limiter.enqueue(0, waiter))
    
    granted, = limiter.grant(0.0)
    assert granted.waiter is waiter


def test__IdentifyLimiter__remaining_counts_down():
    """The count of session starts is kept up to date between two requests."""
    limiter = IdentifyLimiter(4)
    limiter.set_session_start_limit(1000, 10, 3600.0, 4)
    _enqueue_ready(limiter, 0, 1, 2)
    
    assert _grant(limiter, 0.0) == [0, 1, 2]
    assert limiter.remaining == 7


def test__IdentifyLimiter__exhausted():
    """At 0 remaining nobody identifies or connects for it until the reset, not even other buckets."""
    limiter = IdentifyLimiter(4)
    limiter.set_session_start_limit(1000, 2, 3600.0, 4)
    tickets = _enqueue_ready(limiter, 0, 1, 2, 3)
    
    assert _grant(limiter, 0.0) == [0, 1]
    assert limiter.is_exhausted(0.0)
    assert limiter.get_near(0.0) == []
    assert not limiter.is_near(tickets[2], 0.0)
    assert _grant(limiter, 3599.9) == []
    assert limiter.get_wake_up_at(0.0) == 3600.0
    
    assert _grant(limiter, 3600.0) == [2, 3]
    assert limiter.remaining == 998
    assert not limiter.is_exhausted(3600.0)


def test__IdentifyLimiter__exhausted__corrected():
    """`/gateway/bot` has the last word on the count."""
    limiter = IdentifyLimiter()
    limiter.set_session_start_limit(1000, 0, 3600.0, 1)
    _enqueue_ready(limiter, 0)
    assert _grant(limiter, 0.0) == []
    
    limiter.set_session_start_limit(1000, 1, 3600.0, 1)
    assert _grant(limiter, 1.0) == [0]
    assert limiter.is_exhausted(1.0)


@pytest.mark.parametrize('remaining', (0, -1, -1000))
def test__IdentifyLimiter__exhausted__not_below_zero(remaining):
    """A negative count is none."""
    limiter = IdentifyLimiter()
    limiter.set_session_start_limit(1000, remaining, 3600.0, 1)
    
    assert limiter.remaining == 0
    assert limiter.is_exhausted(0.0)


def test__IdentifyLimiter__exhausted__total_of_zero():
    """A limit that allows nothing is waited out window by window, without a storm."""
    limiter = IdentifyLimiter()
    limiter.set_session_start_limit(0, 0, 10.0, 1)
    _enqueue_ready(limiter, 0)
    
    assert _grant(limiter, 10.0) == []
    assert limiter.get_wake_up_at(10.0) == 10.0 + SESSION_START_WINDOW


def test__IdentifyLimiter__reset_with_starts_left():
    """At the reset the new window is counted from its beginning: what was left of the old one is gone."""
    limiter = IdentifyLimiter()
    limiter.set_session_start_limit(3, 2, 100.0, 1)
    _enqueue_ready(limiter, *range(8))
    now = 100.0
    granted = 0
    
    while not limiter.is_exhausted(now):
        granted += len(limiter.grant(now))
        now += SPACING
    
    assert granted == 3
    assert limiter.get_wake_up_at(now) == 100.0 + SESSION_START_WINDOW


def test__IdentifyLimiter__unknown_limit():
    """As long as the limit is not known it does not stop anybody."""
    limiter = IdentifyLimiter()
    _enqueue_ready(limiter, 0)
    
    assert limiter.remaining is None
    assert _grant(limiter, 0.0) == [0]
    assert limiter.remaining is None


@pytest.mark.parametrize(('before', 'after'), ((1, 16), (16, 1), (4, 3), (3, 4), (2, 8)))
def test__IdentifyLimiter__max_concurrency_changes(before, after):
    """When the buckets change, nobody is lost, and no new bucket identifies within 5 s of anyone."""
    limiter = IdentifyLimiter(before)
    _enqueue_ready(limiter, *range(20))
    granted = _grant(limiter, 0.0)
    assert len(granted) == before
    
    limiter.set_session_start_limit(1000, 1000, 86400.0, after)
    assert limiter.get_waiting_count() == 20 - before
    assert _grant(limiter, SPACING - 0.001) == []
    
    now = SPACING
    while limiter.get_waiting_count():
        together = _grant(limiter, now)
        assert len({shard_id % after for shard_id in together}) == len(together)
        granted.extend(together)
        now += SPACING
    
    assert sorted(granted) == [*range(20)]


def test__IdentifyLimiter__max_concurrency_changes__withdraw():
    """A ticket from before the change can be withdrawn after it."""
    limiter = IdentifyLimiter(4)
    tickets = [limiter.enqueue(shard_id) for shard_id in range(8)]
    limiter.set_session_start_limit(1000, 1000, 86400.0, 3)
    
    for ticket in tickets:
        assert ticket.bucket == ticket.shard_id % 3
        limiter.withdraw(ticket)
    
    assert limiter.get_waiting_count() == 0


@pytest.mark.parametrize('max_concurrency', (0, -1))
def test__IdentifyLimiter__max_concurrency_of_nonsense(max_concurrency):
    """A `max_concurrency` below 1 is not taken over."""
    limiter = IdentifyLimiter(2)
    limiter.set_session_start_limit(1000, 5, 86400.0, max_concurrency)
    
    assert limiter.max_concurrency == 2
    assert limiter.remaining == 5


def test__IdentifyLimiter__get_wake_up_at__empty():
    """Nobody waits: nothing to wake up for, exhausted or not."""
    limiter = IdentifyLimiter()
    assert limiter.get_wake_up_at(0.0) is None
    
    limiter.set_session_start_limit(1000, 0, 3600.0, 1)
    assert limiter.get_wake_up_at(0.0) is None


def test__IdentifyLimiter__repr():
    """The representations show the queue, and the place in it."""
    limiter = IdentifyLimiter(4)
    ticket = limiter.enqueue(5)
    
    assert 'max_concurrency = 4' in repr(limiter)
    assert 'waiting = 1' in repr(limiter)
    assert 'shard_id = 5' in repr(ticket)
    assert 'bucket = 1' in repr(ticket)
