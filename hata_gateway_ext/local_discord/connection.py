"""
A connection of a client, as bytes: frames go out, faults hold or cut it. What is said over it is `conversation.py`'s.

aiohttp does the upgrade and reads the client's frames. Everything that goes out is written straight into the transport: so
a fault can write anything, and many events go out in one write.
"""
__all__ = ('Connection',)

from socket import SOL_SOCKET, SO_LINGER
from struct import pack

from .actions import STAGE_DISPATCH
from .codes import CLOSE_REASONS, INVALIDATE_SESSION, RECONNECT, SESSION_ENDING_CLOSE_CODES
from .compression import create_deflater
from .frames import OPCODE_BINARY, OPCODE_PONG, OPCODE_TEXT, build_close_frame, build_frame, build_frames
from .outbox import Outbox
from .payloads import decode_json, encode_envelope, encode_json
from .recording import CLOSED_BY_CLIENT, CLOSED_BY_DISCORD, CLOSED_BY_LOSS
from .session import END_CLIENT, END_INVALIDATED

# Seconds within which the client has to answer our close frame. RFC 6455, 7.1.1: the server closes the TCP connection
# after it.
CLOSE_TIMEOUT = 5.0

# Linger on, for 0 seconds: closing sends RST.
LINGER_RESET = pack('ii', 1, 0)


