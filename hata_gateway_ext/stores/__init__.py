"""
Where sessions and checkpoints of the cache outlive a process.

``SessionStore`` is the interface. ``MemoryStore`` lives as long as the process, ``SQLiteStore`` in a file, and
``hata_gateway_ext.stores.redis.RedisStore`` (which needs the extra `redis`, and is therefore not imported here) on a server.
"""
from .base import *
from .creation import *
from .errors import *
from .memory import *
from .record import *
from .sqlite import *


__all__ = (
    *base.__all__,
    *creation.__all__,
    *errors.__all__,
    *memory.__all__,
    *record.__all__,
    *sqlite.__all__,
)
