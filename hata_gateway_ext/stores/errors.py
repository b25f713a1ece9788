"""
The errors of the stores.

```
StoreError
├── StoreLockedError          another process uses the store
├── StoreVersionError         what is stored was written by a newer version of hata_gateway_ext
├── StoreCorruptError         what is stored cannot be understood; a file of ours was set aside
└── StoreUnavailableError     the store cannot be reached, read or written at the moment; trying again later is right
```

None of them holds what is stored: a record names a session, and whoever knows a session and a token can take it over.
"""
__all__ = ('StoreCorruptError', 'StoreError', 'StoreLockedError', 'StoreUnavailableError', 'StoreVersionError')


class StoreError(Exception):
    """
    A session store could not do what it was asked.
    """
    __slots__ = ()


class StoreLockedError(StoreError):
    """
    Another process uses the store. It can be used once that process ended, in whatever way it ended.
    """
    __slots__ = ()


class StoreVersionError(StoreError):
    """
    What is stored was written by a newer version of this library. It is left as it is.
    """
    __slots__ = ()


class StoreCorruptError(StoreError):
    """
    What is stored cannot be understood.
    
    When a store raises it, it has set the corrupt content aside already (the message says where) and goes on empty: the
    next call works. When it is raised from parsing a record, only that record is concerned.
    """
    __slots__ = ()


class StoreUnavailableError(StoreError):
    """
    The store cannot be reached, read or written at the moment. The call can be repeated later.
    """
    __slots__ = ()
