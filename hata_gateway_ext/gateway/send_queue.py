"""
What the bot sends through a shard, first in, first out.

Three things can hold a payload up: the send window of Discord, a connection that is down, and a session that has not
reached READY or RESUMED yet. The first is waited for as long as it takes. For the others a payload waits at most a minute,
and at most 512 of them do: a voice state must not vanish because of a blip, and must not come out of nowhere after an
outage.

Heartbeats, IDENTIFY and RESUME never stand in the queue: they have permits of their own.
"""
__all__ = ('DOWN_QUEUE_LIMIT', 'DOWN_TIMEOUT', 'SendQueue')

from collections import deque

from hata import KOKORO
from scarletio import LOOP_TIME, RichAttributeErrorBaseType
from scarletio.web_common import ConnectionClosed

from ..errors import GatewaySendReport
from ..protocol.rate_limit import SendWindow
from .send_entry import SendEntry

# Seconds that a payload waits for a connection. What a user did a minute ago (join a voice channel, change a status) is
# what they still want; what is older is better not done.
DOWN_TIMEOUT = 60.0

# Payloads that wait for a connection: four full windows, two megabytes at most.
DOWN_QUEUE_LIMIT = 512


class SendQueue(RichAttributeErrorBaseType):
    """
    The send queue of a shard, hata's `rate_limit_handler`. Awaiting it waits for a permit, as with hata's.
    
    Attributes
    ----------
    _down_since : `float`
        When the connection was lost, or the shard started; monotonic time, in seconds.
    _handle : `None | TimerHandle`
        Wakes the queue up when the next permit is free, or when the oldest payload has waited for too long.
    _open : `bool`
        Whether READY or RESUMED came on the current connection.
    _reports : ``Reports``
        Where dropped payloads are reported.
    _running : `bool`
        Whether the shard runs.
    _web_socket : ``None | GatewayWebSocket``
        The current connection.
    dropped : `int`
        How many payloads were dropped so far.
    queue : `deque<SendEntry>`
        The payloads that wait.
    sent : `int`
        How many payloads were sent so far, heartbeats and the like included.
    shard_id : `int`
        The shard whose queue it is.
    trouble : `str`
        As what dropped payloads are reported. Each shard has troubles of its own.
    window : ``SendWindow``
        The send window of the current connection.
    """
    __slots__ = (
        '_down_since', '_handle', '_open', '_reports', '_running', '_web_socket', 'dropped', 'queue', 'sent', 'shard_id',
        'trouble', 'window'
    )
    
    def __new__(cls, shard_id, reports):
        """
        Creates the queue of a shard that does not run.
        
        Parameters
        ----------
        shard_id : `int`
            The shard whose queue it is.
        reports : ``Reports``
            Where dropped payloads are reported.
        """
        self = object.__new__(cls)
        self._down_since = 0.0
        self._handle = None
        self._open = False
        self._reports = reports
        self._running = False
        self._web_socket = None
        self.dropped = 0
        self.queue = deque()
        self.sent = 0
        self.shard_id = shard_id
        self.trouble = f'sends dropped {shard_id}'
        self.window = SendWindow()
        return self
    
    
    def __repr__(self):
        """Returns the send queue's representation."""
        return (
            f'<{type(self).__name__} shard_id = {self.shard_id!r}, open = {self._open!r}, '
            f'remaining = {self.remaining!r}, waiting = {len(self.queue)!r}>'
        )
    
    
    @property
    def is_open(self):
        """
        Whether payloads can be sent: READY or RESUMED came on the current connection.
        
        Returns
        -------
        is_open : `bool`
        """
        return self._open
    
    
    @property
    def remaining(self):
        """
        How many payloads can be sent at once before the send window is exhausted.
        
        Returns
        -------
        remaining : `int`
        """
        return self.window.get_remaining(LOOP_TIME())
    
    
    @property
    def resets_at(self):
        """
        When the next permit is free; not in the future if one is free now.
        
        Returns
        -------
        resets_at : `float`
            Monotonic time, in seconds.
        """
        return self.window.get_next_permit_at(LOOP_TIME())
    
    # ---- life of the shard ----
    
    def start(self):
        """
        The shard starts: payloads are accepted, and wait.
        """
        if not self._running:
            self._running = True
            # After a pause the payloads that wait go on waiting, and no longer than if there had been none.
            if not self.queue:
                self._down_since = LOOP_TIME()
    
    
    def pause(self):
        """
        The shard stops, and will be started again: who waits goes on waiting, as long as while the connection is down, and
        further payloads are dropped at once.
        """
        self._running = False
        self._schedule()
    
    
    def stop(self):
        """
        The shard stops: who waits is released, and further payloads are dropped at once.
        """
        self._running = False
        self._open = False
        self._web_socket = None
        self._reports.settle(self.trouble)
        self.cancel()
    
    
    def connect(self, web_socket, heartbeat_interval):
        """
        There is a new connection: it has a new send window. Only heartbeats, IDENTIFY and RESUME may be sent yet.
        
        Parameters
        ----------
        web_socket : ``GatewayWebSocket``
            The connection.
        heartbeat_interval : `float`
            Seconds between its heartbeats.
        """
        self._web_socket = web_socket
        self.window = SendWindow()
        self.window.set_heartbeat_interval(heartbeat_interval)
    
    
    def open(self):
        """
        READY or RESUMED came: what waited is sent, and the rest may be.
        """
        self._open = True
        self._reports.settle(self.trouble)
        self._advance()
    
    
    def disconnect(self):
        """
        The connection is lost: payloads wait for the next one.
        """
        self._web_socket = None
        if self._open:
            self._open = False
            self._down_since = LOOP_TIME()
        
        if self._running:
            self._schedule()
    
    
    def cancel(self):
        """
        Releases everyone who waits, without sending.
        """
        self._cancel_handle()
        
        queue = self.queue
        while queue:
            entry = queue.popleft()
            if entry.future.set_result_if_pending(False) and (entry.data is not None):
                self.dropped += 1
    
    # ---- sending ----
    
    def send_reserved(self, data):
        """
        Sends a heartbeat, an IDENTIFY or a RESUME: at once or not at all.
        
        Parameters
        ----------
        data : `str`
            The payload, as JSON.
        
        Returns
        -------
        sent : `bool`
            `False` if there is no connection, or if the whole send window is exhausted.
        """
        web_socket = self._web_socket
        if (web_socket is None) or (not self.window.take(LOOP_TIME(), True)):
            return False
        
        return self._write(web_socket, data)
    
    
    async def send(self, data):
        """
        Sends a payload, when its turn comes.
        
        This method is a coroutine.
        
        Parameters
        ----------
        data : `str`
            The payload, as JSON.
        
        Returns
        -------
        sent : `bool`
            `False` if it was dropped: the shard does not run, stopped, or was down for too long.
        """
        if not self._running:
            return False
        
        now = LOOP_TIME()
        
        if self._open and (not self.queue) and self.window.take(now):
            if self._write(self._web_socket, data):
                return True
        
        return await self._enqueue(data, now)
    
    
    def __await__(self):
        """
        Waits for a permit, in line with the payloads.
        
        This method is an awaitable generator.
        
        Returns
        -------
        permitted : `bool`
        """
        if not self._running:
            return False
        
        now = LOOP_TIME()
        if self._open and (not self.queue) and self.window.take(now):
            return True
        
        return (yield from self._enqueue(None, now).__await__())
    
    
    __iter__ = __await__
    
    
    async def _enqueue(self, data, now):
        """
        Queues a payload up and waits for it.
        
        This method is a coroutine.
        
        Parameters
        ----------
        data : `None | str`
            The payload, as JSON.
        now : `float`
            Monotonic time, in seconds.
        
        Returns
        -------
        sent : `bool`
        """
        queue = self.queue
        if (not self._open) and (len(queue) >= DOWN_QUEUE_LIMIT):
            self._leave_out_cancelled()
            if len(queue) >= DOWN_QUEUE_LIMIT:
                self._drop(1, f'{DOWN_QUEUE_LIMIT} payloads wait for a connection already')
                return False
        
        entry = SendEntry(data, now)
        queue.append(entry)
        if len(queue) == 1:
            self._schedule()
        
        return await entry.future
    
    
    def _leave_out_cancelled(self):
        """
        Takes the payloads out of the queue for which nobody waits any more.
        """
        queue = self.queue
        for _ in range(len(queue)):
            entry = queue.popleft()
            if not entry.future.is_done():
                queue.append(entry)
    
    
    def _write(self, web_socket, data):
        """
        Writes a payload. Its permit is taken already.
        
        Parameters
        ----------
        web_socket : ``GatewayWebSocket``
            The connection.
        data : `str`
            The payload, as JSON.
        
        Returns
        -------
        written : `bool`
        """
        try:
            web_socket.send_message(data)
        except ConnectionClosed:
            # The loss is on its way to the shard; `.disconnect` follows.
            return False
        
        self.sent += 1
        return True
    
    
    def _drop(self, count, reason):
        """
        Counts and reports dropped payloads.
        
        Parameters
        ----------
        count : `int`
            How many are dropped.
        reason : `str`
            Why.
        """
        self.dropped += count
        self._reports.report_once(
            self.trouble,
            GatewaySendReport(
                f'Dropped {count} payload(s) that the bot sent: {reason}. Further ones are counted in the statistics.',
                self.shard_id,
                count,
            ),
        )
    
    
    def _advance(self):
        """
        Sends what may be sent now.
        """
        queue = self.queue
        window = self.window
        broken = False
        
        while queue and self._open:
            entry = queue[0]
            if entry.future.is_done():
                # Who waited for it was cancelled.
                queue.popleft()
                continue
            
            if not window.take(LOOP_TIME()):
                break
            
            if (entry.data is not None) and (not self._write(self._web_socket, entry.data)):
                broken = True
                break
            
            queue.popleft()
            entry.future.set_result_if_pending(True)
        
        if not broken:
            self._schedule()
    
    
    def _expire(self):
        """
        Drops what has waited for a connection for too long.
        """
        queue = self.queue
        limit = LOOP_TIME() - DOWN_TIMEOUT
        count = 0
        
        if self._down_since <= limit:
            while queue and (queue[0].enqueued_at <= limit):
                entry = queue.popleft()
                if entry.future.set_result_if_pending(False) and (entry.data is not None):
                    count += 1
        
        if count:
            self._drop(count, f'there was no connection for {DOWN_TIMEOUT:.0f} seconds')
        
        self._schedule()
    
    
    def _schedule(self):
        """
        Arms the timer of the queue for what comes next.
        """
        self._cancel_handle()
        
        queue = self.queue
        if not queue:
            return
        
        if self._open:
            wake_up_at = self.window.get_next_permit_at(LOOP_TIME())
        else:
            wake_up_at = max(queue[0].enqueued_at, self._down_since) + DOWN_TIMEOUT
        
        self._handle = KOKORO.call_at(wake_up_at, self._wake_up)
    
    
    def _wake_up(self):
        """
        The timer of the queue ran out.
        """
        self._handle = None
        if self._open:
            self._advance()
        else:
            self._expire()
    
    
    def _cancel_handle(self):
        """
        Disarms the timer of the queue.
        """
        handle = self._handle
        if (handle is not None):
            self._handle = None
            handle.cancel()
