"""
What every session store has to do, as tests that any store can be put through, yours included. With pytest:

```py
from hata_gateway_ext.stores.conformance import SessionStoreConformance


class TestMyStore(SessionStoreConformance):
    @pytest.fixture(autouse = True)
    def place(self, tmp_path):
        self.path = tmp_path / 'sessions'
    
    def create_store(self):
        return MyStore(self.path)
```

Plain asserts and no import of pytest, so that any runner will do: create an instance and call its `test_…` methods, each on
an instance of its own with an empty place to store at, and `teardown_method` after each.
"""
__all__ = ('SessionStoreConformance',)

from threading import Thread

from .base import SessionEntry
from .errors import StoreUnavailableError


# Identifiers as large as Discord's get (a snowflake uses 63 bits until the year 2084).
APPLICATION_ID = 1234567890123456789
OTHER_APPLICATION_ID = (1 << 63) - 1
GUILD_IDS = (1 << 22, 300000000000000001, (1 << 63) - 2, (1 << 63) - 1)

# Bytes of every value, also those that some formats give a meaning to.
ANY_BYTES = bytes(range(256))

# A checkpoint blob of a large guild takes megabytes.
LARGE_BLOB_SIZE = 8 << 20

# Enough loads and saves side by side to see a checkpoint that is not replaced as a whole.
CONCURRENT_SAVES = 40


