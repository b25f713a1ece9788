"""
Inflaters of the gateway's transport compressions: `zlib-stream`, `zstd-stream` and none. Messages in, whole payloads
out.

Each connection has an inflater of its own, because the compression context lives as long as the connection. What comes
out of one is bounded: a few KB of compressed data can stand for gigabytes, so no more than ``MAXIMAL_PAYLOAD_SIZE`` is
ever inflated for one payload.

Small messages come in batches (see ``FrameReader``), and what a batch costs beyond inflating is what counts. So a batch
is inflated at the speed of C: its messages are too small to stand for much. Any other message is inflated step by step.
The output of most payloads fits into ``FIRST_SIZE``; asking the library for no more than that at first is also what
makes it cheap.
"""
__all__ = (
    'COMPRESSION_NONE', 'COMPRESSION_ZLIB_STREAM', 'COMPRESSION_ZSTD_STREAM', 'FIRST_SIZE', 'MAXIMAL_PAYLOAD_SIZE',
    'NEXT_SIZE', 'PlainInflater', 'ZlibStreamInflater', 'ZstdStreamInflater', 'create_inflater', 'is_available'
)

from itertools import repeat
from zlib import decompressobj as create_zlib_decompressor, error as ZlibError

from .errors import InflateError

try:
    from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError
except ImportError:
    DecompressionParameter = None
    ZstdDecompressor = None
    
    class ZstdError(Exception):
        """
        Stands for the error of zstd where zstd is not installed. Never raised.
        """
        __slots__ = ()


COMPRESSION_NONE = 'none'
COMPRESSION_ZLIB_STREAM = 'zlib-stream'
COMPRESSION_ZSTD_STREAM = 'zstd-stream'

# 64 MiB in one inflated payload. The largest payloads of Discord (`GUILD_CREATE` of a large guild, `READY` of a bot at
# the guild limit of a shard) are a few MiB, so this is more than ten times what is expected, and still harmless.
MAXIMAL_PAYLOAD_SIZE = 1 << 26

# What is inflated of a message of any size in the first call, in bytes: over it CPython allocates at least 32 KiB for
# the output of each call, and up to it exactly this much (measured on CPython 3.11; an event is 0.6 KB on average).
FIRST_SIZE = 1 << 14

# What is inflated in each further call, in bytes. Large enough that the calls do not count, small enough that what is
# over the bound is noticed in time.
NEXT_SIZE = 1 << 20

# A `zlib-stream` payload may come over several messages; the one that ends with an empty stored block, which is what a
# sync flush leaves, is its last (Discord docs, Gateway: Transport Compression).
ZLIB_SUFFIX = b'\x00\x00\xff\xff'

# The window of a `zstd-stream` frame is allocated in full by the decoder, so the sender decides about our memory unless
# it is bounded. 2 ** 23 = 8 MiB is what RFC 8878 (section 3.1.1.1.2) recommends every decoder to accept; Discord wrote
# that its gateway uses 2 ** 18.
ZSTD_WINDOW_LOG_MAX = 23

# Frames of zstd in one message. Servers have one in each message, or one for the whole connection. What is behind a
# frame is copied for the next one, so without a bound a large message of empty frames would take quadratic time.
FRAME_COUNT_MAX = 16

# `repeat` without a count has no state, so these are for everyone.
ZLIB_SUFFIXES = repeat(ZLIB_SUFFIX)
FIRST_SIZES = repeat(FIRST_SIZE)


def check_size(size):
    """
    Checks the size of a payload, as far as it is inflated, against the bound.
    """
    if size > MAXIMAL_PAYLOAD_SIZE:
        raise InflateError(f'A payload is larger than {MAXIMAL_PAYLOAD_SIZE} bytes when inflated.')


class PlainInflater:
    """
    Takes messages for payloads, on a connection that is not compressed; what all inflaters do is described here.
    """
    __slots__ = ()
    
    name = COMPRESSION_NONE
    
    def __repr__(self):
        return f'<{type(self).__name__}>'
    
    
    def inflate_batch(self, messages, payloads):
        """
        Inflates a batch of messages.
        
        Parameters
        ----------
        messages : `list<bytes>`
            A batch of received messages, each of at most ``BATCH_MESSAGE_SIZE`` bytes.
        payloads : `list<bytes>`
            The payloads that are whole by now are added to it, also those in front of what is corrupt.
        
        Returns
        -------
        remaining : `None | list<bytes>`
            The messages that are not inflated yet: it ends behind a large payload, so that few of them are there at once.
        
        Raises
        ------
        InflateError
            - If the stream is corrupt, has ended, or a payload is larger than we accept. The context is lost.
        """
        payloads.extend(messages)
        return None
    
    
    def feed(self, message):
        """
        Inflates the next message, which may be of any size.
        
        Parameters
        ----------
        message : `bytes`
            A received message.
        
        Returns
        -------
        payload : `None | bytes`
            `None` if the payload goes on in the next message.
        
        Raises
        ------
        InflateError
            - If the stream is corrupt, has ended, or a payload is larger than we accept. The context is lost.
        """
        return message


