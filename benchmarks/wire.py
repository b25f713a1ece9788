"""
From payloads to the bytes that Discord would send: compressed per connection, then framed.
"""
__all__ = ('COMPRESSIONS', 'Compressor', 'create_frame', 'get_zstd')

import zlib

# `compress` of the gateway's url; 'none' stands for its absence.
COMPRESSIONS = ('zlib-stream', 'zstd-stream', 'none')

# zlib's default.
ZLIB_LEVEL = 6

# A window of 32 KB without the header, which a connection has at its beginning only.
ZLIB_RAW = -15

# What Discord says of its gateway ("How Discord Reduced Websocket Traffic by 40%", 2024): level 6, a window of 256 KB,
# chain and hash tables of 2^16.
ZSTD_LEVEL = 6
ZSTD_WINDOW_LOG = 18
ZSTD_TABLE_LOG = 16

# First bytes of a frame (RFC 6455, 5.2): final, and text or binary.
FRAME_TEXT = 0x81
FRAME_BINARY = 0x82


def get_zstd():
    """
    Returns the zstd library.
    
    Returns
    -------
    zstd : `None | ModuleType`
        `None` if there is none.
    """
    try:
        from backports import zstd
    except ImportError:
        return None
    
    return zstd


class Compressor:
    """
    The sending half of a connection's transport compression.
    
    Attributes
    ----------
    _compressor : `object`
        The compression context.
    name : `str`
        The name of the compression.
    """
    __slots__ = ('_compressor', 'name')
    
    def __new__(cls, name):
        """
        Creates a new compressor.
        
        Parameters
        ----------
        name : `str`
            One of ``COMPRESSIONS``.
        
        Raises
        ------
        RuntimeError
            - zstd is asked for and not installed.
        ValueError
            - Unknown name.
        """
        if name == 'zlib-stream':
            compressor = zlib.compressobj(ZLIB_LEVEL)
        
        elif name == 'zstd-stream':
            zstd = get_zstd()
            if zstd is None:
                raise RuntimeError('zstd-stream requires `backports.zstd`.')
            
            parameter = zstd.CompressionParameter
            compressor = zstd.ZstdCompressor(
                options = {
                    parameter.compression_level: ZSTD_LEVEL,
                    parameter.window_log: ZSTD_WINDOW_LOG,
                    parameter.hash_log: ZSTD_TABLE_LOG,
                    parameter.chain_log: ZSTD_TABLE_LOG,
                },
            )
        
        elif name == 'none':
            compressor = None
        
        else:
            raise ValueError(f'Compression can be one of {COMPRESSIONS!r}, got {name!r}.')
        
        self = object.__new__(cls)
        self._compressor = compressor
        self.name = name
        return self
    
    
    def __repr__(self):
        """Returns the compressor's representation."""
        return f'<{type(self).__name__} name = {self.name!r}>'
    
    
    def copy(self):
        """
        Copies the compressor with its state.
        
        Returns
        -------
        new : `None | instance<cls>`
            `None` if its state can not be copied.
        """
        if self.name == 'zstd-stream':
            return None
        
        new = object.__new__(type(self))
        new._compressor = None if self._compressor is None else self._compressor.copy()
        new.name = self.name
        return new
    
    
    def follow(self):
        """
        Returns a compressor for what follows on the same connection, whatever else was sent before it.
        
        Returns
        -------
        compressor : `instance<cls>`
            For zlib one that does not refer back; the others are left no choice but to go on.
        """
        if self.name != 'zlib-stream':
            return self
        
        new = object.__new__(type(self))
        new._compressor = zlib.compressobj(ZLIB_LEVEL, zlib.DEFLATED, ZLIB_RAW)
        new.name = self.name
        return new
    
    
    def compress(self, payload):
        """
        Compresses a payload into a message.
        
        Parameters
        ----------
        payload : `bytes`
            The payload.
        
        Returns
        -------
        message : `bytes`
        """
        compressor = self._compressor
        if self.name == 'zlib-stream':
            return compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
        
        if self.name == 'zstd-stream':
            return compressor.compress(payload, mode = type(compressor).FLUSH_BLOCK)
        
        return payload
    
    
    def create_frame(self, payload):
        """
        Compresses a payload and puts it into a frame.
        
        Parameters
        ----------
        payload : `bytes`
            The payload.
        
        Returns
        -------
        frame : `bytes`
        """
        return create_frame(FRAME_TEXT if self.name == 'none' else FRAME_BINARY, self.compress(payload))


def create_frame(head, message):
    """
    Creates an unmasked frame, as servers send them.
    
    Parameters
    ----------
    head : `int`
        The first byte: final bit and operation.
    message : `bytes`
        The frame's content.
    
    Returns
    -------
    frame : `bytes`
    """
    length = len(message)
    if length < 126:
        return bytes((head, length)) + message
    
    if length < 65536:
        return bytes((head, 126)) + length.to_bytes(2, 'big') + message
    
    return bytes((head, 127)) + length.to_bytes(8, 'big') + message
