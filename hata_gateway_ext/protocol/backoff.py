"""
How long a shard waits before it connects again.

Two limits hold together. The *delay* grows while attempts fail: the first is made at once, the next ones after a delay
that doubles from one second to a minute, with jitter so that the shards of a bot do not come in step. The *budget* is a
token bucket that every attempt draws on, whatever the reason: a server that accepts a shard and drops it in a loop resets
the delay each time, and is met with one attempt a second once the bucket is empty.

The jitter takes the upper half of the delay. Full jitter (from 0 on) would spread the shards a little wider, but cannot
bound the attempts: with it five minutes of outage cost 16 attempts on average; with the upper half they cost 15 at most.
"""
__all__ = ('ATTEMPT_BUDGET', 'ATTEMPT_BUDGET_REFILL', 'Backoff', 'DELAY_BASE', 'DELAY_MAXIMUM', 'RETRY_AFTER_MAXIMUM')

# Seconds. The delay before the second attempt, and the most that it grows to. A minute is what an operator accepts to
# wait after an outage ended, and short enough that Discord still knows the session after a short one.
DELAY_BASE = 1.0
DELAY_MAXIMUM = 60.0

# Attempts, and attempts per second. 60 in a row let a shard follow a rolling deployment of Discord's without a pause.
ATTEMPT_BUDGET = 60.0
ATTEMPT_BUDGET_REFILL = 1.0

# Seconds. A server that asks for more patience than this (`Retry-After`) is asked again nevertheless.
RETRY_AFTER_MAXIMUM = 300.0


class Backoff:
    """
    Decides how long a shard waits before its next attempt to connect.
    
    Attributes
    ----------
    _budget : `float`
        Attempts that can be made at once, as of `._budget_at`.
    _budget_at : `None | float`
        When the budget was last brought up to date.
    delay_base : `float`
        Seconds before the second attempt.
    delay_maximum : `float`
        Seconds that the delay grows to.
    failures : `int`
        Attempts in a row which did not reach READY or RESUMED.
    """
    __slots__ = ('_budget', '_budget_at', 'delay_base', 'delay_maximum', 'failures')
    
    def __new__(cls, delay_base = None, delay_maximum = None):
        """
        Creates a backoff with a full budget. The parameters are the attributes; a bot has those of this module.
        """
        self = object.__new__(cls)
        self.delay_base = DELAY_BASE if delay_base is None else delay_base
        self.delay_maximum = DELAY_MAXIMUM if delay_maximum is None else delay_maximum
        self._budget = ATTEMPT_BUDGET
        self._budget_at = None
        self.failures = 0
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} failures = {self.failures!r}>'
    
    
    def get_delay_bound(self):
        """
        Returns the longest delay that may come before the next attempt, the budget left aside.
        
        Returns
        -------
        bound : `float`
            Seconds.
        """
        failures = self.failures
        if not failures:
            return 0.0
        
        # 2 ** 6 is over a minute already; the exponent is bounded so that no count of failures overflows.
        return min(self.delay_base * (1 << min(failures - 1, 6)), self.delay_maximum)
    
    
    def attempt(self, now, jitter, minimum = 0.0):
        """
        Draws an attempt. Call it once for each attempt; then wait, then connect.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        jitter : `float`
            A random number in `[0, 1)`.
        minimum : `float` = `0.0`, Optional
            Seconds to wait at least, as a server asked for.
        
        Returns
        -------
        delay : `float`
            Seconds to wait before the attempt.
        """
        bound = self.get_delay_bound()
        delay = max(bound * 0.5 + bound * 0.5 * jitter, minimum)
        
        budget = self._budget
        budget_at = self._budget_at
        if (budget_at is not None) and (now > budget_at):
            budget = min(budget + (now - budget_at) * ATTEMPT_BUDGET_REFILL, ATTEMPT_BUDGET)
        
        # The budget may go below zero: it is what the attempts that are waiting already have taken in advance.
        budget -= 1.0
        self._budget = budget
        self._budget_at = now
        
        if budget < 0.0:
            delay = max(delay, -budget / ATTEMPT_BUDGET_REFILL)
        
        return delay
    
    
    def failed(self):
        """
        Counts an attempt that did not reach READY or RESUMED.
        """
        self.failures += 1
    
    
    def succeeded(self):
        """
        READY or RESUMED was reached: the next loss is answered at once again.
        """
        self.failures = 0
