"""
What a user can choose, in one table.

`OPTIONS` is the one truth for the keywords of hata's `Client`, for the environment variables, for their validation and
for the table in the documentation. A new option is one new row. A keyword beats its variable, and the variable beats the
default; a variable that is set to nothing counts as not set.

What is wrong is refused while the client is built: a bot that starts with a mistyped option would run with the default,
and nobody would know.
"""
__all__ = ('GatewayConfiguration', 'OPTIONS', 'OPTION_ENABLED', 'is_enabled')

from os import environ

from scarletio import RichAttributeErrorBaseType

from .option import (
    Option, parse_bool, parse_optional_duration, parse_optional_text, validate_bool, validate_optional_duration
)
from .protocol.inflaters import COMPRESSION_NONE, COMPRESSION_ZLIB_STREAM, COMPRESSION_ZSTD_STREAM, is_available
from .stores import STORE_VALUES, create_store


COMPRESSION_AUTO = 'auto'

COMPRESSIONS = (COMPRESSION_AUTO, COMPRESSION_ZSTD_STREAM, COMPRESSION_ZLIB_STREAM, COMPRESSION_NONE)

# What provides `zstd-stream` on the Python versions that hata runs on: the standard library has it from 3.14 only.
ZSTD_LIBRARY = 'backports.zstd'


def _validate_compression(value):
    """
    Accepts the name of a compression that can be used with what is installed.
    
    Parameters
    ----------
    value : `object`
        The value to validate.
    
    Returns
    -------
    value : `str`
    
    Raises
    ------
    TypeError
        - If `value` is not `str`.
    ValueError
        - If `value` is no compression of Discord's.
        - If `value` is `'zstd-stream'` and its library is not installed.
    """
    if not isinstance(value, str):
        raise TypeError
    
    if value not in COMPRESSIONS:
        raise ValueError
    
    if (value == COMPRESSION_ZSTD_STREAM) and (not is_available(COMPRESSION_ZSTD_STREAM)):
        raise ValueError(f'{COMPRESSION_ZSTD_STREAM!r} needs the package `{ZSTD_LIBRARY}`, which is not installed')
    
    return value


SHUTDOWN_CLOSE = 'close'
SHUTDOWN_SUSPEND = 'suspend'

SHUTDOWNS = (SHUTDOWN_CLOSE, SHUTDOWN_SUSPEND)

# Seconds. Short enough that what Discord replays after a crash is caught up with in a moment, long enough that taking
# checkpoints costs next to nothing.
CHECKPOINT_INTERVAL = 60.0


def _validate_store(value):
    """
    Accepts what a session store can be made of.
    
    Parameters
    ----------
    value : `object`
        The value to validate.
    
    Returns
    -------
    value : ``None | SessionStore``
    
    Raises
    ------
    TypeError
        - If it is neither a store nor a url.
    ValueError
        - If the url is not right.
    ImportError
        - If the library that the store needs is not installed.
    """
    try:
        return create_store(value)
    except TypeError:
        # It would repeat what is accepted.
        raise TypeError from None
    except ValueError as exception:
        raise ValueError(str(exception).rstrip('.')) from None


def _validate_shutdown(value):
    """
    Accepts the name of a way to shut down.
    
    Parameters
    ----------
    value : `object`
        The value to validate.
    
    Returns
    -------
    value : `str`
    
    Raises
    ------
    TypeError
        - If `value` is not `str`.
    ValueError
        - If there is no such way.
    """
    if not isinstance(value, str):
        raise TypeError
    
    if value not in SHUTDOWNS:
        raise ValueError
    
    return value


