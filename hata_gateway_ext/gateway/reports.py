"""
What a shard tells the bot's owner, through `client.events.error`: each trouble once, not once per attempt.
"""
__all__ = ('Reports',)

from hata import KOKORO
from scarletio import RichAttributeErrorBaseType, Task

# What is given to `client.events.error` as the name of the event, as hata gives the names of its events.
REPORT_EVENT_NAME = 'gateway'


class Reports(RichAttributeErrorBaseType):
    """
    Reports troubles, each once until it is settled.
    
    Attributes
    ----------
    _open : `dict<str, object>`
        The troubles that were reported and are not settled, with what tells two occurrences apart.
    _tasks : `set<Task>`
        Reports that are being made. The event loop holds tasks weakly.
    client : ``Client``
        Whose events are used.
    """
    __slots__ = ('_open', '_tasks', 'client')
    
    def __new__(cls, client):
        """
        Creates reports.
        
        Parameters
        ----------
        client : ``Client``
            Whose events are used.
        """
        self = object.__new__(cls)
        self._open = {}
        self._tasks = set()
        self.client = client
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} open = {sorted(self._open)!r}>'
    
    
    def report(self, exception):
        """
        Reports at once.
        
        Parameters
        ----------
        exception : `BaseException`
            What to report.
        """
        client = self.client
        task = Task(KOKORO, client.events.error(client, REPORT_EVENT_NAME, exception))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
    
    
    def report_once(self, trouble, exception, occurrence = None):
        """
        Reports if the same was not reported yet since the trouble was last settled.
        
        Parameters
        ----------
        trouble : `str`
            What kind of trouble it is.
        exception : `BaseException`
            What to report.
        occurrence : `object` = `None`, Optional
            What tells two troubles of the kind apart: another one is reported again.
        
        Returns
        -------
        reported : `bool`
        """
        if (trouble in self._open) and (self._open[trouble] == occurrence):
            return False
        
        self._open[trouble] = occurrence
        self.report(exception)
        return True
    
    
    def settle(self, trouble):
        """
        The trouble is over; when it comes again, it is reported again.
        
        Parameters
        ----------
        trouble : `str`
            What kind of trouble it is.
        
        Returns
        -------
        was_open : `bool`
        """
        return self._open.pop(trouble, self) is not self