class ZlibStreamInflater:
    """
    Inflates a `zlib-stream`.
    
    Attributes
    ----------
    _decompress : `(bytes, int) -> bytes`
        The method of ``._decompressor``.
    _decompressor : `zlib.decompressobj`
        The connection's context.
    _parts : `None | bytearray`
        What is inflated of a payload that comes over several messages.
    _tail : `bytes`
        The last bytes of the messages of such a payload: the suffix itself may be cut as well.
    """
    __slots__ = ('_decompress', '_decompressor', '_parts', '_tail')
    
    name = COMPRESSION_ZLIB_STREAM
    
    def __new__(cls):
        decompressor = create_zlib_decompressor()
        
        self = object.__new__(cls)
        self._decompress = decompressor.decompress
        self._decompressor = decompressor
        self._parts = None
        self._tail = b''
        return self
    
    
    __repr__ = PlainInflater.__repr__
    
    
    def inflate_batch(self, messages, payloads):
        """See ``PlainInflater.inflate_batch``."""
        # Which messages end a payload has to be known before they are inflated: what comes of them does not tell.
        if (self._parts is not None) or (not all(map(bytes.endswith, messages, ZLIB_SUFFIXES))):
            for message in messages:
                payload = self.feed(message)
                if (payload is not None):
                    payloads.append(payload)
            
            return None
        
        try:
            # Those in front of a corrupt one are kept, as CPython extends a list item by item.
            payloads.extend(map(self._decompress, messages))
        except ZlibError:
            # It carries nothing that would help, and ours is to have no context.
            pass
        else:
            if not self._decompressor.eof:
                return None
            
            # Of messages behind the end nothing came out.
            while payloads and (not payloads[-1]):
                del payloads[-1]
            
            self._check_end()
        
        raise InflateError('A zlib stream is corrupt.')
    
    
    def feed(self, message):
        """See ``PlainInflater.feed``."""
        try:
            payload = self._decompress(message, FIRST_SIZE)
            if (len(payload) < FIRST_SIZE) and (self._parts is None) and message.endswith(ZLIB_SUFFIX):
                return payload
            
            return self._feed_slowly(message, payload)
        except ZlibError:
            pass
        
        raise InflateError('A zlib stream is corrupt.')
    
    
    def _feed_slowly(self, message, payload):
        """
        Goes on with a message whose payload is either large, or comes over several messages. `payload` is what is
        inflated of it so far.
        """
        decompressor = self._decompressor
        parts = self._parts
        size = 0 if parts is None else len(parts)
        pieces = []
        requested = FIRST_SIZE
        while True:
            pieces.append(payload)
            size += len(payload)
            check_size(size)
            if len(payload) < requested:
                break
            
            requested = NEXT_SIZE
            payload = self._decompress(decompressor.unconsumed_tail, NEXT_SIZE)
        
        payload = b''.join(pieces)
        
        self._check_end()
        tail = (self._tail + message[-len(ZLIB_SUFFIX) :])[-len(ZLIB_SUFFIX) :]
        if tail == ZLIB_SUFFIX:
            self._parts = None
            self._tail = b''
            return payload if parts is None else bytes(parts + payload)
        
        # Many messages may bring little each; a `bytearray` costs no more than what is in it.
        if parts is None:
            self._parts = bytearray(payload)
        else:
            parts += payload
        
        self._tail = tail
        return None
    
    
    def _check_end(self):
        """
        Checks that the stream goes on. It lives as long as its connection, so what is behind its end would never come
        out.
        """
        if self._decompressor.eof:
            raise InflateError('A zlib stream has ended.')


