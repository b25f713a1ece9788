"""
When a shard sends its heartbeats, when its connection counts as dead, and how long an acknowledgement took.

Discord's own rule is: no acknowledgement between two heartbeats, and the connection is a zombie (Discord docs, Gateway:
"Heartbeat ACK"). It is slow where the line is silent (up to two intervals, 82 seconds) and hasty where it is busy: an
acknowledgement can stand in line behind megabytes of replay. Two rules take its place:

- *silent*: nothing at all was received for `min(interval, 15 s)` after a heartbeat was sent;
- *unacknowledged*: there is traffic, but two scheduled heartbeats in a row stay unacknowledged until the third is due.

A verdict is made at the second look only: scarletio's loop runs timers that are due before it reads sockets, so what
the peer sent while the loop stood still may wait unread. The later the first look came, the later the second one comes.
"""
__all__ = (
    'HEARTBEAT_BEAT', 'HEARTBEAT_SILENT', 'HEARTBEAT_UNACKNOWLEDGED', 'HeartbeatClock', 'LATENCY_WINDOW_SIZE',
    'SILENCE_MAXIMUM', 'STALL_GRACE', 'STALL_TOLERANCE', 'UNACKNOWLEDGED_LIMIT', 'get_second_look_at',
)

from collections import deque

# What `HeartbeatClock.check` asks for.
HEARTBEAT_BEAT = 'beat'
HEARTBEAT_SILENT = 'silent'
HEARTBEAT_UNACKNOWLEDGED = 'unacknowledged'

# Seconds. Three times what a bad mobile line needs for a round trip with retransmissions; with Discord's interval of
# 41.25 s a dead line is found after 57 s at the latest.
SILENCE_MAXIMUM = 15.0

# Scheduled heartbeats in a row.
UNACKNOWLEDGED_LIMIT = 2

# Seconds from the first to the second look. A wake-up that is later than this means that the loop, and not the peer,
# stood still: on a loop that is merely busy, timers are a few milliseconds late.
STALL_TOLERANCE = 0.05

# Seconds that reading gets then to catch up. The loop needs one round for it; ten thousand events need this long.
STALL_GRACE = 0.5

# Acknowledgements of which the latency is remembered. At 41.25 s: the last 13 minutes.
LATENCY_WINDOW_SIZE = 20

# Heartbeats of which the acknowledgement is awaited. More are outstanding only if the peer does not acknowledge at all.
OUTSTANDING_MAXIMUM = 4


def get_second_look_at(now, deadline):
    """
    Returns when to look again before a loss is believed: the later the first look came, the more there may be to read.
    """
    return now + (STALL_GRACE if now - deadline > STALL_TOLERANCE else STALL_TOLERANCE)


