"""
Where the gateway is: the url of `/gateway/bot`, and how often we may ask.
"""
__all__ = (
    'DISCOVERY_LIFETIME', 'DISCOVERY_TIMEOUT', 'GatewayDiscovery', 'LOOK_UP_ERRORS', 'MALFORMED_ANSWER_ERRORS',
    'get_shard_count',
)

from hata import DiscordException, InvalidToken, KOKORO
from scarletio import LOOP_TIME, RichAttributeErrorBaseType, Task, shield
from scarletio.web_common import HttpProcessingError

from ..protocol.errors import PayloadError

# Seconds for which an answer is used again. hata's own.
DISCOVERY_LIFETIME = 60.0

# Seconds for one look-up. hata's request waits a minute, and repeats server errors for ever; a shard that has tried the
# url of the session twice rather uses the last url that is known.
DISCOVERY_TIMEOUT = 10.0

# Shards. Over 160 million guilds at Discord's 2500 a shard; a mistake would have us create shards until memory ends.
SHARD_COUNT_MAXIMUM = 1 << 16

# What hata raises when an answer is no JSON, or not what hata expects of it.
MALFORMED_ANSWER_ERRORS = (AttributeError, KeyError, TypeError, ValueError)

# What a look-up fails with, but for an invalid token.
LOOK_UP_ERRORS = (DiscordException, HttpProcessingError, OSError, PayloadError)


def get_shard_count(data):
    """
    Returns how many shards Discord recommends.
    
    Parameters
    ----------
    data : `dict<str, object>`
        An answer of `/gateway/bot`.
    
    Returns
    -------
    shard_count : `int`
        At least 1. 1 as well if there is nothing that can be followed.
    """
    shard_count = data.get('shards', 1)
    if (type(shard_count) is int) and (1 <= shard_count <= SHARD_COUNT_MAXIMUM):
        return shard_count
    
    return 1


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
        data : `object`
            The answer.
        
        Raises
        ------
        PayloadError
            - If it does not say where the gateway is. Then nothing of it is taken over.
        """
        url = data.get('url', None) if isinstance(data, dict) else None
        if (not isinstance(url, str)) or (not url.startswith(('wss://', 'ws://'))):
            raise PayloadError('The answer of `/gateway/bot` does not say where the gateway is.')
        
        self.url = url
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
        PayloadError
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
        except LOOK_UP_ERRORS:
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
        PayloadError
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
        Looks the gateway up, and takes the answer over.
        
        This method is a coroutine.
        """
        try:
            self.set_data(await self._request())
        finally:
            self._task = None
    
    
    async def _request(self):
        """
        Requests `/gateway/bot`. Not by hata's `Client.client_gateway`: that one stops the client before it says that the token
        is not accepted, so that nobody would hear it.
        
        This method is a coroutine.
        
        Returns
        -------
        data : `object`
            The answer.
        
        Raises
        ------
        DiscordException
        InvalidToken
        OSError
        PayloadError
        """
        client = self.client
        request = client.api.client_gateway_bot if client.bot else client.api.client_gateway_hooman
        try:
            return await request()
        
        except DiscordException as exception:
            if exception.status == 401:
                raise InvalidToken() from exception
            
            raise
        
        except MALFORMED_ANSWER_ERRORS as exception:
            raise PayloadError('The answer of `/gateway/bot` cannot be understood.') from exception
