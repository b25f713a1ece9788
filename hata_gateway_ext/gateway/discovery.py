"""
Where the gateway is: the url of `/gateway/bot`, and how often we may ask.
"""
__all__ = ('DISCOVERY_LIFETIME', 'DISCOVERY_TIMEOUT', 'GatewayDiscovery')

from hata import DiscordException, KOKORO
from scarletio import LOOP_TIME, RichAttributeErrorBaseType, Task, shield

# Seconds for which an answer is used again. hata's own.
DISCOVERY_LIFETIME = 60.0

# Seconds for one look-up. hata's request waits a minute, and repeats server errors for ever; a shard that has tried the
# url of the session twice rather uses the last url that is known.
DISCOVERY_TIMEOUT = 10.0


class GatewayDiscovery(RichAttributeErrorBaseType):
    """
    Looks up where the gateway is, for every shard of a client.
    
    Attributes
    ----------
    _task : ``None | Task``
        The look-up under way. Every shard that asks meanwhile waits for it.
    client : ``Client``
        Whose gateway is looked up.
    fetched_at : `float`
        When the gateway was last looked up; monotonic time, in seconds.
    identify_queue : ``IdentifyQueue``
        Is told the session start limit.
    url : `None | str`
        The last known url.
    """
    __slots__ = ('_task', 'client', 'fetched_at', 'identify_queue', 'url')
    
    def __new__(cls, client, identify_queue):
        """
        Creates a discovery that knows nothing yet.
        
        Parameters
        ----------
        client : ``Client``
            Whose gateway is looked up.
        identify_queue : ``IdentifyQueue``
            Is told the session start limit.
        """
        self = object.__new__(cls)
        self._task = None
        self.client = client
        self.fetched_at = 0.0
        self.identify_queue = identify_queue
        self.url = None
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} url = {self.url!r}>'
    
    
    def set_data(self, data):
        """
        Takes over an answer of `/gateway/bot`.
        
        Parameters
        ----------
        data : `dict<str, object>`
            The answer.
        """
        self.url = data['url']
        self.fetched_at = LOOP_TIME()
        self.identify_queue.set_session_start_limit(data.get('session_start_limit', None))
    
    
    async def get_url(self):
        """
        Returns the url of the gateway. Looks it up if what is known is old; if that fails, what is known is used.
        
        This method is a coroutine.
        
        Returns
        -------
        url : `str`
        
        Raises
        ------
        ConnectionError
            The look-up failed, and there never was one that did not.
        DiscordException
            As above.
        TimeoutError
            As above.
        InvalidToken
            Discord does not accept the token.
        """
        if (self.url is not None) and (LOOP_TIME() - self.fetched_at < DISCOVERY_LIFETIME):
            return self.url
        
        try:
            await self.refresh()
        except (OSError, DiscordException, TimeoutError):
            if self.url is None:
                raise
        
        return self.url
    
    
    async def refresh(self):
        """
        Looks the gateway up.
        
        This method is a coroutine.
        
        Raises
        ------
        ConnectionError
            The look-up failed.
        DiscordException
            As above.
        TimeoutError
            As above.
        InvalidToken
            Discord does not accept the token.
        """
        task = self._task
        if task is None:
            self._task = task = Task(KOKORO, self._fetch())
            task.apply_timeout(DISCOVERY_TIMEOUT)
            # Each shard that waits is told what was wrong; none may be left, if the client stops meanwhile.
            task.silence()
        
        await shield(task, KOKORO)
    
    
    async def _fetch(self):
        """
        Looks the gateway up.
        
        This method is a coroutine.
        """
        try:
            self.set_data(await self.client.client_gateway())
        finally:
            self._task = None
