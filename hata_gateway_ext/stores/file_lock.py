"""
One process at a time per file, held by the operating system: a lock that ends with its process, also with `kill -9`.

The lock lies on a sidecar file and not on the file that it protects, because SQLite locks that one by itself, in a way that
closing any other descriptor of the same file would undo. The sidecar is never deleted: a lock on a deleted file excludes
nobody. Inside one process the lock is shared and counted, since several clients of a process may use one file.
"""
__all__ = ()

import os
from threading import Lock

from .errors import StoreLockedError


try:
    import fcntl
except ImportError:
    # Windows
    fcntl = None
    import msvcrt


# Windows locks are mandatory: what is locked cannot be read. A byte far behind the process id is locked.
WINDOWS_LOCK_OFFSET = 4096

# More than any process id takes in decimal.
PROCESS_ID_SIZE_MAX = 20


class _HeldLock:
    """
    A lock that this process holds.
    
    Attributes
    ----------
    count : `int`
        How many times it was acquired.
    descriptor : `int`
        Descriptor of the locked file. Closing it releases the lock.
    """
    __slots__ = ('count', 'descriptor')
    
    def __new__(cls, descriptor):
        """
        Creates a new held lock.
        
        Parameters
        ----------
        descriptor : `int`
            Descriptor of the locked file.
        """
        self = object.__new__(cls)
        self.count = 1
        self.descriptor = descriptor
        return self


# Locks that this process holds, by path.
HELD_LOCKS = {}

# Protects `HELD_LOCKS`.
GUARD = Lock()


def _forget_locks_after_fork():
    """
    Called in forked processes. A forked process shares the locked descriptors with its parent, and would prolong the locks
    beyond the parent's end.
    """
    global GUARD
    GUARD = Lock()
    
    while HELD_LOCKS:
        os.close(HELD_LOCKS.popitem()[1].descriptor)


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child = _forget_locks_after_fork)


def _try_lock_descriptor(descriptor):
    """
    Locks an open file without waiting.
    
    Parameters
    ----------
    descriptor : `int`
        The file's descriptor.
    
    Returns
    -------
    locked : `bool`
        `False` if another process holds the lock.
    """
    try:
        if fcntl is None:
            os.lseek(descriptor, WINDOWS_LOCK_OFFSET, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    
    return True


def _is_same_file(descriptor, path):
    """
    Returns whether the path still leads to the open file.
    
    Parameters
    ----------
    descriptor : `int`
        The file's descriptor.
    path : `str`
        Path to the file.
    
    Returns
    -------
    is_same_file : `bool`
    """
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _lock_path(path):
    """
    Creates the file if it is missing, and locks it.
    
    Parameters
    ----------
    path : `str`
        Path to the file to lock.
    
    Returns
    -------
    descriptor : `int`
    
    Raises
    ------
    StoreLockedError
        - Another process holds the lock.
    OSError
        - The file cannot be created or locked.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not _try_lock_descriptor(descriptor):
                os.lseek(descriptor, 0, os.SEEK_SET)
                process_id = os.read(descriptor, PROCESS_ID_SIZE_MAX).decode('ascii', 'replace').strip()
                holder = f'Process {process_id}' if process_id.isdecimal() else 'Another process'
                raise StoreLockedError(
                    f'{holder} uses the store (lock: {path!r}); it can be used here as soon as that process ends.'
                )
            
            # Somebody may have deleted the file between the opening and the locking.
            if _is_same_file(descriptor, path):
                os.lseek(descriptor, 0, os.SEEK_SET)
                os.ftruncate(descriptor, 0)
                os.write(descriptor, str(os.getpid()).encode())
                return descriptor
        
        except:
            os.close(descriptor)
            raise
        
        os.close(descriptor)


def acquire_file_lock(path):
    """
    Acquires a lock for this process, or once more if this process holds it already.
    
    Parameters
    ----------
    path : `str`
        Absolute path to the file to lock. Created if it is missing.
    
    Raises
    ------
    StoreLockedError
        - Another process holds the lock.
    OSError
        - The file cannot be created or locked.
    """
    with GUARD:
        held_lock = HELD_LOCKS.get(path, None)
        if held_lock is None:
            HELD_LOCKS[path] = _HeldLock(_lock_path(path))
        else:
            held_lock.count += 1


def renew_file_lock(path):
    """
    Makes sure that a lock which this process holds still excludes others: if the locked file was deleted, a new one is
    locked.
    
    Parameters
    ----------
    path : `str`
        Absolute path to the locked file.
    
    Raises
    ------
    StoreLockedError
        - The file was deleted, and another process locked a new one.
    OSError
        - The file was deleted, and cannot be created again.
    """
    with GUARD:
        held_lock = HELD_LOCKS[path]
        if not _is_same_file(held_lock.descriptor, path):
            descriptor = _lock_path(path)
            os.close(held_lock.descriptor)
            held_lock.descriptor = descriptor


def release_file_lock(path):
    """
    Releases a lock as many times as it was acquired.
    
    Parameters
    ----------
    path : `str`
        Absolute path to the locked file.
    """
    with GUARD:
        held_lock = HELD_LOCKS[path]
        held_lock.count -= 1
        if not held_lock.count:
            del HELD_LOCKS[path]
            os.close(held_lock.descriptor)
