"""
The account: which numbered event was sent into which shard, and which ones the bot handled.

It is kept event by event, so that a table can show it at any time, and a soak of hours costs no more than one of a minute. A
number that was left out counts as lost as soon as a later one of its shard was seen: a gateway that keeps the order has no
other chance to deliver it.
"""
__all__ = ('Account', 'ShardAccount')

from array import array
from collections import deque


# The shard of a number that was not sent.
SHARD_ID_NONE = -1


class ShardAccount:
    """
    The account of one shard.
    
    Attributes
    ----------
    _missing : `set<int>`
        Numbers that were left out when a later one was seen.
    _pending : `deque<int>`
        Numbers that were sent after the last that was seen.
    disordered : `int`
        Seen after a later one.
    doubled : `int`
        Seen again.
    last_seen : `int`
        The highest number that was seen. `-1` before the first.
    last_sent : `int`
        The last number that was sent. `-1` before the first.
    repeated : `int`
        Seen again, where that was announced: see ``Account.allow_repeats``.
    seen : `int`
        Count of different numbers that were seen.
    sent : `int`
        Count of numbers that were sent.
    """
    __slots__ = (
        '_missing', '_pending', 'disordered', 'doubled', 'last_seen', 'last_sent', 'repeated', 'seen', 'sent'
    )
    
    def __new__(cls):
        """
        Creates an empty account.
        """
        self = object.__new__(cls)
        self._missing = set()
        self._pending = deque()
        self.disordered = 0
        self.doubled = 0
        self.last_seen = -1
        self.last_sent = -1
        self.repeated = 0
        self.seen = 0
        self.sent = 0
        return self
    
    
    def __repr__(self):
        """Returns the representation of the account."""
        return (
            f'<{type(self).__name__} sent = {self.sent!r}, seen = {self.seen!r}, lost = {self.lost!r}, doubled = '
            f'{self.doubled!r}, disordered = {self.disordered!r}>'
        )
    
    
    @property
    def lost(self):
        """
        Returns how many numbers are lost, as far as that is known.
        
        Returns
        -------
        lost : `int`
        """
        return len(self._missing)
    
    
    @property
    def lost_numbers(self):
        """
        Returns the numbers that are lost, as far as that is known.
        
        Returns
        -------
        lost_numbers : `list<int>`
        """
        return sorted(self._missing)
    
    
    @property
    def is_settled(self):
        """
        Returns whether the last number that was sent was seen: everything before it was seen as well, or is lost.
        
        Returns
        -------
        is_settled : `bool`
        """
        return not self._pending
    
    
    @property
    def is_clean(self):
        """
        Returns whether, as far as that is known, each number was seen once and in order.
        
        Returns
        -------
        is_clean : `bool`
        """
        return not (self.lost or self.doubled or self.disordered)
    
    
    def send(self, number):
        """
        Notes that a number was sent.
        
        Parameters
        ----------
        number : `int`
            The number, higher than each before.
        """
        self._pending.append(number)
        self.last_sent = number
        self.sent += 1
    
    
    def see(self, number, repeatable):
        """
        Notes that a number was seen.
        
        Parameters
        ----------
        number : `int`
            A number that was sent into this shard.
        repeatable : `set<int>`
            The numbers that may be seen once more.
        """
        if number > self.last_seen:
            pending = self._pending
            while True:
                sent = pending.popleft()
                if sent == number:
                    break
                
                self._missing.add(sent)
            
            self.last_seen = number
            self.seen += 1
        
        elif number in self._missing:
            self._missing.discard(number)
            self.seen += 1
            self.disordered += 1
        
        elif number in repeatable:
            repeatable.discard(number)
            self.repeated += 1
        
        else:
            self.doubled += 1
    
    
    def close(self):
        """
        Nothing is sent or seen any more: what was not seen is lost.
        """
        self._missing.update(self._pending)
        self._pending.clear()


class Account:
    """
    The account of all shards.
    
    Attributes
    ----------
    _repeatable : `set<int>`
        The numbers that may be seen once more.
    _shard_ids : `array`
        The shard of each number.
    shards : `tuple<ShardAccount>`
        The accounts of the shards, by id.
    unknown : `int`
        Count of numbers that were seen, but never sent.
    """
    __slots__ = ('_repeatable', '_shard_ids', 'shards', 'unknown')
    
    def __new__(cls, shard_count):
        """
        Creates an empty account.
        
        Parameters
        ----------
        shard_count : `int`
            How many shards there are.
        """
        self = object.__new__(cls)
        self._repeatable = set()
        self._shard_ids = array('h')
        self.shards = tuple(ShardAccount() for _ in range(shard_count))
        self.unknown = 0
        return self
    
    
    def __repr__(self):
        """Returns the representation of the account."""
        return (
            f'<{type(self).__name__} sent = {self.sum("sent")!r}, seen = {self.sum("seen")!r}, lost = {self.sum("lost")!r}, '
            f'doubled = {self.sum("doubled")!r}, disordered = {self.sum("disordered")!r}, unknown = {self.unknown!r}>'
        )
    
    
    def sum(self, name):
        """
        Sums a count over the shards.
        
        Parameters
        ----------
        name : `str`
            The name of a count of ``ShardAccount``.
        
        Returns
        -------
        sum : `int`
        """
        return sum(getattr(shard, name) for shard in self.shards)
    
    
    @property
    def is_clean(self):
        """
        Returns whether, as far as that is known, each number was seen once and in order.
        
        Returns
        -------
        is_clean : `bool`
        """
        return (not self.unknown) and all(shard.is_clean for shard in self.shards)
    
    
    @property
    def is_settled(self):
        """
        Returns whether of each shard the last number that was sent was seen.
        
        Returns
        -------
        is_settled : `bool`
        """
        return all(shard.is_settled for shard in self.shards)
    
    
    @property
    def next_number(self):
        """
        Returns the lowest number that was not sent yet.
        
        Returns
        -------
        next_number : `int`
        """
        return len(self._shard_ids)
    
    
    def send(self, number, shard_id):
        """
        Notes that a number was sent.
        
        Parameters
        ----------
        number : `int`
            The number, higher than each before.
        shard_id : `int`
            The shard that it was sent into.
        """
        shard_ids = self._shard_ids
        # Numbers that are given to others, or to nobody, are left out.
        shard_ids.extend([SHARD_ID_NONE] * (number - len(shard_ids)))
        shard_ids.append(shard_id)
        self.shards[shard_id].send(number)
    
    
    def see(self, number):
        """
        Notes that a number was seen.
        
        Parameters
        ----------
        number : `int`
            The number.
        """
        shard_ids = self._shard_ids
        shard_id = shard_ids[number] if 0 <= number < len(shard_ids) else SHARD_ID_NONE
        if shard_id == SHARD_ID_NONE:
            self.unknown += 1
            return
        
        self.shards[shard_id].see(number, self._repeatable)
    
    
    def allow_repeats(self, numbers):
        """
        These numbers may be seen once more, without counting as doubled.
        
        Parameters
        ----------
        numbers : `iterable<int>`
            The numbers.
        """
        self._repeatable.update(numbers)
    
    
    def close(self):
        """
        Nothing is sent or seen any more: what was not seen is lost.
        """
        for shard in self.shards:
            shard.close()
