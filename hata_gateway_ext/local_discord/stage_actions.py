"""
Actions on the stage's own message: it is left out, replaced, delayed or refused.
"""
__all__ = ('Delay', 'Refuse', 'Replace', 'Skip')

from .action_base import AFTER_UPGRADE, AT_ONCE, BEFORE_UPGRADE, ActionBase


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