OPTIONS = (
    Option(
        keyword = 'gateway_compression',
        variable = 'HATA_GATEWAY_EXT_COMPRESSION',
        attribute_name = 'compression',
        default = COMPRESSION_AUTO,
        validate = _validate_compression,
        parse = str.lower,
        accepted = ', '.join([repr(compression) for compression in COMPRESSIONS]),
        description = (
            f'How Discord compresses what it sends. `{COMPRESSION_AUTO!r}` is `{COMPRESSION_ZSTD_STREAM!r}` where '
            f'`{ZSTD_LIBRARY}` is installed, else `{COMPRESSION_ZLIB_STREAM!r}`.'
        ),
    ),
    Option(
        keyword = 'gateway_verify_tls',
        variable = 'HATA_GATEWAY_EXT_VERIFY_TLS',
        attribute_name = 'verify_tls',
        default = True,
        validate = validate_bool,
        parse = parse_bool,
        accepted = 'True, False',
        description = (
            'Whether the certificates of Discord\'s gateway and REST servers are verified. Both are sent the token; '
            'with `False` anyone on the way can read it.'
        ),
    ),
    Option(
        keyword = 'gateway_offline_timeout',
        variable = 'HATA_GATEWAY_EXT_OFFLINE_TIMEOUT',
        attribute_name = 'offline_timeout',
        default = None,
        validate = validate_optional_duration,
        parse = parse_optional_duration,
        accepted = 'None, or a finite number of seconds above 0',
        description = (
            'How long the gateway tries to connect before `run()` returns `True` ("no internet"), keeping every '
            'session. With `None` it never gives up.'
        ),
    ),
    Option(
        keyword = 'gateway_store',
        variable = 'HATA_GATEWAY_EXT_STORE',
        attribute_name = 'store',
        default = None,
        validate = _validate_store,
        parse = parse_optional_text,
        accepted = STORE_VALUES,
        description = (
            'Where sessions and checkpoints of the cache are kept, so that a restarted bot resumes. With `None` sessions '
            'live as long as the process.'
        ),
        secret = True,
    ),
    Option(
        keyword = 'gateway_shutdown',
        variable = 'HATA_GATEWAY_EXT_SHUTDOWN',
        attribute_name = 'shutdown',
        default = SHUTDOWN_CLOSE,
        validate = _validate_shutdown,
        parse = str.lower,
        accepted = ', '.join([repr(shutdown) for shutdown in SHUTDOWNS]),
        description = (
            f'What becomes of the sessions when the client is stopped. `{SHUTDOWN_CLOSE!r}` ends them; '
            f'`{SHUTDOWN_SUSPEND!r}` keeps them for the next process, and needs `gateway_store`.'
        ),
    ),
    Option(
        keyword = 'gateway_checkpoint_interval',
        variable = 'HATA_GATEWAY_EXT_CHECKPOINT_INTERVAL',
        attribute_name = 'checkpoint_interval',
        default = CHECKPOINT_INTERVAL,
        validate = validate_optional_duration,
        parse = parse_optional_duration,
        accepted = f'{CHECKPOINT_INTERVAL}, another finite number of seconds above 0, None',
        description = (
            'How often a checkpoint of the cache is taken. What came after it is caught up with after a crash. With `None` '
            'only when the gateway is suspended.'
        ),
    ),
    Option(
        keyword = 'gateway_checkpoint_cache',
        variable = 'HATA_GATEWAY_EXT_CHECKPOINT_CACHE',
        attribute_name = 'checkpoint_cache',
        default = True,
        validate = validate_bool,
        parse = parse_bool,
        accepted = 'True, False',
        description = (
            'Whether the cache is kept with the sessions. `False` is for bots that need no guilds in their cache: after a '
            'restart there are none.'
        ),
    ),
)

OPTION_ENABLED = Option(
    keyword = None,
    variable = 'HATA_GATEWAY_EXT_ENABLED',
    attribute_name = 'enabled',
    default = True,
    validate = validate_bool,
    parse = parse_bool,
    accepted = 'True, False',
    description = (
        'With `false` hata\'s own gateway stays in place, and a line says so: a switch for operators that needs no '
        'change of code.'
    ),
)


