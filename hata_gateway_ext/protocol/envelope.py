"""
The envelope of a payload: `op`, `s` and `t`, with and without decoding `d`.

Discord writes an event as `{"t":"NAME","s":NUMBER,"op":0,"d":...}`. The first ``HEAD_SIZE`` bytes of that tell nearly
every name, so they are the keys of ``KNOWN_HEADS``: the few that a batch of events has are found at the speed of C. As the
sequence grows by one, all that stands in front of the data is known before the event is here, and the head's format builds
it: an event that nobody needs is checked with one `startswith` and not decoded. What the data contains cannot deceive,
since everything is compared from the first byte on, and is in front of the data.

Anything that looks different is decoded in full and checked field by field. A field that is there twice is undefined by
RFC 8259 (section 4) and not sent by Discord: of an event that is decoded the last one counts, and of one that is not
decoded, the one in front of the data.

Errors name the field and the type that were wrong, and never the value.
"""
__all__ = (
    'Envelope', 'HEAD_SIZE', 'KNOWN_HEADS', 'decode_payload', 'get_head', 'learn_head', 'load_payload', 'read_head'
)

import sys
from json import JSONDecoder
from operator import itemgetter
from re import compile as re_compile

from .errors import PayloadError
from .operations import DISPATCH

try:
    from orjson import JSONDecodeError as FastDecodeError, loads as load_json_fast
except ImportError:
    load_json_fast = None
    
    class FastDecodeError(ValueError):
        """
        Stands for the error of `orjson` where that is not installed. Never raised.
        """
        __slots__ = ()


# How an event of Discord begins. Names are bounded, so a payload cannot make us keep what is no name; the longest of
# today's is 41 characters. 18 digits of a sequence are more than a session can live for.
HEAD_PATTERN = re_compile(rb'\{"t":"([A-Z][A-Z0-9_]{0,63})","s":(0|[1-9][0-9]{0,17}),"op":0,"d":')

# How many bytes of an event are looked up, and the shortest name that fills them: with a shorter one, digits of the
# sequence would be among them. 12 is the length of `GUILD_CREATE`; 18 characters tell all but rare names from each
# other.
HEAD_SIZE = 24
HEAD_NAME_SIZE_MIN = 12

# The longest run of digits that is accepted as a number where CPython itself has no such limit: its own default.
# Without a limit, decoding takes quadratic time.
DIGITS_MAX = 4300

# How many names are remembered. Discord has about a hundred; the bound keeps a peer that invents names from growing it.
KNOWN_HEADS_MAX = 512

# The first bytes of an event -> its name, the format of everything in front of its data, and whether no other name begins
# like that. Names of over 17 characters are not told apart by it: the last that came has the entry, and the others are
# found not to fit.
KNOWN_HEADS = {}

# Gets the first bytes of a payload.
get_head = itemgetter(slice(None, HEAD_SIZE))


def learn_head(payload):
    """
    Remembers the head of an event, so that it is found in ``KNOWN_HEADS`` the next time.
    
    Parameters
    ----------
    payload : `bytes`
        The payload of an event.
    """
    match = HEAD_PATTERN.match(payload)
    if match is None:
        return
    
    name = match.group(1)
    if (len(name) >= HEAD_NAME_SIZE_MIN) and (len(KNOWN_HEADS) < KNOWN_HEADS_MAX):
        start = b'{"t":"%b"' % name
        KNOWN_HEADS[payload[: HEAD_SIZE]] = (
            name.decode('ascii'), start + b',"s":%d,"op":0,"d":', len(start) <= HEAD_SIZE
        )


def read_head(payload):
    """
    Reads name and sequence of an event without decoding it.
    
    Parameters
    ----------
    payload : `bytes`
        The payload.
    
    Returns
    -------
    head : `None | (str, int)`
        `None` if the payload is no event, or not written as Discord writes one.
    """
    match = HEAD_PATTERN.match(payload)
    if match is None:
        return None
    
    return match.group(1).decode('ascii'), int(match.group(2))


def _refuse_constant(name):
    """
    Refuses `NaN` and the infinities, which JSON does not have.
    
    Parameters
    ----------
    name : `str`
        The constant.
    
    Raises
    ------
    PayloadError
    """
    raise PayloadError(f'A payload contains {name}, which is not JSON.')


def _parse_integer(digits):
    """
    Parses an integer, if it is not too long for it.
    
    Parameters
    ----------
    digits : `str`
        The digits.
    
    Returns
    -------
    value : `int`
    
    Raises
    ------
    PayloadError
    """
    if len(digits) > DIGITS_MAX:
        raise PayloadError(f'A payload contains a number of more than {DIGITS_MAX} digits.')
    
    return int(digits)


