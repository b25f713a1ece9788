"""
What a shard does with what Discord says about the session. The driver is a fake around the real machine; the rest is real.
"""
import pytest

from hata_gateway_ext.errors import GatewayInputReport
from hata_gateway_ext.gateway.message_handler import MessageHandler, UNREADABLE_LIMIT
from hata_gateway_ext.gateway.reports import Reports
from hata_gateway_ext.gateway.statistics import SessionCounts
from hata_gateway_ext.protocol.errors import InflateError, PayloadError
from hata_gateway_ext.protocol.session import Session, SessionMachine
from hata_gateway_ext.protocol.transitions import (
    INPUT_BROKEN, INPUT_INVALID, INPUT_INVALID_RESUMABLE, INPUT_READY, INPUT_RECONNECT, INPUT_RESUMED, STATES,
    STATE_AWAITING_PERMIT, STATE_GREETING, STATE_IDENTIFYING, STATE_READY, STATE_RESUMING
)

URL = 'wss://gateway-us-east1-b.discord.gg'

READY = {'session_id': 'secret session', 'resume_gateway_url': URL, 'user': {'id': '1'}, 'guilds': [{'id': '2'}]}


class RecordingReports(Reports):
    """Keeps what is reported, instead of giving it to a client."""
    __slots__ = ('reported',)
    
    def __new__(cls):
        self = Reports.__new__(cls, None)
        self.reported = []
        return self
    
    
    def report(self, exception):
        self.reported.append(exception)


class FakeDispatcher:
    """Keeps what is dispatched, and takes the sequence over as the real one does."""
    def __init__(self, driver):
        self.driver = driver
        self.dispatched = []
        self.on_dispatch = None
    
    
    def dispatch(self, name, sequence, data):
        self.dispatched.append((name, sequence, data))
        self.driver.machine.session.sequence = sequence
        if self.on_dispatch is not None:
            self.on_dispatch()


class FakeConnection:
    """A connection, as far as the message handler knows it."""
    def __init__(self, driver, is_secure):
        self.dispatcher = FakeDispatcher(driver)
        self.is_secure = is_secure


class FakeKokoro:
    """A heart that counts."""
    def __init__(self):
        self.answers = 0
        self.beats = 0
    
    
    def answered(self):
        self.answers += 1
    
    
    def beat_now(self):
        self.beats += 1


class FakeDriver:
    """The driver of a shard: keeps the inputs that the machine is to be given."""
    def __init__(self, state, is_secure = True, sequence = None):
        self.connection = FakeConnection(self, is_secure)
        self.counts = SessionCounts()
        self.inputs = []
        self.kokoro = FakeKokoro()
        self.machine = SessionMachine(Session(None if sequence is None else 'secret session', None, sequence))
        self.machine.state = state
        self.messages = MessageHandler(self)
        self.reports = RecordingReports()
        self.restores_ended = []
        self.shard_id = 4
    
    
    def receive(self, input_):
        self.inputs.append(input_)
    
    
    def greeted(self):
        self.inputs.append('greeted')
    
    
    def end_restore(self, resumed):
        self.restores_ended.append(resumed)


def test__MessageHandler__heartbeats():
    """Acknowledgements and requests for heartbeats go to the heart; before the first HELLO there is none."""
    driver = FakeDriver(STATE_READY)
    driver.messages.operation_received(11, {'op': 11})
    driver.messages.operation_received(1, {'op': 1})
    driver.messages.operation_received(1, {'op': 1})
    assert (driver.kokoro.answers, driver.kokoro.beats) == (1, 2)
    
    driver.kokoro = None
    driver.messages.operation_received(11, {'op': 11})
    driver.messages.operation_received(1, {'op': 1})
    assert driver.inputs == []


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
def test__MessageHandler__operations(payload, input_):
    """RECONNECT and INVALID_SESSION; what is not exactly true is not resumable."""
    driver = FakeDriver(STATE_READY)
    driver.messages.operation_received(payload['op'], payload)
    assert driver.inputs == [input_]


