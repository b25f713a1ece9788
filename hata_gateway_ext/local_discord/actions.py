"""
What a scripted fault does to a connection.

An action strikes a connection that passes a stage. It may act on the connection, and it may change the stage's outcome: leave its
message out, replace it, or make it wait.
"""
__all__ = (
    'Close', 'Cut', 'Delay', 'Invalidate', 'Reconnect', 'Refuse', 'Replace', 'SendBytes', 'SendMessage', 'SendPayload',
    'Silence', 'Skip', 'SkipSequence', 'StageOutcome',
)

from .payloads import encode_json

BEFORE_UPGRADE = ('connect',)
AT_ONCE = ('now',)
AFTER_UPGRADE = (
    'now', 'hello', 'hello_sent', 'identify', 'ready', 'ready_sent', 'resume', 'replay', 'resumed', 'resumed_sent',
    'dispatch', 'heartbeat',
)


class StageOutcome:
    """
    What is left of a stage after its faults struck.

    Attributes
    ----------
    delay : `float`
        Seconds for which the stage waits.

    is_over : `bool`
        Whether the stage's own message is left out.

    refusal : `None | Refuse`
        The answer to the upgrade request.

    replacements : ``list<callable>``
        What makes other payloads of the stage's own.
    """
    __slots__ = ('delay', 'is_over', 'refusal', 'replacements')

    def __new__(cls):
        """
        Creates the outcome of a stage that nothing struck.
        """
        self = object.__new__(cls)
        self.delay = 0.0
        self.is_over = False
        self.refusal = None
        self.replacements = []
        return self


class ActionBase:
    """
    Base of the actions.

    Attributes
    ----------
    impossible_stages : `tuple<str>` = `()`
        Where it means nothing: before the upgrade there are no web socket messages, and at once there is nothing to leave out.

    is_lasting : `bool` = `False`
        Whether it holds the connection until it is undone.
    """
    __slots__ = ()

    is_lasting = False

    impossible_stages = ()


    def is_possible_at(self, stage):
        """
        Returns whether the action means anything at a stage.

        Parameters
        ----------
        stage : `str`
            The stage.

        Returns
        -------
        is_possible : `bool`
        """
        return stage not in self.impossible_stages


    def __repr__(self):
        """Returns the representation of the action, without content that it would send."""
        return f'{type(self).__name__}()'


    def strike(self, connection, outcome):
        """
        Strikes a connection.

        Parameters
        ----------
        connection : ``Connection``
            The connection.

        outcome : ``StageOutcome``
            What is left of the stage.
        """
        raise NotImplementedError


    def undo(self, connection):
        """
        Lets a connection go. Only called on lasting actions.

        Parameters
        ----------
        connection : ``Connection``
            The connection.
        """


class Cut(ActionBase):
    """
    Cuts the TCP connection.

    Attributes
    ----------
    reset : `bool`
        Whether with RST. With FIN otherwise.
    """
    __slots__ = ('reset',)

    def __new__(cls, reset = True):
        """
        Creates the action.

        Parameters
        ----------
        reset : `bool` = `True`, Optional
            Whether with RST. With FIN otherwise.
        """
        self = object.__new__(cls)
        self.reset = reset
        return self


    def __repr__(self):
        """Returns the representation of the action."""
        return f'{type(self).__name__}(reset = {self.reset!r})'


    def strike(self, connection, outcome):
        """Cuts."""
        outcome.is_over = True
        connection.cut(self.reset)


