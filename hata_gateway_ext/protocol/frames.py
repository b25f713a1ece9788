"""
The reader of web socket frames (RFC 6455): bytes in, messages out, resumable at any byte.

Why it looks as it does: Discord sends small, whole, binary messages, hundreds of them in one read. Those come out in
batches, and each costs two reads from a `BytesIO` and one look-up, which is the least that CPython can do for a frame:
arithmetic with positions costs more. Whatever else may come (fragments, texts, control frames, large messages, a message
that is spread over many reads) takes the slower part of the same loop, which looks at every byte once and is linear
however the bytes are cut.

A header is judged when its bytes are there, before any of its payload: a peer cannot make us buffer what we refuse.
"""
__all__ = (
    'BATCH_COUNT', 'BATCH_MESSAGE_SIZE', 'BATCH_SIZE', 'FrameReader', 'MAXIMAL_CONTROL_SIZE', 'MAXIMAL_MESSAGE_SIZE', 'OPERATION_BINARY', 'OPERATION_CLOSE',
    'OPERATION_NONE', 'OPERATION_PING', 'OPERATION_PONG', 'OPERATION_TEXT', 'build_close_payload', 'build_frame',
    'is_close_code_sendable', 'parse_close_payload'
)

from codecs import getincrementaldecoder as get_incremental_decoder
from collections import deque as Deque
from io import BytesIO
from itertools import repeat
from struct import Struct

from .errors import FrameError
from .frame_format import (
    CLOSE_CODE_INVALID_DATA, CLOSE_CODE_PROTOCOL_ERROR, CLOSE_CODE_TOO_BIG, FINAL_BIT, MASK_BIT, MAXIMAL_CONTROL_SIZE,
    MAXIMAL_MESSAGE_SIZE, OPERATION_BINARY, OPERATION_CLOSE, OPERATION_CONTINUATION, OPERATION_NONE, OPERATION_PING,
    OPERATION_PONG, OPERATION_TEXT, build_close_payload, build_frame, decode_or_none, is_close_code_sendable,
    parse_close_payload
)


# The most messages in a batch: enough that what is done once for each batch does not count.
BATCH_COUNT = 64

# The largest message in a batch, and the size over which a batch takes no further message of more than 125 bytes, both in
# bytes. Whoever inflates a batch relies on them: with `zlib`, which makes at most 1032 bytes out of one, a batch stands for
# no more than 12 MiB.
BATCH_MESSAGE_SIZE = 2048
BATCH_SIZE = 4096

# The first two bytes of a whole binary message -> its length, as the second byte tells it. With 126, two more bytes tell
# the length. Nothing to read counts as a head as well, so that the end of what was received is found without an exception.
LENGTH_16 = 126
NOTHING = 127
LENGTHS = {bytes((FINAL_BIT | OPERATION_BINARY, length)): length for length in range(LENGTH_16 + 1)}
LENGTHS[b''] = NOTHING
# The two bytes that tell the length of larger messages, up to the largest one in a batch -> that length.
LENGTHS_16 = {length.to_bytes(2, 'big'): length for length in range(LENGTH_16, BATCH_MESSAGE_SIZE + 1)}

unpack_length_16 = Struct('!H').unpack_from
unpack_length_64 = Struct('!Q').unpack_from

