"""
Sessions that live as long as the store object: longer than a client, not longer than the process. For tests, and as the
shortest example of a store.
"""
__all__ = ('MemoryStore',)

from threading import Lock

from .base import SessionStore
from .errors import StoreUnavailableError


class MemoryStore(SessionStore):
    """
    Keeps records and checkpoints in memory.
    
    Attributes
    ----------
    _checkpoints : `dict` of ((`int`, `int`), `(bytes, dict<int, bytes>)`) items
        Head and blobs by application id and shard id. A checkpoint that is in here is never modified.
    _lock : `Lock`
        Held during each operation.
    _opened : `bool`
        Whether the store is open.
    _records : `dict` of (`int`, `dict<int, bytes>`) items
        Records by application id and shard id.
    """
    __slots__ = ('_checkpoints', '_lock', '_opened', '_records')
    
    def __new__(cls):
        """
        Creates an empty store.
        """
        self = object.__new__(cls)
        self._checkpoints = {}
        self._lock = Lock()
        self._opened = False
        self._records = {}
        return self
    
    
    def __repr__(self):
        """Returns the store's representation."""
        return f'<{type(self).__name__} open = {self._opened!r}>'
    
    
    def _check_opened(self):
        """
        Raises if the store is not open.
        
        Raises
        ------
        StoreUnavailableError
        """
        if not self._opened:
            raise StoreUnavailableError('The memory store is not open.')
    
    
    def open(self):
        with self._lock:
            self._opened = True
    
    
    def close(self):
        with self._lock:
            self._opened = False
    
    
    def load_records(self, application_id):
        with self._lock:
            self._check_opened()
            return self._records.get(application_id, {}).copy()
    
    
    def save_records(self, application_id, records):
        with self._lock:
            self._check_opened()
            self._records.setdefault(application_id, {}).update(records)
    
    
    def delete_record(self, application_id, shard_id):
        with self._lock:
            self._check_opened()
            self._records.get(application_id, {}).pop(shard_id, None)
    
    
    def load_checkpoint(self, application_id, shard_id):
        with self._lock:
            self._check_opened()
            checkpoint = self._checkpoints.get((application_id, shard_id), None)
        
        if checkpoint is None:
            return None
        
        head, blobs = checkpoint
        return head, blobs.copy()
    
    
    def save_checkpoint(self, application_id, shard_id, head, blobs, kept = ()):
        # Iterated before anything is touched: the iteration may raise.
        blobs = dict(blobs)
        
        with self._lock:
            self._check_opened()
            
            new_blobs = {}
            checkpoint = self._checkpoints.get((application_id, shard_id), None)
            if (checkpoint is not None):
                old_blobs = checkpoint[1]
                for blob_id in kept:
                    blob = old_blobs.get(blob_id, None)
                    if (blob is not None):
                        new_blobs[blob_id] = blob
            
            new_blobs.update(blobs)
            self._checkpoints[application_id, shard_id] = (head, new_blobs)
    
    
    def delete_checkpoint(self, application_id, shard_id):
        with self._lock:
            self._check_opened()
            self._checkpoints.pop((application_id, shard_id), None)
