"""
Inflaters of the gateway's transport compressions: `zlib-stream`, `zstd-stream` and none.

Each connection has an inflater of its own, because the compression context lives as long as the connection. What comes
out of one is bounded: a few KB of compressed data can stand for gigabytes, so no more than ``MAXIMAL_PAYLOAD_SIZE`` is
ever inflated for one payload.

The output of most payloads fits into ``FIRST_SIZE``. Asking the library for no more than that at first is not only a
bound but also what makes inflating cheap: zlib and zstd of CPython allocate 32 KiB for each call that names no smaller
limit, which costs more than a quarter of the inflating of a usual event.
"""
__all__ = (
    'COMPRESSION_NONE', 'COMPRESSION_ZLIB_STREAM', 'COMPRESSION_ZSTD_STREAM', 'MAXIMAL_PAYLOAD_SIZE', 'PlainInflater',
    'ZlibStreamInflater', 'ZstdStreamInflater', 'create_inflater', 'is_available'
)

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

# What is inflated in the first call, in bytes: over it CPython allocates at least 32 KiB for the output of each call,
# and up to it exactly this much (measured on CPython 3.11; an event is 0.6 KB on average).
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


def is_available(name):
    """
    Returns whether the compression can be used in this environment.
    
    Parameters
    ----------
    name : `str`
        The name of the compression.
    
    Returns
    -------
    is_available : `bool`
        `zstd-stream` requires `backports.zstd`.
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


def _check_size(size):
    """
    Checks the size of a payload that is not yet whole.
    
    Parameters
    ----------
    size : `int`
        What is inflated of the payload so far, in bytes.
    
    Raises
    ------
    InflateError
        - If the payload is larger than we accept.
    """
    if size > MAXIMAL_PAYLOAD_SIZE:
        raise InflateError(f'A payload is larger than {MAXIMAL_PAYLOAD_SIZE} bytes when inflated.')


class PlainInflater:
    """
    Stands where an inflater is expected on a connection that is not compressed.
    """
    __slots__ = ()
    
    name = COMPRESSION_NONE
    
    def __new__(cls):
        """
        Creates a new plain inflater.
        """
        return object.__new__(cls)
    
    
    def __repr__(self):
        """Returns the inflater's representation."""
        return f'<{type(self).__name__}>'
    
    
    def inflate(self, messages):
        """
        Returns the messages as they are. Their size is bounded by the frame reader.
        
        Parameters
        ----------
        messages : `iterable<None | bytes>`
            Received messages.
        
        Returns
        -------
        payloads : `iterable<None | bytes>`
        """
        return messages
    
    
    def feed(self, message):
        """
        Returns the message as it is.
        
        Parameters
        ----------
        message : `bytes`
            A received message.
        
        Returns
        -------
        payload : `bytes`
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
        """
        Creates a new inflater.
        """
        decompressor = create_zlib_decompressor()
        
        self = object.__new__(cls)
        self._decompress = decompressor.decompress
        self._decompressor = decompressor
        self._parts = None
        self._tail = b''
        return self
    
    
    def __repr__(self):
        """Returns the inflater's representation."""
        return f'<{type(self).__name__}>'
    
    
    def inflate(self, messages):
        """
        Inflates messages as they come.
        
        This method is a generator.
        
        Parameters
        ----------
        messages : `iterable<None | bytes>`
            Received messages.
        
        Yields
        ------
        payload : `None | bytes`
            `None` is passed on. Nothing is yielded for a message whose payload goes on in the next one.
        
        Raises
        ------
        InflateError
            - If the stream is corrupt, has ended, or a payload is larger than we accept. The context is lost.
        """
        decompress = self._decompress
        first_size = FIRST_SIZE
        suffix = ZLIB_SUFFIX
        try:
            for message in messages:
                if message is None:
                    yield None
                    continue
                
                payload = decompress(message, first_size)
                if (message[-4:] == suffix) and (len(payload) < first_size) and (self._parts is None):
                    yield payload
                    continue
                
                payload = self._feed_slowly(message, payload)
                if (payload is not None):
                    yield payload
        
        except ZlibError:
            # It carries nothing that would help.
            pass
        else:
            return
        
        raise InflateError('A zlib stream is corrupt.')
    
    
    def feed(self, message):
        """
        Inflates the next message.
        
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
            - As at ``.inflate``.
        """
        return next(self.inflate((message,)), None)
    
    
    def _feed_slowly(self, message, payload):
        """
        Goes on with a message whose payload is either large, or comes over several messages.
        
        Parameters
        ----------
        message : `bytes`
            The received message.
        payload : `bytes`
            What is inflated of it so far.
        
        Returns
        -------
        payload : `None | bytes`
            `None` if the payload goes on in the next message.
        
        Raises
        ------
        InflateError
        ZlibError
        """
        decompressor = self._decompressor
        parts = self._parts
        size = 0 if parts is None else len(parts)
        pieces = []
        requested = FIRST_SIZE
        while True:
            pieces.append(payload)
            size += len(payload)
            _check_size(size)
            if len(payload) < requested:
                break
            
            requested = NEXT_SIZE
            payload = self._decompress(decompressor.unconsumed_tail, NEXT_SIZE)
        
        payload = b''.join(pieces)
        
        # A gateway's stream lives as long as its connection. What is behind its end would never come out.
        if decompressor.eof:
            raise InflateError('A zlib stream has ended.')
        
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


