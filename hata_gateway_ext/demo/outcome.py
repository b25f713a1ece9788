"""
What came out of a trial.
"""
__all__ = ('Outcome', 'ShardOutcome')

from typing import NamedTuple, Optional, Tuple


class ShardOutcome(NamedTuple):
    """
    What a shard did, so far.
    
    Attributes
    ----------
    shard_id : `int`
        The shard.
    state : `str`
        What it does now, in the words of its gateway.
    latency : `None | float`
        The latest round trip of a heartbeat, in seconds.
    sequence : `None | int`
        The sequence of the last event.
    sent : `int`
        Events that were sent.
    seen : `int`
        Different events that the bot handled.
    lost : `int`
        Events that were left out.
    doubled : `int`
        Events that came again.
    disordered : `int`
        Events that came after a later one.
    repeated : `int`
        Events that came again after the bot's process was killed, and may.
    resumes : `int`
        How often Discord sent RESUMED.
    identifies : `int`
        How often IDENTIFY was sent.
    trouble : `str`
        How its connection was last broken.
    """
    shard_id: int
    state: str
    latency: Optional[float]
    sequence: Optional[int]
    sent: int
    seen: int
    lost: int
    doubled: int
    disordered: int
    repeated: int
    resumes: int
    identifies: int
    trouble: str


class Outcome(NamedTuple):
    """
    What a gateway made of a trial, so far.
    
    Attributes
    ----------
    gateway : `str`
        Which gateway.
    shards : `tuple<ShardOutcome>`
        What its shards did.
    seconds : `float`
        For how long events were sent.
    struck : `int`
        How often connections were broken.
    restarts : `int`
        How often the bot's process was restarted.
    kills : `int`
        How many of those times it was killed.
    unknown : `int`
        Events that were handled, but never sent.
    errors : `int`
        What was reported through `client.events.error`.
    identify_limit : `None | int`
        How often a shard may identify. `None`: as often as it has to.
    notes : `tuple<str>`
        What helps to find out what went wrong.
    failure : `None | str`
        Why the account cannot be trusted: the bot did not start, ended, or did not come back.
    """
    gateway: str
    shards: Tuple[ShardOutcome, ...]
    seconds: float
    struck: int
    restarts: int
    kills: int
    unknown: int
    errors: int
    identify_limit: Optional[int]
    notes: Tuple[str, ...]
    failure: Optional[str]
    
    
    def sum(self, name):
        """
        Sums a count over the shards.
        
        Parameters
        ----------
        name : `str`
            The name of a count of ``ShardOutcome``.
        
        Returns
        -------
        sum : `int`
        """
        return sum(getattr(shard, name) for shard in self.shards)
    
    
    @property
    def is_clean(self):
        """
        Returns whether each event was seen once and in order, without needless identifies, and all of that is known for sure.
        
        Returns
        -------
        is_clean : `bool`
        """
        if (self.failure is not None) or (not self.sum('sent')) or self.unknown:
            return False
        
        if any(self.sum(name) for name in ('lost', 'doubled', 'disordered')):
            return False
        
        return not self.has_needless_identifies
    
    
    @property
    def has_needless_identifies(self):
        """
        Returns whether a shard identified more often than it may.
        
        Returns
        -------
        has_needless_identifies : `bool`
        """
        limit = self.identify_limit
        return (limit is not None) and any(shard.identifies > limit for shard in self.shards)
