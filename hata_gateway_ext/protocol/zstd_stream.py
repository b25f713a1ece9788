"""
The inflater of `zstd-stream`, of which each message is a payload.
"""
__all__ = ('ZstdDecompressor', 'ZstdStreamInflater')

from itertools import repeat

from .compression_format import COMPRESSION_ZSTD_STREAM, FIRST_SIZE, NEXT_SIZE, check_size
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


# What is inflated of a message of a `zstd-stream` in a batch, in bytes. Such a message is of at most 2 KiB, so what is
# larger is no payload: it is given out in parts, which are not valid JSON. Without a limit it could be 64 MiB (RFC 8878: 4
# bytes of an RLE block stand for 128 KiB).
BATCH_PAYLOAD_SIZE = 1 << 20

# The window of a `zstd-stream` frame is allocated in full by the decoder, so the sender decides about our memory unless
# it is bounded. 2 ** 23 = 8 MiB is what RFC 8878 (section 3.1.1.1.2) recommends every decoder to accept; Discord wrote
# that its gateway uses 2 ** 18.
ZSTD_WINDOW_LOG_MAX = 23


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
    
    
    def inflate_batch(self, messages, payloads):
        """
        Inflates a batch of messages.
        
        Parameters
        ----------
        messages : `list<bytes>`
            A batch of received messages, each of at most ``BATCH_MESSAGE_SIZE`` bytes.
        payloads : `list<bytes>`
            The payloads are added to it; if the batch is corrupt, those that come before that.
        
        Returns
        -------
        is_aligned : `bool`
            Always `True`: each message is a payload.
        
        Raises
        ------
        InflateError
            - If the stream is corrupt or has ended. The context is lost.
        """
        try:
            # Those in front of a corrupt one are kept, as CPython extends a list item by item.
            payloads.extend(map(self._decompress, messages, repeat(BATCH_PAYLOAD_SIZE)))
        except (ZstdError, EOFError):
            # They carry nothing that would help.
            pass
        else:
            return True
        
        raise InflateError('A zstd stream is corrupt or has ended.')
    
    
    def realign(self, messages, payloads, index):
        """
        Called when a payload of an aligned batch is not what is expected. Each message is a payload.
        
        Parameters
        ----------
        messages : `list<bytes>`
            The batch.
        payloads : `list<bytes>`
            What was inflated of each.
        index : `int`
            The index of the payload. Those in front of it were taken for whole ones and are handled.
        
        Returns
        -------
        payloads : `None | list<bytes>`
            Always `None`: the payload is whole.
        """
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
        payload : `bytes`
        
        Raises
        ------
        InflateError
            - If the stream is corrupt, has ended, or a payload is larger than we accept. The context is lost.
        """
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
