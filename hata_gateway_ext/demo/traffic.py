"""
The traffic of the demo: numbered messages, steadily into each shard, noted in the account.

It can be paused shard by shard, for what ends a session: what happens while Discord keeps no session for a shard is lost for
any client, and would prove nothing.
"""
__all__ = ('Traffic',)

import asyncio


# Seconds between two bursts: short enough to look steady, long enough to cost nothing.
INTERVAL = 0.05


class Traffic:
    """
    Sends numbered messages.
    
    Attributes
    ----------
    _carry : `float`
        Parts of messages that are not sent yet.
    _handle : `None | asyncio.TimerHandle`
        Sends next.
    _pauses : `list<int>`
        How many want the traffic of each shard to be paused.
    _updated_at : `float`
        When was sent last.
    account : ``Account``
        Where it is noted.
    discord : ``LocalDiscord``
        The local Discord. It lives on the same loop.
    rate : `float`
        Messages a second into each shard.
    """
    __slots__ = ('_carry', '_handle', '_pauses', '_updated_at', 'account', 'discord', 'rate')
    
    def __new__(cls, discord, account, rate):
        """
        Creates traffic, which is not started.
        
        Parameters
        ----------
        discord : ``LocalDiscord``
            The local Discord.
        account : ``Account``
            Where it is noted.
        rate : `float`
            Messages a second into each shard.
        """
        self = object.__new__(cls)
        self._carry = 0.0
        self._handle = None
        self._pauses = [0] * len(account.shards)
        self._updated_at = 0.0
        self.account = account
        self.discord = discord
        self.rate = rate
        return self
    
    
    def __repr__(self):
        """Returns the representation of the traffic."""
        return f'<{type(self).__name__} rate = {self.rate!r}, is_running = {self._handle is not None!r}>'
    
    
    def start(self):
        """
        Starts to send.
        """
        self._updated_at = asyncio.get_running_loop().time()
        self._schedule()
    
    
    def stop(self):
        """
        Stops to send.
        """
        handle = self._handle
        if (handle is not None):
            self._handle = None
            handle.cancel()
    
    
    def pause(self, shard_id):
        """
        Sends nothing into a shard any more.
        
        Parameters
        ----------
        shard_id : `int`
            The shard.
        """
        self._pauses[shard_id] += 1
    
    
    def go_on(self, shard_id):
        """
        Sends into a shard again, if nobody else wants it to be paused.
        
        Parameters
        ----------
        shard_id : `int`
            The shard.
        """
        self._pauses[shard_id] -= 1
    
    
    def send(self, shard_id, count):
        """
        Sends messages at once, unless the shard is paused.
        
        Parameters
        ----------
        shard_id : `int`
            The shard.
        count : `int`
            How many.
        """
        if not self._pauses[shard_id]:
            self.force(shard_id, count)
    
    
    def force(self, shard_id, count):
        """
        Sends messages at once, also into a shard that is paused. If Discord keeps no session for the shard, nobody will get them; that
        is no reason not to send them: a bot that ended its session itself misses what happens then.
        
        Parameters
        ----------
        shard_id : `int`
            The shard.
        count : `int`
            How many.
        """
        for number in self.discord.send_messages(count, shard_id = shard_id):
            self.account.send(number, shard_id)
    
    
    def _schedule(self):
        """
        Schedules the next burst.
        """
        self._handle = asyncio.get_running_loop().call_later(INTERVAL, self._burst)
    
    
    def _burst(self):
        """
        Sends what is due.
        """
        now = asyncio.get_running_loop().time()
        due = self._carry + (now - self._updated_at) * self.rate
        self._updated_at = now
        count = int(due)
        self._carry = due - count
        
        if count:
            for shard_id in range(len(self._pauses)):
                self.send(shard_id, count)
        
        self._schedule()
