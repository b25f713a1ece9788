"""
Actions of faults, and the stages of a connection at which they strike.

An action may act on the connection, and it may change the outcome of the stage: leave its message out, replace it, or make
it wait. What each stage means is told in the documentation of the local Discord.
"""
__all__ = (
    'ActionBase', 'Close', 'Cut', 'Delay', 'Invalidate', 'Reconnect', 'Refuse', 'Replace', 'STAGES', 'SendBytes',
    'SendMessage', 'SendPayload', 'Silence', 'Skip', 'SkipSequence', 'StageOutcome',
)

from .payloads import encode_json

STAGE_NOW = 'now'
STAGE_CONNECT = 'connect'
STAGE_HELLO = 'hello'
STAGE_HELLO_SENT = 'hello_sent'
STAGE_IDENTIFY = 'identify'
STAGE_READY = 'ready'
STAGE_READY_SENT = 'ready_sent'
STAGE_RESUME = 'resume'
STAGE_REPLAY = 'replay'
STAGE_RESUMED = 'resumed'
STAGE_RESUMED_SENT = 'resumed_sent'
STAGE_DISPATCH = 'dispatch'
STAGE_HEARTBEAT = 'heartbeat'

STAGES = (
    STAGE_NOW, STAGE_CONNECT, STAGE_HELLO, STAGE_HELLO_SENT, STAGE_IDENTIFY, STAGE_READY, STAGE_READY_SENT,
    STAGE_RESUME, STAGE_REPLAY, STAGE_RESUMED, STAGE_RESUMED_SENT, STAGE_DISPATCH, STAGE_HEARTBEAT,
)

# Before the upgrade there are no web socket messages, and at once there is nothing to leave out.
BEFORE_UPGRADE = (STAGE_CONNECT,)
AT_ONCE = (STAGE_NOW,)
AFTER_UPGRADE = tuple(stage for stage in STAGES if stage != STAGE_CONNECT)


class StageOutcome:
    """
    What is left of a stage after its faults struck.
    
    Attributes
    ----------
    delay : `float`
        Seconds for which the stage waits.
    is_over : `bool`
        Whether the stage's own message is left out.
    refusal : ``None | Refuse``
        The answer to the upgrade request.
    replacements : ``list<callable>``
        What makes other payloads of the stage's own.
    """
    __slots__ = ('delay', 'is_over', 'refusal', 'replacements')
    
    def __new__(cls):
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
        Where it means nothing.
    is_lasting : `bool` = `False`
        Whether it holds the connection until it is undone.
    """
    __slots__ = ()
    
    impossible_stages = ()
    
    is_lasting = False
    
    def __repr__(self):
        """Returns the representation of the action, without content that it would send."""
        return f'{type(self).__name__}()'
    
    
    def strike(self, connection, outcome):
        """
        Strikes a connection that passes a stage.
        
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


# what a network or a dying server does


class Cut(ActionBase):
    """Cuts the TCP connection: with RST if `reset`, with FIN otherwise."""
    __slots__ = ('reset',)
    
    def __new__(cls, reset = True):
        self = object.__new__(cls)
        self.reset = reset
        return self
    
    
    def __repr__(self):
        return f'{type(self).__name__}(reset = {self.reset!r})'
    
    
    def strike(self, connection, outcome):
        outcome.is_over = True
        connection.cut(self.reset)


class Close(ActionBase):
    """Closes with a close frame, without code if it is `None`."""
    __slots__ = ('code', 'reason')
    
    impossible_stages = BEFORE_UPGRADE
    
    def __new__(cls, code = 4000, reason = ''):
        if (code is not None) and not (0 <= code <= 0xffff):
            raise ValueError(f'`code` can be `None` or between 0 and 65535, got {code!r}.')
        
        self = object.__new__(cls)
        self.code = code
        self.reason = reason
        return self
    
    
    def __repr__(self):
        return f'{type(self).__name__}({self.code!r})'
    
    
    def strike(self, connection, outcome):
        outcome.is_over = True
        connection.close(self.code, self.reason)


class Silence(ActionBase):
    """
    Nothing is written any more, nor read unless `read`. What would have been written is kept, and goes out when the fault is
    healed: as in a network that stalls.
    """
    __slots__ = ('read',)
    
    is_lasting = True
    
    def __new__(cls, read = False):
        self = object.__new__(cls)
        self.read = read
        return self
    
    
    def __repr__(self):
        return f'{type(self).__name__}(read = {self.read!r})'
    
    
    def strike(self, connection, outcome):
        connection.outbox.hold(self)
        if not self.read:
            connection.outbox.pause_reading(self)
    
    
    def undo(self, connection):
        connection.outbox.resume_reading(self)
        connection.outbox.release(self)


