"""
A session with its replay buffer, and the table of all: what outlives a connection.

Discord numbers the events of a session one by one and keeps them for a while, so that a client that lost its connection can
ask for what it missed. Everything about numbers and keeping is here; who is connected is only a reference.
"""
__all__ = ('Session', 'SessionTable')

from collections import deque
from uuid import uuid4

from .codes import DISPATCH
from .payloads import encode_envelope

# Why a session ends: it was closed with 1000 or 1001; op 9 false or `end_sessions`; it was not resumed in time; its buffer
# does not reach back far enough; the token was reset; the local Discord stops.
END_CLIENT = 'client'
END_INVALIDATED = 'invalidated'
END_EXPIRED = 'expired'
END_OVERFLOW = 'overflow'
END_TOKEN = 'token'
END_STOPPED = 'stopped'

# Then no client can have its events any more. One that the client closed, or that it did not resume in time, is the
# client's own fault.
FORFEITING_REASONS = (END_INVALIDATED, END_OVERFLOW, END_TOKEN)


class Session:
    """
    A session of one shard.
    
    Attributes
    ----------
    application : ``None | Application``
        The application that the session belongs to.
    connection : ``None | Connection``
        The connection that it is used on right now.
    end_reason : `None | str`
        Why it ended: `'client'`, `'invalidated'`, `'expired'`, `'overflow'`, `'token'`, `'stopped'`. `None` while it can
        be used.
    intents : `int`
        The intents of its IDENTIFY.
    number : `int`
        Counts up over the sessions of a local Discord. Told instead of the id, that is kept secret.
    sequence : `int`
        Sequence of the newest event.
    session_id : `str`
        The id to resume with.
    shard_count : `int`
        Count of shards, as identified.
    shard_id : `int`
        The shard's id.
    _buffer : ``deque<(int, str, bytes)>``
        The kept events: sequence, name and encoded data.
    _dropped_sequence : `int`
        The sequence of the newest event that is not kept any more.
    """
    __slots__ = (
        '_buffer', '_dropped_sequence', 'application', 'connection', 'end_reason', 'intents', 'number', 'sequence',
        'session_id', 'shard_count', 'shard_id',
    )
    
    def __new__(cls, application, number, session_id, shard_id, shard_count, intents, bound):
        """The parameters are the attributes; `bound` is how many events are kept."""
        self = object.__new__(cls)
        self._buffer = deque(maxlen = bound)
        self._dropped_sequence = 0
        self.application = application
        self.connection = None
        self.end_reason = None
        self.intents = intents
        self.number = number
        self.sequence = 0
        self.session_id = session_id
        self.shard_count = shard_count
        self.shard_id = shard_id
        return self
    
    
    def __repr__(self):
        return (
            f'<{type(self).__name__} number = {self.number!r}, shard_id = {self.shard_id!r}, shard_count = '
            f'{self.shard_count!r}, sequence = {self.sequence!r}, is_connected = {self.is_connected!r}, end_reason = '
            f'{self.end_reason!r}>'
        )
    
    
    @property
    def is_connected(self):
        """Whether a connection uses the session."""
        return (self.connection is not None)
    
    
    @property
    def is_ended(self):
        """Whether the session ended."""
        return (self.end_reason is not None)
    
    
    @property
    def is_forfeited(self):
        """Whether Discord ended the session, so that no client can have its events any more."""
        return self.end_reason in FORFEITING_REASONS
    
    
    @property
    def buffered(self):
        """How many events are kept for a replay."""
        return len(self._buffer)
    
    
    def owns_guild(self, guild_id):
        """Returns whether the guild belongs to the session's shard. Discord docs, Gateway: "Sharding"."""
        return (guild_id >> 22) % self.shard_count == self.shard_id
    
    
    def append(self, name, data, step = 1):
        """Numbers an event and keeps it. Returns the payload."""
        buffer = self._buffer
        if len(buffer) == buffer.maxlen:
            self._dropped_sequence = buffer[0][0]
        
        sequence = self.sequence + step
        self.sequence = sequence
        buffer.append((sequence, name, data))
        return encode_envelope(DISPATCH, data, name, sequence)
    
    
    def append_unkept(self, name, data):
        """Numbers an event that is not replayed: RESUMED tells about a connection, not about the session."""
        self.sequence += 1
        return encode_envelope(DISPATCH, data, name, self.sequence)
    
    
    def leap(self, sequence):
        """Goes on from a sequence, up to which nothing is kept."""
        self._buffer.clear()
        self.sequence = self._dropped_sequence = sequence
    
    
    def trim(self, sequence):
        """Drops the kept events up to a sequence: the client told that it has them."""
        buffer = self._buffer
        while buffer and (buffer[0][0] <= sequence):
            self._dropped_sequence = buffer.popleft()[0]
    
    
    def reaches_back_to(self, sequence):
        """Returns whether all events after the sequence are still there."""
        return sequence >= self._dropped_sequence
    
    
    def iter_missed(self, sequence):
        """Iterates over the events after the sequence, as sequence and payload."""
        missed = []
        for item in reversed(self._buffer):
            if item[0] <= sequence:
                break
            
            missed.append(item)
        
        for item_sequence, name, data in reversed(missed):
            yield item_sequence, encode_envelope(DISPATCH, data, name, item_sequence)
    
    
    def end(self, reason):
        """Ends the session: it cannot be resumed any more, and nothing is kept for it."""
        if self.end_reason is None:
            self.end_reason = reason
            self._buffer.clear()


