"""
Steady traffic: numbered messages at a rate.
"""
__all__ = ('Traffic',)

# Seconds between two bursts. Short enough to look steady, long enough to cost nothing.
INTERVAL = 0.02


class Traffic:
    """
    Sends numbered messages into shards until it is stopped.
    
    Attributes
    ----------
    rate : `float`
        Messages a second into each shard.
    _carry : `float`
        Parts of messages that are not sent yet.
    _discord : ``LocalDiscord``
        The local Discord.
    _handle : `None | asyncio.TimerHandle`
        The next burst.
    _shard_id : `None | int`
        The shard, if only one.
    _updated_at : `float`
        When the last burst was.
    """
    __slots__ = ('_carry', '_discord', '_handle', '_shard_id', '_updated_at', 'rate')
    
    def __new__(cls, discord, rate, shard_id):
        """Starts traffic. To be called on the loop of the local Discord."""
        if not (rate > 0.0):
            raise ValueError(f'`rate` can be greater than 0.0, got {rate!r}.')
        
        self = object.__new__(cls)
        self._carry = 0.0
        self._discord = discord
        self._handle = discord.core.call_later(INTERVAL, self._burst)
        self._shard_id = shard_id
        self._updated_at = discord.core.now()
        self.rate = rate
        discord.core.traffics.add(self)
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} rate = {self.rate!r}, shard_id = {self._shard_id!r}>'
    
    
    def _burst(self):
        """Sends what is due."""
        core = self._discord.core
        now = core.now()
        due = self._carry + (now - self._updated_at) * self.rate
        self._updated_at = now
        count = int(due)
        self._carry = due - count
        
        # A shard without guild has nowhere to send to.
        shard_ids = sorted({
            session.shard_id for session in core.sessions.select(shard_id = self._shard_id)
            if core.world.find_guild_id_of(session.shard_id, session.shard_count)
        })
        for _ in range(count):
            for shard_id in shard_ids:
                self._discord.send_message(shard_id = shard_id)
        
        self._handle = core.call_later(INTERVAL, self._burst)
    
    
    def stop(self):
        """Stops the traffic. What was sent before counts in the ledger."""
        self._discord.call(self._stop)
    
    
    def _stop(self):
        self._handle.cancel()
        self._discord.core.traffics.discard(self)
