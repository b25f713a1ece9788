"""
IDENTIFY: who may, and the way to READY.
"""
__all__ = ('Identification',)

from .authentication import RESULT_FAULTED, AuthenticationBase
from .compression import COMPRESSION_NONE
from .stages import STAGE_IDENTIFY, STAGE_READY, STAGE_READY_SENT
from .identify_check import check_identify
from .payloads import encode_json
from .ready_data import build_ready_data, build_ready_supplemental_data
from .records import IdentifyRecord

# Discord docs, Gateway: "Gateway Close Event Codes".
CLOSE_DECODE_ERROR = 4002
CLOSE_AUTHENTICATION_FAILED = 4004
CLOSE_ALREADY_AUTHENTICATED = 4005

RESULT_READY = 'ready'
RESULT_TOO_EARLY = 'too_early'


class Identification(AuthenticationBase):
    """
    Handles IDENTIFY of a connection.
    """
    __slots__ = ()

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

        application = core.applications.get(data.get('token', None))
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

        if not core.applications.take_session_start(application):
            # The connection was closed together with all others of the application.
            self._settle(record, CLOSE_AUTHENTICATION_FAILED)
            return

        if (connection.record.compression == COMPRESSION_NONE) and (not core.options.ignore_compress):
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
        # Other servers of Discord's protocol number what they begin with all alike, with 0.
        step = 0 if core.options.repeat_sequences else 1

        def append_guilds():
            return [
                session.append('GUILD_CREATE', core.world.encode_guild(guild_id, application.application_id), step)
                for guild_id in guild_ids
            ]


        stream = core.streams.get(shard_id, None)
        if (stream is not None) and (stream.preface is not None):
            ready, *after = stream.build_preface(session, core.get_resume_gateway_url(shard_id))
            self._offer_ready(record, session, ready, after)
            return

        before = append_guilds() if core.options.guilds_before_ready else []
        ready = session.append('READY', encode_json(build_ready_data(core, session, guild_ids)), step)
        after = []
        if core.options.repeat_sequences:
            after.append(session.append('READY_SUPPLEMENTAL', encode_json(build_ready_supplemental_data(guild_ids)), 0))

        if not core.options.guilds_before_ready:
            after.extend(append_guilds())

        for payload in before:
            if connection.session is session:
                connection.send_event(payload)

        self._offer_ready(record, session, ready, after)


    def _offer_ready(self, record, session, ready, after):
        """
        Passes the stage of READY.

        Parameters
        ----------
        record : ``IdentifyRecord``
            What to note the result in.

        session : ``Session``
            The session.

        ready : `bytes`
            READY.

        after : `list<bytes>`
            The events that belong to READY and follow it.
        """
        sequence = session.sequence
        self.conversation.run_stage(
            STAGE_READY,
            lambda replacements: self._send_ready(record, session, ready, after, sequence, replacements),
            abandon = lambda: self._attach_faulted(record, session, sequence, after),
        )


    def _send_ready(self, record, session, ready, after, sequence, replacements):
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

        after : `list<bytes>`
            The events that belong to READY and follow it.

        sequence : `int`
            The sequence of the last of those.

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
        core.send_missed(session, connection, sequence, after)

        stream = core.streams.get(session.shard_id, None)
        if (stream is not None) and connection.is_open and (connection.session is session):
            stream.attach(connection)
