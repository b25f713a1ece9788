"""
Who takes part in a contest, and how its process is started.
"""
__all__ = (
    'Contender', 'NAME_DECODE', 'NAME_DEFAULT', 'NAME_FRAMES', 'NAME_INFLATE', 'NAME_OURS', 'create_default',
    'create_floor', 'create_ours'
)

from .events import INTENTS_RECORDED

MODULE_BASELINE = f'{__package__}.baseline'
MODULE_BOT = f'{__package__}.bot'

NAME_OURS = 'hata_gateway_ext'
NAME_DEFAULT = 'hata default'
NAME_INFLATE = 'inflate'
NAME_DECODE = 'inflate + orjson'
# Takes messages out of received bytes and inflates them; no less is possible in Python for an event that nobody needs.
NAME_FRAMES = 'inflate + frames'

# What the floors tell their process.
FLOOR_ARGUMENTS = {NAME_INFLATE: (), NAME_DECODE: ('--decode',), NAME_FRAMES: ('--frames',)}


class Contender:
    """
    One receiver.
    
    Attributes
    ----------
    arguments : `tuple<str>`
        The command line arguments that are its own.
    compression : `str`
        The compression that it asks for.
    environment : `dict<str, str>`
        Environment variables to add.
    mode : `str`
        What it does with the events.
    module : `str`
        The module that its process runs.
    name : `str`
        Its name in tables.
    serverless : `bool`
        Whether it reads the recording itself instead of receiving it.
    """
    __slots__ = ('arguments', 'compression', 'environment', 'mode', 'module', 'name', 'serverless')
    
    def __new__(
        cls,
        name,
        module,
        arguments = (),
        *,
        compression = 'zlib-stream',
        environment = None,
        mode = 'count',
        serverless = False,
    ):
        """
        Creates a new contender.
        
        Parameters
        ----------
        name : `str`
            Its name in tables.
        module : `str`
            The module that its process runs.
        arguments : `iterable<str>` = `()`, Optional
            The command line arguments that are its own.
        compression : `str` = `'zlib-stream'`, Optional (Keyword only)
            The compression that it asks for.
        environment : `None | dict<str, str>` = `None`, Optional (Keyword only)
            Environment variables to add.
        mode : `str` = `'count'`, Optional (Keyword only)
            What it does with the events.
        serverless : `bool` = `False`, Optional (Keyword only)
            Whether it reads the recording itself instead of receiving it.
        """
        self = object.__new__(cls)
        self.arguments = (*arguments,)
        self.compression = compression
        self.environment = {} if environment is None else environment
        self.mode = mode
        self.module = module
        self.name = name
        self.serverless = serverless
        return self
    
    
    def __repr__(self):
        """Returns the contender's representation."""
        return f'<{type(self).__name__} name = {self.name!r}>'


def create_floor(compression, name, with_hata = False):
    """
    Creates a floor: what is done without receiving, and nothing else.
    
    Parameters
    ----------
    compression : `str`
        The compression.
    name : `str`
        What is done: ``NAME_INFLATE``, ``NAME_DECODE`` or ``NAME_FRAMES``.
    with_hata : `bool` = `False`, Optional
        Whether hata should be in the process' memory, as it is in a bot's.
    
    Returns
    -------
    contender : ``Contender``
    """
    return Contender(
        name,
        MODULE_BASELINE,
        ('--compression', compression, *FLOOR_ARGUMENTS[name], *(('--with-hata',) if with_hata else ())),
        compression = compression,
        serverless = True,
    )


def create_ours(compression, mode, *, environment = None, extra = (), intents = INTENTS_RECORDED, name = NAME_OURS):
    """
    Creates a hata client on this gateway.
    
    Parameters
    ----------
    compression : `str`
        The compression.
    mode : `str`
        What is done with the events.
    environment : `None | dict<str, str>` = `None`, Optional (Keyword only)
        Environment variables to add.
    extra : `iterable<str>` = `()`, Optional (Keyword only)
        Further arguments.
    intents : `int` = ``INTENTS_RECORDED``, Optional (Keyword only)
        Intents as a bit mask.
    name : `str` = ``NAME_OURS``, Optional (Keyword only)
        Its name in tables.
    
    Returns
    -------
    contender : ``Contender``
    """
    return Contender(
        name,
        MODULE_BOT,
        ('--gateway', 'ours', '--compression', compression, '--mode', mode, '--intents', str(intents), *extra),
        compression = compression,
        environment = environment,
        mode = mode,
    )


def create_default(mode, *, environment = None, extra = (), intents = INTENTS_RECORDED, name = NAME_DEFAULT):
    """
    Creates a hata client on hata's default gateway. It always uses zlib-stream.
    
    Parameters
    ----------
    mode : `str`
        What is done with the events.
    environment : `None | dict<str, str>` = `None`, Optional (Keyword only)
        Environment variables to add.
    extra : `iterable<str>` = `()`, Optional (Keyword only)
        Further arguments.
    intents : `int` = ``INTENTS_RECORDED``, Optional (Keyword only)
        Intents as a bit mask.
    name : `str` = ``NAME_DEFAULT``, Optional (Keyword only)
        Its name in tables.
    
    Returns
    -------
    contender : ``Contender``
    """
    return Contender(
        name,
        MODULE_BOT,
        ('--gateway', 'default', '--mode', mode, '--intents', str(intents), *extra),
        environment = environment,
        mode = mode,
    )
