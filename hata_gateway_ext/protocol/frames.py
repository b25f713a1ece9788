"""
Web socket frames (RFC 6455): bytes in, messages out, resumable at any byte.

Why this reader looks as it does: Discord sends small, whole, binary messages, hundreds of them in one read. For those
the generator below does one `unpack`, one slice and one `yield`, with everything it needs in local variables. Whatever
else may come (fragments, texts, control frames, a message that is spread over many reads) takes the slower part of the
same loop, which looks at every byte once and is linear however the bytes are cut.

A header is judged when its bytes are there, before any of its payload: a peer cannot make us buffer what we refuse.
"""
__all__ = (
    'FrameReader', 'MAXIMAL_CONTROL_SIZE', 'MAXIMAL_MESSAGE_SIZE', 'OPERATION_BINARY', 'OPERATION_CLOSE', 'OPERATION_NONE', 'OPERATION_PING',
    'OPERATION_PONG', 'OPERATION_TEXT', 'build_close_payload', 'build_frame', 'is_close_code_sendable',
    'parse_close_payload'
)

from codecs import getincrementaldecoder as get_incremental_decoder
from collections import deque as Deque
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
# The first byte of a whole binary message: final bit and operation.
WHOLE_BINARY = FINAL_BIT | OPERATION_BINARY
# Equals to no first byte: switches the fast path off while a fragmented message is under way.
NEVER = -1

unpack_length_16 = Struct('!H').unpack_from
unpack_length_64 = Struct('!Q').unpack_from
pack_head_16 = Struct('!BBH').pack
pack_head_64 = Struct('!BBQ').pack

create_utf8_decoder = get_incremental_decoder('utf-8')


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
    
    reason = _decode_or_none(payload[2:])
    if reason is None:
        raise FrameError(CLOSE_CODE_INVALID_DATA, 'The reason of a close frame is not UTF-8.')
    
    return code, reason


def _decode_or_none(payload):
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


def _feed_decoder(decoder, payload, final):
    """
    Feeds the next part of a text to the decoder.
    
    Parameters
    ----------
    decoder : `codecs.IncrementalDecoder`
        Decoder of the text.
    payload : `bytes`
        The next part of the text.
    final : `bool`
        Whether it is the last part.
    
    Returns
    -------
    valid : `bool`
        Whether the text is UTF-8 so far.
    """
    try:
        decoder.decode(payload, final)
    except UnicodeDecodeError:
        return False
    
    return True


def _check_head(first, second, fragmented):
    """
    Checks the first two bytes of a frame.
    
    Parameters
    ----------
    first : `int`
        First byte.
    second : `int`
        Second byte.
    fragmented : `bool`
        Whether a fragmented message is under way.
    
    Raises
    ------
    FrameError
        - If the frame breaks a rule of RFC 6455.
    """
    if first & 0x70:
        raise FrameError(CLOSE_CODE_PROTOCOL_ERROR, 'A frame has reserved bits set, and no extension is in use.')
    
    if second & MASK_BIT:
        raise FrameError(CLOSE_CODE_PROTOCOL_ERROR, 'A frame of the server is masked.')
    
    operation = first & 0x0f
    if operation >= OPERATION_CLOSE:
        if operation > OPERATION_PONG:
            raise FrameError(CLOSE_CODE_PROTOCOL_ERROR, f'A frame has the unknown operation code {operation}.')
        
        if not first & FINAL_BIT:
            raise FrameError(CLOSE_CODE_PROTOCOL_ERROR, 'A control frame is fragmented.')
        
        if second > MAXIMAL_CONTROL_SIZE:
            raise FrameError(CLOSE_CODE_PROTOCOL_ERROR, 'A control frame announces more than 125 bytes.')
        
        return
    
    if operation == OPERATION_CONTINUATION:
        if not fragmented:
            raise FrameError(CLOSE_CODE_PROTOCOL_ERROR, 'A continuation frame continues nothing.')
        
        return
    
    if operation > OPERATION_BINARY:
        raise FrameError(CLOSE_CODE_PROTOCOL_ERROR, f'A frame has the unknown operation code {operation}.')
    
    if fragmented:
        raise FrameError(CLOSE_CODE_PROTOCOL_ERROR, 'A message begins before the fragmented one before it has ended.')


