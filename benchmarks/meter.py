"""
Measures a receiver from within: processor time of the whole process from the first to the last event.
"""
__all__ = ('Meter', 'report')

from json import dumps as dump_to_json
from os import getpid
from threading import Event
from time import perf_counter, process_time


class Meter:
    """
    Counts events between the marks of a recording.
    
    Attributes
    ----------
    _began_at : `tuple<float, float>`
        Processor time and time at the first mark.
    _ended_at : `None | tuple<float, float>`
        The same at the last event.
    _expected : `int`
        The events that have to be counted until it is over.
    _sessions : `int`
        Sessions of which the last mark was not seen yet.
    count : `int`
        Events counted.
    done : `Event`
        Set when all is over.
    """
    __slots__ = ('_began_at', '_ended_at', '_expected', '_sessions', 'count', 'done')
    
    def __new__(cls, expected, sessions = 1):
        """
        Creates a new meter.
        
        Parameters
        ----------
        expected : `int`
            The events that have to be counted.
        sessions : `int` = `1`, Optional
            The number of sessions; each has its own marks.
        """
        self = object.__new__(cls)
        self._began_at = (0.0, 0.0)
        self._ended_at = None
        self._expected = expected
        self._sessions = sessions
        self.count = 0
        self.done = Event()
        return self
    
    
    def __repr__(self):
        """Returns the meter's representation."""
        return f'<{type(self).__name__} count = {self.count!r}>'
    
    
    def begin(self, *parameters):
        """
        The first mark of a session was received.
        
        Parameters
        ----------
        *parameters : Positional parameters
            Whatever a library gives to a parser.
        """
        if self._began_at[1] == 0.0:
            self._began_at = (process_time(), perf_counter())
    
    
    def end(self, *parameters):
        """
        The last mark of a session was received.
        
        Parameters
        ----------
        *parameters : Positional parameters
            Whatever a library gives to a parser.
        """
        self._sessions -= 1
        if (not self._sessions) and (self.count >= self._expected):
            self.finish()
    
    
    def finish(self):
        """
        Takes the time: all is over.
        """
        self._ended_at = (process_time(), perf_counter())
        self.done.set()
    
    
    def count_event(self, receiver, data):
        """
        Counts an event. As little as a parser can do.
        
        Parameters
        ----------
        receiver : `object`
            hata's client, hikari's shard.
        data : `object`
            The event's data.
        """
        self.count += 1
    
    
    def count_data(self, data):
        """
        The same, for discord.py, which calls its parsers with the data alone.
        
        Parameters
        ----------
        data : `object`
            The event's data.
        """
        self.count += 1
    
    
    async def handle_event(self, *parameters):
        """
        Counts an event as the handler of a bot, which may be called after the last mark.
        
        This method is a coroutine.
        
        Parameters
        ----------
        *parameters : Positional parameters
            Whatever a library gives to a handler.
        """
        self.count += 1
        if (self.count == self._expected) and (not self._sessions):
            self.finish()
    
    
    def create_result(self, event_count, **extra):
        """
        Creates what a receiver reports.
        
        Parameters
        ----------
        event_count : `int`
            The events that were received.
        **extra : Keyword parameters
            Whatever else was measured.
        
        Returns
        -------
        result : `dict<str, object>`
        
        Raises
        ------
        RuntimeError
            - Not over, or other than the expected events were counted.
        """
        if (self._ended_at is None) or (self.count != self._expected):
            raise RuntimeError(f'{self._expected!r} events were expected, {self.count!r} were counted.')
        
        return {
            'cpu_seconds': self._ended_at[0] - self._began_at[0],
            'wall_seconds': self._ended_at[1] - self._began_at[1],
            'event_count': event_count,
            'counted': self.count,
            **extra,
        }


def report(result):
    """
    Prints a receiver's result for the process that started it.
    
    Parameters
    ----------
    result : `dict<str, object>`
        What was measured.
    """
    print(dump_to_json({'process_id': getpid(), **result}), flush = True)
