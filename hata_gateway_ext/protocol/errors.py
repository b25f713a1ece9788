"""
The errors of the pure core.

```
ProtocolError
├── FrameError        the web socket stream is broken; carries the close code that RFC 6455 asks for
├── InflateError      a compressed payload is corrupt, or larger than we accept
└── PayloadError      a payload is no JSON object, or a field of it is missing or ill-typed
```

Every message says what was wrong, and never contains the payload: a payload may hold what users wrote.
"""
__all__ = ('FrameError', 'InflateError', 'PayloadError', 'ProtocolError')


class ProtocolError(Exception):
    """
    What the peer sent cannot be understood.
    """
    __slots__ = ()


class FrameError(ProtocolError):
    """
    The web socket stream is broken.
    
    Attributes
    ----------
    close_code : `int`
        The close code to answer with (RFC 6455, section 7.4.1).
    """
    __slots__ = ('close_code',)
    
    def __init__(self, close_code, message):
        """
        Creates a frame error.
        
        Parameters
        ----------
        close_code : `int`
            The close code to answer with.
        message : `str`
            What was wrong.
        """
        ProtocolError.__init__(self, message)
        self.close_code = close_code


class InflateError(ProtocolError):
    """
    A compressed payload is corrupt, or larger than we accept. The compression context is lost with it, so the connection
    cannot be read any further.
    """
    __slots__ = ()


class PayloadError(ProtocolError):
    """
    A payload is no JSON object, or a field of it is missing or ill-typed.
    """
    __slots__ = ()
