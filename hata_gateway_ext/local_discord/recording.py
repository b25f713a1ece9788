"""
The recording: what every client did, to be asked by tests, and to be waited for without polling.

Everything is kept in the order in which it happened, bounded. All times are monotonic, in seconds. No record holds a token.
"""
__all__ = (
    'ConnectionRecord', 'HeartbeatRecord', 'IdentifyRecord', 'OperationRecord', 'Recording', 'RequestRecord',
    'ResumeRecord',
)

from asyncio import TimeoutError as AsyncTimeoutError, wait_for
from collections import deque

CLOSED_BY_CLIENT = 'client'
CLOSED_BY_DISCORD = 'discord'
CLOSED_BY_LOSS = 'lost'

# How many records of each kind the message of a timeout shows.
DESCRIBED_COUNT = 5


class RecordBase:
    """
    Base of the records: slotted, filled from keywords, `None` otherwise. The representation leaves `HIDDEN` out.
    """
    __slots__ = ()
    
    HIDDEN = ()
    
    def __new__(cls, **fields):
        """Creates a record with the given fields."""
        self = object.__new__(cls)
        for name in cls.__slots__:
            setattr(self, name, fields.pop(name, None))
        
        if fields:
            raise TypeError(f'{cls.__name__} has no field {", ".join(fields)}.')
        
        return self
    
    
    def __repr__(self):
        fields = ', '.join(f'{name} = {getattr(self, name)!r}' for name in self.__slots__ if name not in self.HIDDEN)
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
        What was asked for: `'zlib-stream'`, `'zstd-stream'` or `'none'`.
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
        `'ready'`, `'too_early'` (op 9), `'faulted'` (a scripted fault took over), or the close code it was answered with.
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
        `'resumed'`, `'invalid'` (op 9), `'taken'` (op 9, its old connection is open), `'faulted'` (a scripted fault took
        over), or the close code it was answered with. `None` while it is being replayed, or if the connection ended
        before the replay did.
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
    data : `object`
        Its decoded body. `None` if it has none, or if it is no JSON.
    method : `str`
        Its method.
    path : `str`
        Its path, without `/api/v10`.
    status : `None | int`
        The status it was answered with. `None` while it was not.
    """
    __slots__ = ('at', 'data', 'method', 'path', 'status')
    
    HIDDEN = ('data',)


def _select(records, shard_id):
    """Returns the records of a shard; a copy, since they may be asked from another thread."""
    return [record for record in list(records) if (shard_id is None) or (record.shard_id == shard_id)]


class Recording:
    """
    What the clients of a local Discord did. Counts take a shard, or count for all of them.
    
    Attributes
    ----------
    connections : ``deque<ConnectionRecord>``
        The connections.
    heartbeats : ``deque<HeartbeatRecord>``
        The heartbeats.
    identifies : ``deque<IdentifyRecord>``
        The identifies.
    operations : ``deque<OperationRecord>``
        All payloads.
    requests : ``deque<RequestRecord>``
        The REST requests.
    resumes : ``deque<ResumeRecord>``
        The resumes.
    _core : ``Core``
        The local Discord.
    _handle : `None | asyncio.Handle`
        Asks the conditions that are waited for.
    _waiters : ``list<(callable, asyncio.Future)>``
        The conditions with what they release.
    """
    __slots__ = (
        '_core', '_handle', '_waiters', 'connections', 'heartbeats', 'identifies', 'operations', 'requests', 'resumes'
    )
    
    def __new__(cls, core, bound):
        """Creates an empty recording, that keeps so many records of each kind."""
        self = object.__new__(cls)
        self._core = core
        self._handle = None
        self._waiters = []
        self.connections = deque(maxlen = bound)
        self.heartbeats = deque(maxlen = bound)
        self.identifies = deque(maxlen = bound)
        self.operations = deque(maxlen = bound)
        self.requests = deque(maxlen = bound)
        self.resumes = deque(maxlen = bound)
        return self
    
    
    def __repr__(self):
        return (
            f'<{type(self).__name__} connections = {len(self.connections)}, identifies = {len(self.identifies)}, '
            f'resumes = {len(self.resumes)}, operations = {len(self.operations)}, requests = {len(self.requests)}>'
        )
    
    
    def clear(self):
        """Forgets everything. Connections that are open go on writing into records that are no longer listed."""
        for records in (
            self.connections, self.heartbeats, self.identifies, self.operations, self.requests, self.resumes
        ):
            records.clear()
    
    
    def connection_count(self, shard_id = None):
        """Returns how many connections were opened. Those of which the shard never became known are no shard's."""
        return len(_select(self.connections, shard_id))
    
    
    def identify_count(self, shard_id = None):
        """Returns how many identifies came."""
        return len(_select(self.identifies, shard_id))
    
    
    def resume_count(self, shard_id = None):
        """Returns how many resumes came."""
        return len(_select(self.resumes, shard_id))
    
    
    def ready_count(self, shard_id = None):
        """Returns how many READY-s were sent."""
        return sum((record.ready_at is not None) for record in _select(self.connections, shard_id))
    
    
    def resumed_count(self, shard_id = None):
        """Returns how many RESUMED-s were sent."""
        return sum((record.resumed_at is not None) for record in _select(self.connections, shard_id))
    
    
    def close_codes(self, shard_id = None):
        """Returns the codes with which the client closed, in the order of the connections; `0` is none."""
        return [
            record.close_code for record in _select(self.connections, shard_id) if (record.close_code is not None)
        ]
    
    
    def operations_of(self, operation, shard_id = None):
        """Returns the records of the payloads of an operation."""
        return [record for record in _select(self.operations, shard_id) if record.operation == operation]
    
    
    def requests_of(self, method, path):
        """Returns the records of the requests with that method and path."""
        return [record for record in list(self.requests) if (record.method == method) and (record.path == path)]
    
    
    def _describe(self):
        """Tells what happened last, for the message of a timeout."""
        lines = [repr(self)]
        for records in (self.connections, self.identifies, self.resumes, self.requests):
            lines.extend(f'    {record!r}' for record in list(records)[-DESCRIBED_COUNT:])
        
        return '\n'.join(lines)
    
    
    def changed(self):
        """Notes that something changed: the conditions are asked again, once in a cycle of the loop at most."""
        if self._waiters and (self._handle is None):
            self._handle = self._core.loop.call_soon(self._check)
    
    
    def _check(self):
        self._handle = None
        for waiter in self._waiters.copy():
            self._ask(*waiter)
    
    
    def _ask(self, condition, future):
        if future.done():
            return
        
        try:
            value = condition(self)
        except BaseException as exception:
            future.set_exception(exception)
            return
        
        if value:
            future.set_result(value)
    
    
    async def wait_for(self, condition, timeout):
        """Waits until a condition, that gets the recording, holds. See ``LocalDiscord.wait_for``."""
        waiter = (condition, self._core.loop.create_future())
        self._waiters.append(waiter)
        try:
            self._ask(*waiter)
            return await wait_for(waiter[1], timeout)
        except AsyncTimeoutError:
            raise TimeoutError(
                f'The condition did not hold within {timeout!r} seconds. Recorded:\n{self._describe()}'
            ) from None
        finally:
            self._waiters.remove(waiter)
