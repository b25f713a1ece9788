"""
What a gateway has done so far, as immutable snapshots: for monitoring, tests and the demo.
"""
__all__ = ('GatewayStatistics', 'SessionCounts', 'ShardStatistics', 'take_shard_statistics')

from typing import NamedTuple, Optional, Tuple


class ShardStatistics(NamedTuple):
    """
    What a shard has done since it was made.
    
    Attributes
    ----------
    shard_id : `int`
        The shard.
    state : `str`
        What the shard does now: one of `protocol.transitions.STATES`.
    sequence : `None | int`
        The sequence of the last event that was dispatched.
    latency : `float`
        The latest round trip of a heartbeat, in seconds; `9999.0` while there is none.
    connects : `int`
        Connections that said HELLO.
    losses : `int`
        Connections that were lost or given up after they said HELLO.
    identifies : `int`
        IDENTIFYs sent.
    resumes : `int`
        RESUMEs that were answered with RESUMED.
    sessions : `int`
        READYs received.
    dispatched : `int`
        Events handed to a parser.
    skipped : `int`
        Events that nobody listens to and no cache needs; they were counted without being decoded.
    duplicates : `int`
        Events that came again and were not dispatched again.
    gaps : `int`
        How often sequence numbers were left out.
    sent : `int`
        Payloads sent, heartbeats included.
    dropped : `int`
        Payloads of the bot's that were dropped, since there was no connection for too long.
    """
    shard_id: int
    state: str
    sequence: Optional[int]
    latency: float
    connects: int
    losses: int
    identifies: int
    resumes: int
    sessions: int
    dispatched: int
    skipped: int
    duplicates: int
    gaps: int
    sent: int
    dropped: int


class GatewayStatistics(NamedTuple):
    """
    What the shards of a client have done.
    
    Attributes
    ----------
    shards : `tuple<ShardStatistics>`
        The shards, by id.
    """
    shards: Tuple[ShardStatistics, ...]
    
    
    def sum(self, name):
        """
        Sums a count over the shards.
        
        Parameters
        ----------
        name : `str`
            The name of a count of ``ShardStatistics``.
        
        Returns
        -------
        sum : `int`
        """
        return sum(getattr(shard, name) for shard in self.shards)


class SessionCounts:
    """
    The counts behind ``ShardStatistics``, while they still count. The attributes are described there.
    """
    __slots__ = (
        'connects', 'dispatched', 'duplicates', 'gaps', 'identifies', 'losses', 'resumes', 'sessions', 'skipped'
    )
    
    def __new__(cls):
        """
        Creates counts of zero.
        """
        self = object.__new__(cls)
        for name in cls.__slots__:
            setattr(self, name, 0)
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} {self.to_dict()!r}>'
    
    
    def to_dict(self):
        """
        Returns the counts by their names.
        
        Returns
        -------
        counts : `dict<str, int>`
        """
        return {name: getattr(self, name) for name in self.__slots__}
    
    
    def copy(self):
        """
        Copies the counts.
        
        Returns
        -------
        counts : ``SessionCounts``
        """
        copy = type(self)()
        for name, value in self.to_dict().items():
            setattr(copy, name, value)
        return copy
    
    
    def add_dispatcher(self, dispatcher):
        """
        Adds what came over a connection.
        
        Parameters
        ----------
        dispatcher : ``Dispatcher``
            The dispatcher of the connection.
        """
        self.dispatched += dispatcher.dispatched
        self.gaps += dispatcher.gaps
        self.skipped += dispatcher.skipped


def take_shard_statistics(driver):
    """
    Returns what a shard has done so far.
    
    Parameters
    ----------
    driver : ``SessionDriver``
        Drives the session of the shard.
    
    Returns
    -------
    statistics : ``ShardStatistics``
    """
    counts = driver.counts.copy()
    connection = driver.connection
    if (connection is not None):
        counts.add_dispatcher(connection.dispatcher)
    
    machine = driver.machine
    return ShardStatistics(
        shard_id = driver.shard_id,
        state = machine.state,
        sequence = machine.session.sequence,
        latency = driver.gateway.latency,
        sent = driver.send_queue.sent,
        dropped = driver.send_queue.dropped,
        **counts.to_dict(),
    )
