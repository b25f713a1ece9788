"""
Any sequence of operations on a store, against a dictionary.
"""
import os
import tempfile

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hata_gateway_ext.stores import MemoryStore, SQLiteStore


APPLICATION_IDS = st.sampled_from((1, (1 << 63) - 1))
SHARD_IDS = st.integers(0, 2)
BLOB_IDS = st.sampled_from((0, 1, 1 << 22, (1 << 63) - 1))
DATA = st.binary(max_size = 20)


class StoreMachine(RuleBasedStateMachine):
    """
    Does to a store and to dictionaries the same.
    """
    def __init__(self):
        RuleBasedStateMachine.__init__(self)
        self.records = {}
        self.checkpoints = {}
        self.store = self.create_store()
        self.store.open()
    
    
    def teardown(self):
        self.store.close()
    
    
    @rule(application_id = APPLICATION_IDS, records = st.dictionaries(SHARD_IDS, DATA))
    def save_records(self, application_id, records):
        self.store.save_records(application_id, records)
        self.records.setdefault(application_id, {}).update(records)
    
    
    @rule(application_id = APPLICATION_IDS, shard_id = SHARD_IDS)
    def delete_record(self, application_id, shard_id):
        self.store.delete_record(application_id, shard_id)
        self.records.get(application_id, {}).pop(shard_id, None)
    
    
    @rule(
        application_id = APPLICATION_IDS, shard_id = SHARD_IDS, head = DATA, blobs = st.dictionaries(BLOB_IDS, DATA),
        kept = st.sets(BLOB_IDS), fails = st.booleans(),
    )
    def save_checkpoint(self, application_id, shard_id, head, blobs, kept, fails):
        def iterate_blobs():
            yield from blobs.items()
            if fails:
                raise ZeroDivisionError
        
        try:
            self.store.save_checkpoint(application_id, shard_id, head, iterate_blobs(), kept)
        except ZeroDivisionError:
            assert fails
            return
        
        assert not fails
        _, old_blobs = self.checkpoints.get((application_id, shard_id), (b'', {}))
        self.checkpoints[application_id, shard_id] = (
            head, {**{blob_id: data for blob_id, data in old_blobs.items() if blob_id in kept}, **blobs}
        )
    
    
    @rule(application_id = APPLICATION_IDS, shard_id = SHARD_IDS)
    def delete_checkpoint(self, application_id, shard_id):
        self.store.delete_checkpoint(application_id, shard_id)
        self.checkpoints.pop((application_id, shard_id), None)
    
    
    @rule()
    def reopen(self):
        self.store.close()
        self.store.open()
    
    
    @invariant()
    def is_the_same(self):
        for application_id in (1, (1 << 63) - 1):
            assert self.store.load_records(application_id) == self.records.get(application_id, {})
            for shard_id in range(3):
                expected = self.checkpoints.get((application_id, shard_id), None)
                assert self.store.load_checkpoint(application_id, shard_id) == expected


class MemoryStoreMachine(StoreMachine):
    def create_store(self):
        return MemoryStore()


class SQLiteStoreMachine(StoreMachine):
    def create_store(self):
        self.directory = tempfile.TemporaryDirectory()
        return SQLiteStore(os.path.join(self.directory.name, 'sessions.sqlite'))
    
    
    def teardown(self):
        StoreMachine.teardown(self)
        self.directory.cleanup()


@pytest.mark.parametrize(('machine', 'examples'), [(MemoryStoreMachine, 60), (SQLiteStoreMachine, 15)])
def test__stores__any_operations(machine, examples):
    """A store holds what a dictionary would."""
    machine.TestCase.settings = settings(
        max_examples = examples, stateful_step_count = 20, deadline = None, derandomize = True
    )
    machine.TestCase('runTest').runTest()
