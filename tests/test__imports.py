"""
Holds the rules of the house that can be read off the source: which way imports go, what the pure core may use, and how
large a module may be. `docs/design.md` has the rules.
"""
import ast
from pathlib import Path

import pytest

import hata_gateway_ext


PACKAGE_NAME = 'hata_gateway_ext'
PACKAGE_PATH = Path(hata_gateway_ext.__file__).parent

# Who may import whom: only what stands before, or beside in the same room.
RANKS = {
    'protocol': 0,
    'stores': 1,
    # What all rooms to the right share. The options name stores, so they come after them.
    'option': 2,
    'errors': 2,
    'configuration': 3,
    'client': 4,
    'connection': 5,
    'persistence': 6,
    'gateway': 7,
    'cluster': 8,
    'telemetry': 9,
    'extension': 10,
    # The public names.
    '__init__': 11,
    'demo': 12,
    'cli': 13,
    '__main__': 14,
}

# The local Discord stands aside: it uses nothing of ours, so that it can leave any day, and only what runs it may use it.
LOCAL_DISCORD = 'local_discord'
LOCAL_DISCORD_MAY_IMPORT = frozenset()
MAY_IMPORT_LOCAL_DISCORD = frozenset(('cli', 'demo'))

# Parts of the standard library that have no clock, no randomness, no loop and no world outside. A module that is not here
# needs a reason before it is added.
PURE_MODULES = frozenset((
    '__future__', 'bisect', 'codecs', 'collections', 'enum', 'functools', 'heapq', 'io.BytesIO', 'ipaddress', 'itertools',
    'json', 'math', 'operator', 're', 'struct', 'sys', 'types', 'typing', 'urllib.parse', 'zlib',
))

# Libraries that make faster what the standard library does as well. They may be missing, so they are tried.
PURE_OPTIONAL_MODULES = frozenset(('backports.zstd', 'orjson'))

CODE_LINE_COUNT_MAX = 400
NAMES_WITHOUT_NOUN = frozenset(('common', 'helpers', 'misc', 'tools', 'utils'))


class Import:
    """
    An import statement, with its target resolved.
    """
    __slots__ = ('is_tried', 'line', 'module_name')
    
    def __init__(self, module_name, line, is_tried):
        self.module_name = module_name
        self.line = line
        self.is_tried = is_tried
    
    def __repr__(self):
        return f'{self.module_name} (line {self.line})'


def _resolve(module_parts, is_package, node):
    if node.level == 0:
        return node.module
    
    package_parts = module_parts if is_package else module_parts[:-1]
    package_parts = package_parts[: len(package_parts) - (node.level - 1)]
    return '.'.join((*package_parts, *(() if node.module is None else (node.module,))))


def get_imports(source, module_parts, is_package = False):
    """
    Yields what a module imports, wherever in the module it does. `from .x import y` counts as importing `x.y` too, since
    `y` may be a module.
    """
    tree = ast.parse(source)
    
    tried = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and any('ImportError' in ast.dump(handler.type or node) for handler in node.handlers):
            tried.update(child for statement in node.body for child in ast.walk(statement))
    
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, node in tried)
        
        elif isinstance(node, ast.ImportFrom):
            module_name = _resolve(module_parts, is_package, node)
            for alias in node.names:
                yield Import(f'{module_name}.{alias.name}', node.lineno, node in tried)


def _get_room(module_name):
    """Returns the room of our module; `None` if it is not ours."""
    parts = module_name.split('.')
    if parts[0] != PACKAGE_NAME:
        return None
    
    if (len(parts) == 1) or ((parts[1] not in RANKS) and (parts[1] != LOCAL_DISCORD)):
        return '__init__'
    
    return parts[1]


def get_direction_faults(module_parts, imports):
    """
    Yields the imports that go the wrong way.
    """
    room = _get_room('.'.join(module_parts))
    
    for import_ in imports:
        target = _get_room(import_.module_name)
        if (target is None) or (target == room):
            continue
        
        if room == LOCAL_DISCORD:
            allowed = target in LOCAL_DISCORD_MAY_IMPORT
        elif target == LOCAL_DISCORD:
            allowed = room in MAY_IMPORT_LOCAL_DISCORD
        else:
            allowed = RANKS[target] < RANKS[room]
        
        if not allowed:
            yield import_


def _is_of(module_name, names):
    return any((module_name == name) or module_name.startswith(f'{name}.') for name in names)


def get_purity_faults(imports):
    """
    Yields the imports that the pure core may not have.
    """
    for import_ in imports:
        if _get_room(import_.module_name) == 'protocol':
            continue
        
        if _is_of(import_.module_name, PURE_MODULES):
            continue
        
        if _is_of(import_.module_name, PURE_OPTIONAL_MODULES) and import_.is_tried:
            continue
        
        yield import_


def _get_modules():
    for path in sorted(PACKAGE_PATH.rglob('*.py')):
        parts = (PACKAGE_NAME, *path.relative_to(PACKAGE_PATH).with_suffix('').parts)
        is_package = parts[-1] == '__init__'
        yield pytest.param(path, parts[:-1] if is_package else parts, is_package, id = '.'.join(parts))


MODULES = [*_get_modules()]


@pytest.mark.parametrize(('path', 'module_parts', 'is_package'), MODULES)
def test__imports__go_one_way(path, module_parts, is_package):
    """Each room imports what stands before it in `RANKS`, and the local Discord stands aside."""
    imports = get_imports(path.read_text(encoding = 'utf-8'), module_parts, is_package)
    assert [*get_direction_faults(module_parts, imports)] == []


