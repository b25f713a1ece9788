import pytest

from hata_gateway_ext.protocol.errors import PayloadError
from hata_gateway_ext.protocol.greeting import check_ready, read_heartbeat_interval

READY_DATA = {
    'v': 10,
    'session_id': 'session',
    'resume_gateway_url': 'wss://gateway-seija.discord.test',
    'user': {'id': '202408120000'},
    'guilds': [],
}


@pytest.mark.parametrize(('value', 'interval'), ((41250, 41.25), (41250.5, 41.2505), (10, 0.01), (3600000, 3600.0)))
def test__read_heartbeat_interval(value, interval):
    """HELLO gives the interval in milliseconds; unknown fields are normal."""
    assert read_heartbeat_interval({'heartbeat_interval': value, '_trace': []}) == pytest.approx(interval)


@pytest.mark.parametrize(
    'data',
    (
        None, [], 'hello', 41250, {}, {'heartbeat_interval': None}, {'heartbeat_interval': '41250'},
        {'heartbeat_interval': True}, {'heartbeat_interval': [41250]}, {'heartbeat_interval': 0},
        {'heartbeat_interval': -1}, {'heartbeat_interval': 1}, {'heartbeat_interval': 1e12},
        {'heartbeat_interval': float('nan')}, {'heartbeat_interval': float('inf')},
        {'heartbeat_interval': -float('inf')}, {'heartbeat_interval': 10 ** 400}, {'heartbeat_interval': -10 ** 400},
    ),
    ids = lambda data: repr(data)[:40],
)
def test__read_heartbeat_interval__refused(data):
    """HELLO without an interval, or with one that no timer could follow, is refused in one way."""
    with pytest.raises(PayloadError):
        read_heartbeat_interval(data)


def test__check_ready():
    """A READY that holds what is needed passes."""
    check_ready(1, READY_DATA)


@pytest.mark.parametrize('name', ('session_id', 'user', 'guilds'))
def test__check_ready__missing(name):
    """The error names what is missing, and nothing of what is there."""
    data = {key: value for key, value in READY_DATA.items() if key != name}
    
    with pytest.raises(PayloadError) as catcher:
        check_ready(1, data)
    
    assert name in str(catcher.value)
    assert '202408120000' not in str(catcher.value)


@pytest.mark.parametrize(
    ('name', 'value'),
    (
        ('session_id', ''), ('session_id', 5), ('session_id', None), ('user', []), ('user', None), ('guilds', {}),
        ('guilds', None),
    ),
)
def test__check_ready__ill_typed(name, value):
    """What has another type than the parser of READY needs is refused."""
    with pytest.raises(PayloadError):
        check_ready(1, {**READY_DATA, name: value})


@pytest.mark.parametrize(('sequence', 'data'), ((None, READY_DATA), (1, None), (1, []), (1, 'ready')))
def test__check_ready__no_sequence_or_data(sequence, data):
    """A READY without a sequence cannot be resumed from; one without data is none."""
    with pytest.raises(PayloadError):
        check_ready(sequence, data)
