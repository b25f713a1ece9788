"""
What is said over a connection: HELLO, the client's operations, and what Discord refuses of them.

Each stage of it asks the fault script first. A stage is a function that sends something, and that may be left out,
replaced or delayed by a fault.
"""
__all__ = ('Conversation',)

from ..protocol.operations import (
    HEARTBEAT, HEARTBEAT_ACKNOWLEDGE, HELLO, IDENTIFY, INVALIDATE_SESSION, PAYLOAD_SIZE_LIMIT, PRESENCE,
    REQUEST_GUILD_USERS, RESUME, VOICE_STATE
)

from .action_base import StageOutcome
from .stages import STAGE_HEARTBEAT, STAGE_HELLO, STAGE_HELLO_SENT
from .identification import Identification
from .member_requests import answer_channel_info_request, answer_member_request, answer_soundboard_request
from .payloads import decode_json, encode_envelope, encode_json
from .records import HeartbeatRecord, OperationRecord
from .resumption import Resumption
from .send_window import SendWindow
from .voice_states import answer_voice_state

# Discord docs, Gateway: "Gateway Close Event Codes".
CLOSE_UNKNOWN_OPERATION = 4001
CLOSE_DECODE_ERROR = 4002
CLOSE_NOT_AUTHENTICATED = 4003
CLOSE_RATE_LIMITED = 4008

# What is recorded instead of a secret.
REDACTED = '...'
SECRET_KEYS = ('token', 'session_id')


def _redact(data):
    """
    Takes the secrets out of what a client sent.

    Parameters
    ----------
    data : `object`
        The `d` of the payload.

    Returns
    -------
    data : `object`
    """
    if isinstance(data, dict):
        return {key: (REDACTED if key in SECRET_KEYS else value) for key, value in data.items()}

    return data


