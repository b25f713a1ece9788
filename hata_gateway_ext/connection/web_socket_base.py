"""
What a ``GatewayWebSocket`` is to those who know scarletio's ``WebSocketClient``: the same attributes and methods,
without the tasks behind them.

scarletio's client reads in one task, closes in another, and lets its methods wait for both. Ours has neither, so each
inherited method is either given a body that works without them here, or says that it cannot be used. This module also
writes: one frame is one write, and how much may wait for a peer that does not read is bounded.
"""
__all__ = ('GatewayWebSocketBase',)

from os import urandom

from scarletio import Future, copy_docs, shield
from scarletio.web_common import ConnectionClosed
from scarletio.web_socket import WebSocketClient
from scarletio.web_socket.web_socket_common_protocol import (
    WEB_SOCKET_STATE_CLOSED, WEB_SOCKET_STATE_CLOSING, WEB_SOCKET_STATE_OPEN
)

from ..protocol.frames import (
    MAXIMAL_CONTROL_SIZE, MAXIMAL_MESSAGE_SIZE, OPERATION_BINARY, OPERATION_CLOSE, OPERATION_PING, OPERATION_PONG,
    OPERATION_TEXT, build_frame
)


# Seconds for the whole closing handshake, from our close frame (or the peer's) to the end of the connection. Discord
# answers within a round trip; more would only delay reconnecting.
CLOSE_TIMEOUT = 1.5

# Bytes that may wait for a peer that does not read before the connection is given up. The send limit of Discord allows
# 120 payloads of 4 KiB in a minute, so more than this is never behind with a peer that lives.
WRITE_BUFFER_MAX = 1 << 20

# Bytes of a mask (RFC 6455, section 5.3).
MASK_SIZE = 4

# Bytes of a ping of ours: enough to tell it from others.
PING_SIZE = 4

# Stands for a connection that ended without a close frame; it is never sent (RFC 6455, section 7.4.1).
CLOSE_CODE_ABNORMAL = 1006


