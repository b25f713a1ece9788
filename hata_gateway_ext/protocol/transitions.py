"""
The states of a shard, what moves it from one to the next, and what it does on the way: one table.

Everything that decides about a session is a row of ``TRANSITIONS``: `(state, input) -> (next state, actions)`. Where the
same message means two things (HELLO with or without a session to resume), it is two inputs, so that the table needs no
conditions. A pair that is not in the table changes nothing. The diagram of the documentation is made from the table.
"""
__all__ = (
    'ACTION_ABORT', 'ACTION_CONNECT', 'ACTION_COUNT_FAILURE', 'ACTION_COUNT_SUCCESS', 'ACTION_DROP', 'ACTION_END',
    'ACTION_ENQUEUE', 'ACTION_FORGET_SESSION', 'ACTION_HEARTBEAT', 'ACTION_IDENTIFY', 'ACTION_LEAVE_QUEUE',
    'ACTION_OPEN_SENDS', 'ACTION_RESUME', 'ACTION_SET_READY', 'ACTION_WAIT', 'ACTION_WAIT_INVALID', 'INPUT_ABORT',
    'INPUT_BROKEN', 'INPUT_CLOSE', 'INPUT_CONNECTED', 'INPUT_CONNECT_FAILED', 'INPUT_DELAY_OVER_IDENTIFY',
    'INPUT_DELAY_OVER_RESUME', 'INPUT_HELLO_IDENTIFY', 'INPUT_HELLO_RESUME', 'INPUT_INVALID', 'INPUT_INVALID_RESUMABLE',
    'INPUT_LOST', 'INPUT_LOST_FATAL', 'INPUT_LOST_SESSION', 'INPUT_NEAR', 'INPUT_OFFLINE', 'INPUT_PERMIT', 'INPUT_READY',
    'INPUT_RECONNECT', 'INPUT_RESUMED', 'INPUT_START', 'INPUT_SUSPEND', 'INPUT_TERMINATE', 'INPUT_TIMEOUT',
    'INPUT_ZOMBIE', 'STATES', 'STATE_AWAITING_PERMIT', 'STATE_CONNECTING', 'STATE_FAILED', 'STATE_GREETING',
    'STATE_IDENTIFYING', 'STATE_QUEUED', 'STATE_READY', 'STATE_RESUMING', 'STATE_STOPPED', 'STATE_WAITING',
    'TRANSITIONS',
)

# ---- states ----

# Not running.
STATE_STOPPED = 'stopped'
# Waiting until the next attempt may be made.
STATE_WAITING = 'waiting'
# Waiting in the identify queue, without a connection.
STATE_QUEUED = 'queued'
# The web socket is being connected.
STATE_CONNECTING = 'connecting'
# Connected; HELLO has not come yet.
STATE_GREETING = 'greeting'
# Waiting in the identify queue, connected and heartbeating.
STATE_AWAITING_PERMIT = 'awaiting permit'
# IDENTIFY was sent; READY has not come yet.
STATE_IDENTIFYING = 'identifying'
# RESUME was sent; RESUMED has not come yet. Missed events may be coming in.
STATE_RESUMING = 'resuming'
# READY or RESUMED came.
STATE_READY = 'ready'
# Discord closed with a fatal close code.
STATE_FAILED = 'failed'

STATES = (
    STATE_STOPPED, STATE_WAITING, STATE_QUEUED, STATE_CONNECTING, STATE_GREETING, STATE_AWAITING_PERMIT,
    STATE_IDENTIFYING, STATE_RESUMING, STATE_READY, STATE_FAILED,
)

# ---- inputs ----

