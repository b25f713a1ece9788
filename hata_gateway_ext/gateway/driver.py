"""
Drives the session of a shard: tells the machine of ``protocol.session`` what happened, and does what it says.

Everything here is synchronous and runs on the loop of the client: an input is taken over, the actions are done, the timer
is armed, and only then anything else happens. The only thing that takes time, connecting, is a task of the connection.
"""
__all__ = ('SessionDriver',)

from random import random

from hata import InvalidToken, KOKORO
from scarletio import Future, LOOP_TIME, to_json

from ..configuration import SHUTDOWN_SUSPEND
from ..errors import GatewayCloseReport, create_fatal_exception
from ..protocol.close_codes import CLOSE_CODES
from ..protocol.errors import ProtocolError
from ..protocol.heartbeat import STALL_TOLERANCE
from ..protocol.operations import build_heartbeat_payload
from ..protocol.transitions import (
    INPUT_ABORT, INPUT_CLOSE, INPUT_CONNECTED, INPUT_CONNECT_FAILED, INPUT_NEAR, INPUT_OFFLINE, INPUT_PERMIT,
    INPUT_START, INPUT_SUSPEND, INPUT_TERMINATE, INPUT_TIMEOUT, INPUT_ZOMBIE, STATE_CONNECTING, STATE_FAILED,
    STATE_GREETING, STATE_IDENTIFYING, STATE_QUEUED, STATE_RESUMING, STATE_STOPPED, STATE_WAITING
)
from ..connection.connect_failures import API_HOST, classify_connect_failure
from .discovery import LOOK_UP_ERRORS
from .session_actions import SessionActions

# Seconds between a deadline that passed and the verdict, in which the loop reads what is there.
SECOND_LOOK_DELAY = 0.05

# Seconds until the timer runs out at the latest, to be armed again. scarletio's loop ends when it is to sleep for longer than
# 24 days, and the end of a long offline timeout may be that far away.
TIMER_MAXIMUM = 86400.0

# The states in which the session is not driven.
ENDED_STATES = frozenset((STATE_STOPPED, STATE_FAILED))

# The states in which there is no connection, or none that said HELLO.
OFFLINE_STATES = frozenset((STATE_WAITING, STATE_QUEUED, STATE_CONNECTING, STATE_GREETING))
DOWN_STATES = frozenset((*ENDED_STATES, *OFFLINE_STATES))


