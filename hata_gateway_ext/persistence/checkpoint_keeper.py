"""
When a checkpoint of which shard is taken, and that it gets into the store.
"""
__all__ = ('CheckpointKeeper', 'HANDLER_START_DELAY')

from time import time

from hata import KOKORO
from scarletio import LOOP_TIME, RichAttributeErrorBaseType, Task, sleep

from ..stores.errors import StoreError
from .checkpointer import ShardCheckpointer
from .store_access import TROUBLE_CHECKPOINTS


# Seconds between reading a sequence and saving it. hata's parsers create tasks of the handlers, which start in the same
# round of the loop or in the next one: what a crash finds saved as handled must have reached its handlers.
HANDLER_START_DELAY = 0.02


class CheckpointKeeper(RichAttributeErrorBaseType):
    """
    Takes the checkpoints of the shards of a client, and saves them.
    
    Attributes
    ----------
    _checkpointers : `dict<int, ShardCheckpointer>`
        By shard id.
    _failures : `int`
        The failures of the store at the last checkpoint.
    _task : `None | Task`
        Takes and saves the checkpoints that are due.
    _times : `dict<int, (Session, float)>`
        For each shard, by id: the session that the last checkpoint was taken of, and when the next one is due; monotonic
        time, in seconds.
    access : ``StoreAccess``
        The store.
    client : ``Client``
        The client.
    interval : `None | float`
        Seconds between two checkpoints of a shard. `None`: only when the gateway is suspended.
    """
    __slots__ = ('_checkpointers', '_failures', '_task', '_times', 'access', 'client', 'interval')
    
    def __new__(cls, client, access, interval):
        """
        Creates a checkpoint keeper without shards.
        
        Parameters
        ----------
        client : ``Client``
            The client.
        access : ``StoreAccess``
            The store.
        interval : `None | float`
            Seconds between two checkpoints of a shard. `None`: only when the gateway is suspended.
        """
        self = object.__new__(cls)
        self._checkpointers = {}
        self._failures = 0
        self._task = None
        self._times = {}
        self.access = access
        self.client = client
        self.interval = interval
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} interval = {self.interval!r}, taking = {self._task is not None!r}>'
    
    
    def start(self, gateways):
        """
        The gateway starts.
        
        Parameters
        ----------
        gateways : `tuple<DurableGatewayClientShard>`
            The shards.
        """
        self._times.clear()
        self._checkpointers.clear()
        for gateway in gateways:
            checkpointer = ShardCheckpointer(gateway.shard_id, self.client.intents)
            self._checkpointers[gateway.shard_id] = checkpointer
            gateway.driver.observer = checkpointer.touch
    
    
    def stop(self):
        """
        No checkpoint is taken from here on but a last one.
        """
        task = self._task
        if (task is not None):
            self._task = None
            task.cancel()
    
    
    def begin_due(self, gateways):
        """
        Begins to take the checkpoints that are due, if none are being taken.
        
        Parameters
        ----------
        gateways : `tuple<DurableGatewayClientShard>`
            The shards.
        """
        interval = self.interval
        if (interval is None) or (self._task is not None):
            return
        
        now = LOOP_TIME()
        due = []
        for gateway in gateways:
            if self._is_complete(gateway):
                # The first one of a session is due at once: until then the session is of no use to another process.
                session = gateway.driver.machine.session
                last_session, due_at = self._times.get(gateway.shard_id, (None, 0.0))
                if (session is not last_session) or (now >= due_at):
                    self._times[gateway.shard_id] = (session, now + interval)
                    due.append(gateway)
        
        if due:
            self._task = Task(KOKORO, self._save_due(due))
    
    
    async def _save_due(self, gateways):
        """
        Takes and saves the checkpoints that are due.
        
        This method is a coroutine.
        
        Parameters
        ----------
        gateways : `list<DurableGatewayClientShard>`
            The shards.
        """
        try:
            for gateway, guilds in self._group_guilds(gateways):
                await self._save(gateway, guilds, {})
        finally:
            self._task = None
    
    
    async def save_last(self, gateways):
        """
        Takes and saves the last checkpoints: nothing arrives anymore, so as a whole and without pauses.
        
        This method is a coroutine.
        
        Parameters
        ----------
        gateways : `tuple<DurableGatewayClientShard>`
            The shards.
        """
        for gateway, guilds in self._group_guilds(gateways):
            await self._save(gateway, guilds, {'whole': True, 'pause': 0.0})
    
    
    def _is_complete(self, gateway):
        """
        Returns whether a checkpoint of a shard can be taken now: it has a session, its replay is over, and the client has
        all that Discord sends after an identify.
        
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
            driver.machine.session.is_resumable() and
            (driver.restored is None) and
            (self.client.ready_state is None)
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
    
    
    async def _save(self, gateway, guilds, options):
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
        
        access = self.access
        if access.failures != self._failures:
            self._failures = access.failures
            for checkpointer in self._checkpointers.values():
                checkpointer.forget()
        
        checkpointer = self._checkpointers[gateway.shard_id]
        saved = False
        try:
            checkpoint = await checkpointer.take(
                self.client, gateway.driver.machine.session, guilds, access.thread, time, **options
            )
            if (checkpoint is not None):
                await sleep(HANDLER_START_DELAY, KOKORO)
                saved = await access.save(TROUBLE_CHECKPOINTS, self._write, checkpoint)
                if saved:
                    checkpointer.saved(checkpoint)
        
        except StoreError as exception:
            # The thread is busy with a store that does not answer.
            access.fail(TROUBLE_CHECKPOINTS, exception)
        
        finally:
            if not saved:
                checkpointer.forget()
    
    
    def _write(self, checkpoint):
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
        self.access.store.save_checkpoint(
            head.application_id, head.shard_id, head.to_bytes(), checkpoint.blobs, checkpoint.kept
        )
