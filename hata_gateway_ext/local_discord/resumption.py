"""
RESUME: who may, the replay, and the way to RESUMED.
"""
__all__ = ('Resumption',)

from .authentication import RESULT_FAULTED, AuthenticationBase
from .stages import STAGE_REPLAY, STAGE_RESUME, STAGE_RESUMED, STAGE_RESUMED_SENT
from .options import TAKEOVER_REFUSE
from .payloads import encode_json
from .ready_data import build_resumed_data
from .records import ResumeRecord

# Discord docs, Gateway: "Gateway Close Event Codes".
CLOSE_DECODE_ERROR = 4002
CLOSE_AUTHENTICATION_FAILED = 4004
CLOSE_ALREADY_AUTHENTICATED = 4005
CLOSE_INVALID_SEQUENCE = 4007

# Discord does not document with what it closes the old connection of a session that is resumed elsewhere. This code
# keeps the session.
CLOSE_SESSION_TAKEN_OVER = 4000

RESULT_INVALID = 'invalid'
RESULT_RESUMED = 'resumed'
RESULT_TAKEN = 'taken'


class Resumption(AuthenticationBase):
    """
    Handles RESUME of a connection.
    """
    __slots__ = ()

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

        application = core.applications.get(data.get('token', None))
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

        old_connection = core.connections.find_of(session)
        if (old_connection is not None):
            if core.options.takeover == TAKEOVER_REFUSE:
                self._settle(record, RESULT_TAKEN)
                self.conversation.send_invalid_session()
                return

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
