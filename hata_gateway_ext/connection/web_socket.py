"""
The web socket of a gateway connection: scarletio's ``WebSocketClient``, with a synchronous receive path.

scarletio's own client wakes a task for each read of each part of a frame, and queues what came. Here the transport's
``.data_received`` goes straight through the frame reader to the receiver: no task, no future, no timer and no queue for
an event. What must not happen on the way is held by three rules:

- A turn of reading is bounded in time (see ``TimeSlice``); what is left goes on in the next round of the loop, and
    reading from the socket is paused while too much is left, so a flood waits in TCP and not in memory.
- Whether reading is paused and whether writing is paused are two things, and neither waits for the other. Nothing on
    the receive path waits for a write: the answer to a ping is written at once, or, while the peer does not read, put
    off to when it does, and then only the newest.
- Every way to the end is bounded in time: the closing handshake by ``CLOSE_TIMEOUT``; the transport is aborted then.

The handler hears of the end once, whichever way it comes.
"""
__all__ = ('GatewayWebSocket',)

from os import urandom

from scarletio import Future, LOOP_TIME, copy_docs, shield, write_exception_async
from scarletio.http_client import HTTPClient
from scarletio.web_common import ConnectionClosed, URL
from scarletio.web_socket import WebSocketClient
from scarletio.web_socket.web_socket_common_protocol import (
    WEB_SOCKET_STATE_CLOSED, WEB_SOCKET_STATE_CLOSING, WEB_SOCKET_STATE_OPEN
)

from ..protocol.errors import FrameError
from ..protocol.frames import (
    FrameReader, MAXIMAL_CONTROL_SIZE, MAXIMAL_MESSAGE_SIZE, OPERATION_BINARY, OPERATION_CLOSE, OPERATION_NONE,
    OPERATION_PING, OPERATION_PONG, OPERATION_TEXT, build_close_payload, build_frame, parse_close_payload
)
from .handshake import shake_hands
from .time_slice import get_time_slice


# Bytes that may be received and not handled before reading is paused. A read of scarletio brings at most 256 KiB, so
# the sum of both is the most that a flooded web socket holds.
BACKLOG_MAX = 1 << 16

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

# Stand for a connection that ended without a close frame, and for a close frame without a code. They are never sent
# (RFC 6455, section 7.4.1).
CLOSE_CODE_ABNORMAL = 1006
CLOSE_CODE_NONE = 1005
# The peer could not be served because of an error of ours.
CLOSE_CODE_INTERNAL_ERROR = 1011


def get_control_payload(data):
    """
    Returns the payload of a ping or pong of ours: random bytes if it is not given.
    """
    if data is None:
        return urandom(PING_SIZE)
    
    if isinstance(data, str):
        data = data.encode('utf-8')
    
    if len(data) > MAXIMAL_CONTROL_SIZE:
        raise ValueError(f'The payload of a ping or pong is at most {MAXIMAL_CONTROL_SIZE} bytes, got {len(data)}.')
    
    return bytes(data)


