import pytest

from hata_gateway_ext.protocol import transitions
from hata_gateway_ext.protocol.transitions import (
    ACTION_ABORT, ACTION_CONNECT, ACTION_COUNT_FAILURE, ACTION_COUNT_SUCCESS, ACTION_DROP, ACTION_END,
    ACTION_END_OFFLINE, ACTION_ENQUEUE, ACTION_FORGET_SESSION, ACTION_HEARTBEAT, ACTION_IDENTIFY, ACTION_LEAVE_QUEUE,
    ACTION_OPEN_SENDS, ACTION_REPORT_NO_CONNECTION, ACTION_RESUME, ACTION_SET_READY, ACTION_WAIT, ACTION_WAIT_INVALID, INPUT_ABORT, INPUT_BROKEN, INPUT_CLOSE, INPUT_CONNECTED,
    INPUT_CONNECT_FAILED, INPUT_DELAY_OVER_IDENTIFY, INPUT_DELAY_OVER_RESUME, INPUT_HELLO_IDENTIFY, INPUT_HELLO_RESUME,
    INPUT_INVALID, INPUT_INVALID_RESUMABLE, INPUT_LOST, INPUT_LOST_FATAL, INPUT_LOST_SESSION, INPUT_NEAR,
    INPUT_OFFLINE, INPUT_PERMIT, INPUT_READY, INPUT_RECONNECT, INPUT_RESUMED, INPUT_START, INPUT_SUSPEND,
    INPUT_TERMINATE, INPUT_TIMEOUT, INPUT_ZOMBIE, STATES, STATE_AWAITING_PERMIT, STATE_CONNECTING, STATE_FAILED,
    STATE_GREETING, STATE_IDENTIFYING, STATE_QUEUED, STATE_READY, STATE_RESUMING, STATE_STOPPED, STATE_WAITING,
    TRANSITIONS
)

ROWS = [(state, input_, next_state, actions) for (state, input_), (next_state, actions) in TRANSITIONS.items()]
ROW_IDS = [f'{state}-{input_}' for state, input_, *_ in ROWS]

NOT_READY = (STATE_GREETING, STATE_AWAITING_PERMIT, STATE_IDENTIFYING, STATE_RESUMING)
CONNECTED = (*NOT_READY, STATE_READY)
RUNNING = (STATE_WAITING, STATE_QUEUED, STATE_CONNECTING, *CONNECTED)

# Where a place in the identify queue may be held.
QUEUED = (STATE_QUEUED, STATE_CONNECTING, STATE_GREETING, STATE_AWAITING_PERMIT)

# What gets a shard to READY, step by step, with and without a session.
WAY_UP = (
    (STATE_STOPPED, INPUT_START, STATE_WAITING, (ACTION_WAIT,)),
    (STATE_FAILED, INPUT_START, STATE_WAITING, (ACTION_WAIT,)),
    (STATE_WAITING, INPUT_DELAY_OVER_RESUME, STATE_CONNECTING, (ACTION_CONNECT,)),
    (STATE_WAITING, INPUT_DELAY_OVER_IDENTIFY, STATE_QUEUED, (ACTION_ENQUEUE,)),
    (STATE_QUEUED, INPUT_NEAR, STATE_CONNECTING, (ACTION_CONNECT,)),
    (STATE_CONNECTING, INPUT_CONNECTED, STATE_GREETING, ()),
    (STATE_GREETING, INPUT_HELLO_RESUME, STATE_RESUMING, (ACTION_HEARTBEAT, ACTION_RESUME)),
    (STATE_GREETING, INPUT_HELLO_IDENTIFY, STATE_AWAITING_PERMIT, (ACTION_HEARTBEAT, ACTION_SET_READY)),
    (STATE_AWAITING_PERMIT, INPUT_PERMIT, STATE_IDENTIFYING, (ACTION_IDENTIFY,)),
    (STATE_IDENTIFYING, INPUT_READY, STATE_READY, (ACTION_COUNT_SUCCESS, ACTION_OPEN_SENDS)),
    (STATE_RESUMING, INPUT_RESUMED, STATE_READY, (ACTION_COUNT_SUCCESS, ACTION_OPEN_SENDS)),
)