create_utf8_decoder = get_incremental_decoder('utf-8')


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
    
    - `list<bytes>`: a batch of whole binary messages. There is at least one, and none is larger than
        ``BATCH_MESSAGE_SIZE``.
    - `bytes`: a whole binary message of any size.
    - `None`: look at ``.operation``. At `OPERATION_NONE` all that was fed is used up; feed more, and go on iterating
        the same iterator. At `OPERATION_TEXT`, `OPERATION_PING`, `OPERATION_PONG` and `OPERATION_CLOSE` the payload is in
        ``.payload``; go on iterating.
    
    A ``FrameError`` ends the iterator, and so does a close frame: nothing after it is read.
    
    Attributes
    ----------
    _chunks : `Deque<bytes>`
        What was fed and not yet looked at.
    frames : `GeneratorType`
        The iterator of messages and batches. Closing it ends the reading.
    operation : `int`
        What the last yielded `None` stands for.
    payload : `None | bytes`
        The payload that belongs to ``.operation``.
    queued_size : `int`
        The size of what was fed and not yet looked at, in bytes.
    """
    __slots__ = ('_chunks', 'frames', 'operation', 'payload', 'queued_size')
    
    def __new__(cls, *, batch_count = BATCH_COUNT):
        """
        Creates a new frame reader.
        
        Parameters
        ----------
        batch_count : `int` = ``BATCH_COUNT``, Optional (Keyword only)
            The most messages in a batch. At least 1.
        """
        self = object.__new__(cls)
        self._chunks = Deque()
        self.operation = OPERATION_NONE
        self.payload = None
        self.queued_size = 0
        self.frames = self._read(batch_count)
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
    
    
    def _read(self, batch_count):
        """
        Reads frames.
        
        This method is a generator.
        
        Parameters
        ----------
        batch_count : `int`
            The most messages in a batch.
        
        Yields
        ------
        messages : `None | bytes | list<bytes>`
        
        Raises
        ------
        FrameError
        """
        chunks = self._chunks
        lengths = LENGTHS
        lengths_16 = LENGTHS_16
        
        # The current chunk, where we are in it, and its size.
        data = b''
        position = 0
        size = 0
        
        # Reads from the current chunk, if that is possible.
        read = None
        # What came of the current message if it came in more than one piece.
        body = None
        is_text = False
        decoder = None
        
        while True:
            # Fast path: batches of whole binary messages.
            while (body is None) and (position < size):
                if read is None:
                    stream = BytesIO(data)
                    read = stream.read
                
                stream.seek(position)
                messages = []
                is_regular = True
                length = 0
                room = BATCH_SIZE
                try:
                    for _ in repeat(None, batch_count):
                        announced = lengths[read(2)]
                        if announced < 126:
                            length = announced
                        elif announced == 126:
                            announced = lengths_16[read(2)]
                            room -= announced
                            if room < 0:
                                is_regular = False
                                break
                            
                            length = announced
                        else:
                            break
                        
                        messages.append(read(length))
                
                except KeyError:
                    # Another frame, or the chunk ends in the midst of a head.
                    is_regular = False
                
                # Only the last one can be cut short.
                if messages and (len(messages[-1]) < length):
                    del messages[-1]
                    is_regular = False
                
                if is_regular:
                    position = stream.tell()
                else:
                    for message in messages:
                        position += len(message) + (2 if len(message) < 126 else 4)
                    
                    if not messages:
                        break
                
                yield messages
            
            # Let go of what was handed on, and of the chunk if it is read.
            messages = message = None
            if size - position < 2:
                data = data[position :]
                read = stream = None
                while not chunks:
                    self.operation = OPERATION_NONE
                    self.payload = None
                    yield None
                
                data += self._take()
                position = 0
                size = len(data)
                continue
            
            # Any frame. The head first: at most 9 bytes are carried over to the next chunk.
            needed = 2
            first = second = length = 0
            while True:
                if size - position < needed:
                    data = data[position :]
                    read = stream = None
                    while not chunks:
                        self.operation = OPERATION_NONE
                        self.payload = None
                        yield None
                    
                    data += self._take()
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
                    data = data[position :]
                    read = stream = None
                    while not chunks:
                        self.operation = OPERATION_NONE
                        self.payload = None
                        yield None
                    
                    data += self._take()
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
                if is_text and (not payload.isascii()) and (decode_or_none(payload) is None):
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
                    
                    data = b''
                    read = stream = piece = None
                    while not chunks:
                        self.operation = OPERATION_NONE
                        self.payload = None
                        yield None
                    
                    data = self._take()
                    position = 0
                    size = len(data)
                
                if not final:
                    continue
                
                payload = bytes(body)
                body = None
                decoder = None
                piece = None
            
            if is_text:
                self.operation = OPERATION_TEXT
                self.payload = payload
                payload = None
                yield None
            else:
                yield payload
                payload = None