# From the user.
INPUT_START = 'start'
INPUT_TERMINATE = 'terminate'
INPUT_CLOSE = 'close'
INPUT_SUSPEND = 'suspend'
INPUT_ABORT = 'abort'
# From the clock. `offline`: no connection could be made for the time that the user allows.
INPUT_DELAY_OVER_RESUME = 'delay over, session'
INPUT_DELAY_OVER_IDENTIFY = 'delay over, no session'
INPUT_TIMEOUT = 'timeout'
INPUT_OFFLINE = 'offline'
INPUT_ZOMBIE = 'zombie'
# From the identify queue.
INPUT_NEAR = 'turn is near'
INPUT_PERMIT = 'permit'
# From the connection. `broken`: what came cannot be understood.
INPUT_CONNECTED = 'connected'
INPUT_CONNECT_FAILED = 'connect failed'
INPUT_LOST = 'lost'
INPUT_LOST_SESSION = 'lost with its session'
INPUT_LOST_FATAL = 'lost for good'
INPUT_BROKEN = 'broken'
# From Discord.
INPUT_HELLO_RESUME = 'HELLO, session'
INPUT_HELLO_IDENTIFY = 'HELLO, no session'
INPUT_READY = 'READY'
INPUT_RESUMED = 'RESUMED'
INPUT_RECONNECT = 'RECONNECT'
INPUT_INVALID_RESUMABLE = 'INVALID_SESSION, resumable'
INPUT_INVALID = 'INVALID_SESSION'

# ---- actions ----

# Done by ``SessionMachine`` itself.
ACTION_COUNT_FAILURE = 'count failure'
ACTION_COUNT_SUCCESS = 'count success'
ACTION_FORGET_SESSION = 'forget session'
ACTION_WAIT = 'wait'
ACTION_WAIT_INVALID = 'wait 1-5 s'
# Done by whoever drives it.
ACTION_ENQUEUE = 'enqueue'
ACTION_LEAVE_QUEUE = 'leave queue'
ACTION_SET_READY = 'say ready'
ACTION_CONNECT = 'connect'
ACTION_HEARTBEAT = 'start heartbeat'
ACTION_IDENTIFY = 'send IDENTIFY'
ACTION_RESUME = 'send RESUME'
ACTION_OPEN_SENDS = 'open sends'
ACTION_DROP = 'close 4000'
ACTION_END = 'close 1000'
ACTION_ABORT = 'abort'

# ---- the table ----

TRANSITIONS = {
    (STATE_STOPPED, INPUT_START): (STATE_WAITING, (ACTION_WAIT,)),
    (STATE_FAILED, INPUT_START): (STATE_WAITING, (ACTION_WAIT,)),
    
    (STATE_WAITING, INPUT_DELAY_OVER_RESUME): (STATE_CONNECTING, (ACTION_CONNECT,)),
    (STATE_WAITING, INPUT_DELAY_OVER_IDENTIFY): (STATE_QUEUED, (ACTION_ENQUEUE,)),
    (STATE_QUEUED, INPUT_NEAR): (STATE_CONNECTING, (ACTION_CONNECT,)),
    
    (STATE_CONNECTING, INPUT_CONNECTED): (STATE_GREETING, ()),
    (STATE_CONNECTING, INPUT_CONNECT_FAILED): (
        STATE_WAITING, (ACTION_LEAVE_QUEUE, ACTION_COUNT_FAILURE, ACTION_WAIT),
    ),
    (STATE_CONNECTING, INPUT_TIMEOUT): (
        STATE_WAITING, (ACTION_ABORT, ACTION_LEAVE_QUEUE, ACTION_COUNT_FAILURE, ACTION_WAIT),
    ),
    
    (STATE_GREETING, INPUT_HELLO_RESUME): (STATE_RESUMING, (ACTION_HEARTBEAT, ACTION_RESUME)),
    (STATE_GREETING, INPUT_HELLO_IDENTIFY): (STATE_AWAITING_PERMIT, (ACTION_HEARTBEAT, ACTION_SET_READY)),
    (STATE_AWAITING_PERMIT, INPUT_PERMIT): (STATE_IDENTIFYING, (ACTION_IDENTIFY,)),
    (STATE_IDENTIFYING, INPUT_READY): (STATE_READY, (ACTION_COUNT_SUCCESS, ACTION_OPEN_SENDS)),
    (STATE_RESUMING, INPUT_RESUMED): (STATE_READY, (ACTION_COUNT_SUCCESS, ACTION_OPEN_SENDS)),
}

