"""
The errors of the extension.

```
GatewayExtensionError
├── PayloadTooLargeError        (ValueError) what you send is larger than Discord accepts
└── GatewayReport               never raised: given to `client.events.error`, once per trouble
    ├── GatewayInputReport          what Discord sent could not be understood
    ├── GatewayCloseReport          Discord closed the connection because of something that we or the bot sent
    ├── GatewayConnectReport        no connection could be made; `.kind` says at which step
    ├── GatewaySendReport           payloads were dropped, since the gateway was down for too long
    └── GatewayStoreReport          the session store does not work, or works again
DiscordGatewayException (hata)
└── FatalGatewayCloseException  Discord closed for good: close codes 4010, 4012, 4013, 4014
```

A report says what happened and what the gateway does about it. None of them contains a token, a session id or a payload.
"""
__all__ = (
    'CONNECT_FAILURE_HANDSHAKE', 'CONNECT_FAILURE_HTTP', 'CONNECT_FAILURE_NAME', 'CONNECT_FAILURE_REFUSED',
    'CONNECT_FAILURE_TIMEOUT', 'CONNECT_FAILURE_TLS', 'CONNECT_FAILURE_UNREACHABLE', 'FatalGatewayCloseException',
    'GatewayCloseReport', 'GatewayConnectReport', 'GatewayExtensionError', 'GatewayInputReport', 'GatewayReport',
    'GatewaySendReport', 'GatewayStoreReport', 'PayloadTooLargeError', 'create_fatal_exception',
)

from hata import DiscordGatewayException, InvalidToken

from .protocol.close_codes import CLOSE_CODES


class GatewayExtensionError(Exception):
    """
    Base of the errors of the extension.
    """


class PayloadTooLargeError(GatewayExtensionError, ValueError):
    """
    What you send is larger than Discord accepts. Discord would close the connection.
    
    Attributes
    ----------
    limit : `int`
        Bytes of JSON that Discord accepts.
    size : `int`
        Bytes of JSON of the payload.
    """
    def __init__(self, size, limit):
        """
        Creates an error.
        
        Parameters
        ----------
        size : `int`
            Bytes of JSON of the payload.
        limit : `int`
            Bytes of JSON that Discord accepts.
        """
        GatewayExtensionError.__init__(
            self,
            f'The payload is {size} bytes of JSON; the gateway accepts {limit} at most. Send it in parts.',
        )
        self.limit = limit
        self.size = size


class GatewayReport(GatewayExtensionError):
    """
    Base of what is reported through `client.events.error`, without being raised anywhere.
    
    Attributes
    ----------
    shard_id : `None | int`
        The shard concerned; `None` if it is not about a single shard.
    """
    def __init__(self, message, shard_id = None):
        """
        Creates a report.
        
        Parameters
        ----------
        message : `str`
            What happened, and what the gateway does about it.
        shard_id : `None | int` = `None`, Optional
            The shard concerned.
        """
        if (shard_id is not None):
            message = f'Shard {shard_id}: {message}'
        
        GatewayExtensionError.__init__(self, message)
        self.shard_id = shard_id


class GatewayInputReport(GatewayReport):
    """
    What Discord sent could not be understood. `.__cause__` says what was wrong, without the payload.
    """


class GatewayCloseReport(GatewayReport):
    """
    Discord closed the connection because of something that we or the bot sent. The session is resumed.
    
    Attributes
    ----------
    code : `int`
        The close code.
    """
    def __init__(self, code, shard_id):
        """
        Creates a report.
        
        Parameters
        ----------
        code : `int`
            A close code of Discord.
        shard_id : `int`
            The shard concerned.
        """
        close_code = CLOSE_CODES[code]
        GatewayReport.__init__(
            self,
            f'Discord closed the connection: {code}, {close_code.name}. {close_code.advice} The session is resumed.',
            shard_id,
        )
        self.code = code


# The host name could not be resolved.
CONNECT_FAILURE_NAME = 'name'
# The host answered that nobody listens.
CONNECT_FAILURE_REFUSED = 'refused'
# The host or its network cannot be reached, or the connection broke while it was made.
CONNECT_FAILURE_UNREACHABLE = 'unreachable'
# No answer in time.
CONNECT_FAILURE_TIMEOUT = 'timeout'
# The TLS handshake failed.
CONNECT_FAILURE_TLS = 'tls'
# The server, or a proxy, answered with an HTTP status that refuses us.
CONNECT_FAILURE_HTTP = 'http'
# The server answered, but not as a web socket server does, or not as Discord does.
CONNECT_FAILURE_HANDSHAKE = 'handshake'


class GatewayConnectReport(GatewayReport):
    """
    No connection could be made. It is tried again; this is reported once until a connection was made, or until the reason
    changes.
    
    Attributes
    ----------
    kind : `str`
        At which step it failed: one of the `CONNECT_FAILURE_*` constants.
    retry_after : `float`
        Seconds that the server asked to wait; `0.0` if it did not.
    status : `None | int`
        The HTTP status, for ``CONNECT_FAILURE_HTTP``.
    """
    def __init__(self, kind, message, shard_id = None, *, status = None, retry_after = 0.0):
        """
        Creates a report.
        
        Parameters
        ----------
        kind : `str`
            At which step it failed.
        message : `str`
            What happened.
        shard_id : `None | int` = `None`, Optional
            The shard concerned.
        status : `None | int` = `None`, Optional (Keyword only)
            The HTTP status.
        retry_after : `float` = `0.0`, Optional (Keyword only)
            Seconds that the server asked to wait.
        """
        GatewayReport.__init__(self, message, shard_id)
        self.kind = kind
        self.retry_after = retry_after
        self.status = status


class GatewaySendReport(GatewayReport):
    """
    Payloads were dropped, since the gateway was down for too long, or too many waited. Reported once for each time that the
    gateway is down; the total is in the statistics of the gateway.
    
    Attributes
    ----------
    count : `int`
        How many were dropped when this was reported.
    """
    def __init__(self, message, shard_id, count):
        """
        Creates a report.
        
        Parameters
        ----------
        message : `str`
            What happened.
        shard_id : `int`
            The shard concerned.
        count : `int`
            How many were dropped.
        """
        GatewayReport.__init__(self, message, shard_id)
        self.count = count


class GatewayStoreReport(GatewayReport):
    """
    The session store does not work, or works again. The gateway goes on without it.
    """


class FatalGatewayCloseException(DiscordGatewayException):
    """
    Discord closed the connection for good, with close code 4010, 4012, 4013 or 4014.
    """
    def __repr__(self):
        """Returns the representation, which says what to do. hata prints it when the client ends."""
        repr_ = f'{type(self).__name__}(code = {self.code!r})'
        
        close_code = CLOSE_CODES.get(self.code, None)
        if (close_code is not None):
            repr_ = f'{repr_}: {close_code.name}.\n{close_code.advice}'
        
        return repr_
    
    
    __str__ = __repr__


def create_fatal_exception(code):
    """
    Creates the exception that the gateway ends with after a fatal close code.
    
    Parameters
    ----------
    code : `int`
        The close code.
    
    Returns
    -------
    exception : ``DiscordGatewayException | InvalidToken``
        hata's own for the codes that hata knows what to do about.
    """
    if code == 4004:
        return InvalidToken()
    
    if code == 4011:
        return DiscordGatewayException(code)
    
    return FatalGatewayCloseException(code)
