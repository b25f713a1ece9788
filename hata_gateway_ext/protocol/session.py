"""
The session of a shard: what is needed to resume it, and the machine that decides what the shard does next.

``SessionMachine`` knows no socket and no clock. Whoever drives it tells it what happened, does the actions that it returns,
in order, and comes back at `.deadline`. The rows it follows are in ``transitions``.
"""
__all__ = ('RESUME_URL_ATTEMPTS', 'STATE_TIMEOUTS', 'Session', 'SessionMachine')

from .backoff import Backoff, RETRY_AFTER_MAXIMUM
from .close_codes import RECOVERY_FATAL, RECOVERY_IDENTIFY, get_recovery
from .transitions import (
    ACTION_COUNT_FAILURE, ACTION_COUNT_SUCCESS, ACTION_FORGET_SESSION, ACTION_WAIT, ACTION_WAIT_INVALID,
    INPUT_DELAY_OVER_IDENTIFY, INPUT_DELAY_OVER_RESUME, INPUT_HELLO_IDENTIFY, INPUT_HELLO_RESUME, INPUT_LOST,
    INPUT_LOST_FATAL, INPUT_LOST_SESSION, STATE_CONNECTING, STATE_GREETING, STATE_IDENTIFYING, STATE_RESUMING,
    STATE_STOPPED, TRANSITIONS
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
        Creates a session.
        
        Parameters
        ----------
        session_id : `None | str` = `None`, Optional
            The session's identifier.
        resume_gateway_url : `None | str` = `None`, Optional
            Where to resume.
        sequence : `None | int` = `None`, Optional
            The sequence of the last event that was handed to its parser.
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
        
        Returns
        -------
        is_resumable : `bool`
        """
        return (self.session_id is not None) and (self.sequence is not None)


class SessionMachine:
    """
    Decides what a shard does next.
    
    Attributes
    ----------
    _resume_url_failures : `int`
        Attempts at `resume_gateway_url` in a row that failed before HELLO.
    backoff : ``Backoff``
        Decides how long to wait before the next attempt.
    deadline : `None | float`
        When to call ``.time_out`` or ``.delay_over`` if nothing else happens before; monotonic time, in seconds.
    retry_after : `float`
        Seconds that the peer asked to wait before the next attempt. Used up by it.
    session : ``Session``
        The current session. Replaced by a new object when it is forgotten.
    state : `str`
        The state of the shard.
    """
    __slots__ = ('_resume_url_failures', 'backoff', 'deadline', 'retry_after', 'session', 'state')
    
    def __new__(cls, session = None):
        """
        Creates a stopped machine.
        
        Parameters
        ----------
        session : ``None | Session`` = `None`, Optional
            A session to resume.
        """
        self = object.__new__(cls)
        self._resume_url_failures = 0
        self.backoff = Backoff()
        self.deadline = None
        self.retry_after = 0.0
        self.session = Session() if session is None else session
        self.state = STATE_STOPPED
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} state = {self.state!r}, session = {self.session!r}>'
    
    
    def should_use_resume_url(self):
        """
        Returns whether the next attempt goes to `resume_gateway_url`.
        
        Returns
        -------
        should_use_resume_url : `bool`
        """
        session = self.session
        return (
            session.is_resumable() and
            (session.resume_gateway_url is not None) and
            (self._resume_url_failures < RESUME_URL_ATTEMPTS)
        )
    
    
    def receive(self, input_, now, jitter):
        """
        Takes an input over.
        
        Parameters
        ----------
        input_ : `str`
            What happened.
        now : `float`
            Monotonic time, in seconds.
        jitter : `float`
            A random number in `[0, 1)`.
        
        Returns
        -------
        actions : `None | tuple<str>`
            What to do, in order; then come back at `.deadline`. `None` if the input means nothing in the current state.
        """
        try:
            next_state, actions = TRANSITIONS[self.state, input_]
        except KeyError:
            return None
        
        previous_state = self.state
        self.state = next_state
        
        timeout = STATE_TIMEOUTS.get(next_state, None)
        self.deadline = None if timeout is None else now + timeout
        
        for action in actions:
            if action == ACTION_COUNT_FAILURE:
                if previous_state in (STATE_CONNECTING, STATE_GREETING) and self.should_use_resume_url():
                    self._resume_url_failures += 1
                self.backoff.failed()
            
            elif action == ACTION_COUNT_SUCCESS:
                self._resume_url_failures = 0
                self.backoff.succeeded()
            
            elif action == ACTION_FORGET_SESSION:
                self._resume_url_failures = 0
                self.session = Session()
            
            elif action == ACTION_WAIT:
                self.deadline = now + self._draw_attempt(now, jitter, 0.0)
            
            elif action == ACTION_WAIT_INVALID:
                pause = INVALID_PAUSE_MINIMUM + INVALID_PAUSE_SPREAD * jitter
                self.deadline = now + self._draw_attempt(now, jitter, pause)
        
        return actions
    
    
    def _draw_attempt(self, now, jitter, minimum):
        """
        Draws the next attempt.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        jitter : `float`
            A random number in `[0, 1)`.
        minimum : `float`
            Seconds to wait at least.
        
        Returns
        -------
        delay : `float`
            Seconds.
        """
        retry_after = min(self.retry_after, RETRY_AFTER_MAXIMUM)
        self.retry_after = 0.0
        return self.backoff.attempt(now, jitter, max(minimum, retry_after))
    
    
    def delay_over(self, now, jitter):
        """
        The delay before the attempt is over.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        jitter : `float`
            A random number in `[0, 1)`.
        
        Returns
        -------
        actions : `None | tuple<str>`
        """
        input_ = INPUT_DELAY_OVER_RESUME if self.session.is_resumable() else INPUT_DELAY_OVER_IDENTIFY
        return self.receive(input_, now, jitter)
    
    
    def hello(self, now, jitter):
        """
        HELLO came.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        jitter : `float`
            A random number in `[0, 1)`.
        
        Returns
        -------
        actions : `None | tuple<str>`
        """
        if self.state == STATE_GREETING and self.should_use_resume_url():
            self._resume_url_failures = 0
        
        input_ = INPUT_HELLO_RESUME if self.session.is_resumable() else INPUT_HELLO_IDENTIFY
        return self.receive(input_, now, jitter)
    
    
    def closed(self, code, now, jitter):
        """
        The peer closed the connection, or it was lost.
        
        Parameters
        ----------
        code : `None | int`
            The close code, if there was one.
        now : `float`
            Monotonic time, in seconds.
        jitter : `float`
            A random number in `[0, 1)`.
        
        Returns
        -------
        actions : `None | tuple<str>`
        """
        recovery = get_recovery(code)
        if recovery == RECOVERY_FATAL:
            input_ = INPUT_LOST_FATAL
        elif recovery == RECOVERY_IDENTIFY:
            input_ = INPUT_LOST_SESSION
        else:
            input_ = INPUT_LOST
        
        return self.receive(input_, now, jitter)
    
    
    def extend(self, now):
        """
        A replayed event was dispatched: the peer is at it, so the deadline of the state begins anew.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        """
        timeout = STATE_TIMEOUTS.get(self.state, None)
        if (timeout is not None):
            self.deadline = now + timeout
