import pytest

from hata_gateway_ext.protocol.backoff import RETRY_AFTER_MAXIMUM
from hata_gateway_ext.protocol.session import STATE_TIMEOUTS, Session, SessionMachine
from hata_gateway_ext.protocol.transitions import (
    ACTION_CONNECT, ACTION_DROP, ACTION_ENQUEUE, ACTION_IDENTIFY, ACTION_OPEN_SENDS, ACTION_RESUME, INPUT_ABORT,
    INPUT_BROKEN, INPUT_CLOSE, INPUT_CONNECTED, INPUT_CONNECT_FAILED, INPUT_INVALID, INPUT_INVALID_RESUMABLE,
    INPUT_LOST, INPUT_NEAR, INPUT_OFFLINE, INPUT_PERMIT, INPUT_READY, INPUT_RECONNECT, INPUT_RESUMED, INPUT_START,
    INPUT_SUSPEND, INPUT_TERMINATE, INPUT_TIMEOUT, INPUT_ZOMBIE, STATES, STATE_AWAITING_PERMIT, STATE_CONNECTING,
    STATE_FAILED, STATE_GREETING, STATE_IDENTIFYING, STATE_QUEUED, STATE_READY, STATE_RESUMING, STATE_STOPPED,
    STATE_WAITING, TRANSITIONS
)

URL = 'wss://gateway-seija.discord.test'

RESUME_CODES = (None, 1000, 1001, 1006, 1011, 3999, 4000, 4001, 4002, 4005, 4006, 4008, 4100, 4999)
IDENTIFY_CODES = (4003, 4007, 4009)
FATAL_CODES = (4004, 4010, 4011, 4012, 4013, 4014)


def _create_session(sequence = 12):
    return Session('session', URL, sequence)


def _get_machine(state, session = None):
    """
    Returns a machine that was led to a state, at time 0, without a failure on the way.
    """
    machine = SessionMachine(session)
    
    steps = {
        STATE_STOPPED: (),
        STATE_WAITING: (INPUT_START,),
        STATE_QUEUED: (INPUT_START, 'delay over'),
        STATE_AWAITING_PERMIT: (INPUT_START, 'delay over', INPUT_NEAR, INPUT_CONNECTED, 'hello'),
        STATE_CONNECTING: (INPUT_START, 'delay over', INPUT_NEAR),
        STATE_GREETING: (INPUT_START, 'delay over', INPUT_NEAR, INPUT_CONNECTED),
        STATE_IDENTIFYING: (INPUT_START, 'delay over', INPUT_NEAR, INPUT_CONNECTED, 'hello', INPUT_PERMIT),
        STATE_RESUMING: (INPUT_START, 'delay over', INPUT_CONNECTED, 'hello'),
        STATE_READY: (
            INPUT_START, 'delay over', INPUT_NEAR, INPUT_CONNECTED, 'hello', INPUT_PERMIT, INPUT_READY, INPUT_RESUMED,
        ),
        STATE_FAILED: (INPUT_START, 'delay over', INPUT_NEAR, INPUT_CONNECTED, 4004),
    }[state]
    
    for step in steps:
        if step == 'delay over':
            machine.delay_over(0.0, 0.0)
        elif step == 'hello':
            machine.hello(0.0, 0.0)
        elif isinstance(step, int):
            machine.closed(step, 0.0, 0.0)
        else:
            # A step that the machine has no use for (the queue with a session) is ignored by it.
            machine.receive(step, 0.0, 0.0)
    
    assert machine.state == state
    return machine


# ---- Session ----

@pytest.mark.parametrize(
    ('session_id', 'sequence', 'expected'),
    ((None, None, False), ('session', None, False), (None, 4, False), ('session', 0, True), ('session', 4, True)),
)
def test__Session__is_resumable(session_id, sequence, expected):
    """RESUME needs a session id and the sequence of an event that was dispatched; the url is not needed."""
    assert Session(session_id, None, sequence).is_resumable() is expected


