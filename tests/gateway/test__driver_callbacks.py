"""
What a driver does with what Discord says about the session: the methods that the dispatcher and the connection call.
"""
import pytest

from hata_gateway_ext.errors import GatewayInputReport, GatewayStoreReport
from hata_gateway_ext.gateway.driver import SessionDriver
from hata_gateway_ext.protocol.errors import InflateError, PayloadError
from hata_gateway_ext.protocol.session import UNREADABLE_LIMIT
from hata_gateway_ext.protocol.transitions import (
    INPUT_BROKEN, INPUT_HELLO_IDENTIFY, INPUT_INVALID, INPUT_INVALID_RESUMABLE, INPUT_READY, INPUT_RECONNECT,
    INPUT_RESUMED, MACHINE_ACTIONS, STATES, STATE_AWAITING_PERMIT, STATE_GREETING, STATE_IDENTIFYING, STATE_READY,
    STATE_RESUMING, TRANSITIONS
)

from ..doubles.driver import build_driver

URL = 'wss://gateway-us-east1-b.discord.gg'

READY = {'session_id': 'secret session', 'resume_gateway_url': URL, 'user': {'id': '1'}, 'guilds': [{'id': '2'}]}


def test__SessionDriver__heartbeats():
    """Acknowledgements and requests for heartbeats go to the heart; before the first HELLO there is none."""
    driver = build_driver(STATE_READY)
    driver.operation_received(11, {'op': 11})
    driver.operation_received(1, {'op': 1})
    driver.operation_received(1, {'op': 1})
    assert (driver.kokoro.answers, driver.kokoro.beats) == (1, 2)
    
    driver.kokoro = None
    driver.operation_received(11, {'op': 11})
    driver.operation_received(1, {'op': 1})
    assert driver.machine.inputs == []


@pytest.mark.parametrize(
    ('payload', 'input_'),
    (
        ({'op': 7, 'd': None}, INPUT_RECONNECT),
        ({'op': 7}, INPUT_RECONNECT),
        ({'op': 9, 'd': True}, INPUT_INVALID_RESUMABLE),
        ({'op': 9, 'd': False}, INPUT_INVALID),
        ({'op': 9, 'd': None}, INPUT_INVALID),
        ({'op': 9, 'd': 1}, INPUT_INVALID),
        ({'op': 9}, INPUT_INVALID),
    ),
    ids = repr,
)
def test__SessionDriver__operations(payload, input_):
    """RECONNECT and INVALID_SESSION; what is not exactly true is not resumable."""
    driver = build_driver(STATE_READY)
    driver.operation_received(payload['op'], payload)
    assert driver.machine.inputs == [input_]


@pytest.mark.parametrize('operation', (2, 3, 5, 6, 8, 12, 99, -1, 10 ** 20))
def test__SessionDriver__unknown_operation(operation):
    """An operation that is unknown, or that only we send, is no error."""
    driver = build_driver(STATE_READY)
    driver.operation_received(operation, {'op': operation, 'd': {}})
    assert driver.machine.inputs == []
    assert driver.reports.reported == []


def test__SessionDriver__hello():
    """HELLO with an interval greets; a second one on the connection changes nothing."""
    driver = build_driver(STATE_GREETING)
    driver.operation_received(10, {'op': 10, 'd': {'heartbeat_interval': 41250}})
    assert driver.machine.inputs == [INPUT_HELLO_IDENTIFY]
    assert driver.heartbeat_interval == 41.25
    
    driver.machine.state = STATE_READY
    driver.operation_received(10, {'op': 10, 'd': {'heartbeat_interval': 1000}})
    driver.operation_received(10, {'op': 10, 'd': None})
    assert driver.machine.inputs == [INPUT_HELLO_IDENTIFY]
    assert driver.heartbeat_interval == 41.25


@pytest.mark.parametrize('data', (None, {}, {'heartbeat_interval': 0}, {'heartbeat_interval': 'soon'}, []), ids = repr)
def test__SessionDriver__bad_hello(data):
    """HELLO without a usable interval is reported, and the connection given up."""
    driver = build_driver(STATE_GREETING)
    driver.operation_received(10, {'op': 10, 'd': data})
    assert driver.machine.inputs == [INPUT_BROKEN]
    report, = driver.reports.reported
    assert type(report) is GatewayInputReport
    assert 'heartbeat_interval' in str(report)


