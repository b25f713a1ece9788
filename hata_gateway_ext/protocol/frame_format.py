"""
The format of web socket frames (RFC 6455): operation codes, bounds, close codes, and the frames that we send.
"""
__all__ = (
    'CLOSE_CODE_INVALID_DATA', 'CLOSE_CODE_PROTOCOL_ERROR', 'CLOSE_CODE_TOO_BIG', 'FINAL_BIT', 'MASK_BIT',
    'MAXIMAL_CONTROL_SIZE', 'MAXIMAL_MESSAGE_SIZE', 'OPERATION_BINARY', 'OPERATION_CLOSE', 'OPERATION_CONTINUATION',
    'OPERATION_NONE', 'OPERATION_PING', 'OPERATION_PONG', 'OPERATION_TEXT', 'build_close_payload', 'build_frame',
    'decode_or_none', 'is_close_code_sendable', 'parse_close_payload'
)

from struct import Struct

from .errors import FrameError


# Operation codes (RFC 6455, section 5.2). `OPERATION_NONE` is ours: "nothing is here yet".
OPERATION_NONE = -1
OPERATION_CONTINUATION = 0
OPERATION_TEXT = 1
OPERATION_BINARY = 2
OPERATION_CLOSE = 8
OPERATION_PING = 9
OPERATION_PONG = 10

# 64 MiB of payload in one message, over all of its fragments. The largest payload Discord is known to send is a
# `GUILD_CREATE` of a few MiB; an inflated payload is bounded by the same number (see `compression.py`).
MAXIMAL_MESSAGE_SIZE = 1 << 26

# The payload of a control frame is at most 125 bytes, and it is never fragmented (RFC 6455, section 5.5).
MAXIMAL_CONTROL_SIZE = 125

# Close codes (RFC 6455, section 7.4; 1012 - 1014 by the registry of IANA). 1004 - 1006 and 1015 are never on the wire.
CLOSE_CODE_PROTOCOL_ERROR = 1002
CLOSE_CODE_INVALID_DATA = 1007
CLOSE_CODE_TOO_BIG = 1009
REGISTERED_CLOSE_CODES = frozenset((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014))
# 3000 - 3999 are for libraries, 4000 - 4999 for applications: Discord's codes are there.
PRIVATE_CLOSE_CODE_MIN = 3000
PRIVATE_CLOSE_CODE_MAX = 4999

FINAL_BIT = 0x80
MASK_BIT = 0x80

unpack_length_16 = Struct('!H').unpack_from
pack_head_16 = Struct('!BBH').pack
pack_head_64 = Struct('!BBQ').pack


def build_frame(operation, payload, mask):
    """
    Builds a whole, masked frame as a client sends it.
    
    Parameters
    ----------
    operation : `int`
        The frame's operation code.
    payload : `bytes-like`
        The frame's payload.
    mask : `bytes`
        4 unpredictable bytes (RFC 6455, section 10.3). Randomness is the caller's.
    
    Returns
    -------
    frame : `bytes`
        Header, mask and masked payload: one write.
    """
    length = len(payload)
    if length < 126:
        head = bytes((FINAL_BIT | operation, MASK_BIT | length))
    elif length < 65536:
        head = pack_head_16(FINAL_BIT | operation, MASK_BIT | 126, length)
    else:
        head = pack_head_64(FINAL_BIT | operation, MASK_BIT | 127, length)
    
    if not length:
        return head + mask
    
    # One exclusive or of two big integers; both conversions are linear.
    masks = mask * (length // 4) + mask[: length % 4]
    masked = int.from_bytes(payload, 'little') ^ int.from_bytes(masks, 'little')
    return b''.join((head, mask, masked.to_bytes(length, 'little')))


def is_close_code_sendable(code):
    """
    Returns whether the close code may be in a close frame.
    
    Parameters
    ----------
    code : `int`
        Close code.
    
    Returns
    -------
    is_close_code_sendable : `bool`
    """
    return (code in REGISTERED_CLOSE_CODES) or (PRIVATE_CLOSE_CODE_MIN <= code <= PRIVATE_CLOSE_CODE_MAX)


def build_close_payload(code, reason = ''):
    """
    Builds the payload of a close frame.
    
    Parameters
    ----------
    code : `int`
        Close code.
    reason : `str` = `''`, Optional
        The reason of the closing. What is over 123 bytes of it is cut off.
    
    Returns
    -------
    payload : `bytes`
    
    Raises
    ------
    ValueError
        - If the close code may not be in a close frame.
    """
    if not is_close_code_sendable(code):
        raise ValueError(f'A close code is 1000 - 1003, 1007 - 1014 or 3000 - 4999, got {code!r}.')
    
    encoded_reason = reason.encode('utf-8')[: MAXIMAL_CONTROL_SIZE - 2]
    # Do not cut a character in two.
    encoded_reason = encoded_reason.decode('utf-8', 'ignore').encode('utf-8')
    return code.to_bytes(2, 'big') + encoded_reason


def parse_close_payload(payload):
    """
    Parses the payload of a received close frame.
    
    Parameters
    ----------
    payload : `bytes`
        The payload.
    
    Returns
    -------
    code : `None | int`
        `None` if the peer gave no code.
    reason : `str`
    
    Raises
    ------
    FrameError
        - If the payload is 1 byte long.
        - If the code may not be in a close frame.
        - If the reason is not UTF-8.
    """
    if not payload:
        return None, ''
    
    if len(payload) == 1:
        raise FrameError(CLOSE_CODE_PROTOCOL_ERROR, 'A close frame has 1 byte of payload.')
    
    code, = unpack_length_16(payload)
    if not is_close_code_sendable(code):
        raise FrameError(CLOSE_CODE_PROTOCOL_ERROR, f'A close frame carries the invalid code {code}.')
    
    reason = decode_or_none(payload[2:])
    if reason is None:
        raise FrameError(CLOSE_CODE_INVALID_DATA, 'The reason of a close frame is not UTF-8.')
    
    return code, reason


def decode_or_none(payload):
    """
    Decodes the payload. The exception of a failed decoding would carry the payload, so it does not leave this function.
    
    Parameters
    ----------
    payload : `bytes`
        The payload to decode.
    
    Returns
    -------
    text : `None | str`
        `None` if the payload is not UTF-8.
    """
    try:
        return payload.decode('utf-8')
    except UnicodeDecodeError:
        return None