def test__Session__repr():
    """The session id is a secret: with the token it takes the session over. The url is no one's business either."""
    output = repr(_create_session())
    
    assert 'sequence = 12' in output
    assert "'session'" not in output
    assert URL not in output


def test__SessionMachine__repr():
    """The representation shows the state, and no secret."""
    output = repr(SessionMachine(_create_session()))
    
    assert STATE_STOPPED in output
    assert "'session'" not in output


# ---- deadlines ----

@pytest.mark.parametrize(
    ('state', 'timeout'),
    ((STATE_CONNECTING, 30.0), (STATE_GREETING, 20.0), (STATE_IDENTIFYING, 60.0), (STATE_RESUMING, 20.0)),
)
def test__STATE_TIMEOUTS(state, timeout):
    """HELLO within 20 s, READY within 60 s, RESUMED within 20 s."""
    assert STATE_TIMEOUTS[state] == timeout


@pytest.mark.parametrize('state', STATES)
def test__SessionMachine__deadline(state):
    """A state has the deadline of the table, and that deadline leads out of it; the other states have none."""
    session = _create_session() if state == STATE_RESUMING else None
    machine = _get_machine(state, session)
    
    if state == STATE_WAITING:
        assert machine.deadline == 0.0
        return
    
    timeout = STATE_TIMEOUTS.get(state, None)
    assert machine.deadline == timeout
    assert ((state, INPUT_TIMEOUT) in TRANSITIONS) is (timeout is not None)
    
    if (timeout is not None):
        machine.receive(INPUT_TIMEOUT, timeout, 0.0)
        assert machine.state == STATE_WAITING
        assert machine.backoff.failures == 1
        assert machine.deadline == timeout + 0.5
        # Whatever was not answered: the session is kept.
        assert machine.session is session or session is None


@pytest.mark.parametrize('state', (STATE_CONNECTING, STATE_GREETING, STATE_IDENTIFYING, STATE_RESUMING))
def test__SessionMachine__extend(state):
    """What makes progress gets its time anew."""
    machine = _get_machine(state, _create_session() if state == STATE_RESUMING else None)
    machine.extend(7.0)
    
    assert machine.deadline == 7.0 + STATE_TIMEOUTS[state]


@pytest.mark.parametrize('state', (STATE_STOPPED, STATE_WAITING, STATE_QUEUED, STATE_AWAITING_PERMIT, STATE_READY))
def test__SessionMachine__extend__without_timeout(state):
    """A state that has no timeout gets none, and the delay of an attempt is not touched."""
    machine = _get_machine(state)
    deadline = machine.deadline
    machine.extend(7.0)
    
    assert machine.deadline == deadline


# ---- the way up ----

def test__SessionMachine__identify():
    """Without a session: queue, connect, HELLO, permit, IDENTIFY, READY."""
    machine = SessionMachine()
    
    assert machine.receive(INPUT_START, 5.0, 0.5) is not None
    assert machine.deadline == 5.0
    assert machine.delay_over(5.0, 0.5) == (ACTION_ENQUEUE,)
    assert machine.receive(INPUT_NEAR, 6.0, 0.5) == (ACTION_CONNECT,)
    assert not machine.should_use_resume_url()
    machine.receive(INPUT_CONNECTED, 7.0, 0.5)
    machine.hello(7.0, 0.5)
    assert machine.state == STATE_AWAITING_PERMIT
    assert machine.receive(INPUT_PERMIT, 8.0, 0.5) == (ACTION_IDENTIFY,)
    assert ACTION_OPEN_SENDS in machine.receive(INPUT_READY, 9.0, 0.5)
    assert machine.state == STATE_READY