class Close(ActionBase):
    """
    Closes with a close frame.

    Attributes
    ----------
    code : `None | int`
        The close code. `None`: none.

    reason : `str`
        The reason.
    """
    __slots__ = ('code', 'reason')

    impossible_stages = BEFORE_UPGRADE

    def __new__(cls, code = 4000, reason = ''):
        """
        Creates the action.

        Parameters
        ----------
        code : `None | int` = `4000`, Optional
            The close code. `None`: none.

        reason : `str` = `''`, Optional
            The reason.
        """
        if (code is not None) and not (0 <= code <= 0xffff):
            raise ValueError(f'`code` can be `None` or between 0 and 65535, got {code!r}.')

        self = object.__new__(cls)
        self.code = code
        self.reason = reason
        return self


    def __repr__(self):
        """Returns the representation of the action."""
        return f'{type(self).__name__}({self.code!r})'


    def strike(self, connection, outcome):
        """Closes."""
        outcome.is_over = True
        connection.close(self.code, self.reason)


class Silence(ActionBase):
    """
    Nothing is written any more. What would have been is kept, and goes out when the fault is healed: as in a network that stalls.

    Attributes
    ----------
    read : `bool`
        Whether what the client sends is still read.
    """
    __slots__ = ('read',)

    is_lasting = True

    def __new__(cls, read = False):
        """
        Creates the action.

        Parameters
        ----------
        read : `bool` = `False`, Optional
            Whether what the client sends is still read.
        """
        self = object.__new__(cls)
        self.read = read
        return self


    def __repr__(self):
        """Returns the representation of the action."""
        return f'{type(self).__name__}(read = {self.read!r})'


    def strike(self, connection, outcome):
        """Silences."""
        connection.hold(self)
        if not self.read:
            connection.pause_reading(self)


    def undo(self, connection):
        """Lets the connection go on."""
        connection.resume_reading(self)
        connection.release(self)


class Reconnect(ActionBase):
    """
    Sends op 7, before the stage's own message.
    """
    __slots__ = ()

    impossible_stages = BEFORE_UPGRADE

    def strike(self, connection, outcome):
        """Sends it."""
        connection.send_reconnect()


class Invalidate(ActionBase):
    """
    Sends op 9 instead of the stage's own message. The connection may identify or resume again.

    Attributes
    ----------
    resumable : `bool`
        Whether the session can be resumed.
    """
    __slots__ = ('resumable',)

    impossible_stages = BEFORE_UPGRADE

    def __new__(cls, resumable = False):
        """
        Creates the action.

        Parameters
        ----------
        resumable : `bool` = `False`, Optional
            Whether the session can be resumed.
        """
        self = object.__new__(cls)
        self.resumable = resumable
        return self


    def __repr__(self):
        """Returns the representation of the action."""
        return f'{type(self).__name__}(resumable = {self.resumable!r})'


    def strike(self, connection, outcome):
        """Sends it."""
        outcome.is_over = True
        connection.send_invalidate(self.resumable)


class Skip(ActionBase):
    """
    Leaves the stage's own message out.
    """
    __slots__ = ()

    impossible_stages = AT_ONCE

    def strike(self, connection, outcome):
        """Leaves it out."""
        outcome.is_over = True


class Delay(ActionBase):
    """
    Makes the stage wait.

    Attributes
    ----------
    seconds : `float`
        For how long.
    """
    __slots__ = ('seconds',)

    impossible_stages = AT_ONCE

    def __new__(cls, seconds):
        """
        Creates the action.

        Parameters
        ----------
        seconds : `float`
            For how long.
        """
        if not (seconds >= 0.0):
            raise ValueError(f'`seconds` can be at least 0.0, got {seconds!r}.')

        self = object.__new__(cls)
        self.seconds = seconds
        return self


    def __repr__(self):
        """Returns the representation of the action."""
        return f'{type(self).__name__}({self.seconds!r})'


    def strike(self, connection, outcome):
        """Makes it wait."""
        outcome.delay += self.seconds