def test__SessionDriver__ready():
    """READY: the session is taken over, the event dispatched, and the machine told, in that order."""
    driver = build_driver(STATE_IDENTIFYING)
    seen = []
    driver.connection.dispatcher.on_dispatch = lambda: seen.append(
        (driver.machine.session.session_id, [*driver.machine.inputs])
    )
    driver.ready_received(1, READY)
    
    assert seen == [('secret session', [])]
    assert driver.machine.inputs == [INPUT_READY]
    assert driver.connection.dispatcher.dispatched == [('READY', 1, READY)]
    session = driver.machine.session
    assert (session.session_id, session.resume_gateway_url, session.sequence) == ('secret session', URL, 1)
    assert driver.counts.sessions == 1


def test__SessionDriver__ready_ends_the_connection():
    """A parser of READY that ends the connection: the machine is not told of a READY that is over."""
    driver = build_driver(STATE_IDENTIFYING)
    
    def end():
        driver.connection = None
    
    driver.connection.dispatcher.on_dispatch = end
    driver.ready_received(1, READY)
    assert driver.machine.inputs == []
    assert driver.machine.session.is_resumable()


@pytest.mark.parametrize('state', [state for state in STATES if state != STATE_IDENTIFYING])
def test__SessionDriver__ready_without_identify(state):
    """READY that nobody asked for says that the stream cannot be trusted; it changes nothing of the session."""
    driver = build_driver(state, sequence = 7)
    driver.ready_received(1, {**READY, 'session_id': 'another'})
    assert driver.machine.inputs == [INPUT_BROKEN]
    assert driver.connection.dispatcher.dispatched == []
    assert driver.machine.session.session_id == 'secret session'
    assert driver.machine.session.sequence == 7


@pytest.mark.parametrize('name', ('session_id', 'user', 'guilds'))
def test__SessionDriver__ready_lacks(name):
    """READY that lacks what is needed is not dispatched; the report says what, and nothing of the rest."""
    driver = build_driver(STATE_IDENTIFYING)
    driver.ready_received(1, {key: value for key, value in READY.items() if key != name})
    assert driver.machine.inputs == [INPUT_BROKEN]
    assert driver.connection.dispatcher.dispatched == []
    assert not driver.machine.session.is_resumable()
    report, = driver.reports.reported
    assert name in str(report)
    assert 'secret' not in str(report)


@pytest.mark.parametrize(('is_secure', 'expected'), ((True, None), (False, 'ws://127.0.0.1:8000')))
def test__SessionDriver__resume_gateway_url(is_secure, expected):
    """The machine is told whether READY came over TLS: from there the token does not go where anyone can read it."""
    driver = build_driver(STATE_IDENTIFYING, is_secure)
    driver.ready_received(1, {**READY, 'resume_gateway_url': 'ws://127.0.0.1:8000'})
    assert driver.machine.inputs == [INPUT_READY]
    assert driver.machine.session.resume_gateway_url == expected


@pytest.mark.parametrize(('sequence', 'expected'), ((12, 12), (10, 10), (9, 10), (None, 10)))
def test__SessionDriver__resumed(sequence, expected):
    """RESUMED ends the replay; its sequence never leads back."""
    driver = build_driver(STATE_RESUMING, sequence = 10)
    driver.resumed_received(sequence, {})
    assert driver.machine.inputs == [INPUT_RESUMED]
    assert driver.connection.dispatcher.dispatched == [('RESUMED', expected, {})]
    assert driver.counts.resumes == 1


@pytest.mark.parametrize('state', [state for state in STATES if state != STATE_RESUMING])
def test__SessionDriver__resumed_without_resume(state):
    """RESUMED that nobody asked for changes nothing."""
    driver = build_driver(state, sequence = 10)
    driver.resumed_received(99, {})
    assert driver.machine.inputs == []
    assert driver.machine.session.sequence == 10


