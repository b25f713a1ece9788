"""
The upgrade of a HTTP request to a gateway connection, and the reading of what comes over it.
"""
__all__ = ('Handshake',)

from asyncio import Event
from re import compile as re_compile

from aiohttp import WSMsgType
from aiohttp.web import Response, WebSocketResponse

from .actions import STAGE_CONNECT
from .compression import COMPRESSIONS, COMPRESSION_NONE
from .connection import Connection
from .conversation import Conversation
from .listener import LISTENER_GATEWAY, LISTENER_RESUME
from .recording import CLOSED_BY_DISCORD, ConnectionRecord

# Headers that are never recorded.
SECRET_HEADERS = ('authorization', 'cookie', 'sec-websocket-key')

ENCODING = 'json'

# Each shard has a `resume_gateway_url` of its own, so that faults can tell shards apart before RESUME.
RESUME_PATH = '/shard/'
RESUME_PATH_PATTERN = re_compile('/?shard/([0-9]+)/?')


class Handshake:
    """
    Answers upgrade requests.
    
    Attributes
    ----------
    core : ``Core``
        The local Discord.
    _number : `int`
        The number of the newest connection.
    """
    __slots__ = ('_number', 'core')
    
    def __new__(cls, core):
        self = object.__new__(cls)
        self._number = 0
        self.core = core
        return self
    
    
    async def handle_gateway(self, request):
        """Handles a request to the url of `/gateway/bot`."""
        return await self._handle(request, LISTENER_GATEWAY, None)
    
    
    async def handle_resume(self, request):
        """Handles a request to a `resume_gateway_url`."""
        match = RESUME_PATH_PATTERN.fullmatch(request.path)
        return await self._handle(request, LISTENER_RESUME, None if match is None else int(match.group(1)))
    
    
    def _record(self, request, listener, shard_id):
        self._number += 1
        query = dict(request.query)
        record = ConnectionRecord(
            compression = query.get('compress', COMPRESSION_NONE),
            dispatched = 0,
            headers = {key: value for key, value in request.headers.items() if key.lower() not in SECRET_HEADERS},
            listener = listener,
            number = self._number,
            opened_at = self.core.now(),
            operations = [],
            path = request.path,
            query = query,
            shard_id = shard_id,
            version = query.get('v', None),
        )
        self.core.recording.connections.append(record)
        self.core.recording.changed()
        return record
    
    
    def _refuse(self, record, status, headers = None, reason = ''):
        """Returns an answer that refuses."""
        record.refused_status = status
        record.closed_at = self.core.now()
        record.closed_by = CLOSED_BY_DISCORD
        self.core.recording.changed()
        return Response(status = status, headers = headers, text = reason)
    
    
    async def _handle(self, request, listener, shard_id):
        core = self.core
        record = self._record(request, listener, shard_id)
        
        web_socket = WebSocketResponse(
            autoclose = False, autoping = False, compress = False, max_msg_size = 0, timeout = 1.0
        )
        if not web_socket.can_prepare(request).ok:
            return self._refuse(record, 400, reason = 'This is a gateway: it takes web socket upgrades only.')
        
        compression = COMPRESSION_NONE if core.options.ignore_compress else record.compression
        # Nobody asks Discord for `compress=none`: no compression is asked for by no `compress`.
        if (compression not in COMPRESSIONS) or (record.query.get('compress', None) == COMPRESSION_NONE):
            return self._refuse(record, 400, reason = 'This compression is not available here.')
        
        if record.query.get('encoding', ENCODING) != ENCODING:
            return self._refuse(record, 400, reason = 'The only encoding here is json.')
        
        connection = Connection(core, request.transport, record, compression, shard_id)
        core.connections.add(connection)
        
        try:
            refusal = await self._pass_connect(connection)
            if (refusal is not None):
                return self._refuse(record, refusal.status, refusal.headers)
            
            if connection.is_open:
                await web_socket.prepare(request)
                connection.is_upgraded = True
                await self._converse(connection, web_socket)
            
            return web_socket
        finally:
            connection.end()
    
    
    async def _pass_connect(self, connection):
        """Passes the stage of the upgrade request. Returns the ``Refuse`` that answers it, if any."""
        core = self.core
        outcome = core.script.strike(STAGE_CONNECT, connection)
        if (outcome.refusal is not None):
            return outcome.refusal
        
        if connection.is_ended:
            return None
        
        waiter = Event()
        if outcome.is_over:
            # It is never answered. The client's leaving, or the end of the local Discord, cancels this.
            await waiter.wait()
        
        if outcome.delay:
            core.call_later(outcome.delay, waiter.set)
            await waiter.wait()
            waiter.clear()
        
        if connection.outbox.is_held:
            connection.outbox.release_waiter = waiter
            await waiter.wait()
        
        return None
    
    
    async def _converse(self, connection, web_socket):
        """Reads what the client sends until the connection is over."""
        conversation = Conversation(self.core, connection)
        conversation.start()
        
        while not connection.is_ended:
            message = await web_socket.receive()
            message_type = message.type
            
            if (message_type is WSMsgType.TEXT) or (message_type is WSMsgType.BINARY):
                conversation.receive(message.data)
            
            elif message_type is WSMsgType.PING:
                connection.send_pong(message.data)
            
            elif message_type is WSMsgType.PONG:
                pass
            
            elif message_type is WSMsgType.CLOSE:
                connection.receive_close(message.data)
                if not connection.is_ended:
                    # It is silent, so it does not answer. The end of the TCP connection cancels this.
                    await Event().wait()
            
            else:
                # Closed, lost, or the client broke the protocol of web sockets.
                break