def test__SessionMachine__resume():
    """With a session: connect at its url without queueing, HELLO, RESUME, RESUMED."""
    machine = SessionMachine(_create_session())
    
    machine.receive(INPUT_START, 5.0, 0.5)
    assert machine.delay_over(5.0, 0.5) == (ACTION_CONNECT,)
    assert machine.should_use_resume_url()
    machine.receive(INPUT_CONNECTED, 5.0, 0.5)
    assert ACTION_RESUME in machine.hello(5.0, 0.5)
    assert ACTION_OPEN_SENDS in machine.receive(INPUT_RESUMED, 5.0, 0.5)
    assert machine.state == STATE_READY


@pytest.mark.parametrize('input_', (INPUT_RECONNECT, INPUT_INVALID_RESUMABLE, INPUT_LOST, INPUT_BROKEN))
@pytest.mark.parametrize('state', (STATE_GREETING, STATE_AWAITING_PERMIT, STATE_IDENTIFYING))
def test__SessionMachine__op_7_before_ready(state, input_):
    """Before READY there is nothing to resume, whatever ends the connection: identify."""
    machine = _get_machine(state)
    machine.receive(input_, 0.0, 0.0)
    
    assert machine.delay_over(machine.deadline, 0.0) == (ACTION_ENQUEUE,)


# ---- losses ----

@pytest.mark.parametrize('code', RESUME_CODES)
@pytest.mark.parametrize('state', (STATE_RESUMING, STATE_READY))
def test__SessionMachine__closed__resume(state, code):
    """A lost connection, and any close code but the listed ones: the same session is resumed."""
    session = _create_session()
    machine = _get_machine(state, session)
    
    assert ACTION_DROP in machine.closed(code, 100.0, 0.0)
    assert machine.session is session
    assert machine.deadline == 100.0 + (0.5 if state == STATE_RESUMING else 0.0)
    assert machine.delay_over(machine.deadline, 0.0) == (ACTION_CONNECT,)
    assert machine.should_use_resume_url()


@pytest.mark.parametrize('code', IDENTIFY_CODES)
@pytest.mark.parametrize('state', (STATE_RESUMING, STATE_READY))
def test__SessionMachine__closed__identify(state, code):
    """4003, 4007 and 4009 end the session: the next attempt identifies, through the queue."""
    session = _create_session()
    machine = _get_machine(state, session)
    machine.closed(code, 100.0, 0.0)
    
    assert not machine.session.is_resumable()
    # The old object is left as it is: who still holds it sees no half of a session.
    assert machine.session is not session
    assert session.is_resumable()
    assert machine.delay_over(machine.deadline, 0.0) == (ACTION_ENQUEUE,)


@pytest.mark.parametrize('code', FATAL_CODES)
@pytest.mark.parametrize('state', (STATE_GREETING, STATE_AWAITING_PERMIT, STATE_IDENTIFYING, STATE_READY))
def test__SessionMachine__closed__fatal(state, code):
    """A fatal close code: one attempt, and no further one."""
    machine = _get_machine(state)
    machine.closed(code, 100.0, 0.0)
    
    assert machine.state == STATE_FAILED
    assert machine.deadline is None
    assert not machine.session.is_resumable()
    assert machine.delay_over(1000.0, 0.0) is None
    assert machine.receive(INPUT_NEAR, 1000.0, 0.0) is None


@pytest.mark.parametrize('code', (*RESUME_CODES, *IDENTIFY_CODES))
def test__SessionMachine__closed__before_hello(code):
    """An attempt that fails before HELLO leaves the session as it is."""
    session = _create_session()
    machine = _get_machine(STATE_GREETING, session)
    machine.closed(code, 0.0, 0.0)
    
    assert machine.session is session
    assert machine.delay_over(machine.deadline, 0.0) == (ACTION_CONNECT,)


@pytest.mark.parametrize('input_', (INPUT_CONNECT_FAILED, INPUT_TIMEOUT))
def test__SessionMachine__connect_failed(input_):
    """A connection that cannot be made leaves the session as it is, however often; there is no last attempt."""
    session = _create_session()
    machine = _get_machine(STATE_CONNECTING, session)
    now = 0.0
    
    for count in range(1, 200):
        machine.receive(input_, now, 0.999)
        assert machine.session is session
        assert machine.backoff.failures == count
        assert now <= machine.deadline <= now + 60.0
        now = machine.deadline
        assert machine.delay_over(now, 0.0) == (ACTION_CONNECT,)


