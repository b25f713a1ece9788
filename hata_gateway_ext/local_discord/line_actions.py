"""
Actions on the line: what a network or a dying server does.
"""
__all__ = ('Close', 'Cut', 'SendBytes', 'Silence')

from .action_base import BEFORE_UPGRADE, ActionBase


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
    Nothing is written any more. What would have been is kept, and goes out when the fault is healed: as in a network
    that stalls.

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
        connection.outbox.hold(self)
        if not self.read:
            connection.outbox.pause_reading(self)


    def undo(self, connection):
        """Lets the connection go on."""
        connection.outbox.resume_reading(self)
        connection.outbox.release(self)


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
        connection.outbox.write(self.data)