@pytest.mark.parametrize('operation', (2, 3, 5, 6, 8, 12, 99, -1, 10 ** 20))
def test__MessageHandler__unknown_operation(operation):
    """An operation that is unknown, or that only we send, is no error."""
    driver = FakeDriver(STATE_READY)
    driver.messages.operation_received(operation, {'op': operation, 'd': {}})
    assert driver.inputs == []
    assert driver.reports.reported == []


def test__MessageHandler__hello():
    """HELLO with an interval greets; a second one on the connection changes nothing."""
    driver = FakeDriver(STATE_GREETING)
    driver.messages.operation_received(10, {'op': 10, 'd': {'heartbeat_interval': 41250}})
    assert driver.inputs == ['greeted']
    assert driver.messages.heartbeat_interval == 41.25
    
    driver.machine.state = STATE_READY
    driver.messages.operation_received(10, {'op': 10, 'd': {'heartbeat_interval': 1000}})
    driver.messages.operation_received(10, {'op': 10, 'd': None})
    assert driver.inputs == ['greeted']
    assert driver.messages.heartbeat_interval == 41.25


@pytest.mark.parametrize('data', (None, {}, {'heartbeat_interval': 0}, {'heartbeat_interval': 'soon'}, []), ids = repr)
def test__MessageHandler__bad_hello(data):
    """HELLO without a usable interval is reported, and the connection given up."""
    driver = FakeDriver(STATE_GREETING)
    driver.messages.operation_received(10, {'op': 10, 'd': data})
    assert driver.inputs == [INPUT_BROKEN]
    report, = driver.reports.reported
    assert type(report) is GatewayInputReport
    assert 'heartbeat_interval' in str(report)


def test__MessageHandler__ready():
    """READY: the session is taken over, the event dispatched, and the machine told, in that order."""
    driver = FakeDriver(STATE_IDENTIFYING)
    seen = []
    driver.connection.dispatcher.on_dispatch = lambda: seen.append((driver.machine.session.session_id, [*driver.inputs]))
    driver.messages.ready_received(1, READY)
    
    assert seen == [('secret session', [])]
    assert driver.inputs == [INPUT_READY]
    assert driver.connection.dispatcher.dispatched == [('READY', 1, READY)]
    session = driver.machine.session
    assert (session.session_id, session.resume_gateway_url, session.sequence) == ('secret session', URL, 1)
    assert driver.counts.sessions == 1
    assert driver.restores_ended == [False]


def test__MessageHandler__ready_ends_the_connection():
    """A parser of READY that ends the connection: the machine is not told of a READY that is over."""
    driver = FakeDriver(STATE_IDENTIFYING)
    
    def end():
        driver.connection = None
    
    driver.connection.dispatcher.on_dispatch = end
    driver.messages.ready_received(1, READY)
    assert driver.inputs == []
    assert driver.machine.session.is_resumable()


@pytest.mark.parametrize('state', [state for state in STATES if state != STATE_IDENTIFYING])
def test__MessageHandler__ready_without_identify(state):
    """READY that nobody asked for says that the stream cannot be trusted; it changes nothing of the session."""
    driver = FakeDriver(state, sequence = 7)
    driver.messages.ready_received(1, {**READY, 'session_id': 'another'})
    assert driver.inputs == [INPUT_BROKEN]
    assert driver.connection.dispatcher.dispatched == []
    assert driver.machine.session.session_id == 'secret session'
    assert driver.machine.session.sequence == 7


@pytest.mark.parametrize('name', ('session_id', 'user', 'guilds'))
def test__MessageHandler__ready_lacks(name):
    """READY that lacks what is needed is not dispatched; the report says what, and nothing of the rest."""
    driver = FakeDriver(STATE_IDENTIFYING)
    driver.messages.ready_received(1, {key: value for key, value in READY.items() if key != name})
    assert driver.inputs == [INPUT_BROKEN]
    assert driver.connection.dispatcher.dispatched == []
    assert not driver.machine.session.is_resumable()
    report, = driver.reports.reported
    assert name in str(report)
    assert 'secret' not in str(report)


