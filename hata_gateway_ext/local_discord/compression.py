"""
The sending side of the transport compressions.

A deflater lives as long as its connection, as its context does. It turns a payload into the web socket messages that carry
it: one, but for zlib-stream, where Discord may spread a payload over several and marks the last by `00 00 ff ff`.
"""
__all__ = ('COMPRESSIONS', 'COMPRESSION_NONE', 'COMPRESSION_ZLIB', 'COMPRESSION_ZSTD', 'create_deflater')

from zlib import Z_SYNC_FLUSH, compress as zlib_compress, compressobj as create_zlib_compressor

try:
    from backports.zstd import ZstdCompressor
except ImportError:
    ZstdCompressor = None


COMPRESSION_NONE = 'none'
COMPRESSION_ZLIB = 'zlib-stream'
COMPRESSION_ZSTD = 'zstd-stream'

# What can be served here.
COMPRESSIONS = (COMPRESSION_NONE, COMPRESSION_ZLIB)
if (ZstdCompressor is not None):
    COMPRESSIONS += (COMPRESSION_ZSTD,)

# Discord compresses single payloads (`compress` in IDENTIFY) only where it pays off; it documents no bound. From about here
# on the compressed form of JSON is shorter.
PAYLOAD_COMPRESSION_THRESHOLD = 1024


class PlainDeflater:
    """No transport compression. Large payloads are compressed each for itself if `compress` of IDENTIFY asked for that."""
    __slots__ = ('compress_payloads',)
    
    def __new__(cls):
        self = object.__new__(cls)
        self.compress_payloads = False
        return self
    
    
    def deflate(self, payload, split = None):
        """Turns a payload into messages: `(is_text, data)`."""
        if self.compress_payloads and (len(payload) >= PAYLOAD_COMPRESSION_THRESHOLD):
            return [(False, zlib_compress(payload))]
        
        return [(True, payload)]


class ZlibDeflater:
    """zlib-stream."""
    __slots__ = ('compressor',)
    
    def __new__(cls):
        self = object.__new__(cls)
        self.compressor = create_zlib_compressor()
        return self
    
    
    def deflate(self, payload, split = None):
        """Turns a payload into messages: `(is_text, data)`, of at most `split` bytes."""
        compressor = self.compressor
        data = compressor.compress(payload) + compressor.flush(Z_SYNC_FLUSH)
        if (split is None) or (len(data) <= split):
            return [(False, data)]
        
        return [(False, data[index : index + split]) for index in range(0, len(data), split)]


class ZstdDeflater:
    """zstd-stream: one message is one payload. Discord ends a block with it, other servers of its protocol a frame."""
    __slots__ = ('compressor', 'flush_mode')
    
    def __new__(cls, frame_per_message):
        self = object.__new__(cls)
        self.compressor = ZstdCompressor()
        self.flush_mode = ZstdCompressor.FLUSH_FRAME if frame_per_message else ZstdCompressor.FLUSH_BLOCK
        return self
    
    
    def deflate(self, payload, split = None):
        """Turns a payload into messages: `(is_text, data)`."""
        return [(False, self.compressor.compress(payload, self.flush_mode))]


def create_deflater(compression, zstd_frame_per_message = False):
    """
    Creates a connection's deflater.
    
    Parameters
    ----------
    compression : `str`
        Any of ``COMPRESSIONS``.
    zstd_frame_per_message : `bool` = `False`, Optional
        Whether a zstd frame ends with each message, and the next one begins another.
    
    Returns
    -------
    deflater : ``PlainDeflater | ZlibDeflater | ZstdDeflater``
        Its `.deflate(payload)` gives the messages of a payload: `(is_text, data)`.
    
    Raises
    ------
    ValueError
        - If the compression is not available.
    """
    if compression not in COMPRESSIONS:
        raise ValueError(f'`compression` can be any of {", ".join(COMPRESSIONS)}, got {compression!r}.')
    
    if compression == COMPRESSION_ZLIB:
        return ZlibDeflater()
    
    if compression == COMPRESSION_ZSTD:
        return ZstdDeflater(zstd_frame_per_message)
    
    return PlainDeflater()
