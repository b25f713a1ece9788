"""
Watches how long an event loop is kept from running anything else.
"""
__all__ = ('LoopWatch',)

from time import perf_counter

from scarletio import RichAttributeErrorBaseType

# Seconds between two looks. A stall is measured from when the look was due, so what is short of this is seen too.
INTERVAL = 0.001


class LoopWatch(RichAttributeErrorBaseType):
    """
    A timer that is set again and again, and remembers by how much it was late at most.
    
    Attributes
    ----------
    _callback : `None | FunctionType`
        Called at the last look.
    _due_at : `float`
        When the next look is due.
    longest : `float`
        Seconds.
    loop : ``EventThread``
        The event loop.
    turns : `int`
        How many times the timer ran.
    """
    __slots__ = ('_callback', '_due_at', 'longest', 'loop', 'turns')
    
    def __new__(cls, loop):
        """
        Creates a new watch.
        
        Parameters
        ----------
        loop : ``EventThread``
            The event loop.
        """
        self = object.__new__(cls)
        self._callback = None
        self._due_at = 0.0
        self.longest = 0.0
        self.loop = loop
        self.turns = 0
        return self
    
    
    def __repr__(self):
        """Returns the watch's representation."""
        return f'<{type(self).__name__} longest = {self.longest!r}, turns = {self.turns!r}>'
    
    
    def start(self):
        """
        Starts to watch. To be called from the loop.
        """
        self._due_at = perf_counter() + INTERVAL
        self.loop.call_after(INTERVAL, self._look)
    
    
    def stop_after_next(self, callback):
        """
        Stops after one more look.
        
        Parameters
        ----------
        callback : `FunctionType`
            Called then.
        """
        self._callback = callback
    
    
    def _look(self):
        """
        Looks how late it is.
        """
        now = perf_counter()
        late = now - self._due_at
        if late > self.longest:
            self.longest = late
        
        self.turns += 1
        callback = self._callback
        if callback is None:
            self._due_at = now + INTERVAL
            self.loop.call_after(INTERVAL, self._look)
        else:
            callback()