@pytest.mark.parametrize(('jitter', 'pause'), ((0.0, 1.0), (0.5, 3.0), (0.999, 4.996)))
@pytest.mark.parametrize('state', (STATE_RESUMING, STATE_READY))
def test__SessionMachine__invalid(state, jitter, pause):
    """Op 9 false: forget the session, wait a random 1 to 5 s, then identify through the bucket."""
    machine = _get_machine(state, _create_session())
    machine.receive(INPUT_INVALID, 100.0, jitter)
    
    assert not machine.session.is_resumable()
    assert machine.deadline == pytest.approx(100.0 + pause)
    assert machine.delay_over(machine.deadline, 0.0) == (ACTION_ENQUEUE,)


def test__SessionMachine__invalid__again_and_again():
    """A server that repeats op 9 is met by the growing delay, and not by a hot loop."""
    machine = _get_machine(STATE_IDENTIFYING)
    now = 0.0
    delays = []
    
    for _ in range(8):
        machine.receive(INPUT_INVALID, now, 0.0)
        delays.append(machine.deadline - now)
        now = machine.deadline
        machine.delay_over(now, 0.0)
        for input_ in (INPUT_NEAR, INPUT_CONNECTED):
            machine.receive(input_, now, 0.0)
        machine.hello(now, 0.0)
        machine.receive(INPUT_PERMIT, now, 0.0)
    
    assert delays == [1.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


@pytest.mark.parametrize('state', (STATE_RESUMING, STATE_READY))
@pytest.mark.parametrize(
    'input_', (INPUT_INVALID_RESUMABLE, INPUT_RECONNECT, INPUT_ZOMBIE, INPUT_BROKEN, INPUT_TERMINATE),
)
def test__SessionMachine__resumable_inputs(state, input_):
    """Op 9 true, op 7, a zombie, a broken stream and `terminate()` resume the same session."""
    session = _create_session()
    machine = _get_machine(state, session)
    machine.receive(input_, 100.0, 0.0)
    
    assert machine.session is session
    assert machine.delay_over(machine.deadline, 0.0) == (ACTION_CONNECT,)


def test__SessionMachine__invalid__while_identifying():
    """An IDENTIFY that came too early is answered with op 9: it pauses and goes through the bucket again."""
    machine = _get_machine(STATE_IDENTIFYING)
    machine.receive(INPUT_INVALID_RESUMABLE, 0.0, 0.5)
    
    assert machine.deadline == 3.0
    assert machine.delay_over(3.0, 0.0) == (ACTION_ENQUEUE,)


# ---- reconnecting ----

def test__SessionMachine__first_attempt_is_at_once():
    """A connection that was ready is replaced at once, however many attempts failed before it."""
    machine = _get_machine(STATE_GREETING)
    for _ in range(5):
        machine.receive(INPUT_LOST, 0.0, 0.0)
        machine.delay_over(0.0, 0.0)
        machine.receive(INPUT_NEAR, 0.0, 0.0)
        machine.receive(INPUT_CONNECTED, 0.0, 0.0)
    
    assert machine.backoff.failures == 5
    machine.hello(0.0, 0.0)
    machine.receive(INPUT_PERMIT, 0.0, 0.0)
    machine.receive(INPUT_READY, 0.0, 0.0)
    assert machine.backoff.failures == 0
    
    machine.receive(INPUT_LOST, 50.0, 0.999)
    assert machine.deadline == 50.0


def test__SessionMachine__retry_after():
    """What the peer asked for (`Retry-After`) is waited for, once."""
    machine = _get_machine(STATE_CONNECTING)
    machine.retry_after = 33.0
    machine.receive(INPUT_CONNECT_FAILED, 0.0, 0.0)
    assert machine.deadline == 33.0
    
    machine.delay_over(33.0, 0.0)
    machine.receive(INPUT_NEAR, 33.0, 0.0)
    machine.receive(INPUT_CONNECT_FAILED, 33.0, 0.0)
    assert machine.deadline == 34.0


@pytest.mark.parametrize(
    ('retry_after', 'delay'),
    ((1e9, RETRY_AFTER_MAXIMUM), (float('inf'), RETRY_AFTER_MAXIMUM), (-5.0, 0.5), (0.0, 0.5), (float('nan'), 0.5)),
)
def test__SessionMachine__retry_after__bounds(retry_after, delay):
    """A server that asks for too much, or for nonsense, is asked again nevertheless."""
    machine = _get_machine(STATE_CONNECTING)
    machine.retry_after = retry_after
    machine.receive(INPUT_CONNECT_FAILED, 0.0, 0.0)
    
    assert machine.deadline == delay


# ---- stopping ----

@pytest.mark.parametrize('state', STATES)
def test__SessionMachine__close(state):
    """`close()` reaches STOPPED from everywhere, forgets the session and leaves no deadline."""
    machine = _get_machine(state, _create_session() if state == STATE_RESUMING else None)
    machine.receive(INPUT_CLOSE, 0.0, 0.0)
    
    assert machine.state == STATE_STOPPED
    assert machine.deadline is None
    assert not machine.session.is_resumable()


@pytest.mark.parametrize('input_', (INPUT_SUSPEND, INPUT_ABORT))
@pytest.mark.parametrize('state', (STATE_WAITING, STATE_CONNECTING, STATE_GREETING, STATE_RESUMING, STATE_READY))
def test__SessionMachine__suspend(state, input_):
    """A suspended or aborted shard keeps its session, and resumes it at the next start."""
    session = _create_session()
    machine = _get_machine(state, session)
    machine.receive(input_, 0.0, 0.0)
    
    assert machine.state == STATE_STOPPED
    assert machine.deadline is None
    assert machine.session is session
    machine.receive(INPUT_START, 0.0, 0.0)
    assert machine.delay_over(0.0, 0.0) == (ACTION_CONNECT,)


def test__SessionMachine__offline():
    """A shard that was offline for too long stops, and keeps its session."""
    session = _create_session()
    machine = _get_machine(STATE_CONNECTING, session)
    machine.receive(INPUT_OFFLINE, 0.0, 0.0)
    
    assert machine.state == STATE_STOPPED
    assert machine.session is session


def test__SessionMachine__start_after_failure():
    """A shard that failed can be started anew."""
    machine = _get_machine(STATE_FAILED)
    machine.receive(INPUT_START, 10.0, 0.0)
    
    assert machine.state == STATE_WAITING
    assert machine.delay_over(machine.deadline, 0.0) == (ACTION_ENQUEUE,)


# ---- what means nothing ----

@pytest.mark.parametrize('state', STATES)
def test__SessionMachine__receive__nothing(state):
    """A pair that is not in the table changes nothing: a late message of an old connection cannot do harm."""
    session = _create_session() if state == STATE_RESUMING else None
    
    for input_ in sorted({input_ for _, input_ in TRANSITIONS} | {'unknown'}):
        if (state, input_) in TRANSITIONS:
            continue
        
        machine = _get_machine(state, session)
        before = (machine.state, machine.deadline, machine.session, machine.backoff.failures)
        
        assert machine.receive(input_, 1.0, 0.5) is None
        assert (machine.state, machine.deadline, machine.session, machine.backoff.failures) == before


@pytest.mark.parametrize('state', (STATE_STOPPED, STATE_WAITING, STATE_QUEUED, STATE_FAILED))
def test__SessionMachine__closed__without_connection(state):
    """A connection that was given up already is closed for nobody."""
    for code in (None, 4004, 4009):
        assert _get_machine(state).closed(code, 0.0, 0.0) is None
