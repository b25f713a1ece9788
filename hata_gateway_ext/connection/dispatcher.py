"""
From received messages to hata's parsers: the hot path of the gateway.

Why it looks as it does: for an event that nobody needs, inflating is nearly all that has to be done, so each attribute
lookup and each call counts. Messages come in batches. A batch is inflated in one go, and the first bytes of its payloads,
of which most are alike, tell what it needs:

- If nobody needs any of its events, the first bytes and the sequence of the last one are all that is looked at.
- If all of its events are needed, they are decoded, and what they are is read from what came out.
- Else it is decided event by event.

What is not an event in its usual form, next in order, for a parser that is known, leaves the loop for
``DispatcherBase``, where everything is checked and nothing is fast.

Which events are needed is hata's decision, and may change at any time: hata puts the parser that fits the current event
handlers into ``PARSERS``, and for many events that parser is an empty function. Whether a function is empty is found
out from its code, once for each function, so it is right as well for parsers that a bot brings along. ``PARSERS``
itself is looked into for every batch before anything of it is handled, and for every event that is handed over.
"""
__all__ = ('Dispatcher',)

from hata.discord.events.core import PARSERS
from scarletio import LOOP_TIME, copy_docs

from ..protocol.compression_format import COMPRESSION_NONE
from ..protocol.envelope import KNOWN_HEADS, get_head, load_payload
from ..protocol.errors import InflateError, PayloadError
from ..protocol.operations import DISPATCH
from .dispatcher_base import DispatcherBase
from ..client.parsers import INERT_PARSERS


# Events that are handed over between two looks at the clock. With hata's own parsers and a handler an event costs 9 µs on
# average beyond the gateway (measured by the benchmark `bot`), so a turn is overrun by some tenths of a millisecond.
CLOCK_INTERVAL = 16


