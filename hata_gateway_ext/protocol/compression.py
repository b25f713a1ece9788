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
    
    
    def inflate_batch(self, messages, payloads):
        """
        Adds the messages as they are.
        
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
        """
        payloads.extend(messages)
        return True
    
    
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


INFLATERS = {
    COMPRESSION_NONE: PlainInflater,
    COMPRESSION_ZLIB_STREAM: ZlibStreamInflater,
    COMPRESSION_ZSTD_STREAM: ZstdStreamInflater,
}