class ZstdStreamInflater:
    """
    Inflates a `zstd-stream`, of which each message is a payload.
    
    A server may end the frame of zstd with a message and begin another with the next one, and libzstd goes on by itself
    then. Python's decompressor ends with its frame, so it is followed by another one.
    
    Attributes
    ----------
    _decompress : `(bytes, int) -> bytes`
        The method of ``._decompressor``.
    _decompressor : `ZstdDecompressor`
        The context of the current frame.
    """
    __slots__ = ('_decompress', '_decompressor')
    
    name = COMPRESSION_ZSTD_STREAM
    
    def __new__(cls):
        self = object.__new__(cls)
        self._begin_frame()
        return self
    
    
    __repr__ = PlainInflater.__repr__
    
    
    def _begin_frame(self):
        """
        Lets a decompressor for the next frame take the place of the present one.
        """
        decompressor = ZstdDecompressor(options = {DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG_MAX})
        self._decompress = decompressor.decompress
        self._decompressor = decompressor
        return decompressor
    
    
    def inflate_batch(self, messages, payloads):
        """See ``PlainInflater.inflate_batch``."""
        done = -len(payloads)
        is_corrupt = False
        try:
            for payload in map(self._decompress, messages, FIRST_SIZES):
                if len(payload) == FIRST_SIZE:
                    # The rest of it must come out before the next message goes in.
                    payloads.append(self._feed_slowly(payload))
                    break
                
                payloads.append(payload)
        
        except EOFError:
            # The frame ended with the payload before, which is looked at below.
            pass
        
        except ZstdError:
            # It carries nothing that would help, and ours is to have no context.
            is_corrupt = True
        
        done += len(payloads)
        if done and self._decompressor.eof:
            payloads.append(self._feed_slowly(payloads.pop()))
        
        if is_corrupt:
            raise InflateError('A zstd stream is corrupt.')
        
        return messages[done :]
    
    
    def feed(self, message):
        """See ``PlainInflater.feed``. Never `None`: each message is a payload."""
        try:
            payload = self._decompress(message, FIRST_SIZE)
        except ZstdError:
            payload = None
        
        if payload is None:
            raise InflateError('A zstd stream is corrupt.')
        
        if (len(payload) < FIRST_SIZE) and (not self._decompressor.eof):
            return payload
        
        return self._feed_slowly(payload)
    
    
    def _feed_slowly(self, payload):
        """
        Goes on with a message whose payload is large, or whose frame has ended. `payload` is what is inflated of it so
        far.
        """
        decompressor = self._decompressor
        pieces = []
        size = 0
        frame_count = 1
        while True:
            pieces.append(payload)
            size += len(payload)
            check_size(size)
            if decompressor.eof:
                data = decompressor.unused_data
                decompressor = self._begin_frame()
                if not data:
                    break
                
                frame_count += 1
                if frame_count > FRAME_COUNT_MAX:
                    raise InflateError(f'A message has more than {FRAME_COUNT_MAX} frames of zstd.')
            
            elif decompressor.needs_input:
                break
            
            else:
                data = b''
            
            try:
                payload = decompressor.decompress(data, NEXT_SIZE)
            except ZstdError:
                payload = None
            
            if payload is None:
                raise InflateError('A zstd stream is corrupt.')
        
        return b''.join(pieces)


INFLATERS = {
    COMPRESSION_NONE: PlainInflater,
    COMPRESSION_ZLIB_STREAM: ZlibStreamInflater,
    COMPRESSION_ZSTD_STREAM: ZstdStreamInflater,
}


def is_available(name):
    """
    Returns whether the compression can be used in this environment: `zstd-stream` requires `backports.zstd`.
    
    Parameters
    ----------
    name : `str`
        The name of the compression.
    
    Returns
    -------
    is_available : `bool`
    """
    if name == COMPRESSION_ZSTD_STREAM:
        return (ZstdDecompressor is not None)
    
    return (name in INFLATERS)


def create_inflater(name):
    """
    Creates an inflater for a new connection.
    
    Parameters
    ----------
    name : `str`
        `'zlib-stream'`, `'zstd-stream'` or `'none'`.
    
    Returns
    -------
    inflater : ``PlainInflater``, ``ZlibStreamInflater``, ``ZstdStreamInflater``
    
    Raises
    ------
    ValueError
        - If the compression is unknown, or not available in this environment.
    """
    try:
        inflater_type = INFLATERS[name]
    except KeyError:
        raise ValueError(f'Unknown compression: {name!r}; known are {", ".join(sorted(INFLATERS))}.') from None
    
    if not is_available(name):
        raise ValueError(f'Compression {name!r} requires the package `backports.zstd`.')
    
    return inflater_type()
