"""
A connection of a client, as bytes: frames go out, faults hold or cut it. What is said over it is `conversation.py`'s.

aiohttp does the upgrade and reads the client's frames. Everything that goes out is written straight into the transport:
so a fault can write anything, and many events go out in one write.
"""
__all__ = ('Connection',)

from socket import SOL_SOCKET, SO_LINGER
from struct import pack

from ..protocol.operations import INVALIDATE_SESSION, RECONNECT

from .action_base import StageOutcome
from .stages import STAGE_DISPATCH
from .frames import OPCODE_BINARY, OPCODE_PONG, OPCODE_TEXT, build_close_frame, build_frame, build_frames
from .outbox import Outbox
from .payloads import decode_json, encode_envelope, encode_json
from .records import CLOSED_BY_CLIENT, CLOSED_BY_DISCORD, CLOSED_BY_LOSS

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
    application : `None | Application`
        The application, once identified or resumed.

    close_handle : `None | asyncio.TimerHandle`
        Cuts the connection if our close frame is not answered.

    core : ``Core``
        The local Discord.

    deflater : `object`
        The compression's context.

    is_ended : `bool`
        Whether nothing can be sent or received any more.

    is_closing : `bool`
        Whether our close frame was sent.

    is_upgraded : `bool`
        Whether the upgrade request was answered.

    outbox : ``Outbox``
        Its output.

    record : ``ConnectionRecord``
        What is recorded about it.

    session : `None | Session`
        The session that is used over it. Set as soon as it is authenticated.

    shard_id : `None | int`
        The shard, once known.
    """
    __slots__ = (
        'application', 'close_handle', 'core', 'deflater', 'is_closing', 'is_ended', 'is_upgraded', 'outbox', 'record',
        'session', 'shard_id',
    )

    def __new__(cls, core, transport, record, deflater, shard_id):
        """
        Creates a new connection.

        Parameters
        ----------
        core : ``Core``
            The local Discord.

        transport : `asyncio.Transport`
            The transport.

        record : ``ConnectionRecord``
            What is recorded about it.

        deflater : `object`
            The compression's context.

        shard_id : `None | int`
            The shard, if the url told it.
        """
        self = object.__new__(cls)
        self.application = None
        self.close_handle = None
        self.core = core
        self.deflater = deflater
        self.is_closing = False
        self.is_ended = False
        self.is_upgraded = False
        self.outbox = Outbox(core, transport)
        self.record = record
        self.session = None
        self.shard_id = shard_id
        return self


    def __repr__(self):
        """Returns the representation of the connection."""
        return (
            f'<{type(self).__name__} number = {self.record.number!r}, shard_id = {self.shard_id!r}, is_open = '
            f'{self.is_open!r}, is_held = {self.is_held!r}>'
        )


    @property
    def is_open(self):
        """
        Returns whether payloads can be exchanged.

        Returns
        -------
        is_open : `bool`
        """
        return not (self.is_closing or self.is_ended)


    @property
    def is_held(self):
        """
        Returns whether the output is held back.

        Returns
        -------
        is_held : `bool`
        """
        return self.outbox.is_held


    # output


    def send_payload(self, payload):
        """
        Sends a payload through the compression.

        Parameters
        ----------
        payload : `bytes`
            The payload.
        """
        for is_text, data in self.deflater.deflate(payload, self.core.options.message_split):
            self.send_message(data, is_text)


    def send_replaced(self, payload, replacements):
        """
        Sends what the replacements make of a payload.

        Parameters
        ----------
        payload : `bytes`
            The payload.

        replacements : `list<callable>`
            What makes other payloads of it.
        """
        payloads = [payload]
        for function in replacements:
            replaced = []
            for item in payloads:
                result = function(decode_json(item))
                if result is None:
                    continue

                for part in result if isinstance(result, list) else (result,):
                    replaced.append(part if isinstance(part, bytes) else encode_json(part))

            payloads = replaced

        for item in payloads:
            self.send_payload(item)


    def send_message(self, data, is_text):
        """
        Sends a web socket message.

        Parameters
        ----------
        data : `bytes`
            The message.

        is_text : `bool`
            Whether it is a text message.
        """
        opcode = OPCODE_TEXT if is_text else OPCODE_BINARY
        frame_split = self.core.options.frame_split
        self.outbox.write(
            build_frame(opcode, data) if frame_split is None else build_frames(opcode, data, frame_split)
        )


    def send_pong(self, data):
        """
        Answers a ping.

        Parameters
        ----------
        data : `bytes`
            The ping's payload.
        """
        self.outbox.write(build_frame(OPCODE_PONG, data))


    def send_event(self, payload):
        """
        Sends an event. Its faults strike first.

        Parameters
        ----------
        payload : `bytes`
            The event.
        """
        core = self.core
        self.record.dispatched += 1

        if core.script.has(STAGE_DISPATCH):
            outcome = StageOutcome()
            for action in core.script.get_actions(STAGE_DISPATCH, self, core.now()):
                action.strike(self, outcome)

            if outcome.is_over or (not self.is_open):
                self.record.dispatched -= 1
                return

            if outcome.delay:
                self.outbox.hold_for(outcome.delay)

            self.send_replaced(payload, outcome.replacements)
            return

        self.send_payload(payload)


    # operations that faults send


    def send_reconnect(self):
        """
        Sends op 7.
        """
        self.send_payload(encode_envelope(RECONNECT, b'null'))


    def send_invalidate(self, resumable):
        """
        Sends op 9 and lets go of the session.

        Parameters
        ----------
        resumable : `bool`
            Whether the session can be resumed.
        """
        session = self.session
        self.detach()
        if (session is not None) and (not resumable):
            self.core.sessions.end(session, 'invalidated')

        self.send_payload(encode_envelope(INVALIDATE_SESSION, b'true' if resumable else b'false'))


    def detach(self):
        """
        Lets go of the session. It waits for being resumed from then on.
        """
        session = self.session
        if (session is not None):
            self.session = None
            # Without connection it is while its events are being replayed over this one.
            if (session.connection is self) or (session.connection is None):
                self.core.sessions.disconnect(session)


    # ending


    def close(self, code, reason = ''):
        """
        Closes with a close frame.

        Parameters
        ----------
        code : `None | int`
            Close code. `None`: none.

        reason : `str` = `''`, Optional
            The reason.
        """
        if not self.is_open:
            return

        self.detach()
        self.is_closing = True
        self.record.closed_by = CLOSED_BY_DISCORD
        self.record.discord_close_code = 0 if code is None else code
        self.outbox.write(build_close_frame(code, reason))
        self.outbox.flush()
        self.close_handle = self.core.call_later(CLOSE_TIMEOUT, self.cut, False)
        self.core.recording.changed()


    def cut(self, reset):
        """
        Ends the TCP connection.

        Parameters
        ----------
        reset : `bool`
            Whether with RST. With FIN otherwise.
        """
        if self.is_ended:
            return

        self.outbox.flush()
        self.end(CLOSED_BY_DISCORD)

        transport = self.outbox.transport

        # A socket that nobody reads never tells that its peer is gone.
        transport.resume_reading()

        if reset:
            raw_socket = transport.get_extra_info('socket')
            # The client may have been quicker: then the socket is closed, and its end was only not noticed yet.
            if (raw_socket is not None) and (raw_socket.fileno() != -1):
                raw_socket.setsockopt(SOL_SOCKET, SO_LINGER, LINGER_RESET)

            transport.abort()
        else:
            transport.close()


    def receive_close(self, code):
        """
        The client's close frame came. Discord docs, Gateway: "Initiating a Disconnect": 1000 and 1001 end the session.

        Parameters
        ----------
        code : `int`
            Its code. `0`: none.
        """
        if self.is_closing:
            self.cut(False)
            return

        self.record.close_code = code
        session = self.session
        self.detach()
        if (session is not None) and (code in (1000, 1001)):
            self.core.sessions.end(session, 'client')

        self.record.closed_by = CLOSED_BY_CLIENT

        if self.is_held:
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
        """
        Notes that the connection is over.

        Parameters
        ----------
        by : `str` = `'lost'`, Optional
            Who ended it, if that is not known already.
        """
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

        self.core.connections.remove(self)
        self.core.recording.changed()
