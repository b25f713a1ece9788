"""
The face of a local Discord: how it is run, asked, and told what to do, from any thread.
"""
__all__ = ('LocalDiscord',)

from asyncio import run_coroutine_threadsafe
from concurrent.futures import Future
from threading import get_ident

from .actions import STAGES, STAGE_NOW, Close, Cut, Invalidate, Reconnect, SendPayload, Silence, StageOutcome
from .application import parse_token
from .codes import HEARTBEAT
from .core import Core
from .faults import Fault, RestFault
from .ledger import format_number
from .listener import LISTENER_API, LISTENER_NAMES
from .options import LocalDiscordOptions
from .payloads import encode_envelope, encode_json
from .session import END_INVALIDATED
from .stream import Stream
from .thread import LoopThread
from .traffic import Traffic

API_PATH = '/api/v10'


class LocalDiscord:
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
        """Returns whether it runs."""
        return (self._thread_id != 0)
    
    
    async def open(self):
        """
        Starts it on the running asyncio loop.
        
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
        """Starts it in a thread of its own."""
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
        """Stops it and its thread. What clients did can still be asked."""
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
        
        return await self.core.recording.wait_for(condition, timeout)
    
    
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
        
        return run_coroutine_threadsafe(self.core.recording.wait_for(condition, timeout), self.core.loop).result()
    
    
    # where it is
    
    
    @property
    def token(self):
        """Returns the bot's token."""
        return self.core.token
    
    
    @property
    def api_endpoint(self):
        """Returns what `HATA_API_ENDPOINT` has to be."""
        return self.discord_endpoint + API_PATH
    
    
    @property
    def discord_endpoint(self):
        """Returns what `HATA_DISCORD_ENDPOINT` has to be."""
        return self.core.listeners[LISTENER_API].get_url('http')
    
    
    @property
    def gateway_url(self):
        """Returns the url that `/gateway/bot` tells."""
        return self.core.get_gateway_url()
    
    
    def resume_gateway_url(self, shard_id):
        """
        Returns the url that READY tells to resume on.
        
        Parameters
        ----------
        shard_id : `int`
            The shard.
        """
        return self.core.get_resume_gateway_url(shard_id)
    
    
    @property
    def environment(self):
        """Returns the environment variables with which an unchanged hata bot runs on it."""
        return {
            'HATA_API_ENDPOINT': self.api_endpoint,
            'HATA_DISCORD_ENDPOINT': self.discord_endpoint,
        }
    
    
    # what is in it
    
    
    @property
    def options(self):
        """Returns the options. They may be changed while it runs."""
        return self.core.options
    
    
    @property
    def recording(self):
        """Returns what clients did. From other threads iterate over it by ``.ask``."""
        return self.core.recording
    
    
    @property
    def ledger(self):
        """Returns the numbered messages."""
        return self.core.ledger
    
    
    @property
    def world(self):
        """Returns the generated world."""
        return self.core.world
    
    
    @property
    def application_id(self):
        """Returns the bot's id."""
        return parse_token(self.core.token) or self.core.world.default_bot_id
    
    
    @property
    def applications(self):
        """Returns the applications that logged in, or could."""
        return self.call(lambda: tuple(self.core.applications))
    
    
    @property
    def sessions(self):
        """Returns the sessions that can be used."""
        return self.call(lambda: tuple(self.core.sessions))
    
    
    @property
    def connections(self):
        """Returns the open connections."""
        return self.call(lambda: tuple(self.core.select_connections()))
    
    
    def session(self, shard_id = 0):
        """
        Returns the newest session of a shard that can be used.
        
        Parameters
        ----------
        shard_id : `int` = `0`, Optional
            The shard.
        """
        sessions = self.call(lambda: self.core.sessions.select(shard_id = shard_id))
        return sessions[-1] if sessions else None
    
    
    def connection(self, shard_id = 0):
        """
        Returns the newest open connection of a shard.
        
        Parameters
        ----------
        shard_id : `int` = `0`, Optional
            The shard.
        """
        connections = self.call(self.core.select_connections, shard_id)
        return connections[-1] if connections else None
    
    
    def ask(self, function):
        """
        Asks the recording on the loop of the local Discord, so that it does not change meanwhile.
        
        Parameters
        ----------
        function : `callable`
            Gets the ``Recording``.
        
        Returns
        -------
        result : `object`
            What the function returned.
        """
        return self.call(function, self.core.recording)
    
    
    # events
    
    
    def emit(self, name, data, *, shard_id = None, guild_id = None, application_id = None):
        """
        Dispatches an event into every session, connected or not, that the parameters select.
        
        Parameters
        ----------
        name : `str`
            The event's name.
        data : `object`
            The event's data.
        shard_id : `None | int` = `None`, Optional (Keyword only)
            Only into sessions of that shard.
        guild_id : `None | int` = `None`, Optional (Keyword only)
            Only into sessions of the guild's shard.
        application_id : `None | int` = `None`, Optional (Keyword only)
            Only into sessions of that application.
        
        Returns
        -------
        count : `int`
            Count of sessions.
        """
        return self.emit_many(name, (data,), shard_id = shard_id, guild_id = guild_id, application_id = application_id)
    
    
    def emit_many(self, name, datas, *, shard_id = None, guild_id = None, application_id = None):
        """
        Dispatches many events at once. See ``.emit``.
        
        Parameters
        ----------
        name : `str`
            The events' name.
        datas : `iterable<object>`
            The events' data.
        shard_id : `None | int` = `None`, Optional (Keyword only)
            Only into sessions of that shard.
        guild_id : `None | int` = `None`, Optional (Keyword only)
            Only into sessions of the guild's shard.
        application_id : `None | int` = `None`, Optional (Keyword only)
            Only into sessions of that application.
        
        Returns
        -------
        count : `int`
            Count of sessions.
        """
        encoded = [encode_json(data) for data in datas]
        
        def dispatch():
            core = self.core
            count = 0
            for data in encoded:
                # A fault may end sessions at any of them.
                sessions = core.sessions.select(
                    shard_id = shard_id, guild_id = guild_id, application_id = application_id
                )
                count = core.dispatch(name, data, sessions)
            
            return count
        
        
        return self.call(dispatch)
    
    
    def send_message(self, channel_id = None, content = None, *, guild_id = None, shard_id = None):
        """
        Sends a message of a guild's member, by default a numbered one.
        
        Parameters
        ----------
        channel_id : `None | int` = `None`, Optional
            The channel. The first text channel of the guild by default.
        content : `None | str` = `None`, Optional
            The content. `#` and the message's number by default; only then it counts in the ledger.
        guild_id : `None | int` = `None`, Optional (Keyword only)
            The guild. By default the channel's, or the shard's first one.
        shard_id : `None | int` = `None`, Optional (Keyword only)
            A shard whose guild is taken if none is given, shard 0 by default.
        
        Returns
        -------
        data : `dict<str, object>`
            The message's data, with its number as `number`. `None` there if it has none.
        
        Raises
        ------
        ValueError
            - If there is no such guild, or the shard has none.
        """
        return self.call(self._send_message, channel_id, content, guild_id, shard_id)
    
    
    def _send_message(self, channel_id, content, guild_id, shard_id):
        """Sends a message, on the loop of the local Discord. See ``.send_message``."""
        core = self.core
        world = core.world
        
        if guild_id is None:
            if channel_id is None:
                guild_id = self._get_guild_id_of_shard(0 if shard_id is None else shard_id)
            else:
                guild_id = world.get_guild_id_of_channel(channel_id)
        
        if not world.has_guild(guild_id):
            raise ValueError(
                f'There is no such guild or channel, got guild_id = {guild_id!r}, channel_id = {channel_id!r}.'
            )
        
        if channel_id is None:
            channel_id = world.get_text_channel_id(guild_id)
        
        number = None
        sessions = core.sessions.select(guild_id = guild_id)
        if content is None:
            number = core.ledger.next_number
            core.ledger.add(tuple(sessions))
            content = format_number(number)
        
        data = world.build_message(channel_id, guild_id, content)
        core.dispatch('MESSAGE_CREATE', encode_json(data), sessions)
        data['number'] = number
        return data
    
    
    def _get_guild_id_of_shard(self, shard_id):
        """Returns the first guild of a shard."""
        core = self.core
        sessions = core.sessions.select(shard_id = shard_id)
        shard_count = sessions[-1].shard_count if sessions else core.options.shards
        guild_id = core.world.find_guild_id_of(shard_id, shard_count)
        if not guild_id:
            raise ValueError(
                f'Shard {shard_id!r} of {shard_count!r} has no guild: there are {core.options.guilds!r} guilds, see '
                f'`guilds`.'
            )
        
        return guild_id
    
    
    def send_messages(self, count, *, guild_id = None, shard_id = None):
        """
        Sends numbered messages.
        
        Parameters
        ----------
        count : `int`
            How many.
        guild_id : `None | int` = `None`, Optional (Keyword only)
            The guild.
        shard_id : `None | int` = `None`, Optional (Keyword only)
            A shard whose guild is taken if none is given, shard 0 by default.
        
        Returns
        -------
        numbers : `range`
            Their numbers.
        """
        def send():
            first = self.core.ledger.next_number
            for _ in range(count):
                self._send_message(None, None, guild_id, shard_id)
            
            return range(first, first + count)
        
        
        return self.call(send)
    
    
    def start_traffic(self, rate, *, shard_id = None):
        """
        Starts to send numbered messages steadily.
        
        Parameters
        ----------
        rate : `float`
            How many a second into each shard that has a session.
        shard_id : `None | int` = `None`, Optional (Keyword only)
            Only into that shard.
        
        Returns
        -------
        traffic : ``Traffic``
            To be stopped by its `.stop()`.
        """
        return self.call(Traffic, self, rate, shard_id)
    
    
    def stream(self, shard_id, payloads, *, preface = None, rate = None, start = True):
        """
        Prepares a stream into the sessions of a shard: measurements read it. Connections that get READY from then on are
        sent it behind READY and the guilds. A shard has one stream; another one takes its place.
        
        Parameters
        ----------
        shard_id : `int`
            The shard.
        payloads : `iterable<bytes>`
            Whole payloads, as JSON, with their own sequences. They are not kept for a replay.
        preface : `None | iterable<bytes>` = `None`, Optional (Keyword only)
            READY, and what follows it, to be sent instead of the local Discord's own. `session_id`,
            `resume_gateway_url` and `shard` of READY are filled in.
        rate : `None | float` = `None`, Optional (Keyword only)
            Payloads a second. `None`: a flood, that is compressed and framed before it goes out.
        start : `bool` = `True`, Optional (Keyword only)
            Whether payloads go out as soon as READY and the guilds did. With `False` they wait for `.start()`.
        """
        stream = Stream(self, shard_id, payloads, preface, rate, start)
        
        def put():
            old_stream = self.core.streams.get(shard_id, None)
            if (old_stream is not None):
                old_stream.stop()
            
            self.core.streams[shard_id] = stream
        
        
        self.call(put)
        return stream
    
    
    # faults
    
    
    def fault(
        self, action, *, at = STAGE_NOW, shard_id = None, times = 1, duration = None, after = 0, every = 1,
        passes = None,
    ):
        """
        Scripts a fault. See the package's docstring for stages and actions.
        
        Parameters
        ----------
        action : ``ActionBase``
            What happens.
        at : `str` = `'now'`, Optional (Keyword only)
            The stage.
        shard_id : `None | int` = `None`, Optional (Keyword only)
            Only on connections of that shard.
        times : `None | int` = `1`, Optional (Keyword only)
            How often it strikes. `None`: until it is healed. At once it strikes each open connection once.
        duration : `None | float` = `None`, Optional (Keyword only)
            Seconds after which it is healed.
        after : `int` = `0`, Optional (Keyword only)
            How many passes of the stage go by unharmed on each connection.
        every : `int` = `1`, Optional (Keyword only)
            Only each so manieth of the further passes is struck: a replay with holes is
            `fault(Skip(), at = 'replay', every = 3, times = None)`.
        passes : `None | iterable<int>` = `None`, Optional (Keyword only)
            Only these passes of the stage are struck, counted from 1 on each connection.
        
        Returns
        -------
        fault : ``Fault``
        
        Raises
        ------
        ValueError
            - If there is no such stage, or the action means nothing there.
        """
        if at not in STAGES:
            raise ValueError(f'`at` can be any of {", ".join(STAGES)}, got {at!r}.')
        
        if at in action.impossible_stages:
            raise ValueError(f'{action!r} means nothing at {at!r}.')
        
        if every < 1:
            raise ValueError(f'`every` can be at least 1, got {every!r}.')
        
        return self.call(self._fault, action, at, shard_id, times, duration, after, every, passes)
    
    
    def _fault(self, action, at, shard_id, times, duration, after, every, passes):
        """Scripts a fault, on the loop of the local Discord. See ``.fault``."""
        core = self.core
        fault = Fault(
            action, at, shard_id, times, None if duration is None else core.now() + duration, after, every, passes,
            self._heal_fault,
        )
        
        if at == STAGE_NOW:
            # Each open connection once; then it is over, but for what it holds.
            for connection in core.select_connections(shard_id):
                fault.strike_at_once(connection, StageOutcome())
            
            fault.times = fault.count
            core.recording.changed()
        
        core.script.add(fault, duration)
        return fault
    
    
    def _heal_fault(self, fault):
        """Ends a fault."""
        self.call(self.core.script.heal, fault)
    
    
    def heal(self):
        """Ends every fault, those of REST as well. Listeners that were taken down stay so."""
        self.call(self.core.script.heal_all)
    
    
    def cut(self, shard_id = None, reset = True):
        """
        Cuts open connections.
        
        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Only of that shard.
        reset : `bool` = `True`, Optional
            Whether with RST. With FIN otherwise.
        
        Returns
        -------
        fault : ``Fault``
            With its `.count` of connections.
        """
        return self.fault(Cut(reset), shard_id = shard_id)
    
    
    def close(self, shard_id = None, code = 4000):
        """
        Closes open connections with a close frame.
        
        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Only of that shard.
        code : `None | int` = `4000`, Optional
            Close code. `None`: none.
        
        Returns
        -------
        fault : ``Fault``
            With its `.count` of connections.
        """
        return self.fault(Close(code), shard_id = shard_id)
    
    
    def reconnect(self, shard_id = None):
        """
        Sends op 7.
        
        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Only to that shard.
        
        Returns
        -------
        fault : ``Fault``
            With its `.count` of connections.
        """
        return self.fault(Reconnect(), shard_id = shard_id)
    
    
    def invalidate(self, shard_id = None, resumable = False):
        """
        Sends op 9.
        
        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Only to that shard.
        resumable : `bool` = `False`, Optional
            Whether the session can be resumed.
        
        Returns
        -------
        fault : ``Fault``
            With its `.count` of connections.
        """
        return self.fault(Invalidate(resumable), shard_id = shard_id)
    
    
    def silence(self, shard_id = None, read = False):
        """
        Lets open connections fall silent, until the returned fault is healed.
        
        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Only of that shard.
        read : `bool` = `False`, Optional
            Whether what the client sends is still read.
        
        Returns
        -------
        fault : ``Fault``
            With its `.count` of connections.
        """
        return self.fault(Silence(read), shard_id = shard_id)
    
    
    def request_heartbeat(self, shard_id = None):
        """
        Sends op 1.
        
        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Only to that shard.
        
        Returns
        -------
        fault : ``Fault``
            With its `.count` of connections.
        """
        return self.fault(SendPayload(encode_envelope(HEARTBEAT, b'null')), shard_id = shard_id)
    
    
    def stop_listening(self, *names, cut = True):
        """
        Takes listeners down: connecting to them is refused.
        
        Parameters
        ----------
        *names : `str`
            `'api'`, `'gateway'`, `'resume'`. All if none is given.
        cut : `bool` = `True`, Optional (Keyword only)
            Whether the connections that came over them are cut as well.
        """
        listeners = [self.core.listeners[name] for name in names or LISTENER_NAMES]
        
        def take_down():
            for listener in listeners:
                listener.take_down()
                if cut:
                    for connection in list(self.core.connections):
                        if connection.record.listener == listener.name:
                            connection.cut(True)
                    
                    listener.abort_requests()
            
            self.core.recording.changed()
        
        
        self.call(take_down)
    
    
    def start_listening(self, *names):
        """
        Brings listeners back, on the same ports.
        
        Parameters
        ----------
        *names : `str`
            `'api'`, `'gateway'`, `'resume'`. All if none is given.
        """
        listeners = [self.core.listeners[name] for name in names or LISTENER_NAMES]
        
        def bring_back():
            for listener in listeners:
                listener.open(self.core.loop)
        
        
        self.call(bring_back)
    
    
    def end_sessions(self, shard_id = None):
        """
        Forgets sessions, without telling anyone: their resume gets op 9 false.
        
        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Only of that shard.
        
        Returns
        -------
        count : `int`
            Count of sessions.
        """
        def end():
            sessions = self.core.sessions.select(shard_id = shard_id)
            for session in sessions:
                self.core.sessions.end(session, END_INVALIDATED)
            
            return len(sessions)
        
        
        return self.call(end)
    
    
    def rest_fault(
        self, path = '', *, method = None, status = None, headers = None, body = None, hang = False, delay = 0.0,
        times = 1, duration = None,
    ):
        """
        Scripts a fault of REST.
        
        Parameters
        ----------
        path : `str` = `''`, Optional
            What the path, without `/api/v10`, starts with.
        method : `None | str` = `None`, Optional (Keyword only)
            Only requests of that method.
        status : `None | int` = `None`, Optional (Keyword only)
            The status to answer with. `None`: the right one.
        headers : `None | dict<str, str>` = `None`, Optional (Keyword only)
            Further headers of the answer.
        body : `None | bytes | str` = `None`, Optional (Keyword only)
            Body to answer with.
        hang : `bool` = `False`, Optional (Keyword only)
            Whether it is not answered until healed.
        delay : `float` = `0.0`, Optional (Keyword only)
            Seconds for which the answer waits.
        times : `None | int` = `1`, Optional (Keyword only)
            How often it strikes. `None`: until it is healed.
        duration : `None | float` = `None`, Optional (Keyword only)
            Seconds after which it is healed.
        """
        core = self.core
        
        def add():
            fault = RestFault(
                path, method, status, headers, body, hang, delay, times,
                None if duration is None else core.now() + duration, heal,
            )
            core.script.add(fault, duration)
            return fault
        
        
        def heal(fault):
            self.call(core.script.heal, fault)
        
        
        return self.call(add)
