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
from scarletio import LOOP_TIME, RichAttributeErrorBaseType, Task, sleep

from ..exceptions import GatewayStoreReport
from ..stores.errors import StoreError
from ..stores.record import SessionRecord
from .session_restorer import SessionRestorer
from .shard_checkpointer import ShardCheckpointer
from .store_thread import StoreThread


# Seconds between two looks at the sequences. What was handled after the last record is delivered again after a crash; the
# promise is a second of that, and the write takes its time as well.
RECORD_INTERVAL = 0.5

# Seconds between reading a sequence and saving it. hata's parsers create tasks of the handlers, which start in the same round
# of the loop or in the next one: what a crash finds recorded must have reached its handlers.
HANDLER_START_DELAY = 0.02

TROUBLE_RECORDS = 'store records'
TROUBLE_CHECKPOINTS = 'store checkpoints'

# What is kept, in words, by the trouble that it may have.
KEPT = {
    TROUBLE_RECORDS: 'Sessions',
    TROUBLE_CHECKPOINTS: 'Checkpoints of the cache',
}


class GatewayPersistence(RichAttributeErrorBaseType):
    """
    Keeps the sessions and the cache of a client in a store.
    
    Attributes
    ----------
    _checkpoint_task : `None | Task`
        Takes and saves checkpoints.
    _checkpoint_times : `dict<int, (Session, float)>`
        For each shard, by id: the session that the last checkpoint was taken of, and when the next one is due; monotonic time,
        in seconds.
    _checkpointers : `dict<int, ShardCheckpointer>`
        By shard id.
    _ending : `None | Task`
        The suspending that is under way.
    _gateways : `tuple<DurableGatewayClientShard>`
        The shards of the running gateway.
    _handle : `None | TimerHandle`
        Wakes up to record.
    _opened : `bool`
        Whether the store was opened.
    _record_task : `None | Task`
        Saves records.
    _recorded : `dict<int, (str, int)>`
        Session and sequence as they were recorded last, by shard id.
    checkpoint_cache : `bool`
        Whether the cache is kept as well.
    checkpoint_interval : `None | float`
        Seconds between two checkpoints. `None`: only when suspending.
    client : ``Client``
        The client.
    reports : ``Reports``
        Tells the bot's owner.
    store : ``SessionStore``
        The store.
    thread : ``StoreThread``
        Where the store is called.
    """
    __slots__ = (
        '_checkpoint_task', '_checkpoint_times', '_checkpointers', '_ending', '_gateways', '_handle', '_opened',
        '_record_task', '_recorded', 'checkpoint_cache', 'checkpoint_interval', 'client', 'reports', 'store', 'thread'
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
        self = object.__new__(cls)
        self._checkpoint_task = None
        self._checkpoint_times = {}
        self._checkpointers = {}
        self._ending = None
        self._gateways = ()
        self._handle = None
        self._opened = False
        self._record_task = None
        self._recorded = {}
        self.checkpoint_cache = checkpoint_cache
        self.checkpoint_interval = checkpoint_interval
        self.client = client
        self.reports = reports
        self.store = store
        self.thread = StoreThread()
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} store = {self.store!r}>'
    
    # ---- the store ----
    
    async def _open(self):
        """
        Opens the store if it is not open.
        
        This method is a coroutine.
        
        Returns
        -------
        opened : `bool`
        """
        if not self._opened:
            try:
                await self.thread.call(self.store.open)
            except StoreError as exception:
                self._store_failed(TROUBLE_RECORDS, exception)
                return False
            
            self._opened = True
        
        return True
    
    
    def _store_failed(self, trouble, exception):
        """
        A call of the store failed.
        
        Parameters
        ----------
        trouble : `str`
            What it is about.
        exception : ``StoreError``
            Why.
        """
        self._recorded.clear()
        for checkpointer in self._checkpointers.values():
            checkpointer.forget()
        
        self.reports.report_once(
            trouble,
            GatewayStoreReport(f'{KEPT[trouble]} are not kept at the moment: {exception} The gateway goes on without.'),
            type(exception),
        )
    
    
    def _store_worked(self, trouble):
        """
        A call of the store worked.
        
        Parameters
        ----------
        trouble : `str`
            What it was about.
        """
        if self.reports.settle(trouble):
            self.reports.report(GatewayStoreReport(f'{KEPT[trouble]} are kept again.'))
    
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
        self._checkpointers = {}
        for gateway in gateways:
            checkpointer = ShardCheckpointer(gateway.shard_id, self.client.intents)
            self._checkpointers[gateway.shard_id] = checkpointer
            gateway.driver.observer = checkpointer.touch if self.checkpoint_cache else None
        
        if await self._open():
            restorer = SessionRestorer(self.client, self.store, self.thread, self.reports, self.checkpoint_cache)
            for gateway in gateways:
                driver = gateway.driver
                if not driver.machine.session.is_resumable():
                    restored = await restorer.restore(gateway.shard_id)
                    if (restored is not None):
                        restored.apply_application(self.client)
                        driver.restore(restored)
        
        self._checkpoint_times.clear()
        self._schedule()
    
    
    async def stop(self):
        """
        The gateway does not run anymore: nothing is kept until it starts again. If it is being suspended, waits until that is
        over: hata takes the cache of a client apart as soon as its gateway has ended.
        
        This method is a coroutine.
        """
        self._stop_timer()
        ending = self._ending
        if ending is None:
            await self._close()
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
        
        task = self._checkpoint_task
        if (task is not None):
            self._checkpoint_task = None
            task.cancel()
    
    
    async def suspend(self):
        """
        The shards are stopped, and their sessions live on: writes everything down.
        
        This method is a coroutine. It never raises because of the store.
        """
        await self._end(self._write_down)
    
    
    async def forget(self):
        """
        The shards are closed, and their sessions have ended: forgets them.
        
        This method is a coroutine. It never raises because of the store.
        """
        await self._end(self._delete)
    
    
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
            
            if await self._open():
                await end()
        
        finally:
            await self._close()
            self._ending = None
    
    
    async def _write_down(self):
        """
        Saves the records and a checkpoint of each shard.
        
        This method is a coroutine.
        """
        if await self._save_records() and self.checkpoint_cache:
            for gateway, guilds in self._group_guilds(self._gateways):
                await self._save_checkpoint(gateway, guilds, {'whole': True, 'pause': 0.0})
    
    
    async def _delete(self):
        """
        Deletes the records and checkpoints of the shards.
        
        This method is a coroutine.
        """
        client_id = self.client.id
        try:
            for gateway in self._gateways:
                await self.thread.call(self.store.delete_record, client_id, gateway.shard_id)
                await self.thread.call(self.store.delete_checkpoint, client_id, gateway.shard_id)
        
        except StoreError as exception:
            self._store_failed(TROUBLE_RECORDS, exception)
    
    
    async def _close(self):
        """
        Closes the store.
        
        This method is a coroutine.
        """
        self._recorded.clear()
        if self._opened:
            self._opened = False
            try:
                await self.thread.call(self.store.close)
            except StoreError as exception:
                self._store_failed(TROUBLE_RECORDS, exception)
        
        self.thread.stop()
    
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
        Saves the records of the shards that have moved, and begins a checkpoint when it is due.
        
        This method is a coroutine.
        """
        try:
            if await self._open() and await self._save_records():
                self._begin_checkpoints()
        
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
        client = self.client
        recorded = self._recorded
        records = {}
        positions = {}
        
        for gateway in self._gateways:
            driver = gateway.driver
            session = driver.machine.session
            if not session.is_resumable():
                continue
            
            shard_id = gateway.shard_id
            restored = driver.restored
            sequence = session.sequence
            if (restored is not None):
                # What is being replayed was handled up to here, in the process before this one.
                sequence = max(sequence, restored.replay_filter.last_sequence)
            
            position = (session.session_id, sequence)
            if recorded.get(shard_id, None) == position:
                continue
            
            positions[shard_id] = position
            records[shard_id] = SessionRecord(
                application_id = client.id,
                intents = int(client.intents),
                resume_gateway_url = session.resume_gateway_url,
                sequence = sequence,
                session_id = session.session_id,
                shard_count = max(client.shard_count, 1),
                shard_id = shard_id,
                written_at = time(),
            ).to_bytes()
        
        if records:
            # What is recorded counts as handled.
            await sleep(HANDLER_START_DELAY, KOKORO)
            
            try:
                await self.thread.call(self.store.save_records, client.id, records)
            except StoreError as exception:
                self._store_failed(TROUBLE_RECORDS, exception)
                return False
            
            recorded.update(positions)
            self._store_worked(TROUBLE_RECORDS)
        
        return True
    
    # ---- checkpoints ----
    
    def _begin_checkpoints(self):
        """
        Begins to take the checkpoints that are due.
        """
        checkpoint_interval = self.checkpoint_interval
        if (
            (not self.checkpoint_cache) or
            (checkpoint_interval is None) or
            (self._checkpoint_task is not None) or
            (self._handle is None)
        ):
            return
        
        now = LOOP_TIME()
        times = self._checkpoint_times
        gateways = []
        for gateway in self._gateways:
            if self._is_complete(gateway):
                # The first one of a session is due at once: until then the session is of no use to another process.
                session = gateway.driver.machine.session
                last_session, due_at = times.get(gateway.shard_id, (None, 0.0))
                if (session is not last_session) or (now >= due_at):
                    times[gateway.shard_id] = (session, now + checkpoint_interval)
                    gateways.append(gateway)
        
        if gateways:
            self._checkpoint_task = Task(KOKORO, self._save_checkpoints(gateways))
    
    
    async def _save_checkpoints(self, gateways):
        """
        Takes and saves checkpoints.
        
        This method is a coroutine.
        
        Parameters
        ----------
        gateways : `list<DurableGatewayClientShard>`
            The shards.
        """
        try:
            for gateway, guilds in self._group_guilds(gateways):
                await self._save_checkpoint(gateway, guilds, {})
        finally:
            self._checkpoint_task = None
    
    
    def _is_complete(self, gateway):
        """
        Returns whether a checkpoint of a shard can be taken now: it has a session, its replay is over, and the client has all
        that Discord sends after an identify.
        
        Parameters
        ----------
        gateway : ``DurableGatewayClientShard``
            The shard.
        
        Returns
        -------
        is_complete : `bool`
        """
        driver = gateway.driver
        return (
            driver.machine.session.is_resumable() and (driver.restored is None) and (self.client.ready_state is None)
        )
    
    
    def _group_guilds(self, gateways):
        """
        Groups the guilds of the client by shards.
        
        Parameters
        ----------
        gateways : `iterable<DurableGatewayClientShard>`
            The shards.
        
        Returns
        -------
        groups : `list<(DurableGatewayClientShard, list<Guild>)>`
        """
        shard_count = max(self.client.shard_count, 1)
        guilds_by_shard = {}
        for guild in self.client.guilds:
            guilds_by_shard.setdefault((guild.id >> 22) % shard_count, []).append(guild)
        
        return [(gateway, guilds_by_shard.get(gateway.shard_id, [])) for gateway in gateways]
    
    
    async def _save_checkpoint(self, gateway, guilds, options):
        """
        Takes and saves the checkpoint of a shard.
        
        This method is a coroutine.
        
        Parameters
        ----------
        gateway : ``DurableGatewayClientShard``
            The shard.
        guilds : `list<Guild>`
            Its guilds.
        options : `dict<str, object>`
            How to take it.
        """
        if not self._is_complete(gateway):
            return
        
        checkpointer = self._checkpointers[gateway.shard_id]
        saved = False
        try:
            checkpoint = await checkpointer.take(
                self.client, gateway.driver.machine.session, guilds, self.thread, time, **options
            )
            if checkpoint is None:
                return
            
            await sleep(HANDLER_START_DELAY, KOKORO)
            await self.thread.call(self._write_checkpoint, checkpoint)
            checkpointer.saved(checkpoint)
            saved = True
            self._store_worked(TROUBLE_CHECKPOINTS)
        
        except StoreError as exception:
            self._store_failed(TROUBLE_CHECKPOINTS, exception)
        
        finally:
            if not saved:
                checkpointer.forget()
    
    
    def _write_checkpoint(self, checkpoint):
        """
        Saves a checkpoint. Runs in the store's thread.
        
        Parameters
        ----------
        checkpoint : ``Checkpoint``
            The checkpoint.
        
        Raises
        ------
        StoreError
        """
        head = checkpoint.head
        self.store.save_checkpoint(
            head.application_id, head.shard_id, head.to_bytes(), checkpoint.blobs, checkpoint.kept
        )
