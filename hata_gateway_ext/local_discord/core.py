"""
The heart of a local Discord: everything that exists once in it. It lives on one loop; nothing here is thread-safe.
"""
__all__ = ('Core',)

from asyncio import get_running_loop
from itertools import count
from time import monotonic

from .application import ApplicationTable, create_token
from .faults import FaultScript
from .handshake import RESUME_PATH, Handshake
from .ledger import Ledger
from .listener import LISTENER_API, LISTENER_GATEWAY, LISTENER_NAMES, LISTENER_RESUME, Listener
from .recording import Recording
from .rest import Rest
from .session import END_STOPPED, SessionTable
from .world import World

# Each local Discord of a process has an application of its own: clients and identify windows belong to an application,
# and those of one test must not reach into the next.
INSTANCE_COUNTER = count()

# From how many pending timers on those that were cancelled are looked for.
HANDLE_BOUND = 1024


class Core:
    """
    The heart of a local Discord.
    
    Attributes
    ----------
    applications : ``ApplicationTable``
        The applications.
    connections : ``set<Connection>``
        The connections that have not ended, those as well that are not upgraded yet.
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
        '_handles', 'applications', 'connections', 'ledger', 'listeners', 'loop', 'options', 'recording', 'script',
        'sessions', 'streams', 'token', 'traffics', 'world',
    )
    
    def __new__(cls, options, token, host, ports, ssl_context):
        """The parameters are the attributes; `ports` is in the order of ``LISTENER_NAMES``."""
        self = object.__new__(cls)
        self._handles = set()
        self.applications = ApplicationTable(self)
        self.connections = set()
        self.ledger = Ledger(options.ledger_bound)
        self.loop = None
        self.options = options
        self.recording = Recording(self, options.record_bound)
        self.script = FaultScript(self)
        self.sessions = SessionTable(self)
        self.streams = {}
        self.traffics = set()
        self.world = World(options)
        self.token = create_token(self.world.default_bot_id + next(INSTANCE_COUNTER)) if token is None else token
        
        handshake = Handshake(self)
        handlers = {
            LISTENER_API: Rest(self).handle,
            LISTENER_GATEWAY: handshake.handle_gateway,
            LISTENER_RESUME: handshake.handle_resume,
        }
        self.listeners = {
            name: Listener(name, host, port, ssl_context, handlers[name]) for name, port in zip(LISTENER_NAMES, ports)
        }
        return self
    
    
    # time
    
    
    def now(self):
        """Returns the current time, monotonic, in seconds."""
        return monotonic()
    
    
    def call_later(self, delay, function, *parameters):
        """Calls a function later, unless the local Discord is stopped before."""
        def call():
            self._handles.discard(handle)
            function(*parameters)
        
        
        handle = self.loop.call_later(delay, call)
        self._handles.add(handle)
        if len(self._handles) > HANDLE_BOUND:
            self._handles = {handle for handle in self._handles if not handle.cancelled()}
        
        return handle
    
    
    # life cycle
    
    
    async def open(self):
        """Starts to listen."""
        self.loop = get_running_loop()
        self.applications.add(self.token)
        for listener in self.listeners.values():
            listener.open(self.loop)
        
        for listener in self.listeners.values():
            await listener.wait_open()
    
    
    async def close(self):
        """Stops everything."""
        for running in (*self.traffics, *self.streams.values()):
            running.stop()
        
        self.script.heal_all()
        
        for listener in self.listeners.values():
            listener.close()
        
        for connection in list(self.connections):
            connection.cut(True)
        
        for listener in self.listeners.values():
            await listener.shutdown()
        
        for session in self.sessions:
            self.sessions.end(session, END_STOPPED)
        
        for handle in self._handles:
            handle.cancel()
        
        self._handles.clear()
    
    
    # urls
    
    
    def get_gateway_url(self):
        """Returns the url that `/gateway/bot` tells."""
        return self.listeners[LISTENER_GATEWAY].get_url('ws')
    
    
    def get_resume_gateway_url(self, shard_id):
        """Returns the url to resume on."""
        return f'{self.listeners[LISTENER_RESUME].get_url("ws")}{RESUME_PATH}{shard_id}'
    
    
    # connections
    
    
    def select_connections(self, shard_id = None):
        """Returns the open connections, of a shard or all, the oldest first."""
        return sorted(
            (
                connection for connection in self.connections
                if connection.is_upgraded and connection.is_open
                and ((shard_id is None) or (connection.shard_id == shard_id))
            ),
            key = lambda connection: connection.record.number,
        )
    
    
    def find_connection_of(self, session):
        """Returns the connection that uses a session, or that is about to; `None` if there is none."""
        for connection in self.connections:
            if connection.session is session:
                return connection
        
        return None
    
    
    # events
    
    
    def dispatch(self, name, data, sessions):
        """Dispatches an event, of which the data is encoded already, into sessions. Returns how many they are."""
        # What orjson returns keeps the buffer that it was written into, 4 KiB for a message of 500 bytes; the replay
        # buffers hold many.
        data = bytes(memoryview(data))
        
        count = 0
        for session in sessions:
            payload = session.append(name, data)
            count += 1
            connection = session.connection
            if (connection is not None):
                connection.send_event(payload)
        
        self.recording.changed()
        return count
    
    
    def send_missed(self, session, connection, sequence, payloads = ()):
        """Sends the given events, and those that came after a sequence. Returns how many went out."""
        count = 0
        for payload in (*payloads, *(payload for _, payload in session.iter_missed(sequence))):
            if (not connection.is_open) or (connection.session is not session):
                break
            
            connection.send_event(payload)
            count += 1
        
        return count
