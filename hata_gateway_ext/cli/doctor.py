"""
`python -m hata_gateway_ext doctor`: checks an installation, without a token and without a connection.

Most trouble with a new installation is one of a few: a Python that hata does not support, packages of different
environments mixed, no trust store, a mistyped variable. Each check looks at one of them and says what to do. The exit
code is 1 if anything would keep a bot from running, so that it can stand in a container's build.
"""
__all__ = ('add_parser', 'run')

import ssl
import zlib
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from os import environ, listdir
from os.path import isdir, isfile
from platform import python_implementation
from re import compile as re_compile
from sys import version_info

from scarletio import RichAttributeErrorBaseType

from ..configuration import GatewayConfiguration, OPTION_ENABLED, OPTIONS
from ..protocol.inflaters import is_available
from . import EXTRA_MODULES


DISTRIBUTION_NAME = 'hata_gateway_ext'
EXTENSION_NAME = 'gateway_ext'
HOOK_NAME = f'hata.ext.{EXTENSION_NAME}'
VARIABLE_PREFIX = 'HATA_GATEWAY_EXT_'

# The versions of Python that hata's metadata and ours accept.
PYTHON_MINIMUM = (3, 9)
PYTHON_LIMIT = (3, 12)

LEVEL_OK = 'ok'
LEVEL_WARNING = 'warning'
LEVEL_ERROR = 'error'

# `name>=1.2.3`, with or without the parentheses of older metadata; markers are not looked at.
REQUIREMENT_RP = re_compile(r'([\w.\-]+)\s*\(?\s*>=\s*([\d.]+)')


class Finding(RichAttributeErrorBaseType):
    """
    What a check found.
    
    Attributes
    ----------
    level : `str`
        `'ok'`, `'warning'` (works, though maybe not as meant) or `'error'` (a bot would not run).
    subject : `str`
        What was checked.
    text : `str`
        What was found, and what to do about it.
    """
    __slots__ = ('level', 'subject', 'text')
    
    def __new__(cls, level, subject, text):
        """
        Creates a new finding. The parameters are the attributes.
        """
        self = object.__new__(cls)
        self.level = level
        self.subject = subject
        self.text = text
        return self
    
    
    def __repr__(self):
        """Returns the finding's representation."""
        return f'<{type(self).__name__} level = {self.level!r}, subject = {self.subject!r}, text = {self.text!r}>'


def check_python(python_version, implementation):
    """
    Checks whether hata supports the interpreter.
    
    Parameters
    ----------
    python_version : `tuple<int>`
        Major, minor and micro version.
    implementation : `str`
        The interpreter's name.
    
    Yields
    ------
    finding : ``Finding``
    """
    text = f'{implementation} {".".join(map(str, python_version))}'
    
    if PYTHON_MINIMUM <= python_version[:2] < PYTHON_LIMIT:
        yield Finding(LEVEL_OK, 'python', text)
    else:
        yield Finding(
            LEVEL_ERROR,
            'python',
            (
                f'{text} is not supported by hata: use a version from {".".join(map(str, PYTHON_MINIMUM))} up to, but '
                f'not including, {".".join(map(str, PYTHON_LIMIT))}.'
            ),
        )


def _parse_version(version):
    """
    Parses the leading numbers of a version, enough to compare releases.
    
    Parameters
    ----------
    version : `str`
        The version to parse.
    
    Returns
    -------
    numbers : `tuple<int>`
    """
    numbers = []
    for part in version.split('.'):
        if not part.isdecimal():
            break
        
        numbers.append(int(part))
    
    return tuple(numbers)


def get_lower_bounds(requirements):
    """
    Reads the lower bounds of what is always required.
    
    Parameters
    ----------
    requirements : `list<str>`
        The requirements in a distribution's metadata.
    
    Returns
    -------
    lower_bounds : `dict<str, str>`
        The lowest accepted version by distribution name.
    """
    lower_bounds = {}
    
    for requirement in requirements:
        if 'extra ==' in requirement:
            continue
        
        match = REQUIREMENT_RP.match(requirement)
        if (match is not None):
            lower_bounds[match.group(1)] = match.group(2)
    
    return lower_bounds


