"""
A thread for a session store: stores block, and the event loop must not.

It is a thread of its own, not one of the loop's executors: calls of a store come one after the other by that, and a store
that hangs for ever keeps neither the others waiting nor the process from ending.
"""
__all__ = ('StoreThread',)

from queue import SimpleQueue
from threading import Thread

from hata import KOKORO
from scarletio import Future, RichAttributeErrorBaseType

from ..stores.errors import StoreError, StoreUnavailableError


# Seconds that a call may take before it is given up. Over it lie only stores that hang: ours give up after 5 s of silence
# by themselves, and saving the checkpoint of a shard with 2500 guilds of 100 members (15 MB) takes a fraction of a second.
CALL_TIMEOUT = 30.0


def _run(queue):
    """
    What the thread does.
    
    Parameters
    ----------
    queue : `SimpleQueue<None | (callable, tuple, Future)>`
        What to call. `None` ends the thread.
    """
    while True:
        item = queue.get()
        if item is None:
            return
        
        function, positional_parameters, future = item
        try:
            try:
                result = function(*positional_parameters)
            except StoreError:
                raise
            except Exception as exception:
                # A store of the user's that does not keep to the interface. The message may hold anything.
                raise StoreError(f'The session store raised {type(exception).__name__}.') from exception
        
        except BaseException as exception:
            # Whatever it is, it belongs to who waits for the result.
            KOKORO.call_soon_thread_safe(future.set_exception_if_pending, exception)
        else:
            KOKORO.call_soon_thread_safe(future.set_result_if_pending, result)
        
        # What was called may be large; the next call may be long in coming.
        item = function = positional_parameters = future = result = None


class StoreThread(RichAttributeErrorBaseType):
    """
    Calls blocking functions one after the other, off the event loop.
    
    Attributes
    ----------
    _late : `None | Future`
        The call that was given up last, until it ends.
    _queue : `None | SimpleQueue`
        What the thread is to call. `None` while there is no thread.
    """
    __slots__ = ('_late', '_queue')
    
    def __new__(cls):
        """
        Creates a store thread. The thread is started when it is needed.
        """
        self = object.__new__(cls)
        self._late = None
        self._queue = None
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} running = {self._queue is not None!r}>'
    
    
    async def call(self, function, *positional_parameters, timeout = CALL_TIMEOUT):
        """
        Calls a function in the thread, after those that were asked for before.
        
        This method is a coroutine.
        
        Parameters
        ----------
        function : `callable`
            What to call.
        *positional_parameters : Positional parameters
            What to call it with.
        timeout : `float` = `CALL_TIMEOUT`, Optional (Keyword only)
            Seconds to wait for the result at most. The call itself goes on.
        
        Returns
        -------
        result : `object`
            What the function returned.
        
        Raises
        ------
        StoreUnavailableError
            - There was no result in time.
            - A call before was given up and goes on still.
        StoreError
            - The function raised.
        """
        late = self._late
        if (late is not None):
            if not late.is_done():
                raise StoreUnavailableError('The session store still does not answer.')
            
            self._late = None
        
        queue = self._queue
        if queue is None:
            queue = SimpleQueue()
            Thread(target = _run, args = (queue,), daemon = True, name = 'hata_gateway_ext store').start()
            self._queue = queue
        
        called = Future(KOKORO)
        queue.put((function, positional_parameters, called))
        
        waiter = Future(KOKORO)
        called.add_done_callback(lambda _: waiter.set_result_if_pending(None))
        waiter.apply_timeout(timeout)
        try:
            await waiter
        except TimeoutError:
            self._late = called
            called.silence()
            raise StoreUnavailableError(f'The session store did not answer in {timeout:.0f} seconds.') from None
        
        return called.get_result()
    
    
    def stop(self):
        """
        Ends the thread after what it was asked for. The next call starts a new one.
        """
        queue = self._queue
        if (queue is not None):
            self._queue = None
            queue.put(None)
