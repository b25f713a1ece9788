"""
What can strike a connection at a stage of it, by a name and values that can be printed, and how it is drawn.
"""
__all__ = ('GARBAGE', 'build_action', 'draw_action')

from ..local_discord import (
    Close, Cut, Delay, Invalidate, Reconnect, Refuse, SendBytes, SendMessage, SendPayload, Silence, Skip
)


# Close codes after which the session can be resumed: none, those of web sockets (RFC 6455, 7.4), and those of Discord's that
# keep the session (Discord docs, Gateway: "Gateway Close Event Codes"). 4999 is one that nobody knows.
RESUMABLE_CLOSE_CODES = (None, 1000, 1001, 1006, 1011, 1012, 1014, 3000, 4000, 4001, 4002, 4005, 4008, 4999)

# HTTP statuses with which an upgrade is refused: at maintenance, under load, by proxies.
REFUSAL_STATUSES = (404, 429, 500, 502, 503, 520)

# What must not disturb more than the connection: name -> action. The lengths and bits are those of RFC 6455, 5.2.
GARBAGE = {
    'half of a JSON': SendPayload(b'{"op":0,"t":"MESSAGE_CREATE","s":'),
    'JSON that is no object': SendPayload(b'[1,2,3]'),
    'bad UTF-8': SendPayload(b'{"op":0,"t":"\xff\xfe","s":1,"d":null}'),
    'no op': SendPayload({'t': None, 's': None, 'd': None}),
    'op that is no number': SendPayload({'op': 'zero', 't': None, 's': None, 'd': None}),
    'unknown op': SendPayload({'op': 99, 't': None, 's': None, 'd': {}}),
    'unknown event of the past': SendPayload({'op': 0, 't': 'DEMO_UNKNOWN', 's': 1, 'd': {}}),
    'acknowledgement that nobody waits for': SendPayload({'op': 11, 't': None, 's': None, 'd': None}),
    'HELLO without an interval': SendPayload({'op': 10, 't': None, 's': None, 'd': {}}),
    'data that cannot be inflated': SendMessage(b'\x00\x01\x02\x03 this is not compressed \x00\x00\xff\xff'),
    'empty message': SendMessage(b''),
    'reserved bits': SendBytes(b'\xf2\x00'),
    'reserved opcode': SendBytes(b'\x83\x00'),
    'masked frame': SendBytes(b'\x82\x81\x00\x00\x00\x00\x00'),
    'frame of 2^62 bytes': SendBytes(b'\x82\x7f\x40\x00\x00\x00\x00\x00\x00\x00'),
    'continuation of nothing': SendBytes(b'\x80\x01\x00'),
    'half of a frame': SendBytes(b'\x82\x7e\x00'),
}

# Which blows make sense at which stage, with weights. What would take a message from the session (leaving out or replacing an
# event) is not among them: a server that does so loses it, and no client can know.
_ON_LINE = (('cut', 4.0), ('close', 2.0), ('silence', 1.0))
_ON_SPEECH = (*_ON_LINE, ('reconnect', 2.0), ('invalidate', 1.5), ('delay', 1.5), ('garbage', 2.0))

BLOWS = {
    'connect': (('cut', 3.0), ('refuse', 4.0), ('delay', 2.0)),
    'hello': (('cut', 3.0), ('close', 2.0), ('reconnect', 2.0), ('delay', 2.0), ('garbage', 1.0)),
    'hello_sent': (('cut', 3.0), ('close', 2.0), ('reconnect', 2.0)),
    'resume': _ON_SPEECH,
    'replay': _ON_SPEECH,
    'resumed': _ON_SPEECH,
    'resumed_sent': (*_ON_LINE, ('reconnect', 2.0), ('garbage', 2.0)),
    'dispatch': _ON_SPEECH,
}

# Seconds. Longer than most things that are waited for on loopback, shorter than the shortest deadline.
DELAY_MINIMUM = 0.05
DELAY_MAXIMUM = 2.0


def draw_action(random, stage):
    """
    Draws what strikes at a stage.
    
    Parameters
    ----------
    random : `random.Random`
        Where randomness comes from.
    stage : `str`
        A key of ``BLOWS``.
    
    Returns
    -------
    blow : `list<object>`
        Its name and its value, for ``build_action``.
    """
    names, weights = zip(*BLOWS[stage])
    name, = random.choices(names, weights)
    
    if name == 'cut':
        value = random.choice(('RST', 'FIN'))
    elif name == 'close':
        value = random.choice(RESUMABLE_CLOSE_CODES)
    elif name == 'silence':
        value = random.choice(('deaf', 'hearing'))
    elif name == 'delay':
        value = round(random.uniform(DELAY_MINIMUM, DELAY_MAXIMUM), 2)
    elif name == 'refuse':
        value = random.choice(REFUSAL_STATUSES)
    elif name == 'garbage':
        value = random.choice(sorted(GARBAGE))
    else:
        value = None
    
    return [name, value]


def build_action(name, value):
    """
    Builds what strikes.
    
    Parameters
    ----------
    name : `str`
        Its name.
    value : `object`
        Its value.
    
    Returns
    -------
    action : ``ActionBase``
    """
    if name == 'cut':
        return Cut(reset = (value == 'RST'))
    
    if name == 'close':
        return Close(value)
    
    if name == 'silence':
        return Silence(read = (value == 'hearing'))
    
    if name == 'delay':
        return Delay(value)
    
    if name == 'refuse':
        # Discord and what stands before it say with 429 and 503 how long to wait.
        return Refuse(value, {'Retry-After': '1'} if value in (429, 503) else None)
    
    if name == 'garbage':
        return GARBAGE[value]
    
    if name == 'reconnect':
        return Reconnect()
    
    if name == 'invalidate':
        return Invalidate(resumable = True)
    
    if name == 'skip':
        return Skip()
    
    raise ValueError(f'There is no blow called {name!r}.')
