"""
A recording: the payloads of one session, made from a seed, the same bytes for everyone who receives them.
"""
__all__ = ('BEGIN', 'END', 'Recording')

from hashlib import sha256
from json import dumps as dump_to_json, loads as from_json
from random import Random
from zlib import crc32

from .events import EventFactory, INTENTS_RECORDED, select_kinds
from .population import Population

# Between these two a receiver measures. They are dispatched like any event; no library knows them.
BEGIN = 'BENCHMARK_BEGIN'
END = 'BENCHMARK_END'

# Bytes. Larger than nearly every message: payloads with less room than this are filled with text.
MESSAGE_SIZE = 1500

# Bytes that tell a payload's length in a file.
LENGTH_SIZE = 4


class Recording:
    """
    The payloads of one session.
    
    Attributes
    ----------
    event_count : `int`
        The number of events between the two marks.
    payloads : `list<bytes>`
        The events as JSON: those between the marks, and the marks.
    preface : `list<bytes>`
        What comes before: `READY`, and the guilds if there are any.
    """
    __slots__ = ('event_count', 'payloads', 'preface')
    
    def __new__(cls, preface, payloads):
        """
        Creates a recording from the given payloads.
        
        Parameters
        ----------
        preface : `list<bytes>`
            `READY`, and the guilds if there are any.
        payloads : `list<bytes>`
            The events, with the marks as first and last.
        """
        self = object.__new__(cls)
        self.preface = preface
        self.payloads = payloads
        self.event_count = len(payloads) - 2
        return self
    
    
    @classmethod
    def create(cls, seed, event_count, *, intents = INTENTS_RECORDED, with_guilds = False):
        """
        Creates a recording of the usual mix.
        
        Parameters
        ----------
        seed : `int`
            The same seed makes the same recording.
        event_count : `int`
            The number of events.
        intents : `int` = ``INTENTS_RECORDED``, Optional (Keyword only)
            Intents as a bit mask: decides what kinds of events there are.
        with_guilds : `bool` = `False`, Optional (Keyword only)
            Whether the guilds should come as well, for receivers that build a cache.
        
        Returns
        -------
        self : `instance<cls>`
        
        Raises
        ------
        ValueError
            - No event can be recorded for the intents.
        """
        random = Random(seed)
        population = Population(random)
        factory = EventFactory(random, population)
        kinds = select_kinds(intents)
        # An exact share of each, shuffled, instead of a draw for each event: the average is the same at any length.
        total = sum(kind[2] for kind in kinds)
        chosen = []
        for kind in kinds:
            chosen.extend([kind] * (event_count * kind[2] // total))
        while len(chosen) < event_count:
            chosen.append(kinds[0])
        random.shuffle(chosen)
        
        guilds = population.guilds if with_guilds else ()
        preface = [_encode('READY', 1, population.create_ready_data(with_guilds))]
        for guild in guilds:
            preface.append(_encode('GUILD_CREATE', len(preface) + 1, guild))
        
        events = ((kind[0], kind[3](factory)) for kind in chosen)
        return cls(preface, _enclose(events, len(preface)))
    
    
    @classmethod
    def create_sized(cls, seed, event_count, size):
        """
        Creates a recording of which all payloads are of one size.
        
        Parameters
        ----------
        seed : `int`
            The same seed makes the same recording.
        event_count : `int`
            The number of events.
        size : `int`
            Bytes of JSON of each. At least 64.
        
        Returns
        -------
        self : `instance<cls>`
        """
        random = Random(seed)
        population = Population(random)
        factory = EventFactory(random, population)
        # Messages, until a payload has its size; text for what is left. No two payloads are the same, so a large one
        # compresses no better than a small one.
        text = ''.join(random.choices('abcdefghijklmnopqrstuvwxyz', k = 2048))
        events = (('TYPING_START', _create_filling(random, factory, text, size)) for _ in range(event_count))
        preface = [_encode('READY', 1, population.create_ready_data(False))]
        return cls(preface, _enclose(events, len(preface)))
    
    
    def __repr__(self):
        """Returns the recording's representation."""
        return f'<{type(self).__name__} event_count = {self.event_count!r}, average = {self.average_size!r}>'
    
    
    @property
    def average_size(self):
        """
        The average of the events in bytes of JSON.
        
        Returns
        -------
        average_size : `float`
        """
        return sum(len(payload) for payload in self.payloads[1 : -1]) / max(self.event_count, 1)
    
    
    @property
    def names(self):
        """
        The names of the events, each once.
        
        Returns
        -------
        names : `list<str>`
        """
        return sorted({_get_name(payload) for payload in self.payloads[1 : -1]})
    
    
    def get_count(self, name):
        """
        Returns how many events have the given name.
        
        Parameters
        ----------
        name : `str`
            The name.
        
        Returns
        -------
        count : `int`
        """
        return sum(_get_name(payload) == name for payload in self.payloads[1 : -1])
    
    
    @property
    def checksum(self):
        """
        A checksum over the identifiers of the events that have one, in their order.
        
        Returns
        -------
        checksum : `int`
        """
        checksum = 0
        for payload in self.payloads[1 : -1]:
            identifier = from_json(payload)['d'].get('id', None)
            if (identifier is not None):
                checksum = crc32(identifier.encode(), checksum)
        
        return checksum
    
    
    @property
    def digest(self):
        """
        A digest over every byte: two receivers of the same digest received the same.
        
        Returns
        -------
        digest : `str`
        """
        state = sha256()
        for payload in self.preface:
            state.update(payload)
        for payload in self.payloads:
            state.update(payload)
        return state.hexdigest()
    
    
    def write(self, path):
        """
        Writes the recording to a file.
        
        Parameters
        ----------
        path : `str`
            The file's path.
        """
        with open(path, 'wb') as file:
            file.write(len(self.preface).to_bytes(LENGTH_SIZE, 'big'))
            for payloads in (self.preface, self.payloads):
                for payload in payloads:
                    file.write(len(payload).to_bytes(LENGTH_SIZE, 'big'))
                    file.write(payload)
    
    
    @classmethod
    def read(cls, path):
        """
        Reads a recording from a file.
        
        Parameters
        ----------
        path : `str`
            The file's path.
        
        Returns
        -------
        self : `instance<cls>`
        """
        with open(path, 'rb') as file:
            content = file.read()
        
        preface_count = int.from_bytes(content[:LENGTH_SIZE], 'big')
        offset = LENGTH_SIZE
        payloads = []
        while offset < len(content):
            start = offset + LENGTH_SIZE
            offset = start + int.from_bytes(content[offset : start], 'big')
            payloads.append(content[start : offset])
        
        return cls(payloads[:preface_count], payloads[preface_count:])


def _encode(name, sequence, data):
    """
    Encodes a dispatch as Discord does: `t` first, then `s`, `op` and `d`, without spaces, UTF-8.
    
    Parameters
    ----------
    name : `str`
        The event's name.
    sequence : `int`
        Sequence number.
    data : `dict<str, object>`
        The event's data.
    
    Returns
    -------
    payload : `bytes`
    """
    return dump_to_json(
        {'t': name, 's': sequence, 'op': 0, 'd': data}, separators = (',', ':'), ensure_ascii = False
    ).encode()


def _create_filling(random, factory, text, size):
    """
    Creates data that makes a payload of about the given size.
    
    Parameters
    ----------
    random : `random.Random`
        Source of randomness.
    factory : ``EventFactory``
        Creates messages.
    text : `str`
        What the rest is taken from.
    size : `int`
        Bytes of JSON.
    
    Returns
    -------
    data : `dict<str, object>`
    """
    room = size - len(_encode('TYPING_START', 10000, {'p': ''}))
    if room < MESSAGE_SIZE:
        start = random.randrange(1024)
        return {'p': text[start : start + max(room, 0)]}
    
    messages = []
    while room > MESSAGE_SIZE:
        message = factory.create_message()
        messages.append(message)
        room -= len(dump_to_json(message, separators = (',', ':'), ensure_ascii = False).encode()) + 1
    
    return {'p': text[:max(room, 0)], 'm': messages}


def _get_name(payload):
    """
    Returns the name of an event.
    
    Parameters
    ----------
    payload : `bytes`
        The event, encoded as recordings are.
    
    Returns
    -------
    name : `str`
    """
    return payload[6 : payload.index(b'"', 6)].decode()


def _enclose(events, sequence):
    """
    Encodes the events with the marks around them.
    
    Parameters
    ----------
    events : `iterable<tuple<str, dict<str, object>>>`
        Names and data.
    sequence : `int`
        The sequence number of what came before.
    
    Returns
    -------
    payloads : `list<bytes>`
    """
    sequence += 1
    payloads = [_encode(BEGIN, sequence, {})]
    for name, data in events:
        sequence += 1
        payloads.append(_encode(name, sequence, data))
    
    payloads.append(_encode(END, sequence + 1, {}))
    return payloads
