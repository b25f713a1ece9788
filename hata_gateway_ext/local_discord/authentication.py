"""
IDENTIFY and RESUME: who may, and what follows.

A session gets its events over a connection only from READY or RESUMED on (`Session.connection`); what happens before that lands in
its replay buffer and is sent in order. So delaying or cutting any of these stages never reorders an event.
"""
__all__ = ('Authentication',)

from .compression import COMPRESSION_NONE
from .faults import (
    STAGE_IDENTIFY, STAGE_READY, STAGE_READY_SENT, STAGE_REPLAY, STAGE_RESUME, STAGE_RESUMED, STAGE_RESUMED_SENT
)
from .identify_check import check_identify
from .payloads import encode_json
from .ready_data import build_ready_data, build_resumed_data
from .records import IdentifyRecord, ResumeRecord

# Discord docs, Gateway: "Gateway Close Event Codes".
CLOSE_DECODE_ERROR = 4002
CLOSE_AUTHENTICATION_FAILED = 4004
CLOSE_ALREADY_AUTHENTICATED = 4005
CLOSE_INVALID_SEQUENCE = 4007
CLOSE_SESSION_TAKEN_OVER = 4000

RESULT_FAULTED = 'faulted'
RESULT_INVALID = 'invalid'
RESULT_READY = 'ready'
RESULT_RESUMED = 'resumed'
RESULT_TOO_EARLY = 'too_early'


