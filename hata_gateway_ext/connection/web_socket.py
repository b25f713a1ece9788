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

from scarletio import LOOP_TIME, copy_docs, shield, write_exception_async
from scarletio.http_client import HTTPClient
from scarletio.web_common import URL
from scarletio.web_socket.web_socket_common_protocol import (
    WEB_SOCKET_STATE_CLOSED, WEB_SOCKET_STATE_CLOSING, WEB_SOCKET_STATE_OPEN
)

from ..protocol.errors import FrameError
from ..protocol.frames import (
    FrameReader, OPERATION_NONE, OPERATION_PING, OPERATION_PONG, OPERATION_TEXT, build_close_payload,
    parse_close_payload
)
from .handshake import shake_hands
from .time_slice import get_time_slice
from .web_socket_base import CLOSE_CODE_ABNORMAL, CLOSE_TIMEOUT, GatewayWebSocketBase


# Bytes that may be received and not handled before reading is paused. A read of scarletio brings at most 256 KiB, so
# the sum of both is the most that a flooded web socket holds.
BACKLOG_MAX = 1 << 16

# Stands for a close frame without a code; it is never sent (RFC 6455, section 7.4.1).
CLOSE_CODE_NONE = 1005
# The peer could not be served because of an error of ours.
CLOSE_CODE_INTERNAL_ERROR = 1011


class GatewayWebSocket(GatewayWebSocketBase):
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
    _reader : ``FrameReader``
        Reads frames.
    _receive : `(GeneratorType, float) -> bool`
        Takes batches of messages out of the iterator until it yields `None` (then it returns `False`) or the deadline is
        over (then it returns `True`).
    _receiver : `object`
        Its `message_received(data, is_text)` is called with each message. If it has a
        `messages_received(frames, deadline)`, it takes binary messages from the iterator on its own.
    _reported : `bool`
        Whether the handler was told about the end.
    _time_slice : ``TimeSlice``
        The budget that the web sockets of the loop share.
    last_received_at : `float`
        The loop's time when the last bytes were received.
    """
    __slots__ = (
        '_abort_handle', '_failed', '_frames', '_handler', '_in_line', '_reader', '_receive', '_receiver', '_reported',
        '_time_slice', 'last_received_at'
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
        self._set_base_attributes(url)
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
    
    
    @copy_docs(GatewayWebSocketBase.data_received)
    def data_received(self, data):
        time_slice = self._time_slice
        self.last_received_at = now = time_slice.clock()
        if self._failed:
            return
        
        reader = self._reader
        reader.feed(data)
        if self._in_line:
            if reader.queued_size > BACKLOG_MAX:
                self._pause_reading()
            
            return
        
        if self._take_turn(time_slice.begin(now)) and (len(data) > BACKLOG_MAX):
            self._pause_reading()
    
    
    def read_on(self):
        """
        Goes on with what was received. Called by the time slice when it is our turn.
        """
        self._in_line = False
        time_slice = self._time_slice
        if not self._take_turn(time_slice.begin(time_slice.clock())):
            if self.state == WEB_SOCKET_STATE_CLOSED:
                self._finish()
            else:
                self._resume_reading()
    
    
    def _take_turn(self, deadline):
        """
        Handles what was received until nothing is left or the turn is over. In the latter case it stands in line.
        
        Parameters
        ----------
        deadline : `float`
            The loop's time at which the turn is over.
        
        Returns
        -------
        in_line : `bool`
            Whether something is left.
        """
        time_slice = self._time_slice
        try:
            in_line = self._handle_frames(deadline, time_slice.clock)
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
    
    
    def _handle_frames(self, deadline, clock):
        """
        Handles what was received until nothing is left or the turn is over.
        
        Parameters
        ----------
        deadline : `float`
            The loop's time at which the turn is over.
        clock : `() -> float`
            The loop's time.
        
        Returns
        -------
        is_over : `bool`
            Whether the turn is over.
        
        Raises
        ------
        FrameError
        """
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
            else:
                self._close_received(payload)
                return False
            
            if clock() >= deadline:
                return True
    
    
    def _receive_one_by_one(self, frames, deadline):
        """
        Hands binary messages to a receiver that takes one at a time.
        
        Parameters
        ----------
        frames : `GeneratorType`
            Iterator over messages.
        deadline : `float`
            The loop's time at which the turn is over.
        
        Returns
        -------
        is_over : `bool`
            Whether the turn is over.
        
        Raises
        ------
        FrameError
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
    
    
    @copy_docs(GatewayWebSocketBase.eof_received)
    def eof_received(self):
        self._at_eof = True
        # The transport closes itself, but not before the peer has read what we wrote.
        self._abort_later()
        return False
    
    
    @copy_docs(GatewayWebSocketBase.connection_lost)
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
