"""
Frames of the web socket protocol (RFC 6455): those of the server are read, resumable at any byte; ours are built.

Why it looks as it does: Discord sends small, whole, binary messages, one in a read on a calm day and hundreds of them
in one read after an outage. Hundreds come out in batches, and each costs two reads from a `BytesIO` and one look-up,
which is the least that CPython can do for a frame: arithmetic with positions costs more. Whatever else may come
(fragments, texts, control frames, large messages, a message that is spread over many reads) is read frame by frame,
looks at every byte once and is linear however the bytes are cut.

A head is judged when its bytes are there, before any of its payload: a peer cannot make us buffer what we refuse.
"""
__all__ = (
    'BATCH_COUNT', 'BATCH_MESSAGE_SIZE', 'BATCH_SIZE', 'CLOSE_CODE_INVALID_DATA', 'CLOSE_CODE_PROTOCOL_ERROR',
    'CLOSE_CODE_TOO_BIG', 'FRAGMENT_COUNT', 'FrameReader', 'MAXIMAL_CONTROL_SIZE', 'MAXIMAL_MESSAGE_SIZE',
    'OPERATION_BINARY', 'OPERATION_CLOSE', 'OPERATION_CONTINUATION', 'OPERATION_NONE', 'OPERATION_PING',
    'OPERATION_PONG', 'OPERATION_TEXT', 'build_close_payload', 'build_frame', 'is_close_code_sendable', 'parse_close_payload'
)

from codecs import getincrementaldecoder as get_incremental_decoder
from collections import deque as Deque
from io import BytesIO
from itertools import repeat
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
# `GUILD_CREATE` of a few MiB; an inflated payload is bounded by the same number (see ``MAXIMAL_PAYLOAD_SIZE``).
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

# The most messages in a batch: enough that what is done once for each batch does not count.
BATCH_COUNT = 64

# The largest message in a batch, and the size over which a batch takes no further message of more than 125 bytes, both
# in bytes. Whoever inflates a batch relies on them: with `zlib`, which makes at most 1032 bytes out of one, a batch
# stands for no more than 12 MiB.
BATCH_MESSAGE_SIZE = 2048
BATCH_SIZE = 4096

# How many fragments of a message are read before the reader gives the word back: of an endless message of empty
# fragments nothing would come out, and nobody would look at the clock.
FRAGMENT_COUNT = 64

# The first two bytes of a whole binary message -> its length, as the second byte tells it. With 126, two more bytes
# tell the length. Nothing to read counts as a head as well, so that the end of what was received is found without an
# exception.
LENGTH_16 = 126
NOTHING = 127
LENGTHS = {bytes((FINAL_BIT | OPERATION_BINARY, length)): length for length in range(LENGTH_16 + 1)}
LENGTHS[b''] = NOTHING
# The two bytes that tell the length of larger messages, up to the largest one in a batch -> that length.
LENGTHS_16 = {length.to_bytes(2, 'big'): length for length in range(LENGTH_16, BATCH_MESSAGE_SIZE + 1)}

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
    Decodes a text. The exception of a failed decoding would carry the payload, so it does not leave this function.
    """
    try:
        return payload.decode('utf-8')
    except UnicodeDecodeError:
        return None


def check_head(first, second, is_fragmented):
    """
    Checks the first two bytes of a frame. `is_fragmented` tells whether a fragmented message is under way.
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
        if not is_fragmented:
            raise FrameError(CLOSE_CODE_PROTOCOL_ERROR, 'A continuation frame continues nothing.')
        
        return
    
    if operation > OPERATION_BINARY:
        raise FrameError(CLOSE_CODE_PROTOCOL_ERROR, f'A frame has the unknown operation code {operation}.')
    
    if is_fragmented:
        raise FrameError(CLOSE_CODE_PROTOCOL_ERROR, 'A message begins before the fragmented one before it has ended.')