class Authentication:
    """
    Handles IDENTIFY and RESUME of a connection.

    Attributes
    ----------
    connection : ``Connection``
        The connection.

    conversation : ``Conversation``
        What it belongs to.

    core : ``Core``
        The local Discord.
    """
    __slots__ = ('connection', 'conversation', 'core')

    def __new__(cls, conversation, core, connection):
        """
        Creates it.

        Parameters
        ----------
        conversation : ``Conversation``
            What it belongs to.

        core : ``Core``
            The local Discord.

        connection : ``Connection``
            The connection.
        """
        self = object.__new__(cls)
        self.connection = connection
        self.conversation = conversation
        self.core = core
        return self


    def _settle(self, record, result):
        """
        Notes how it ended.

        Parameters
        ----------
        record : ``IdentifyRecord | ResumeRecord``
            What to note it in.

        result : `int | str`
            The result.
        """
        if record.result is None:
            record.result = result

        self.core.recording.changed()


    def _refuse(self, record, close_code, reason):
        """
        Closes because of what the client asked for.

        Parameters
        ----------
        record : ``IdentifyRecord | ResumeRecord``
            What to note it in.

        close_code : `int`
            The close code.

        reason : `str`
            What Discord says to that.
        """
        self._settle(record, close_code)
        self.connection.close(close_code, reason)


    def identify(self, data):
        """
        Handles IDENTIFY.

        Parameters
        ----------
        data : `object`
            Its data.
        """
        core = self.core
        connection = self.connection
        now = core.now()
        record = IdentifyRecord(at = now, connection = connection.record.number)
        core.recording.identifies.append(record)

        if (connection.session is not None):
            self._refuse(record, CLOSE_ALREADY_AUTHENTICATED, 'Already authenticated.')
            return

        if not isinstance(data, dict):
            self._refuse(record, CLOSE_DECODE_ERROR, 'Error while decoding payload.')
            return

        application = core.get_application(data.get('token', None))
        if application is None:
            self._refuse(record, CLOSE_AUTHENTICATION_FAILED, 'Authentication failed.')
            return

        close_code, reason, shard_id, shard_count = check_identify(data, core.options, connection.record.version)
        record.shard_id = shard_id
        record.shard_count = shard_count
        if (close_code is not None):
            self._refuse(record, close_code, reason)
            return

        connection.shard_id = connection.record.shard_id = shard_id
        connection.record.shard_count = shard_count

        if not application.enter_bucket(now, shard_id, core.options.max_concurrency, core.options.identify_interval):
            self._settle(record, RESULT_TOO_EARLY)
            self.conversation.send_invalid_session()
            return

        if not core.take_session_start(application):
            # The connection was closed together with all others of the application.
            self._settle(record, CLOSE_AUTHENTICATION_FAILED)
            return

        if connection.record.compression == COMPRESSION_NONE:
            connection.deflater.compress_payloads = (data.get('compress', False) is True)

        connection.application = application
        self.conversation.run_stage(
            STAGE_IDENTIFY,
            lambda replacements: self._create_session(record, application, shard_id, shard_count, data['intents']),
            abandon = lambda: self._settle(record, RESULT_FAULTED),
        )


    def _create_session(self, record, application, shard_id, shard_count, intents):
        """
        Creates the session.

        Parameters
        ----------
        record : ``IdentifyRecord``
            What to note the result in.

        application : ``Application``
            Whose session it is.

        shard_id : `int`
            The shard.

        shard_count : `int`
            Count of shards.

        intents : `int`
            The intents.
        """
        core = self.core
        connection = self.connection
        session = core.sessions.create(application, shard_id, shard_count, intents)
        connection.session = session
        connection.record.session_number = session.number
        guild_ids = core.world.get_guild_ids_of(shard_id, shard_count)
        ready = session.append('READY', encode_json(build_ready_data(core, session, guild_ids)))

        for guild_id in guild_ids:
            session.append('GUILD_CREATE', core.world.encode_guild(guild_id, application.application_id))

        self.conversation.run_stage(
            STAGE_READY,
            lambda replacements: self._send_ready(record, session, ready, replacements),
            abandon = lambda: self._attach_faulted(record, session, 1),
        )


    def _attach_faulted(self, record, session, sequence):
        """
        Goes on without READY or RESUMED: the events flow if the connection still lives.

        Parameters
        ----------
        record : ``IdentifyRecord | ResumeRecord``
            What to note the result in.

        session : ``Session``
            The session.

        sequence : `int`
            The sequence up to which events were sent.
        """
        self._settle(record, RESULT_FAULTED)
        if self.connection.is_open and (self.connection.session is session):
            self.core.sessions.connect(session, self.connection)
            self.core.send_missed(session, self.connection, sequence)
        else:
            self._forsake(session)


    def _forsake(self, session):
        """
        Lets a session that never got onto its connection wait for being resumed.

        Parameters
        ----------
        session : ``Session``
            The session.
        """
        if self.core.find_connection_of(session) is None:
            self.core.sessions.disconnect(session)


    def _send_ready(self, record, session, ready, replacements):
        """
        Sends READY and what came after it meanwhile.

        Parameters
        ----------
        record : ``IdentifyRecord``
            What to note the result in.

        session : ``Session``
            The session.

        ready : `bytes`
            READY.

        replacements : `list<callable>`
            What replaces it.
        """
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
        self.conversation.run_stage(STAGE_READY_SENT, lambda replacements: None)
        core.send_missed(session, connection, 1)


    def resume(self, data):
        """
        Handles RESUME.

        Parameters
        ----------
        data : `object`
            Its data.
        """
        core = self.core
        connection = self.connection
        record = ResumeRecord(
            at = core.now(), connection = connection.record.number, listener = connection.record.listener, replayed = 0,
            sequence = data.get('seq', None) if isinstance(data, dict) else None, shard_id = connection.shard_id,
        )
        core.recording.resumes.append(record)

        if (connection.session is not None):
            self._refuse(record, CLOSE_ALREADY_AUTHENTICATED, 'Already authenticated.')
            return

        sequence = record.sequence
        if (not isinstance(sequence, int)) or isinstance(sequence, bool):
            self._refuse(record, CLOSE_DECODE_ERROR, 'Error while decoding payload.')
            return

        application = core.get_application(data.get('token', None))
        if application is None:
            self._refuse(record, CLOSE_AUTHENTICATION_FAILED, 'Authentication failed.')
            return

        session = core.sessions.find(data.get('session_id', None), application)
        if (session is not None):
            connection.shard_id = connection.record.shard_id = record.shard_id = session.shard_id
            connection.record.shard_count = session.shard_count

        connection.application = application
        self.conversation.run_stage(
            STAGE_RESUME,
            lambda replacements: self._judge_resume(record, session, sequence),
            abandon = lambda: self._settle(record, RESULT_FAULTED),
        )


    def _judge_resume(self, record, session, sequence):
        """
        Takes the session over, or refuses.

        Parameters
        ----------
        record : ``ResumeRecord``
            What to note the result in.

        session : `None | Session`
            The session, if there is such a one.

        sequence : `int`
            The sequence to resume from.
        """
        core = self.core
        connection = self.connection

        if (session is not None) and (not session.is_ended) and ((sequence < 0) or (sequence > session.sequence)):
            self._refuse(record, CLOSE_INVALID_SEQUENCE, 'Invalid seq.')
            return

        if (session is not None) and (not session.is_ended) and (not session.reaches_back_to(sequence)):
            core.sessions.end(session, 'overflow')

        if (session is None) or session.is_ended:
            self._settle(record, RESULT_INVALID)
            self.conversation.send_invalid_session()
            return

        old_connection = core.find_connection_of(session)
        if (old_connection is not None):
            old_connection.detach()
            # A connection that fell silent stays so: its network is dead, a close frame could not go over it either.
            if not old_connection.is_held:
                old_connection.close(CLOSE_SESSION_TAKEN_OVER, 'Session resumed elsewhere.')

        connection.session = session
        connection.record.session_number = session.number
        core.sessions.hold(session)
        self._replay(record, session, sequence)


    def _replay(self, record, session, sequence):
        """
        Replays what came after the sequence, then goes on to RESUMED.

        Parameters
        ----------
        record : ``ResumeRecord``
            What to note the result in.

        session : ``Session``
            The session.

        sequence : `int`
            The sequence that the client has got.
        """
        core = self.core
        connection = self.connection

        if not core.script.has(STAGE_REPLAY):
            if connection.session is session:
                record.replayed += core.send_missed(session, connection, sequence)

        else:
            for item_sequence, payload in session.iter_missed(sequence):
                # Returns `False` when it goes on later, or never.
                if not self._replay_one(record, session, item_sequence, payload):
                    return

        reached = session.sequence
        self.conversation.run_stage(
            STAGE_RESUMED,
            lambda replacements: self._send_resumed(record, session, reached, replacements),
            abandon = lambda: self._attach_faulted(record, session, reached),
        )


    def _replay_one(self, record, session, sequence, payload):
        """
        Replays an event under faults.

        Parameters
        ----------
        record : ``ResumeRecord``
            What to note the result in.

        session : ``Session``
            The session.

        sequence : `int`
            The event's sequence.

        payload : `bytes`
            The event.

        Returns
        -------
        goes_on : `bool`
            Whether the next event follows at once.
        """
        connection = self.connection
        is_now = True
        has_passed = False

        def proceed(replacements):
            nonlocal has_passed
            if connection.session is not session:
                abandon()
                return

            has_passed = True
            connection.send_replaced(payload, replacements)
            connection.record.dispatched += 1
            record.replayed += 1
            if not is_now:
                self._replay(record, session, sequence)


        def abandon():
            nonlocal has_passed
            if connection.is_open and (connection.session is session):
                has_passed = True
                if not is_now:
                    self._replay(record, session, sequence)
            else:
                self._settle(record, RESULT_FAULTED)
                self._forsake(session)


        self.conversation.run_stage(STAGE_REPLAY, proceed, abandon = abandon)
        is_now = False
        return has_passed


    def _send_resumed(self, record, session, sequence, replacements):
        """
        Sends RESUMED, after what came meanwhile.

        Parameters
        ----------
        record : ``ResumeRecord``
            What to note the result in.

        session : ``Session``
            The session.

        sequence : `int`
            The sequence up to which events were sent.

        replacements : `list<callable>`
            What replaces RESUMED.
        """
        core = self.core
        connection = self.connection
        if connection.session is not session:
            self._settle(record, RESULT_FAULTED)
            self._forsake(session)
            return

        record.replayed += core.send_missed(session, connection, sequence)
        connection.send_replaced(session.append_unkept('RESUMED', encode_json(build_resumed_data())), replacements)
        connection.record.dispatched += 1
        connection.record.resumed_at = core.now()
        core.sessions.connect(session, connection)
        self._settle(record, RESULT_RESUMED)
        self.conversation.run_stage(STAGE_RESUMED_SENT, lambda replacements: None)
