"""
Which parsers do nothing.

hata's optimized parsers of 41 events are empty functions: nobody listens and no cache needs them. An event with such a
parser need not be decoded. Whether a function is empty is read from its code, so it holds for whichever functions hata
has in its next version, and for those that a bot puts into ``PARSERS`` itself.
"""
__all__ = ('INERT_PARSERS', 'is_inert', 'learn_parser')

from dis import get_instructions
from types import FunctionType


# How many functions are remembered. hata has about 300 parsers; the bound is for bots that make new ones all the time.
INERT_PARSERS_MAX = 2048

# Instructions that do nothing but begin or end a function.
INERT_INSTRUCTION_NAMES = frozenset(('LOAD_CONST', 'NOP', 'RESUME', 'RETURN_CONST', 'RETURN_VALUE'))
# Generators and coroutines have a body that runs later, or never (see `inspect.CO_*`).
CODE_FLAGS_NOT_PLAIN = 0x20 | 0x80 | 0x100 | 0x200

# parser -> whether it does nothing.
INERT_PARSERS = {}


def is_inert(parser):
    """
    Returns whether calling the parser does nothing.
    
    Parameters
    ----------
    parser : `callable`
        A parser.
    
    Returns
    -------
    is_inert : `bool`
        `False` if it is not sure.
    """
    if type(parser) is not FunctionType:
        return False
    
    code = parser.__code__
    if (code.co_argcount != 2) or code.co_kwonlyargcount or (code.co_flags & CODE_FLAGS_NOT_PLAIN):
        return False
    
    for instruction in get_instructions(code):
        if instruction.opname not in INERT_INSTRUCTION_NAMES:
            return False
        
        # hata tells a parser that returned something from one that did not.
        if (instruction.opname in ('LOAD_CONST', 'RETURN_CONST')) and (instruction.argval is not None):
            return False
    
    return True


def learn_parser(parser):
    """
    Finds out whether the parser does nothing, and remembers it.
    
    Parameters
    ----------
    parser : `callable`
        A parser.
    
    Returns
    -------
    inert : `bool`
    """
    inert = is_inert(parser)
    if len(INERT_PARSERS) >= INERT_PARSERS_MAX:
        INERT_PARSERS.clear()
    
    try:
        INERT_PARSERS[parser] = inert
    except TypeError:
        # A callable without a hash. It is not inert, and is asked about again the next time.
        return False
    
    return inert