class SendBytes(ActionBase):
    """Writes bytes into the TCP stream: any frame, or none."""
    __slots__ = ('data',)
    
    def __new__(cls, data):
        self = object.__new__(cls)
        self.data = bytes(data)
        return self
    
    
    def strike(self, connection, outcome):
        connection.outbox.write(self.data)


# what Discord says out of turn


class Reconnect(ActionBase):
    """Sends op 7, before the stage's own message."""
    __slots__ = ()
    
    impossible_stages = BEFORE_UPGRADE
    
    def strike(self, connection, outcome):
        connection.send_reconnect()


class Invalidate(ActionBase):
    """Sends op 9 instead of the stage's own message. The connection may identify or resume again."""
    __slots__ = ('resumable',)
    
    impossible_stages = BEFORE_UPGRADE
    
    def __new__(cls, resumable = False):
        self = object.__new__(cls)
        self.resumable = resumable
        return self
    
    
    def __repr__(self):
        return f'{type(self).__name__}(resumable = {self.resumable!r})'
    
    
    def strike(self, connection, outcome):
        outcome.is_over = True
        connection.send_invalidate(self.resumable)


class SendPayload(ActionBase):
    """
    Sends a further payload through the compression, before the stage's own: a `dict`, or `bytes` that are JSON or pretend to
    be.
    """
    __slots__ = ('payload',)
    
    impossible_stages = BEFORE_UPGRADE
    
    def __new__(cls, payload):
        self = object.__new__(cls)
        self.payload = payload if isinstance(payload, bytes) else encode_json(payload)
        return self
    
    
    def strike(self, connection, outcome):
        connection.send_payload(self.payload)


class SendMessage(ActionBase):
    """Sends a web socket message as it is, past the compression: `bytes` as binary, `str` as text."""
    __slots__ = ('data', 'is_text')
    
    impossible_stages = BEFORE_UPGRADE
    
    def __new__(cls, data):
        self = object.__new__(cls)
        self.is_text = isinstance(data, str)
        self.data = data.encode(errors = 'surrogateescape') if self.is_text else bytes(data)
        return self
    
    
    def strike(self, connection, outcome):
        connection.send_message(self.data, self.is_text)


class SkipSequence(ActionBase):
    """Makes the sequence numbers of the session's next events `by` higher, or lower."""
    __slots__ = ('by',)
    
    impossible_stages = BEFORE_UPGRADE
    
    def __new__(cls, by):
        self = object.__new__(cls)
        self.by = by
        return self
    
    
    def __repr__(self):
        return f'{type(self).__name__}({self.by!r})'
    
    
    def strike(self, connection, outcome):
        if (connection.session is not None):
            connection.session.sequence += self.by


# what happens to the stage's own message


class Skip(ActionBase):
    """Leaves the stage's own message out."""
    __slots__ = ()
    
    impossible_stages = AT_ONCE
    
    def strike(self, connection, outcome):
        outcome.is_over = True


class Delay(ActionBase):
    """Makes the stage wait."""
    __slots__ = ('seconds',)
    
    impossible_stages = AT_ONCE
    
    def __new__(cls, seconds):
        if not (seconds >= 0.0):
            raise ValueError(f'`seconds` can be at least 0.0, got {seconds!r}.')
        
        self = object.__new__(cls)
        self.seconds = seconds
        return self
    
    
    def __repr__(self):
        return f'{type(self).__name__}({self.seconds!r})'
    
    
    def strike(self, connection, outcome):
        outcome.delay += self.seconds


class Refuse(ActionBase):
    """Answers the upgrade request with a HTTP status and headers."""
    __slots__ = ('headers', 'status')
    
    impossible_stages = AFTER_UPGRADE
    
    def __new__(cls, status = 503, headers = None):
        self = object.__new__(cls)
        self.headers = {} if headers is None else dict(headers)
        self.status = status
        return self
    
    
    def __repr__(self):
        return f'{type(self).__name__}({self.status!r})'
    
    
    def strike(self, connection, outcome):
        outcome.is_over = True
        outcome.refusal = self


class Replace(ActionBase):
    """
    Sends something else instead of the stage's own payload: `function(payload)` takes a `dict` and returns a `dict`, `bytes`,
    a `list` of those, or `None`.
    """
    __slots__ = ('function',)
    
    impossible_stages = BEFORE_UPGRADE + AT_ONCE
    
    def __new__(cls, function):
        self = object.__new__(cls)
        self.function = function
        return self
    
    
    def strike(self, connection, outcome):
        outcome.replacements.append(self.function)
