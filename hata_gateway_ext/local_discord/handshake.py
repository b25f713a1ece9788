"""
The upgrade of a HTTP request to a gateway connection, and the reading of what comes over it.
"""
__all__ = ('Handshake',)

from asyncio import Event
from urllib.parse import unquote

from aiohttp import WSMsgType
from aiohttp.web import Response, WebSocketResponse

from .action_base import StageOutcome
from .compression import COMPRESSION_NONE, create_deflater, get_available_compressions
from .connection import Connection
from .conversation import Conversation
from .stages import STAGE_CONNECT
from .listener import LISTENER_GATEWAY, LISTENER_RESUME
from .records import ConnectionRecord

# Headers that are never recorded.
SECRET_HEADERS = ('authorization', 'cookie', 'sec-websocket-key')

ENCODING = 'json'

RESUME_PATH_PARTS = 2


def _get_shard_id(path):
    """
    Reads the shard out of the path of a `resume_gateway_url`.

    Parameters
    ----------
    path : `str`
        The path.

    Returns
    -------
    shard_id : `None | int`
    """
    parts = unquote(path).strip('/').split('/')
    if (len(parts) == RESUME_PATH_PARTS) and (parts[0] == 'shard') and parts[1].isdigit():
        return int(parts[1])

    return None


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
        """
        Creates it.

        Parameters
        ----------
        core : ``Core``
            The local Discord.
        """
        self = object.__new__(cls)
        self._number = 0
        self.core = core
        return self


    async def handle_gateway(self, request):
        """
        Handles a request to the url of `/gateway/bot`.

        This method is a coroutine.

        Parameters
        ----------
        request : `aiohttp.web.BaseRequest`
            The request.

        Returns
        -------
        response : `aiohttp.web.StreamResponse`
        """
        return await self._handle(request, LISTENER_GATEWAY, None)


    async def handle_resume(self, request):
        """
        Handles a request to a `resume_gateway_url`.

        This method is a coroutine.

        Parameters
        ----------
        request : `aiohttp.web.BaseRequest`
            The request.

        Returns
        -------
        response : `aiohttp.web.StreamResponse`
        """
        return await self._handle(request, LISTENER_RESUME, _get_shard_id(request.path))


    def _record(self, request, listener, shard_id):
        """
        Records a connection.

        Parameters
        ----------
        request : `aiohttp.web.BaseRequest`
            The request.

        listener : `str`
            Name of the listener that it came to.

        shard_id : `None | int`
            The shard that the url told.

        Returns
        -------
        record : ``ConnectionRecord``
        """
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
        """
        Builds an answer that refuses.

        Parameters
        ----------
        record : ``ConnectionRecord``
            What to note it in.

        status : `int`
            The HTTP status.

        headers : `None | dict<str, str>` = `None`, Optional
            Headers of the answer.

        reason : `str` = `''`, Optional
            The body.

        Returns
        -------
        response : `aiohttp.web.Response`
        """
        record.refused_status = status
        record.closed_at = self.core.now()
        record.closed_by = 'discord'
        self.core.recording.changed()
        return Response(status = status, headers = headers, text = reason)


    async def _handle(self, request, listener, shard_id):
        """
        Handles a request.

        This method is a coroutine.

        Parameters
        ----------
        request : `aiohttp.web.BaseRequest`
            The request.

        listener : `str`
            Name of the listener that it came to.

        shard_id : `None | int`
            The shard that the url told.

        Returns
        -------
        response : `aiohttp.web.StreamResponse`
        """
        core = self.core
        record = self._record(request, listener, shard_id)

        web_socket = WebSocketResponse(
            autoclose = False, autoping = False, compress = False, max_msg_size = 0, timeout = 1.0
        )
        if not web_socket.can_prepare(request).ok:
            return self._refuse(record, 400, reason = 'This is a gateway: it takes web socket upgrades only.')

        compression = COMPRESSION_NONE if core.options.ignore_compress else record.compression
        if compression not in get_available_compressions() or ('compress' in record.query) and (
            record.compression == COMPRESSION_NONE
        ):
            return self._refuse(record, 400, reason = 'This compression is not available here.')

        if record.query.get('encoding', ENCODING) != ENCODING:
            return self._refuse(record, 400, reason = 'The only encoding here is json.')

        connection = Connection(
            core, request.transport, record, create_deflater(compression, core.options.zstd_frame_per_message),
            shard_id,
        )
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
        """
        Passes the stage of the upgrade request.

        This method is a coroutine.

        Parameters
        ----------
        connection : ``Connection``
            The connection.

        Returns
        -------
        refusal : `None | Refuse`
            The answer, if it is refused.
        """
        core = self.core
        outcome = StageOutcome()
        for action in core.script.get_actions(STAGE_CONNECT, connection, core.now()):
            action.strike(connection, outcome)

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

        if connection.is_held:
            connection.outbox.release_waiter = waiter
            await waiter.wait()

        return None


    async def _converse(self, connection, web_socket):
        """
        Reads what the client sends until the connection is over.

        This method is a coroutine.

        Parameters
        ----------
        connection : ``Connection``
            The connection.

        web_socket : `aiohttp.web.WebSocketResponse`
            Reads the client's frames.
        """
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
