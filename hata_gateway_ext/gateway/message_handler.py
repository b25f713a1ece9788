"""
What a shard does with what Discord says about the connection and the session: everything but dispatches.
"""
__all__ = ('MessageHandler', 'UNREADABLE_LIMIT')

from scarletio import RichAttributeErrorBaseType

from ..errors import GatewayInputReport
from ..protocol.errors import PayloadError
from ..protocol.greeting import check_ready, read_heartbeat_interval
from ..protocol.operations import HEARTBEAT, HEARTBEAT_ACKNOWLEDGE, HELLO, INVALIDATE_SESSION, RECONNECT
from ..protocol.transitions import (
    INPUT_BROKEN, INPUT_INVALID, INPUT_INVALID_RESUMABLE, INPUT_READY, INPUT_RECONNECT, INPUT_RESUMED, STATE_GREETING,
    STATE_IDENTIFYING, STATE_READY, STATE_RESUMING
)

# Times in a row that a payload which comes after the same event may be unreadable before it is passed over. Discord sends
# it again at each resume; giving up the session for it would lose everything else.
UNREADABLE_LIMIT = 3


class MessageHandler(RichAttributeErrorBaseType):
    """
    Handles what Discord says about the session of a shard.
    
    Attributes
    ----------
    _unreadable : `(None | int, int)`
        After which sequence a payload was unreadable, and how often in a row.
    driver : ``SessionDriver``
        Drives the session.
    heartbeat_interval : `float`
        Seconds between two heartbeats, as the last HELLO said.
    """
    __slots__ = ('_unreadable', 'driver', 'heartbeat_interval')
    
    def __new__(cls, driver):
        """
        Creates the message handler of a session.
        
        Parameters
        ----------
        driver : ``SessionDriver``
            Drives the session.
        """
        self = object.__new__(cls)
        self._unreadable = (None, 0)
        self.driver = driver
        self.heartbeat_interval = 0.0
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} shard_id = {self.driver.shard_id!r}>'
    
    
    def input_broken(self, exception):
        """
        What came cannot be understood: it is reported, and the session resumed on a new connection.
        
        Parameters
        ----------
        exception : ``ProtocolError``
            What was wrong.
        """
        driver = self.driver
        sequence = driver.machine.session.sequence
        last_sequence, count = self._unreadable
        if (last_sequence != sequence) or (not isinstance(exception, PayloadError)):
            count = 0
        
        self._unreadable = (sequence, count + 1)
        self._report_input('broken', exception, 'The session is resumed on a new connection.')
        driver.receive(INPUT_BROKEN)
    
    
    def _report_input(self, trouble, exception, consequence):
        """
        Reports what could not be understood; once, if it comes again after the same event.
        
        Parameters
        ----------
        trouble : `str`
            What kind of trouble it is.
        exception : ``ProtocolError``
            What was wrong.
        consequence : `str`
            What is done about it.
        """
        driver = self.driver
        report = GatewayInputReport(
            f'what came from Discord cannot be understood: {exception} {consequence}', driver.shard_id
        )
        # The frames that it went through hold the connection and the payload; so does what it was made from. Whoever keeps
        # the report should keep neither.
        exception.__context__ = None
        report.__cause__ = exception.with_traceback(None)
        driver.reports.report_once(
            f'{trouble} {driver.shard_id}', report, (driver.machine.session.sequence, str(exception))
        )
    
    
    def payload_unreadable(self, exception):
        """
        A payload is not what it should be. At first the session is resumed, so that Discord sends it again; if it comes
        again and again after the same event, it is passed over.
        
        Parameters
        ----------
        exception : ``PayloadError``
            What was wrong.
        
        Returns
        -------
        is_passed_over : `bool`
        """
        sequence, count = self._unreadable
        if (count < UNREADABLE_LIMIT) or (sequence != self.driver.machine.session.sequence):
            return False
        
        self._report_input('passed over', exception, 'It came several times, and is passed over now.')
        return True
    
    
    def sequence_out_of_order(self, sequence):
        """
        An event came that is not later than the last one; it was not dispatched.
        
        Parameters
        ----------
        sequence : `int`
            Its sequence.
        """
        driver = self.driver
        driver.counts.duplicates += 1
        # While resuming it is normal: Discord may replay from a little earlier.
        if driver.machine.state == STATE_READY:
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
        driver = self.driver
        if operation == HEARTBEAT_ACKNOWLEDGE:
            if (driver.kokoro is not None):
                driver.kokoro.answered()
        
        elif operation == HEARTBEAT:
            if (driver.kokoro is not None):
                driver.kokoro.beat_now()
        
        elif operation == HELLO:
            self._hello_received(payload.get('d', None))
        
        elif operation == RECONNECT:
            driver.receive(INPUT_RECONNECT)
        
        elif operation == INVALIDATE_SESSION:
            driver.receive(INPUT_INVALID_RESUMABLE if payload.get('d', None) is True else INPUT_INVALID)
    
    
    def _hello_received(self, data):
        """
        HELLO came. A second one on a connection changes nothing.
        
        Parameters
        ----------
        data : `object`
            Its data.
        """
        driver = self.driver
        if driver.machine.state != STATE_GREETING:
            return
        
        try:
            self.heartbeat_interval = read_heartbeat_interval(data)
        except PayloadError as exception:
            self.input_broken(exception)
        else:
            driver.greeted()
    
    
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
        driver = self.driver
        machine = driver.machine
        if machine.state != STATE_IDENTIFYING:
            self.input_broken(PayloadError('READY without IDENTIFY.'))
            return
        
        try:
            check_ready(sequence, data)
        except PayloadError as exception:
            self.input_broken(exception)
            return
        
        driver.counts.sessions += 1
        driver.end_restore(False)
        session = machine.session
        session.session_id = data['session_id']
        session.resume_gateway_url = self._get_acceptable_resume_url(data)
        
        connection = driver.connection
        connection.dispatcher.dispatch('READY', sequence, data)
        if driver.connection is connection:
            driver.receive(INPUT_READY)
    
    
    def _get_acceptable_resume_url(self, data):
        """
        Returns the `resume_gateway_url` of READY, if the token may be sent there: never from TLS to none.
        
        Parameters
        ----------
        data : `dict<str, object>`
            The data of READY.
        
        Returns
        -------
        resume_gateway_url : `None | str`
            `None`: the url of `/gateway/bot` is used.
        """
        driver = self.driver
        url = data.get('resume_gateway_url', None)
        if not isinstance(url, str):
            return None
        
        if url.startswith('wss://') or (url.startswith('ws://') and (not driver.connection.is_secure)):
            return url
        
        return None
    
    
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
        driver = self.driver
        if driver.machine.state != STATE_RESUMING:
            return
        
        # RESUMED has the sequence after the last replayed event; one that goes back is not taken over.
        last_sequence = driver.machine.session.sequence
        if (sequence is None) or (sequence < last_sequence):
            sequence = last_sequence
        
        driver.counts.resumes += 1
        driver.end_restore(True)
        connection = driver.connection
        connection.dispatcher.dispatch('RESUMED', sequence, data)
        if driver.connection is connection:
            driver.receive(INPUT_RESUMED)
