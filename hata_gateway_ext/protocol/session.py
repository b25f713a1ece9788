"""
The session of a shard: what is needed to resume it, and the machine that makes every decision about it.

``SessionMachine`` knows no socket and no clock. Whoever drives it tells it what happened, does the actions that it returns,
in order, and then comes back with ``.wake_up`` at ``.get_wake_up_at``. The rows it follows are in ``transitions``; what is
more than a row is here: how long a state may last and when that is believed, when the shard counts as offline, which url is
next, what a READY has to be, and when a payload that cannot be read is passed over.
"""
__all__ = ('RESUME_URL_ATTEMPTS', 'STATE_TIMEOUTS', 'Session', 'SessionLimits', 'SessionMachine', 'UNREADABLE_LIMIT')

from typing import Dict, NamedTuple

from .backoff import Backoff, RETRY_AFTER_MAXIMUM
from .close_codes import RECOVERY_FATAL, RECOVERY_IDENTIFY, get_recovery
from .errors import PayloadError
from .gateway_url import accept_gateway_url
from .greeting import check_ready
from .heartbeat import get_second_look_at
from .transitions import (
    ACTION_COUNT_FAILURE, ACTION_COUNT_SUCCESS, ACTION_FORGET_SESSION, ACTION_WAIT_INVALID, DOWN_STATES,
    INPUT_BROKEN, INPUT_CONNECT_FAILED, INPUT_DELAY_OVER_IDENTIFY, INPUT_DELAY_OVER_RESUME, INPUT_HELLO_IDENTIFY,
    INPUT_HELLO_RESUME, INPUT_LOST, INPUT_LOST_FATAL, INPUT_LOST_SESSION, INPUT_OFFLINE, INPUT_START, INPUT_TIMEOUT,
    MACHINE_ACTIONS, OFFLINE_STATES, STATE_CONNECTING, STATE_GREETING, STATE_IDENTIFYING, STATE_READY, STATE_RESUMING,
    STATE_STOPPED, STATE_WAITING, TRANSITIONS
)

# Seconds that a state may last; what is not in the table may last for ever.
STATE_TIMEOUTS = {
    # Looking the gateway up, TCP, TLS and the upgrade. hata's own limit.
    STATE_CONNECTING: 30.0,
    # HELLO is the first thing that Discord sends.
    STATE_GREETING: 20.0,
    # READY of a shard with 2500 guilds takes a while.
    STATE_IDENTIFYING: 60.0,
    # Until RESUMED, or the next replayed event.
    STATE_RESUMING: 20.0,
}

# Attempts at `resume_gateway_url` in a row that may fail before HELLO; after them the url of `/gateway/bot` is tried.
RESUME_URL_ATTEMPTS = 2

# Seconds. After INVALID_SESSION a random pause of 1-5 s: older documentation asks for it, and it spares the identify limit.
INVALID_PAUSE_MINIMUM = 1.0
INVALID_PAUSE_SPREAD = 4.0

# Times in a row that a payload which comes after the same event may be unreadable before it is passed over. Discord sends
# it again at each resume; giving up the session for it would lose everything else.
UNREADABLE_LIMIT = 3

# Seconds until the driver is to come back at the latest. scarletio's loop ends when it is to sleep for longer than 24 days,
# and the end of a long offline timeout may be that far away.
WAKE_UP_MAXIMUM = 86400.0


class Session:
    """
    What is needed to resume a session.
    
    Attributes
    ----------
    resume_gateway_url : `None | str`
        Where to resume.
    sequence : `None | int`
        The sequence of the last event that was handed to its parser; `None` before the first.
    session_id : `None | str`
        The session's identifier; `None` if there is no session.
    """
    __slots__ = ('resume_gateway_url', 'sequence', 'session_id')
    
    def __new__(cls, session_id = None, resume_gateway_url = None, sequence = None):
        """
        Creates a session. The parameters are the attributes.
        """
        self = object.__new__(cls)
        self.resume_gateway_url = resume_gateway_url
        self.sequence = sequence
        self.session_id = session_id
        return self
    
    
    def __repr__(self):
        """Returns the representation. The session id is a secret: with the token it takes the session over."""
        return f'<{type(self).__name__} resumable = {self.is_resumable()!r}, sequence = {self.sequence!r}>'
    
    
    def is_resumable(self):
        """
        Returns whether RESUME can be sent.
        """
        return (self.session_id is not None) and (self.sequence is not None)


