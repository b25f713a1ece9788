"""
The heart of a local Discord: everything that exists once in it. It lives on one loop; nothing here is thread-safe.
"""
__all__ = ('Core',)

from asyncio import get_running_loop
from itertools import count
from time import monotonic

from .application import create_token
from .application_table import ApplicationTable
from .conditions import Conditions
from .connection_table import ConnectionTable
from .fault_script import FaultScript
from .handshake import Handshake
from .ledger import Ledger
from .listener import LISTENER_API, LISTENER_GATEWAY, LISTENER_NAMES, LISTENER_RESUME, Listener
from .recording import Recording
from .rest import Rest
from .session_table import SessionTable
from .world import World

RESUME_PATH = '/shard/'

# Each local Discord of a process has an application of its own: clients and identify windows belong to an application,
# and those of one test must not reach into the next.
INSTANCE_COUNTER = count()


class Core:
    """
    The heart of a local Discord.

    Attributes
    ----------
    applications : ``ApplicationTable``
        The applications.

    conditions : ``Conditions``
        What is waited for.

    connections : ``ConnectionTable``
        The connections.

    handshake : ``Handshake``
        Answers upgrade requests.

    ledger : ``Ledger``
        The numbered messages.

    listeners : ``dict<str, Listener>``
        The listeners by name.

    loop : `None | asyncio.AbstractEventLoop`
        The loop it runs on.

    options : ``LocalDiscordOptions``
        The options.

    recording : ``Recording``
        What clients did.

    rest : ``Rest``
        Answers REST requests.

    script : ``FaultScript``
        The scripted faults.

    sessions : ``SessionTable``
        The sessions.

    streams : ``dict<int, Stream>``
        The prepared streams by shard.

    token : `str`
        The bot's token.

    traffics : ``set<Traffic>``
        The running traffic generators.

    world : ``World``
        Users, guilds, messages.

    _handles : ``set<asyncio.TimerHandle>``
        The pending timers.
    """
    __slots__ = (
        '_handles', 'applications', 'conditions', 'connections', 'handshake', 'ledger', 'listeners', 'loop', 'options',
        'recording', 'rest', 'script', 'sessions', 'streams', 'token', 'traffics', 'world',
    )

    def __new__(cls, options, token, host, ports, ssl_context):
        """
        Creates the heart.

        Parameters
        ----------
        options : ``LocalDiscordOptions``
            The options.

        token : `None | str`
            The bot's token. Generated if not given.

        host : `str`
            Address to listen on.

        ports : `tuple<int>`
            Ports in the order of ``LISTENER_NAMES``.

        ssl_context : `None | ssl.SSLContext`
            Server side context.
        """
        self = object.__new__(cls)
        self._handles = set()
        self.applications = ApplicationTable(self)
        self.conditions = Conditions(self)
        self.connections = ConnectionTable()
        self.ledger = Ledger(options.ledger_bound)
        self.loop = None
        self.options = options
        self.recording = Recording(options.record_bound, self.conditions.changed)
        self.script = FaultScript()
        self.sessions = SessionTable(self)
        self.streams = {}
        self.traffics = set()
        self.world = World(options)
        self.token = create_token(self.world.default_bot_id + next(INSTANCE_COUNTER)) if token is None else token
        self.handshake = Handshake(self)
        self.rest = Rest(self)

        handlers = {
            LISTENER_API: self.rest.handle,
            LISTENER_GATEWAY: self.handshake.handle_gateway,
            LISTENER_RESUME: self.handshake.handle_resume,
        }
        self.listeners = {
            name: Listener(name, host, port, ssl_context, handlers[name]) for name, port in zip(LISTENER_NAMES, ports)
        }
        return self


    def now(self):
        """
        Returns the current time.

        Returns
        -------
        now : `float`
            Monotonic, in seconds.
        """
        return monotonic()


    def call_later(self, delay, function, *parameters):
        """
        Calls a function later, unless the local Discord is stopped before.

        Parameters
        ----------
        delay : `float`
            In how many seconds.

        function : `callable`
            The function.

        *parameters : Positional parameters
            Its parameters.

        Returns
        -------
        handle : `asyncio.TimerHandle`
        """
        handle = None

        def call():
            self._handles.discard(handle)
            function(*parameters)

        handle = self.loop.call_later(delay, call)
        self._handles.add(handle)
        if len(self._handles) > 1024:
            self._handles = {handle for handle in self._handles if not handle.cancelled()}

        return handle


    # life cycle


    async def open(self):
        """
        Starts to listen.

        This method is a coroutine.
        """
        self.loop = get_running_loop()
        self.applications.add(self.token)
        for listener in self.listeners.values():
            listener.open(self.loop)

        for listener in self.listeners.values():
            await listener.wait_open()


    async def close(self):
        """
        Stops everything.

        This method is a coroutine.
        """
        for traffic in list(self.traffics):
            traffic.stop()

        for stream in list(self.streams.values()):
            stream.stop()

        self.script.heal_all()
        self.rest.faults.heal_all()

        for listener in self.listeners.values():
            listener.close()

        for connection in self.connections:
            connection.cut(True)

        for listener in self.listeners.values():
            await listener.shutdown()

        for session in list(self.sessions):
            self.sessions.end(session, 'stopped')

        for handle in self._handles:
            handle.cancel()

        self._handles.clear()


    # urls


    def get_gateway_url(self):
        """
        Returns the url that `/gateway/bot` tells.

        Returns
        -------
        url : `str`
        """
        return self.listeners[LISTENER_GATEWAY].get_url('ws')


    def get_resume_gateway_url(self, shard_id):
        """
        Returns the url to resume on.

        Parameters
        ----------
        shard_id : `int`
            The shard. Its url is its own, so that faults can tell shards apart before RESUME.

        Returns
        -------
        url : `str`
        """
        return f'{self.listeners[LISTENER_RESUME].get_url("ws")}{RESUME_PATH}{shard_id}'


    # events


    def dispatch(self, name, data, sessions):
        """
        Dispatches an event into sessions.

        Parameters
        ----------
        name : `str`
            The event's name.

        data : `bytes`
            The encoded data.

        sessions : ``iterable<Session>``
            The sessions.

        Returns
        -------
        count : `int`
            Count of sessions.
        """
        # What orjson returns keeps the buffer that it was written into, 4 KiB for a message of 500 bytes; the replay buffers
        # hold many.
        data = bytes(memoryview(data))

        count = 0
        for session in sessions:
            payload = session.append(name, data)
            count += 1
            connection = session.connection
            if (connection is not None):
                connection.send_event(payload)

        self.conditions.changed()
        return count


    def send_missed(self, session, connection, sequence, payloads = ()):
        """
        Sends what came after a sequence.

        Parameters
        ----------
        session : ``Session``
            The session.

        connection : ``Connection``
            The connection.

        sequence : `int`
            The sequence that was sent last.

        payloads : `iterable<bytes>` = `()`, Optional
            Events that go out first.

        Returns
        -------
        count : `int`
            Count of events.
        """
        count = 0
        for payload in (*payloads, *(payload for _, payload in session.iter_missed(sequence))):
            if (not connection.is_open) or (connection.session is not session):
                break

            connection.send_event(payload)
            count += 1

        return count
