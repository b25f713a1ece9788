"""
From received messages to hata's parsers: the hot path of the gateway.

Why it looks as it does: for an event that nobody needs, inflating is nearly all that has to be done, so each attribute
lookup and each call counts. What comes in one read is handled together, be it one event, as on a calm day, or hundreds:

- If nobody needs any of the events, the first bytes and the sequence of the last one are all that is looked at.
- Else each goes through ``Dispatcher._handle_run``, decoded if it is needed, and what it is is read from what came out.

What is not an event in its usual form, next in order, for a parser that is known, leaves for
``Dispatcher._handle_payload``, where everything is checked and nothing is fast: payloads that are no events, the events
that change the state of the session, those that do not come in order, and those that are not written as Discord writes
them. It is the same there, whichever way it came.

Which events are needed is hata's decision, and may change at any time: hata puts the parser that fits the current event
handlers into ``PARSERS``, and for many events that parser is an empty function. Whether a function is empty is found
out from its code, once for each function, so it is right as well for parsers that a bot brings along. ``PARSERS``
itself is looked into for every batch before anything of it is handled, and for every event that is handed over.

An event counts as dispatched when its parser returned or raised. Until then the session resumes from the one before.
"""
__all__ = ('Dispatcher',)

from hata.discord.core import KOKORO
from hata.discord.events.core import DEFAULT_EVENT_HANDLER, PARSERS
from hata.discord.events.handling_helpers import call_unknown_dispatch_event_event_handler
from scarletio import LOOP_TIME, RichAttributeErrorBaseType, Task

from ..client.parsers import INERT_PARSERS, learn_parser
from ..protocol.envelope import Envelope, HEAD_SIZE, KNOWN_HEADS, get_head, learn_head, load_payload, read_head
from ..protocol.errors import InflateError, PayloadError
from ..protocol.inflaters import COMPRESSION_NONE
from ..protocol.operations import DISPATCH


# Events that are handed over between two looks at the clock. With hata's own parsers and a handler an event costs 9 µs
# on average beyond the gateway (measured by the benchmark `bot`), so a turn is overrun by some tenths of a millisecond.
CLOCK_INTERVAL = 16

# Dispatches that change the state of the session. They go to the handler, which decides when they are dispatched.
SESSION_EVENT_NAMES = frozenset(('READY', 'RESUMED'))

NOTHING_SPECIAL = {}
NEVER = float('inf')


