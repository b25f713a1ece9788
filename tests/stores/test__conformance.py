"""
The stores of ours against the suite that every store has to pass. Redis is in `test__redis.py`.
"""
import pytest

from hata_gateway_ext.stores import MemoryStore, SQLiteStore
from hata_gateway_ext.stores.conformance import SessionStoreConformance


class TestMemoryStore(SessionStoreConformance):
    """Memory lives in the store object, so the next store at the same place is the same one."""
    store = None
    
    def create_store(self):
        if self.store is None:
            self.store = MemoryStore()
        
        return self.store


class TestSQLiteStore(SessionStoreConformance):
    @pytest.fixture(autouse = True)
    def place(self, tmp_path):
        self.path = tmp_path / 'sessions.sqlite'
    
    
    def create_store(self):
        return SQLiteStore(self.path)
