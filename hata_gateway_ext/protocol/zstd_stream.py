"""
The inflater of `zstd-stream`, of which each message is a payload.
"""
__all__ = ('ZstdDecompressor', 'ZstdStreamInflater')

from itertools import repeat

from .compression_format import COMPRESSION_ZSTD_STREAM, FIRST_SIZE, NEXT_SIZE, check_size
from .errors import InflateError
from .inflater_base import InflaterBase

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


# What is inflated of a message of a `zstd-stream` in a batch, in bytes. Such a message is of at most 2 KiB, so what is
# larger is no payload: it is given out in parts, which are not valid JSON. Without a limit it could be 64 MiB (RFC 8878: 4
# bytes of an RLE block stand for 128 KiB).
BATCH_PAYLOAD_SIZE = 1 << 20

# The window of a `zstd-stream` frame is allocated in full by the decoder, so the sender decides about our memory unless
# it is bounded. 2 ** 23 = 8 MiB is what RFC 8878 (section 3.1.1.1.2) recommends every decoder to accept; Discord wrote
# that its gateway uses 2 ** 18.
ZSTD_WINDOW_LOG_MAX = 23


class ZstdStreamInflater(InflaterBase):
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
    
    
    def inflate_batch(self, messages, payloads):
        """See ``InflaterBase.inflate_batch``. Always aligned: each message is a payload."""
        try:
            # Those in front of a corrupt one are kept, as CPython extends a list item by item.
            payloads.extend(map(self._decompress, messages, repeat(BATCH_PAYLOAD_SIZE)))
        except (ZstdError, EOFError):
            # They carry nothing that would help.
            pass
        else:
            return True
        
        raise InflateError('A zstd stream is corrupt or has ended.')
    
    
    def feed(self, message):
        """See ``InflaterBase.feed``. Never `None`: each message is a payload."""
        try:
            payload = self._decompress(message, FIRST_SIZE)
            return payload if len(payload) < FIRST_SIZE else self._feed_slowly(payload)
        except (ZstdError, EOFError):
            pass
        
        raise InflateError('A zstd stream is corrupt or has ended.')
    
    
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
            check_size(size)
            if decompressor.needs_input or decompressor.eof:
                break
            
            payload = self._decompress(b'', NEXT_SIZE)
        
        return b''.join(pieces)