# What loses a connection, and what it does to the session.
RESUMABLE_LOSSES = (
    INPUT_LOST, INPUT_BROKEN, INPUT_ZOMBIE, INPUT_RECONNECT, INPUT_INVALID_RESUMABLE, INPUT_TERMINATE, INPUT_TIMEOUT,
)
FORGETTING_LOSSES = (INPUT_LOST_SESSION, INPUT_INVALID, INPUT_LOST_FATAL)


def _collect(prefix):
    return {getattr(transitions, name) for name in transitions.__all__ if name.startswith(prefix)}


def test__TRANSITIONS__names():
    """The table uses the declared states, inputs and actions, and each of them."""
    assert {state for state, *_ in ROWS} | {next_state for *_, next_state, _ in ROWS} == {*STATES}
    assert {*STATES} == _collect('STATE_')
    assert {input_ for _, input_, *_ in ROWS} == _collect('INPUT_')
    assert {action for *_, actions in ROWS for action in actions} == _collect('ACTION_')


def test__STATES__are_unique():
    """No two names share a value."""
    for prefix in ('STATE_', 'INPUT_', 'ACTION_'):
        names = [name for name in transitions.__all__ if name.startswith(prefix)]
        assert len(names) == len(_collect(prefix))


@pytest.mark.parametrize(('state', 'input_', 'next_state', 'actions'), WAY_UP)
def test__TRANSITIONS__way_up(state, input_, next_state, actions):
    """Each step to READY."""
    assert TRANSITIONS[state, input_] == (next_state, actions)


def test__TRANSITIONS__nothing_else_goes_up():
    """All that is not a step to READY gives up the connection, if there is one, or stops."""
    steps = {(state, input_) for state, input_, *_ in WAY_UP}
    
    for state, input_, next_state, _ in ROWS:
        if (state, input_) not in steps:
            assert next_state in (STATE_WAITING, STATE_STOPPED, STATE_FAILED)


def test__TRANSITIONS__reach():
    """Each state can be reached, and each can be left for STOPPED."""
    for start, is_forward in ((STATE_STOPPED, True), (STATE_STOPPED, False)):
        reached = {start}
        while True:
            if is_forward:
                found = {next_state for state, _, next_state, _ in ROWS if state in reached}
            else:
                found = {state for state, _, next_state, _ in ROWS if next_state in reached}
            
            if found <= reached:
                break
            
            reached |= found
        
        assert reached == {*STATES}


@pytest.mark.parametrize('state', STATES)
def test__TRANSITIONS__close(state):
    """`close()` leads to STOPPED from everywhere, and ends the session; a connection is closed with 1000."""
    next_state, actions = TRANSITIONS[state, INPUT_CLOSE]
    
    assert next_state == STATE_STOPPED
    assert ACTION_FORGET_SESSION in actions
    assert (ACTION_END in actions) is (state in RUNNING)


@pytest.mark.parametrize(('input_', 'action'), ((INPUT_SUSPEND, ACTION_DROP), (INPUT_ABORT, ACTION_ABORT)))
@pytest.mark.parametrize('state', RUNNING)
def test__TRANSITIONS__suspend_and_abort(state, input_, action):
    """A suspended or aborted shard stops, and keeps its session: the connection is not closed with 1000."""
    assert TRANSITIONS[state, input_] == (STATE_STOPPED, (ACTION_LEAVE_QUEUE, action))


@pytest.mark.parametrize('state', STATES)
def test__TRANSITIONS__offline(state):
    """Being offline for too long stops a shard only while no gateway said HELLO; the session is kept."""
    row = TRANSITIONS.get((state, INPUT_OFFLINE), None)
    
    if state in (STATE_WAITING, STATE_QUEUED, STATE_CONNECTING, STATE_GREETING):
        assert row == (STATE_STOPPED, (ACTION_LEAVE_QUEUE, ACTION_ABORT, ACTION_END_OFFLINE))
    else:
        assert row is None


