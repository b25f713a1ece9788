"""
A conversation over a connection: HELLO, IDENTIFY to READY, RESUME to RESUMED, and what Discord refuses.

Each stage of it asks the fault script first: what is sent at it may be left out, replaced or delayed by a fault, so a stage
is a function that goes on, and one that is called if a fault took over.

A session gets its events over a connection only from READY or RESUMED on (`Session.connection`); what happens before that
lands in its replay buffer and is sent in order. So delaying or cutting any stage never reorders an event.
"""
__all__ = ('Conversation',)

from collections import deque

from .actions import (
    STAGE_HEARTBEAT, STAGE_HELLO, STAGE_HELLO_SENT, STAGE_IDENTIFY, STAGE_READY, STAGE_READY_SENT, STAGE_REPLAY,
    STAGE_RESUME, STAGE_RESUMED, STAGE_RESUMED_SENT
)
from .codes import (
    CLOSE_ALREADY_AUTHENTICATED, CLOSE_AUTHENTICATION_FAILED, CLOSE_DECODE_ERROR, CLOSE_DISALLOWED_INTENTS,
    CLOSE_INVALID_INTENTS, CLOSE_INVALID_SEQUENCE, CLOSE_INVALID_SHARD, CLOSE_INVALID_VERSION, CLOSE_NOT_AUTHENTICATED,
    CLOSE_RATE_LIMITED, CLOSE_SHARDING_REQUIRED, CLOSE_UNKNOWN_ERROR, CLOSE_UNKNOWN_OPERATION, HEARTBEAT,
    HEARTBEAT_ACKNOWLEDGE, HELLO, IDENTIFY, INTENTS, INVALIDATE_SESSION, PAYLOAD_SIZE_LIMIT, RESUME, VERSIONS
)
from .compression import PlainDeflater
from .options import TAKEOVER_REFUSE
from .payloads import decode_json, encode_envelope, encode_json
from .recording import HeartbeatRecord, IdentifyRecord, OperationRecord, ResumeRecord
from .requests import ANSWERS
from .session import END_OVERFLOW
from .world import TRACE, build_ready_data, build_ready_supplemental_data

# How IDENTIFY and RESUME end, if not with a close code.
RESULT_FAULTED = 'faulted'
RESULT_INVALID = 'invalid'
RESULT_READY = 'ready'
RESULT_RESUMED = 'resumed'
RESULT_TAKEN = 'taken'
RESULT_TOO_EARLY = 'too_early'

# What is recorded instead of a secret.
REDACTED = '...'
SECRET_KEYS = ('token', 'session_id')


def _redact(data):
    if isinstance(data, dict):
        return {key: (REDACTED if key in SECRET_KEYS else value) for key, value in data.items()}
    
    return data


def _is_whole_number(value):
    """Returns whether the value is a whole number in JSON."""
    return isinstance(value, int) and (not isinstance(value, bool))


def _do_nothing(replacements):
    """A stage that has no message of its own."""


