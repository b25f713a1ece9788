import pytest

from hata_gateway_ext.protocol.backoff import Backoff, RETRY_AFTER_MAXIMUM
from hata_gateway_ext.protocol.errors import InflateError, PayloadError
from hata_gateway_ext.protocol.heartbeat import STALL_GRACE, STALL_TOLERANCE
from hata_gateway_ext.protocol.session import (
    STATE_TIMEOUTS, Session, SessionLimits, SessionMachine, UNREADABLE_LIMIT
)
from hata_gateway_ext.protocol.transitions import (
    ACTION_CONNECT, ACTION_DROP, ACTION_END_OFFLINE, ACTION_ENQUEUE, ACTION_IDENTIFY, ACTION_OPEN_SENDS, ACTION_RESUME, INPUT_ABORT,
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
        # It is believed at the second look.
        assert machine.wake_up(timeout, 0.0, False) == ()
        assert machine.state == state
        now = machine.deadline
        assert now == timeout + STALL_TOLERANCE
        assert ACTION_DROP in machine.wake_up(now, 0.0, False) or state == STATE_CONNECTING
        assert machine.state == STATE_WAITING
        assert machine.backoff.failures == 1
        assert machine.deadline == now + 0.5
        # Whatever was not answered: the session is kept.
        assert machine.session is session or session is None


@pytest.mark.parametrize('state', (STATE_CONNECTING, STATE_GREETING, STATE_IDENTIFYING, STATE_RESUMING))
def test__SessionMachine__wake_up__backlog(state):
    """What waits to be handled by us gets its time anew, while READY or RESUMED may be in it."""
    machine = _get_machine(state, _create_session() if state == STATE_RESUMING else None)
    timeout = STATE_TIMEOUTS[state]
    
    assert machine.wake_up(timeout, 0.0, True) == ()
    assert machine.state == state
    makes_progress = state in (STATE_IDENTIFYING, STATE_RESUMING)
    assert machine.deadline == timeout + (timeout if makes_progress else STALL_TOLERANCE)


@pytest.mark.parametrize('state', (STATE_IDENTIFYING, STATE_RESUMING))
def test__SessionMachine__wake_up__events(state):
    """A replay that goes on gets its time anew, as often as it does; it has the whole second look then."""
    machine = _get_machine(state, _create_session() if state == STATE_RESUMING else None)
    now = 0.0
    for sequence in range(100, 105):
        machine.session.sequence = sequence
        now = machine.deadline
        machine.wake_up(now, 0.0, False)
        if state == STATE_IDENTIFYING:
            assert machine.deadline == now + STALL_TOLERANCE
            return
        
        assert machine.deadline == now + STATE_TIMEOUTS[state]
    
    now = machine.deadline
    machine.wake_up(now, 0.0, False)
    assert machine.deadline == now + STALL_TOLERANCE
    assert machine.state == state


@pytest.mark.parametrize(('lateness', 'patience'), ((0.0, STALL_TOLERANCE), (0.04, STALL_TOLERANCE), (3.0, STALL_GRACE)))
def test__SessionMachine__wake_up__second_look(lateness, patience):
    """RESUMED that came in time, though the loop stood still over the deadline, is taken for what it is."""
    machine = _get_machine(STATE_RESUMING, _create_session())
    now = machine.deadline + lateness
    assert machine.wake_up(now, 0.0, False) == ()
    assert machine.deadline == now + patience
    # Too early: nothing happens.
    assert machine.wake_up(now + patience * 0.5, 0.0, False) == ()
    assert machine.state == STATE_RESUMING
    
    machine.session.sequence += 1
    now += patience
    machine.wake_up(now, 0.0, False)
    assert machine.deadline == now + STATE_TIMEOUTS[STATE_RESUMING]


@pytest.mark.parametrize('state', (STATE_STOPPED, STATE_QUEUED, STATE_AWAITING_PERMIT, STATE_READY, STATE_FAILED))
def test__SessionMachine__wake_up__without_timeout(state):
    """A state that has no timeout is left alone, however late it is."""
    machine = _get_machine(state)
    
    assert machine.get_wake_up_at(7.0) is None
    assert machine.wake_up(1e9, 0.0, False) == ()
    assert machine.state == state
    assert machine.deadline is None


def test__SessionMachine__wake_up__waiting():
    """The delay of an attempt leads on, and not before it is over."""
    machine = SessionMachine(_create_session())
    machine.receive(INPUT_START, 5.0, 0.0)
    assert machine.get_wake_up_at(5.0) == 5.0
    assert machine.wake_up(4.9, 0.0, False) == ()
    assert machine.wake_up(5.0, 0.0, False) == (ACTION_CONNECT,)


@pytest.mark.parametrize('state', STATES)
def test__SessionMachine__is_connected(state):
    """Connected is what said HELLO."""
    machine = _get_machine(state, _create_session() if state == STATE_RESUMING else None)
    assert machine.is_connected() is (
        state in (STATE_AWAITING_PERMIT, STATE_IDENTIFYING, STATE_RESUMING, STATE_READY)
    )


# ---- offline ----

def _fail_for(machine, now, until):
    """Attempts that come to nothing, until the machine ends the run. Returns when it did, and its last actions."""
    while now < until:
        now = machine.get_wake_up_at(now)
        actions = machine.wake_up(now, 0.5, False)
        if machine.state == STATE_STOPPED:
            return now, actions
    
    return None, ()


def test__SessionMachine__offline_timeout():
    """The run ends when no connection said HELLO for that long, beginning with the first attempt; the session is kept."""
    session = _create_session()
    machine = SessionMachine(session, 100.0)
    machine.receive(INPUT_START, 1000.0, 0.0)
    now, actions = _fail_for(machine, 1000.0, 2000.0)
    assert now == 1100.0
    assert actions[-1] == ACTION_END_OFFLINE
    assert machine.session is session
    assert machine.get_wake_up_at(now) is None
    
    # A new start begins anew.
    machine.receive(INPUT_START, 5000.0, 0.0)
    first_attempt_at = machine.deadline
    assert _fail_for(machine, 5000.0, 6000.0)[0] == first_attempt_at + 100.0


def test__SessionMachine__offline_timeout__hello():
    """HELLO ends it: what is lost later counts from then on."""
    machine = SessionMachine(_create_session(), 100.0)
    machine.receive(INPUT_START, 0.0, 0.0)
    machine.delay_over(0.0, 0.0)
    machine.receive(INPUT_CONNECTED, 20.0, 0.0)
    machine.hello(20.0, 0.0)
    machine.receive(INPUT_RESUMED, 20.0, 0.0)
    assert machine.get_wake_up_at(90.0) is None
    assert machine.wake_up(500.0, 0.0, False) == ()
    
    machine.closed(None, 500.0, 0.0)
    assert _fail_for(machine, 500.0, 1000.0)[0] == 600.0


def test__SessionMachine__offline_timeout__none():
    """Without it a shard tries for ever."""
    machine = SessionMachine(_create_session())
    machine.receive(INPUT_START, 0.0, 0.0)
    assert _fail_for(machine, 0.0, 1e6)[0] is None


def test__SessionMachine__get_wake_up_at__far():
    """A time that is too far for a timer of the loop is waited for in parts."""
    year = 365.0 * 86400.0
    machine = _get_machine(STATE_QUEUED)
    machine.offline_timeout = year
    for input_ in (INPUT_NEAR, INPUT_CONNECT_FAILED):
        machine.receive(input_, 0.0, 0.0)
    machine.delay_over(0.5, 0.0)
    assert machine.state == STATE_QUEUED
    
    now = 0.0
    for day in range(1, 366):
        assert machine.state == STATE_QUEUED
        assert machine.wake_up(now, 0.0, False) == ()
        now = machine.get_wake_up_at(now)
        assert now == day * 86400.0
    
    assert ACTION_END_OFFLINE in machine.wake_up(now, 0.0, False)


# ---- what Discord says ----

READY_DATA = {'session_id': 'secret', 'resume_gateway_url': URL, 'user': {'id': '1'}, 'guilds': [{'id': '2'}]}


def test__SessionMachine__begin_session():
    """READY: its session is taken over; the sequence follows when the event was dispatched."""
    machine = _get_machine(STATE_IDENTIFYING)
    machine.begin_session(1, READY_DATA, True)
    session = machine.session
    assert (session.session_id, session.resume_gateway_url, session.sequence) == ('secret', URL, None)


@pytest.mark.parametrize(
    ('url', 'is_secure', 'expected'),
    ((URL, True, URL), ('ws://127.0.0.1', True, None), ('ws://127.0.0.1', False, 'ws://127.0.0.1'), (None, True, None)),
)
def test__SessionMachine__begin_session__url(url, is_secure, expected):
    """Where the session is resumed, if the token may be sent there; otherwise it is resumed where it began."""
    machine = _get_machine(STATE_IDENTIFYING)
    machine.begin_session(1, {**READY_DATA, 'resume_gateway_url': url}, is_secure)
    assert machine.session.resume_gateway_url == expected


@pytest.mark.parametrize('state', [state for state in STATES if state != STATE_IDENTIFYING])
def test__SessionMachine__begin_session__without_identify(state):
    """READY that nobody asked for changes nothing of the session."""
    machine = _get_machine(state, _create_session() if state == STATE_RESUMING else None)
    session_id = machine.session.session_id
    with pytest.raises(PayloadError, match = 'READY without IDENTIFY'):
        machine.begin_session(1, READY_DATA, True)
    
    assert machine.session.session_id == session_id


@pytest.mark.parametrize('name', ('session_id', 'user', 'guilds'))
def test__SessionMachine__begin_session__lacks(name):
    """READY that lacks what is needed is no session."""
    machine = _get_machine(STATE_IDENTIFYING)
    with pytest.raises(PayloadError, match = name):
        machine.begin_session(1, {key: value for key, value in READY_DATA.items() if key != name}, True)
    
    assert machine.session.session_id is None


@pytest.mark.parametrize(('sequence', 'expected'), ((13, 13), (12, 12), (11, 12), (None, 12)))
def test__SessionMachine__get_resumed_sequence(sequence, expected):
    """The sequence of RESUMED never leads back."""
    assert _get_machine(STATE_RESUMING, _create_session()).get_resumed_sequence(sequence) == expected


@pytest.mark.parametrize('state', [state for state in STATES if state != STATE_RESUMING])
def test__SessionMachine__get_resumed_sequence__without_resume(state):
    """RESUMED that nobody asked for says nothing."""
    assert _get_machine(state).get_resumed_sequence(99) is None


@pytest.mark.parametrize('state', STATES)
def test__SessionMachine__trusts_old_sequence(state):
    """An event that goes back breaks the stream only where nothing is replayed."""
    machine = _get_machine(state, _create_session() if state == STATE_RESUMING else None)
    assert machine.trusts_old_sequence() is (state != STATE_READY)


def _break(machine, exception):
    """The same again: broken, and resumed."""
    machine.broken(exception, 0.0, 0.0)
    machine.delay_over(0.0, 0.0)
    machine.receive(INPUT_CONNECTED, 0.0, 0.0)
    machine.hello(0.0, 0.0)
    assert machine.state == STATE_RESUMING


def test__SessionMachine__unreadable():
    """The same payload: the session is resumed for it three times, then it is passed over. The next one begins anew."""
    machine = _get_machine(STATE_RESUMING, _create_session())
    for _ in range(UNREADABLE_LIMIT):
        assert not machine.passes_over_unreadable()
        _break(machine, PayloadError('No JSON.'))
    
    assert machine.passes_over_unreadable()
    machine.session.sequence += 1
    assert not machine.passes_over_unreadable()
    
    _break(machine, PayloadError('No JSON.'))
    assert not machine.passes_over_unreadable()


def test__SessionMachine__unreadable__broken_stream():
    """A stream that breaks at the same event again and again says nothing about a payload: none is passed over for it."""
    machine = _get_machine(STATE_RESUMING, _create_session())
    for _ in range(UNREADABLE_LIMIT * 2):
        _break(machine, InflateError('Corrupt.'))
        assert not machine.passes_over_unreadable()


def test__SessionMachine__limits():
    """A machine is as patient as it is told to be."""
    limits = SessionLimits(0.25, 0.0, {STATE_RESUMING: 3.0})
    machine = SessionMachine(_create_session(), limits = limits, backoff = Backoff(0.1, 0.2))
    machine.receive(INPUT_START, 0.0, 0.0)
    machine.delay_over(0.0, 0.0)
    assert machine.deadline is None
    machine.receive(INPUT_CONNECTED, 0.0, 0.0)
    machine.hello(0.0, 0.0)
    assert machine.deadline == 3.0
    machine.receive(INPUT_LOST, 0.0, 1.0)
    assert machine.deadline == 0.1
    machine.delay_over(0.1, 0.0)
    machine.receive(INPUT_CONNECTED, 0.1, 0.0)
    machine.hello(0.1, 0.0)
    machine.receive(INPUT_INVALID, 1.0, 0.0)
    assert machine.deadline == 1.25


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
    machine.connect_failed(33.0, 0.0, 0.0)
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
    machine.connect_failed(retry_after, 0.0, 0.0)
    
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