@pytest.mark.parametrize('input_', RESUMABLE_LOSSES)
@pytest.mark.parametrize('state', CONNECTED)
def test__TRANSITIONS__resumable_losses(state, input_):
    """A resumable loss keeps the session, closes with 4000 and tries again."""
    if input_ == INPUT_TIMEOUT and state in (STATE_AWAITING_PERMIT, STATE_READY):
        # These wait for nothing but the heartbeat.
        assert (state, input_) not in TRANSITIONS
        return
    
    next_state, actions = TRANSITIONS[state, input_]
    assert next_state == STATE_WAITING
    assert actions[0] == ACTION_DROP
    
    if (state, input_) == (STATE_IDENTIFYING, INPUT_INVALID_RESUMABLE):
        # The IDENTIFY was too early. There is no session that could be resumed, whatever the flag says.
        assert ACTION_WAIT_INVALID in actions
    else:
        assert ACTION_FORGET_SESSION not in actions
        assert ACTION_WAIT in actions


@pytest.mark.parametrize('input_', FORGETTING_LOSSES)
@pytest.mark.parametrize('state', CONNECTED)
def test__TRANSITIONS__other_losses(state, input_):
    """A close code that ends the session, and op 9 false, forget it; a fatal close code ends the shard."""
    next_state, actions = TRANSITIONS[state, input_]
    
    assert next_state == (STATE_FAILED if input_ == INPUT_LOST_FATAL else STATE_WAITING)
    assert actions[0] == ACTION_DROP
    
    if (state, input_) == (STATE_GREETING, INPUT_LOST_SESSION):
        # An attempt that fails before HELLO leaves the session as it is.
        assert ACTION_FORGET_SESSION not in actions
    else:
        assert ACTION_FORGET_SESSION in actions


@pytest.mark.parametrize('state', CONNECTED)
def test__TRANSITIONS__pause_after_invalid(state):
    """Only op 9 false (and a refused IDENTIFY) is followed by the pause of 1 to 5 seconds."""
    for input_ in (*RESUMABLE_LOSSES, *FORGETTING_LOSSES):
        row = TRANSITIONS.get((state, input_), None)
        if row is None:
            continue
        
        is_invalid = (input_ == INPUT_INVALID) or ((state, input_) == (STATE_IDENTIFYING, INPUT_INVALID_RESUMABLE))
        assert (ACTION_WAIT_INVALID in row[1]) is is_invalid


@pytest.mark.parametrize(('state', 'input_', 'next_state', 'actions'), ROWS, ids = ROW_IDS)
def test__TRANSITIONS__waits(state, input_, next_state, actions):
    """Who enters WAITING draws one attempt, as the last thing; nobody else does."""
    waits = [action for action in actions if action in (ACTION_WAIT, ACTION_WAIT_INVALID)]
    
    if next_state == STATE_WAITING:
        assert len(waits) == 1
        assert actions[-1] == waits[0]
    else:
        assert waits == []


@pytest.mark.parametrize(('state', 'input_', 'next_state', 'actions'), ROWS, ids = ROW_IDS)
def test__TRANSITIONS__connection_is_given_up(state, input_, next_state, actions):
    """Who leaves the connected states gives the connection up exactly once; who stays, or has none, does not."""
    given_up = [action for action in actions if action in (ACTION_DROP, ACTION_END, ACTION_ABORT)]
    
    if (state in CONNECTED) and (next_state not in CONNECTED):
        assert len(given_up) == 1
    elif next_state in CONNECTED:
        assert given_up == []
    else:
        assert len(given_up) <= 1
    
    if (state == STATE_CONNECTING) and (next_state != STATE_GREETING) and (input_ != INPUT_CONNECT_FAILED):
        assert len(given_up) == 1