@pytest.mark.parametrize(
    ('path', 'module_parts', 'is_package'), [module for module in MODULES if '.protocol.' in module.id]
)
def test__imports__protocol_is_pure(path, module_parts, is_package):
    """The core has no clock, no randomness, no loop, no hata and no scarletio."""
    imports = get_imports(path.read_text(encoding = 'utf-8'), module_parts, is_package)
    assert [*get_purity_faults(imports)] == []


@pytest.mark.parametrize(
    ('path', 'module_parts', 'is_package'), [module for module in MODULES if f'.{LOCAL_DISCORD}.' in module.id]
)
def test__imports__local_discord_knows_no_hata(path, module_parts, is_package):
    """The local Discord shares no code with the other side of the connection."""
    imports = get_imports(path.read_text(encoding = 'utf-8'), module_parts, is_package)
    assert [import_ for import_ in imports if _is_of(import_.module_name, ('hata', 'scarletio'))] == []


def count_code_lines(source):
    """
    Counts the lines that are neither blank, nor a comment, nor of a docstring.
    """
    documented = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if ast.get_docstring(node, clean = False) is not None:
                documented.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    
    return sum(
        (number not in documented) and (line.strip() != '') and (not line.lstrip().startswith('#'))
        for number, line in enumerate(source.splitlines(), 1)
    )


@pytest.mark.parametrize(
    ('source', 'expected_count'),
    (
        ('', 0),
        ('a = 1', 1),
        ('# why\n\na = 1  # why', 1),
        ('"""\nA module.\n"""\na = """\nb\n"""', 3),
        ('def f():\n    """One."""\n    # why\n    return 1', 2),
        ('class A:\n    """\n    One.\n    """\n    async def f(self):\n        """Two."""\n        pass', 3),
    ),
)
def test__count_code_lines(source, expected_count):
    """What explains the code costs a module nothing."""
    assert count_code_lines(source) == expected_count


@pytest.mark.parametrize(('path', 'module_parts', 'is_package'), MODULES)
def test__modules__hold_one_noun(path, module_parts, is_package):
    """A module past 400 lines of code is two, and one that is named after no noun is none."""
    assert count_code_lines(path.read_text(encoding = 'utf-8')) <= CODE_LINE_COUNT_MAX
    assert path.stem not in NAMES_WITHOUT_NOUN


def test__modules__are_found():
    """The walk finds what it is there for."""
    identifiers = {module.id for module in MODULES}
    assert identifiers >= {'hata_gateway_ext.protocol.session', 'hata_gateway_ext.extension', 'hata_gateway_ext.__init__'}


@pytest.mark.parametrize(
    ('module_name', 'is_package', 'source', 'expected_targets'),
    (
        ('gateway.shard', False, 'from ..protocol.session import SessionMachine', []),
        ('gateway.shard', False, 'from .kokoro import Kokoro', []),
        ('gateway.shard', False, 'from ..extension import setup', ['hata_gateway_ext.extension.setup']),
        ('gateway.shard', False, 'from .. import extension', ['hata_gateway_ext.extension']),
        ('gateway.shard', False, 'from .. import setup_ext_gateway_ext', ['hata_gateway_ext.setup_ext_gateway_ext']),
        ('gateway.shard', False, 'import hata_gateway_ext.cli.doctor', ['hata_gateway_ext.cli.doctor']),
        ('gateway.shard', False, 'def f():\n    from ..cli import main', ['hata_gateway_ext.cli.main']),
        ('gateway', True, 'from .shard import *', []),
        ('gateway', True, 'from ..stores.base import SessionStore', []),
        ('stores.sqlite', False, 'from ..gateway import shard', ['hata_gateway_ext.gateway.shard']),
        ('protocol.session', False, 'from ..stores import base', ['hata_gateway_ext.stores.base']),
        (
            'local_discord.session', False, 'from ..protocol.operations import HELLO',
            ['hata_gateway_ext.protocol.operations.HELLO'],
        ),
        ('local_discord.session', False, 'from ..errors import X', ['hata_gateway_ext.errors.X']),
        ('gateway.shard', False, 'from ..local_discord import X', ['hata_gateway_ext.local_discord.X']),
        ('cli.demo', False, 'from ..local_discord import LocalDiscord', []),
        ('gateway.shard', False, 'from hata import KOKORO', []),
    ),
)
def test__get_direction_faults(module_name, is_package, source, expected_targets):
    """A wrong import is found however it is written."""
    module_parts = (PACKAGE_NAME, *module_name.split('.'))
    faults = get_direction_faults(module_parts, get_imports(source, module_parts, is_package))
    assert [fault.module_name for fault in faults] == expected_targets


@pytest.mark.parametrize(
    ('source', 'expected_targets'),
    (
        ('from collections import deque', []),
        ('from .errors import ProtocolError', []),
        ('import zlib', []),
        ('from time import monotonic', ['time.monotonic']),
        ('import random', ['random']),
        ('import asyncio', ['asyncio']),
        ('from scarletio import Task', ['scarletio.Task']),
        ('import orjson', ['orjson']),
        ('try:\n    import orjson\nexcept ImportError:\n    orjson = None', []),
        ('try:\n    from backports import zstd\nexcept ImportError:\n    zstd = None', []),
        ('try:\n    import hata\nexcept ImportError:\n    hata = None', ['hata']),
    ),
)
def test__get_purity_faults(source, expected_targets):
    """What is not pure is found, and the optional libraries only pass when they are tried."""
    faults = get_purity_faults(get_imports(source, (PACKAGE_NAME, 'protocol', 'session')))
    assert [fault.module_name for fault in faults] == expected_targets
