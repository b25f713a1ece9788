"""
Discord's limit on what a client may send over one connection.
"""
__all__ = ('SendWindow',)

from collections import deque


class SendWindow:
    """
    Counts the payloads of the last interval. Discord docs, Gateway: "Rate Limiting": 120 events per connection every 60
    seconds, of all operations; over it the connection is closed with 4008.

    Attributes
    ----------
    _times : `deque<float>`
        When the payloads of the last interval came.
    """
    __slots__ = ('_times',)

    def __new__(cls):
        """
        Creates an empty window.
        """
        self = object.__new__(cls)
        self._times = deque()
        return self


    def __len__(self):
        """Returns how many payloads came in the last interval, as of the last one."""
        return len(self._times)


    def admit(self, now, limit, interval):
        """
        Counts a payload.

        Parameters
        ----------
        now : `float`
            The current time.

        limit : `int`
            How many payloads are allowed.

        interval : `float`
            In how many seconds.

        Returns
        -------
        admitted : `bool`
            Whether the payload is still within the limit.
        """
        times = self._times
        while times and (times[0] <= now - interval):
            times.popleft()

        times.append(now)
        return len(times) <= limit