def _check_length(second, length, buffered):
    """
    Checks the extended length of a frame.
    
    Parameters
    ----------
    second : `int`
        The second byte of the frame, which tells how the length is encoded.
    length : `int`
        The announced length of the frame's payload.
    buffered : `int`
        The size of the fragments that are already here.
    
    Raises
    ------
    FrameError
        - If the length is not minimally encoded, has its highest bit set, or makes the message larger than we accept.
    """
    if (second == 126 and length < 126) or (second == 127 and length < 65536):
        raise FrameError(CLOSE_CODE_PROTOCOL_ERROR, 'The length of a frame is not minimally encoded.')
    
    if length >> 63:
        raise FrameError(CLOSE_CODE_PROTOCOL_ERROR, 'The length of a frame has its highest bit set.')
    
    if length + buffered > MAXIMAL_MESSAGE_SIZE:
        raise FrameError(CLOSE_CODE_TOO_BIG, f'A message is larger than {MAXIMAL_MESSAGE_SIZE} bytes.')


class FrameReader:
    """
    Reads the frames that a server sends.
    
    Feed it with ``.feed``, then iterate over ``.frames``. What comes out of it is
    
    - `bytes`: a whole binary message.
    - `None`: look at ``.operation``. At `OPERATION_NONE` all that was fed is used up; feed more, and go on iterating the
        same iterator. At `OPERATION_TEXT`, `OPERATION_PING`, `OPERATION_PONG` and `OPERATION_CLOSE` the payload is in
        ``.payload``; go on iterating.
    
    A ``FrameError`` ends the iterator, and so does a close frame: nothing after it is read.
    
    Attributes
    ----------
    _chunks : `Deque<bytes>`
        What was fed and not yet looked at.
    frames : `GeneratorType`
        The iterator of messages. Closing it ends the reading.
    operation : `int`
        What the last yielded `None` stands for.
    payload : `None | bytes`
        The payload that belongs to ``.operation``.
    queued_size : `int`
        The size of what was fed and not yet looked at, in bytes.
    """
    __slots__ = ('_chunks', 'frames', 'operation', 'payload', 'queued_size')
    
    def __new__(cls):
        """
        Creates a new frame reader.
        """
        self = object.__new__(cls)
        self._chunks = Deque()
        self.operation = OPERATION_NONE
        self.payload = None
        self.queued_size = 0
        self.frames = self._read()
        return self
    
    
    def __repr__(self):
        """Returns the frame reader's representation."""
        return f'<{type(self).__name__} queued_size = {self.queued_size}>'
    
    
    def feed(self, data):
        """
        Adds received bytes.
        
        Parameters
        ----------
        data : `bytes`
            The received bytes, cut anywhere.
        """
        self._chunks.append(data)
        self.queued_size += len(data)
    
    
    def close(self):
        """
        Ends the reading and drops what was not read yet.
        """
        self.frames.close()
        self._chunks.clear()
        self.operation = OPERATION_NONE
        self.payload = None
        self.queued_size = 0
    
    
    def _take(self):
        """
        Takes the next chunk out of the queue. There must be one.
        
        Returns
        -------
        chunk : `bytes`
        """
        chunk = self._chunks.popleft()
        self.queued_size -= len(chunk)
        return chunk
    
    
    def _read(self):
        """
        Reads frames.
        
        This method is a generator.
        
        Yields
        ------
        message : `None | bytes`
        
        Raises
        ------
        FrameError
        """
        chunks = self._chunks
        
        # The current chunk, where we are in it, and its size.
        data = b''
        position = 0
        size = 0
        
        whole = WHOLE_BINARY
        # What came of the current message if it came in more than one piece.
        body = None
        is_text = False
        decoder = None
        
        while True:
            # Fast path: whole binary messages of less than 64 KiB.
            try:
                while data[position] == whole:
                    start = position + 2
                    length = data[position + 1]
                    if length >= 126:
                        if length != 126:
                            break
                        
                        start = position + 4
                        length = (data[position + 2] << 8) | data[position + 3]
                        if length < 126:
                            break
                    
                    end = start + length
                    if end > size:
                        break
                    
                    position = end
                    yield data[start : end]
            
            except IndexError:
                # The chunk ends in the midst of a head.
                pass
            
            # Any frame. The head first: at most 9 bytes are carried over to the next chunk.
            needed = 2
            first = second = length = 0
            while True:
                if size - position < needed:
                    while not chunks:
                        self.operation = OPERATION_NONE
                        self.payload = None
                        # Let go of the chunk that is read.
                        data = data[position :]
                        position = 0
                        size = len(data)
                        yield None
                    
                    data = data[position :] + self._take()
                    position = 0
                    size = len(data)
                    continue
                
                if needed == 2:
                    first = data[position]
                    second = data[position + 1]
                    _check_head(first, second, body is not None)
                    if second == 126:
                        needed = 4
                    elif second == 127:
                        needed = 10
                    else:
                        length = second
                        _check_length(second, length, (0 if body is None else len(body)))
                        break
                
                elif needed == 4:
                    length, = unpack_length_16(data, position + 2)
                    _check_length(second, length, (0 if body is None else len(body)))
                    break
                
                else:
                    length, = unpack_length_64(data, position + 2)
                    _check_length(second, length, (0 if body is None else len(body)))
                    break
            
            position += needed
            operation = first & 0x0f
            
            if operation >= OPERATION_CLOSE:
                # At most 124 bytes are carried over.
                while size - position < length:
                    while not chunks:
                        self.operation = OPERATION_NONE
                        self.payload = None
                        yield None
                    
                    data = data[position :] + self._take()
                    position = 0
                    size = len(data)
                
                end = position + length
                payload = data[position : end]
                position = end
                if operation == OPERATION_CLOSE:
                    parse_close_payload(payload)
                
                self.operation = operation
                self.payload = payload
                yield None
                
                if operation == OPERATION_CLOSE:
                    return
                
                continue
            
            final = first & FINAL_BIT
            if operation != OPERATION_CONTINUATION:
                is_text = (operation == OPERATION_TEXT)
            
            end = position + length
            if (body is None) and final and (end <= size):
                payload = data[position : end]
                position = end
                if is_text and (not payload.isascii()) and (_decode_or_none(payload) is None):
                    raise FrameError(CLOSE_CODE_INVALID_DATA, 'A text message is not UTF-8.')
            
            else:
                if body is None:
                    body = bytearray()
                    if is_text:
                        decoder = create_utf8_decoder()
                
                while True:
                    piece = data[position : position + length]
                    position += len(piece)
                    length -= len(piece)
                    body += piece
                    # Invalid bytes are refused when they come, not when the message is whole.
                    if is_text and (not _feed_decoder(decoder, piece, bool(final and (not length)))):
                        raise FrameError(CLOSE_CODE_INVALID_DATA, 'A text message is not UTF-8.')
                    
                    if not length:
                        break
                    
                    while not chunks:
                        self.operation = OPERATION_NONE
                        self.payload = None
                        data = b''
                        piece = None
                        yield None
                    
                    data = self._take()
                    position = 0
                    size = len(data)
                
                if not final:
                    whole = NEVER
                    continue
                
                payload = bytes(body)
                body = None
                decoder = None
                piece = None
                whole = WHOLE_BINARY
            
            if is_text:
                self.operation = OPERATION_TEXT
                self.payload = payload
                payload = None
                yield None
            else:
                yield payload
                payload = None