@pytest.mark.parametrize(
    ('url', 'is_secure', 'expected'),
    (
        (URL, True, URL),
        (URL, False, URL),
        ('ws://127.0.0.1:8000', False, 'ws://127.0.0.1:8000'),
        # The token is not sent where anyone can read it, only because a READY says so.
        ('ws://127.0.0.1:8000', True, None),
        ('https://discord.gg', True, None),
        ('', True, None),
        (None, True, None),
        (5, True, None),
        ([URL], True, None),
    ),
    ids = repr,
)
def test__MessageHandler__resume_gateway_url(url, is_secure, expected):
    """Where the session is resumed, if the token may be sent there; otherwise it is resumed where it began."""
    driver = FakeDriver(STATE_IDENTIFYING, is_secure)
    driver.messages.ready_received(1, {**READY, 'resume_gateway_url': url})
    assert driver.inputs == [INPUT_READY]
    assert driver.machine.session.resume_gateway_url == expected


@pytest.mark.parametrize(('sequence', 'expected'), ((12, 12), (10, 10), (9, 10), (None, 10)))
def test__MessageHandler__resumed(sequence, expected):
    """RESUMED ends the replay; its sequence never leads back."""
    driver = FakeDriver(STATE_RESUMING, sequence = 10)
    driver.messages.resumed_received(sequence, {})
    assert driver.inputs == [INPUT_RESUMED]
    assert driver.connection.dispatcher.dispatched == [('RESUMED', expected, {})]
    assert driver.counts.resumes == 1
    assert driver.restores_ended == [True]


@pytest.mark.parametrize('state', [state for state in STATES if state != STATE_RESUMING])
def test__MessageHandler__resumed_without_resume(state):
    """RESUMED that nobody asked for changes nothing."""
    driver = FakeDriver(state, sequence = 10)
    driver.messages.resumed_received(99, {})
    assert driver.inputs == []
    assert driver.machine.session.sequence == 10


def test__MessageHandler__sequence_out_of_order():
    """While resuming it is normal; later on it says that the stream cannot be trusted. It is counted in any case."""
    driver = FakeDriver(STATE_RESUMING, sequence = 10)
    driver.messages.sequence_out_of_order(9)
    assert driver.inputs == []
    
    driver.machine.state = STATE_READY
    driver.messages.sequence_out_of_order(10)
    assert driver.inputs == [INPUT_BROKEN]
    assert driver.counts.duplicates == 2
    
    driver = FakeDriver(STATE_AWAITING_PERMIT)
    driver.messages.sequence_out_of_order(1)
    assert driver.inputs == []


def test__MessageHandler__unreadable():
    """The same payload: the session is resumed for it three times, then it is passed over. It is reported twice."""
    driver = FakeDriver(STATE_READY, sequence = 10)
    exception = PayloadError('No JSON.')
    for _ in range(UNREADABLE_LIMIT):
        assert driver.messages.payload_unreadable(exception) is False
        driver.messages.input_broken(exception)
    
    assert driver.inputs == [INPUT_BROKEN] * UNREADABLE_LIMIT
    assert driver.messages.payload_unreadable(exception) is True
    assert driver.messages.payload_unreadable(exception) is True
    assert len(driver.reports.reported) == 2
    assert all(report.shard_id == 4 for report in driver.reports.reported)
    
    # Another one, behind the next event.
    driver.machine.session.sequence = 11
    assert driver.messages.payload_unreadable(exception) is False


def test__MessageHandler__broken_stream_is_no_payload():
    """A stream that breaks at the same event again and again says nothing about a payload: none is passed over for it."""
    driver = FakeDriver(STATE_READY, sequence = 10)
    for _ in range(UNREADABLE_LIMIT * 2):
        driver.messages.input_broken(InflateError('Corrupt.'))
    
    assert driver.messages.payload_unreadable(PayloadError('No JSON.')) is False
    assert len(driver.reports.reported) == 1
    assert 'Corrupt.' in str(driver.reports.reported[0])


def test__MessageHandler__repr():
    """The repr shows the shard."""
    assert repr(FakeDriver(STATE_READY).messages) == '<MessageHandler shard_id = 4>'
