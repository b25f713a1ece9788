"""
Waiting for something to happen, without polling.

A condition is asked again whenever anything changed, at most once in a cycle of the loop.
"""
__all__ = ('Conditions',)

from asyncio import TimeoutError as AsyncTimeoutError, wait_for


class Conditions:
    """
    The conditions that are waited for.

    Attributes
    ----------
    core : ``Core``
        The local Discord.

    _handle : `None | asyncio.Handle`
        Asks the conditions.

    _waiters : ``list<(callable, asyncio.Future)>``
        The conditions with what they release.
    """
    __slots__ = ('_handle', '_waiters', 'core')

    def __new__(cls, core):
        """
        Creates it.

        Parameters
        ----------
        core : ``Core``
            The local Discord.
        """
        self = object.__new__(cls)
        self._handle = None
        self._waiters = []
        self.core = core
        return self


    def changed(self):
        """
        Notes that something changed.
        """
        if self._waiters and (self._handle is None):
            self._handle = self.core.loop.call_soon(self._check)


    def _check(self):
        """
        Asks all conditions.
        """
        self._handle = None
        for waiter in self._waiters.copy():
            self._ask(waiter)


    def _ask(self, waiter):
        """
        Asks a condition.

        Parameters
        ----------
        waiter : ``(callable, asyncio.Future)``
            The condition with what it releases.
        """
        condition, future = waiter
        if future.done():
            return

        try:
            value = condition(self.core.recording)
        except BaseException as exception:
            future.set_exception(exception)
            return

        if value:
            future.set_result(value)


    async def wait_for(self, condition, timeout):
        """
        Waits until a condition holds.

        This method is a coroutine.

        Parameters
        ----------
        condition : `callable`
            Gets the recording.

        timeout : `None | float`
            Seconds to wait at most.

        Returns
        -------
        value : `object`
            The first true value that the condition returned.

        Raises
        ------
        TimeoutError
            - If it did not hold in time. Tells what was recorded last.
        """
        waiter = (condition, self.core.loop.create_future())
        self._waiters.append(waiter)
        try:
            self._ask(waiter)
            return await wait_for(waiter[1], timeout)
        except AsyncTimeoutError:
            raise TimeoutError(
                f'The condition did not hold within {timeout!r} seconds. Recorded:\n{self.core.recording.describe()}'
            ) from None
        finally:
            self._waiters.remove(waiter)