class SessionTable:
    """
    The sessions that can be used, and how long those without connection still can.
    
    Attributes
    ----------
    core : ``Core``
        The local Discord.
    _by_id : ``dict<str, Session>``
        The sessions.
    _expirations : ``dict<Session, asyncio.TimerHandle>``
        What ends the sessions that have no connection.
    _number : `int`
        The number of the newest session.
    """
    __slots__ = ('_by_id', '_expirations', '_number', 'core')
    
    def __new__(cls, core):
        self = object.__new__(cls)
        self._by_id = {}
        self._expirations = {}
        self._number = 0
        self.core = core
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} {list(self._by_id.values())!r}>'
    
    
    def __iter__(self):
        """Iterates over the sessions that can be used, the oldest first."""
        return iter([session for session in self._by_id.values() if not session.is_ended])
    
    
    def create(self, application, shard_id, shard_count, intents):
        """Creates a session."""
        self._number += 1
        core = self.core
        guild_count = len(core.world.get_guild_ids_of(shard_id, shard_count))
        session = Session(
            application, self._number, uuid4().hex, shard_id, shard_count, intents,
            core.options.get_replay_bound(guild_count),
        )
        self._by_id[session.session_id] = session
        return session
    
    
    def find(self, session_id, application):
        """Finds a session to resume, by what the client gave; `None` if there is no such one of the application."""
        session = self._by_id.get(session_id, None) if isinstance(session_id, str) else None
        if (session is None) or (session.application is not application) or session.is_ended:
            return None
        
        return session
    
    
    def select(self, *, shard_id = None, guild_id = None, application_id = None):
        """Selects sessions that can be used: of a shard, of a guild's shard, of an application."""
        return [
            session for session in self
            if ((shard_id is None) or (session.shard_id == shard_id))
            and ((guild_id is None) or session.owns_guild(guild_id))
            and ((application_id is None) or (session.application.application_id == application_id))
        ]
    
    
    def hold(self, session):
        """Stops the time of a session: it is being resumed."""
        handle = self._expirations.pop(session, None)
        if (handle is not None):
            handle.cancel()
    
    
    def connect(self, session, connection):
        """Lets a session's events go over a connection."""
        self.hold(session)
        session.connection = connection
    
    
    def disconnect(self, session):
        """Takes the connection of a session away. It may be resumed for some time."""
        session.connection = None
        self.hold(session)
        if session.is_ended:
            self._by_id.pop(session.session_id, None)
            return
        
        self._expirations[session] = self.core.call_later(
            self.core.options.session_lifetime, self.end, session, END_EXPIRED
        )
    
    
    def end(self, session, reason):
        """Ends a session. Its connection, if any, lives on without."""
        self.hold(session)
        session.end(reason)
        session.connection = None
        self._by_id.pop(session.session_id, None)
        self.core.recording.changed()
