"""
What a scripted fault does to a connection.

An action strikes a connection that passes a stage. It may act on the connection, and it may change the stage's outcome:
leave its message out, replace it, or make it wait. The actions themselves are in `line_actions.py`,
`payload_actions.py` and `stage_actions.py`.
"""
__all__ = ('AFTER_UPGRADE', 'AT_ONCE', 'ActionBase', 'BEFORE_UPGRADE', 'StageOutcome')

from .stages import STAGES, STAGE_CONNECT, STAGE_NOW

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
        Where it means nothing: before the upgrade there are no web socket messages, and at once there is nothing to
        leave out.

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
