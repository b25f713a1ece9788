"""
Goes through a schedule, and breaks what it says.
"""
__all__ = ('Breaker', 'StrikeSkipped')

import asyncio

from scarletio import RichAttributeErrorBaseType

from .breakages import BREAKAGES


class StrikeSkipped(Exception):
    """
    A strike could not be made; the message says why.
    """


class Breaker(RichAttributeErrorBaseType):
    """
    Goes through a schedule.
    
    Attributes
    ----------
    _tasks : `set<asyncio.Task>`
        Strikes that are not over.
    log : `callable`
        Takes a line about what happens.
    schedule : `list<Strike>`
        The schedule.
    struck : `int`
        How many strikes were made.
    trial : ``Trial``
        Whose connections are broken.
    troubles : `list<str>`
        How the connection of each shard was last broken.
    """
    __slots__ = ('_tasks', 'log', 'schedule', 'struck', 'trial', 'troubles')
    
    def __new__(cls, trial, schedule, log):
        """
        Creates a breaker.
        
        Parameters
        ----------
        trial : ``Trial``
            Whose connections are broken.
        schedule : `list<Strike>`
            The schedule.
        log : `callable`
            Takes a line about what happens.
        """
        self = object.__new__(cls)
        self._tasks = set()
        self.log = log
        self.schedule = schedule
        self.struck = 0
        self.trial = trial
        self.troubles = [''] * trial.shape.shard_count
        return self
    
    
    def __repr__(self):
        """Returns the representation of the breaker."""
        return f'<{type(self).__name__} struck = {self.struck!r} of {len(self.schedule)!r}>'
    
    
    async def run(self, seconds):
        """
        Goes through the schedule, then stops the traffic, and ends what is not over.
        
        This method is a coroutine.
        
        Parameters
        ----------
        seconds : `float`
            For how long.
        """
        loop = asyncio.get_running_loop()
        started_at = loop.time()
        try:
            for strike in self.schedule:
                await self.trial.sleep(started_at + strike.at - loop.time())
                if not self.trial.is_alive:
                    return
                
                self.log(strike.describe())
                self.troubles[strike.shard_id] = strike.name
                self.struck += 1
                task = asyncio.ensure_future(self._strike(strike))
                self._tasks.add(task)
                task.add_done_callback(self._struck)
            
            await self.trial.sleep(started_at + seconds - loop.time())
        
        finally:
            # First, since strikes that are ended let the traffic of their shard go on.
            self.trial.traffic.stop()
            await self._end()
    
    
    def _struck(self, task):
        """
        Called when a strike is over.
        
        Parameters
        ----------
        task : `asyncio.Task`
            The strike.
        """
        # One that failed is kept, to fail the trial.
        if task.cancelled() or (task.exception() is None):
            self._tasks.discard(task)
    
    
    async def _strike(self, strike):
        """
        Strikes.
        
        This method is a coroutine.
        
        Parameters
        ----------
        strike : ``Strike``
            How.
        """
        breakage = BREAKAGES[strike.name]
        try:
            if breakage.needs_shard and not await self.trial.wait_up(strike.shard_id):
                raise StrikeSkipped('the shard was away')
            
            await breakage.strike(self.trial, strike.shard_id, **strike.parameters)
        except StrikeSkipped as exception:
            self.log(f'{strike.at:7.2f} s  shard {strike.shard_id}: {strike.name} skipped: {exception}')
    
    
    async def _end(self):
        """
        Ends strikes that are not over.
        
        This method is a coroutine.
        """
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        
        for result in await asyncio.gather(*tasks, return_exceptions = True):
            if isinstance(result, Exception):
                raise result