class SessionDriver(SessionActions):
    """
    Drives the session of a shard.
    """
    __slots__ = ()
    
    # ---- for the shard ----
    
    def is_running(self):
        """
        Returns whether the session is driven.
        
        Returns
        -------
        is_running : `bool`
        """
        return self._result is not None
    
    
    def is_connected(self):
        """
        Returns whether there is a connection that said HELLO.
        
        Returns
        -------
        is_connected : `bool`
        """
        return self.machine.state not in DOWN_STATES
    
    
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
        self._offline_since = None
        
        try:
            self.send_queue.start()
            self.receive(INPUT_START)
            return await result
        
        finally:
            self._result = None
            if self.machine.state not in ENDED_STATES:
                # The run was cancelled.
                self._stop(INPUT_ABORT, False)
            
            if (waiter is not None):
                waiter.set_result_if_pending(False)
    
    
    def _stop(self, input_, outcome):
        """
        Stops the session.
        
        Parameters
        ----------
        input_ : `str`
            How: ``INPUT_CLOSE``, ``INPUT_SUSPEND``, ``INPUT_ABORT`` or ``INPUT_OFFLINE``.
        outcome : `bool`
            The outcome of the run.
        
        Returns
        -------
        closing_task : `None | Task`
            Done when the connection is closed.
        """
        self._closing_task = None
        self.receive(input_)
        
        if outcome:
            # Offline: hata launches the gateway again, and who sent something meanwhile may still be waiting.
            self.send_queue.pause()
        else:
            self.send_queue.stop()
        
        result = self._result
        if (result is not None):
            result.set_result_if_pending(outcome)
        
        return self._closing_task
    
    
    def close(self):
        """
        Ends the session.
        
        Returns
        -------
        closing_task : `None | Task`
            Done when the connection is closed.
        """
        return self._stop(INPUT_CLOSE, False)
    
    
    def suspend(self, outcome = False):
        """
        Stops, and keeps the session at Discord, so that it can be resumed.
        
        Parameters
        ----------
        outcome : `bool` = `False`, Optional
            The outcome of the run.
        
        Returns
        -------
        closing_task : `None | Task`
            Done when the connection is closed.
        """
        return self._stop(INPUT_SUSPEND, outcome)
    
    
    def abort(self):
        """
        Stops at once. The session is kept.
        """
        self._stop(INPUT_ABORT, False)
    
    
    def terminate(self):
        """
        Gives the connection up; if the session is driven, a new one is made.
        
        Returns
        -------
        closing_task : `None | Task`
            Done when the old connection is closed.
        """
        self._closing_task = None
        self.receive(INPUT_TERMINATE)
        return self._closing_task
    
    
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
        
        Returns
        -------
        next_permit_at : `float`
            Monotonic time, in seconds.
        """
        return self.send_queue.window.get_next_permit_at(LOOP_TIME(), True)
    
    
    # ---- the machine ----
    
    def receive(self, input_):
        """
        Gives the machine an input, and does what it says.
        
        Parameters
        ----------
        input_ : `str`
            What happened.
        """
        self.perform(self.machine.receive(input_, LOOP_TIME(), random()))
    
    
    def perform(self, actions):
        """
        Does what the machine says.
        
        Parameters
        ----------
        actions : `None | tuple<str>`
            What to do, in order.
        """
        if actions is None:
            return
        
        for action in actions:
            method = self._ACTIONS.get(action, None)
            if (method is not None):
                method(self)
        
        self._arm()
    
    
    def _arm(self):
        """
        Arms the timer for the deadline of the machine.
        """
        handle = self._handle
        if (handle is not None):
            self._handle = None
            handle.cancel()
        
        machine = self.machine
        deadline = machine.deadline
        offline_at = self._get_offline_at()
        if (offline_at is not None) and ((deadline is None) or (offline_at < deadline)):
            deadline = offline_at
        
        if (deadline is not None):
            self._sequence_when_armed = machine.session.sequence
            self._looked_at = None
            self._handle = KOKORO.call_at(min(deadline, LOOP_TIME() + TIMER_MAXIMUM), self._wake_up)
    
    
    def _get_offline_at(self):
        """
        Returns when the run ends because no connection could be made.
        
        Returns
        -------
        offline_at : `None | float`
            Monotonic time, in seconds.
        """
        offline_timeout = self.configuration.offline_timeout
        offline_since = self._offline_since
        if (offline_timeout is None) or (offline_since is None) or (self.machine.state not in OFFLINE_STATES):
            return None
        
        return offline_since + offline_timeout
    
    
    def _wake_up(self):
        """
        The timer ran out.
        """
        self._handle = None
        
        # A client that suspends its gateway does so a little later, and keeps the session.
        if (not self.client.running) and (self.configuration.shutdown != SHUTDOWN_SUSPEND):
            self.close()
            return
        
        machine = self.machine
        now = LOOP_TIME()
        
        offline_at = self._get_offline_at()
        if (offline_at is not None) and (now >= offline_at):
            self._stop(INPUT_OFFLINE, True)
        
        elif machine.state == STATE_WAITING:
            self.perform(machine.delay_over(now, random()))
        
        elif machine.deadline is None:
            # Woken up before the end of the offline timeout.
            self._arm()
        
        elif self._makes_progress():
            machine.extend(now)
            self._arm()
        
        elif self._looked_at is None:
            # The loop runs timers before it reads. What is waited for may be there already, above all after a stall.
            self._looked_at = now
            late = (now - machine.deadline > SECOND_LOOK_DELAY)
            self._handle = KOKORO.call_at(now + (STALL_TOLERANCE if late else SECOND_LOOK_DELAY), self._wake_up)
        
        else:
            self.connect_troubles.timed_out(machine.state)
            self.receive(INPUT_TIMEOUT)
    
    
    def _makes_progress(self):
        """
        Returns whether what is waited for is on its way: events are being replayed, or wait to be handled by us.
        
        Returns
        -------
        makes_progress : `bool`
        """
        state = self.machine.state
        if (state != STATE_IDENTIFYING) and (state != STATE_RESUMING):
            return False
        
        if self.connection.web_socket.has_backlog:
            return True
        
        return (state == STATE_RESUMING) and (self.machine.session.sequence != self._sequence_when_armed)
    
    # ---- from the identify queue ----
    
    def identify_near(self):
        """
        The turn of the shard to identify is near.
        """
        self.receive(INPUT_NEAR)
    
    
    def identify_permitted(self):
        """
        It is the shard's turn to identify.
        """
        self._ticket = None
        self.receive(INPUT_PERMIT)
    
    
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
    
    # ---- from the connection ----
    
    async def get_gateway_url(self):
        """
        Returns where to connect to.
        
        This method is a coroutine.
        
        Returns
        -------
        url : `str`
        """
        if self.machine.should_use_resume_url():
            return self.machine.session.resume_gateway_url
        
        return await self.discovery.get_url()
    
    
    def connected(self):
        """
        The web socket is connected. HELLO comes next.
        """
        self.receive(INPUT_CONNECTED)
    
    
    def connect_failed(self, report):
        """
        No connection could be made.
        
        Parameters
        ----------
        report : ``GatewayConnectReport``
            What was wrong.
        """
        self.connect_troubles.failed(report)
        self.machine.retry_after = report.retry_after
        self.connection = None
        self.receive(INPUT_CONNECT_FAILED)
    
    
    def fail(self, exception):
        """
        The session cannot be driven any more.
        
        Parameters
        ----------
        exception : `BaseException`
            What `run` raises.
        """
        result = self._result
        if (result is not None):
            result.set_exception_if_pending(exception)
        
        self._stop(INPUT_ABORT, False)
    
    
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
            self.messages.input_broken(exception)
            return
        
        known = CLOSE_CODES.get(close_code, None)
        if (known is not None) and known.reported:
            self.reports.report(GatewayCloseReport(close_code, self.shard_id))
        
        self.perform(self.machine.closed(close_code, LOOP_TIME(), random()))
        
        if self.machine.state == STATE_FAILED:
            self.fail(create_fatal_exception(close_code))
    
    
    def greeted(self):
        """
        HELLO came: there is a connection.
        """
        self.counts.connects += 1
        self._offline_since = None
        self.connect_troubles.over()
        self.perform(self.machine.hello(LOOP_TIME(), random()))
    
    # ---- from the heart ----
    
    def zombie_found(self, verdict):
        """
        The connection is dead.
        
        Parameters
        ----------
        verdict : `str`
            Why.
        """
        self.receive(INPUT_ZOMBIE)