def get_installed_version(name):
    """
    Returns the version of a distribution.
    
    Parameters
    ----------
    name : `str`
        The distribution's name, as its authors write it.
    
    Returns
    -------
    version : `str`
    
    Raises
    ------
    PackageNotFoundError
        - If it is not installed.
    """
    # It is installed by its normalized name, and Python 3.9 does not normalize the dot of `backports.zstd`.
    return distribution(name.replace('.', '_')).version


def check_distributions(lower_bounds, get_version):
    """
    Checks whether what is required is installed and recent enough.
    
    Parameters
    ----------
    lower_bounds : `dict<str, str>`
        The lowest accepted version by distribution name.
    get_version : `FunctionType`
        Returns the installed version by name. Raises `PackageNotFoundError`.
    
    Yields
    ------
    finding : ``Finding``
    """
    for name, lower_bound in lower_bounds.items():
        try:
            version = get_version(name)
        except PackageNotFoundError:
            # Only hata and scarletio cannot be replaced; without the others the standard library does the work.
            if name in ('hata', 'scarletio'):
                yield Finding(LEVEL_ERROR, name, f'not installed: pip install "{name}>={lower_bound}"')
            else:
                yield Finding(
                    LEVEL_WARNING, name, f'not installed, receiving is slower: pip install "{name}>={lower_bound}"'
                )
            continue
        
        if _parse_version(version) < _parse_version(lower_bound):
            yield Finding(
                LEVEL_ERROR,
                name,
                f'{version} is too old, at least {lower_bound} is needed: pip install --upgrade {name}',
            )
        else:
            yield Finding(LEVEL_OK, name, version)


def check_compression():
    """
    Checks which of Discord's compressions can be used.
    
    Yields
    ------
    finding : ``Finding``
    """
    yield Finding(LEVEL_OK, 'zlib-stream', f'zlib {zlib.ZLIB_RUNTIME_VERSION}')
    
    if is_available('zstd-stream'):
        yield Finding(LEVEL_OK, 'zstd-stream', f'backports.zstd {get_installed_version("backports.zstd")}')
    else:
        yield Finding(
            LEVEL_WARNING,
            'zstd-stream',
            'not available, zlib-stream is used (about half as much again on the wire): pip install backports.zstd',
        )


def check_trust_store(environment):
    """
    Checks whether there is anything to verify a certificate with.
    
    Parameters
    ----------
    environment : `Mapping<str, str>`
        The environment variables.
    
    Yields
    ------
    finding : ``Finding``
    """
    paths = ssl.get_default_verify_paths()
    
    for variable, is_usable, expectation in (
        (paths.openssl_cafile_env, isfile, 'a file'),
        (paths.openssl_capath_env, isdir, 'a directory'),
    ):
        path = environment.get(variable, '')
        if path and (not is_usable(path)):
            yield Finding(LEVEL_ERROR, 'trust store', f'{variable} is set to {path!r}, which is not {expectation}.')
            return
    
    count = ssl.create_default_context().cert_store_stats()['x509_ca']
    if count:
        yield Finding(LEVEL_OK, 'trust store', f'{count} authorities, {ssl.OPENSSL_VERSION}')
        return
    
    # Authorities in a directory are loaded when they are needed, and are not counted before.
    directory = paths.capath
    if (directory is not None) and isdir(directory) and listdir(directory):
        yield Finding(LEVEL_OK, 'trust store', f'authorities in {directory}, {ssl.OPENSSL_VERSION}')
        return
    
    yield Finding(
        LEVEL_ERROR,
        'trust store',
        (
            f'no certificate authorities are found, so no connection to Discord can be verified. Install them (Debian: '
            f'apt install ca-certificates) or set {paths.openssl_cafile_env} to a file of them.'
        ),
    )


def check_hook():
    """
    Checks whether hata finds the extension by its name.
    
    Yields
    ------
    finding : ``Finding``
    """
    spec = find_spec(HOOK_NAME)
    if spec is None:
        import hata.ext
        
        yield Finding(
            LEVEL_ERROR,
            'extension',
            (
                f'hata does not find `{HOOK_NAME}` beside its own extensions ({", ".join(hata.ext.__path__)}): hata '
                f'and {DISTRIBUTION_NAME} are installed in different places, or the latter is not installed. Install both '
                f'into one environment, or `import {DISTRIBUTION_NAME}` before creating the client.'
            ),
        )
        return
    
    module = import_module(HOOK_NAME)
    setup_function_name = f'setup_ext_{EXTENSION_NAME}'
    if not hasattr(module, setup_function_name):
        yield Finding(
            LEVEL_ERROR, 'extension', f'{spec.origin} is not ours: it has no `{setup_function_name}`.'
        )
        return
    
    yield Finding(LEVEL_OK, 'extension', f'{HOOK_NAME} is {spec.origin}')


