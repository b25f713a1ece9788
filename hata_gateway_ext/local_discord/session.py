"""
A gateway session with its replay buffer: what outlives a connection.

Discord numbers the events of a session one by one and keeps them for a while, so that a client that lost its connection
can ask for what it missed. Everything about numbers and keeping is here; who is connected is only a reference.
"""
__all__ = ('Session',)

from collections import deque

from ..protocol.operations import DISPATCH

from .payloads import encode_envelope

FORFEITING_REASONS = ('invalidated', 'overflow', 'token')


class Session:
    """
    A session of one shard.

    Attributes
    ----------
    application : ``Application``
        The application that the session belongs to.

    connection : `None | Connection`
        The connection that it is used on right now.

    end_reason : `None | str`
        Why it ended. `None` while it can be used. `'client'`: closed with 1000 or 1001. `'invalidated'`: by op 9 false
        or by `end_sessions`. `'expired'`: not resumed in time. `'overflow'`: the replay buffer does not reach back far
        enough.
        `'token'`: the token was reset. `'stopped'`.

    expires_at : `float`
        When it ends if it stays without connection, monotonic time. Only means something while it has none.

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
        '_buffer', '_dropped_sequence', 'application', 'connection', 'end_reason', 'expires_at', 'intents', 'number', 'sequence',
        'session_id', 'shard_count', 'shard_id',
    )

    def __new__(cls, application, number, session_id, shard_id, shard_count, intents, bound):
        """
        Creates a new session.

        Parameters
        ----------
        application : ``Application``
            The application that the session belongs to.

        number : `int`
            Number to tell it by.

        session_id : `str`
            The id to resume with.

        shard_id : `int`
            The shard's id.

        shard_count : `int`
            Count of shards.

        intents : `int`
            The intents of its IDENTIFY.

        bound : `int`
            Count of events to keep.
        """
        self = object.__new__(cls)
        self._buffer = deque(maxlen = bound)
        self._dropped_sequence = 0
        self.application = application
        self.connection = None
        self.end_reason = None
        self.expires_at = 0.0
        self.intents = intents
        self.number = number
        self.sequence = 0
        self.session_id = session_id
        self.shard_count = shard_count
        self.shard_id = shard_id
        return self


    def __repr__(self):
        """Returns the representation of the session. Without its id."""
        return (
            f'<{type(self).__name__} number = {self.number!r}, shard_id = {self.shard_id!r}, shard_count = '
            f'{self.shard_count!r}, sequence = {self.sequence!r}, is_connected = {self.is_connected!r}, end_reason = '
            f'{self.end_reason!r}>'
        )


    @property
    def is_connected(self):
        """
        Returns whether a connection uses the session.

        Returns
        -------
        is_connected : `bool`
        """
        return (self.connection is not None)


    @property
    def is_ended(self):
        """
        Returns whether the session ended.

        Returns
        -------
        is_ended : `bool`
        """
        return (self.end_reason is not None)


    @property
    def is_forfeited(self):
        """
        Returns whether Discord ended the session, so that no client can have its events any more. One that the client
        closed, or that it did not resume in time, is the client's own fault.

        Returns
        -------
        is_forfeited : `bool`
        """
        return self.end_reason in FORFEITING_REASONS


    @property
    def buffered(self):
        """
        Returns how many events are kept for a replay.

        Returns
        -------
        buffered : `int`
        """
        return len(self._buffer)


    def owns_guild(self, guild_id):
        """
        Returns whether the guild belongs to the session's shard. Discord docs, Gateway: "Sharding".

        Parameters
        ----------
        guild_id : `int`
            The guild's id.

        Returns
        -------
        owns_guild : `bool`
        """
        return (guild_id >> 22) % self.shard_count == self.shard_id


    def append(self, name, data, step = 1):
        """
        Numbers an event and keeps it.

        Parameters
        ----------
        name : `str`
            The event's name.

        data : `bytes`
            The encoded data of the event.

        step : `int` = `1`, Optional
            How much its number is higher than the one before.

        Returns
        -------
        payload : `bytes`
            What is to be sent.
        """
        sequence = self.sequence + step
        self.sequence = sequence
        buffer = self._buffer
        if len(buffer) == buffer.maxlen:
            self._dropped_sequence = buffer[0][0]

        buffer.append((sequence, name, data))
        return encode_envelope(DISPATCH, data, name, sequence)


    def append_unkept(self, name, data):
        """
        Numbers an event that is not replayed: RESUMED tells about a connection, not about the session.

        Parameters
        ----------
        name : `str`
            The event's name.

        data : `bytes`
            The encoded data of the event.

        Returns
        -------
        payload : `bytes`
            What is to be sent.
        """
        sequence = self.sequence + 1
        self.sequence = sequence
        return encode_envelope(DISPATCH, data, name, sequence)


    def skip_sequence(self, by):
        """
        Moves the numbers of the next events.

        Parameters
        ----------
        by : `int`
            How much higher they are. Negative to go back.
        """
        self.sequence += by


    def leap(self, sequence):
        """
        Goes on from a sequence, up to which nothing is kept.

        Parameters
        ----------
        sequence : `int`
            The sequence.
        """
        self._buffer.clear()
        self.sequence = self._dropped_sequence = sequence


    def reaches_back_to(self, sequence):
        """
        Returns whether all events after the given sequence are still there.

        Parameters
        ----------
        sequence : `int`
            The sequence to resume from.

        Returns
        -------
        reaches_back : `bool`
        """
        return sequence >= self._dropped_sequence


    def trim(self, sequence):
        """
        Drops the kept events up to a sequence: the client told that it has them.

        Parameters
        ----------
        sequence : `int`
            The sequence of the last one to drop.
        """
        buffer = self._buffer
        while buffer and (buffer[0][0] <= sequence):
            self._dropped_sequence = buffer.popleft()[0]


    def iter_missed(self, sequence):
        """
        Iterates over the events after the given sequence.

        This method is an iterable generator.

        Parameters
        ----------
        sequence : `int`
            The sequence to resume from.

        Yields
        ------
        item : ``(int, bytes)``
            Sequence and payload.
        """
        missed = []
        for item in reversed(self._buffer):
            if item[0] <= sequence:
                break

            missed.append(item)

        for item_sequence, name, data in reversed(missed):
            yield item_sequence, encode_envelope(DISPATCH, data, name, item_sequence)


    def end(self, reason):
        """
        Ends the session. It cannot be resumed any more, and nothing is kept for it.

        Parameters
        ----------
        reason : `str`
            Why.
        """
        if self.end_reason is None:
            self.end_reason = reason
            self._buffer.clear()
