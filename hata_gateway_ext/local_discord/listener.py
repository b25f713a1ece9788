"""
A port of a local Discord, that can be taken down and brought back.

While it is down its port stays bound, without listening: connecting is refused, as it is by a server that is down, and
nobody else can take the port.
"""
__all__ = ('LISTENER_API', 'LISTENER_GATEWAY', 'LISTENER_NAMES', 'LISTENER_RESUME', 'Listener')

from socket import AF_INET, AF_INET6, SOCK_STREAM, SOL_SOCKET, SO_REUSEADDR, socket as Socket

from aiohttp.web import Server

LISTENER_API = 'api'
LISTENER_GATEWAY = 'gateway'
LISTENER_RESUME = 'resume'

LISTENER_NAMES = (LISTENER_API, LISTENER_GATEWAY, LISTENER_RESUME)

# Connections that wait to be accepted: all shards of a big bot may come at once.
BACKLOG = 4096

# Seconds that running handlers get when the local Discord stops. Their connections were cut before.
SHUTDOWN_TIMEOUT = 1.0


class Listener:
    """
    A port.
    
    Attributes
    ----------
    host : `str`
        The address.
    is_listening : `bool`
        Whether it accepts connections.
    name : `str`
        Its name.
    port : `int`
        The port. `0` before it was opened, if any is fine.
    server : `aiohttp.web.Server`
        The HTTP protocol.
    ssl_context : `None | ssl.SSLContext`
        Server side context.
    _asyncio_server : `None | asyncio.AbstractServer`
        What accepts.
    _handler : `callable`
        Handles requests. A coroutine function.
    _loop : `None | asyncio.AbstractEventLoop`
        The loop.
    _opening : `None | asyncio.Task`
        Starts to accept.
    _socket : `None | socket.socket`
        The bound socket.
    """
    __slots__ = (
        '_asyncio_server', '_handler', '_loop', '_opening', '_socket', 'host', 'is_listening', 'name', 'port', 'server',
        'ssl_context',
    )
    
    def __new__(cls, name, host, port, ssl_context, handler):
        """The parameters are the attributes."""
        self = object.__new__(cls)
        self._asyncio_server = None
        self._handler = handler
        self._loop = None
        self._opening = None
        self._socket = None
        self.host = host
        self.is_listening = False
        self.name = name
        self.port = port
        self.server = None
        self.ssl_context = ssl_context
        return self
    
    
    def __repr__(self):
        return (
            f'<{type(self).__name__} {self.name!r} on {self.host}:{self.port}, is_listening = {self.is_listening!r}>'
        )
    
    
    def get_url(self, scheme):
        """Returns its url. `scheme` is `'http'` or `'ws'`; an `s` is added if it has TLS."""
        host = f'[{self.host}]' if ':' in self.host else self.host
        return f'{scheme}{"" if self.ssl_context is None else "s"}://{host}:{self.port}'
    
    
    def _bind(self):
        """Binds its port, without listening."""
        bound_socket = Socket(AF_INET6 if ':' in self.host else AF_INET, SOCK_STREAM)
        try:
            bound_socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
            bound_socket.bind((self.host, self.port))
            bound_socket.setblocking(False)
        except BaseException:
            bound_socket.close()
            raise
        
        self._socket = bound_socket
        self.port = bound_socket.getsockname()[1]
    
    
    def open(self, loop):
        """Starts to listen. Connecting works from the return of this method on."""
        if self.is_listening:
            return
        
        if self.server is None:
            self._loop = loop
            self.server = Server(self._handler, access_log = None, handler_cancellation = True)
        
        if self._socket is None:
            self._bind()
        
        self._socket.listen(BACKLOG)
        self.is_listening = True
        self._opening = loop.create_task(self._accept(self._socket))
    
    
    async def _accept(self, bound_socket):
        """Starts to accept what comes to the listening socket."""
        asyncio_server = await self._loop.create_server(
            self.server, sock = bound_socket, backlog = BACKLOG, ssl = self.ssl_context
        )
        if self._socket is bound_socket:
            self._asyncio_server = asyncio_server
        else:
            # It was taken down meanwhile.
            asyncio_server.close()
    
    
    async def wait_open(self):
        """Waits until it accepts connections."""
        if (self._opening is not None):
            await self._opening
    
    
    def close(self):
        """Stops to accept, and closes the socket."""
        asyncio_server = self._asyncio_server
        bound_socket = self._socket
        self._asyncio_server = None
        self._socket = None
        self.is_listening = False
        
        if (asyncio_server is not None):
            asyncio_server.close()
        
        elif (bound_socket is not None):
            bound_socket.close()
    
    
    def take_down(self):
        """Stops to listen: connecting is refused from the return of this method on. The port stays ours."""
        if self.is_listening:
            self.close()
            self._bind()
    
    
    def abort_requests(self):
        """Cuts the connections that came over it, of requests that are being answered as well."""
        if (self.server is not None):
            for protocol in list(self.server.connections):
                transport = protocol.transport
                if (transport is not None):
                    transport.abort()
    
    
    async def shutdown(self):
        """Ends what came over it, after it was closed."""
        opening = self._opening
        if (opening is not None):
            self._opening = None
            await opening
        
        server = self.server
        if (server is not None):
            self.server = None
            # Connections that are kept alive without a request would be waited for.
            server.pre_shutdown()
            await server.shutdown(SHUTDOWN_TIMEOUT)
