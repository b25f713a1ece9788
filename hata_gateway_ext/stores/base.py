"""
What a session store is.

A gateway session outlives its connection by some minutes, so it can outlive a process as well, if what is needed to resume
it is written down: that is a **record** a shard, small, written about once a second. The cache of a bot does not come back
with a session (Discord sends `GUILD_CREATE` after an identify, not after a resume), so it is written down too: that is a
**checkpoint** a shard, large, written about once a minute, made of a head and of one blob for each guild. The **journal** of a
shard has what changed the cache since its checkpoint: an entry is appended in the same step as a record is saved, and a
checkpoint drops the entries that it contains.

Stores know nothing of what they store. Records, entries, heads and blobs are bytes to them, which keeps an own store short, and the
versions of the formats in one place (see `record.py`).
"""
__all__ = ('SessionEntry', 'SessionStore')

from typing import NamedTuple, Optional


class SessionEntry(NamedTuple):
    """
    What is saved of the session of a shard in one step.
    
    Attributes
    ----------
    shard_id : `int`
        The shard's identifier.
    record : `bytes`
        The record. It replaces the one before.
    sequence : `int`
        The sequence of the last event in `journal`.
    journal : `None | bytes`
        What is appended to the journal of the shard. `None`: nothing.
    begins : `bool`
        Whether the journal begins anew: what the shard had of it before is dropped in the same step.
    """
    shard_id: int
    record: bytes
    sequence: int = 0
    journal: Optional[bytes] = None
    begins: bool = False


class SessionStore:
    """
    Base of the session stores; derive from it to write your own, and prove it with
    ``hata_gateway_ext.stores.conformance.SessionStoreConformance``.
    
    How a store is called
    ---------------------
    - Every method may block. The gateway calls them in worker threads, never on its event loop. Calls come from changing
        threads but one at a time; a store that is shared by several clients must hold a lock of its own.
    - Whatever goes wrong is raised as a ``StoreError``. A call that failed has done either nothing or everything: a
        connection may be lost after the last byte was sent. After ``StoreUnavailableError`` the same call is repeated
        some time later, with newer content: a store has to reconnect by itself.
    - An error's message must not contain records, heads, blobs, or a password.
    
    Everything is stored per application and shard. The amount of shards is not part of the key: the gateway writes it into
    the record and the head, and ignores what was written for another one.
    
    Attributes
    ----------
    keeps_journal : `bool` = `False`
        Whether ``.save_session`` and ``.load_journal`` are defined, and ``.save_checkpoint`` takes `journal_until`. A store
        without a journal is never asked for one; a crash then leans on a longer replay of Discord.
    expiry : `None | float` = `None`
        Seconds after which the store forgets what was not saved again. It is saved again well before.
    """
    __slots__ = ()
    
    keeps_journal = False
    expiry = None
    
    def open(self):
        """
        Makes the store ready for use. Does nothing on one that is open already.
        
        Raises
        ------
        StoreLockedError
            - Another process uses the store.
        StoreVersionError
            - The store was laid out by a newer version of this library.
        StoreCorruptError
            - The store's content could not be understood, and was set aside. Open it again to start with an empty one.
        StoreUnavailableError
            - The store cannot be reached or created at the moment.
        """
        raise NotImplementedError
    
    
    def close(self):
        """
        Releases what the store holds: connections, files and locks. What is stored stays. Does nothing on a closed store;
        never raises. A closed store can be opened again.
        """
        raise NotImplementedError
    
    
    def load_records(self, application_id):
        """
        Gives back the records of all shards of an application.
        
        Parameters
        ----------
        application_id : `int`
            The identifier of the application.
        
        Returns
        -------
        records : `dict` of (`int`, `bytes`) items
            Records by shard id. Empty if there are none.
        
        Raises
        ------
        StoreError
        """
        raise NotImplementedError
    
    
    def save_records(self, application_id, records):
        """
        Stores records, each in place of the one that its shard had. The records of other shards are left as they are.
        The records of one call are stored all or none.
        
        Parameters
        ----------
        application_id : `int`
            The identifier of the application.
        records : `dict` of (`int`, `bytes`) items
            Records by shard id.
        
        Raises
        ------
        StoreError
        """
        raise NotImplementedError
    
    
    def delete_record(self, application_id, shard_id):
        """
        Deletes the record of a shard. Does nothing if it has none.
        
        Parameters
        ----------
        application_id : `int`
            The identifier of the application.
        shard_id : `int`
            The shard's identifier.
        
        Raises
        ------
        StoreError
        """
        raise NotImplementedError
    
    
    def save_session(self, application_id, entries):
        """
        Stores records as ``.save_records`` does, and appends to the journals of their shards: all or none of it.
        
        An entry of the journal belongs to a sequence, and replaces one of the same sequence: the call can be repeated.
        
        Parameters
        ----------
        application_id : `int`
            The identifier of the application.
        entries : `list<SessionEntry>`
            At most one for each shard.
        
        Raises
        ------
        StoreError
        """
        raise NotImplementedError
    
    
    def load_journal(self, application_id, shard_id):
        """
        Gives back the journal of a shard.
        
        Parameters
        ----------
        application_id : `int`
            The identifier of the application.
        shard_id : `int`
            The shard's identifier.
        
        Returns
        -------
        journal : `list<bytes>`
            Its entries by their sequences, the lowest first. Empty if there are none.
        
        Raises
        ------
        StoreError
        """
        raise NotImplementedError
    
    
    def load_checkpoint(self, application_id, shard_id):
        """
        Gives back the checkpoint of a shard.
        
        Parameters
        ----------
        application_id : `int`
            The identifier of the application.
        shard_id : `int`
            The shard's identifier.
        
        Returns
        -------
        checkpoint : `None | (bytes, dict<int, bytes>)`
            The head, and the blobs by their identifiers. `None` if the shard has no checkpoint. Head and blobs are always
            of the same checkpoint.
        
        Raises
        ------
        StoreError
        """
        raise NotImplementedError
    
    
    def save_checkpoint(self, application_id, shard_id, head, blobs, kept = (), journal_until = None):
        """
        Replaces the checkpoint of a shard, as a whole: whoever loads it, at whatever moment, and whatever happens to this
        process meanwhile, gets either the old or the new one.
        
        Parameters
        ----------
        application_id : `int`
            The identifier of the application.
        shard_id : `int`
            The shard's identifier.
        head : `bytes`
            The new head.
        blobs : `iterable` of (`int`, `bytes`) pairs
            New blobs and their identifiers. Iterated over once. If the iteration raises, the exception is propagated, and
            the old checkpoint stays.
        kept : `iterable` of `int` = `()`, Optional
            Identifiers of blobs to carry over from the old checkpoint as they are. Those that the old one does not have
            are passed over. Blobs of the old one that are neither given nor kept are dropped.
        journal_until : `None | int` = `None`, Optional
            Entries of the shard's journal up to this sequence are dropped in the same step: the checkpoint contains what is
            in them.
        
        Returns
        -------
        missing : `None | set<int>`
            Which blobs were to be carried over, and are not there. `None` if the store does not tell.
        
        Raises
        ------
        StoreError
        """
        raise NotImplementedError
    
    
    def delete_checkpoint(self, application_id, shard_id):
        """
        Deletes the checkpoint of a shard, and its journal. Does nothing if it has none.
        
        Parameters
        ----------
        application_id : `int`
            The identifier of the application.
        shard_id : `int`
            The shard's identifier.
        
        Raises
        ------
        StoreError
        """
        raise NotImplementedError
