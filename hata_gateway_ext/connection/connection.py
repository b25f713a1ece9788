"""
One connection of a shard, from the first look-up of the gateway to its close.

Each attempt is an object of its own. What an old connection still says after it was given up is ignored here, in one place,
so that nothing that comes late can be taken for the new one's.
"""
__all__ = ('GatewayConnection',)

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from hata import InvalidToken, KOKORO
from hata.env import API_VERSION
from scarletio import CancelledError, RichAttributeErrorBaseType, Task
from scarletio.web_common import URL

from ..protocol.compression import create_inflater
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


class GatewayConnection(RichAttributeErrorBaseType):
    """
    A connection, or an attempt to make one.
    
    Attributes
    ----------
    _task : `None | Task`
        Makes the connection.
    dispatcher : ``Dispatcher``
        Receives what comes in.
    driver : ``SessionDriver``
        Decides what to do.
    host : `str`
        The host that is connected to; that of Discord's API while the gateway is looked up.
    is_secure : `bool`
        Whether the connection is over TLS.
    web_socket : ``None | GatewayWebSocket``
        The web socket, once it is there.
    """
    __slots__ = ('_task', 'dispatcher', 'driver', 'host', 'is_secure', 'web_socket')
    
    def __new__(cls, driver, client, session, compression):
        """
        Creates a connection that is not connected yet.
        
        Parameters
        ----------
        driver : ``SessionDriver``
            Decides what to do.
        client : ``Client``
            Whose connection it is.
        session : ``Session``
            The session that is resumed, or that is to be.
        compression : `str`
            `'zlib-stream'`, `'zstd-stream'` or `'none'`.
        """
        self = object.__new__(cls)
        self._task = None
        self.dispatcher = Dispatcher(client, session, self, create_inflater(compression))
        self.driver = driver
        self.host = API_HOST
        self.is_secure = False
        self.web_socket = None
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} shard_id = {self.driver.shard_id!r}, host = {self.host!r}>'
    
    
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
        
        This method is a coroutine.
        
        Parameters
        ----------
        http_client : ``HTTPClient``
            The http client to connect with.
        compression : `str`
            The compression to ask for.
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
            if self.driver.connection is self:
                self.driver.fail(exception)
        
        except Exception as exception:
            # Anything here means that there is no connection; what it was is reported.
            self._task = None
            if self.driver.connection is self:
                self.driver.connect_failed(classify_connect_failure(exception, self.host, self.driver.shard_id))
        
        else:
            self._task = None
            self.web_socket = web_socket
            if self.driver.connection is self:
                self.driver.connected()
            else:
                web_socket.abort()
    
    
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
        
        self.dispatcher.stop()
        task = Task(KOKORO, web_socket.close(code))
        CLOSING_TASKS.add(task)
        task.add_done_callback(CLOSING_TASKS.discard)
        return task
    
    
    def abort(self):
        """
        Gives the connection up at once.
        """
        self.dispatcher.stop()
        
        task = self._task
        if (task is not None):
            self._task = None
            task.cancel()
        
        web_socket = self.web_socket
        if (web_socket is not None):
            web_socket.abort()
    
    # ---- called by the web socket and by the dispatcher ----
    
    def web_socket_closed(self, web_socket, close_code, reason, exception):
        """
        The connection is closed by the peer, lost, or broken.
        
        Parameters
        ----------
        web_socket : ``GatewayWebSocket``
            The web socket.
        close_code : `None | int`
            The close code of the peer, if it gave one.
        reason : `str`
            What the peer said. It is not passed on: it may hold anything.
        exception : `None | BaseException`
            What was wrong with the stream.
        """
        if self.driver.connection is self:
            self.driver.disconnected(close_code, exception)
    
    
    def operation_received(self, operation, payload):
        """
        Anything but a dispatch came.
        
        Parameters
        ----------
        operation : `int`
            The operation.
        payload : `dict<str, object>`
            The payload.
        """
        if self.driver.connection is self:
            self.driver.messages.operation_received(operation, payload)
    
    
    def ready_received(self, sequence, data):
        """
        READY came.
        
        Parameters
        ----------
        sequence : `None | int`
            Its sequence.
        data : `object`
            Its data.
        """
        if self.driver.connection is self:
            self.driver.messages.ready_received(sequence, data)
    
    
    def resumed_received(self, sequence, data):
        """
        RESUMED came.
        
        Parameters
        ----------
        sequence : `None | int`
            Its sequence.
        data : `object`
            Its data.
        """
        if self.driver.connection is self:
            self.driver.messages.resumed_received(sequence, data)
    
    
    def input_broken(self, exception):
        """
        What came cannot be understood.
        
        Parameters
        ----------
        exception : ``ProtocolError``
            What was wrong.
        """
        if self.driver.connection is self:
            self.driver.messages.input_broken(exception)
    
    
    def payload_unreadable(self, exception):
        """
        A payload is not what it should be.
        
        Parameters
        ----------
        exception : ``PayloadError``
            What was wrong.
        
        Returns
        -------
        is_passed_over : `bool`
        """
        return (self.driver.connection is self) and self.driver.messages.payload_unreadable(exception)
    
    
    def sequence_out_of_order(self, sequence):
        """
        An event came that is not later than the last one; it was not dispatched.
        
        Parameters
        ----------
        sequence : `int`
            Its sequence.
        """
        if self.driver.connection is self:
            self.driver.messages.sequence_out_of_order(sequence)
