"""
What is kept about each thing that a client did. All times are monotonic, in seconds. No record holds a token.
"""
__all__ = (
    'ConnectionRecord', 'HeartbeatRecord', 'IdentifyRecord', 'OperationRecord', 'RequestRecord', 'ResumeRecord',
)

CLOSED_BY_CLIENT = 'client'
CLOSED_BY_DISCORD = 'discord'
CLOSED_BY_LOSS = 'lost'


class RecordBase:
    """
    Base of the records: slotted, filled from keywords, `None` otherwise. The representation leaves `HIDDEN` out.
    """
    __slots__ = ()

    HIDDEN = ()

    def __new__(cls, **fields):
        """
        Creates a new record.

        Parameters
        ----------
        **fields : Keyword parameters
            The fields to set.
        """
        self = object.__new__(cls)
        for name in cls.__slots__:
            setattr(self, name, fields.pop(name, None))

        if fields:
            raise TypeError(f'{cls.__name__} has no field {", ".join(fields)}.')

        return self


    def __repr__(self):
        """Returns the representation of the record."""
        fields = ', '.join(
            f'{name} = {getattr(self, name)!r}' for name in self.__slots__ if name not in self.HIDDEN
        )
        return f'<{type(self).__name__} {fields}>'


class ConnectionRecord(RecordBase):
    """
    A connection to the gateway, from the upgrade request on.

    Attributes
    ----------
    close_code : `None | int`
        The code of the client's close frame. `0`: a close frame without code. `None`: no close frame.
    closed_at : `None | float`
        When it ended.
    closed_by : `None | str`
        `'client'`, `'discord'`, `'lost'`: who ended it first. `None` while it is open.
    compression : `str`
        `'zlib-stream'`, `'zstd-stream'` or `'none'`.
    discord_close_code : `None | int`
        The code of our close frame. `0`: a close frame without code. `None`: no close frame.
    dispatched : `int`
        Count of events that were sent over it.
    headers : `dict<str, str>`
        Headers of the upgrade request, without authorization.
    hello_at : `None | float`
        When HELLO was sent.
    listener : `str`
        `'gateway'` or `'resume'`.
    number : `int`
        Counts up over the connections.
    opened_at : `float`
        When the upgrade request came.
    operations : `list<OperationRecord>`
        What the client sent over it.
    path : `str`
        Path of the upgrade request.
    query : `dict<str, str>`
        Query of the upgrade request.
    ready_at : `None | float`
        When READY was sent.
    refused_status : `None | int`
        HTTP status if the upgrade was refused.
    resumed_at : `None | float`
        When RESUMED was sent.
    session_number : `None | int`
        Number of the session that it used last.
    shard_count : `None | int`
        Count of shards, once known.
    shard_id : `None | int`
        The shard, once known.
    version : `None | str`
        The API version of the query.
    """
    __slots__ = (
        'close_code', 'closed_at', 'closed_by', 'compression', 'discord_close_code', 'dispatched', 'headers',
        'hello_at', 'listener', 'number', 'opened_at', 'operations', 'path', 'query', 'ready_at', 'refused_status',
        'resumed_at', 'session_number', 'shard_count', 'shard_id', 'version',
    )

    HIDDEN = ('headers', 'operations')


class OperationRecord(RecordBase):
    """
    A payload that a client sent.

    Attributes
    ----------
    at : `float`
        When it came.
    connection : `int`
        Number of the connection.
    data : `object`
        Its `d`, with the token and the session id replaced.
    operation : `None | int`
        Its operation. `None` if it could not be read.
    shard_id : `None | int`
        The shard, if known when it came.
    size : `int`
        Its length in bytes.
    """
    __slots__ = ('at', 'connection', 'data', 'operation', 'shard_id', 'size')

    HIDDEN = ('data',)


class IdentifyRecord(RecordBase):
    """
    An IDENTIFY.

    Attributes
    ----------
    at : `float`
        When it came.
    connection : `int`
        Number of the connection.
    result : `None | int | str`
        `'ready'`, `'too_early'` (op 9), `'faulted'` (a scripted fault took over), or the close code it was answered
        with.
        `None` while a scripted delay holds it back.
    shard_count : `None | int`
        Count of shards.
    shard_id : `None | int`
        The shard.
    """
    __slots__ = ('at', 'connection', 'result', 'shard_count', 'shard_id')


class ResumeRecord(RecordBase):
    """
    A RESUME.

    Attributes
    ----------
    at : `float`
        When it came.
    connection : `int`
        Number of the connection.
    listener : `str`
        `'gateway'` or `'resume'`: where it came.
    replayed : `int`
        How many events were replayed, so far.
    result : `None | int | str`
        `'resumed'`, `'invalid'` (op 9), `'taken'` (op 9, its old connection is open), `'faulted'` (a scripted fault took over), or the close code it was answered
        with. `None` while it is being replayed, or if the connection ended before the replay did.
    sequence : `object`
        The sequence that was resumed from.
    shard_id : `None | int`
        The shard of the session.
    """
    __slots__ = ('at', 'connection', 'listener', 'replayed', 'result', 'sequence', 'shard_id')


class HeartbeatRecord(RecordBase):
    """
    A heartbeat.

    Attributes
    ----------
    at : `float`
        When it came.
    connection : `int`
        Number of the connection.
    sequence : `object`
        Its `d`.
    shard_id : `None | int`
        The shard, if known when it came.
    """
    __slots__ = ('at', 'connection', 'sequence', 'shard_id')


class RequestRecord(RecordBase):
    """
    A REST request.

    Attributes
    ----------
    at : `float`
        When it came.
    method : `str`
        Its method.
    path : `str`
        Its path, without `/api/v10`.
    status : `None | int`
        The status it was answered with. `None` while it was not.
    """
    __slots__ = ('at', 'method', 'path', 'status')