class Dispatcher(DispatcherBase):
    """
    Receives the messages of one connection.
    
    Attributes
    ----------
    _left : `None | (list<bytes>, None | list<bytes>, None | InflateError, int)`
        What is left of a batch that was not handled in time: its payloads, the messages that brought them if they are
        aligned, what is wrong behind it, and the index of the first payload that is not handled.
    """
    __slots__ = ('_left',)
    
    @copy_docs(DispatcherBase.__new__)
    def __new__(cls, client, session, handler, inflater):
        self = DispatcherBase.__new__(cls, client, session, handler, inflater)
        self._left = None
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
    
    
    def messages_received(self, frames, deadline):
        """
        Handles binary messages.
        
        Parameters
        ----------
        frames : `iterable<None | bytes | list<bytes>>`
            Messages and batches of messages (see ``FrameReader``). `None` is the end for now.
        deadline : `float`
            The loop's time at which to stop.
        
        Returns
        -------
        is_over : `bool`
            Whether the deadline ended it. `False` if there was no further message.
        """
        if self._stopped:
            return self._discard(frames)
        
        left = self._left
        if (left is not None):
            self._left = None
            if self._handle_on(*left, deadline):
                return True
            
            if self._stopped:
                return self._discard(frames)
            
            left = None
        
        inflater = self.inflater
        inflate_batch = inflater.inflate_batch
        
        for batch in frames:
            if batch is None:
                return False
            
            payloads = []
            messages = None
            trouble = None
            try:
                if type(batch) is list:
                    if inflate_batch(batch, payloads):
                        messages = batch
                else:
                    payload = inflater.feed(batch)
                    if (payload is not None):
                        payloads.append(payload)
            
            except InflateError as exception:
                trouble = exception
            
            if self._handle_on(payloads, messages, trouble, 0, deadline):
                return True
            
            if self._stopped:
                return self._discard(frames)
        
        return False
    
    
    def _handle_on(self, payloads, messages, trouble, index, deadline):
        """
        Handles what is left of a batch.
        
        Parameters
        ----------
        payloads : `list<bytes>`
            The payloads.
        messages : `None | list<bytes>`
            The messages that brought them, if they are aligned (see ``InflaterBase.realign``).
        trouble : ``None | InflateError``
            What is wrong with the message behind the last payload.
        index : `int`
            The index of the first payload that is not handled yet.
        deadline : `float`
            The loop's time at which to stop.
        
        Returns
        -------
        is_over : `bool`
            Whether the deadline ended it.
        """
        index = self._handle_batch(payloads, messages, index, deadline)
        if self._stopped:
            return False
        
        if index < len(payloads):
            self._left = (payloads, messages, trouble, index)
            return True
        
        if (trouble is not None):
            self._break(trouble)
            return False
        
        return LOOP_TIME() >= deadline
    
    
    def _handle_batch(self, payloads, messages, start, deadline):
        """
        Handles payloads until the deadline is over, or the dispatcher is stopped.
        
        Parameters
        ----------
        payloads : `list<bytes>`
            The payloads.
        messages : `None | list<bytes>`
            The messages that brought them, if they are aligned.
        start : `int`
            The index of the first payload that is not handled yet.
        deadline : `float`
            The loop's time at which to stop.
        
        Returns
        -------
        index : `int`
            The index of the first payload that is not handled yet.
        """
        session = self.session
        sequence = session.sequence
        if self._detour or (sequence is None):
            return self._handle_rest(payloads, messages, start, deadline)
        
        inert_parsers = INERT_PARSERS
        known_heads = KNOWN_HEADS
        parsers = PARSERS
        
        # Heads of events that nobody needs, and `None` for those that are handled with every check.
        special = {}
        inert_count = 0
        heads = set(map(get_head, payloads[start :] if start else payloads))
        for head in heads:
            try:
                entry = known_heads[head]
                if not inert_parsers[parsers[entry[0]]]:
                    continue
            except (KeyError, TypeError):
                entry = None
            else:
                inert_count += entry[2]
            
            special[head] = entry
        
        count = len(payloads)
        if special and (inert_count == len(heads)):
            # Nothing is done with any of them, so it does not matter in which order they came, if in none at all.
            payload = payloads[-1]
            sequence += count - start
            if not payload.startswith(special[get_head(payload)][1] % sequence):
                return self._handle_rest(payloads, messages, start, deadline)
            
            session.sequence = sequence
            self.skipped += count - start
            return count
        
        client = self.client
        dispatch = DISPATCH
        load = load_payload
        observer = self.observer
        
        expected_sequence = sequence + 1
        # The sequence of a payload is this and its index, if none is missing.
        base = expected_sequence - start
        # How many are handled here, but for those since `began_at`.
        handled = 0
        began_at = expected_sequence
        skipped = 0
        
        try:
            while True:
                for payload in payloads[start : start + CLOCK_INTERVAL]:
                    try:
                        if special:
                            head = get_head(payload)
                            if head in special:
                                # A `TypeError` if it is handled with every check.
                                name, head_format, is_distinct = special[head]
                                if inert_parsers[parsers[name]]:
                                    if not payload.startswith(head_format % expected_sequence):
                                        raise KeyError
                                    
                                    session.sequence = expected_sequence
                                    expected_sequence += 1
                                    skipped += 1
                                    continue
                        
                        message = load(payload)
                        data = message['d']
                        name = message['t']
                        sequence = message['s']
                        if (
                            (sequence != expected_sequence)
                            # Neither `0.0` nor `false` is a dispatch.
                            or (message['op'] is not dispatch)
                            or (type(sequence) is not int)
                        ):
                            raise KeyError
                        
                        parser = parsers[name]
                    
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
                        
                        expected_sequence += 1
                        if self._detour:
                            # The parser led to our end, and perhaps to that of the session.
                            if session.sequence == sequence - 1:
                                session.sequence = sequence
                            
                            return self._handle_rest(payloads, messages, expected_sequence - base, deadline)
                        
                        session.sequence = sequence
                        continue
                    
                    index = expected_sequence - base
                    if not self._handle_irregular(payloads, messages, index):
                        return count
                    
                    sequence = session.sequence
                    if self._detour or (sequence is None):
                        return self._handle_rest(payloads, messages, index + 1, deadline)
                    
                    handled += expected_sequence - began_at
                    began_at = expected_sequence = sequence + 1
                    base = sequence - index
                
                start += CLOCK_INTERVAL
                if start >= count:
                    return count
                
                if LOOP_TIME() >= deadline:
                    return start
        
        finally:
            self.dispatched += handled + expected_sequence - began_at - skipped
            self.skipped += skipped
    
    
    def _handle_irregular(self, payloads, messages, index):
        """
        Handles a payload that is not what it looks like.
        
        Parameters
        ----------
        payloads : `list<bytes>`
            The payloads.
        messages : `None | list<bytes>`
            The messages that brought them, if they are aligned.
        index : `int`
            The index of the payload.
        
        Returns
        -------
        goes_on : `bool`
            Whether the payloads behind it are still to be handled.
        """
        if (messages is not None):
            try:
                whole = self.inflater.realign(messages, payloads, index)
            except InflateError as exception:
                self._break(exception)
                return False
            
            if (whole is not None):
                for payload in whole:
                    self._handle_payload(payload)
                    if self._stopped:
                        break
                
                return False
        
        self._handle_payload(payloads[index])
        return not self._stopped
    
    
    def _handle_rest(self, payloads, messages, start, deadline):
        """
        Handles payloads with every check, until the deadline is over, or the dispatcher is stopped.
        
        Parameters
        ----------
        payloads : `list<bytes>`
            The payloads.
        messages : `None | list<bytes>`
            The messages that brought them, if they are aligned.
        start : `int`
            The index of the first payload that is not handled yet.
        deadline : `float`
            The loop's time at which to stop.
        
        Returns
        -------
        index : `int`
            The index of the first payload that is not handled yet.
        """
        count = len(payloads)
        for index in range(start, count):
            if self._stopped or (not self._handle_irregular(payloads, messages, index)):
                break
            
            if LOOP_TIME() >= deadline:
                return index + 1
        
        return count
    
    
    def _discard(self, frames):
        """
        Throws messages away, so that what is behind them is reached.
        
        Parameters
        ----------
        frames : `iterable<None | bytes | list<bytes>>`
            Messages and batches of messages.
        
        Returns
        -------
        is_over : `bool`
            Always `False`.
        """
        self._left = None
        for batch in frames:
            if batch is None:
                break
        
        return False