def check_environment(environment):
    """
    Checks the options that are given as environment variables.
    
    Parameters
    ----------
    environment : `Mapping<str, str>`
        The environment variables.
    
    Yields
    ------
    finding : ``Finding``
    """
    options = {option.variable: option for option in (*OPTIONS, OPTION_ENABLED)}
    all_accepted = True
    
    for variable in sorted(environment):
        if not variable.startswith(VARIABLE_PREFIX):
            continue
        
        option = options.get(variable)
        if option is None:
            yield Finding(
                LEVEL_WARNING, variable, f'there is no such option, it has no effect. There are: {", ".join(options)}.'
            )
            continue
        
        try:
            value = option.resolve({}, environment)
        except ValueError as exception:
            yield Finding(LEVEL_ERROR, variable, str(exception))
            all_accepted = False
            continue
        
        if (option is OPTION_ENABLED) and (not value):
            yield Finding(LEVEL_WARNING, variable, 'the extension is switched off: bots run on hata\'s own gateway.')
            continue
        
        yield Finding(LEVEL_OK, variable, 'set (not shown)' if option.secret else repr(value))
    
    if all_accepted:
        try:
            GatewayConfiguration.from_options({}, environment)
        except ValueError as exception:
            # The keywords of the bot's code are not known here, and may be what is missing.
            yield Finding(LEVEL_WARNING, 'options', f'{exception} It is an error unless the code of the bot gives it.')


def check_extras(is_installed):
    """
    Lists what the extras would bring. Nothing of it is needed by a bot.
    
    Parameters
    ----------
    is_installed : `FunctionType`
        Whether a module can be imported.
    
    Yields
    ------
    finding : ``Finding``
    """
    for module_name, extra in EXTRA_MODULES.items():
        if is_installed(module_name):
            text = 'installed'
        else:
            text = f'not installed; optional: pip install "{DISTRIBUTION_NAME}[{extra}]"'
        
        yield Finding(LEVEL_OK, f'extra {extra}', text)


def iterate_findings(environment):
    """
    Runs every check.
    
    Parameters
    ----------
    environment : `Mapping<str, str>`
        The environment variables.
    
    Yields
    ------
    finding : ``Finding``
    """
    yield from check_python(version_info[:3], python_implementation())
    
    try:
        ours = distribution(DISTRIBUTION_NAME)
    except PackageNotFoundError:
        yield Finding(
            LEVEL_WARNING, DISTRIBUTION_NAME, 'imported from a directory, not installed; versions are not checked.'
        )
    else:
        yield Finding(LEVEL_OK, DISTRIBUTION_NAME, ours.version)
        yield from check_distributions(get_lower_bounds(ours.requires or ()), get_installed_version)
    
    yield from check_compression()
    yield from check_trust_store(environment)
    yield from check_hook()
    yield from check_environment(environment)
    yield from check_extras(lambda name: find_spec(name) is not None)


def add_parser(subparsers):
    """
    Adds the command's parser.
    
    Parameters
    ----------
    subparsers : `argparse._SubParsersAction`
        Where to add it.
    """
    subparsers.add_parser(
        'doctor',
        help = 'Check this installation.',
        description = 'Check this installation, without a token and without a connection. Exits with 1 on an error.',
    )


def run(arguments):
    """
    Runs the checks and prints what they found.
    
    Parameters
    ----------
    arguments : `argparse.Namespace`
        The parsed arguments.
    
    Returns
    -------
    exit_code : `int`
        1 if a bot would not run, otherwise 0.
    """
    counts = dict.fromkeys((LEVEL_OK, LEVEL_WARNING, LEVEL_ERROR), 0)
    
    for finding in iterate_findings(environ):
        counts[finding.level] += 1
        print(f'{finding.level:<8} {finding.subject}: {finding.text}')
    
    print(f'{counts[LEVEL_ERROR]} errors, {counts[LEVEL_WARNING]} warnings.')
    return 1 if counts[LEVEL_ERROR] else 0