class Dispatcher(RichAttributeErrorBaseType):
    """
    Receives the messages of one connection.
    
    Attributes
    ----------
    _detour : `bool`
        Whether events do not take the fast path: because the dispatcher is stopped, or a replay filter is set.
    _left : `None | (list<bytes>, int, None | list<bytes>, None | InflateError)`
        What is left of a batch that was not handled in time: its payloads, the index of the first one that is not
        handled, the messages behind them that are not inflated, and what is wrong behind the payloads.
    _replay_filter : `None | object`
        Decides about events while a restored checkpoint is caught up with.
    _stopped : `bool`
        Whether nothing is handled any more.
    client : ``Client``
        The client whose events these are.
    dispatched : `int`
        How many events were handed to a parser or to `unknown_dispatch_event`.
    gaps : `int`
        How many sequences were left out between the events that came.
    handler : `object`
        Hears of everything that is not an ordinary event.
    inflater : `object`
        The inflater of the connection.
    observer : `None | (str, object) -> None`
        Called with the name and the data of each event that was handed to a parser. It must not raise.
    session : `object`
        Its `.sequence` is that of the last event that was handed over.
    skipped : `int`
        How many events were not handed to a parser, because it would have done nothing.
    """
    __slots__ = (
        '_detour', '_left', '_replay_filter', '_stopped', 'client', 'dispatched', 'gaps', 'handler', 'inflater',
        'observer', 'session', 'skipped'
    )
    
    def __new__(cls, client, session, handler, inflater):
        """
        Creates the dispatcher of a new connection.
        
        Parameters
        ----------
        client : ``Client``
            The client whose events these are.
        session : `object`
            The session, with a `.sequence` attribute: `None` or `int`.
        handler : `object`
            Its methods, none of which may block, and none of which is called when the dispatcher is stopped, are:
            
            - `operation_received(operation, payload)`: anything but a dispatch came.
            - `ready_received(sequence, data)`, `resumed_received(sequence, data)`: these were not dispatched; call
                ``.dispatch`` for it.
            - `input_broken(exception)`: nothing that comes later can be trusted; the dispatcher is stopped.
            - `payload_unreadable(exception)`: a payload is not what it should be. Returns whether it is passed over;
                otherwise `input_broken` follows.
            - `sequence_out_of_order(sequence)`: the event is not later than the last one; it was not dispatched.
        inflater : `object`
            A new inflater (see ``create_inflater``).
        """
        self = object.__new__(cls)
        self._detour = False
        self._left = None
        self._replay_filter = None
        self._stopped = False
        self.client = client
        self.dispatched = 0
        self.gaps = 0
        self.handler = handler
        self.inflater = inflater
        self.observer = None
        self.session = session
        self.skipped = 0
        return self
    
    
    def __repr__(self):
        return (
            f'<{type(self).__name__} dispatched = {self.dispatched}, skipped = {self.skipped}, gaps = {self.gaps}, '
            f'stopped = {self._stopped}>'
        )
    
    
    def stop(self):
        """
        Stops handling. What still comes is thrown away, and the handler hears of nothing any more.
        """
        self._stopped = True
        self._detour = True
        self._left = None
    
    
    def set_replay_filter(self, replay_filter):
        """
        Sets or removes who decides about events while a restored checkpoint is caught up with.
        
        Parameters
        ----------
        replay_filter : `None | object`
            Its `accept(name, sequence, data)` is called with each event. It returns the parser to call, or `None` if
            the event is to be left out.
        """
        self._replay_filter = replay_filter
        self._detour = self._stopped or (replay_filter is not None)
    
    # ---- from the web socket ----
    
    def message_received(self, data, is_text):
        """
        Handles a message: the straight way of one event in a read.
        
        Parameters
        ----------
        data : `bytes`
            The message.
        is_text : `bool`
            Whether it was sent as text. A text is a payload as it is.
        """
        if self._stopped:
            return
        
        payload = None
        trouble = None
        try:
            if is_text and (self.inflater.name != COMPRESSION_NONE):
                trouble = InflateError('A text came over a compressed connection.')
            else:
                payload = self.inflater.feed(data)
        
        except InflateError as exception:
            trouble = exception
        
        if (trouble is not None):
            self._break(trouble)
        
        elif (payload is not None):
            self._handle_single(payload)
    
    
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
        left = self._left
        if (left is not None):
            self._left = None
            if self._handle_batch(*left, deadline):
                return True
        
        for batch in frames:
            if batch is None:
                break
            
            if self._stopped:
                # What is behind it has to be reached: the close frame says why.
                continue
            
            if (type(batch) is list) and (len(batch) > 1):
                is_over = self._handle_batch((), 0, batch, None, deadline)
            else:
                self.message_received(batch if type(batch) is bytes else batch[0], False)
                is_over = (LOOP_TIME() >= deadline) and (not self._stopped)
            
            if is_over:
                return True
        
        return False
    
    # ---- the fast path ----
    
    def _handle_single(self, payload):
        """
        Handles a payload that comes alone: a run of one.
        """
        if not (self._detour or (self.session.sequence is None)):
            head = payload[: HEAD_SIZE]
            try:
                entry = KNOWN_HEADS[head]
                special = {head: entry} if INERT_PARSERS[PARSERS[entry[0]]] else NOTHING_SPECIAL
            except (KeyError, TypeError):
                # What is not known yet is learned where everything is checked.
                pass
            else:
                if self._handle_run((payload,), 0, special, NEVER):
                    return
        
        self._handle_payload(payload)
    
    
    def _handle_batch(self, payloads, index, messages, trouble, deadline):
        """
        Handles payloads from an index on, then the messages behind them, then what is wrong there. Returns whether the
        deadline ended it.
        """
        while True:
            index = self._handle_payloads(payloads, index, deadline)
            if self._stopped:
                return False
            
            if index < len(payloads):
                self._left = (payloads, index, messages, trouble)
                return True
            
            if (trouble is not None):
                self._break(trouble)
                return False
            
            if not messages:
                return LOOP_TIME() >= deadline
            
            payloads = []
            index = 0
            try:
                messages = self.inflater.inflate_batch(messages, payloads)
            except InflateError as exception:
                # The payloads in front of it are whole, and come first.
                messages = None
                trouble = exception
    
    
    def _handle_payloads(self, payloads, index, deadline):
        """
        Handles payloads from an index on, until the deadline is over or the dispatcher is stopped. Returns the index of
        the first one that is not handled.
        """
        count = len(payloads)
        if index == count:
            return count
        
        special = None
        while not self._stopped:
            if not (self._detour or (self.session.sequence is None)):
                if special is None:
                    special = self._get_special(payloads[index :] if index else payloads)
                    if special is None:
                        return count
                
                handled = self._handle_run(payloads, index, special, deadline)
                index += handled
                if (index == count) or (handled and (LOOP_TIME() >= deadline)):
                    break
                
                if self._detour:
                    continue
            
            self._handle_payload(payloads[index])
            index += 1
            if (index == count) or (LOOP_TIME() >= deadline):
                break
        
        return index
    
    
    def _get_special(self, payloads):
        """
        Looks at the first bytes of payloads, of which most are alike. If nobody needs any of them, they are skipped,
        and it is `None`. Otherwise it is what has to be known of those that are not to be decoded at once: their first
        bytes, and for each of these the entry in ``KNOWN_HEADS`` if nobody needs the event, or `None` if it is to be
        handled with every check.
        """
        special = {}
        inert_count = 0
        heads = set(map(get_head, payloads))
        for head in heads:
            try:
                entry = KNOWN_HEADS[head]
                if not INERT_PARSERS[PARSERS[entry[0]]]:
                    continue
            except (KeyError, TypeError):
                entry = None
            else:
                # Whether no other event begins like that.
                inert_count += entry[2]
            
            special[head] = entry
        
        if inert_count == len(heads):
            # Nothing is done with any of them, so it does not matter in which order they came, if in none at all.
            session = self.session
            payload = payloads[-1]
            sequence = session.sequence + len(payloads)
            if payload.startswith(special[get_head(payload)][1] % sequence):
                session.sequence = sequence
                self.skipped += len(payloads)
                return None
        
        return special
    
    
    def _handle_run(self, payloads, index, special, deadline):
        """
        Handles payloads up to the first one that is not what it looks like, of which nothing came yet. Returns how many
        were handled. `special` is as ``._get_special`` gives it; the session has a sequence, and there is no detour.
        
        This is the loop that every event goes through. What the locals mean to each other: `expected_sequence` is that
        of the payload that is next, and `first_sequence` what it was at the beginning, so their difference is how many
        were handled, of which `skipped` were not needed. `session.sequence` is always the one before
        `expected_sequence`, at the moment when a parser runs too: if we are lost in the midst of it, its event comes
        again.
        
        The order is what it is because a payload may turn out at any point not to be what it looked like: everything is
        read and compared before anything is done, and what fails in between raises `KeyError`. The parser is looked up
        after that, event by event, since the one before may have changed it. The `try` ends in front of the call, as
        what a parser raises is its own; and what was caught is let go of before the payload is handled, as it may hold
        what users wrote.
        """
        client = self.client
        dispatch = DISPATCH
        inert_parsers = INERT_PARSERS
        load = load_payload
        observer = self.observer
        parsers = PARSERS
        session = self.session
        
        first_sequence = expected_sequence = session.sequence + 1
        skipped = 0
        for start in range(index, len(payloads), CLOCK_INTERVAL):
            for payload in payloads[start : start + CLOCK_INTERVAL]:
                try:
                    if special:
                        head = get_head(payload)
                        if head in special:
                            # A `TypeError` if it is handled with every check.
                            name, head_format, _ = special[head]
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
                    break
            
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
                
                    break
            
                session.sequence = sequence
            
            else:
                if LOOP_TIME() < deadline:
                    continue
            
            break
        
        handled = expected_sequence - first_sequence
        self.dispatched += handled - skipped
        self.skipped += skipped
        return handled
    
    # ---- with every check ----
    
    def dispatch(self, name, sequence, data):
        """
        Dispatches an event now, whatever its sequence is.
        
        Parameters
        ----------
        name : `str`
            The name of the event.
        sequence : `None | int`
            The sequence of the event. The session resumes from it from now on.
        data : `object`
            The data of the event.
        """
        self._call(PARSERS.get(name, None), name, data)
        
        if (sequence is not None):
            self.session.sequence = sequence
    
    
    def _call(self, parser, name, data):
        """
        Hands an event over, as hata's gateway does. hata has no parser for what is new.
        """
        self.dispatched += 1
        try:
            if parser is None:
                call_unknown_dispatch_event_event_handler(self.client, name, data)
            elif (data is not None):
                parser(self.client, data)
        except BaseException as exception:
            self._report(name, exception)
        
        if (self.observer is not None):
            self.observer(name, data)
    
    
    def _report(self, name, exception):
        """
        Reports what a parser raised, as hata's gateway does. The connection has nothing to do with it.
        """
        client = self.client
        Task(KOKORO, client.events.error(client, name, exception))
    
    
    def _break(self, exception):
        """
        Stops, because nothing that comes later can be trusted.
        """
        if not self._stopped:
            self.stop()
            self.handler.input_broken(exception)
    
    
    def _handle_payload(self, payload):
        """
        Handles any payload.
        """
        if (self._replay_filter is None) and self._skip(payload):
            return
        
        try:
            envelope = Envelope(payload)
            if (envelope.name == 'READY') and (type(envelope.data) is not dict):
                raise PayloadError(f'The field `d` of READY is {type(envelope.data).__name__}, expected dict.')
        except PayloadError as exception:
            # The stream is whole. Whether the session is resumed, so that the payload comes again, decides the handler.
            if not self.handler.payload_unreadable(exception):
                self._break(exception)
            return
        
        if envelope.operation != DISPATCH:
            self.handler.operation_received(envelope.operation, envelope.message)
            return
        
        name = envelope.name
        sequence = envelope.sequence
        data = envelope.data
        
        if name in SESSION_EVENT_NAMES:
            if name == 'READY':
                self.handler.ready_received(sequence, data)
            else:
                self.handler.resumed_received(sequence, data)
            return
        
        if not self._is_in_order(sequence):
            return
        
        previous_sequence = self.session.sequence
        self.gaps += sequence - previous_sequence - 1
        
        replay_filter = self._replay_filter
        if (replay_filter is not None):
            parser = replay_filter.accept(name, sequence, data)
            if parser is None:
                self.skipped += 1
            else:
                self._call(parser, name, data)
        
        else:
            parser = PARSERS.get(name, None)
            if (parser is not None):
                learn_head(payload)
            
            self._call(parser, name, data)
        
        # If the parser led to the end of the session, its sequence is not that of this event.
        if self.session.sequence == previous_sequence:
            self.session.sequence = sequence
    
    
    def _is_in_order(self, sequence):
        """
        Returns whether an event is later than the last one, and tells the handler if it is not.
        """
        previous_sequence = self.session.sequence
        if (previous_sequence is None) or (sequence <= previous_sequence):
            self.handler.sequence_out_of_order(sequence)
            return False
        
        return True
    
    
    def _skip(self, payload):
        """
        Handles the payload without decoding it, if it is an event that nobody needs. Returns whether it is one.
        """
        head = read_head(payload)
        if head is None:
            return False
        
        name, sequence = head
        if name in SESSION_EVENT_NAMES:
            return False
        
        try:
            parser = PARSERS[name]
        except KeyError:
            # hata's gateway offers it to `unknown_dispatch_event`.
            if self.client.events.unknown_dispatch_event is not DEFAULT_EVENT_HANDLER:
                return False
        else:
            learn_head(payload)
            if not learn_parser(parser):
                return False
        
        if self._is_in_order(sequence):
            session = self.session
            self.gaps += sequence - session.sequence - 1
            session.sequence = sequence
            self.skipped += 1
        
        return True