# Has no constants that JSON has not, and no numbers that take for ever.
SLOW_DECODER = JSONDecoder(
    parse_constant = _refuse_constant,
    parse_int = None if hasattr(sys, 'get_int_max_str_digits') else _parse_integer,
)


def _decode_slowly(payload):
    """
    Decodes the payload with the standard library, which accepts what `orjson` does not: lone surrogates.
    
    Parameters
    ----------
    payload : `bytes`
        The payload.
    
    Returns
    -------
    message : `object`
    
    Raises
    ------
    PayloadError
    """
    # The exceptions of the decoders carry the payload, so ours is raised outside of their handling.
    try:
        text = payload.decode('utf-8')
    except UnicodeDecodeError:
        reason = 'it is not UTF-8'
    else:
        try:
            return SLOW_DECODER.decode(text)
        except ValueError:
            reason = 'it is not valid'
        except RecursionError:
            reason = 'it is nested too deeply'
    
    raise PayloadError(f'A payload of {len(payload)} bytes cannot be decoded as JSON: {reason}.')


# Decodes a payload and checks nothing else. Raises `ValueError` or ``PayloadError``.
load_payload = _decode_slowly if load_json_fast is None else load_json_fast


def decode_payload(payload):
    """
    Decodes a payload in full.
    
    Parameters
    ----------
    payload : `bytes`
        The payload.
    
    Returns
    -------
    message : `dict<str, object>`
    
    Raises
    ------
    PayloadError
        - If the payload is not JSON, or no object.
    """
    if load_json_fast is None:
        message = _decode_slowly(payload)
    else:
        try:
            message = load_json_fast(payload)
        except FastDecodeError:
            message = None
        
        if message is None:
            message = _decode_slowly(payload)
    
    if type(message) is not dict:
        raise PayloadError(f'A payload is no object, but {type(message).__name__}.')
    
    return message


class Envelope:
    """
    A payload that was decoded in full, with its envelope checked.
    
    Attributes
    ----------
    data : `object`
        `d`. `None` if it is missing.
    message : `dict<str, object>`
        The whole payload.
    name : `None | str`
        `t`. Set for dispatches only.
    operation : `int`
        `op`.
    sequence : `None | int`
        `s`. Set for dispatches only.
    """
    __slots__ = ('data', 'message', 'name', 'operation', 'sequence')
    
    def __new__(cls, payload):
        """
        Decodes and checks a payload.
        
        Parameters
        ----------
        payload : `bytes`
            The payload.
        
        Raises
        ------
        PayloadError
            - If the payload is no JSON object.
            - If a field of its envelope is missing or ill-typed.
        """
        message = decode_payload(payload)
        
        operation = _get_field(message, 'op', (int,))
        sequence = message.get('s', None)
        name = message.get('t', None)
        if operation == DISPATCH:
            name = _get_field(message, 't', (str,))
            sequence = _get_field(message, 's', (int,))
            if sequence < 0:
                raise PayloadError('The field `s` of a payload is negative.')
            
            if 'd' not in message:
                raise PayloadError('The field `d` of a payload is missing.')
        
        else:
            for field_name, field_value, expected_type in (('s', sequence, int), ('t', name, str)):
                if (field_value is not None) and (type(field_value) is not expected_type):
                    raise PayloadError(
                        f'The field `{field_name}` of a payload is {type(field_value).__name__}, expected '
                        f'{expected_type.__name__} or null.'
                    )
        
        self = object.__new__(cls)
        self.data = message.get('d', None)
        self.message = message
        self.name = name
        self.operation = operation
        self.sequence = sequence
        return self
    
    
    def __repr__(self):
        """Returns the envelope's representation."""
        return f'<{type(self).__name__} operation = {self.operation}, name = {self.name!r}, sequence = {self.sequence}>'


def _get_field(message, name, expected_types):
    """
    Gets a field that must be there.
    
    Parameters
    ----------
    message : `dict<str, object>`
        The decoded payload.
    name : `str`
        The field's name.
    expected_types : `tuple<type>`
        The types the field may have. `bool` is not taken for `int`.
    
    Returns
    -------
    value : `object`
    
    Raises
    ------
    PayloadError
        - If the field is missing or has another type.
    """
    try:
        value = message[name]
    except KeyError:
        value = message
    
    if value is message:
        raise PayloadError(f'The field `{name}` of a payload is missing.')
    
    if type(value) not in expected_types:
        raise PayloadError(
            f'The field `{name}` of a payload is {type(value).__name__}, expected '
            f'{" or ".join(expected_type.__name__ for expected_type in expected_types)}.'
        )
    
    return value
