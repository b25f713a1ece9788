"""
What our gateways share: attribute errors that tell the truth, and how a gateway begins and ends where there is a session
store.
"""
__all__ = ('DurableGatewayClientBase',)

from hata.discord.gateway.client_base import DiscordGatewayClientBase

from ..configuration import SHUTDOWN_SUSPEND


class DurableGatewayClientBase(DiscordGatewayClientBase):
    """
    Base of our gateways.
    """
    __slots__ = ()
    
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
        """
        persistence = self.context.persistence
        if (persistence is None) or (not self.client.running):
            return await run()
        
        await persistence.start(tuple(self.gateways))
        try:
            return await run()
        finally:
            await persistence.stop()
    
    
    async def suspend(self):
        """
        Writes the sessions and a checkpoint of the cache to the session store, and closes the web sockets with close code
        `4000`, so that the next process resumes. Without a store the sessions are lost to this process as well: hata takes the
        cache apart that belongs to them.
        
        Stop the client afterwards: hata launches the gateway of a client that runs again after 5 seconds.
        
        This method is a coroutine. It returns when everything is written and the connections are closed.
        """
        drivers = [gateway.driver for gateway in self.gateways]
        closing_tasks = [driver.suspend() for driver in drivers]
        
        persistence = self.context.persistence
        if (persistence is not None):
            await persistence.suspend()
        
        for driver in drivers:
            driver.forget()
        
        await self._wait_closing(closing_tasks)
    
    
    async def close(self):
        """
        Stops the heartbeat, and closes the web socket of each shard with close code `1000`, which ends the session. The
        gateway stays down, also if it was in the middle of connecting. With `gateway_shutdown = 'suspend'` the gateway is
        suspended instead, see ``.suspend``.
        
        This method is a coroutine. It returns when the connections are closed, after two seconds at most, and with a session
        store, when that is up to date.
        """
        context = self.context
        if context.configuration.shutdown == SHUTDOWN_SUSPEND:
            await self.suspend()
        else:
            await self._end_sessions()
    
    
    async def _end_sessions(self):
        """
        Closes each shard with close code `1000`.
        
        This method is a coroutine.
        """
        # Those that were suspended before are another process' now.
        ended = [gateway.shard_id for gateway in self.gateways if gateway.driver.machine.session.is_resumable()]
        closing_tasks = [gateway.driver.close() for gateway in self.gateways]
        
        persistence = self.context.persistence
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