_NOT_READY = (STATE_GREETING, STATE_AWAITING_PERMIT, STATE_IDENTIFYING, STATE_RESUMING)
_CONNECTED = (*_NOT_READY, STATE_READY)
_RUNNING = (STATE_WAITING, STATE_QUEUED, STATE_CONNECTING, *_CONNECTED)

# Losses. What was lost before READY or RESUMED is a failed attempt; what was lost after it is not.
for _state in _CONNECTED:
    _count = () if _state == STATE_READY else (ACTION_COUNT_FAILURE,)
    
    for _input in (
        INPUT_LOST, INPUT_BROKEN, INPUT_ZOMBIE, INPUT_RECONNECT, INPUT_INVALID_RESUMABLE, INPUT_TERMINATE,
    ):
        TRANSITIONS[_state, _input] = (
            STATE_WAITING, (ACTION_DROP, ACTION_LEAVE_QUEUE, *_count, ACTION_WAIT),
        )
    
    TRANSITIONS[_state, INPUT_LOST_SESSION] = (
        STATE_WAITING, (ACTION_DROP, ACTION_LEAVE_QUEUE, ACTION_FORGET_SESSION, *_count, ACTION_WAIT),
    )
    TRANSITIONS[_state, INPUT_INVALID] = (
        STATE_WAITING, (ACTION_DROP, ACTION_LEAVE_QUEUE, ACTION_FORGET_SESSION, *_count, ACTION_WAIT_INVALID),
    )
    TRANSITIONS[_state, INPUT_LOST_FATAL] = (
        STATE_FAILED, (ACTION_DROP, ACTION_LEAVE_QUEUE, ACTION_FORGET_SESSION),
    )

# An attempt that fails before HELLO leaves the session as it is: the peer was not told yet which session it is about.
TRANSITIONS[STATE_GREETING, INPUT_LOST_SESSION] = TRANSITIONS[STATE_GREETING, INPUT_LOST]

# An IDENTIFY that was refused "resumably" has no session that could be resumed.
TRANSITIONS[STATE_IDENTIFYING, INPUT_INVALID_RESUMABLE] = TRANSITIONS[STATE_IDENTIFYING, INPUT_INVALID]

# Deadlines.
for _state in (STATE_GREETING, STATE_IDENTIFYING, STATE_RESUMING):
    TRANSITIONS[_state, INPUT_TIMEOUT] = TRANSITIONS[_state, INPUT_LOST]

# Stopping.
for _state in _RUNNING:
    TRANSITIONS[_state, INPUT_CLOSE] = (STATE_STOPPED, (ACTION_LEAVE_QUEUE, ACTION_END, ACTION_FORGET_SESSION))
    TRANSITIONS[_state, INPUT_SUSPEND] = (STATE_STOPPED, (ACTION_LEAVE_QUEUE, ACTION_DROP))
    TRANSITIONS[_state, INPUT_ABORT] = (STATE_STOPPED, (ACTION_LEAVE_QUEUE, ACTION_ABORT))

for _state in (STATE_STOPPED, STATE_FAILED):
    TRANSITIONS[_state, INPUT_CLOSE] = (STATE_STOPPED, (ACTION_FORGET_SESSION,))

for _state in (STATE_WAITING, STATE_QUEUED, STATE_CONNECTING, STATE_GREETING):
    TRANSITIONS[_state, INPUT_OFFLINE] = (STATE_STOPPED, (ACTION_LEAVE_QUEUE, ACTION_ABORT))

del _count, _input, _state