class Refuse(ActionBase):
    """
    Answers the upgrade request with a HTTP status.

    Attributes
    ----------
    headers : `dict<str, str>`
        Headers of the answer.

    status : `int`
        The status.
    """
    __slots__ = ('headers', 'status')

    impossible_stages = AFTER_UPGRADE

    def __new__(cls, status = 503, headers = None):
        """
        Creates the action.

        Parameters
        ----------
        status : `int` = `503`, Optional
            The status.

        headers : `None | dict<str, str>` = `None`, Optional
            Headers of the answer.
        """
        self = object.__new__(cls)
        self.headers = {} if headers is None else dict(headers)
        self.status = status
        return self


    def __repr__(self):
        """Returns the representation of the action."""
        return f'{type(self).__name__}({self.status!r})'


    def strike(self, connection, outcome):
        """Refuses."""
        outcome.is_over = True
        outcome.refusal = self


class SendPayload(ActionBase):
    """
    Sends a further payload through the compression, before the stage's own.

    Attributes
    ----------
    payload : `bytes`
        JSON, or what pretends to be.
    """
    __slots__ = ('payload',)

    impossible_stages = BEFORE_UPGRADE

    def __new__(cls, payload):
        """
        Creates the action.

        Parameters
        ----------
        payload : `dict<str, object> | bytes`
            The payload.
        """
        self = object.__new__(cls)
        self.payload = payload if isinstance(payload, bytes) else encode_json(payload)
        return self


    def strike(self, connection, outcome):
        """Sends it."""
        connection.send_payload(self.payload)


class SendMessage(ActionBase):
    """
    Sends a web socket message as it is, past the compression.

    Attributes
    ----------
    data : `bytes`
        The message.

    is_text : `bool`
        Whether it is a text message.
    """
    __slots__ = ('data', 'is_text')

    impossible_stages = BEFORE_UPGRADE

    def __new__(cls, data):
        """
        Creates the action.

        Parameters
        ----------
        data : `bytes | str`
            The message: binary or text.
        """
        self = object.__new__(cls)
        self.is_text = isinstance(data, str)
        self.data = data.encode(errors = 'surrogateescape') if self.is_text else bytes(data)
        return self


    def strike(self, connection, outcome):
        """Sends it."""
        connection.send_message(self.data, self.is_text)


class SendBytes(ActionBase):
    """
    Writes bytes into the TCP stream: any frame, or none.

    Attributes
    ----------
    data : `bytes`
        The bytes.
    """
    __slots__ = ('data',)

    def __new__(cls, data):
        """
        Creates the action.

        Parameters
        ----------
        data : `bytes`
            The bytes.
        """
        self = object.__new__(cls)
        self.data = bytes(data)
        return self


    def strike(self, connection, outcome):
        """Writes them."""
        connection.send_bytes(self.data)


class Replace(ActionBase):
    """
    Sends something else instead of the stage's own payload.

    Attributes
    ----------
    function : `callable`
        Takes the payload as `dict`, returns what goes out instead.
    """
    __slots__ = ('function',)

    impossible_stages = BEFORE_UPGRADE + AT_ONCE

    def __new__(cls, function):
        """
        Creates the action.

        Parameters
        ----------
        function : `callable`
            Takes the payload as `dict`, returns a `dict`, `bytes`, a `list` of those or `None`.
        """
        self = object.__new__(cls)
        self.function = function
        return self


    def strike(self, connection, outcome):
        """Marks the payload to be replaced."""
        outcome.replacements.append(self.function)


class SkipSequence(ActionBase):
    """
    Moves the sequence numbers of the session's next events.

    Attributes
    ----------
    by : `int`
        How much higher they are. Negative to go back.
    """
    __slots__ = ('by',)

    impossible_stages = BEFORE_UPGRADE

    def __new__(cls, by):
        """
        Creates the action.

        Parameters
        ----------
        by : `int`
            How much higher they are. Negative to go back.
        """
        self = object.__new__(cls)
        self.by = by
        return self


    def __repr__(self):
        """Returns the representation of the action."""
        return f'{type(self).__name__}({self.by!r})'


    def strike(self, connection, outcome):
        """Moves them."""
        session = connection.session
        if (session is not None):
            session.skip_sequence(self.by)
