"""
Keeps the sessions and the cache of a client in a store, so that the next process goes on where this one ended.

Discord's replay buffer is the log, and the checkpoint of sessions and cache is what is started from:

- a few times a second, the sequence of each shard that has moved is recorded;
- about once a minute, a checkpoint of the guilds of each shard is taken;
- when the gateway is suspended, both are done a last time, with nothing arriving in between.

Whatever the store suffers, it does so off the loop and in its own time: it is reported once, and once more when it is over.
"""
__all__ = ('GatewayPersistence',)

from time import time

from hata import KOKORO
from scarletio import RichAttributeErrorBaseType, Task, alchemy_incendiary, sleep

from ..stores.record import SessionRecord
from .checkpoint_keeper import CheckpointKeeper, HANDLER_START_DELAY
from .restorer import SessionRestorer
from .store_access import StoreAccess, TROUBLE_RECORDS


# Seconds between two looks at the sequences. What was handled after the last record is delivered again after a crash; the
# promise is a second of that, and the write takes its time as well.
RECORD_INTERVAL = 0.5


class GatewayPersistence(RichAttributeErrorBaseType):
    """
    Keeps the sessions and the cache of a client in a store.
    
    Attributes
    ----------
    _ending : `None | Task`
        Writes or deletes what is kept, at the end.
    _failures : `int`
        The failures of the store at the last record.
    _gateways : `tuple<DurableGatewayClientShard>`
        The shards of the running gateway.
    _handle : `None | TimerHandle`
        Wakes up to record.
    _record_task : `None | Task`
        Saves records.
    _recorded : `dict<int, (str, int)>`
        Session and sequence as they were recorded last, by shard id.
    access : ``StoreAccess``
        The store.
    checkpoints : ``None | CheckpointKeeper``
        Keeps the cache. `None` if it is not kept.
    client : ``Client``
        The client.
    """
    __slots__ = (
        '_ending', '_failures', '_gateways', '_handle', '_record_task', '_recorded', 'access', 'checkpoints', 'client'
    )
    
    def __new__(cls, client, store, reports, checkpoint_interval, checkpoint_cache):
        """
        Creates the persistence of a client. Nothing is opened yet.
        
        Parameters
        ----------
        client : ``Client``
            The client.
        store : ``SessionStore``
            The store.
        reports : ``Reports``
            Tells the bot's owner.
        checkpoint_interval : `None | float`
            Seconds between two checkpoints. `None`: only when suspending.
        checkpoint_cache : `bool`
            Whether the cache is kept as well.
        """
        access = StoreAccess(store, reports)
        
        self = object.__new__(cls)
        self._ending = None
        self._failures = 0
        self._gateways = ()
        self._handle = None
        self._record_task = None
        self._recorded = {}
        self.access = access
        self.checkpoints = CheckpointKeeper(client, access, checkpoint_interval) if checkpoint_cache else None
        self.client = client
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} store = {self.access.store!r}>'
    
    # ---- from start to end ----
    
    async def start(self, gateways):
        """
        The gateway starts: restores the shards that have no session, and keeps them from there on.
        
        This method is a coroutine. It never raises because of the store.
        
        Parameters
        ----------
        gateways : `tuple<DurableGatewayClientShard>`
            The shards.
        """
        self._gateways = gateways
        checkpoints = self.checkpoints
        if (checkpoints is not None):
            checkpoints.start(gateways)
        
        if await self.access.open():
            restorer = SessionRestorer(self.client, self.access, checkpoints is not None)
            for gateway in gateways:
                driver = gateway.driver
                if not driver.machine.session.is_resumable():
                    restored = await restorer.restore(gateway.shard_id)
                    if (restored is not None):
                        restored.apply_application(self.client)
                        driver.restore(restored)
        
        self._schedule()
    
    
    async def stop(self):
        """
        The gateway does not run anymore: nothing is kept until it starts again. If it is being suspended, waits until that
        is over: hata takes the cache of a client apart as soon as its gateway has ended.
        
        This method is a coroutine.
        """
        self._stop_timer()
        ending = self._ending
        if ending is None:
            await self.access.close()
        else:
            await ending
    
    
    def _stop_timer(self):
        """
        Nothing is recorded from here on, and no checkpoint is taken.
        """
        handle = self._handle
        if (handle is not None):
            self._handle = None
            handle.cancel()
        
        checkpoints = self.checkpoints
        if (checkpoints is not None):
            checkpoints.stop()
    
    
    async def suspend(self):
        """
        The shards are stopped, and their sessions live on: writes everything down.
        
        This method is a coroutine. It never raises because of the store.
        """
        await self._end(self._write_down)
    
    
    async def forget(self, shard_ids):
        """
        The shards are closed, and their sessions have ended: forgets them.
        
        This method is a coroutine. It never raises because of the store.
        
        Parameters
        ----------
        shard_ids : `list<int>`
            The shards that had a session.
        """
        if shard_ids:
            await self._end(alchemy_incendiary(self._delete, (shard_ids,)))
    
    
    async def _end(self, end):
        """
        Does what is to be done at the end, once.
        
        This method is a coroutine.
        
        Parameters
        ----------
        end : `CoroutineFunction`
            What to do.
        """
        ending = self._ending
        if ending is None:
            self._ending = ending = Task(KOKORO, self._run_end(end))
        
        await ending
    
    
    async def _run_end(self, end):
        """
        Does what is to be done at the end, and closes the store.
        
        This method is a coroutine.
        
        Parameters
        ----------
        end : `CoroutineFunction`
            What to do.
        """
        try:
            self._stop_timer()
            record_task = self._record_task
            if (record_task is not None):
                await record_task
            
            if await self.access.open():
                await end()
        
        finally:
            await self.access.close()
            self._recorded.clear()
            self._ending = None
    
    
    async def _write_down(self):
        """
        Saves the records and a checkpoint of each shard.
        
        This method is a coroutine.
        """
        checkpoints = self.checkpoints
        if await self._save_records() and (checkpoints is not None):
            await checkpoints.save_last(self._gateways)
    
    
    async def _delete(self, shard_ids):
        """
        Deletes records and checkpoints.
        
        This method is a coroutine.
        
        Parameters
        ----------
        shard_ids : `list<int>`
            The shards.
        """
        access = self.access
        for shard_id in shard_ids:
            for delete in (access.store.delete_record, access.store.delete_checkpoint):
                await access.save(TROUBLE_RECORDS, delete, self.client.id, shard_id)
    
    # ---- records ----
    
    def _schedule(self):
        """
        Arms the timer.
        """
        self._handle = KOKORO.call_after(RECORD_INTERVAL, self._wake_up)
    
    
    def _wake_up(self):
        """
        It is time to look at the sequences.
        """
        self._schedule()
        if self._record_task is None:
            self._record_task = Task(KOKORO, self._record())
    
    
    async def _record(self):
        """
        Saves the records of the shards that have moved, and begins the checkpoints that are due.
        
        This method is a coroutine.
        """
        try:
            if await self.access.open() and await self._save_records():
                checkpoints = self.checkpoints
                if (checkpoints is not None) and (self._handle is not None):
                    checkpoints.begin_due(self._gateways)
        
        finally:
            self._record_task = None
    
    
    async def _save_records(self):
        """
        Saves the records of the shards that have moved.
        
        This method is a coroutine.
        
        Returns
        -------
        saved : `bool`
            `False` if the store failed.
        """
        access = self.access
        recorded = self._recorded
        if access.failures != self._failures:
            self._failures = access.failures
            recorded.clear()
        
        client = self.client
        shard_count = max(client.shard_count, 1)
        records = {}
        positions = {}
        
        for gateway in self._gateways:
            driver = gateway.driver
            session = driver.machine.session
            if not session.is_resumable():
                continue
            
            shard_id = gateway.shard_id
            sequence = session.sequence
            restored = driver.restored
            if (restored is not None):
                # What is being replayed was handled up to here, in the process before this one.
                sequence = max(sequence, restored.replay_filter.last_sequence)
            
            position = (session.session_id, sequence)
            if recorded.get(shard_id, None) != position:
                positions[shard_id] = position
                records[shard_id] = SessionRecord(
                    application_id = client.id,
                    intents = int(client.intents),
                    resume_gateway_url = session.resume_gateway_url,
                    sequence = sequence,
                    session_id = session.session_id,
                    shard_count = shard_count,
                    shard_id = shard_id,
                    written_at = time(),
                ).to_bytes()
        
        if not records:
            return True
        
        await sleep(HANDLER_START_DELAY, KOKORO)
        saved = await access.save(TROUBLE_RECORDS, access.store.save_records, client.id, records)
        if saved:
            recorded.update(positions)
        
        return saved
