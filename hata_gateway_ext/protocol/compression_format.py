"""
What the transport compressions of the gateway have in common: their names, and the bounds of what is inflated.
"""
__all__ = (
    'COMPRESSION_NONE', 'COMPRESSION_ZLIB_STREAM', 'COMPRESSION_ZSTD_STREAM', 'FIRST_SIZE', 'MAXIMAL_PAYLOAD_SIZE',
    'NEXT_SIZE', 'check_size'
)

from .errors import InflateError


COMPRESSION_NONE = 'none'
COMPRESSION_ZLIB_STREAM = 'zlib-stream'
COMPRESSION_ZSTD_STREAM = 'zstd-stream'

# 64 MiB in one inflated payload. The largest payloads of Discord (`GUILD_CREATE` of a large guild, `READY` of a bot at
# the guild limit of a shard) are a few MiB, so this is more than ten times what is expected, and still harmless.
MAXIMAL_PAYLOAD_SIZE = 1 << 26

# What is inflated of a message of any size in the first call, in bytes: over it CPython allocates at least 32 KiB for the
# output of each call, and up to it exactly this much (measured on CPython 3.11; an event is 0.6 KB on average).
FIRST_SIZE = 1 << 14

# What is inflated in each further call, in bytes. Large enough that the calls do not count, small enough that what is
# over the bound is noticed in time.
NEXT_SIZE = 1 << 20


def check_size(size):
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