def test__SessionDriver__sequence_out_of_order():
    """While resuming it is normal; later on it says that the stream cannot be trusted. It is counted in any case."""
    driver = build_driver(STATE_RESUMING, sequence = 10)
    driver.sequence_out_of_order(9)
    assert driver.machine.inputs == []
    
    driver.machine.state = STATE_READY
    driver.sequence_out_of_order(10)
    assert driver.machine.inputs == [INPUT_BROKEN]
    assert driver.counts.duplicates == 2
    
    driver = build_driver(STATE_AWAITING_PERMIT)
    driver.sequence_out_of_order(1)
    assert driver.machine.inputs == []


def test__SessionDriver__unreadable():
    """The same payload: the session is resumed for it three times, then it is passed over. It is reported twice."""
    driver = build_driver(STATE_READY, sequence = 10)
    exception = PayloadError('No JSON.')
    for _ in range(UNREADABLE_LIMIT):
        assert driver.payload_unreadable(exception) is False
        driver.input_broken(exception)
    
    assert driver.machine.inputs == [INPUT_BROKEN] * UNREADABLE_LIMIT
    assert driver.payload_unreadable(exception) is True
    assert driver.payload_unreadable(exception) is True
    assert len(driver.reports.reported) == 2
    assert all(report.shard_id == 4 for report in driver.reports.reported)
    
    # Another one, behind the next event.
    driver.machine.session.sequence = 11
    assert driver.payload_unreadable(exception) is False


def test__SessionDriver__broken_stream_is_no_payload():
    """A stream that breaks at the same event again and again says nothing about a payload: none is passed over for it."""
    driver = build_driver(STATE_READY, sequence = 10)
    for _ in range(UNREADABLE_LIMIT * 2):
        driver.input_broken(InflateError('Corrupt.'))
    
    assert driver.payload_unreadable(PayloadError('No JSON.')) is False
    assert len(driver.reports.reported) == 1
    assert 'Corrupt.' in str(driver.reports.reported[0])


class FakeRestored:
    """A restored session: keeps what became of it."""
    def __init__(self):
        self.fates = []
    
    
    def resumed(self, client, shard_id):
        self.fates.append('resumed')
    
    
    def discard(self, client):
        self.fates.append('discarded')


@pytest.mark.parametrize(
    ('state', 'name', 'fate', 'report_count'),
    ((STATE_RESUMING, 'RESUMED', 'resumed', 0), (STATE_IDENTIFYING, 'READY', 'discarded', 1)),
)
def test__SessionDriver__end_of_a_restored_session(state, name, fate, report_count):
    """A restored session is caught up with, or lost, and that is said; either way once."""
    driver = build_driver(state, sequence = 10)
    driver.restored = restored = FakeRestored()
    for _ in range(2):
        if name == 'READY':
            driver.ready_received(1, READY)
        else:
            driver.resumed_received(11, {})
    
    assert restored.fates == [fate]
    assert driver.restored is None
    assert driver.connection.dispatcher.replay_filter is None
    assert [type(report) for report in driver.reports.reported] == [GatewayStoreReport] * report_count


class UnknownActionMachine:
    """A machine that asks for something that the driver does not know."""
    def receive(self, input_, now, jitter):
        return ('sing',)


def test__SessionDriver__unknown_action():
    """What the machine asks for is done, or it is an error; it is not passed over."""
    driver = build_driver(STATE_READY)
    driver.machine = UnknownActionMachine()
    with pytest.raises(KeyError, match = 'sing'):
        driver.connected()


@pytest.mark.parametrize('row', TRANSITIONS.items(), ids = repr)
def test__SessionDriver__knows_each_action(row):
    """There is no action in the table that neither the machine nor the driver does."""
    _, (_, actions) = row
    assert {*actions} <= {*SessionDriver.ACTIONS, *MACHINE_ACTIONS}


def test__SessionDriver__repr():
    """The repr shows the shard."""
    assert repr(build_driver(STATE_READY)) == "<SessionDriver shard_id = 4, state = 'ready'>"
