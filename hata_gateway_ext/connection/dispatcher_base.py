"""
What a payload leads to, with every check: the part of the dispatcher that is not hot.

Here are the payloads that are no events, the events that change the state of the session, those that do not come in
order, and those that are not written as Discord writes them. ``Dispatcher`` adds the fast path for all others.

An event counts as dispatched when its parser returned or raised. Until then the session resumes from the one before.
"""
__all__ = ('DispatcherBase',)

from hata.discord.core import KOKORO
from hata.discord.events.core import DEFAULT_EVENT_HANDLER, PARSERS
from hata.discord.events.handling_helpers import call_unknown_dispatch_event_event_handler
from scarletio import RichAttributeErrorBaseType, Task

from ..protocol.envelope import Envelope, learn_head, read_head
from ..protocol.errors import PayloadError
from ..protocol.operations import DISPATCH
from ..client.parsers import learn_parser


# Dispatches that change the state of the session. They go to the handler, which decides when they are dispatched.
SESSION_EVENT_NAMES = frozenset(('READY', 'RESUMED'))


class DispatcherBase(RichAttributeErrorBaseType):
    """
    Handles payloads of one connection, one at a time and with every check.
    
    Attributes
    ----------
    _detour : `bool`
        Whether events do not take the fast path: because the dispatcher is stopped, or a replay filter is set.
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
        '_detour', '_replay_filter', '_stopped', 'client', 'dispatched', 'gaps', 'handler', 'inflater', 'observer',
        'session', 'skipped'
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
            Its methods, none of which may block, are:
            
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
        """Returns the dispatcher's representation."""
        return (
            f'<{type(self).__name__} dispatched = {self.dispatched}, skipped = {self.skipped}, gaps = {self.gaps}, '
            f'stopped = {self._stopped}>'
        )
    
    
    def stop(self):
        """
        Stops handling. What still comes is thrown away.
        """
        self._stopped = True
        self._detour = True
    
    
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
        Hands an event over, as hata's gateway does.
        
        Parameters
        ----------
        parser : `None | callable`
            The parser of the event. `None` if hata has none.
        name : `str`
            The name of the event.
        data : `object`
            The data of the event.
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
        
        Parameters
        ----------
        name : `str`
            The name of the event.
        exception : `BaseException`
            What was raised.
        """
        client = self.client
        Task(KOKORO, client.events.error(client, name, exception))
    
    
    def _break(self, exception):
        """
        Stops, because nothing that comes later can be trusted.
        
        Parameters
        ----------
        exception : ``ProtocolError``
            What was wrong.
        """
        self.stop()
        self.handler.input_broken(exception)
    
    
    def _handle_payload(self, payload):
        """
        Handles any payload, with every check.
        
        Parameters
        ----------
        payload : `bytes`
            The payload.
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
        Checks whether an event is later than the last one, and tells the handler if it is not.
        
        Parameters
        ----------
        sequence : `int`
            The sequence of the event.
        
        Returns
        -------
        is_in_order : `bool`
        """
        previous_sequence = self.session.sequence
        if (previous_sequence is None) or (sequence <= previous_sequence):
            self.handler.sequence_out_of_order(sequence)
            return False
        
        return True
    
    
    def _skip(self, payload):
        """
        Handles the payload without decoding it, if it is an event that nobody needs.
        
        Parameters
        ----------
        payload : `bytes`
            The payload.
        
        Returns
        -------
        skipped : `bool`
            Whether the payload is handled.
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