class GatewayWebSocketBase(WebSocketClient):
    """
    The public side of scarletio's web socket client, and writing.
    
    Attributes
    ----------
    _latest_ping : `None | bytes`
        The newest ping that is not answered yet, because the peer does not read.
    _lost_exception : `None | BaseException`
        The exception the connection was lost with.
    _reading_paused : `bool`
        Whether we paused reading from the transport.
    _writing_paused : `bool`
        Whether the transport's buffer is full. Has nothing to do with reading.
    """
    __slots__ = ('_latest_ping', '_lost_exception', '_reading_paused', '_writing_paused')
    
    def _set_base_attributes(self, url):
        """
        Sets the attributes that scarletio's client has.
        
        Parameters
        ----------
        url : ``URL``
            The url that we are connected to.
        """
        self._drain_lock = None
        self._drain_waiter = None
        self._latest_ping = None
        self._lost_exception = None
        # The http client pauses reading if much came with the answer to the handshake.
        self._reading_paused = self._paused
        self._writing_paused = False
        self.close_code = 0
        self.close_connection_task = None
        self.close_reason = None
        self.close_timeout = CLOSE_TIMEOUT
        self.connection_lost_waiter = Future(self._loop)
        self.extensions = None
        self.host = url.host
        self.is_ssl = (url.scheme == 'wss')
        self.max_queue = None
        self.max_size = MAXIMAL_MESSAGE_SIZE
        self.messages = None
        self.pings = {}
        self.port = url.port
        self.state = WEB_SOCKET_STATE_OPEN
        self.subprotocol = None
        self.transfer_data_exception = None
        self.transfer_data_task = None
    
    
    def __repr__(self):
        """Returns the web socket's representation."""
        return f'<{type(self).__name__} host = {self.host!r}, state = {self.state}, close_code = {self.close_code}>'
    
    
    @property
    @copy_docs(WebSocketClient.open)
    def open(self):
        return self.state == WEB_SOCKET_STATE_OPEN
    
    
    @property
    def write_buffer_size(self):
        """
        Returns how many bytes wait for the peer to read.
        
        Returns
        -------
        write_buffer_size : `int`
        """
        return self._transport.get_write_buffer_size()
    
    
    def _create_closed_exception(self):
        """
        Creates the exception that is raised when the web socket is used after its end.
        
        Returns
        -------
        exception : ``ConnectionClosed``
        """
        return ConnectionClosed(self.close_code or CLOSE_CODE_ABNORMAL, self._lost_exception, self.close_reason)
    
    @copy_docs(WebSocketClient._pause_reading)
    def _pause_reading(self):
        if not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()
    
    
    @copy_docs(WebSocketClient._resume_reading)
    def _resume_reading(self):
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()
    
    # ---- writing ----
    
    def send_message(self, data):
        """
        Sends a message: one frame, one write. Never waits.
        
        Parameters
        ----------
        data : `str | bytes-like`
            The message. Sent as text if it is `str`.
        
        Raises
        ------
        ConnectionClosed
            - If the web socket is not open, or the peer has not read for too long.
        """
        if isinstance(data, str):
            self._send_frame(OPERATION_TEXT, data.encode('utf-8'))
        else:
            self._send_frame(OPERATION_BINARY, data)
    
    
    def _send_frame(self, operation, payload):
        """
        Sends a frame.
        
        Parameters
        ----------
        operation : `int`
            The frame's operation code.
        payload : `bytes-like`
            The frame's payload.
        
        Raises
        ------
        ConnectionClosed
            - If the web socket is not open, or the peer has not read for too long.
        """
        if self.state != WEB_SOCKET_STATE_OPEN:
            raise self._create_closed_exception()
        
        if self._writing_paused and (self._transport.get_write_buffer_size() > WRITE_BUFFER_MAX):
            self.abort()
            raise self._create_closed_exception()
        
        self._transport.write(build_frame(operation, payload, urandom(MASK_SIZE)))
    
    
    def _send_close_frame(self, payload):
        """
        Sends the close frame. The web socket must be open, and is closing after it.
        
        Parameters
        ----------
        payload : `bytes`
            The payload of the close frame.
        """
        self.state = WEB_SOCKET_STATE_CLOSING
        self._transport.write(build_frame(OPERATION_CLOSE, payload, urandom(MASK_SIZE)))
    
    
    def _ping_received(self, payload):
        """
        Answers a ping, at once. While the peer does not read, the answers would pile up; then only the newest ping is
        answered, when the peer reads again (RFC 6455, section 5.5.3, allows that).
        
        Parameters
        ----------
        payload : `bytes`
            The payload of the ping.
        """
        if self._writing_paused:
            self._latest_ping = payload
        elif self.state == WEB_SOCKET_STATE_OPEN:
            self._send_frame(OPERATION_PONG, payload)
    
    
    def _pong_received(self, payload):
        """
        Wakes up who waits for the pong, and who waits for earlier ones.
        
        Parameters
        ----------
        payload : `bytes`
            The payload of the pong.
        """
        pings = self.pings
        if payload in pings:
            while True:
                key = next(iter(pings))
                pings.pop(key).set_result_if_pending(None)
                if key == payload:
                    break
    
    
    @copy_docs(WebSocketClient.pause_writing)
    def pause_writing(self):
        self._writing_paused = True
    
    
    @copy_docs(WebSocketClient.resume_writing)
    def resume_writing(self):
        self._writing_paused = False
        
        latest_ping = self._latest_ping
        if (latest_ping is not None):
            self._latest_ping = None
            self._ping_received(latest_ping)
        
        drain_waiter = self._drain_waiter
        if (drain_waiter is not None) and (not self._writing_paused):
            self._drain_waiter = None
            drain_waiter.set_result_if_pending(None)
    
    
    def _release_waiters(self):
        """
        Wakes up everyone who waits for something that will not come any more, because the connection is lost.
        """
        drain_waiter = self._drain_waiter
        if (drain_waiter is not None):
            self._drain_waiter = None
            drain_waiter.set_exception_if_pending(self._create_closed_exception())
        
        pings = self.pings
        while pings:
            pings.popitem()[1].set_exception_if_pending(self._create_closed_exception())
    
    
    @copy_docs(WebSocketClient.drain)
    async def drain(self):
        while self._writing_paused:
            if self.state == WEB_SOCKET_STATE_CLOSED:
                raise self._create_closed_exception()
            
            drain_waiter = self._drain_waiter
            if drain_waiter is None:
                drain_waiter = Future(self._loop)
                self._drain_waiter = drain_waiter
            
            # More than one may wait here, and one may be cancelled.
            await shield(drain_waiter, self._loop)
    
    
    _drain_helper = drain
    
    # ---- what scarletio's client has as well ----
    
    async def send(self, data):
        """
        Sends a message, and waits as long as the transport's buffer is full.
        
        This method is a coroutine.
        
        Parameters
        ----------
        data : `str | bytes-like`
            The message.
        
        Raises
        ------
        ConnectionClosed
            - If the web socket is not open, or is lost while waiting.
        """
        self.send_message(data)
        await self.drain()
    
    
    async def ping(self, data = None):
        """
        Sends a ping and waits for its pong. There is no timeout; the end of the connection ends the waiting.
        
        This method is a coroutine.
        
        Parameters
        ----------
        data : `None | str | bytes-like` = `None`, Optional
            Payload of the ping. Random bytes if it is not given, or if it is already waited for.
        
        Raises
        ------
        ConnectionClosed
            - If the web socket is not open, or is lost while waiting.
        ValueError
            - If `data` is longer than 125 bytes.
        """
        data = _get_control_payload(data)
        pings = self.pings
        while data in pings:
            data = urandom(PING_SIZE)
        
        self._send_frame(OPERATION_PING, data)
        waiter = Future(self._loop)
        pings[data] = waiter
        await waiter
    
    
    async def pong(self, data = None):
        """
        Sends a pong that nobody asked for.
        
        This method is a coroutine.
        
        Parameters
        ----------
        data : `None | str | bytes-like` = `None`, Optional
            Payload of the pong.
        
        Raises
        ------
        ConnectionClosed
            - If the web socket is not open.
        ValueError
            - If `data` is longer than 125 bytes.
        """
        self._send_frame(OPERATION_PONG, _get_control_payload(data))
    
    
    @copy_docs(WebSocketClient.ensure_open)
    async def ensure_open(self):
        if self.state != WEB_SOCKET_STATE_OPEN:
            raise self._create_closed_exception()
    
    
    def close_transport(self, force = False):
        """
        Ends the connection at once, forced or not: closing a transport politely has no bound in time.
        
        Parameters
        ----------
        force : `bool` = `False`, Optional
            Not used.
        """
        self.abort()
    
    
    @copy_docs(WebSocketClient.get_size)
    def get_size(self):
        return self._reader.queued_size
    
    
    def _raise_not_usable(self, *positional_parameters, **keyword_parameters):
        """
        Stands for the methods of scarletio's client that belong to its reading and closing tasks, which are not there.
        
        Parameters
        ----------
        *positional_parameters : Positional parameters
            Not used.
        **keyword_parameters : Keyword parameters
            Not used.
        
        Raises
        ------
        RuntimeError
        """
        raise RuntimeError(
            f'{type(self).__name__} hands each message to its receiver as it comes; it cannot be read from, and is '
            f'closed with `.close` or `.abort` only.'
        )
    
    
    receive = _raise_not_usable
    receive_no_wait = _raise_not_usable
    read_message = _raise_not_usable
    read_data_frame = _raise_not_usable
    read_web_socket_frame = _raise_not_usable
    set_payload_reader = _raise_not_usable
    transfer_data = _raise_not_usable
    close_connection = _raise_not_usable
    connection_open = _raise_not_usable
    fail_connection = _raise_not_usable
    wait_for_connection_lost = _raise_not_usable
    write_frame = _raise_not_usable
    write_close_frame = _raise_not_usable
    write_web_socket_frame = _raise_not_usable
    _process_control_frame = _raise_not_usable


def _get_control_payload(data):
    """
    Gets the payload of a ping or pong of ours.
    
    Parameters
    ----------
    data : `None | str | bytes-like`
        The payload. Random bytes if it is `None`.
    
    Returns
    -------
    payload : `bytes`
    
    Raises
    ------
    ValueError
        - If `data` is longer than 125 bytes.
    """
    if data is None:
        return urandom(PING_SIZE)
    
    if isinstance(data, str):
        data = data.encode('utf-8')
    
    if len(data) > MAXIMAL_CONTROL_SIZE:
        raise ValueError(f'The payload of a ping or pong is at most {MAXIMAL_CONTROL_SIZE} bytes, got {len(data)}.')
    
    return bytes(data)