class SessionStoreConformance:
    """
    Tests that every session store has to pass. Derive from it, and define ``.create_store``.
    """
    _stores = None
    
    def create_store(self):
        """
        Creates a store; not open yet. All stores that are created during a test have to use the same place, and that place
        has to be empty when a test begins.
        
        Returns
        -------
        store : ``SessionStore``
        """
        raise NotImplementedError
    
    
    def open_store(self):
        """
        Creates a store and opens it. It is closed when the test ends.
        
        Returns
        -------
        store : ``SessionStore``
        """
        if self._stores is None:
            self._stores = []
        
        store = self.create_store()
        store.open()
        self._stores.append(store)
        return store
    
    
    def reopen_store(self, store):
        """
        Closes a store, and opens another one at the same place, as the next process does.
        
        Parameters
        ----------
        store : ``SessionStore``
            The store to close.
        
        Returns
        -------
        store : ``SessionStore``
        """
        store.close()
        return self.open_store()
    
    
    def teardown_method(self):
        """
        Closes the stores of a test.
        """
        while self._stores:
            self._stores.pop().close()
    
    # ---- records ----
    
    def test_records__empty(self):
        """A new store has no records."""
        store = self.open_store()
        assert store.load_records(APPLICATION_ID) == {}
    
    
    def test_records__saved(self):
        """What was saved is loaded, byte for byte, by integer shard ids."""
        store = self.open_store()
        records = {0: ANY_BYTES, 1: b'', 65535: b'record'}
        store.save_records(APPLICATION_ID, records)
        assert store.load_records(APPLICATION_ID) == records
    
    
    def test_records__replaced(self):
        """A record replaces the one of its own shard only."""
        store = self.open_store()
        store.save_records(APPLICATION_ID, {0: b'old-0', 1: b'old-1'})
        store.save_records(APPLICATION_ID, {1: b'new-1', 2: b'new-2'})
        assert store.load_records(APPLICATION_ID) == {0: b'old-0', 1: b'new-1', 2: b'new-2'}
    
    
    def test_records__none_given(self):
        """Saving nothing changes nothing."""
        store = self.open_store()
        store.save_records(APPLICATION_ID, {0: b'record'})
        store.save_records(APPLICATION_ID, {})
        assert store.load_records(APPLICATION_ID) == {0: b'record'}
    
    
    def test_records__deleted(self):
        """A deleted record is gone, others stay, and deleting what is not there is fine."""
        store = self.open_store()
        store.save_records(APPLICATION_ID, {0: b'record-0', 1: b'record-1'})
        store.delete_record(APPLICATION_ID, 0)
        store.delete_record(APPLICATION_ID, 0)
        store.delete_record(OTHER_APPLICATION_ID, 1)
        assert store.load_records(APPLICATION_ID) == {1: b'record-1'}
    
    
    def test_records__by_application(self):
        """Applications do not see each other's records."""
        store = self.open_store()
        store.save_records(APPLICATION_ID, {0: b'mine'})
        store.save_records(OTHER_APPLICATION_ID, {0: b'theirs', 1: b'theirs'})
        assert store.load_records(APPLICATION_ID) == {0: b'mine'}
        assert store.load_records(OTHER_APPLICATION_ID) == {0: b'theirs', 1: b'theirs'}
    
    
    def test_records__result_is_the_callers(self):
        """Changing what was loaded, or what was saved afterwards, does not change the store."""
        store = self.open_store()
        records = {0: b'record'}
        store.save_records(APPLICATION_ID, records)
        records[0] = b'changed'
        store.load_records(APPLICATION_ID)[0] = b'changed'
        assert store.load_records(APPLICATION_ID) == {0: b'record'}
    
    
    def test_records__outlive_the_store(self):
        """The next store at the same place finds the records."""
        store = self.open_store()
        store.save_records(APPLICATION_ID, {3: ANY_BYTES})
        store = self.reopen_store(store)
        assert store.load_records(APPLICATION_ID) == {3: ANY_BYTES}
    
    # ---- checkpoints ----
    
    def test_checkpoint__none(self):
        """A shard without checkpoint has `None`."""
        store = self.open_store()
        assert store.load_checkpoint(APPLICATION_ID, 0) is None
    
    
    def test_checkpoint__saved(self):
        """What was saved is loaded, byte for byte, by integer identifiers."""
        store = self.open_store()
        blobs = {guild_id: ANY_BYTES + b'%d' % guild_id for guild_id in GUILD_IDS}
        store.save_checkpoint(APPLICATION_ID, 0, ANY_BYTES, iter(blobs.items()))
        assert store.load_checkpoint(APPLICATION_ID, 0) == (ANY_BYTES, blobs)
    
    
    def test_checkpoint__no_blobs(self):
        """A head alone is a checkpoint: that of a shard without guilds."""
        store = self.open_store()
        store.save_checkpoint(APPLICATION_ID, 0, b'head', ())
        assert store.load_checkpoint(APPLICATION_ID, 0) == (b'head', {})
    
    
    def test_checkpoint__empty_bytes(self):
        """An empty head and an empty blob are not the same as none."""
        store = self.open_store()
        store.save_checkpoint(APPLICATION_ID, 0, b'', [(GUILD_IDS[0], b'')])
        assert store.load_checkpoint(APPLICATION_ID, 0) == (b'', {GUILD_IDS[0]: b''})
    
    
    def test_checkpoint__replaced_as_a_whole(self):
        """Blobs of the old checkpoint that the new one does not have are gone."""
        store = self.open_store()
        store.save_checkpoint(APPLICATION_ID, 0, b'old', [(guild_id, b'old') for guild_id in GUILD_IDS])
        store.save_checkpoint(APPLICATION_ID, 0, b'new', [(GUILD_IDS[1], b'new')])
        assert store.load_checkpoint(APPLICATION_ID, 0) == (b'new', {GUILD_IDS[1]: b'new'})
    
    
    def test_checkpoint__kept(self):
        """Kept blobs are carried over; given ones win; those that never were are passed over; the rest is dropped."""
        store = self.open_store()
        store.save_checkpoint(APPLICATION_ID, 0, b'first', [(1, b'one'), (2, b'two'), (3, b'three')])
        store.save_checkpoint(APPLICATION_ID, 0, b'second', [(2, b'zwei'), (4, b'vier')], kept = iter([1, 2, 9]))
        assert store.load_checkpoint(APPLICATION_ID, 0) == (b'second', {1: b'one', 2: b'zwei', 4: b'vier'})
        
        store.save_checkpoint(APPLICATION_ID, 0, b'third', (), kept = [1, 4])
        assert store.load_checkpoint(APPLICATION_ID, 0) == (b'third', {1: b'one', 4: b'vier'})
    
    
    def test_checkpoint__kept_without_a_checkpoint(self):
        """Keeping blobs where there is no checkpoint keeps none."""
        store = self.open_store()
        store.save_checkpoint(APPLICATION_ID, 0, b'head', [(1, b'one')], kept = [2])
        assert store.load_checkpoint(APPLICATION_ID, 0) == (b'head', {1: b'one'})
    
    
    def test_checkpoint__by_shard_and_application(self):
        """Shards and applications do not see each other's checkpoints."""
        store = self.open_store()
        store.save_checkpoint(APPLICATION_ID, 0, b'head-0', [(1, b'blob-0')])
        store.save_checkpoint(APPLICATION_ID, 1, b'head-1', [(1, b'blob-1')])
        store.save_checkpoint(OTHER_APPLICATION_ID, 0, b'head-other', [(1, b'blob-other')])
        store.delete_checkpoint(APPLICATION_ID, 1)
        assert store.load_checkpoint(APPLICATION_ID, 0) == (b'head-0', {1: b'blob-0'})
        assert store.load_checkpoint(APPLICATION_ID, 1) is None
        assert store.load_checkpoint(OTHER_APPLICATION_ID, 0) == (b'head-other', {1: b'blob-other'})
    
    
    def test_checkpoint__deleted(self):
        """A deleted checkpoint is gone with its blobs, and deleting what is not there is fine."""
        store = self.open_store()
        store.save_checkpoint(APPLICATION_ID, 0, b'head', [(1, b'one')])
        store.delete_checkpoint(APPLICATION_ID, 0)
        store.delete_checkpoint(APPLICATION_ID, 0)
        assert store.load_checkpoint(APPLICATION_ID, 0) is None
        
        store.save_checkpoint(APPLICATION_ID, 0, b'head', (), kept = [1])
        assert store.load_checkpoint(APPLICATION_ID, 0) == (b'head', {})
    
    
    def test_checkpoint__apart_from_records(self):
        """Records and checkpoints are deleted apart."""
        store = self.open_store()
        store.save_records(APPLICATION_ID, {0: b'record'})
        store.save_checkpoint(APPLICATION_ID, 0, b'head', [(1, b'one')])
        store.delete_record(APPLICATION_ID, 0)
        assert store.load_checkpoint(APPLICATION_ID, 0) == (b'head', {1: b'one'})
        
        store.save_records(APPLICATION_ID, {0: b'record'})
        store.delete_checkpoint(APPLICATION_ID, 0)
        assert store.load_records(APPLICATION_ID) == {0: b'record'}
    
    
    def test_checkpoint__blobs_that_raise(self):
        """If the blobs' iteration raises, the exception comes out, and the old checkpoint stays."""
        def iterate_blobs():
            yield 1, b'new'
            yield 2, b'new'
            raise ZeroDivisionError
        
        store = self.open_store()
        store.save_checkpoint(APPLICATION_ID, 0, b'old', [(1, b'old')])
        
        try:
            store.save_checkpoint(APPLICATION_ID, 0, b'new', iterate_blobs())
        except ZeroDivisionError:
            pass
        else:
            raise AssertionError('The exception was swallowed.')
        
        assert store.load_checkpoint(APPLICATION_ID, 0) == (b'old', {1: b'old'})
        store = self.reopen_store(store)
        assert store.load_checkpoint(APPLICATION_ID, 0) == (b'old', {1: b'old'})
    
    
    def test_checkpoint__large(self):
        """A blob of megabytes, and as many blobs as a shard has guilds at most."""
        store = self.open_store()
        blobs = {guild_id: b'%d' % guild_id * 8 for guild_id in range(2500)}
        blobs[0] = ANY_BYTES * (LARGE_BLOB_SIZE // len(ANY_BYTES))
        store.save_checkpoint(APPLICATION_ID, 0, b'head', blobs.items())
        assert store.load_checkpoint(APPLICATION_ID, 0) == (b'head', blobs)
    
    
    def test_checkpoint__outlives_the_store(self):
        """The next store at the same place finds the checkpoint, and can keep its blobs."""
        store = self.open_store()
        store.save_checkpoint(APPLICATION_ID, 0, b'head', [(1, b'one'), (2, b'two')])
        store = self.reopen_store(store)
        assert store.load_checkpoint(APPLICATION_ID, 0) == (b'head', {1: b'one', 2: b'two'})
        
        store.save_checkpoint(APPLICATION_ID, 0, b'next', [(3, b'three')], kept = [2])
        assert store.load_checkpoint(APPLICATION_ID, 0) == (b'next', {2: b'two', 3: b'three'})
    
    
    def test_checkpoint__never_a_mix(self):
        """Who loads while another thread saves gets one whole checkpoint or another."""
        store = self.open_store()
        
        def save(number):
            data = b'%d' % number
            # Every third blob is kept, so both ways of a blob into a checkpoint are in the game.
            store.save_checkpoint(
                APPLICATION_ID, 0, data, [(number * 10 + offset, data) for offset in range(3)],
                kept = [(number - 1) * 10],
            )
        
        def save_all():
            for number in range(1, CONCURRENT_SAVES):
                save(number)
        
        save(0)
        thread = Thread(target = save_all)
        thread.start()
        loaded = []
        try:
            while thread.is_alive():
                loaded.append(store.load_checkpoint(APPLICATION_ID, 0))
        finally:
            thread.join()
        
        loaded.append(store.load_checkpoint(APPLICATION_ID, 0))
        for head, blobs in loaded:
            number = int(head)
            expected = {number * 10 + offset: head for offset in range(3)}
            if number:
                expected[(number - 1) * 10] = b'%d' % (number - 1)
            assert blobs == expected
        
        assert loaded[-1][0] == b'%d' % (CONCURRENT_SAVES - 1)
    
    def test_checkpoint__missing(self):
        """Who saves a checkpoint is told which of the kept blobs are not there, if the store tells."""
        store = self.open_store()
        assert not store.save_checkpoint(APPLICATION_ID, 0, b'first', [(1, b'one')])
        assert not store.save_checkpoint(APPLICATION_ID, 0, b'second', (), kept = [1])
        assert store.save_checkpoint(APPLICATION_ID, 0, b'third', [(2, b'two')], kept = [1, 3]) in (None, {3})
    
    # ---- journal, of the stores that keep one ----
    
    def open_journal_store(self):
        """
        Creates and opens a store that keeps a journal.
        
        Returns
        -------
        store : ``None | SessionStore``
            `None` if the store keeps none.
        """
        store = self.open_store()
        return store if store.keeps_journal else None
    
    
    def test_journal__saved_with_the_record(self):
        """Entries come back in order, with the record that was saved with the last one, also in the next process."""
        store = self.open_journal_store()
        if store is None:
            return
        
        assert store.load_journal(APPLICATION_ID, 0) == []
        store.save_session(APPLICATION_ID, [SessionEntry(0, b'record-9', 9, ANY_BYTES), SessionEntry(1, b'other')])
        store.save_session(APPLICATION_ID, [SessionEntry(0, b'record-100', 100, b'late')])
        store.save_session(APPLICATION_ID, [SessionEntry(0, b'record-101')])
        store.save_session(APPLICATION_ID, [])
        
        for is_reopened in (False, True):
            if is_reopened:
                store = self.reopen_store(store)
            assert store.load_records(APPLICATION_ID) == {0: b'record-101', 1: b'other'}
            assert store.load_journal(APPLICATION_ID, 0) == [ANY_BYTES, b'late']
            assert store.load_journal(APPLICATION_ID, 1) == []
            assert store.load_journal(OTHER_APPLICATION_ID, 0) == []
    
    
    def test_journal__repeated(self):
        """An entry replaces the one of its sequence, so a save whose answer was lost can be repeated."""
        store = self.open_journal_store()
        if store is None:
            return
        
        for data in (b'entry', b'entry', b'newer'):
            store.save_session(APPLICATION_ID, [SessionEntry(0, b'record', 7, data)])
        assert store.load_journal(APPLICATION_ID, 0) == [b'newer']
    
    
    def test_journal__begins(self):
        """A journal that begins anew has nothing of the one before; that of other shards stays."""
        store = self.open_journal_store()
        if store is None:
            return
        
        store.save_session(APPLICATION_ID, [SessionEntry(0, b'a', 500, b'old'), SessionEntry(1, b'b', 500, b'other')])
        store.save_session(APPLICATION_ID, [SessionEntry(0, b'a', 3, b'new', True)])
        assert store.load_journal(APPLICATION_ID, 0) == [b'new']
        assert store.load_journal(APPLICATION_ID, 1) == [b'other']
        
        store.save_session(APPLICATION_ID, [SessionEntry(0, b'a', begins = True)])
        assert store.load_journal(APPLICATION_ID, 0) == []
    
    
    def test_journal__dropped_by_the_checkpoint(self):
        """A checkpoint drops the entries that it contains, and deleting it drops all."""
        store = self.open_journal_store()
        if store is None:
            return
        
        for sequence in (8, 9, 10, 11):
            store.save_session(APPLICATION_ID, [
                SessionEntry(shard_id, b'record', sequence, b'%d' % sequence) for shard_id in (0, 1)
            ])
        
        store.save_checkpoint(APPLICATION_ID, 0, b'head', ())
        assert store.load_journal(APPLICATION_ID, 0) == [b'8', b'9', b'10', b'11']
        store.save_checkpoint(APPLICATION_ID, 0, b'head', (), journal_until = 9)
        assert store.load_journal(APPLICATION_ID, 0) == [b'10', b'11']
        assert store.load_journal(APPLICATION_ID, 1) == [b'8', b'9', b'10', b'11']
        
        store.delete_checkpoint(APPLICATION_ID, 0)
        assert store.load_journal(APPLICATION_ID, 0) == []
        assert store.load_records(APPLICATION_ID) == {0: b'record', 1: b'record'}
    
    
    def test_journal__blobs_that_raise(self):
        """A checkpoint that was not saved drops nothing."""
        def iterate_blobs():
            yield 1, b'new'
            raise ZeroDivisionError
        
        store = self.open_journal_store()
        if store is None:
            return
        
        store.save_session(APPLICATION_ID, [SessionEntry(0, b'record', 8, b'entry')])
        try:
            store.save_checkpoint(APPLICATION_ID, 0, b'head', iterate_blobs(), journal_until = 8)
        except ZeroDivisionError:
            pass
        
        assert store.load_journal(APPLICATION_ID, 0) == [b'entry']
    
    # ---- opening and closing ----
    
    def test_open__twice(self):
        """Opening an open store and closing a closed one do nothing."""
        store = self.open_store()
        store.save_records(APPLICATION_ID, {0: b'record'})
        store.open()
        assert store.load_records(APPLICATION_ID) == {0: b'record'}
        store.close()
        store.close()
    
    
    def test_open__after_close(self):
        """A closed store can be opened again."""
        store = self.open_store()
        store.save_records(APPLICATION_ID, {0: b'record'})
        store.close()
        store.open()
        assert store.load_records(APPLICATION_ID) == {0: b'record'}
    
    
    def test_closed__operations(self):
        """A store that is not open says so."""
        store = self.create_store()
        
        for operation in (
            lambda: store.load_records(APPLICATION_ID),
            lambda: store.save_records(APPLICATION_ID, {0: b'record'}),
            lambda: store.delete_record(APPLICATION_ID, 0),
            lambda: store.load_checkpoint(APPLICATION_ID, 0),
            lambda: store.save_checkpoint(APPLICATION_ID, 0, b'head', ()),
            lambda: store.delete_checkpoint(APPLICATION_ID, 0),
        ):
            try:
                operation()
            except StoreUnavailableError:
                continue
            
            raise AssertionError('An operation on a closed store did not raise.')
    
    
    def test_repr__without_content(self):
        """What is stored is not in the store's representation."""
        store = self.open_store()
        store.save_records(APPLICATION_ID, {0: b'secret-session'})
        store.save_checkpoint(APPLICATION_ID, 0, b'secret-head', [(1, b'secret-blob')])
        assert 'secret' not in repr(store)
