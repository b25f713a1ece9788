"""
A payload in the send queue of a shard, and whoever waits for it to be sent.
"""
__all__ = ('SendEntry',)

from hata import KOKORO
from scarletio import Future


class SendEntry:
    """
    A payload that waits.
    
    Attributes
    ----------
    data : `None | str`
        The payload, as JSON; `None` if only a permit is waited for.
    enqueued_at : `float`
        When it was queued; monotonic time, in seconds.
    future : `Future<bool>`
        Who waits for it.
    """
    __slots__ = ('data', 'enqueued_at', 'future')
    
    def __new__(cls, data, enqueued_at):
        """
        Creates an entry.
        
        Parameters
        ----------
        data : `None | str`
            The payload, as JSON.
        enqueued_at : `float`
            When it is queued.
        """
        self = object.__new__(cls)
        self.data = data
        self.enqueued_at = enqueued_at
        self.future = Future(KOKORO)
        return self
