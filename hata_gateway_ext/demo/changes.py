"""
Waiting until something holds, without polling: conditions are asked again whenever anything changed.
"""
__all__ = ('Changes',)

import asyncio


class Changes:
    """
    Lets coroutines wait for what others change.
    
    Attributes
    ----------
    _waiters : `set<asyncio.Future>`
        Set when anything changes.
    """
    __slots__ = ('_waiters',)
    
    def __new__(cls):
        """
        Creates it.
        """
        self = object.__new__(cls)
        self._waiters = set()
        return self
    
    
    def __repr__(self):
        """Returns the representation of the changes."""
        return f'<{type(self).__name__} waiters = {len(self._waiters)!r}>'
    
    
    def notify(self):
        """
        Something changed.
        """
        waiters = self._waiters
        while waiters:
            waiter = waiters.pop()
            if not waiter.done():
                waiter.set_result(None)
    
    
    async def wait_for(self, condition, timeout):
        """
        Waits until a condition holds.
        
        This method is a coroutine.
        
        Parameters
        ----------
        condition : `callable`
            Asked now and after each change, without parameters.
        timeout : `float`
            Seconds to wait at most.
        
        Returns
        -------
        holds : `bool`
            Whether it held in time.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        
        while not condition():
            remaining = deadline - loop.time()
            if remaining <= 0.0:
                return False
            
            waiter = loop.create_future()
            self._waiters.add(waiter)
            try:
                await asyncio.wait((waiter,), timeout = remaining)
            finally:
                self._waiters.discard(waiter)
        
        return True
