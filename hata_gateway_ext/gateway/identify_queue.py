"""
The identify queue of an application: the pure limiter of ``protocol.identify``, with timers.

There is one for each token in a process, so that several clients of one application do not identify into each other's
windows; neither those that are connected side by side, nor those that follow each other.
"""
__all__ = ('IdentifyQueue', 'get_identify_queue')

from hashlib import sha256
from warnings import warn

from hata import KOKORO
from scarletio import LOOP_TIME, RichAttributeErrorBaseType, Task

from ..protocol.identify import IdentifyLimiter

# Milliseconds. The limit is reset once a day (Discord docs, Gateway: "Session Start Limit Object"); a week is a mistake.
RESET_AFTER_MAXIMUM = 7 * 86_400_000

# Buckets. The largest bots have a few hundred; more buckets than there can be shards are a mistake.
MAX_CONCURRENCY_MAXIMUM = 1 << 16

# The identify queue of each application, by a digest of its token. They are kept when their clients are gone, since Discord's
# windows are not over then; there are as many as a process has had applications.
IDENTIFY_QUEUES = {}


def get_identify_queue(token):
    """
    Returns the identify queue of an application.
    
    Parameters
    ----------
    token : `str`
        The token of the application.
    
    Returns
    -------
    identify_queue : ``IdentifyQueue``
    """
    key = sha256(token.encode()).digest()
    identify_queue = IDENTIFY_QUEUES.get(key, None)
    if identify_queue is None:
        # Clients can be created in any thread.
        identify_queue = IDENTIFY_QUEUES.setdefault(key, IdentifyQueue())
    
    return identify_queue


class IdentifyQueue(RichAttributeErrorBaseType):
    """
    Tells the shards of an application when to connect and when to identify.
    
    Attributes
    ----------
    _exhausted : `bool`
        Whether the session start limit was exhausted when it was last looked at, and was warned about.
    _handle : `None | TimerHandle`
        Wakes the queue up.
    _refresh_task : `None | Task`
        Asks for the session start limit anew after it was reset.
    limiter : ``IdentifyLimiter``
        The rules.
    """
    __slots__ = ('_exhausted', '_handle', '_refresh_task', 'limiter')
    
    def __new__(cls):
        """
        Creates an identify queue that nobody waits in.
        """
        self = object.__new__(cls)
        self._exhausted = False
        self._handle = None
        self._refresh_task = None
        self.limiter = IdentifyLimiter()
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} {self.limiter!r}>'
    
    
    def set_session_start_limit(self, data):
        """
        Takes over the `session_start_limit` of `/gateway/bot`. One with missing, ill-typed or senseless fields is not taken over.
        
        Parameters
        ----------
        data : `object`
            The `session_start_limit`.
        """
        if not isinstance(data, dict):
            return
        
        max_concurrency = data.get('max_concurrency', 1)
        total = data.get('total', None)
        remaining = data.get('remaining', None)
        reset_after = data.get('reset_after', None)
        
        if (
            (type(max_concurrency) is int) and (1 <= max_concurrency <= MAX_CONCURRENCY_MAXIMUM) and
            (type(total) is int) and (total > 0) and (type(remaining) is int) and
            (type(reset_after) in (int, float)) and (0 <= reset_after <= RESET_AFTER_MAXIMUM)
        ):
            self.limiter.set_session_start_limit(
                total, remaining, LOOP_TIME() + reset_after / 1000.0, max_concurrency
            )
            self._schedule(0.0)
    
    
    def enqueue(self, driver, shard_id):
        """
        Queues a shard up.
        
        Parameters
        ----------
        driver : ``SessionDriver``
            What drives the shard. Its `identify_near()` is called when it should connect, its `identify_permitted()` when
            it should identify: each later, never from within this call.
        shard_id : `int`
            The shard.
        
        Returns
        -------
        ticket : ``IdentifyTicket``
        """
        ticket = self.limiter.enqueue(shard_id, driver)
        self._schedule(0.0)
        return ticket
    
    
    def set_ready(self, ticket):
        """
        The shard of the ticket could identify at once.
        
        Parameters
        ----------
        ticket : ``IdentifyTicket``
            The ticket of the shard.
        """
        self.limiter.set_ready(ticket)
        self._schedule(0.0)
    
    
    def withdraw(self, ticket):
        """
        The shard does not need its ticket any more.
        
        Parameters
        ----------
        ticket : ``IdentifyTicket``
            The ticket of the shard.
        """
        self.limiter.withdraw(ticket)
        self._schedule(0.0)
    
    
    def _schedule(self, wake_up_at):
        """
        Arms the timer of the queue.
        
        Parameters
        ----------
        wake_up_at : `float`
            When to wake up; monotonic time, in seconds.
        """
        handle = self._handle
        if (handle is not None):
            handle.cancel()
        
        self._handle = KOKORO.call_at(max(wake_up_at, LOOP_TIME()), self._advance)
    
    
    def _advance(self):
        """
        Tells every shard that can go on. While the session start limit is exhausted, none can.
        """
        handle = self._handle
        if (handle is not None):
            self._handle = None
            handle.cancel()
        
        limiter = self.limiter
        if (not limiter.get_waiting_count()) or (self._refresh_task is not None):
            return
        
        now = LOOP_TIME()
        was_exhausted = self._exhausted
        
        if was_exhausted and (not limiter.is_exhausted(now)):
            # The limit was reset. How much it is now, Discord knows.
            self._exhausted = False
            self._refresh_task = Task(KOKORO, self._refresh(limiter.get_near(now)[0].waiter))
            return
        
        for ticket in limiter.grant(now):
            ticket.waiter.identify_permitted()
        
        for ticket in limiter.get_near(now):
            ticket.waiter.identify_near()
        
        wake_up_at = limiter.get_wake_up_at(now)
        if (wake_up_at is not None):
            self._schedule(wake_up_at)
        
        # It may be these shards that exhausted it. Warned last, as users can make warnings raise.
        if limiter.get_waiting_count() and limiter.is_exhausted(now):
            self._exhausted = True
            if not was_exhausted:
                self._warn_exhausted(now)
    
    
    async def _refresh(self, driver):
        """
        Asks for the session start limit anew, then goes on.
        
        This method is a coroutine.
        
        Parameters
        ----------
        driver : ``SessionDriver``
            Whose client asks.
        """
        try:
            await driver.refresh_discovery()
        finally:
            self._refresh_task = None
            self._schedule(0.0)
    
    
    def _warn_exhausted(self, now):
        """
        Warns that the session start limit is exhausted.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        """
        warn(
            (
                f'The session start limit is exhausted: {self.limiter.get_waiting_count()} shard(s) wait for '
                f'{self.limiter.reset_at - now:.0f} seconds until it is reset. One more identify would make Discord '
                f'reset the token.'
            ),
            RuntimeWarning,
            stacklevel = 2,
        )