class Connection:
    """
    A connection of a client.
    
    Attributes
    ----------
    application : ``None | Application``
        The application, once identified or resumed.
    close_handle : `None | asyncio.TimerHandle`
        Cuts the connection if our close frame is not answered.
    core : ``Core``
        The local Discord.
    deflater : `object`
        The compression's context.
    is_closing : `bool`
        Whether our close frame was sent.
    is_ended : `bool`
        Whether nothing can be sent or received any more.
    is_upgraded : `bool`
        Whether the upgrade request was answered.
    outbox : ``Outbox``
        Its output.
    record : ``ConnectionRecord``
        What is recorded about it.
    session : ``None | Session``
        The session that is used over it. Set as soon as it is authenticated.
    shard_id : `None | int`
        The shard, once known.
    """
    __slots__ = (
        'application', 'close_handle', 'core', 'deflater', 'is_closing', 'is_ended', 'is_upgraded', 'outbox', 'record',
        'session', 'shard_id',
    )
    
    def __new__(cls, core, transport, record, compression, shard_id):
        """The parameters are the attributes."""
        self = object.__new__(cls)
        self.application = None
        self.close_handle = None
        self.core = core
        self.deflater = create_deflater(compression, core.options.zstd_frame_per_message)
        self.is_closing = False
        self.is_ended = False
        self.is_upgraded = False
        self.outbox = Outbox(core, transport)
        self.record = record
        self.session = None
        self.shard_id = shard_id
        return self
    
    
    def __repr__(self):
        return (
            f'<{type(self).__name__} number = {self.record.number!r}, shard_id = {self.shard_id!r}, is_open = '
            f'{self.is_open!r}, is_held = {self.outbox.is_held!r}>'
        )
    
    
    @property
    def is_open(self):
        """Whether payloads can be exchanged."""
        return not (self.is_closing or self.is_ended)
    
    
    # output
    
    
    def send_payload(self, payload):
        """Sends a payload through the compression."""
        for is_text, data in self.deflater.deflate(payload, self.core.options.message_split):
            self.send_message(data, is_text)
    
    
    def send_replaced(self, payload, replacements):
        """Sends what the functions of a fault make of a payload: each takes a `dict` and returns what goes out instead."""
        payloads = [payload]
        for function in replacements:
            replaced = []
            for item in payloads:
                result = function(decode_json(item))
                if (result is not None):
                    replaced.extend(result if isinstance(result, list) else (result,))
            
            payloads = [item if isinstance(item, bytes) else encode_json(item) for item in replaced]
        
        for item in payloads:
            self.send_payload(item)
    
    
    def send_message(self, data, is_text):
        """Sends a web socket message."""
        opcode = OPCODE_TEXT if is_text else OPCODE_BINARY
        frame_split = self.core.options.frame_split
        self.outbox.write(
            build_frame(opcode, data) if frame_split is None else build_frames(opcode, data, frame_split)
        )
    
    
    def send_pong(self, data):
        """Answers a ping."""
        self.outbox.write(build_frame(OPCODE_PONG, data))
    
    
    def send_event(self, payload):
        """Sends an event. Its faults strike first."""
        core = self.core
        if core.script.has(STAGE_DISPATCH):
            outcome = core.script.strike(STAGE_DISPATCH, self)
            if outcome.is_over or (not self.is_open):
                return
            
            if outcome.delay:
                self.outbox.hold_for(outcome.delay)
            
            self.send_replaced(payload, outcome.replacements)
        else:
            self.send_payload(payload)
        
        self.record.dispatched += 1
    
    
    # operations that faults send
    
    
    def send_reconnect(self):
        """Sends op 7."""
        self.send_payload(encode_envelope(RECONNECT, b'null'))
    
    
    def send_invalidate(self, resumable):
        """Sends op 9 and lets go of the session."""
        session = self.session
        self.detach()
        if (session is not None) and (not resumable):
            self.core.sessions.end(session, END_INVALIDATED)
        
        self.send_payload(encode_envelope(INVALIDATE_SESSION, b'true' if resumable else b'false'))
    
    
    def detach(self):
        """Lets go of the session. It waits for being resumed from then on."""
        session = self.session
        if (session is not None):
            self.session = None
            # Without connection it is while its events are being replayed over this one.
            if (session.connection is self) or (session.connection is None):
                self.core.sessions.disconnect(session)
    
    
    # ending
    
    
    def close(self, code, reason = None):
        """Closes with a close frame, without code if it is `None`."""
        if not self.is_open:
            return
        
        self.detach()
        self.is_closing = True
        self.record.closed_by = CLOSED_BY_DISCORD
        self.record.discord_close_code = 0 if code is None else code
        self.outbox.write(build_close_frame(code, CLOSE_REASONS.get(code, '') if reason is None else reason))
        self.outbox.flush()
        self.close_handle = self.core.call_later(CLOSE_TIMEOUT, self.cut, False)
        self.core.recording.changed()
    
    
    def cut(self, reset):
        """Ends the TCP connection: with RST if `reset`, with FIN otherwise."""
        if self.is_ended:
            return
        
        self.outbox.flush()
        self.end(CLOSED_BY_DISCORD)
        
        transport = self.outbox.transport
        # A socket that nobody reads never tells that its peer is gone.
        transport.resume_reading()
        
        if not reset:
            transport.close()
            return
        
        raw_socket = transport.get_extra_info('socket')
        # The client may have been quicker: then the socket is closed, and its end was only not noticed yet.
        if (raw_socket is not None) and (raw_socket.fileno() != -1):
            raw_socket.setsockopt(SOL_SOCKET, SO_LINGER, LINGER_RESET)
        
        transport.abort()
    
    
    def receive_close(self, code):
        """Handles the client's close frame; `0` is none."""
        if self.is_closing:
            self.cut(False)
            return
        
        self.record.close_code = code
        session = self.session
        self.detach()
        if (session is not None) and (code in SESSION_ENDING_CLOSE_CODES):
            self.core.sessions.end(session, END_CLIENT)
        
        self.record.closed_by = CLOSED_BY_CLIENT
        
        if self.outbox.is_held:
            # It is silent: it answers nothing, and the client has to do without.
            self.is_closing = True
            self.core.recording.changed()
            return
        
        # RFC 6455, 5.5.1: a close frame is answered by one with the same code.
        self.outbox.write(build_close_frame(code if code else None))
        self.outbox.flush()
        self.end()
        self.outbox.transport.close()
    
    
    def end(self, by = CLOSED_BY_LOSS):
        """Notes that the connection is over, and who ended it, if that is not known already."""
        if self.is_ended:
            return
        
        self.detach()
        self.is_ended = True
        self.outbox.close()
        if (self.close_handle is not None):
            self.close_handle.cancel()
            self.close_handle = None
        
        record = self.record
        record.closed_at = self.core.now()
        if record.closed_by is None:
            record.closed_by = by
        
        self.core.connections.discard(self)
        self.core.recording.changed()
