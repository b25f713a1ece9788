"""
The ledger of numbered messages: what was sent into which session, to be compared with what a bot handled.
"""
__all__ = ('Ledger', 'LedgerAccount', 'parse_number')

from collections import deque

NUMBER_PREFIX = '#'


def format_number(number):
    """
    Formats the content of a numbered message.

    Parameters
    ----------
    number : `int`
        The number.

    Returns
    -------
    content : `str`
    """
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
    if content and content.startswith(NUMBER_PREFIX) and content[len(NUMBER_PREFIX):].isdigit():
        return int(content[len(NUMBER_PREFIX):])

    return None


class LedgerAccount:
    """
    A comparison of what was sent with what was seen.

    Attributes
    ----------
    disordered : `tuple<int>`
        Seen after a later one of the same shard.

    doubled : `tuple<int>`
        Seen more than once.

    forfeited : `tuple<int>`
        Not seen, and Discord itself had ended every session that held it.

    lost : `tuple<int>`
        Not seen, although it was to be had.

    seen : `int`
        Count of different numbers that were seen.

    sent : `int`
        Count of numbers that were sent into at least one session.

    unknown : `tuple<int>`
        Seen, but never sent.
    """
    __slots__ = ('disordered', 'doubled', 'forfeited', 'lost', 'seen', 'sent', 'unknown')

    def __new__(cls, sent, seen, lost, doubled, disordered, unknown, forfeited):
        """
        Creates an account.

        Parameters
        ----------
        sent : `int`
        seen : `int`
        lost : `tuple<int>`
        doubled : `tuple<int>`
        disordered : `tuple<int>`
        unknown : `tuple<int>`
        forfeited : `tuple<int>`
        """
        self = object.__new__(cls)
        self.disordered = disordered
        self.doubled = doubled
        self.forfeited = forfeited
        self.lost = lost
        self.seen = seen
        self.sent = sent
        self.unknown = unknown
        return self


    @property
    def is_clean(self):
        """
        Returns whether each message that was to be had was seen once and in order.

        Returns
        -------
        is_clean : `bool`
        """
        return not (self.lost or self.doubled or self.disordered or self.unknown)


    def __repr__(self):
        """Returns the representation of the account."""
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
        """
        Creates an empty ledger.

        Parameters
        ----------
        bound : `int`
            How many messages are kept. Older ones count nowhere any more.
        """
        self = object.__new__(cls)
        self._entries = deque(maxlen = bound)
        self._first_number = 0
        self._known = {}
        return self


    def __repr__(self):
        """Returns the representation of the ledger."""
        return f'<{type(self).__name__} next_number = {self.next_number!r}>'


    @property
    def next_number(self):
        """
        Returns the number of the next message.

        Returns
        -------
        number : `int`
        """
        return self._first_number + len(self._entries)


    def add(self, sessions):
        """
        Notes that the next message was sent.

        Parameters
        ----------
        sessions : ``tuple<Session>``
            The sessions that it was sent into.
        """
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

        lost = []
        forfeited = []
        sent = self.sent_numbers(shard_id)
        for number in sent:
            if number not in counts:
                is_forfeited = all(session.is_forfeited for session in entries[number - first_number])
                (forfeited if is_forfeited else lost).append(number)

        return LedgerAccount(
            len(sent), len(counts), tuple(lost), tuple(number for number, count in counts.items() if count > 1),
            tuple(disordered), tuple(unknown), tuple(forfeited),
        )
