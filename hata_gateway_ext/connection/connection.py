"""
One connection of a shard, from the first look-up of the gateway to its close.

Each attempt is an object of its own. Once it is given up, nothing that it still says is heard: its dispatcher is
stopped, and nobody is in the place of its driver. So nothing that comes late can be taken for the new one's.
"""
__all__ = ('GatewayConnection',)

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from hata import InvalidToken, KOKORO
from hata.env import API_VERSION
from scarletio import CancelledError, RichAttributeErrorBaseType, Task
from scarletio.web_common import URL

from ..protocol.inflaters import create_inflater
from .connect_failures import API_HOST, classify_connect_failure
from .dispatcher import Dispatcher
from .web_socket import GatewayWebSocket

# Closes under way. The event loop holds tasks weakly, and nobody waits for the close of a connection that was given up.
CLOSING_TASKS = set()


def build_gateway_url(url, compression):
    """
    Adds the query of the gateway to its url (Discord docs, Gateway: "Connecting"). What it has already is replaced.
    
    Parameters
    ----------
    url : `str`
        As `/gateway/bot` or READY gave it.
    compression : `str`
        `'zlib-stream'`, `'zstd-stream'` or `'none'`.
    
    Returns
    -------
    url : `str`
    """
    scheme, netloc, path, query, fragment = urlsplit(url)
    parameters = {
        **dict(parse_qsl(query)),
        'v': str(API_VERSION),
        'encoding': 'json',
        'compress': compression,
    }
    if compression == 'none':
        del parameters['compress']
    
    return urlunsplit((scheme, netloc, path or '/', urlencode(parameters), ''))


class Nobody(RichAttributeErrorBaseType):
    """
    Stands for the driver of a connection that was given up: what still comes of the connection ends here.
    """
    __slots__ = ()
    
    def connected(self):
        """Not heard."""
    
    
    def connect_failed(self, report):
        """Not heard."""
    
    
    def disconnected(self, close_code, exception):
        """Not heard."""
    
    
    def fail(self, exception):
        """Not heard."""


NOBODY = Nobody()


class GatewayConnection(RichAttributeErrorBaseType):
    """
    A connection, or an attempt to make one.
    
    Attributes
    ----------
    _task : `None | Task`
        Makes the connection.
    dispatcher : ``Dispatcher``
        Receives what comes in.
    driver : ``SessionDriver``, ``Nobody``
        Decides what to do.
    host : `str`
        The host that is connected to; that of Discord's API while the gateway is looked up.
    is_secure : `bool`
        Whether the connection is over TLS.
    shard_id : `int`
        The shard's identifier.
    web_socket : ``None | GatewayWebSocket``
        The web socket, once it is there.
    """
    __slots__ = ('_task', 'dispatcher', 'driver', 'host', 'is_secure', 'shard_id', 'web_socket')
    
    def __new__(cls, driver, client, session, compression):
        """
        Creates a connection that is not connected yet.
        
        Parameters
        ----------
        driver : ``SessionDriver``
            Decides what to do. Its `get_gateway_url()` is awaited; then either `connected()` is called, or
            `connect_failed(report)` or `fail(exception)`, and after `connected()` what a dispatcher tells its handler,
            and `disconnected(close_code, exception)`. None of it is called when the connection is given up.
        client : ``Client``
            Whose connection it is.
        session : ``Session``
            The session that is resumed, or that is to be.
        compression : `str`
            `'zlib-stream'`, `'zstd-stream'` or `'none'`.
        """
        self = object.__new__(cls)
        self._task = None
        self.dispatcher = Dispatcher(client, session, driver, create_inflater(compression))
        self.driver = driver
        self.host = API_HOST
        self.is_secure = False
        self.shard_id = driver.shard_id
        self.web_socket = None
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} shard_id = {self.shard_id!r}, host = {self.host!r}>'
    
    
    def start(self, http_client, compression):
        """
        Starts to connect. The driver's `connected(...)` or `connect_failed(...)` is called later.
        
        Parameters
        ----------
        http_client : ``HTTPClient``
            The http client to connect with: its proxy and its TLS are used.
        compression : `str`
            `'zlib-stream'`, `'zstd-stream'` or `'none'`.
        """
        self._task = Task(KOKORO, self._connect(http_client, compression))
    
    
    async def _connect(self, http_client, compression):
        """
        Connects.
        """
        try:
            url = await self.driver.get_gateway_url()
            self.host = 'the gateway'
            url = URL(build_gateway_url(url, compression), True)
            self.host = url.raw_host or self.host
            self.is_secure = (url.scheme == 'wss')
            web_socket = await GatewayWebSocket(
                KOKORO, url, http_client = http_client, handler = self, receiver = self.dispatcher
            )
        
        except (CancelledError, GeneratorExit):
            raise
        
        except InvalidToken as exception:
            self._task = None
            self.driver.fail(exception)
        
        except Exception as exception:
            # Anything here means that there is no connection; what it was is reported.
            self._task = None
            self.driver.connect_failed(classify_connect_failure(exception, self.host, self.shard_id))
        
        else:
            self._task = None
            self.web_socket = web_socket
            if self.driver is NOBODY:
                # Who was waited for took no notice of being cancelled.
                web_socket.abort()
            
            self.driver.connected()
    
    
    def close(self, code):
        """
        Gives the connection up: nothing more that it says is heard, and it is closed in the background.
        
        Parameters
        ----------
        code : `int`
            The close code.
        
        Returns
        -------
        task : `None | Task`
            Done when it is closed, in bounded time.
        """
        web_socket = self.web_socket
        if web_socket is None:
            self.abort()
            return None
        
        self._silence()
        task = Task(KOKORO, web_socket.close(code))
        CLOSING_TASKS.add(task)
        task.add_done_callback(CLOSING_TASKS.discard)
        return task
    
    
    def abort(self):
        """
        Gives the connection up at once.
        """
        self._silence()
        
        task = self._task
        if (task is not None):
            self._task = None
            task.cancel()
        
        web_socket = self.web_socket
        if (web_socket is not None):
            web_socket.abort()
    
    def _silence(self):
        """
        The connection is given up: from here on nobody hears of it.
        """
        self.driver = NOBODY
        self.dispatcher.stop()
    
    
    def web_socket_closed(self, web_socket, close_code, reason, exception):
        """
        The connection is closed by the peer, lost, or broken. Called by the web socket. What the peer said is not
        passed on: it may hold anything.
        """
        self.driver.disconnected(close_code, exception)
