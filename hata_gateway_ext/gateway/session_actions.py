"""
The actions that the machine of ``protocol.session`` asks for, on real connections, queues and timers.
"""
__all__ = ('SessionActions',)

from random import random

from scarletio import LOOP_TIME, RichAttributeErrorBaseType, to_json

from ..errors import GatewayStoreReport
from ..protocol.close_codes import CLOSE_CODE_END_SESSION, CLOSE_CODE_KEEP_SESSION
from ..protocol.operations import build_resume_payload
from ..protocol.session import Session, SessionMachine
from ..protocol.transitions import (
    ACTION_ABORT, ACTION_CONNECT, ACTION_DROP, ACTION_END, ACTION_ENQUEUE, ACTION_HEARTBEAT, ACTION_IDENTIFY,
    ACTION_LEAVE_QUEUE, ACTION_OPEN_SENDS, ACTION_RESUME, ACTION_SET_READY
)
from .connect_troubles import ConnectTroubles
from ..connection.connection import GatewayConnection
from ..client.identify_payload import build_client_identify_payload
from .kokoro import Kokoro
from .message_handler import MessageHandler
from .send_queue import SendQueue
from .statistics import SessionCounts


class SessionActions(RichAttributeErrorBaseType):
    """
    What the session of a shard needs, and the actions on it.
    
    Attributes
    ----------
    _closing_task : `None | Task`
        Closes the connection that was given up last.
    _handle : `None | TimerHandle`
        Wakes the driver up at the deadline of the machine.
    _looked_at : `None | float`
        When the deadline that is armed was found to be passed first; monotonic time, in seconds.
    _offline_since : `None | float`
        Since when no connection could be made; monotonic time, in seconds.
    _result : ``None | Future<bool>``
        The outcome of the current run.
    _sequence_when_armed : `None | int`
        What the sequence was when the timer was armed: whether it moved tells whether a replay goes on.
    _ticket : ``None | IdentifyTicket``
        The place in the identify queue.
    _waiter : `None | Future<bool>`
        Is told when READY or RESUMED is reached first.
    client : ``Client``
        Whose session it is.
    configuration : ``GatewayConfiguration``
        What the user chose.
    connect_troubles : ``ConnectTroubles``
        Says that no connection could be made.
    connection : ``None | GatewayConnection``
        The current connection.
    counts : ``SessionCounts``
        What was done so far, the current connection's dispatches left aside.
    discovery : ``GatewayDiscovery``
        Where the gateway is.
    gateway : ``DurableGatewayClientShard``
        The shard.
    identify_queue : ``IdentifyQueue``
        When to identify.
    kokoro : ``None | Kokoro``
        The heart of the shard, once HELLO came.
    machine : ``SessionMachine``
        Decides.
    messages : ``MessageHandler``
        Handles what Discord says about the session.
    observer : `None | (str, object) -> None`
        Called with the name and the data of each event that was dispatched.
    reports : ``Reports``
        Tells the bot's owner.
    restored : ``None | RestoredSession``
        The session of the process before this one, until it is resumed, or lost.
    send_queue : ``SendQueue``
        What the bot sends.
    shard_id : `int`
        The shard's identifier.
    """
    __slots__ = (
        '_closing_task', '_handle', '_looked_at', '_offline_since', '_result', '_sequence_when_armed', '_ticket',
        '_waiter', 'client', 'configuration', 'connect_troubles', 'connection', 'counts', 'discovery', 'gateway',
        'identify_queue', 'kokoro', 'machine', 'messages', 'observer', 'reports', 'restored', 'send_queue', 'shard_id'
    )
    
    def __new__(cls, gateway, client, shard_id, context):
        """
        Creates a driver that does not run.
        
        Parameters
        ----------
        gateway : ``DurableGatewayClientShard``
            The shard.
        client : ``Client``
            Whose session it is.
        shard_id : `int`
            The shard's identifier.
        context : ``GatewayContext``
            What the shards of the client share.
        """
        self = object.__new__(cls)
        self._closing_task = None
        self._handle = None
        self._looked_at = None
        self._offline_since = None
        self._result = None
        self._sequence_when_armed = None
        self._ticket = None
        self._waiter = None
        self.client = client
        self.configuration = context.configuration
        self.connect_troubles = ConnectTroubles(shard_id, context.reports)
        self.connection = None
        self.counts = SessionCounts()
        self.discovery = context.discovery
        self.gateway = gateway
        self.identify_queue = context.identify_queue
        self.kokoro = None
        self.machine = SessionMachine()
        self.messages = MessageHandler(self)
        self.observer = None
        self.reports = context.reports
        self.restored = None
        self.send_queue = SendQueue(shard_id, context.reports)
        self.shard_id = shard_id
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} shard_id = {self.shard_id!r}, state = {self.machine.state!r}>'
    
    # ---- from the store ----
    
    def restore(self, restored):
        """
        Takes over the session of the process before this one. To be called before the session is driven.
        
        Parameters
        ----------
        restored : ``RestoredSession``
            The session.
        """
        self.restored = restored
        self.machine.session = restored.session
    
    
    def forget(self):
        """
        Lets go of the session: another process is to resume it. To be called when the session is not driven anymore.
        """
        self.restored = None
        self.machine.session = Session()
    
    
    def end_restore(self, resumed):
        """
        Discord has said what became of a restored session.
        
        Parameters
        ----------
        resumed : `bool`
            Whether it was resumed. Otherwise there is a new session.
        """
        restored = self.restored
        if restored is None:
            return
        
        self.restored = None
        self.connection.dispatcher.set_replay_filter(None)
        
        if resumed:
            restored.resumed(self.client, self.shard_id)
        else:
            restored.discard(self.client)
            self.reports.report(
                GatewayStoreReport('The session is not restored: Discord has ended it. The shard identifies.', self.shard_id)
            )
    
    # ---- actions ----
    
    def _connect(self):
        """
        Starts a connection.
        """
        if self._offline_since is None:
            self._offline_since = LOOP_TIME()
        
        compression = self.configuration.resolved_compression
        connection = GatewayConnection(self, self.client, self.machine.session, compression)
        self.connection = connection
        
        connection.dispatcher.observer = self.observer
        restored = self.restored
        if (restored is not None):
            connection.dispatcher.set_replay_filter(restored.replay_filter)
        
        connection.start(self.client.http, compression)
    
    
    def _release_connection(self):
        """
        Lets go of the connection.
        
        Returns
        -------
        connection : ``None | GatewayConnection``
            To be closed by the caller.
        """
        connection = self.connection
        if connection is None:
            return None
        
        self.connection = None
        kokoro = self.kokoro
        if (kokoro is not None) and kokoro.should_run:
            # It beats from HELLO on.
            kokoro.stop()
            self.counts.losses += 1
        
        self.send_queue.disconnect()
        self.counts.add_dispatcher(connection.dispatcher)
        return connection
    
    
    def _close_connection(self, code):
        """
        Gives the connection up.
        
        Parameters
        ----------
        code : `int`
            The close code.
        """
        connection = self._release_connection()
        if (connection is not None):
            self._closing_task = connection.close(code)
    
    
    def _drop(self):
        """
        Gives the connection up, and keeps the session.
        """
        self._close_connection(CLOSE_CODE_KEEP_SESSION)
    
    
    def _end(self):
        """
        Gives the connection up, and the session with it.
        """
        self._close_connection(CLOSE_CODE_END_SESSION)
    
    
    def _abort_connection(self):
        """
        Gives the connection up at once.
        """
        connection = self._release_connection()
        if (connection is not None):
            connection.abort()
    
    
    def _enqueue(self):
        """
        Takes a place in the identify queue.
        """
        self._ticket = self.identify_queue.enqueue(self, self.shard_id)
    
    
    def _leave_queue(self):
        """
        Gives the place in the identify queue back.
        """
        ticket = self._ticket
        if (ticket is not None):
            self._ticket = None
            self.identify_queue.withdraw(ticket)
    
    
    def _set_ready(self):
        """
        Says that IDENTIFY could be sent.
        """
        if self._ticket is None:
            self._enqueue()
        
        self.identify_queue.set_ready(self._ticket)
    
    
    def _start_heartbeat(self):
        """
        HELLO came: heartbeats start, and with them the send window of the connection.
        """
        web_socket = self.connection.web_socket
        interval = self.messages.heartbeat_interval
        self.send_queue.connect(web_socket, interval)
        
        kokoro = self.kokoro
        if kokoro is None:
            self.kokoro = kokoro = Kokoro(self)
        
        kokoro.start(web_socket, interval, random())
    
    
    def _identify(self):
        """
        Sends IDENTIFY.
        """
        self.counts.identifies += 1
        self.send_queue.send_reserved(to_json(build_client_identify_payload(self.client, self.shard_id)))
    
    
    def _resume(self):
        """
        Sends RESUME.
        """
        session = self.machine.session
        self.send_queue.send_reserved(
            to_json(build_resume_payload(self.client.token, session.session_id, session.sequence))
        )
    
    
    def _open_sends(self):
        """
        READY or RESUMED is reached: what the bot sends goes out.
        """
        self.send_queue.open()
        
        waiter = self._waiter
        if (waiter is not None):
            self._waiter = None
            waiter.set_result_if_pending(True)
    
    
    _ACTIONS = {
        ACTION_ABORT: _abort_connection,
        ACTION_CONNECT: _connect,
        ACTION_DROP: _drop,
        ACTION_END: _end,
        ACTION_ENQUEUE: _enqueue,
        ACTION_HEARTBEAT: _start_heartbeat,
        ACTION_IDENTIFY: _identify,
        ACTION_LEAVE_QUEUE: _leave_queue,
        ACTION_OPEN_SENDS: _open_sends,
        ACTION_RESUME: _resume,
        ACTION_SET_READY: _set_ready,
    }
