"""
From a received message to hata's parsers: the hot path of the gateway.

Why it looks as it does: for an event that nobody needs, inflating is nearly all that has to be done, so each attribute
lookup and each call counts. ``Dispatcher.messages_received`` is one loop with everything in local variables; it takes
the messages out of the frame reader itself. What is not an event in its usual form, next in order, for a parser that is
known, leaves the loop for ``DispatcherBase``, where everything is checked and nothing is fast.

Which events are needed is hata's decision, and may change at any time: hata puts the parser that fits the current event
handlers into ``PARSERS``, and for many events that parser is an empty function. Whether a function is empty is found
out from its code, once for each function, so it is right as well for parsers that a bot brings along. ``PARSERS``
itself is looked into for every event.
"""
__all__ = ('Dispatcher',)

from hata.discord.events.core import PARSERS
from scarletio import LOOP_TIME, copy_docs

from ..protocol.compression import COMPRESSION_NONE
from ..protocol.envelope import HEAD_SIZE, KNOWN_HEADS, load_payload
from ..protocol.errors import InflateError, PayloadError
from ..protocol.operations import DISPATCH
from .dispatcher_base import DispatcherBase
from .inert_parsers import INERT_PARSERS


# Bytes of payload after which the clock is looked at. About ten usual events, so looking costs nothing, and a turn is
# overrun by no more than these.
CLOCK_INTERVAL = 8192

# Stands for ``KNOWN_HEADS`` while no event is handled the fast way.
NO_HEADS = {}


class Dispatcher(DispatcherBase):
    """
    Receives the messages of one connection.
    
    Attributes
    ----------
    _messages : `None | iterable<None | bytes>`
        The messages that ``._payloads`` is made of.
    _payloads : `None | iterable<None | bytes>`
        Inflates the messages of the connection.
    """
    __slots__ = ('_messages', '_payloads')
    
    @copy_docs(DispatcherBase.__new__)
    def __new__(cls, client, session, handler, inflater):
        self = DispatcherBase.__new__(cls, client, session, handler, inflater)
        self._messages = None
        self._payloads = None
        return self
    
    
    def message_received(self, data, is_text):
        """
        Handles a message.
        
        Parameters
        ----------
        data : `bytes`
            The message.
        is_text : `bool`
            Whether it was sent as text. A text is a payload as it is.
        """
        if self._stopped:
            return
        
        if is_text and (self.inflater.name != COMPRESSION_NONE):
            self._break(InflateError('A text came over a compressed connection.'))
            return
        
        self.messages_received((data,), 0.0)
    
    
    def messages_received(self, messages, deadline):
        """
        Handles binary messages.
        
        Parameters
        ----------
        messages : `iterable<None | bytes>`
            The messages. `None` is the end for now.
        deadline : `float`
            The loop's time at which to stop.
        
        Returns
        -------
        is_over : `bool`
            Whether the deadline ended it. `False` if there was no further message.
        """
        if self._stopped:
            return self._discard(messages)
        
        # The inflating iterator of a connection's frames is kept, so that each turn goes on with it.
        if messages is self._messages:
            payloads = self._payloads
        else:
            payloads = self.inflater.inflate(messages)
            self._messages = messages
            self._payloads = payloads
        
        client = self.client
        clock = LOOP_TIME
        dispatch = DISPATCH
        head_size = HEAD_SIZE
        inert_parsers = INERT_PARSERS
        load = load_payload
        observer = self.observer
        parsers = PARSERS
        session = self.session
        
        dispatched = 0
        heads = NO_HEADS if self._detour else KNOWN_HEADS
        interval = CLOCK_INTERVAL
        sequence = session.sequence
        skipped = 0
        if sequence is None:
            heads = NO_HEADS
            sequence = 0
        
        try:
            for payload in payloads:
                if payload is None:
                    return False
                
                try:
                    name, head_format = heads[payload[: head_size]]
                    parser = parsers[name]
                    if inert_parsers[parser]:
                        if not payload.startswith(head_format % (sequence + 1)):
                            raise KeyError
                        
                        sequence += 1
                        session.sequence = sequence
                        skipped += 1
                        interval -= len(payload)
                        if interval > 0:
                            continue
                        
                        if clock() >= deadline:
                            return True
                        
                        interval = CLOCK_INTERVAL
                        continue
                    
                    message = load(payload)
                    data = message['d']
                    received_sequence = message['s']
                    if (
                        (received_sequence != sequence + 1)
                        # Neither `0.0` nor `false` is a dispatch.
                        or (message['op'] is not dispatch)
                        or (message['t'] != name)
                        or (type(received_sequence) is not int)
                    ):
                        raise KeyError
                
                except (KeyError, TypeError, ValueError, PayloadError):
                    # Not what it looks like, and nothing came of it yet. It is handled below, out of reach of the
                    # exception, which may hold the payload.
                    pass
                
                else:
                    if (data is not None):
                        try:
                            parser(client, data)
                        except BaseException as exception:
                            self._report(name, exception)
                        
                        if (observer is not None):
                            observer(name, data)
                    
                    dispatched += 1
                    if self._detour:
                        # The parser led to our end, and perhaps to that of the session.
                        if session.sequence == sequence:
                            session.sequence = sequence + 1
                        
                        if self._stopped:
                            return self._discard(messages)
                        
                        sequence += 1
                        heads = NO_HEADS
                        continue
                    
                    sequence += 1
                    session.sequence = sequence
                    interval -= len(payload)
                    if interval > 0:
                        continue
                    
                    if clock() >= deadline:
                        return True
                    
                    interval = CLOCK_INTERVAL
                    continue
                
                self._handle_payload(payload)
                if self._stopped:
                    return self._discard(messages)
                
                heads = NO_HEADS if self._detour else KNOWN_HEADS
                sequence = session.sequence
                if sequence is None:
                    heads = NO_HEADS
                    sequence = 0
                
                if clock() >= deadline:
                    return True
        
        except InflateError as exception:
            self._break(exception)
            return self._discard(messages)
        
        finally:
            self.dispatched += dispatched
            self.skipped += skipped
        
        return False
    
    
    def _discard(self, messages):
        """
        Throws messages away, so that what is behind them is reached.
        
        Parameters
        ----------
        messages : `iterable<None | bytes>`
            The messages.
        
        Returns
        -------
        is_over : `bool`
            Always `False`.
        """
        for message in messages:
            if message is None:
                break
        
        return False
