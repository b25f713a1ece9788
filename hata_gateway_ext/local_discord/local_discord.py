"""
The public face of a local Discord: how it is run, and how it is called from any thread.

What it can do is in the modules of its bases; here is how it lives.
"""
__all__ = ('LocalDiscord',)

from asyncio import run_coroutine_threadsafe
from concurrent.futures import Future
from threading import get_ident

from .core import Core
from .emission import Emission
from .fault_control import FaultControl
from .inspection import Inspection
from .options import LocalDiscordOptions
from .outages import Outages
from .thread import LoopThread


class LocalDiscord(Inspection, Emission, FaultControl, Outages):
    """
    A local Discord. See the package's docstring for all of it.

    Attributes
    ----------
    core : ``Core``
        Everything that exists once in it. Not thread-safe.

    _thread : `None | LoopThread`
        Its thread, if it runs in one of its own.

    _thread_id : `int`
        Identifier of the thread that it runs on. `0` while it does not run.
    """
    __slots__ = ('_thread', '_thread_id', 'core')

    def __new__(
        cls, token = None, *, host = '127.0.0.1', port = 0, gateway_port = 0, resume_port = 0, ssl_context = None,
        **options,
    ):
        """
        Creates a local Discord. It is started by `with`, `async with`, ``.start`` or ``.open``.

        Parameters
        ----------
        token : `None | str` = `None`, Optional
            The bot's token. Generated if not given.

        host : `str` = `'127.0.0.1'`, Optional (Keyword only)
            Address to listen on.

        port : `int` = `0`, Optional (Keyword only)
            Port of REST. `0` for any.

        gateway_port : `int` = `0`, Optional (Keyword only)
            Port of the gateway. `0` for any.

        resume_port : `int` = `0`, Optional (Keyword only)
            Port of `resume_gateway_url`. `0` for any.

        ssl_context : `None | ssl.SSLContext` = `None`, Optional (Keyword only)
            Server side context, for TLS on all of them.

        **options : Keyword parameters
            See the package's docstring.

        Raises
        ------
        TypeError
            - If an option does not exist, or its type is wrong.
        ValueError
            - If an option is out of its bounds.
        """
        if (token is not None) and not isinstance(token, str):
            raise TypeError(f'`token` can be `None`, `str`, got {type(token).__name__}.')

        self = object.__new__(cls)
        self._thread = None
        self._thread_id = 0
        self.core = Core(LocalDiscordOptions(options), token, host, (port, gateway_port, resume_port), ssl_context)
        return self


    def __repr__(self):
        """Returns the representation of the local Discord. Without its token."""
        core = self.core
        return (
            f'<{type(self).__name__} {self.api_endpoint}, is_running = {self.is_running!r}, connections = '
            f'{len(core.connections)}>'
        )


    # running


    @property
    def is_running(self):
        """
        Returns whether it runs.

        Returns
        -------
        is_running : `bool`
        """
        return (self._thread_id != 0)


    async def open(self):
        """
        Starts it on the running asyncio loop.

        This method is a coroutine.

        Raises
        ------
        RuntimeError
            - If it runs already, or ran: sessions and tokens of an earlier life would be mixed up.
        OSError
            - If a port is taken.
        """
        if (self.core.loop is not None):
            raise RuntimeError('A local Discord can be started once.')

        self._thread_id = get_ident()
        try:
            await self.core.open()
        except BaseException:
            await self.aclose()
            raise


    async def aclose(self):
        """
        Stops it, if it was started on the running asyncio loop.

        This method is a coroutine.
        """
        if self._thread_id:
            try:
                await self.core.close()
            finally:
                self._thread_id = 0


    async def __aenter__(self):
        """Starts it on the running asyncio loop."""
        await self.open()
        return self


    async def __aexit__(self, exception_type, exception_value, exception_traceback):
        """Stops it."""
        await self.aclose()
        return False


    def start(self):
        """
        Starts it in a thread of its own.

        Returns
        -------
        self : ``LocalDiscord``
        """
        if (self._thread is not None):
            raise RuntimeError('A local Discord can be started once.')

        thread = LoopThread()
        self._thread = thread
        try:
            thread.run(self.open())
        except BaseException:
            thread.stop()
            raise

        return self


    def stop(self):
        """
        Stops it and its thread. What clients did can still be asked.
        """
        thread = self._thread
        if (thread is not None) and thread.thread.is_alive():
            thread.run(self.aclose())
            thread.stop()


    def __enter__(self):
        """Starts it in a thread of its own."""
        return self.start()


    def __exit__(self, exception_type, exception_value, exception_traceback):
        """Stops it."""
        self.stop()
        return False


    def call(self, function, *parameters):
        """
        Calls a function on the loop of the local Discord and returns its result. Every public method goes this way.

        Parameters
        ----------
        function : `callable`
            The function. Must not block.

        *parameters : Positional parameters
            Its parameters.

        Returns
        -------
        result : `object`
        """
        thread_id = self._thread_id
        if (thread_id == 0) or (thread_id == get_ident()):
            return function(*parameters)

        future = Future()

        def carry():
            try:
                result = function(*parameters)
            except BaseException as exception:
                future.set_exception(exception)
            else:
                future.set_result(result)

        self.core.loop.call_soon_threadsafe(carry)
        return future.result()


    # waiting


    async def wait_for(self, condition, timeout = 10.0):
        """
        Waits until a condition holds. To be awaited on the loop that the local Discord runs on.

        This method is a coroutine.

        Parameters
        ----------
        condition : `callable`
            Gets the ``Recording``. Asked whenever anything happened.

        timeout : `None | float` = `10.0`, Optional
            Seconds to wait at most.

        Returns
        -------
        value : `object`
            The first true value that the condition returned.

        Raises
        ------
        TimeoutError
            - If it did not hold in time.
        """
        if self._thread_id != get_ident():
            raise RuntimeError('This is not the loop of the local Discord, use `.wait`.')

        return await self.core.conditions.wait_for(condition, timeout)


    def wait(self, condition, timeout = 10.0):
        """
        Waits until a condition holds. Blocks, so it is not for the loop that the local Discord runs on.

        Parameters
        ----------
        condition : `callable`
            Gets the ``Recording``. Asked on the loop of the local Discord, whenever anything happened.

        timeout : `None | float` = `10.0`, Optional
            Seconds to wait at most.

        Returns
        -------
        value : `object`
            The first true value that the condition returned.

        Raises
        ------
        TimeoutError
            - If it did not hold in time.
        """
        if (self._thread_id == 0) or (self._thread_id == get_ident()):
            raise RuntimeError('The local Discord does not run in another thread, use `await .wait_for`.')

        return run_coroutine_threadsafe(self.core.conditions.wait_for(condition, timeout), self.core.loop).result()
