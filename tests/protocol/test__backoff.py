import pytest

from hata_gateway_ext.protocol.backoff import (
    ATTEMPT_BUDGET, ATTEMPT_BUDGET_REFILL, Backoff, DELAY_BASE, DELAY_MAXIMUM
)

JITTER_MAXIMUM = 1.0 - 2.0 ** -53


def test__constants():
    """Base 1 s, at most 60 s; a bucket of 60 attempts that refills with one a second."""
    assert (DELAY_BASE, DELAY_MAXIMUM) == (1.0, 60.0)
    assert (ATTEMPT_BUDGET, ATTEMPT_BUDGET_REFILL) == (60.0, 1.0)


@pytest.mark.parametrize(
    ('failures', 'bound'),
    ((0, 0.0), (1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 16.0), (6, 32.0), (7, 60.0), (8, 60.0), (100000, 60.0)),
)
def test__Backoff__get_delay_bound(failures, bound):
    """The first attempt is made at once; then the delay doubles from 1 s up to 60 s."""
    backoff = Backoff()
    backoff.failures = failures
    
    assert backoff.get_delay_bound() == bound


@pytest.mark.parametrize(
    ('jitter', 'fraction'), ((0.0, 0.5), (0.5, 0.75), (JITTER_MAXIMUM, 1.0)),
)
@pytest.mark.parametrize('failures', (1, 2, 5, 9))
def test__Backoff__attempt__jitter(failures, jitter, fraction):
    """The jitter takes the upper half of the delay."""
    backoff = Backoff()
    for _ in range(failures):
        backoff.failed()
    
    assert backoff.attempt(0.0, jitter) == pytest.approx(backoff.get_delay_bound() * fraction)


@pytest.mark.parametrize('jitter', (0.0, 0.5, JITTER_MAXIMUM))
def test__Backoff__attempt__first_is_at_once(jitter):
    """The first attempt after a loss is made at once, whatever the jitter is."""
    assert Backoff().attempt(100.0, jitter) == 0.0


def test__Backoff__succeeded():
    """READY or RESUMED sets the count back, but not the budget."""
    backoff = Backoff()
    for _ in range(10):
        backoff.attempt(0.0, 0.0)
        backoff.failed()
    
    backoff.succeeded()
    assert backoff.failures == 0
    assert backoff.attempt(0.0, 0.5) == 0.0
    
    for _ in range(int(ATTEMPT_BUDGET) - 11):
        assert backoff.attempt(0.0, 0.5) == 0.0
    
    assert backoff.attempt(0.0, 0.5) == 1.0


@pytest.mark.parametrize(('minimum', 'delay'), ((0.0, 0.5), (0.25, 0.5), (3.0, 3.0), (300.0, 300.0)))
def test__Backoff__attempt__minimum(minimum, delay):
    """A server that asks for patience gets it; it never makes a delay shorter."""
    backoff = Backoff()
    backoff.failed()
    
    assert backoff.attempt(0.0, 0.0, minimum) == delay


@pytest.mark.parametrize('jitter', (0.0, 0.25, 0.5, 0.75, JITTER_MAXIMUM))
def test__Backoff__outage_of_five_minutes(jitter):
    """An outage of five minutes costs at most 15 attempts, and ends within the current delay."""
    backoff = Backoff()
    now = 1000.0
    attempts = []
    
    while True:
        now += backoff.attempt(now, jitter)
        if now > 1300.0:
            break
        
        attempts.append(now)
        backoff.failed()
    
    assert len(attempts) <= 15
    assert now - attempts[-1] <= DELAY_MAXIMUM


def test__Backoff__attempt__accept_and_drop():
    """A server that accepts and drops in a loop is met with 60 attempts at once, then with one a second."""
    backoff = Backoff()
    now = 0.0
    attempts = []
    
    while now < 120.0:
        now += backoff.attempt(now, 0.5)
        attempts.append(now)
        backoff.succeeded()
    
    assert attempts[:60] == [0.0] * 60
    assert attempts[60:] == [float(index) for index in range(1, 121)]


def test__Backoff__attempt__budget_refills():
    """One attempt a second comes back, up to 60 and no further."""
    backoff = Backoff()
    
    for _ in range(60):
        assert backoff.attempt(0.0, 0.0) == 0.0
    
    for _ in range(10):
        assert backoff.attempt(10.0, 0.0) == 0.0
    
    assert backoff.attempt(10.0, 0.0) == 1.0
    
    # Much later it is full, and not fuller.
    for _ in range(60):
        assert backoff.attempt(100000.0, 0.0) == 0.0
    
    assert backoff.attempt(100000.0, 0.0) == 1.0


def test__Backoff__attempt__waiting_attempts_count():
    """Attempts that wait have taken their part already: each further one comes a second later."""
    backoff = Backoff()
    for _ in range(60):
        backoff.attempt(0.0, 0.0)
    
    assert [backoff.attempt(0.0, 0.0) for _ in range(3)] == [1.0, 2.0, 3.0]


def test__Backoff__attempt__clock_stands_still():
    """Equal times refill nothing."""
    backoff = Backoff()
    for _ in range(200):
        backoff.attempt(5.0, 0.0)
    
    assert backoff.attempt(5.0, 0.0) == 141.0


def test__Backoff__repr():
    """The representation says how many attempts failed."""
    backoff = Backoff()
    backoff.failed()
    
    assert 'failures = 1' in repr(backoff)
