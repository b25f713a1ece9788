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
        Whether a gateway needs up to 20 seconds to notice, as the protocol has it.
    name : `str`
        What it is called in schedules.
    needs_connection : `bool`
        Whether it strikes the connection of the shard: it waits until there is one.
    strike : `coroutine function`
        Takes a ``Trial``, a shard id and the parameters as keywords. Returns when there is nothing left to be done.
    weight : `float`
        How often it is drawn, compared with others.
    """
    __slots__ = ('draw', 'is_slow', 'name', 'needs_connection', 'strike', 'weight')
    
    def __new__(cls, name, strike, draw = draw_nothing, *, is_slow = False, needs_connection = True, weight = 1.0):
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
        needs_connection : `bool` = `True`, Optional (Keyword only)
            Whether it strikes the connection of the shard.
        weight : `float` = `1.0`, Optional (Keyword only)
            How often it is drawn, compared with others.
        """
        self = object.__new__(cls)
        self.draw = draw
        self.is_slow = is_slow
        self.name = name
        self.needs_connection = needs_connection
        self.strike = strike
        self.weight = weight
        return self
    
    
    def __repr__(self):
        """Returns the representation of the breakage."""
        return f'<{type(self).__name__} {self.name!r}>'