class HeartbeatClock:
    """
    The heartbeat of one connection.
    
    Attributes
    ----------
    _excused_until : `float`
        No verdict is made before. Set at the first look.
    _outstanding : `deque<float>`
        When the heartbeats that were not acknowledged yet were sent.
    _silent_since : `None | float`
        When the first heartbeat was sent after which nothing was received yet.
    _unacknowledged : `int`
        Scheduled heartbeats in a row without an acknowledgement.
    interval : `float`
        Seconds between two heartbeats.
    latencies : `deque<float>`
        The latest round trips, in seconds, oldest first.
    next_beat_at : `float`
        When the next heartbeat is due.
    """
    __slots__ = (
        '_excused_until', '_outstanding', '_silent_since', '_unacknowledged', 'interval', 'latencies', 'next_beat_at'
    )
    
    def __new__(cls, now, interval, jitter, latencies = ()):
        """
        Creates a running heartbeat clock.
        
        Parameters
        ----------
        now : `float`
            When HELLO came; monotonic time, in seconds.
        interval : `float`
            Seconds between two heartbeats, over 0.
        jitter : `float`
            A random number in `[0, 1)`. The first heartbeat is due after `interval * jitter` (Discord docs, Gateway:
            "Heartbeat Interval").
        latencies : `iterable<float>` = `()`, Optional
            Round trips of the connection before, to go on with.
        """
        self = object.__new__(cls)
        self._excused_until = now
        self._outstanding = deque(maxlen = OUTSTANDING_MAXIMUM)
        self._silent_since = None
        self._unacknowledged = 0
        self.interval = interval
        self.latencies = deque(latencies, maxlen = LATENCY_WINDOW_SIZE)
        self.next_beat_at = now + interval * jitter
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} interval = {self.interval!r}, unacknowledged = {self._unacknowledged!r}>'
    
    
    def beat_sent(self, now, last_received_at, scheduled):
        """
        A heartbeat was sent.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        last_received_at : `float`
            When anything was last received.
        scheduled : `bool`
            Whether it is the one that was due. Heartbeats that Discord or the bot asked for are extra: they do not
            count as unacknowledged.
        """
        self._outstanding.append(now)
        
        silent_since = self._silent_since
        if (silent_since is None) or (last_received_at > silent_since):
            self._silent_since = now
        
        if scheduled:
            self._unacknowledged += 1
            self.schedule_next(now)
    
    
    def schedule_next(self, now):
        """
        Sets when the next heartbeat is due: an interval after the one before was, or from now if that is past already.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        """
        next_beat_at = self.next_beat_at + self.interval
        if next_beat_at <= now:
            next_beat_at = now + self.interval
        
        self.next_beat_at = next_beat_at
    
    
    def postpone(self, next_beat_at):
        """
        The heartbeat that is due cannot be sent, since the send window is full.
        
        Parameters
        ----------
        next_beat_at : `float`
            When to try again; monotonic time, in seconds.
        """
        self.next_beat_at = next_beat_at
    
    
    def acknowledged(self, now):
        """
        An acknowledgement came. One that nobody waited for changes nothing.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        
        Returns
        -------
        latency : `None | float`
            Seconds since the oldest heartbeat that was not acknowledged.
        """
        outstanding = self._outstanding
        if not outstanding:
            return None
        
        latency = now - outstanding.popleft()
        self._unacknowledged = 0
        self.latencies.append(latency)
        return latency
    
    
    def _get_silent_deadline(self, last_received_at):
        """
        Returns when the silent rule strikes if nothing more is received.
        
        Parameters
        ----------
        last_received_at : `float`
            When anything was last received.
        
        Returns
        -------
        deadline : `None | float`
        """
        silent_since = self._silent_since
        if (silent_since is None) or (last_received_at > silent_since):
            return None
        
        return silent_since + min(self.interval, SILENCE_MAXIMUM)
    
    
    def get_wake_up_at(self, last_received_at):
        """
        Returns when to call ``.check`` next. Things received in the meantime only ever make it later.
        
        Parameters
        ----------
        last_received_at : `float`
            When anything was last received.
        
        Returns
        -------
        wake_up_at : `float`
            Monotonic time, in seconds.
        """
        wake_up_at = self.next_beat_at
        deadline = self._get_silent_deadline(last_received_at)
        if (deadline is not None):
            wake_up_at = min(wake_up_at, deadline)
        
        return max(wake_up_at, self._excused_until)
    
    
    def check(self, now, last_received_at):
        """
        Decides what is to be done now.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        last_received_at : `float`
            When anything was last received. Give `now` while received bytes wait to be handled.
        
        Returns
        -------
        action : `None | str`
            - `None`: nothing; sleep until ``.get_wake_up_at``.
            - ``HEARTBEAT_BEAT``: send a heartbeat, then call ``.beat_sent``, or ``.postpone`` if it cannot be sent.
            - ``HEARTBEAT_SILENT`` and ``HEARTBEAT_UNACKNOWLEDGED``: the connection is dead. Close it with a code that
                keeps the session.
        """
        if now < self._excused_until:
            return None
        
        deadline = self._get_silent_deadline(last_received_at)
        if (deadline is not None) and (now >= deadline):
            verdict = HEARTBEAT_SILENT
        elif (now >= self.next_beat_at) and (self._unacknowledged >= UNACKNOWLEDGED_LIMIT):
            verdict = HEARTBEAT_UNACKNOWLEDGED
            deadline = self.next_beat_at
        elif now >= self.next_beat_at:
            return HEARTBEAT_BEAT
        else:
            return None
        
        # `_excused_until` is over here; if it was given for this very deadline, it is not given again.
        if self._excused_until < deadline:
            self._excused_until = get_second_look_at(now, deadline)
            return None
        
        return verdict