@pytest.mark.parametrize(('state', 'input_', 'next_state', 'actions'), ROWS, ids = ROW_IDS)
def test__TRANSITIONS__queue_is_left(state, input_, next_state, actions):
    """Who leaves the way to an identify leaves its queue: a place that nobody takes would delay the others."""
    if (state in QUEUED) and (next_state in (STATE_WAITING, STATE_STOPPED, STATE_FAILED)):
        assert ACTION_LEAVE_QUEUE in actions
    
    if next_state in QUEUED:
        assert ACTION_LEAVE_QUEUE not in actions


@pytest.mark.parametrize(('state', 'input_', 'next_state', 'actions'), ROWS, ids = ROW_IDS)
def test__TRANSITIONS__failures_are_counted(state, input_, next_state, actions):
    """What was lost before READY or RESUMED is a failed attempt; what was lost after it, or stopped, is not."""
    is_failure = (state in (STATE_CONNECTING, *NOT_READY)) and (next_state == STATE_WAITING)
    
    assert actions.count(ACTION_COUNT_FAILURE) == is_failure
    assert actions.count(ACTION_COUNT_SUCCESS) == (next_state == STATE_READY)


@pytest.mark.parametrize(('state', 'input_', 'next_state', 'actions'), ROWS, ids = ROW_IDS)
def test__TRANSITIONS__session_is_forgotten_before_the_wait(state, input_, next_state, actions):
    """Where the next attempt goes is decided with the session that is left."""
    if (ACTION_FORGET_SESSION in actions) and (next_state == STATE_WAITING):
        assert actions.index(ACTION_FORGET_SESSION) < len(actions) - 1


@pytest.mark.parametrize(
    ('action', 'inputs'),
    (
        (ACTION_HEARTBEAT, {INPUT_HELLO_RESUME, INPUT_HELLO_IDENTIFY}),
        (ACTION_RESUME, {INPUT_HELLO_RESUME}),
        (ACTION_IDENTIFY, {INPUT_PERMIT}),
        (ACTION_SET_READY, {INPUT_HELLO_IDENTIFY}),
        (ACTION_OPEN_SENDS, {INPUT_READY, INPUT_RESUMED}),
        (ACTION_CONNECT, {INPUT_DELAY_OVER_RESUME, INPUT_NEAR}),
        (ACTION_ENQUEUE, {INPUT_DELAY_OVER_IDENTIFY}),
        (ACTION_END, {INPUT_CLOSE}),
        (ACTION_WAIT_INVALID, {INPUT_INVALID, INPUT_INVALID_RESUMABLE}),
        (ACTION_COUNT_SUCCESS, {INPUT_READY, INPUT_RESUMED}),
    ),
)
def test__TRANSITIONS__actions_have_their_inputs(action, inputs):
    """IDENTIFY only with a permit, RESUME only with a session, 1000 only when the user closes, and so on."""
    assert {input_ for _, input_, _, actions in ROWS if action in actions} == inputs


@pytest.mark.parametrize(('state', 'input_', 'next_state', 'actions'), ROWS, ids = ROW_IDS)
def test__TRANSITIONS__session_is_forgotten(state, input_, next_state, actions):
    """The session is forgotten on op 9 false, on close codes that end it, and by `close()`; on nothing else."""
    if ACTION_FORGET_SESSION in actions:
        assert (input_ in (INPUT_INVALID, INPUT_LOST_SESSION, INPUT_LOST_FATAL, INPUT_CLOSE)) or (
            (state, input_) == (STATE_IDENTIFYING, INPUT_INVALID_RESUMABLE)
        )


def test__TRANSITIONS__connect_failed():
    """An attempt that fails before HELLO is counted and leaves the session as it is."""
    assert TRANSITIONS[STATE_CONNECTING, INPUT_CONNECT_FAILED] == (
        STATE_WAITING, (ACTION_LEAVE_QUEUE, ACTION_COUNT_FAILURE, ACTION_WAIT)
    )
    assert TRANSITIONS[STATE_CONNECTING, INPUT_TIMEOUT] == (
        STATE_WAITING,
        (ACTION_ABORT, ACTION_LEAVE_QUEUE, ACTION_REPORT_NO_CONNECTION, ACTION_COUNT_FAILURE, ACTION_WAIT),
    )
