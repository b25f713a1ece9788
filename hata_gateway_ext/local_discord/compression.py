"""
The sending side of the gateway's transport compressions.

A deflater lives as long as its connection, as its context does. It turns a payload into the WebSocket messages that
carry it: one, but for zlib-stream, where Discord may spread a payload over several and marks the last by `00 00 ff ff`.
"""
__all__ = ('COMPRESSION_NONE', 'COMPRESSION_ZLIB', 'COMPRESSION_ZSTD', 'create_deflater', 'get_available_compressions')

from zlib import Z_SYNC_FLUSH, compress as zlib_compress, compressobj as create_zlib_compressor

try:
    from backports.zstd import ZstdCompressor
except ImportError:
    ZstdCompressor = None


COMPRESSION_NONE = 'none'
COMPRESSION_ZLIB = 'zlib-stream'
COMPRESSION_ZSTD = 'zstd-stream'

# Discord compresses single payloads (`compress` in IDENTIFY) only where it pays off; it documents no bound. From about
# here on the compressed form of JSON is shorter.
PAYLOAD_COMPRESSION_THRESHOLD = 1024


class PlainDeflater:
    """
    No transport compression. Large payloads are compressed each for itself if IDENTIFY asked for that.

    Attributes
    ----------
    compress_payloads : `bool`
        Whether large payloads are compressed (`compress` in IDENTIFY).
    """
    __slots__ = ('compress_payloads',)

    def __new__(cls):
        """
        Creates a new deflater.
        """
        self = object.__new__(cls)
        self.compress_payloads = False
        return self


    def deflate(self, payload, split):
        """
        Turns a payload into messages.

        Parameters
        ----------
        payload : `bytes`
            The payload to send.

        split : `None | int`
            Ignored, only a stream can be split.

        Returns
        -------
        messages : ``list<(bool, bytes)>``
            Whether the message is text, and its content.
        """
        if self.compress_payloads and (len(payload) >= PAYLOAD_COMPRESSION_THRESHOLD):
            return [(False, zlib_compress(payload))]

        return [(True, payload)]


class ZlibDeflater:
    """
    zlib-stream.

    Attributes
    ----------
    compress_payloads : `bool`
        Not used, the stream is compressed already.

    compressor : `zlib.compressobj`
        The connection's context.
    """
    __slots__ = ('compress_payloads', 'compressor')

    def __new__(cls):
        """
        Creates a new deflater.
        """
        self = object.__new__(cls)
        self.compress_payloads = False
        self.compressor = create_zlib_compressor()
        return self


    def deflate(self, payload, split):
        """
        Turns a payload into messages.

        Parameters
        ----------
        payload : `bytes`
            The payload to send.

        split : `None | int`
            Maximal count of bytes in a message.

        Returns
        -------
        messages : ``list<(bool, bytes)>``
            Whether the message is text, and its content.
        """
        compressor = self.compressor
        data = compressor.compress(payload) + compressor.flush(Z_SYNC_FLUSH)
        if (split is None) or (len(data) <= split):
            return [(False, data)]

        return [(False, data[index : index + split]) for index in range(0, len(data), split)]


class ZstdDeflater:
    """
    zstd-stream: one message is one payload.

    Attributes
    ----------
    compress_payloads : `bool`
        Not used, the stream is compressed already.

    compressor : `ZstdCompressor`
        The connection's context.

    flush_mode : `int`
        What a message ends with: a block, or a frame.
    """
    __slots__ = ('compress_payloads', 'compressor', 'flush_mode')

    def __new__(cls, frame_per_message):
        """
        Creates a new deflater.

        Parameters
        ----------
        frame_per_message : `bool`
            Whether a zstd frame ends with each message.
        """
        self = object.__new__(cls)
        self.compress_payloads = False
        self.compressor = ZstdCompressor()
        self.flush_mode = ZstdCompressor.FLUSH_FRAME if frame_per_message else ZstdCompressor.FLUSH_BLOCK
        return self


    def deflate(self, payload, split):
        """
        Turns a payload into messages.

        Parameters
        ----------
        payload : `bytes`
            The payload to send.

        split : `None | int`
            Ignored, a message is a whole payload.

        Returns
        -------
        messages : ``list<(bool, bytes)>``
            Whether the message is text, and its content.
        """
        return [(False, self.compressor.compress(payload, self.flush_mode))]


COMPRESSIONS = (COMPRESSION_NONE, COMPRESSION_ZLIB)
if (ZstdCompressor is not None):
    COMPRESSIONS += (COMPRESSION_ZSTD,)


def get_available_compressions():
    """
    Returns the compressions that can be served here.

    Returns
    -------
    compressions : ``tuple<str>``
    """
    return COMPRESSIONS


def create_deflater(compression, zstd_frame_per_message = False):
    """
    Creates a connection's deflater.

    Parameters
    ----------
    compression : `str`
        Name of the compression.

    zstd_frame_per_message : `bool` = `False`, Optional
        Whether a zstd frame ends with each message, and the next one begins another.

    Returns
    -------
    deflater : ``PlainDeflater | ZlibDeflater | ZstdDeflater``

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