class ZstdStreamInflater:
    """
    Inflates a `zstd-stream`, of which each message is a payload.
    
    Attributes
    ----------
    _decompress : `(bytes, int) -> bytes`
        The method of ``._decompressor``.
    _decompressor : `ZstdDecompressor`
        The connection's context.
    """
    __slots__ = ('_decompress', '_decompressor')
    
    name = COMPRESSION_ZSTD_STREAM
    
    def __new__(cls):
        """
        Creates a new inflater.
        """
        decompressor = ZstdDecompressor(options = {DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG_MAX})
        
        self = object.__new__(cls)
        self._decompress = decompressor.decompress
        self._decompressor = decompressor
        return self
    
    
    def __repr__(self):
        """Returns the inflater's representation."""
        return f'<{type(self).__name__}>'
    
    
    def inflate(self, messages):
        """
        Inflates messages as they come.
        
        This method is a generator.
        
        Parameters
        ----------
        messages : `iterable<None | bytes>`
            Received messages.
        
        Yields
        ------
        payload : `None | bytes`
            `None` is passed on.
        
        Raises
        ------
        InflateError
            - If the stream is corrupt, has ended, or a payload is larger than we accept. The context is lost.
        """
        decompress = self._decompress
        first_size = FIRST_SIZE
        try:
            for message in messages:
                if message is None:
                    yield None
                    continue
                
                payload = decompress(message, first_size)
                if len(payload) < first_size:
                    yield payload
                else:
                    yield self._feed_slowly(payload)
        
        except (ZstdError, EOFError):
            # They carry nothing that would help.
            pass
        else:
            return
        
        raise InflateError('A zstd stream is corrupt or has ended.')
    
    
    def feed(self, message):
        """
        Inflates the next message.
        
        Parameters
        ----------
        message : `bytes`
            A received message.
        
        Returns
        -------
        payload : `bytes`
        
        Raises
        ------
        InflateError
            - As at ``.inflate``.
        """
        return next(self.inflate((message,)))
    
    
    def _feed_slowly(self, payload):
        """
        Goes on with a message whose payload is large.
        
        Parameters
        ----------
        payload : `bytes`
            What is inflated of it so far.
        
        Returns
        -------
        payload : `bytes`
        
        Raises
        ------
        InflateError
        ZstdError
        EOFError
        """
        decompressor = self._decompressor
        pieces = []
        size = 0
        while True:
            pieces.append(payload)
            size += len(payload)
            _check_size(size)
            if decompressor.needs_input or decompressor.eof:
                break
            
            payload = self._decompress(b'', NEXT_SIZE)
        
        return b''.join(pieces)


INFLATERS = {
    COMPRESSION_NONE: PlainInflater,
    COMPRESSION_ZLIB_STREAM: ZlibStreamInflater,
    COMPRESSION_ZSTD_STREAM: ZstdStreamInflater,
}