class Conversation:
    """
    Speaks Discord's protocol over a connection.

    Attributes
    ----------
    connection : ``Connection``
        The connection.

    core : ``Core``
        The local Discord.

    identification : ``Identification``
        Handles IDENTIFY.

    resumption : ``Resumption``
        Handles RESUME.

    window : ``SendWindow``
        Counts what the client sends.
    """
    __slots__ = ('connection', 'core', 'identification', 'resumption', 'window')

    def __new__(cls, core, connection):
        """
        Creates a new conversation.

        Parameters
        ----------
        core : ``Core``
            The local Discord.

        connection : ``Connection``
            The connection.
        """
        self = object.__new__(cls)
        self.connection = connection
        self.core = core
        self.identification = Identification(self, core, connection)
        self.resumption = Resumption(self, core, connection)
        self.window = SendWindow()
        return self


    def run_stage(self, stage, proceed, *, abandon = None):
        """
        Passes a stage: lets its faults strike, then goes on, now or later, or not at all.

        Parameters
        ----------
        stage : `str`
            The stage.

        proceed : `callable`
            Called with the replacements of the stage's payload.

        abandon : `None | callable` = `None`, Optional
            Called if a fault took over.
        """
        connection = self.connection
        outcome = StageOutcome()

        for action in self.core.script.get_actions(stage, connection, self.core.now()):
            action.strike(connection, outcome)

        if outcome.is_over or (not connection.is_open):
            if (abandon is not None):
                abandon()

            self.core.recording.changed()

        elif outcome.delay:
            self.core.call_later(outcome.delay, self._proceed_delayed, proceed, abandon, outcome.replacements)

        else:
            proceed(outcome.replacements)


    def _proceed_delayed(self, proceed, abandon, replacements):
        """
        Goes on with a stage that was delayed, if the connection still lives.

        Parameters
        ----------
        proceed : `callable`
            Called with the replacements.

        abandon : `None | callable`
            Called if the connection is over.

        replacements : `list<callable>`
            What replaces the stage's payload.
        """
        if self.connection.is_open:
            proceed(replacements)

        elif (abandon is not None):
            abandon()


    def start(self):
        """
        Begins with HELLO.
        """
        self.run_stage(STAGE_HELLO, self._send_hello)


    def _send_hello(self, replacements):
        """
        Sends HELLO.

        Parameters
        ----------
        replacements : `list<callable>`
            What replaces it.
        """
        interval = round(self.core.options.heartbeat_interval * 1000.0)
        self.connection.send_replaced(
            encode_envelope(HELLO, encode_json({'heartbeat_interval': interval, '_trace': ['["local-discord"]']})),
            replacements,
        )
        self.connection.record.hello_at = self.core.now()
        self.core.recording.changed()
        self.run_stage(STAGE_HELLO_SENT, lambda replacements: None)


    def receive(self, message):
        """
        Handles a message of the client.

        Parameters
        ----------
        message : `bytes | str`
            The message.
        """
        core = self.core
        connection = self.connection
        if not connection.is_open:
            return

        now = core.now()
        size = len(message) if isinstance(message, bytes) else len(message.encode())

        try:
            payload = decode_json(message)
        except ValueError:
            payload = None

        if isinstance(payload, dict):
            operation = payload.get('op', None)
            data = payload.get('d', None)
        else:
            operation = None
            data = None

        if (not isinstance(operation, int)) or isinstance(operation, bool):
            operation = None

        record = OperationRecord(
            at = now, connection = connection.record.number, data = _redact(data), operation = operation,
            shard_id = connection.shard_id, size = size,
        )
        core.recording.operations.append(record)
        connection.record.operations.append(record)
        core.recording.changed()

        if not self.window.admit(now, core.options.send_limit, core.options.send_interval):
            connection.close(CLOSE_RATE_LIMITED, 'Rate limited.')
            return

        if (operation is None) or (size > PAYLOAD_SIZE_LIMIT):
            connection.close(CLOSE_DECODE_ERROR, 'Error while decoding payload.')
            return

        handler = HANDLERS.get(operation, None)
        if handler is None:
            connection.close(CLOSE_UNKNOWN_OPERATION, 'Unknown opcode.')
            return

        if (connection.session is None) and (operation in AUTHENTICATED_OPERATIONS):
            connection.close(CLOSE_NOT_AUTHENTICATED, 'Not authenticated.')
            return

        handler(self, data)


    def _receive_heartbeat(self, data):
        """
        Handles op 1.

        Parameters
        ----------
        data : `object`
            The sequence.
        """
        connection = self.connection
        self.core.recording.heartbeats.append(HeartbeatRecord(
            at = self.core.now(), connection = connection.record.number, sequence = data,
            shard_id = connection.shard_id,
        ))
        self.core.recording.changed()
        self.run_stage(STAGE_HEARTBEAT, lambda replacements: self._acknowledge_heartbeat(replacements, data))


    def _acknowledge_heartbeat(self, replacements, sequence):
        """
        Sends op 11.

        Parameters
        ----------
        replacements : `list<callable>`
            What replaces it.

        sequence : `object`
            The sequence that the heartbeat carried.
        """
        session = self.connection.session
        if self.core.options.heartbeat_trims and (session is not None) and isinstance(sequence, int):
            session.trim(sequence)

        self.connection.send_replaced(encode_envelope(HEARTBEAT_ACKNOWLEDGE, b'null'), replacements)


    def send_invalid_session(self):
        """
        Sends op 9 false: the answer to what cannot be identified or resumed.
        """
        self.connection.send_payload(encode_envelope(INVALIDATE_SESSION, b'false'))


    def _receive_identify(self, data):
        """
        Handles op 2.

        Parameters
        ----------
        data : `object`
            Its data.
        """
        self.identification.identify(data)


    def _receive_resume(self, data):
        """
        Handles op 6.

        Parameters
        ----------
        data : `object`
            Its data.
        """
        self.resumption.resume(data)


    def _receive_presence(self, data):
        """
        Handles op 3. There is nothing to answer.

        Parameters
        ----------
        data : `object`
            Its data.
        """
        if not isinstance(data, dict):
            self.connection.close(CLOSE_DECODE_ERROR, 'Error while decoding payload.')


    def _receive_voice_state(self, data):
        """
        Handles op 4.

        Parameters
        ----------
        data : `object`
            Its data.
        """
        if not answer_voice_state(self.core, self.connection.session, data):
            self.connection.close(CLOSE_DECODE_ERROR, 'Error while decoding payload.')


    def _receive_member_request(self, data):
        """
        Handles op 8.

        Parameters
        ----------
        data : `object`
            Its data.
        """
        if not answer_member_request(self.core, self.connection.session, data):
            self.connection.close(CLOSE_DECODE_ERROR, 'Error while decoding payload.')


    def _receive_soundboard_request(self, data):
        """
        Handles op 31.

        Parameters
        ----------
        data : `object`
            Its data.
        """
        if not answer_soundboard_request(self.core, self.connection.session, data):
            self.connection.close(CLOSE_DECODE_ERROR, 'Error while decoding payload.')


    def _receive_channel_info_request(self, data):
        """
        Handles op 43.

        Parameters
        ----------
        data : `object`
            Its data.
        """
        if not answer_channel_info_request(self.core, self.connection.session, data):
            self.connection.close(CLOSE_DECODE_ERROR, 'Error while decoding payload.')


# Discord docs, Gateway Opcodes.
REQUEST_SOUNDBOARD_SOUNDS = 31
REQUEST_CHANNEL_INFO = 43

HANDLERS = {
    HEARTBEAT: Conversation._receive_heartbeat,
    IDENTIFY: Conversation._receive_identify,
    PRESENCE: Conversation._receive_presence,
    REQUEST_CHANNEL_INFO: Conversation._receive_channel_info_request,
    REQUEST_GUILD_USERS: Conversation._receive_member_request,
    REQUEST_SOUNDBOARD_SOUNDS: Conversation._receive_soundboard_request,
    RESUME: Conversation._receive_resume,
    VOICE_STATE: Conversation._receive_voice_state,
}

AUTHENTICATED_OPERATIONS = frozenset((
    PRESENCE, REQUEST_CHANNEL_INFO, REQUEST_GUILD_USERS, REQUEST_SOUNDBOARD_SOUNDS, VOICE_STATE
))
