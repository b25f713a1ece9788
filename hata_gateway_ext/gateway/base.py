"""
What our gateways share: attribute errors that tell the truth, and how a gateway begins and ends where there is a session
store.
"""
__all__ = ('DurableGatewayClientBase',)

from hata import KOKORO
from hata.discord.gateway.client_base import DiscordGatewayClientBase
from scarletio import Future, shield

from ..configuration import SHUTDOWN_SUSPEND


class DurableGatewayClientBase(DiscordGatewayClientBase):
    """
    Base of our gateways.
    
    Attributes
    ----------
    _run_end : ``None | Future<None>``
        Done when the current run ends. `None` while it does not run.
    _stopped : `bool`
        Whether it was closed, suspended or aborted since it runs.
    """
    __slots__ = ('_run_end', '_stopped')
    
    def __new__(cls):
        """
        Creates a gateway that does not run. The rest is left to the subclass.
        """
        self = object.__new__(cls)
        self._run_end = None
        self._stopped = False
        return self
    
    
    def __getattr__(self, attribute_name):
        """
        Called when an attribute is missing, and also when a property raised an `AttributeError` itself.
        
        Python drops the error of the property before it comes here, and hata's answer would then be that there is no such
        attribute. So the property is asked once more, and what it raises is let through.
        
        Raises
        ------
        AttributeError
            - hata's rich one if there is no such attribute; otherwise the one of the property.
        """
        attribute = getattr(type(self), attribute_name, None)
        if isinstance(attribute, property) and (attribute.fget is not None):
            return attribute.fget(self)
        
        return DiscordGatewayClientBase.__getattr__(self, attribute_name)
    
    
    async def _run_kept(self, run):
        """
        Runs the gateway; with its sessions kept in the store, if there is one.
        
        This method is a coroutine.
        
        Parameters
        ----------
        run : `CoroutineFunction`
            Runs it.
        
        Returns
        -------
        outcome : `bool`
            The outcome of the run.
        
        Raises
        ------
        RuntimeError
            - If the gateway runs already.
        """
        if (self._run_end is not None):
            raise RuntimeError(f'The gateway runs already: {self!r}.')
        
        run_end = Future(KOKORO)
        self._run_end = run_end
        self._stopped = False
        self.context.let_up()
        
        try:
            persistence = self.context.persistence
            if (persistence is None) or (not self.client.running):
                return await run()
            
            try:
                await persistence.start(tuple(self.gateways))
                if not self._stopped:
                    return await run()
                
                # It was stopped while the store was asked. A session that was restored stays in the store, if anywhere.
                for gateway in self.gateways:
                    gateway.driver.forget()
                
                return False
            
            finally:
                await persistence.stop()
        
        finally:
            self._run_end = None
            run_end.set_result(None)
    
    
    async def wait_until_ended(self):
        """
        Waits as long as the gateway runs.
        
        This method is a coroutine.
        """
        run_end = self._run_end
        if (run_end is not None):
            await shield(run_end, KOKORO)
    
    
    def _stop_for_good(self):
        """
        The gateway is to stay down. hata launches the gateway of a running client again, 5 seconds after it ended; then it is
        held down, until the client is stopped.
        """
        self._stopped = True
        
        client = self.client
        if client.gateway is self:
            if client.running:
                self.context.hold_down()
            else:
                self.context.let_up()
    
    
    def _get_persistence(self):
        """
        Returns what keeps the sessions of the gateway in a store.
        
        Returns
        -------
        persistence : ``None | GatewayPersistence``
            `None` for one shard of many as well: what is kept is kept for all of them.
        """
        return self.context.persistence if self.client.gateway is self else None
    
    
    async def suspend(self):
        """
        Writes the sessions and a checkpoint of the cache to the session store, and closes the web sockets with close code
        `4000`, so that the next process resumes. Without a store the sessions are lost to this process as well: hata takes the
        cache apart that belongs to them.
        
        The gateway stays down until the client is stopped and started again.
        
        This method is a coroutine. It returns when everything is written and the connections are closed.
        """
        self._stop_for_good()
        drivers = [gateway.driver for gateway in self.gateways]
        closing_tasks = [driver.suspend() for driver in drivers]
        
        persistence = self._get_persistence()
        if (persistence is not None):
            await persistence.suspend()
        
        for driver in drivers:
            driver.forget()
        
        await self._wait_closing(closing_tasks)
    
    
    async def close(self):
        """
        Stops the heartbeat, and closes the web socket of each shard with close code `1000`, which ends the session. The
        gateway stays down until the client is stopped and started again, also if it was in the middle of connecting. With
        `gateway_shutdown = 'suspend'` the gateway is suspended instead, see ``.suspend``.
        
        This method is a coroutine. It returns when the connections are closed, after two seconds at most, and with a session
        store, when that is up to date.
        """
        if self.context.configuration.shutdown == SHUTDOWN_SUSPEND:
            await self.suspend()
        else:
            self._stop_for_good()
            await self._end_sessions()
    
    
    async def _end_sessions(self):
        """
        Closes each shard with close code `1000`.
        
        This method is a coroutine.
        """
        # Those that were suspended before are another process' now.
        ended = [gateway.shard_id for gateway in self.gateways if gateway.driver.machine.session.is_resumable()]
        closing_tasks = [gateway.driver.close() for gateway in self.gateways]
        
        persistence = self._get_persistence()
        if (persistence is not None):
            await persistence.forget(ended)
        
        await self._wait_closing(closing_tasks)
    
    
    @staticmethod
    async def _wait_closing(closing_tasks):
        """
        Waits until connections are closed.
        
        This method is a coroutine.
        
        Parameters
        ----------
        closing_tasks : `iterable<None | Task>`
            What closes them. All is started before anything is waited for.
        """
        for closing_task in [closing_task for closing_task in closing_tasks if (closing_task is not None)]:
            await closing_task