def check_length(second, length):
    """
    Checks the length of a frame. `second` is its second byte, which tells how the length is encoded.
    """
    if (second == 126 and length < 126) or (second == 127 and length < 65536):
        raise FrameError(CLOSE_CODE_PROTOCOL_ERROR, 'The length of a frame is not minimally encoded.')
    
    if length >> 63:
        raise FrameError(CLOSE_CODE_PROTOCOL_ERROR, 'The length of a frame has its highest bit set.')


class FrameReader:
    """
    Reads the frames that a server sends.
    
    Feed it with ``.feed``, then iterate over ``.frames``. What comes out of it is
    
    - `list<bytes>`: a batch of whole binary messages. There is at least one, and none is larger than
        ``BATCH_MESSAGE_SIZE``.
    - `bytes`: a whole binary message of any size.
    - `None`: look at ``.operation``. At `OPERATION_NONE` all that was fed is used up; feed more, and go on iterating
        the same iterator. At `OPERATION_CONTINUATION` many fragments were read of a message that is not whole yet; look
        at the clock, and go on iterating. At `OPERATION_TEXT`, `OPERATION_PING`, `OPERATION_PONG` and `OPERATION_CLOSE`
        the payload is in ``.payload``; go on iterating.
    
    A ``FrameError`` ends the iterator, and so does a close frame: nothing after it is read.
    
    Attributes
    ----------
    _batch_count : `int`
        The most messages in a batch.
    _body : `None | bytearray`
        What came of the current message, if it comes in more than one piece.
    _chunks : `Deque<bytes>`
        What was fed and is not the current chunk yet.
    _data : `bytes`
        The current chunk.
    _decoder : `None | codecs.IncrementalDecoder`
        Checks a text that comes in more than one piece.
    _fragment_count : `int`
        How many fragments were read since the word was given back.
    _is_final : `bool`
        Whether the current frame is the last one of its message.
    _is_text : `bool`
        Whether the current message is a text.
    _kind : `int`
        The operation code of the current frame, whose head is read and whose payload is not; `OPERATION_NONE` between
        frames.
    _length : `int`
        How many bytes of the current frame's payload are still to be read.
    _position : `int`
        How many bytes of the current chunk are read.
    frames : `GeneratorType`
        The iterator of messages and batches. Closing it ends the reading.
    operation : `int`
        What the last yielded `None` stands for.
    payload : `None | bytes`
        The payload that belongs to ``.operation``.
    queued_size : `int`
        The size of what was fed and is not the current chunk yet, in bytes.
    """
    __slots__ = (
        '_batch_count', '_body', '_chunks', '_data', '_decoder', '_fragment_count', '_is_final', '_is_text', '_kind',
        '_length', '_position', 'frames', 'operation', 'payload', 'queued_size'
    )
    
    def __new__(cls, *, batch_count = BATCH_COUNT):
        """
        Creates a new frame reader.
        
        Parameters
        ----------
        batch_count : `int` = ``BATCH_COUNT``, Optional (Keyword only)
            The most messages in a batch. At least 1.
        """
        self = object.__new__(cls)
        self._batch_count = batch_count
        self._body = None
        self._chunks = Deque()
        self._data = b''
        self._decoder = None
        self._fragment_count = 0
        self._is_final = True
        self._is_text = False
        self._kind = OPERATION_NONE
        self._length = 0
        self._position = 0
        self.frames = self._iterate()
        self.operation = OPERATION_NONE
        self.payload = None
        self.queued_size = 0
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} queued_size = {self.queued_size}>'
    
    
    def feed(self, data):
        """
        Adds received bytes, cut anywhere.
        """
        self._chunks.append(data)
        self.queued_size += len(data)
    
    
    def feed_or_take(self, data):
        """
        Adds received bytes, unless they are exactly one whole binary message: the everyday read.
        
        Parameters
        ----------
        data : `bytes`
            The received bytes, cut anywhere.
        
        Returns
        -------
        message : `None | bytes`
            The message, which does not come out of ``.frames`` then. `None` if it was fed.
        """
        size = len(data)
        # Nothing may be left that came before it.
        if (size > 1) and (self._kind == OPERATION_NONE) and (not (self._data or self._chunks or (self._body is not None))):
            if data[0] == FINAL_BIT | OPERATION_BINARY:
                length = data[1]
                if length == size - 2:
                    if length < LENGTH_16:
                        return data[2 :]
                
                elif (length == LENGTH_16) and (size >= LENGTH_16 + 4) and (unpack_length_16(data, 2)[0] == size - 4):
                    return data[4 :]
        
        self.feed(data)
        return None
    
    
    def close(self):
        """
        Ends the reading and drops what was not read yet.
        """
        self.frames.close()
        self._chunks.clear()
        self._body = None
        self._data = b''
        self._position = 0
        self.operation = OPERATION_NONE
        self.payload = None
        self.queued_size = 0
    
    
    def _iterate(self):
        """
        The iterator behind ``.frames``. It keeps nothing of what it yields.
        """
        is_over = False
        while not is_over:
            messages = self._read()
            if (messages is not None):
                yield messages
                messages = None
                continue
            
            # Who iterates takes the operation away.
            is_over = (self.operation == OPERATION_CLOSE)
            yield None
    
    # ---- bytes ----
    
    def _next_chunk(self):
        """
        Makes the next chunk the current one, with what is not read of the present one in front of it. Returns whether
        there was a next one; what is read is let go of anyway.
        """
        data = self._data
        position = self._position
        if position:
            self._data = data = data[position :]
            self._position = 0
        
        if not self._chunks:
            return False
        
        chunk = self._chunks.popleft()
        self.queued_size -= len(chunk)
        self._data = (data + chunk) if data else chunk
        return True
    
    
    def _need(self, size):
        """
        The need for more bytes: returns whether that many are there from the position on, all in the current chunk. It
        is for heads and control frames, of which little is copied however they are cut. If it is not, nothing has
        happened, and who needs them asks again when more was fed.
        """
        while len(self._data) - self._position < size:
            if not self._next_chunk():
                return False
        
        return True
    
    # ---- frames ----
    
    def _read(self):
        """
        Reads what comes next. It can be left and entered again at any byte, since all that is known of the current
        frame and of the current message is in attributes.
        """
        while True:
            if self._kind == OPERATION_NONE:
                # Between frames. If it is between messages as well, there may be a batch of them.
                if self._body is None:
                    messages = self._read_batch()
                    if messages:
                        return messages
                
                if not self._read_head():
                    return self._give(OPERATION_NONE, None)
            
            kind = self._kind
            if kind >= OPERATION_CLOSE:
                if not self._need(self._length):
                    return self._give(OPERATION_NONE, None)
                
                return self._read_control(kind)
            
            message = self._read_message()
            if (message is not None):
                if self._is_text:
                    return self._give(OPERATION_TEXT, message)
                
                return message
            
            if self._kind != OPERATION_NONE:
                return self._give(OPERATION_NONE, None)
            
            self._fragment_count += 1
            if self._fragment_count == FRAGMENT_COUNT:
                self._fragment_count = 0
                return self._give(OPERATION_CONTINUATION, None)
    
    
    def _give(self, operation, payload):
        """
        Sets what goes with a `None`, and returns that.
        """
        self.operation = operation
        self.payload = payload
        return None
    
    
    def _read_batch(self):
        """
        Reads the whole binary messages that are next in the current chunk, as many as may be in a batch. This is the
        loop that hundreds of messages in one read go through.
        
        What the locals mean to each other: `stream` is always in front of a head, or behind one that is refused.
        `messages` are the payloads between the position and there, and `length` is what the head of the last one
        announced. As reading behind the end gives less and no exception, only the last message can be shorter than its
        `length`, and whether it is has to be looked at once, behind the loop. `room` is what further messages of over
        125 bytes may have together.
        
        A batch is `is_regular` if the stream stands behind its last message. Otherwise the position is found by adding
        up what the messages had, and what is there goes to ``._read_head``: which frame it is, or that it is not whole,
        is not known here.
        """
        data = self._data
        if self._position >= len(data):
            if not self._next_chunk():
                return None
            
            data = self._data
        
        position = self._position
        lengths = LENGTHS
        stream = BytesIO(data)
        stream.seek(position)
        read = stream.read
        messages = []
        is_regular = True
        length = 0
        room = BATCH_SIZE
        try:
            for _ in repeat(None, self._batch_count):
                announced = lengths[read(2)]
                if announced < 126:
                    length = announced
                elif announced == 126:
                    announced = LENGTHS_16[read(2)]
                    room -= announced
                    if room < 0:
                        is_regular = False
                        break
                    
                    length = announced
                else:
                    break
                
                messages.append(read(length))
        
        except KeyError:
            # Another frame, a large message, or the chunk ends in the midst of a head.
            is_regular = False
        
        if messages and (len(messages[-1]) < length):
            del messages[-1]
            is_regular = False
        
        if is_regular:
            self._position = stream.tell()
        else:
            for message in messages:
                position += len(message) + (2 if len(message) < 126 else 4)
            
            self._position = position
        
        return messages
    
    
    def _read_head(self):
        """
        Reads the head of a frame, and judges it with the byte that tells. Returns whether all of it is there.
        """
        if not self._need(2):
            return False
        
        first = self._data[self._position]
        second = self._data[self._position + 1]
        body = self._body
        check_head(first, second, (body is not None))
        
        size = 2
        length = second
        if second >= 126:
            size, unpack = (4, unpack_length_16) if second == 126 else (10, unpack_length_64)
            if not self._need(size):
                return False
            
            length, = unpack(self._data, self._position + 2)
            check_length(second, length)
        
        kind = first & 0x0f
        if kind < OPERATION_CLOSE:
            if length + (0 if body is None else len(body)) > MAXIMAL_MESSAGE_SIZE:
                raise FrameError(CLOSE_CODE_TOO_BIG, f'A message is larger than {MAXIMAL_MESSAGE_SIZE} bytes.')
            
            self._is_final = (first & FINAL_BIT != 0)
            if kind != OPERATION_CONTINUATION:
                self._is_text = (kind == OPERATION_TEXT)
        
        self._kind = kind
        self._length = length
        self._position += size
        return True
    
    
    def _read_control(self, kind):
        """
        Reads the payload of a control frame, all of which is there. It may stand between the fragments of a message.
        """
        start = self._position
        self._position = start + self._length
        payload = self._data[start : self._position]
        if kind == OPERATION_CLOSE:
            parse_close_payload(payload)
        
        self._kind = OPERATION_NONE
        return self._give(kind, payload)
    
    
    def _read_message(self):
        """
        Reads what is there of the payload of a frame with a message or a part of it. Returns the message if it is whole
        now. If the kind is unchanged after it, there is more of the frame to come; otherwise, more frames.
        """
        start = self._position
        if (self._body is None) and self._is_final and (len(self._data) - start >= self._length):
            # All of it is in the current chunk.
            self._position = start + self._length
            message = self._data[start : self._position]
            if self._is_text and (not message.isascii()) and (decode_or_none(message) is None):
                raise FrameError(CLOSE_CODE_INVALID_DATA, 'A text message is not UTF-8.')
            
            self._kind = OPERATION_NONE
            return message
        
        if self._body is None:
            self._body = bytearray()
            self._decoder = create_utf8_decoder() if self._is_text else None
        
        while True:
            start = self._position
            piece = self._data[start : start + self._length]
            self._position = start + len(piece)
            self._length -= len(piece)
            self._body += piece
            # Invalid bytes are refused when they come, not when the message is whole.
            if self._is_text and (not self._is_text_valid(piece)):
                raise FrameError(CLOSE_CODE_INVALID_DATA, 'A text message is not UTF-8.')
            
            if not self._length:
                break
            
            if not self._next_chunk():
                return None
        
        self._kind = OPERATION_NONE
        if not self._is_final:
            return None
        
        message = bytes(self._body)
        self._body = None
        self._decoder = None
        return message
    
    
    def _is_text_valid(self, piece):
        """
        Returns whether a text is UTF-8 up to the end of this piece of it. The exception would carry what users wrote,
        so it does not leave this method.
        """
        try:
            self._decoder.decode(piece, self._is_final and (not self._length))
        except UnicodeDecodeError:
            return False
        
        return True
