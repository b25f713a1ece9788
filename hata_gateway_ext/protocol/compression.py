"""
Inflaters of the gateway's transport compressions: `zlib-stream`, `zstd-stream` and none.

Each connection has an inflater of its own, because the compression context lives as long as the connection. What comes
out of one is bounded: a few KB of compressed data can stand for gigabytes, so no more than ``MAXIMAL_PAYLOAD_SIZE`` is
ever inflated for one payload.

Small messages come in batches (see ``FrameReader``), and what a batch costs beyond inflating is what counts. So a batch is
inflated in one go: its messages are too small to stand for much. Any other message is inflated step by step. The output of
most payloads fits into ``FIRST_SIZE``; asking the library for no more than that at first is also what makes it cheap.
"""
__all__ = ('PlainInflater', 'create_inflater', 'is_available')

from . import zstd_stream
from .compression_format import COMPRESSION_NONE, COMPRESSION_ZLIB_STREAM, COMPRESSION_ZSTD_STREAM
from .inflater_base import InflaterBase
from .zlib_stream import ZlibStreamInflater
from .zstd_stream import ZstdStreamInflater


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
        return (zstd_stream.ZstdDecompressor is not None)
    
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


class PlainInflater(InflaterBase):
    """
    Stands where an inflater is expected on a connection that is not compressed.
    """
    __slots__ = ()
    
    name = COMPRESSION_NONE


INFLATERS = {
    COMPRESSION_NONE: PlainInflater,
    COMPRESSION_ZLIB_STREAM: ZlibStreamInflater,
    COMPRESSION_ZSTD_STREAM: ZstdStreamInflater,
}