class GatewayWebSocket(WebSocketClient):
    """
    A web socket whose messages are handed on as they come.
    
    Attributes
    ----------
    _abort_handle : `None | TimerHandle`
        Aborts the transport if the closing handshake takes too long.
    _failed : `bool`
        Whether what comes is not read any more, because the stream is broken.
    _frames : `GeneratorType`
        Iterator over the reader's messages.
    _handler : `object`
        Its `web_socket_closed(web_socket, close_code, reason, exception)` is called once.
    _in_line : `bool`
        Whether the web socket stands in the line of its time slice, because it is not done with what was received.
    _latest_ping : `None | bytes`
        The newest ping that is not answered yet, because the peer does not read.
    _lost_exception : `None | BaseException`
        The exception the connection was lost with.
    _reader : ``FrameReader``
        Reads frames.
    _reading_paused : `bool`
        Whether we paused reading from the transport.
    _receive : `(GeneratorType, float) -> bool`
        Takes batches of messages out of the iterator until it yields `None` (then it returns `False`) or the deadline
        is over (then it returns `True`).
    _receiver : `object`
        Its `message_received(data, is_text)` is called with each message. If it has a
        `messages_received(frames, deadline)`, it takes binary messages from the iterator on its own.
    _reported : `bool`
        Whether the handler was told about the end.
    _time_slice : ``TimeSlice``
        The budget that the web sockets of the loop share.
    _writing_paused : `bool`
        Whether the transport's buffer is full. Has nothing to do with reading.
    last_received_at : `float`
        The loop's time when the last bytes were received.
    """
    __slots__ = (
        '_abort_handle', '_failed', '_frames', '_handler', '_in_line', '_latest_ping', '_lost_exception', '_reader',
        '_reading_paused', '_receive', '_receiver', '_reported', '_time_slice', '_writing_paused', 'last_received_at'
    )
    
    async def __new__(cls, loop, url, *, http_client = None, handler, receiver, headers = None, time_slice = None):
        """
        Connects to the url.
        
        Nothing is handed on before the next round of the loop, so that whoever awaits has the web socket by then.
        
        This method is a coroutine.
        
        Parameters
        ----------
        loop : ``EventThread``
            The event loop.
        url : `str | URL`
            The url to connect to.
        http_client : `None | HTTPClient` = `None`, Optional (Keyword only)
            The http client to connect with.
        handler : `object` (Keyword only)
            Its `web_socket_closed(web_socket, close_code, reason, exception)` is called once, when the peer closed the
            web socket, the stream broke, or the connection was lost. `close_code` is `None` if the peer gave none.
        receiver : `object` (Keyword only)
            Its `message_received(data, is_text)` is called with each message. Texts come as `bytes` as well, and are
            UTF-8.
        headers : `None | dict<str, str>` = `None`, Optional (Keyword only)
            Additional headers to send.
        time_slice : ``None | TimeSlice`` = `None`, Optional (Keyword only)
            The budget to share. Defaults to the loop's.
        
        Returns
        -------
        self : ``GatewayWebSocket``
        
        Raises
        ------
        InvalidHandshake
            - If the answer is not that of a web socket server. Its `.response` has the status and the headers.
        OSError
            - If there is no connection, or it is lost meanwhile.
        TimeoutError
            - If there was no answer in time.
        ValueError
            - If the host is missing from the url.
        """
        if http_client is None:
            http_client = HTTPClient(loop)
        
        if time_slice is None:
            time_slice = get_time_slice(loop)
        
        url = URL(url)
        protocol = await shake_hands(http_client, url, headers)
        
        # Who takes one message at a time should be able to end with any.
        reader = FrameReader() if hasattr(receiver, 'messages_received') else FrameReader(batch_count = 1)
        self = protocol.isekai_into(cls)
        self._set_attributes(url)
        self._abort_handle = None
        self._failed = False
        self._frames = reader.frames
        self._handler = handler
        self._in_line = True
        self._reader = reader
        self._receive = getattr(receiver, 'messages_received', self._receive_one_by_one)
        self._receiver = receiver
        self._reported = False
        self._time_slice = time_slice
        self.last_received_at = LOOP_TIME()
        
        # What came together with the answer to the handshake.
        chunks = self._chunks
        offset = self._offset
        self._offset = 0
        while chunks:
            reader.feed(chunks.popleft()[offset :])
            offset = 0
        
        transport = self._transport
        transport.set_protocol(self)
        time_slice.stand_in_line(self)
        
        # The end may have come before the transport knew about us.
        if self._at_eof or (self._exception is not None):
            self.connection_lost(self._exception)
        
        return self
    
    
    def _set_attributes(self, url):
        """
        Sets the attributes that scarletio's client has, and those of writing.
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
    
    # ---- reading ----
    
    @property
    def has_backlog(self):
        """
        Returns whether bytes were received that are not handled yet, or are kept waiting by us.
        
        Returns
        -------
        has_backlog : `bool`
        """
        return self._in_line or self._reading_paused
    
    
    @copy_docs(WebSocketClient.data_received)
    def data_received(self, data):
        time_slice = self._time_slice
        self.last_received_at = now = time_slice.clock()
        if self._failed:
            return
        
        reader = self._reader
        if self._in_line:
            reader.feed(data)
            if reader.queued_size > BACKLOG_MAX:
                self._pause_reading()
            
            return
        
        deadline = time_slice.begin(now)
        # Of the budget that all share nothing is taken when it is used up, not even for one message.
        message = reader.feed_or_take(data) if deadline > now else reader.feed(data)
        if (message is None):
            if self._take_turn(self._handle_frames, deadline) and (len(data) > BACKLOG_MAX):
                self._pause_reading()
        
        else:
            self._take_turn(self._handle_single, message)
    
    
    def read_on(self):
        """
        Goes on with what was received. Called by the time slice when it is our turn.
        """
        self._in_line = False
        time_slice = self._time_slice
        if not self._take_turn(self._handle_frames, time_slice.begin(time_slice.clock())):
            if self.state == WEB_SOCKET_STATE_CLOSED:
                self._finish()
            else:
                self._resume_reading()
    
    
    def _take_turn(self, handle, argument):
        """
        Handles what was received, by calling `handle(argument)`, which returns whether something is left because the
        turn is over. Then it stands in line, and so it is returned.
        """
        time_slice = self._time_slice
        try:
            in_line = handle(argument)
        except FrameError as exception:
            in_line = False
            self._fail(exception.close_code, exception)
        except Exception as exception:
            # The receiver handles what can go wrong with a message itself, so this is a mistake of ours. It is shown,
            # and the connection, whose message is lost with it, is given up.
            in_line = False
            write_exception_async(
                exception, ['Unexpected exception while reading from ', repr(self), '\n'], loop = self._loop
            )
            self._fail(CLOSE_CODE_INTERNAL_ERROR, exception)
        finally:
            time_slice.end()
        
        if in_line and (not self._failed):
            self._in_line = True
            time_slice.stand_in_line(self)
            return True
        
        return False
    
    
    def _handle_single(self, message):
        """
        Handles the only message of a read.
        """
        self._receiver.message_received(message, False)
        return False
    
    
    def _handle_frames(self, deadline):
        """
        Handles what was received until nothing is left or the turn is over. Returns whether it is.
        """
        clock = self._time_slice.clock
        reader = self._reader
        frames = self._frames
        receive = self._receive
        while True:
            if receive(frames, deadline):
                return True
            
            operation = reader.operation
            if operation == OPERATION_NONE:
                return False
            
            payload = reader.payload
            reader.operation = OPERATION_NONE
            reader.payload = None
            
            if operation == OPERATION_TEXT:
                self._receiver.message_received(payload, True)
            elif operation == OPERATION_PING:
                self._ping_received(payload)
            elif operation == OPERATION_PONG:
                self._pong_received(payload)
            elif operation == OPERATION_CLOSE:
                self._close_received(payload)
                return False
            
            # Of fragments nothing comes but the chance to look at the clock.
            if clock() >= deadline:
                return True
    
    
    def _receive_one_by_one(self, frames, deadline):
        """
        Hands binary messages to a receiver that takes one at a time.
        """
        clock = self._time_slice.clock
        message_received = self._receiver.message_received
        for batch in frames:
            if batch is None:
                return False
            
            message_received(batch[0] if type(batch) is list else batch, False)
            if clock() >= deadline:
                return True
        
        return False
    
    
    # ---- closing ----
    
    def _close_received(self, payload):
        """
        Called with the close frame of the peer.
        
        Parameters
        ----------
        payload : `bytes`
            The payload of the close frame. Checked by the reader.
        """
        code, reason = parse_close_payload(payload)
        self.close_code = CLOSE_CODE_NONE if code is None else code
        self.close_reason = reason
        self._failed = True
        
        if self.state == WEB_SOCKET_STATE_OPEN:
            # The echo carries the code that was received (RFC 6455, section 5.5.1).
            self._send_close_frame(payload[:2])
        
        # It is the server's part to end the TCP connection (RFC 6455, section 7.1.1), which it may fail to do.
        self._abort_later()
        self._resume_reading()
        self._report(code, reason, None)
    
    
    def _fail(self, close_code, exception):
        """
        Fails the connection (RFC 6455, section 7.1.7): tells the peer why, and reads nothing more.
        
        Parameters
        ----------
        close_code : `int`
            The close code to send.
        exception : `Exception`
            What was wrong.
        """
        if self._failed:
            return
        
        self._failed = True
        self._reader.close()
        if self.state == WEB_SOCKET_STATE_OPEN:
            self._send_close_frame(build_close_payload(close_code))
        
        if self.state != WEB_SOCKET_STATE_CLOSED:
            self._abort_later()
            self._resume_reading()
        
        if not self.close_code:
            self.close_code = close_code
        
        self._report(None, '', exception)
    
    
    def _abort_later(self):
        """
        Aborts the transport if the connection did not end in ``CLOSE_TIMEOUT``.
        """
        if (self._abort_handle is None) and (self.state != WEB_SOCKET_STATE_CLOSED):
            self._abort_handle = self._loop.call_after(CLOSE_TIMEOUT, self.abort)
    
    
    async def close(self, code = 1000, reason = ''):
        """
        Closes the web socket: sends a close frame, waits for the peer to end the connection, and aborts it if that
        takes longer than 1.5 seconds. Messages that come meanwhile are still handed on.
        
        This method is a coroutine.
        
        Parameters
        ----------
        code : `int` = `1000`, Optional
            Close code. 1000 and 1001 end a session of Discord, others keep it.
        reason : `str` = `''`, Optional
            Close reason.
        
        Raises
        ------
        ValueError
            - If the close code may not be in a close frame.
        """
        payload = build_close_payload(code, reason)
        if self.state == WEB_SOCKET_STATE_OPEN:
            self._send_close_frame(payload)
        
        self._abort_later()
        await shield(self.connection_lost_waiter, self._loop)
    
    
    def abort(self):
        """
        Ends the connection at once. Nothing is handed on after it.
        """
        self._failed = True
        self._reader.close()
        if self._in_line:
            self._in_line = False
            self._time_slice.leave_line(self)
        
        if self.state == WEB_SOCKET_STATE_CLOSED:
            self._finish()
            return
        
        self.state = WEB_SOCKET_STATE_CLOSING
        self._transport.abort()
        # The transport tells us that it is lost, unless it was lost before it knew about us.
        self._loop.call_soon(self.connection_lost, None)
    
    
    @copy_docs(WebSocketClient.eof_received)
    def eof_received(self):
        self._at_eof = True
        # The transport closes itself, but not before the peer has read what we wrote.
        self._abort_later()
        return False
    
    
    @copy_docs(WebSocketClient.connection_lost)
    def connection_lost(self, exception):
        if self.state == WEB_SOCKET_STATE_CLOSED:
            return
        
        self.state = WEB_SOCKET_STATE_CLOSED
        self._lost_exception = exception
        self._reading_paused = False
        
        abort_handle = self._abort_handle
        if (abort_handle is not None):
            self._abort_handle = None
            abort_handle.cancel()
        
        self._release_waiters()
        self.connection_lost_waiter.set_result_if_pending(None)
        
        # What was received before is handled first: the peer may have said why it closes.
        if not self._in_line:
            self._finish()
    
    
    def _finish(self):
        """
        Called when the connection is lost, and all that was received is handled.
        """
        self._reader.close()
        if not self.close_code:
            self.close_code = CLOSE_CODE_ABNORMAL
        
        self._report(None, '', self._lost_exception)
    
    
    def _report(self, close_code, reason, exception):
        """
        Tells the handler about the end, unless it was told already.
        
        Parameters
        ----------
        close_code : `None | int`
            The close code of the peer.
        reason : `str`
            The close reason of the peer.
        exception : `None | BaseException`
            What was wrong with the stream, or what the connection was lost with.
        """
        if not self._reported:
            self._reported = True
            self._handler.web_socket_closed(self, close_code, reason, exception)
    
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
        data = get_control_payload(data)
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
        self._send_frame(OPERATION_PONG, get_control_payload(data))
    
    
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
