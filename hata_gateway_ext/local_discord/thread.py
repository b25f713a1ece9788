"""
A thread with an asyncio loop of its own, for a local Discord that runs beside a program without one.
"""
__all__ = ('LoopThread',)

from asyncio import new_event_loop, run_coroutine_threadsafe, set_event_loop
from threading import Thread

NAME = 'local-discord'


class LoopThread:
    """
    A thread that runs an asyncio loop.
    
    Attributes
    ----------
    loop : `asyncio.AbstractEventLoop`
        The loop.
    thread : `threading.Thread`
        The thread. A daemon, so that a forgotten one does not keep the interpreter alive.
    """
    __slots__ = ('loop', 'thread')
    
    def __new__(cls):
        """
        Starts the thread.
        """
        self = object.__new__(cls)
        self.loop = new_event_loop()
        self.thread = Thread(target = self._run, name = NAME, daemon = True)
        self.thread.start()
        return self
    
    
    def __repr__(self):
        """Returns the representation of the thread."""
        return f'<{type(self).__name__} is_alive = {self.thread.is_alive()!r}>'
    
    
    def _run(self):
        """
        Runs the loop. The thread's target.
        """
        set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.close()
    
    
    def run(self, coroutine):
        """
        Runs a coroutine on the loop and waits for its result.
        
        Parameters
        ----------
        coroutine : `coroutine`
            The coroutine.
        
        Returns
        -------
        result : `object`
        """
        return run_coroutine_threadsafe(coroutine, self.loop).result()
    
    
    def stop(self):
        """
        Stops the loop and waits for the thread's end.
        """
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
