"""
The ledger of numbered messages: what was sent into which session, to be compared with what a bot handled.
"""
__all__ = ('Ledger', 'LedgerAccount', 'format_number', 'parse_number')

from collections import deque
from typing import NamedTuple, Tuple

NUMBER_PREFIX = '#'


def format_number(number):
    """Formats the content of a numbered message."""
    return f'{NUMBER_PREFIX}{number}'


def parse_number(content):
    """
    Reads the number of a numbered message.
    
    Parameters
    ----------
    content : `None | str`
        The message's content.
    
    Returns
    -------
    number : `None | int`
        `None` if it is not numbered.
    """
    if content and content.startswith(NUMBER_PREFIX):
        digits = content[len(NUMBER_PREFIX):]
        if digits.isdigit():
            return int(digits)
    
    return None


class LedgerAccount(NamedTuple):
    """
    A comparison of what was sent with what was seen.
    
    Attributes
    ----------
    sent : `int`
        Count of numbers that were sent into at least one session.
    seen : `int`
        Count of different numbers that were seen.
    lost : `tuple<int>`
        Not seen, although it was to be had.
    doubled : `tuple<int>`
        Seen more than once.
    disordered : `tuple<int>`
        Seen after a later one of the same shard.
    unknown : `tuple<int>`
        Seen, but never sent.
    forfeited : `tuple<int>`
        Not seen, and Discord itself had ended every session that held it.
    """
    sent: int
    seen: int
    lost: Tuple[int, ...]
    doubled: Tuple[int, ...]
    disordered: Tuple[int, ...]
    unknown: Tuple[int, ...]
    forfeited: Tuple[int, ...]
    
    
    @property
    def is_clean(self):
        """Whether each message that was to be had was seen once and in order."""
        return not (self.lost or self.doubled or self.disordered or self.unknown)
    
    
    def __repr__(self):
        parts = [f'sent = {self.sent!r}', f'seen = {self.seen!r}']
        for name in ('lost', 'doubled', 'disordered', 'unknown', 'forfeited'):
            numbers = getattr(self, name)
            parts.append(f'{name} = {len(numbers)!r}')
            if numbers:
                parts.append(f'first {name} = {numbers[0]!r}')
        
        return f'<{type(self).__name__} {", ".join(parts)}>'


class Ledger:
    """
    The numbered messages.
    
    Attributes
    ----------
    _entries : ``deque<tuple<Session>>``
        The sessions that the kept messages were sent into, by number.
    _first_number : `int`
        The number of the oldest message that is kept.
    _known : ``dict<int, tuple<Session>>``
        The newest entry of each shard, to be used again: messages of a shard go into the same sessions for long.
    """
    __slots__ = ('_entries', '_first_number', '_known')
    
    def __new__(cls, bound):
        """Creates an empty ledger, that keeps so many messages. Older ones count nowhere any more."""
        self = object.__new__(cls)
        self._entries = deque(maxlen = bound)
        self._first_number = 0
        self._known = {}
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} next_number = {self.next_number!r}>'
    
    
    @property
    def next_number(self):
        """The number of the next message."""
        return self._first_number + len(self._entries)
    
    
    def add(self, sessions):
        """Notes that the next message was sent into the sessions."""
        if sessions:
            known = self._known.get(sessions[0].shard_id, None)
            if known == sessions:
                sessions = known
            else:
                self._known[sessions[0].shard_id] = sessions
        
        if len(self._entries) == self._entries.maxlen:
            self._first_number += 1
        
        self._entries.append(sessions)
    
    
    def sent_numbers(self, shard_id = None):
        """
        Returns the numbers that were sent into at least one session.
        
        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Of a shard only.
        
        Returns
        -------
        numbers : `list<int>`
        """
        return [
            number for number, sessions in enumerate(list(self._entries), self._first_number)
            if sessions and ((shard_id is None) or (sessions[0].shard_id == shard_id))
        ]
    
    
    def account(self, seen, shard_id = None):
        """
        Compares what was sent with what was seen.
        
        Parameters
        ----------
        seen : `iterable<int>`
            The numbers that the bot handled, in its order.
        shard_id : `None | int` = `None`, Optional
            Only of that shard. The others' numbers are ignored then.
        
        Returns
        -------
        account : ``LedgerAccount``
        """
        first_number = self._first_number
        entries = list(self._entries)
        counts = {}
        disordered = []
        unknown = []
        newest = {}
        
        for number in seen:
            # What is not kept any more counts nowhere.
            if 0 <= number < first_number:
                continue
            
            sessions = entries[number - first_number] if 0 <= number - first_number < len(entries) else ()
            if not sessions:
                unknown.append(number)
                continue
            
            number_shard_id = sessions[0].shard_id
            if (shard_id is not None) and (number_shard_id != shard_id):
                continue
            
            count = counts.get(number, 0)
            counts[number] = count + 1
            if count:
                continue
            
            if number < newest.get(number_shard_id, -1):
                disordered.append(number)
            else:
                newest[number_shard_id] = number
        
        sent = self.sent_numbers(shard_id)
        lost = []
        forfeited = []
        for number in sent:
            if number not in counts:
                is_forfeited = all(session.is_forfeited for session in entries[number - first_number])
                (forfeited if is_forfeited else lost).append(number)
        
        return LedgerAccount(
            sent = len(sent),
            seen = len(counts),
            lost = tuple(lost),
            doubled = tuple(number for number, count in counts.items() if count > 1),
            disordered = tuple(disordered),
            unknown = tuple(unknown),
            forfeited = tuple(forfeited),
        )
