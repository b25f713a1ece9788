"""
The heart of a shard: the heartbeat clock of ``protocol.heartbeat``, with a timer and a connection.
"""
__all__ = ('Kokoro',)

from hata import KOKORO
from hata.discord.gateway.constants import INTERVAL_DEFAULT, LATENCY_DEFAULT
from scarletio import LOOP_TIME, RichAttributeErrorBaseType

from ..protocol.heartbeat import HEARTBEAT_BEAT, HeartbeatClock


class Kokoro(RichAttributeErrorBaseType):
    """
    Beats for a shard. It needs no task: a timer wakes it up when a heartbeat is due, or when the peer is overdue.
    
    Attributes
    ----------
    _clock : ``None | HeartbeatClock``
        The clock of the current connection.
    _driver : ``SessionDriver``
        Whose heart it is. Its `send_heartbeat()` sends, its `zombie_found(verdict)` is told of a dead connection.
    _web_socket : ``None | GatewayWebSocket``
        The current connection.
    interval : `float`
        Seconds between two heartbeats.
    last_answer : `float`
        When the last acknowledgement came; monotonic time, in seconds. `0.0` before the first.
    last_send : `float`
        When the last heartbeat was sent; monotonic time, in seconds. `0.0` before the first.
    latencies : `tuple<float>`
        The latest round trips, in seconds, oldest first. They outlive connections.
    latency : `float`
        The latest round trip, in seconds; `9999.0` before the first.
    runner : `None | TimerHandle`
        Wakes it up; `None` while it does not beat.
    """
    __slots__ = (
        '_clock', '_driver', '_web_socket', 'interval', 'last_answer', 'last_send', 'latency', 'runner'
    )
    
    def __new__(cls, driver):
        """
        Creates a heart that does not beat yet.
        
        Parameters
        ----------
        driver : ``SessionDriver``
            Whose heart it is.
        """
        self = object.__new__(cls)
        self._clock = None
        self._driver = driver
        self._web_socket = None
        self.interval = INTERVAL_DEFAULT
        self.last_answer = 0.0
        self.last_send = 0.0
        self.latency = LATENCY_DEFAULT
        self.runner = None
        return self
    
    
    def __repr__(self):
        """Returns kokoro's representation."""
        state = 'dormant' if self.runner is None else 'beating'
        return (
            f'<{type(self).__name__} shard_id = {self._driver.shard_id!r}, state = {state}, '
            f'interval = {self.interval!r}>'
        )
    
    
    @property
    def gateway(self):
        """
        The gateway whose heart it is.
        
        Returns
        -------
        gateway : ``DurableGatewayClientShard``
        """
        return self._driver.gateway
    
    
    @property
    def should_run(self):
        """
        Whether it beats.
        
        Returns
        -------
        should_run : `bool`
        """
        return self.runner is not None
    
    
    @property
    def latencies(self):
        clock = self._clock
        return () if clock is None else tuple(clock.latencies)
    
    
    def start(self, web_socket, interval, jitter):
        """
        Starts to beat on a connection.
        
        Parameters
        ----------
        web_socket : ``GatewayWebSocket``
            The connection.
        interval : `float`
            Seconds between two heartbeats.
        jitter : `float`
            A random number in `[0, 1)`.
        """
        self.stop()
        self._web_socket = web_socket
        self._clock = HeartbeatClock(LOOP_TIME(), interval, jitter, self.latencies)
        self.interval = interval
        self._schedule()
    
    
    def stop(self):
        """
        Stops beating.
        """
        self._web_socket = None
        runner = self.runner
        if (runner is not None):
            self.runner = None
            runner.cancel()
    
    
    def answered(self):
        """
        An acknowledgement came. While it does not beat nothing is changed.
        """
        # One that comes before HELLO is no answer to a heartbeat of this connection.
        if self.runner is None:
            return
        
        clock = self._clock
        now = LOOP_TIME()
        self.last_answer = now
        latency = clock.acknowledged(now)
        if (latency is not None):
            self.latency = latency
    
    
    def beat_now(self):
        """
        Sends a heartbeat out of turn, if there is a connection that said HELLO.
        
        Returns
        -------
        sent : `bool`
        """
        return self._beat(False)
    
    
    def _get_last_received_at(self, now):
        """
        Returns when anything was last received. What waits to be handled by us counts as received now.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        
        Returns
        -------
        last_received_at : `float`
        """
        web_socket = self._web_socket
        return now if web_socket.has_backlog else web_socket.last_received_at
    
    
    def _beat(self, scheduled):
        """
        Sends a heartbeat.
        
        Parameters
        ----------
        scheduled : `bool`
            Whether it is the one that is due.
        
        Returns
        -------
        sent : `bool`
        """
        web_socket = self._web_socket
        if (web_socket is None) or (not self._driver.send_heartbeat()):
            return False
        
        now = LOOP_TIME()
        self.last_send = now
        self._clock.beat_sent(now, web_socket.last_received_at, scheduled)
        if not scheduled:
            self._schedule()
        
        return True
    
    
    def _schedule(self):
        """
        Arms the timer.
        """
        runner = self.runner
        if (runner is not None):
            runner.cancel()
        
        wake_up_at = self._clock.get_wake_up_at(self._get_last_received_at(LOOP_TIME()))
        self.runner = KOKORO.call_at(wake_up_at, self._wake_up)
    
    
    def _wake_up(self):
        """
        The timer ran out.
        """
        clock = self._clock
        now = LOOP_TIME()
        action = clock.check(now, self._get_last_received_at(now))
        
        if action == HEARTBEAT_BEAT:
            if not self._beat(True):
                # The whole send window is exhausted, or the connection is just being lost.
                clock.postpone(max(self._driver.get_next_permit_at(), now + 0.05))
        
        elif (action is not None):
            self._driver.zombie_found(action)
            return
        
        self._schedule()
