"""
A prepared stream: payloads that are at hand before they are asked for, so that sending them costs next to nothing and the
reader is what is measured.

As a flood they are compressed and framed for a connection once READY and the guilds are sent, and lie ready until the
stream is started. The context of a compression runs on through all that a connection is sent, so whatever else is to be
sent meanwhile (acknowledgements above all) waits, and goes out behind them. At a rate each payload is compressed when it is
due, and anything may come in between.
"""
__all__ = ('Stream',)

from .payloads import decode_json, encode_json

# Seconds. A timer costs the loop some 20 µs, so a rate of over 1000 a second goes out in bursts.
INTERVAL_MIN = 0.001


class Stream:
    """
    A prepared stream into the sessions of a shard. It begins once for each connection that gets READY.
    
    Attributes
    ----------
    discord : ``LocalDiscord``
        The local Discord.
    is_started : `bool`
        Whether payloads may go out.
    payloads : ``tuple<bytes>``
        Whole payloads, as JSON.
    preface : ``None | tuple<bytes>``
        What goes out instead of READY and the guilds.
    prepared_count : `int`
        How many connections it is prepared for.
    rate : `None | float`
        Payloads a second. `None`: all at once.
    sent_count : `int`
        How many payloads were sent, to all connections.
    shard_id : `int`
        The shard.
    wire_size : `int`
        Bytes of the web socket frames of the connection that it was prepared for last. Only known of a flood.
    _connections : ``dict<Connection, int>``
        The connections that it is not over for, with how many payloads each was sent.
    _handles : ``dict<Connection, TimerHandle>``
        What sends the next payloads of a connection, at a rate.
    _sequence : `int`
        The sequence of the last payload.
    """
    __slots__ = (
        '_connections', '_handles', '_sequence', 'discord', 'is_started', 'payloads', 'preface', 'prepared_count', 'rate',
        'sent_count', 'shard_id', 'wire_size',
    )
    
    def __new__(cls, discord, shard_id, payloads, preface, rate, is_started):
        """The parameters are the attributes."""
        if (rate is not None) and (not (rate > 0.0)):
            raise ValueError(f'`rate` can be `None` or greater than 0.0, got {rate!r}.')
        
        payloads = tuple(payloads)
        sequence = 0
        for payload in reversed(payloads):
            sequence = decode_json(payload).get('s', None) or 0
            if sequence:
                break
        
        self = object.__new__(cls)
        self._connections = {}
        self._handles = {}
        self._sequence = sequence
        self.discord = discord
        self.is_started = is_started
        self.payloads = payloads
        self.preface = None if preface is None else tuple(preface)
        self.prepared_count = 0
        self.rate = rate
        self.sent_count = 0
        self.shard_id = shard_id
        self.wire_size = 0
        return self
    
    
    def __repr__(self):
        """Returns the representation of the stream, without what it carries."""
        return (
            f'<{type(self).__name__} shard_id = {self.shard_id!r}, payloads = {len(self.payloads)!r}, rate = '
            f'{self.rate!r}, sent_count = {self.sent_count!r}>'
        )
    
    
    def start(self):
        """
        Lets the payloads go out to the connections that it is prepared for. To later ones they go out as soon as READY and
        the guilds did.
        """
        self.discord.call(self._start)
    
    
    def _start(self):
        self.is_started = True
        for connection in list(self._connections):
            self._send(connection)
    
    
    def stop(self):
        """
        Ends the stream. What was prepared and not sent goes out, since the compression counts on it.
        """
        self.discord.call(self._stop)
    
    
    def _stop(self):
        core = self.discord.core
        if core.streams.get(self.shard_id, None) is self:
            del core.streams[self.shard_id]
        
        for handle in self._handles.values():
            handle.cancel()
        
        self._handles.clear()
        for connection in list(self._connections):
            if self.rate is None:
                self._send(connection)
            else:
                self._finish(connection)
    
    
    def build_preface(self, session, resume_gateway_url):
        """
        Returns the payloads to send instead of READY and the guilds. READY names the session, so that it can be resumed.
        """
        payloads = []
        for payload in self.preface:
            value = decode_json(payload)
            if value['t'] == 'READY':
                value['d'].update(
                    session_id = session.session_id, resume_gateway_url = resume_gateway_url,
                    shard = [session.shard_id, session.shard_count],
                )
                payload = encode_json(value)
            
            session.sequence = max(session.sequence, value['s'] or 0)
            payloads.append(payload)
        
        return payloads
    
    
    def attach(self, connection):
        """
        Begins for a connection that was sent READY and the guilds.
        """
        self._connections[connection] = 0
        self.prepared_count += 1
        # What is sent is not kept, so a resume has to come from where the stream ends.
        connection.session.leap(max(self._sequence, connection.session.sequence))
        
        if self.rate is None:
            outbox = connection.outbox
            outbox.hold(self)
            before = outbox.total
            for payload in self.payloads:
                connection.send_payload(payload)
            
            self.wire_size = outbox.total - before
        
        if self.is_started:
            self._send(connection)
        
        self.discord.core.recording.changed()
    
    
    def _send(self, connection):
        if self.rate is not None:
            # At a rate the first one is due at once.
            if connection not in self._handles:
                self._send_due(connection, self.discord.core.now() - 1.0 / self.rate)
            
            return
        
        count = len(self.payloads)
        connection.record.dispatched += count
        self.sent_count += count
        self._finish(connection)
        connection.outbox.release(self)
    
    
    def _send_due(self, connection, started_at):
        self._handles.pop(connection, None)
        if not connection.is_open:
            self._finish(connection)
            return
        
        core = self.discord.core
        sent_count = self._connections[connection]
        due_count = min(int((core.now() - started_at) * self.rate), len(self.payloads))
        for payload in self.payloads[sent_count : due_count]:
            connection.send_payload(payload)
        
        connection.record.dispatched += due_count - sent_count
        self.sent_count += due_count - sent_count
        self._connections[connection] = due_count
        if due_count == len(self.payloads):
            self._finish(connection)
            return
        
        next_at = max(started_at + (due_count + 1) / self.rate, core.now() + INTERVAL_MIN)
        self._handles[connection] = core.call_later(next_at - core.now(), self._send_due, connection, started_at)
    
    
    def _finish(self, connection):
        self._connections.pop(connection, None)
        self.discord.core.recording.changed()
