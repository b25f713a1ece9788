"""
How long the web sockets of an event loop may read before everything else gets its turn.

The receive path is synchronous: one read can bring more than a thousand events, and each of many shards may have one
ready in the same round of the loop. So the web sockets of a loop share one budget for a round. Who is not done when it
is used up stands in line, and goes on in the next round.

``EventThread.call_soon`` would not do for that: scarletio's loop runs what is added to its ready queue in the same
round, so timers and sockets would wait until all is read. A timer that is due at once runs in the next round, after the
loop has looked at its timers and its sockets. There is one such timer for all web sockets of a loop, and none while
nobody is behind.
"""
__all__ = ('TimeSlice', 'get_time_slice')

from collections import deque as Deque

from scarletio import LOOP_TIME, RichAttributeErrorBaseType, WeakKeyDictionary


# Seconds for all web sockets in one round of the loop. 5 ms is the longest we want anything else to wait for us; the
# clock is looked at between events and every few KB of payload, so what goes over is left out of the budget.
SLICE_LENGTH = 0.004

# The least that a web socket standing in line gets at its turn, in seconds. Below it, changing turns would cost more
# than it gives.
TURN_LENGTH_MIN = 0.0005

# The time slice of each event loop. hata has one loop, `KOKORO`.
TIME_SLICES = WeakKeyDictionary()


def get_time_slice(loop):
    """
    Gets the time slice of an event loop.
    
    Parameters
    ----------
    loop : ``EventThread``
        The event loop.
    
    Returns
    -------
    time_slice : ``TimeSlice``
    """
    try:
        time_slice = TIME_SLICES[loop]
    except KeyError:
        time_slice = TimeSlice(loop)
        TIME_SLICES[loop] = time_slice
    
    return time_slice


class TimeSlice(RichAttributeErrorBaseType):
    """
    The budget that the web sockets of an event loop share.
    
    Attributes
    ----------
    _began_at : `float`
        When the current turn began.
    _handle : `None | TimerHandle`
        The timer of the next round, if anyone stands in line.
    _line : `Deque<GatewayWebSocket>`
        Who stands in line.
    _loop : ``EventThread``
        The event loop.
    _remaining : `float`
        What is left of the budget, in seconds.
    _turn_length : `float`
        The most that one turn may take, in seconds.
    clock : `() -> float`
        Monotonic time in seconds: the loop's time.
    """
    __slots__ = ('_began_at', '_handle', '_line', '_loop', '_remaining', '_turn_length', 'clock')
    
    def __new__(cls, loop, *, clock = LOOP_TIME):
        """
        Creates a new time slice.
        
        Parameters
        ----------
        loop : ``EventThread``
            The event loop.
        clock : `() -> float` = `LOOP_TIME`, Optional (Keyword only)
            The loop's time.
        """
        self = object.__new__(cls)
        self._began_at = 0.0
        self._handle = None
        self._line = Deque()
        self._loop = loop
        self._remaining = SLICE_LENGTH
        self._turn_length = SLICE_LENGTH
        self.clock = clock
        return self
    
    
    def __repr__(self):
        """Returns the time slice's representation."""
        return f'<{type(self).__name__} waiting = {len(self._line)}>'
    
    
    def begin(self, now):
        """
        Begins the turn of a web socket. ``.end`` must be called after it.
        
        Parameters
        ----------
        now : `float`
            The loop's time.
        
        Returns
        -------
        deadline : `float`
            The loop's time at which the turn ends. Already over if the budget is used up.
        """
        self._began_at = now
        remaining = self._remaining
        turn_length = self._turn_length
        return now + (turn_length if turn_length < remaining else remaining)
    
    
    def end(self):
        """
        Ends the turn of a web socket.
        """
        self._remaining -= self.clock() - self._began_at
    
    
    def stand_in_line(self, web_socket):
        """
        Lets the web socket go on in the next round: its ``.read_on`` is called then.
        
        Parameters
        ----------
        web_socket : ``GatewayWebSocket``
            A web socket that does not stand in line yet.
        """
        self._line.append(web_socket)
        if self._handle is None:
            self._schedule()
    
    
    def leave_line(self, web_socket):
        """
        Takes the web socket out of the line, if it stands there.
        
        Parameters
        ----------
        web_socket : ``GatewayWebSocket``
            The web socket.
        """
        try:
            self._line.remove(web_socket)
        except ValueError:
            # It had its turn.
            return
    
    
    def _schedule(self):
        """
        Schedules the next round.
        """
        self._handle = self._loop.call_at(self.clock(), self._run_round)
    
    
    def _run_round(self):
        """
        Gives a turn to each web socket that stands in line, as long as the budget lasts.
        """
        self._handle = None
        self._remaining = SLICE_LENGTH
        line = self._line
        count = len(line)
        if not count:
            return
        
        turn_length = SLICE_LENGTH / count
        self._turn_length = turn_length if turn_length > TURN_LENGTH_MIN else TURN_LENGTH_MIN
        try:
            for _ in range(count):
                # Someone's turn may have made others leave.
                if not line:
                    break
                
                line.popleft().read_on()
                
                if self._remaining <= 0.0:
                    break
        
        finally:
            self._turn_length = SLICE_LENGTH
            if line and (self._handle is None):
                self._schedule()
