"""
The send window of a connection: 120 payloads in any 60 seconds (Discord docs, Gateway: "Rate Limiting"; over it: close
code 4008).

The algorithm is a *sliding window log*: the times of the last sends. A fixed window that resets (hata's default) lets up to
239 sends fall into one window of Discord's; a token bucket has to be given less than the limit to be safe. The log holds
120 numbers at most, and is exact.

Some permits are kept free for what must never wait: heartbeats, IDENTIFY and RESUME. What these take comes out of the
reserve, so the rest has its full share from the first moment of a connection on.
"""
__all__ = ('SEND_LIMIT', 'SEND_WINDOW', 'SEND_WINDOW_MARGIN', 'SendWindow')

from collections import deque
from math import ceil

# Payloads and seconds, all operations counted. Discord docs, Gateway: "Rate Limiting".
SEND_LIMIT = 120
SEND_WINDOW = 60.0

# Seconds by which our window is longer than Discord's: a payload may travel longer than the one that was sent 60 seconds
# after it, so that they arrive closer together than they left.
SEND_WINDOW_MARGIN = 0.25

# Two more than the heartbeats of a window: one that Discord asks for, and IDENTIFY or RESUME.
RESERVE_BASE = 2

# However fast a heartbeat is (local servers use half a second and less), half of the window stays for the bot.
RESERVE_MAXIMUM = SEND_LIMIT // 2

# Permits that are kept although the reserve is used up, since Discord asked for more heartbeats: the next one is due.
RESERVE_MINIMUM = 1


class SendWindow:
    """
    The send window of one connection. A new connection starts a new one.
    
    Attributes
    ----------
    _reserved_count : `int`
        How many of the sends of the current window were heartbeats, IDENTIFYs and RESUMEs.
    _sent : `deque<(float, bool)>`
        When the sends of the current window were made, and whether each was one of these.
    reserve : `int`
        Permits that are kept for heartbeats, IDENTIFY and RESUME.
    """
    __slots__ = ('_reserved_count', '_sent', 'reserve')
    
    def __new__(cls):
        """
        Creates an empty send window.
        """
        self = object.__new__(cls)
        self._reserved_count = 0
        self._sent = deque()
        self.reserve = RESERVE_BASE
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} sent = {len(self._sent)!r}, reserve = {self.reserve!r}>'
    
    
    def set_heartbeat_interval(self, interval):
        """
        Adapts the reserve to the heartbeats of the connection.
        
        Parameters
        ----------
        interval : `float`
            Seconds between two heartbeats, over 0.
        """
        # Compared by multiplication: a tiny interval would divide to infinity.
        if interval * RESERVE_MAXIMUM <= SEND_WINDOW:
            self.reserve = RESERVE_MAXIMUM
        else:
            self.reserve = min(ceil(SEND_WINDOW / interval) + RESERVE_BASE, RESERVE_MAXIMUM)
    
    
    def _expire(self, now):
        """
        Forgets the sends that left the window.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        """
        sent = self._sent
        # The same sum as in ``.get_next_permit_at``: a difference may round the other way, and then the permit is not
        # there yet when it was promised.
        while sent and (sent[0][0] + (SEND_WINDOW + SEND_WINDOW_MARGIN) <= now):
            self._reserved_count -= sent.popleft()[1]
    
    
    def _get_limit(self, reserved, reserved_count):
        """
        Returns up to how many sends of the window a further one may be made.
        
        Parameters
        ----------
        reserved : `bool`
            Whether the reserved permits may be used too.
        reserved_count : `int`
            How many of the sends used them.
        
        Returns
        -------
        limit : `int`
        """
        if reserved:
            return SEND_LIMIT
        
        return SEND_LIMIT - max(self.reserve - reserved_count, RESERVE_MINIMUM)
    
    
    def get_remaining(self, now, reserved = False):
        """
        Returns how many payloads may be sent at once.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        reserved : `bool` = `False`, Optional
            Whether the reserved permits may be used too.
        
        Returns
        -------
        remaining : `int`
        """
        self._expire(now)
        return max(self._get_limit(reserved, self._reserved_count) - len(self._sent), 0)
    
    
    def take(self, now, reserved = False):
        """
        Takes a permit. If it is granted, send at once.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        reserved : `bool` = `False`, Optional
            Whether the payload is a heartbeat, an IDENTIFY or a RESUME.
        
        Returns
        -------
        granted : `bool`
            If `False`, wait until ``.get_next_permit_at`` and take again.
        """
        if not self.get_remaining(now, reserved):
            return False
        
        self._sent.append((now, reserved))
        self._reserved_count += reserved
        return True
    
    
    def get_next_permit_at(self, now, reserved = False):
        """
        Returns when the next permit can be taken.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        reserved : `bool` = `False`, Optional
            Whether the reserved permits may be used too.
        
        Returns
        -------
        next_permit_at : `float`
            Monotonic time, in seconds; `now` if one is free.
        """
        if self.get_remaining(now, reserved):
            return now
        
        count = len(self._sent)
        reserved_count = self._reserved_count
        
        for sent_at, was_reserved in self._sent:
            count -= 1
            reserved_count -= was_reserved
            if count < self._get_limit(reserved, reserved_count):
                break
        
        return sent_at + (SEND_WINDOW + SEND_WINDOW_MARGIN)
