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
    _journals : `dict` of ((`int`, `int`), `dict<int, bytes>`) items
        Entries by sequence, by application id and shard id.
    _lock : `Lock`
        Held during each operation.
    _opened : `bool`
        Whether the store is open.
    _records : `dict` of (`int`, `dict<int, bytes>`) items
        Records by application id and shard id.
    """
    __slots__ = ('_checkpoints', '_journals', '_lock', '_opened', '_records')
    
    keeps_journal = True
    
    def __new__(cls):
        """
        Creates an empty store.
        """
        self = object.__new__(cls)
        self._checkpoints = {}
        self._journals = {}
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
    
    
    def save_session(self, application_id, entries):
        with self._lock:
            self._check_opened()
            records = self._records.setdefault(application_id, {})
            for entry in entries:
                records[entry.shard_id] = entry.record
                journal = self._journals.setdefault((application_id, entry.shard_id), {})
                if entry.begins:
                    journal.clear()
                if (entry.journal is not None):
                    journal[entry.sequence] = entry.journal
    
    
    def load_journal(self, application_id, shard_id):
        with self._lock:
            self._check_opened()
            return [data for _, data in sorted(self._journals.get((application_id, shard_id), {}).items())]
    
    
    def load_checkpoint(self, application_id, shard_id):
        with self._lock:
            self._check_opened()
            checkpoint = self._checkpoints.get((application_id, shard_id), None)
        
        if checkpoint is None:
            return None
        
        head, blobs = checkpoint
        return head, blobs.copy()
    
    
    def save_checkpoint(self, application_id, shard_id, head, blobs, kept = (), journal_until = None):
        # Iterated before anything is touched: the iteration may raise.
        blobs = dict(blobs)
        
        with self._lock:
            self._check_opened()
            
            key = (application_id, shard_id)
            kept = {*kept}
            old_blobs = self._checkpoints.get(key, (None, {}))[1]
            new_blobs = {blob_id: old_blobs[blob_id] for blob_id in kept if blob_id in old_blobs}
            new_blobs.update(blobs)
            self._checkpoints[key] = (head, new_blobs)
            
            if (journal_until is not None):
                journal = self._journals.get(key, {})
                for sequence in [sequence for sequence in journal if sequence <= journal_until]:
                    del journal[sequence]
            
            return kept - new_blobs.keys()
    
    
    def delete_checkpoint(self, application_id, shard_id):
        with self._lock:
            self._check_opened()
            self._checkpoints.pop((application_id, shard_id), None)
            self._journals.pop((application_id, shard_id), None)