class Conversation:
    """
    Speaks Discord's protocol over a connection.
    
    Attributes
    ----------
    connection : ``Connection``
        The connection.
    core : ``Core``
        The local Discord.
    _received_at : `deque<float>`
        When the payloads of the last `send_interval` came.
    """
    __slots__ = ('_received_at', 'connection', 'core')
    
    def __new__(cls, core, connection):
        """The parameters are the attributes."""
        self = object.__new__(cls)
        self._received_at = deque()
        self.connection = connection
        self.core = core
        return self
    
    
    def run_stage(self, stage, proceed, abandon = None):
        """
        Passes a stage: lets its faults strike, then goes on, now or later, or not at all. `proceed` gets the functions that
        replace the stage's payload, `abandon` is called if a fault took over.
        """
        connection = self.connection
        outcome = self.core.script.strike(stage, connection)
        
        def go_on():
            if connection.is_open and (not outcome.is_over):
                proceed(outcome.replacements)
                return
            
            if (abandon is not None):
                abandon()
            
            self.core.recording.changed()
        
        
        if outcome.delay and connection.is_open and (not outcome.is_over):
            self.core.call_later(outcome.delay, go_on)
        else:
            go_on()
    
    
    def start(self):
        """Begins with HELLO."""
        self.run_stage(STAGE_HELLO, self._send_hello)
    
    
    def _send_hello(self, replacements):
        interval = round(self.core.options.heartbeat_interval * 1000.0)
        self.connection.send_replaced(
            encode_envelope(HELLO, encode_json({'heartbeat_interval': interval, '_trace': TRACE})), replacements
        )
        self.connection.record.hello_at = self.core.now()
        self.core.recording.changed()
        self.run_stage(STAGE_HELLO_SENT, _do_nothing)
    
    
    # what the client sends
    
    
    def receive(self, message):
        """Handles a message of the client, `bytes` or `str`."""
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
        
        operation = data = None
        if isinstance(payload, dict):
            operation = payload.get('op', None)
            data = payload.get('d', None)
        
        if not _is_whole_number(operation):
            operation = None
        
        record = OperationRecord(
            at = now, connection = connection.record.number, data = _redact(data), operation = operation,
            shard_id = connection.shard_id, size = size,
        )
        core.recording.operations.append(record)
        connection.record.operations.append(record)
        core.recording.changed()
        
        # All operations count, those that are refused as well.
        if not self._admit(now):
            connection.close(CLOSE_RATE_LIMITED)
        
        elif (operation is None) or (size > PAYLOAD_SIZE_LIMIT):
            connection.close(CLOSE_DECODE_ERROR)
        
        elif operation == HEARTBEAT:
            self._receive_heartbeat(data)
        
        elif operation == IDENTIFY:
            self._receive_identify(data)
        
        elif operation == RESUME:
            self._receive_resume(data)
        
        else:
            self._receive_request(operation, data)
    
    
    def _admit(self, now):
        """Counts a payload; returns whether it is within the limit. Discord docs, Gateway: "Rate Limiting"."""
        options = self.core.options
        received_at = self._received_at
        while received_at and (received_at[0] <= now - options.send_interval):
            received_at.popleft()
        
        received_at.append(now)
        return len(received_at) <= options.send_limit
    
    
    def _receive_heartbeat(self, data):
        connection = self.connection
        self.core.recording.heartbeats.append(HeartbeatRecord(
            at = self.core.now(), connection = connection.record.number, sequence = data,
            shard_id = connection.shard_id,
        ))
        self.core.recording.changed()
        
        def acknowledge(replacements):
            session = connection.session
            if self.core.options.heartbeat_trims and (session is not None) and _is_whole_number(data):
                session.trim(data)
            
            connection.send_replaced(encode_envelope(HEARTBEAT_ACKNOWLEDGE, b'null'), replacements)
        
        
        self.run_stage(STAGE_HEARTBEAT, acknowledge)
    
    
    def _receive_request(self, operation, data):
        answer = ANSWERS.get(operation, None)
        session = self.connection.session
        if answer is None:
            self.connection.close(CLOSE_UNKNOWN_OPERATION)
        
        elif session is None:
            self.connection.close(CLOSE_NOT_AUTHENTICATED)
        
        elif (not isinstance(data, dict)) or (not answer(self.core, session, data)):
            self.connection.close(CLOSE_DECODE_ERROR)
    
    
    # what IDENTIFY and RESUME have in common
    
    
    def _settle(self, record, result):
        """Notes how it ended."""
        if record.result is None:
            record.result = result
        
        self.core.recording.changed()
    
    
    def _refuse(self, record, close_code):
        """Closes because of what the client asked for."""
        self._settle(record, close_code)
        self.connection.close(close_code)
    
    
    def _invalidate(self, record, result):
        """Answers what cannot be identified or resumed with op 9 false."""
        self._settle(record, result)
        self.connection.send_payload(encode_envelope(INVALIDATE_SESSION, b'false'))
    
    
    def _attach_faulted(self, record, session, sequence, payloads = ()):
        """Goes on without READY or RESUMED: the events flow if the connection still lives."""
        self._settle(record, RESULT_FAULTED)
        if self.connection.is_open and (self.connection.session is session):
            self.core.sessions.connect(session, self.connection)
            self.core.send_missed(session, self.connection, sequence, payloads)
        else:
            self._forsake(session)
    
    
    def _forsake(self, session):
        """Lets a session that never got onto its connection wait for being resumed."""
        if self.core.find_connection_of(session) is None:
            self.core.sessions.disconnect(session)
    
    
    # IDENTIFY
    
    
    def _receive_identify(self, data):
        core = self.core
        connection = self.connection
        now = core.now()
        record = IdentifyRecord(at = now, connection = connection.record.number)
        core.recording.identifies.append(record)
        
        if (connection.session is not None):
            self._refuse(record, CLOSE_ALREADY_AUTHENTICATED)
            return
        
        if not isinstance(data, dict):
            self._refuse(record, CLOSE_DECODE_ERROR)
            return
        
        application = core.applications.get(data.get('token', None))
        if application is None:
            self._refuse(record, CLOSE_AUTHENTICATION_FAILED)
            return
        
        close_code = self._check_identify(record, data)
        if (close_code is not None):
            self._refuse(record, close_code)
            return
        
        connection.shard_id = connection.record.shard_id = record.shard_id
        connection.record.shard_count = record.shard_count
        
        options = core.options
        if not application.enter_bucket(now, record.shard_id, options.max_concurrency, options.identify_interval):
            self._invalidate(record, RESULT_TOO_EARLY)
            return
        
        if not core.applications.take_session_start(application):
            # The connection was closed together with all others of the application.
            self._settle(record, CLOSE_AUTHENTICATION_FAILED)
            return
        
        if isinstance(connection.deflater, PlainDeflater) and (not options.ignore_compress):
            connection.deflater.compress_payloads = (data.get('compress', False) is True)
        
        connection.application = application
        self.run_stage(
            STAGE_IDENTIFY,
            lambda replacements: self._create_session(record, application, data['intents']),
            lambda: self._settle(record, RESULT_FAULTED),
        )
    
    
    def _check_identify(self, record, data):
        """Notes the shard of an IDENTIFY, and returns the code to close with if anything is wrong with its fields."""
        options = self.core.options
        shard = data.get('shard', None)
        if shard is None:
            shard = (0, 1)
        
        if isinstance(shard, (list, tuple)) and (len(shard) == 2) and all(_is_whole_number(value) for value in shard):
            record.shard_id, record.shard_count = shard
        
        intents = data.get('intents', None)
        
        if self.connection.record.version not in VERSIONS:
            return CLOSE_INVALID_VERSION
        
        if (not _is_whole_number(intents)) or (intents < 0) or (intents & ~INTENTS):
            return CLOSE_INVALID_INTENTS
        
        if intents & options.disallowed_intents:
            return CLOSE_DISALLOWED_INTENTS
        
        if (record.shard_id is None) or not (0 <= record.shard_id < record.shard_count):
            return CLOSE_INVALID_SHARD
        
        if record.shard_count < options.required_shards:
            return CLOSE_SHARDING_REQUIRED
        
        return None
    
    
    def _create_session(self, record, application, intents):
        core = self.core
        connection = self.connection
        options = core.options
        session = core.sessions.create(application, record.shard_id, record.shard_count, intents)
        connection.session = session
        connection.record.session_number = session.number
        guild_ids = core.world.get_guild_ids_of(session.shard_id, session.shard_count)
        resume_gateway_url = core.get_resume_gateway_url(session.shard_id)
        stream = core.streams.get(session.shard_id, None)
        
        # Other servers of Discord's protocol give all that they begin with one number, 0.
        step = 0 if options.repeat_sequences else 1
        
        def append_guilds():
            return [
                session.append('GUILD_CREATE', core.world.encode_guild(guild_id, application.application_id), step)
                for guild_id in guild_ids
            ]
        
        
        before = []
        if (stream is not None) and (stream.preface is not None):
            ready, *after = stream.build_preface(session, resume_gateway_url)
        else:
            if options.guilds_before_ready:
                before = append_guilds()
            
            ready = session.append(
                'READY', encode_json(build_ready_data(session, guild_ids, resume_gateway_url)), step
            )
            after = []
            if options.repeat_sequences:
                after.append(
                    session.append('READY_SUPPLEMENTAL', encode_json(build_ready_supplemental_data(guild_ids)), step)
                )
            
            if not options.guilds_before_ready:
                after.extend(append_guilds())
        
        # What is appended from now on comes behind all of that.
        sequence = session.sequence
        for payload in before:
            if connection.session is session:
                connection.send_event(payload)
        
        self.run_stage(
            STAGE_READY,
            lambda replacements: self._send_ready(record, session, ready, after, sequence, replacements),
            lambda: self._attach_faulted(record, session, sequence, after),
        )
    
    
    def _send_ready(self, record, session, ready, after, sequence, replacements):
        """Sends READY, what belongs to it, and what came meanwhile."""
        core = self.core
        connection = self.connection
        if connection.session is not session:
            self._settle(record, RESULT_FAULTED)
            self._forsake(session)
            return
        
        connection.send_replaced(ready, replacements)
        connection.record.dispatched += 1
        connection.record.ready_at = core.now()
        core.sessions.connect(session, connection)
        self._settle(record, RESULT_READY)
        self.run_stage(STAGE_READY_SENT, _do_nothing)
        core.send_missed(session, connection, sequence, after)
        
        stream = core.streams.get(session.shard_id, None)
        if (stream is not None) and connection.is_open and (connection.session is session):
            stream.attach(connection)
    
    
    # RESUME
    
    
    def _receive_resume(self, data):
        core = self.core
        connection = self.connection
        sequence = data.get('seq', None) if isinstance(data, dict) else None
        record = ResumeRecord(
            at = core.now(), connection = connection.record.number, listener = connection.record.listener, replayed = 0,
            sequence = sequence, shard_id = connection.shard_id,
        )
        core.recording.resumes.append(record)
        
        if (connection.session is not None):
            self._refuse(record, CLOSE_ALREADY_AUTHENTICATED)
            return
        
        if not _is_whole_number(sequence):
            self._refuse(record, CLOSE_DECODE_ERROR)
            return
        
        application = core.applications.get(data.get('token', None))
        if application is None:
            self._refuse(record, CLOSE_AUTHENTICATION_FAILED)
            return
        
        session = core.sessions.find(data.get('session_id', None), application)
        if (session is not None):
            connection.shard_id = connection.record.shard_id = record.shard_id = session.shard_id
            connection.record.shard_count = session.shard_count
        
        connection.application = application
        self.run_stage(
            STAGE_RESUME,
            lambda replacements: self._judge_resume(record, session, sequence),
            lambda: self._settle(record, RESULT_FAULTED),
        )
    
    
    def _judge_resume(self, record, session, sequence):
        """Takes the session over, or refuses."""
        core = self.core
        connection = self.connection
        
        if (session is None) or session.is_ended:
            self._invalidate(record, RESULT_INVALID)
            return
        
        if not (0 <= sequence <= session.sequence):
            self._refuse(record, CLOSE_INVALID_SEQUENCE)
            return
        
        if not session.reaches_back_to(sequence):
            core.sessions.end(session, END_OVERFLOW)
            self._invalidate(record, RESULT_INVALID)
            return
        
        old_connection = core.find_connection_of(session)
        if (old_connection is not None):
            if core.options.takeover == TAKEOVER_REFUSE:
                self._invalidate(record, RESULT_TAKEN)
                return
            
            old_connection.detach()
            # A connection that fell silent stays so: its network is dead, a close frame could not go over it either.
            # Discord does not document the code; this one keeps sessions.
            if not old_connection.outbox.is_held:
                old_connection.close(CLOSE_UNKNOWN_ERROR, 'Session resumed elsewhere.')
        
        connection.session = session
        connection.record.session_number = session.number
        core.sessions.hold(session)
        self._replay(record, session, sequence)
    
    
    def _replay(self, record, session, sequence):
        """Replays what came after the sequence, then goes on to RESUMED."""
        core = self.core
        connection = self.connection
        
        if not core.script.has(STAGE_REPLAY):
            if connection.session is session:
                record.replayed += core.send_missed(session, connection, sequence)
        
        else:
            for item_sequence, payload in session.iter_missed(sequence):
                if not self._replay_one(record, session, item_sequence, payload):
                    return
        
        reached = session.sequence
        self.run_stage(
            STAGE_RESUMED,
            lambda replacements: self._send_resumed(record, session, reached, replacements),
            lambda: self._attach_faulted(record, session, reached),
        )
    
    
    def _replay_one(self, record, session, sequence, payload):
        """
        Replays an event under faults. Returns whether the next one follows at once; it may follow later, when this calls
        ``._replay`` itself, or never.
        """
        connection = self.connection
        is_now = True
        has_passed = False
        
        def proceed(replacements):
            if connection.session is session:
                connection.send_replaced(payload, replacements)
                connection.record.dispatched += 1
                record.replayed += 1
            
            abandon()
        
        
        def abandon():
            nonlocal has_passed
            if connection.is_open and (connection.session is session):
                has_passed = True
                if not is_now:
                    self._replay(record, session, sequence)
            else:
                self._settle(record, RESULT_FAULTED)
                self._forsake(session)
        
        
        self.run_stage(STAGE_REPLAY, proceed, abandon)
        is_now = False
        return has_passed
    
    
    def _send_resumed(self, record, session, sequence, replacements):
        """Sends what came meanwhile, and RESUMED."""
        core = self.core
        connection = self.connection
        if connection.session is not session:
            self._settle(record, RESULT_FAULTED)
            self._forsake(session)
            return
        
        record.replayed += core.send_missed(session, connection, sequence)
        connection.send_replaced(session.append_unkept('RESUMED', encode_json({'_trace': TRACE})), replacements)
        connection.record.dispatched += 1
        connection.record.resumed_at = core.now()
        core.sessions.connect(session, connection)
        self._settle(record, RESULT_RESUMED)
        self.run_stage(STAGE_RESUMED_SENT, _do_nothing)
