"""
The driver of a shard's session: tells the machine of ``protocol.session`` what happened, and does what it says.

Nothing is decided here. Everything is synchronous and runs on the loop of the client: an input is taken over, the actions
are done, the one timer is armed, and only then anything else happens. The only thing that takes time, connecting, is a task
of the connection; what a connection says after it was given up is not heard (see ``connection``).
"""
__all__ = ('SessionDriver',)

from random import random

from hata import InvalidToken, KOKORO
from scarletio import Future, LOOP_TIME, RichAttributeErrorBaseType, to_json

from ..client.identify_payload import build_client_identify_payload
from ..configuration import SHUTDOWN_SUSPEND
from ..connection.connect_failures import API_HOST, classify_connect_failure
from ..connection.connection import GatewayConnection
from ..errors import GatewayCloseReport, GatewayInputReport, GatewayStoreReport, create_fatal_exception
from ..protocol.close_codes import CLOSE_CODES, CLOSE_CODE_END_SESSION, CLOSE_CODE_KEEP_SESSION
from ..protocol.errors import PayloadError, ProtocolError
from ..protocol.greeting import read_heartbeat_interval
from ..protocol.operations import (
    HEARTBEAT, HEARTBEAT_ACKNOWLEDGE, HELLO, INVALIDATE_SESSION, RECONNECT, build_heartbeat_payload, build_resume_payload
)
from ..protocol.session import Session, SessionMachine
from ..protocol.transitions import (
    ACTION_ABORT, ACTION_CONNECT, ACTION_DROP, ACTION_END, ACTION_END_OFFLINE, ACTION_ENQUEUE, ACTION_HEARTBEAT,
    ACTION_IDENTIFY, ACTION_LEAVE_QUEUE, ACTION_OPEN_SENDS, ACTION_REPORT_NO_CONNECTION, ACTION_REPORT_NO_HELLO,
    ACTION_RESUME, ACTION_SET_READY, INPUT_ABORT, INPUT_CLOSE, INPUT_CONNECTED, INPUT_INVALID, INPUT_INVALID_RESUMABLE,
    INPUT_NEAR, INPUT_PERMIT, INPUT_READY, INPUT_RECONNECT, INPUT_RESUMED, INPUT_START, INPUT_SUSPEND, INPUT_TERMINATE,
    INPUT_ZOMBIE, STATE_CONNECTING, STATE_FAILED, STATE_GREETING, STATE_STOPPED
)
from .connect_troubles import ConnectTroubles
from .discovery import LOOK_UP_ERRORS
from .kokoro import Kokoro
from .send_queue import SendQueue
from .statistics import SessionCounts


