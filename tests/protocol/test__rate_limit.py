import pytest

from hata_gateway_ext.protocol.rate_limit import SEND_LIMIT, SEND_WINDOW, SEND_WINDOW_MARGIN, SendWindow

# Our window is this long; Discord's is a little shorter.
WINDOW = SEND_WINDOW + SEND_WINDOW_MARGIN


def _take_all(window, now, reserved = False):
    count = 0
    while window.take(now, reserved):
        count += 1
    
    return count


def test__constants():
    """120 payloads in 60 s."""
    assert SEND_LIMIT == 120
    assert SEND_WINDOW == 60.0
    assert SEND_WINDOW_MARGIN > 0.0


@pytest.mark.parametrize(
    ('interval', 'reserve'),
    (
        # `ceil(60 / interval) + 2`
        (41.25, 4),
        (60.0, 3),
        (59.9, 4),
        (61.0, 3),
        (30.0, 4),
        (10.0, 8),
        (3600.0, 3),
        # However fast the heartbeat is, half of the window stays.
        (60.0 / 58.0, 60),
        (1.0, 60),
        (0.5, 60),
        (1e-9, 60),
        # 60 divided by these is infinite.
        (1e-308, 60),
        (5e-324, 60),
    ),
)
def test__SendWindow__set_heartbeat_interval(interval, reserve):
    """We keep `ceil(60 / interval) + 2` of the 120 free, and never more than half."""
    window = SendWindow()
    window.set_heartbeat_interval(interval)
    
    assert window.reserve == reserve


def test__SendWindow__take__leaves_the_reserve():
    """At 41.25 s 116 of the bot's payloads leave at once; the four of heartbeats, IDENTIFY and RESUME stay."""
    window = SendWindow()
    window.set_heartbeat_interval(41.25)
    
    assert _take_all(window, 10.0) == 116
    assert window.get_remaining(10.0) == 0
    assert window.get_remaining(10.0, True) == 4
    assert _take_all(window, 10.0, True) == 4
    assert window.get_remaining(10.0, True) == 0


def test__SendWindow__take__reserved_first():
    """What the heartbeats took counts as well: together they never pass the limit."""
    window = SendWindow()
    window.set_heartbeat_interval(41.25)
    
    assert _take_all(window, 10.0, True) == SEND_LIMIT
    assert window.take(10.0) is False


@pytest.mark.parametrize('reserved', (False, True))
def test__SendWindow__take__slides(reserved):
    """Each permit comes back a window after it was taken, one by one, and not all at once."""
    window = SendWindow()
    window.set_heartbeat_interval(41.25)
    limit = SEND_LIMIT if reserved else SEND_LIMIT - window.reserve
    
    for index in range(limit):
        assert window.take(100.0 + index * 0.25, reserved)
    
    assert window.take(100.0 + WINDOW - 0.01, reserved) is False
    
    for index in range(limit):
        now = 100.0 + index * 0.25 + WINDOW
        assert window.get_next_permit_at(now - 0.01, reserved) == pytest.approx(now)
        assert window.get_next_permit_at(now, reserved) == now
        assert window.take(now, reserved)
        assert window.take(now, reserved) is False


def test__SendWindow__get_next_permit_at__free():
    """While a permit is free, it can be taken now."""
    window = SendWindow()
    
    assert window.get_next_permit_at(5.5) == 5.5
    assert window.take(5.5)


@pytest.mark.parametrize('now', (0.1, 1.3, 7.7, 60.25, 1234.567, 91234.123, 876543.21))
def test__SendWindow__get_next_permit_at__is_kept(now):
    """At the time that was named the permit is there, however the sums round: else a timer would spin."""
    for index in range(1000):
        window = SendWindow()
        sent_at = now + index * 0.001
        _take_all(window, sent_at, True)
        
        assert window.take(window.get_next_permit_at(sent_at, True), True)


def test__SendWindow__take__identify_comes_out_of_the_reserve():
    """What heartbeats, IDENTIFY and RESUME took is not taken from the rest: 116 of the bot's leave at once after them."""
    window = SendWindow()
    window.set_heartbeat_interval(41.25)
    
    for _ in range(3):
        assert window.take(9.0, True)
    
    assert _take_all(window, 10.0) == 116
    assert window.get_remaining(10.0, True) == 1
    # They leave the window first, and are free for the reserve again.
    assert window.get_remaining(9.0 + WINDOW) == 0
    assert window.get_remaining(9.0 + WINDOW, True) == 4
    assert window.get_next_permit_at(10.0) == 10.0 + WINDOW


def test__SendWindow__take__reserve_exceeded():
    """When Discord asks for more heartbeats than the reserve has, a permit for the next one is kept nevertheless."""
    window = SendWindow()
    window.set_heartbeat_interval(41.25)
    
    for _ in range(20):
        assert window.take(9.0, True)
    
    assert _take_all(window, 10.0) == 99
    assert window.take(10.0, True)
    assert not window.take(10.0, True)


def test__SendWindow__get_next_permit_at__above_the_unreserved_limit():
    """Reserved permits push the next unreserved one back: it comes when enough of all are free again."""
    window = SendWindow()
    window.set_heartbeat_interval(41.25)
    
    for index in range(SEND_LIMIT):
        assert window.take(float(index) * 0.1, True)
    
    # One is kept for the next heartbeat, so two have to leave the window until one is free.
    next_permit_at = window.get_next_permit_at(12.0)
    assert next_permit_at == pytest.approx(0.1 + WINDOW)
    assert window.take(next_permit_at)
    assert window.take(next_permit_at) is False


def test__SendWindow__reserve_grows_on_the_way():
    """A reserve that is set when more is sent already leaves nothing, and nothing negative."""
    window = SendWindow()
    
    assert _take_all(window, 0.0) == 118
    window.set_heartbeat_interval(0.5)
    assert window.get_remaining(0.0) == 0
    assert window.get_remaining(0.0, True) == 2
    assert window.get_next_permit_at(0.0) == WINDOW


def test__SendWindow__new_connection():
    """A new connection starts a new window."""
    _take_all(SendWindow(), 0.0)
    
    assert SendWindow().get_remaining(0.0, True) == SEND_LIMIT


def test__SendWindow__memory():
    """The log never holds more than a window."""
    window = SendWindow()
    
    for index in range(5000):
        window.take(index * 0.3, True)
    
    assert len(window._sent) <= SEND_LIMIT


def test__SendWindow__repr():
    """The representation says how much of the window is used."""
    window = SendWindow()
    window.take(0.0)
    
    assert 'sent = 1' in repr(window)
