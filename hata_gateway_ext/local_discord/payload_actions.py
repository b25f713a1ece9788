"""
Actions that say something: what Discord sends out of turn.
"""
__all__ = ('Invalidate', 'Reconnect', 'SendMessage', 'SendPayload', 'SkipSequence')

from .action_base import BEFORE_UPGRADE, ActionBase
from .payloads import encode_json


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
