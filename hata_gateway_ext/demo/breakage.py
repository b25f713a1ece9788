"""
A way to break connections.

What is random about it is drawn when the schedule is made, as values that can be printed; so a schedule says everything, and
a seed gives the same schedule again.
"""
__all__ = ('Breakage', 'draw_nothing')

from scarletio import RichAttributeErrorBaseType


def draw_nothing(random):
    """
    Draws the parameters of a breakage that has none.
    
    Parameters
    ----------
    random : `random.Random`
        Where randomness comes from.
    
    Returns
    -------
    parameters : `dict<str, object>`
    """
    return {}


class Breakage(RichAttributeErrorBaseType):
    """
    A way to break connections.
    
    Attributes
    ----------
    draw : `callable`
        Takes a `random.Random`, returns the parameters as `dict`.
    is_slow : `bool`
        Whether a gateway needs 20 to 30 seconds to notice.
    name : `str`
        What it is called in schedules.
    needs_shard : `bool`
        Whether it waits until the shard is up.
    strike : `coroutine function`
        Takes a ``Trial``, a shard id and the parameters as keywords. Returns when there is nothing left to be done.
    weight : `float`
        How often it is drawn, compared with others.
    """
    __slots__ = ('draw', 'is_slow', 'name', 'needs_shard', 'strike', 'weight')
    
    def __new__(cls, name, strike, draw = draw_nothing, *, is_slow = False, needs_shard = True, weight = 1.0):
        """
        Creates a way to break connections.
        
        Parameters
        ----------
        name : `str`
            What it is called in schedules.
        strike : `coroutine function`
            What it does.
        draw : `callable` = ``draw_nothing``, Optional
            Draws its parameters.
        is_slow : `bool` = `False`, Optional (Keyword only)
            Whether it takes long until a gateway notices.
        needs_shard : `bool` = `True`, Optional (Keyword only)
            Whether it waits until the shard is up.
        weight : `float` = `1.0`, Optional (Keyword only)
            How often it is drawn, compared with others.
        """
        self = object.__new__(cls)
        self.draw = draw
        self.is_slow = is_slow
        self.name = name
        self.needs_shard = needs_shard
        self.strike = strike
        self.weight = weight
        return self
    
    
    def __repr__(self):
        """Returns the representation of the breakage."""
        return f'<{type(self).__name__} {self.name!r}>'
