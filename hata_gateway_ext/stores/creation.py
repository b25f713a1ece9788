"""
From the value of the option `gateway_store` to a store.
"""
__all__ = ('STORE_VALUES', 'create_store')

import os
from urllib.parse import unquote

from .base import SessionStore
from .sqlite import SQLiteStore


STORE_VALUES = (
    'None, \'sqlite:///relative/path\', \'sqlite:////absolute/path\', \'redis://…\', \'rediss://…\', \'unix://…\', '
    'or a SessionStore'
)


def _create_sqlite_store(url):
    """
    Creates a SQLite store from its URL.
    
    Parameters
    ----------
    url : `str`
        The store's URL.
    
    Returns
    -------
    store : ``SQLiteStore``
    
    Raises
    ------
    ValueError
    """
    # Not split further: `?` and `#` are allowed in file names.
    rest = url[len('sqlite://'):]
    if not rest.startswith('/') or not rest[1:]:
        raise ValueError(
            'A SQLite URL has three slashes and a relative path (\'sqlite:///seija.sqlite\'), or four and an absolute one '
            '(\'sqlite:////var/lib/seija.sqlite\').'
        )
    
    path = unquote(rest[1:])
    if path == ':memory:':
        raise ValueError('A SQLite store needs a file. To keep sessions in memory, pass a `MemoryStore`.')
    
    if path.endswith(('/', os.sep)) or ('\0' in path):
        raise ValueError('The path of a SQLite URL has to be that of a file.')
    
    return SQLiteStore(path)


def create_store(value):
    """
    Creates a session store.
    
    Parameters
    ----------
    value : `None | str | SessionStore`
        A store's URL, or a store, which is given back as it is.
    
    Returns
    -------
    store : `None | SessionStore`
        `None` for `None`. The store is not open yet.
    
    Raises
    ------
    TypeError
        - `value`'s type is incorrect.
    ValueError
        - The URL is incorrect. The message does not hold it, since it may hold a password.
    ImportError
        - The library that the store needs is not installed.
    """
    if value is None:
        return None
    
    if isinstance(value, SessionStore):
        return value
    
    # The value is not shown in the errors; it may be a URL with a password in whatever type.
    if not isinstance(value, str):
        raise TypeError(f'A session store can be {STORE_VALUES}, got {type(value).__name__}.')
    
    scheme, separator, _ = value.partition('://')
    if not separator:
        scheme = ''
    
    if scheme == 'sqlite':
        return _create_sqlite_store(value)
    
    if scheme in ('redis', 'rediss', 'unix'):
        # Imported when needed: redis-py is optional.
        from .redis import RedisStore
        return RedisStore(value)
    
    raise ValueError(f'A session store can be {STORE_VALUES}; the URL that was given begins with none of these.')