class SessionLimits(NamedTuple):
    """
    How patient a shard is. The constants of this module, which say why, are what a bot has; a test may have others.
    
    Attributes
    ----------
    invalid_pause_minimum : `float`
        Seconds to wait at least after INVALID_SESSION.
    invalid_pause_spread : `float`
        Seconds that jitter may add to it.
    state_timeouts : `dict<str, float>`
        Seconds that a state may last.
    """
    invalid_pause_minimum: float
    invalid_pause_spread: float
    state_timeouts: Dict[str, float]


class SessionMachine:
    """
    Decides what a shard does next.
    
    Times are monotonic, in seconds, and a jitter is a random number in `[0, 1)`. What takes an input returns the actions that
    are to be done, in order; `None` if the input means nothing in the current state.
    
    Attributes
    ----------
    _is_second_look : `bool`
        Whether the deadline was found to be passed once already, and is now the time of the second look.
    _offline_since : `None | float`
        Since when no connection said HELLO, beginning with the first attempt.
    _resume_url_failures : `int`
        Attempts at `resume_gateway_url` in a row that failed before HELLO.
    _sequence_before : `None | int`
        What the sequence was when the deadline was set: whether it moved tells whether a replay goes on.
    _unreadable : `(None | int, int)`
        After which sequence a payload was unreadable, and how often in a row.
    backoff : ``Backoff``
        Decides how long to wait before the next attempt.
    deadline : `None | float`
        When the state was long enough what it is.
    limits : ``SessionLimits``
        How patient it is.
    offline_timeout : `None | float`
        How long it may be offline before the run ends; `None` if for ever.
    session : ``Session``
        The current session. Replaced by a new object when it is forgotten.
    state : `str`
        The state of the shard.
    """
    __slots__ = (
        '_is_second_look', '_offline_since', '_resume_url_failures', '_sequence_before', '_unreadable', 'backoff',
        'deadline', 'limits', 'offline_timeout', 'session', 'state'
    )
    
    def __new__(cls, session = None, offline_timeout = None, *, limits = None, backoff = None):
        """
        Creates a stopped machine. The parameters are the attributes.
        """
        if limits is None:
            limits = SessionLimits(INVALID_PAUSE_MINIMUM, INVALID_PAUSE_SPREAD, STATE_TIMEOUTS)
        
        self = object.__new__(cls)
        self._is_second_look = False
        self._offline_since = None
        self._resume_url_failures = 0
        self._sequence_before = None
        self._unreadable = (None, 0)
        self.backoff = Backoff() if backoff is None else backoff
        self.deadline = None
        self.limits = limits
        self.offline_timeout = offline_timeout
        self.session = Session() if session is None else session
        self.state = STATE_STOPPED
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} state = {self.state!r}, session = {self.session!r}>'
    
    
    def is_connected(self):
        """
        Returns whether there is a connection that said HELLO.
        """
        return self.state not in DOWN_STATES
    
    
    def should_use_resume_url(self):
        """
        Returns whether the next attempt goes to `resume_gateway_url`.
        """
        session = self.session
        return (
            session.is_resumable() and
            (session.resume_gateway_url is not None) and
            (self._resume_url_failures < RESUME_URL_ATTEMPTS)
        )
    
    # ---- inputs ----
    
    def receive(self, input_, now, jitter, retry_after = 0.0):
        """
        Takes an input over that needs no decision.
        
        Parameters
        ----------
        input_ : `str`
            What happened.
        now : `float`
            The time.
        jitter : `float`
            A random number.
        retry_after : `float` = `0.0`, Optional
            Seconds that the peer asked to wait before the next attempt.
        
        Returns
        -------
        actions : `None | tuple<str>`
        """
        try:
            next_state, actions = TRANSITIONS[self.state, input_]
        except KeyError:
            return None
        
        previous_state = self.state
        self.state = next_state
        
        if input_ == INPUT_START:
            self._offline_since = None
        elif (next_state == STATE_CONNECTING) and (self._offline_since is None):
            self._offline_since = now
        
        self._set_deadline(now)
        
        is_all_for_driver = True
        for action in actions:
            if action not in MACHINE_ACTIONS:
                continue
            
            is_all_for_driver = False
            if action == ACTION_COUNT_FAILURE:
                if previous_state in OFFLINE_STATES and self.should_use_resume_url():
                    self._resume_url_failures += 1
                self.backoff.failed()
            
            elif action == ACTION_COUNT_SUCCESS:
                self._resume_url_failures = 0
                self.backoff.succeeded()
            
            elif action == ACTION_FORGET_SESSION:
                self._resume_url_failures = 0
                self.session = Session()
            
            else:
                pause = min(retry_after, RETRY_AFTER_MAXIMUM)
                if action == ACTION_WAIT_INVALID:
                    limits = self.limits
                    pause = limits.invalid_pause_minimum + limits.invalid_pause_spread * jitter
                
                # A number that is none (NaN) asks for nothing: no comparison with it holds.
                self.deadline = now + self.backoff.attempt(now, jitter, pause if pause > 0.0 else 0.0)
        
        if is_all_for_driver:
            return actions
        
        return tuple(action for action in actions if action not in MACHINE_ACTIONS)
    
    
    def delay_over(self, now, jitter):
        """
        The delay before the attempt is over.
        """
        input_ = INPUT_DELAY_OVER_RESUME if self.session.is_resumable() else INPUT_DELAY_OVER_IDENTIFY
        return self.receive(input_, now, jitter)
    
    
    def connect_failed(self, retry_after, now, jitter):
        """
        No connection could be made; `retry_after` is how many seconds the peer asked to wait, `0.0` if it did not.
        """
        return self.receive(INPUT_CONNECT_FAILED, now, jitter, retry_after)
    
    
    def hello(self, now, jitter):
        """
        HELLO came.
        """
        if self.state == STATE_GREETING:
            self._offline_since = None
            if self.should_use_resume_url():
                self._resume_url_failures = 0
        
        input_ = INPUT_HELLO_RESUME if self.session.is_resumable() else INPUT_HELLO_IDENTIFY
        return self.receive(input_, now, jitter)
    
    
    def closed(self, code, now, jitter):
        """
        The peer closed the connection, or it was lost; then there is no `code`.
        """
        recovery = get_recovery(code)
        if recovery == RECOVERY_FATAL:
            input_ = INPUT_LOST_FATAL
        elif recovery == RECOVERY_IDENTIFY:
            input_ = INPUT_LOST_SESSION
        else:
            input_ = INPUT_LOST
        
        return self.receive(input_, now, jitter)
    
    # ---- what Discord says ----
    
    def begin_session(self, sequence, data, is_secure):
        """
        READY came: takes its session over. Its sequence is the session's once the event was dispatched.
        
        Parameters
        ----------
        sequence : `None | int`
            Its sequence.
        data : `object`
            Its data.
        is_secure : `bool`
            Whether the connection that it came over is behind TLS.
        
        Raises
        ------
        PayloadError
            - If nobody asked for it, or if it is not what it has to be. The session is as it was.
        """
        if self.state != STATE_IDENTIFYING:
            raise PayloadError('READY without IDENTIFY.')
        
        check_ready(sequence, data)
        session = self.session
        session.session_id = data['session_id']
        session.resume_gateway_url = accept_gateway_url(data.get('resume_gateway_url', None), is_secure)
    
    
    def get_resumed_sequence(self, sequence):
        """
        RESUMED came: returns the sequence to go on from; `None` if nobody asked for it.
        """
        if self.state != STATE_RESUMING:
            return None
        
        # RESUMED has the sequence after the last replayed event; one that goes back is not taken over.
        last_sequence = self.session.sequence
        return last_sequence if (sequence is None) or (sequence < last_sequence) else sequence
    
    
    def trusts_old_sequence(self):
        """
        An event came that is not later than the last one. Returns whether that is normal: while resuming, Discord may replay
        from a little earlier.
        """
        return self.state != STATE_READY
    
    
    def broken(self, exception, now, jitter):
        """
        What came cannot be understood; `exception` says why.
        """
        sequence = self.session.sequence
        last_sequence, count = self._unreadable
        # A stream that breaks says nothing about a payload.
        if (last_sequence != sequence) or (not isinstance(exception, PayloadError)):
            count = 0
        
        self._unreadable = (sequence, count + 1)
        return self.receive(INPUT_BROKEN, now, jitter)
    
    
    def passes_over_unreadable(self):
        """
        A payload is not what it should be. Returns whether it is passed over: at first the session is resumed, so that Discord
        sends it again, but not if it comes again and again after the same event.
        """
        sequence, count = self._unreadable
        return (count >= UNREADABLE_LIMIT) and (sequence == self.session.sequence)
    
    # ---- time ----
    
    def get_wake_up_at(self, now):
        """
        Returns when to call ``.wake_up`` if nothing else happens before; `None` if there is nothing to wait for.
        """
        wake_up_at = self.deadline
        offline_at = self._get_offline_at()
        if (offline_at is not None) and ((wake_up_at is None) or (offline_at < wake_up_at)):
            wake_up_at = offline_at
        
        if wake_up_at is None:
            return None
        
        return min(wake_up_at, now + WAKE_UP_MAXIMUM)
    
    
    def wake_up(self, now, jitter, has_backlog):
        """
        Time has passed.
        
        Parameters
        ----------
        now : `float`
            The time.
        jitter : `float`
            A random number.
        has_backlog : `bool`
            Whether something was received that waits to be handled by us.
        
        Returns
        -------
        actions : `tuple<str>`
        """
        offline_at = self._get_offline_at()
        if (offline_at is not None) and (now >= offline_at):
            return self.receive(INPUT_OFFLINE, now, jitter)
        
        deadline = self.deadline
        if (deadline is None) or (now < deadline):
            # Woken up before the end of a long time.
            return ()
        
        if self.state == STATE_WAITING:
            return self.delay_over(now, jitter)
        
        if self._makes_progress(has_backlog):
            self._set_deadline(now)
            return ()
        
        if not self._is_second_look:
            # What is waited for may be there already, unread.
            self._is_second_look = True
            self.deadline = get_second_look_at(now, deadline)
            return ()
        
        return self.receive(INPUT_TIMEOUT, now, jitter)
    
    
    def _set_deadline(self, now):
        """The state begins, or begins anew."""
        timeout = self.limits.state_timeouts.get(self.state, None)
        self.deadline = None if timeout is None else now + timeout
        self._is_second_look = False
        self._sequence_before = self.session.sequence
    
    
    def _get_offline_at(self):
        """Returns when the run ends because no connection could be made."""
        offline_timeout = self.offline_timeout
        offline_since = self._offline_since
        if (offline_timeout is None) or (offline_since is None) or (self.state not in OFFLINE_STATES):
            return None
        
        return offline_since + offline_timeout
    
    
    def _makes_progress(self, has_backlog):
        """Returns whether what is waited for is on its way: events are replayed, or wait to be handled by us."""
        state = self.state
        if state == STATE_IDENTIFYING:
            return has_backlog
        
        return (state == STATE_RESUMING) and (has_backlog or (self.session.sequence != self._sequence_before))