class SessionDriver(RichAttributeErrorBaseType):
    """
    Drives the session of a shard.
    
    Attributes
    ----------
    _closing_task : `None | Task`
        Closes the connection that was given up last.
    _handle : `None | TimerHandle`
        Wakes the driver up when the machine wants to be.
    _result : ``None | Future<bool>``
        The outcome of the current run.
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
    heartbeat_interval : `float`
        Seconds between two heartbeats, as the last HELLO said.
    identify_queue : ``IdentifyQueue``
        When to identify.
    kokoro : ``None | Kokoro``
        The heart of the shard, once HELLO came.
    machine : ``SessionMachine``
        Decides.
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
        '_closing_task', '_handle', '_result', '_ticket', '_waiter', 'client', 'configuration', 'connect_troubles',
        'connection', 'counts', 'discovery', 'gateway', 'heartbeat_interval', 'identify_queue', 'kokoro', 'machine',
        'observer', 'reports', 'restored', 'send_queue', 'shard_id'
    )
    
    def __new__(cls, gateway, client, shard_id, context):
        """
        Creates a driver that does not run. Its parts come from the context that the shards of a client share.
        """
        self = object.__new__(cls)
        self._closing_task = None
        self._handle = None
        self._result = None
        self._ticket = None
        self._waiter = None
        self.client = client
        self.configuration = context.configuration
        self.connect_troubles = ConnectTroubles(shard_id, context.reports)
        self.connection = None
        self.counts = SessionCounts()
        self.discovery = context.discovery
        self.gateway = gateway
        self.heartbeat_interval = 0.0
        self.identify_queue = context.identify_queue
        self.kokoro = None
        self.machine = SessionMachine(None, context.configuration.offline_timeout)
        self.observer = None
        self.reports = context.reports
        self.restored = None
        self.send_queue = SendQueue(shard_id, context.reports)
        self.shard_id = shard_id
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} shard_id = {self.shard_id!r}, state = {self.machine.state!r}>'
    
    # ---- for the shard ----
    
    def is_running(self):
        """
        Returns whether the session is driven.
        """
        return self._result is not None
    
    
    async def run(self, waiter):
        """
        Keeps the session until it is stopped.
        
        This method is a coroutine.
        
        Parameters
        ----------
        waiter : `None | Future<bool>`
            Is set to `True` when READY or RESUMED is reached first, to `False` if that never happened.
        
        Returns
        -------
        offline : `bool`
            `True` if no connection could be made for as long as the user allows; `False` if the session was stopped.
        
        Raises
        ------
        RuntimeError
            - If it runs already.
        InvalidToken
            Discord does not accept the token.
        DiscordGatewayException
            Discord closed for good.
        """
        if (self._result is not None):
            raise RuntimeError(f'The gateway runs already: {self.gateway!r}.')
        
        result = Future(KOKORO)
        self._result = result
        self._waiter = waiter
        
        try:
            self.send_queue.start()
            self._receive(INPUT_START)
            return await result
        
        finally:
            self._result = None
            if self.machine.state not in (STATE_STOPPED, STATE_FAILED):
                # The run was cancelled.
                self.abort()
            
            if (waiter is not None):
                waiter.set_result_if_pending(False)
    
    
    def _stop(self, input_):
        """Stops the session as the input says. Returns the task that closes the connection, if there is one to close."""
        self._closing_task = None
        self._receive(input_)
        self.send_queue.stop()
        self._end_run(False)
        return self._closing_task
    
    
    def _end_run(self, outcome):
        """Lets `.run` return."""
        result = self._result
        if (result is not None):
            result.set_result_if_pending(outcome)
    
    
    def close(self):
        """
        Ends the session.
        
        Returns
        -------
        closing_task : `None | Task`
            Done when the connection is closed.
        """
        return self._stop(INPUT_CLOSE)
    
    
    def suspend(self):
        """
        Stops, and keeps the session at Discord, so that it can be resumed.
        
        Returns
        -------
        closing_task : `None | Task`
            Done when the connection is closed.
        """
        return self._stop(INPUT_SUSPEND)
    
    
    def suspend_offline(self):
        """
        Stops a shard that is offline, as its own timeout would: who sends goes on waiting, since hata launches the gateway
        again.
        
        Returns
        -------
        closing_task : `None | Task`
            Done when the connection is closed.
        """
        self._closing_task = None
        self._receive(INPUT_SUSPEND)
        self._end_offline()
        return self._closing_task
    
    
    def abort(self):
        """
        Stops at once. The session is kept.
        """
        self._stop(INPUT_ABORT)
    
    
    def terminate(self):
        """
        Gives the connection up; if the session is driven, a new one is made.
        
        Returns
        -------
        closing_task : `None | Task`
            Done when the old connection is closed.
        """
        self._closing_task = None
        self._receive(INPUT_TERMINATE)
        return self._closing_task
    
    
    def fail(self, exception):
        """
        The session cannot be driven any more: `exception` is what `.run` raises.
        """
        result = self._result
        if (result is not None):
            result.set_exception_if_pending(exception)
        
        self.abort()
    
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
    
    
    def _end_restore(self, resumed):
        """Discord has said what became of a restored session, if this one is: whether it was resumed, or there is a new one."""
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
    
    # ---- the machine ----
    
    def _receive(self, input_):
        """Gives the machine an input, and does what it says."""
        self._perform(self.machine.receive(input_, LOOP_TIME(), random()))
    
    
    def _perform(self, actions):
        """Does what the machine says. An action that is not known is a mistake, and raises."""
        if actions is None:
            return
        
        for action in actions:
            self.ACTIONS[action](self)
        
        handle = self._handle
        if (handle is not None):
            handle.cancel()
        
        wake_up_at = self.machine.get_wake_up_at(LOOP_TIME())
        self._handle = None if wake_up_at is None else KOKORO.call_at(wake_up_at, self._wake_up)
    
    
    def _wake_up(self):
        """The timer ran out."""
        self._handle = None
        
        # A client that suspends its gateway does so a little later, and keeps the session.
        if (not self.client.running) and (self.configuration.shutdown != SHUTDOWN_SUSPEND):
            self.close()
            return
        
        connection = self.connection
        web_socket = None if connection is None else connection.web_socket
        has_backlog = (web_socket is not None) and web_socket.has_backlog
        self._perform(self.machine.wake_up(LOOP_TIME(), random(), has_backlog))
    
    # ---- from the identify queue ----
    
    def identify_near(self):
        """
        The turn of the shard to identify is near.
        """
        self._receive(INPUT_NEAR)
    
    
    def identify_permitted(self):
        """
        It is the shard's turn to identify.
        """
        self._ticket = None
        self._receive(INPUT_PERMIT)
    
    
    async def refresh_discovery(self):
        """
        Looks the gateway up anew, for the session start limit. If that fails, what is known about it is used.
        
        This method is a coroutine.
        """
        try:
            await self.discovery.refresh()
        except LOOK_UP_ERRORS as exception:
            self.connect_troubles.failed(classify_connect_failure(exception, API_HOST, self.shard_id))
        except InvalidToken as exception:
            self.fail(exception)
    
    # ---- from the heart ----
    
    def send_heartbeat(self):
        """
        Sends a heartbeat.
        
        Returns
        -------
        sent : `bool`
        """
        return self.send_queue.send_reserved(to_json(build_heartbeat_payload(self.machine.session.sequence)))
    
    
    def get_next_permit_at(self):
        """
        Returns when a heartbeat can be sent.
        """
        return self.send_queue.window.get_next_permit_at(LOOP_TIME(), True)
    
    
    def zombie_found(self, verdict):
        """
        The connection is dead.
        """
        self._receive(INPUT_ZOMBIE)
    
    # ---- from the connection ----
    
    async def get_gateway_url(self):
        """
        Returns where to connect to.
        
        This method is a coroutine.
        """
        if self.machine.should_use_resume_url():
            return self.machine.session.resume_gateway_url
        
        return await self.discovery.get_url()
    
    
    def connected(self):
        """
        The web socket is connected. HELLO comes next.
        """
        self._receive(INPUT_CONNECTED)
    
    
    def connect_failed(self, report):
        """
        No connection could be made; the report says why.
        """
        self.connect_troubles.failed(report)
        self.connection = None
        self._perform(self.machine.connect_failed(report.retry_after, LOOP_TIME(), random()))
    
    
    def disconnected(self, close_code, exception):
        """
        The connection is closed by the peer, lost, or broken.
        
        Parameters
        ----------
        close_code : `None | int`
            The close code of the peer, if it gave one.
        exception : `None | BaseException`
            What was wrong with the stream.
        """
        if isinstance(exception, ProtocolError):
            self.input_broken(exception)
            return
        
        known = CLOSE_CODES.get(close_code, None)
        if (known is not None) and known.reported:
            self.reports.report(GatewayCloseReport(close_code, self.shard_id))
        
        self._perform(self.machine.closed(close_code, LOOP_TIME(), random()))
        
        if self.machine.state == STATE_FAILED:
            self.fail(create_fatal_exception(close_code))
    
    
    def input_broken(self, exception):
        """
        What came cannot be understood: it is reported, and the session resumed on a new connection.
        
        Parameters
        ----------
        exception : ``ProtocolError``
            What was wrong.
        """
        self._report_input('broken', exception, 'The session is resumed on a new connection.')
        self._perform(self.machine.broken(exception, LOOP_TIME(), random()))
    
    
    def _report_input(self, trouble, exception, consequence):
        """Reports what could not be understood; once, if it comes again after the same event."""
        report = GatewayInputReport(
            f'what came from Discord cannot be understood: {exception} {consequence}', self.shard_id
        )
        # The frames that it went through hold the connection and the payload; so does what it was made from. Whoever keeps
        # the report should keep neither.
        exception.__context__ = None
        report.__cause__ = exception.with_traceback(None)
        self.reports.report_once(
            f'{trouble} {self.shard_id}', report, (self.machine.session.sequence, str(exception))
        )
    
    
    def payload_unreadable(self, exception):
        """
        A payload is not what it should be.
        
        Parameters
        ----------
        exception : ``PayloadError``
            What was wrong.
        
        Returns
        -------
        is_passed_over : `bool`
            Otherwise the connection is of no use any more.
        """
        if not self.machine.passes_over_unreadable():
            return False
        
        self._report_input('passed over', exception, 'It came several times, and is passed over now.')
        return True
    
    
    def sequence_out_of_order(self, sequence):
        """
        An event came that is not later than the last one; it was not dispatched.
        """
        self.counts.duplicates += 1
        if not self.machine.trusts_old_sequence():
            self.input_broken(PayloadError('The sequence went back.'))
    
    
    def operation_received(self, operation, payload):
        """
        Anything but a dispatch came. Unknown operations are normal (Discord docs, Gateway: "Opcodes").
        
        Parameters
        ----------
        operation : `int`
            The operation.
        payload : `dict<str, object>`
            The payload.
        """
        if operation == HEARTBEAT_ACKNOWLEDGE:
            if (self.kokoro is not None):
                self.kokoro.answered()
        
        elif operation == HEARTBEAT:
            if (self.kokoro is not None):
                self.kokoro.beat_now()
        
        elif operation == HELLO:
            self._hello_received(payload.get('d', None))
        
        elif operation == RECONNECT:
            self._receive(INPUT_RECONNECT)
        
        elif operation == INVALIDATE_SESSION:
            self._receive(INPUT_INVALID_RESUMABLE if payload.get('d', None) is True else INPUT_INVALID)
    
    
    def _hello_received(self, data):
        """HELLO came. A second one on a connection changes nothing."""
        if self.machine.state != STATE_GREETING:
            return
        
        try:
            self.heartbeat_interval = read_heartbeat_interval(data)
        except PayloadError as exception:
            self.input_broken(exception)
            return
        
        self.counts.connects += 1
        self.connect_troubles.over()
        self._perform(self.machine.hello(LOOP_TIME(), random()))
    
    
    def ready_received(self, sequence, data):
        """
        READY came: there is a new session.
        
        Parameters
        ----------
        sequence : `None | int`
            Its sequence.
        data : `object`
            Its data.
        """
        connection = self.connection
        try:
            self.machine.begin_session(sequence, data, connection.is_secure)
        except PayloadError as exception:
            self.input_broken(exception)
            return
        
        self.counts.sessions += 1
        self._end_restore(False)
        connection.dispatcher.dispatch('READY', sequence, data)
        # A parser may have led to the end of the connection.
        if self.connection is connection:
            self._receive(INPUT_READY)
    
    
    def resumed_received(self, sequence, data):
        """
        RESUMED came: everything that was missed is replayed.
        
        Parameters
        ----------
        sequence : `None | int`
            Its sequence.
        data : `object`
            Its data.
        """
        sequence = self.machine.get_resumed_sequence(sequence)
        if sequence is None:
            return
        
        self.counts.resumes += 1
        self._end_restore(True)
        connection = self.connection
        connection.dispatcher.dispatch('RESUMED', sequence, data)
        if self.connection is connection:
            self._receive(INPUT_RESUMED)
    
    # ---- actions ----
    
    def _connect(self):
        compression = self.configuration.resolved_compression
        connection = GatewayConnection(self, self.client, self.machine.session, compression)
        self.connection = connection
        
        connection.dispatcher.observer = self.observer
        restored = self.restored
        if (restored is not None):
            connection.dispatcher.set_replay_filter(restored.replay_filter)
        
        connection.start(self.client.http, compression)
    
    
    def _release_connection(self):
        """Lets go of the connection: from here on nothing that it says is heard. Returns it, for the caller to close."""
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
    
    
    def _drop(self, code = CLOSE_CODE_KEEP_SESSION):
        """Gives the connection up, and keeps the session."""
        connection = self._release_connection()
        if (connection is not None):
            self._closing_task = connection.close(code)
    
    
    def _end(self):
        """Gives the connection up, and the session with it."""
        self._drop(CLOSE_CODE_END_SESSION)
    
    
    def _abort_connection(self):
        connection = self._release_connection()
        if (connection is not None):
            connection.abort()
    
    
    def _enqueue(self):
        self._ticket = self.identify_queue.enqueue(self, self.shard_id)
    
    
    def _leave_queue(self):
        ticket = self._ticket
        if (ticket is not None):
            self._ticket = None
            self.identify_queue.withdraw(ticket)
    
    
    def _set_ready(self):
        """Says that IDENTIFY could be sent."""
        if self._ticket is None:
            self._enqueue()
        
        self.identify_queue.set_ready(self._ticket)
    
    
    def _start_heartbeat(self):
        """HELLO came: heartbeats start, and with them the send window of the connection."""
        web_socket = self.connection.web_socket
        interval = self.heartbeat_interval
        self.send_queue.connect(web_socket, interval)
        
        kokoro = self.kokoro
        if kokoro is None:
            self.kokoro = kokoro = Kokoro(self)
        
        kokoro.start(web_socket, interval, random())
    
    
    def _identify(self):
        self.counts.identifies += 1
        self.send_queue.send_reserved(to_json(build_client_identify_payload(self.client, self.shard_id)))
    
    
    def _resume(self):
        session = self.machine.session
        self.send_queue.send_reserved(
            to_json(build_resume_payload(self.client.token, session.session_id, session.sequence))
        )
    
    
    def _open_sends(self):
        """READY or RESUMED is reached: what the bot sends goes out."""
        self.send_queue.open()
        
        waiter = self._waiter
        if (waiter is not None):
            self._waiter = None
            waiter.set_result_if_pending(True)
    
    
    def _end_offline(self):
        """The run is over, because no connection could be made: hata launches the gateway again."""
        # Who sent something meanwhile may still be waiting.
        self.send_queue.pause()
        self._end_run(True)
    
    
    def _report_no_connection(self):
        self.connect_troubles.timed_out(STATE_CONNECTING)
    
    
    def _report_no_hello(self):
        self.connect_troubles.timed_out(STATE_GREETING)
    
    
    # What the machine may ask for. `MACHINE_ACTIONS` it does itself.
    ACTIONS = {
        ACTION_ABORT: _abort_connection,
        ACTION_CONNECT: _connect,
        ACTION_DROP: _drop,
        ACTION_END: _end,
        ACTION_END_OFFLINE: _end_offline,
        ACTION_ENQUEUE: _enqueue,
        ACTION_HEARTBEAT: _start_heartbeat,
        ACTION_IDENTIFY: _identify,
        ACTION_LEAVE_QUEUE: _leave_queue,
        ACTION_OPEN_SENDS: _open_sends,
        ACTION_REPORT_NO_CONNECTION: _report_no_connection,
        ACTION_REPORT_NO_HELLO: _report_no_hello,
        ACTION_RESUME: _resume,
        ACTION_SET_READY: _set_ready,
    }