def is_enabled(environment = environ):
    """
    Returns whether the extension should replace hata's gateway.
    
    Parameters
    ----------
    environment : `Mapping<str, str>` = `os.environ`, Optional
        The environment variables.
    
    Returns
    -------
    enabled : `bool`
    
    Raises
    ------
    ValueError
        - If the variable's value is no boolean.
    """
    return OPTION_ENABLED.resolve({}, environment)


class GatewayConfiguration(RichAttributeErrorBaseType):
    """
    The chosen value of every option. Made once a client, and not changed afterwards.
    
    Attributes
    ----------
    checkpoint_cache : `bool`
        Whether the cache is kept with the sessions.
    checkpoint_interval : `None | float`
        Seconds between two checkpoints. `None`: only when the gateway is suspended.
    compression : `str`
        The asked for compression: `'auto'`, `'zstd-stream'`, `'zlib-stream'` or `'none'`.
    offline_timeout : `None | float`
        Seconds without a connection after which the gateway gives up.
    shutdown : `str`
        `'close'` or `'suspend'`.
    store : ``None | SessionStore``
        Where sessions are kept.
    verify_tls : `bool`
        Whether TLS certificates are verified.
    
    Notes
    -----
    There is an attribute for each row of `OPTIONS`.
    """
    __slots__ = tuple(sorted(option.attribute_name for option in OPTIONS))
    
    def __new__(cls, **options):
        """
        Creates a new configuration from keyword parameters only.
        
        Parameters
        ----------
        **options : Keyword parameters
            The options by keyword.
        
        Raises
        ------
        TypeError
            - If a keyword is unknown.
            - If a value's type is not accepted.
        ValueError
            - If a value is not accepted.
        """
        return cls.from_options(options, {})
    
    
    @classmethod
    def from_options(cls, options, environment = environ):
        """
        Creates a new configuration from keyword parameters and environment variables.
        
        Parameters
        ----------
        options : `dict<str, object>`
            The given keyword parameters.
        environment : `Mapping<str, str>` = `os.environ`, Optional
            The environment variables.
        
        Returns
        -------
        self : `instance<cls>`
        
        Raises
        ------
        TypeError
            - If a keyword is unknown.
            - If a value's type is not accepted.
        ValueError
            - If a value is not accepted.
        """
        unknown = options.keys() - {option.keyword for option in OPTIONS}
        if unknown:
            known = ', '.join([f'`{option.keyword}`' for option in OPTIONS])
            raise TypeError(f'Unknown options: {", ".join(sorted(map(repr, unknown)))}; known are {known}.')
        
        self = object.__new__(cls)
        for option in OPTIONS:
            setattr(self, option.attribute_name, option.resolve(options, environment))
        
        if (self.shutdown == SHUTDOWN_SUSPEND) and (self.store is None):
            raise ValueError(
                f'`gateway_shutdown` is {SHUTDOWN_SUSPEND!r}, which needs `gateway_store`: nobody could resume the sessions.'
            )
        
        return self
    
    
    def __repr__(self):
        """Returns the configuration's representation. Secrets are left out."""
        repr_parts = ['<', type(self).__name__]
        
        for index, option in enumerate(OPTIONS):
            value = getattr(self, option.attribute_name)
            repr_parts.append(', ' if index else ' ')
            repr_parts.append(option.attribute_name)
            repr_parts.append(' = ')
            repr_parts.append('...' if option.secret and (value is not None) else repr(value))
        
        repr_parts.append('>')
        return ''.join(repr_parts)
    
    
    @property
    def resolved_compression(self):
        """
        The compression to ask Discord for, with `'auto'` resolved by what is installed.
        
        Returns
        -------
        resolved_compression : `str`
            `'zstd-stream'`, `'zlib-stream'` or `'none'`.
        """
        compression = self.compression
        if compression != COMPRESSION_AUTO:
            return compression
        
        return COMPRESSION_ZSTD_STREAM if is_available(COMPRESSION_ZSTD_STREAM) else COMPRESSION_ZLIB_STREAM
