"""
Builds the wheel, installs it into environments of their own, and looks at it with interpreters that know nothing of the
source tree.

The environments have hata as files of their own, since hata looks for extensions beside its own ones; everything else comes
from the environment that runs the tests. So nothing is downloaded.
"""
import os
import subprocess
import sys
import sysconfig
import venv
from email.parser import Parser
from pathlib import Path
from shutil import copytree, ignore_patterns
from zipfile import ZipFile

import hata
import pytest
import trustme


ROOT = Path(__file__).resolve().parent.parent

# What a wheel is built from.
SOURCES = ('LICENSE', 'README.md', 'hata_ext_entry', 'hata_gateway_ext', 'pyproject.toml', 'setup.cfg')

# Far more than any step needs: a step that hangs should fail, and not hold up the rest.
TIMEOUT = 300.0

BUILD = '''
import sys
from setuptools import build_meta
print(getattr(build_meta, sys.argv[1])(sys.argv[2]))
'''

# What a bot does, and nothing of ours is imported by it.
BOT = '''
import sys, warnings

warnings.simplefilter('error', RuntimeWarning)

from hata import Client
from hata.discord.gateway.client_shard import DiscordGatewayClientShard

assert not [name for name in sys.modules if name.startswith('hata_gateway_ext')]

one = Client('MTE.x.one', extensions = ['gateway_ext'])
many = Client('MTI.x.many', extensions = ['gateway_ext'], shard_count = 2)
before = Client('MTM.x.before', extensions = ['gateway_ext', 'slash'], gateway_compression = 'none')
after = Client('MTQ.x.after', extensions = ['slash', 'gateway_ext'], gateway_verify_tls = True)
full = Client('MTU.x.full', extensions = ['hata_gateway_ext.gateway_ext'])
without = Client('MTY.x.without', extensions = ['slash'])

print(sys.modules['hata_gateway_ext'].__file__)
print(*(type(client.gateway).__name__ for client in (one, many, before, after, full)))
print(type(without.gateway) is DiscordGatewayClientShard)
'''

NAMES = '''
from importlib.metadata import distribution

import hata_gateway_ext
import hata.ext.gateway_ext as entry
from hata.ext import EXTENSION_SETUP_FUNCTIONS
from hata_gateway_ext.extension import setup_ext_gateway_ext

entry_point, = [
    entry_point for entry_point in distribution('hata_gateway_ext').entry_points if entry_point.group == 'hata.ext'
]
assert entry_point.name == 'gateway_ext'
assert entry_point.load() is setup_ext_gateway_ext

assert entry.__all__ == hata_gateway_ext.__all__
for name in entry.__all__:
    assert getattr(entry, name) is getattr(hata_gateway_ext, name)

assert EXTENSION_SETUP_FUNCTIONS['gateway_ext'] is EXTENSION_SETUP_FUNCTIONS['hata_gateway_ext.gateway_ext']
assert EXTENSION_SETUP_FUNCTIONS['gateway_ext'].setup_function is setup_ext_gateway_ext
print('same')
'''


def run(*command, cwd, **environment):
    """Runs a command in an environment in which the source tree cannot be found, and returns what it prints."""
    process = subprocess.run(
        [str(part) for part in command],
        cwd = cwd,
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(('PYTHON', 'HATA_'))},
            **environment,
        },
        stdin = subprocess.DEVNULL,
        stdout = subprocess.PIPE,
        stderr = subprocess.STDOUT,
        text = True,
        timeout = TIMEOUT,
    )
    assert process.returncode == 0, process.stdout
    return process.stdout


@pytest.fixture(scope = 'module')
def source(tmp_path_factory):
    """The sources, apart from the checkout: building leaves files behind."""
    path = tmp_path_factory.mktemp('source')
    for name in SOURCES:
        if (ROOT / name).is_dir():
            copytree(ROOT / name, path / name, ignore = ignore_patterns('__pycache__'))
        else:
            (path / name).write_bytes((ROOT / name).read_bytes())
    
    return path


def build(source, kind, target):
    """Builds a wheel with the setuptools of the environment that runs the tests."""
    output = run(sys.executable, '-c', BUILD, kind, target, cwd = source)
    return target / output.splitlines()[-1]


@pytest.fixture(scope = 'module')
def wheel(source, tmp_path_factory):
    """The wheel that is published."""
    return build(source, 'build_wheel', tmp_path_factory.mktemp('wheel'))


@pytest.fixture(scope = 'module')
def editable_wheel(source, tmp_path_factory):
    """What `pip install -e` installs."""
    return build(source, 'build_editable', tmp_path_factory.mktemp('editable_wheel'))


@pytest.fixture(scope = 'module', params = ('wheel', 'editable_wheel'))
def environment(request, tmp_path_factory):
    """An environment with hata and ours installed; its interpreter."""
    path = tmp_path_factory.mktemp(request.param)
    venv.create(path, with_pip = True, symlinks = True)
    python = path / 'bin' / 'python'
    packages = Path(sysconfig.get_path('purelib', vars = {'base': str(path)}))
    
    # The directories are real and the files are links, so that what is installed into hata stays in this environment.
    copytree(
        Path(hata.__file__).parent, packages / 'hata', copy_function = os.symlink, ignore = ignore_patterns('gateway_ext')
    )
    # Everything else that the running environment has, but not our package, which may be installed there as well.
    links = path / 'links'
    links.mkdir()
    for directory in {sysconfig.get_path('purelib'), sysconfig.get_path('platlib')}:
        for entry in Path(directory).iterdir():
            link = links / entry.name
            if (entry.suffix != '.pth') and (not entry.name.startswith('hata_gateway_ext')) and (not link.exists()):
                link.symlink_to(entry)
    
    (packages / 'running.pth').write_text(f'{links}\n')
    
    run(
        python, '-m', 'pip', 'install', '--no-index', '--no-deps', '--no-cache-dir', '--ignore-installed',
        request.getfixturevalue(request.param), cwd = path,
    )
    return python


def _get_modules(source, name):
    return {path.relative_to(source).as_posix() for path in (source / name).rglob('*.py')}


def test__wheel__holds_each_module(source, wheel):
    """Each module is in the wheel: a package that is missing in setup.cfg would be left out silently."""
    names = {name for name in ZipFile(wheel).namelist() if name.endswith('.py')}
    
    assert _get_modules(source, 'hata_gateway_ext') <= names
    assert names - _get_modules(source, 'hata_gateway_ext') == {'hata/ext/gateway_ext/__init__.py'}


def test__wheel__touches_nothing_of_hata(wheel):
    """Uninstalling removes what was installed, and nothing of that is hata's."""
    for name in ZipFile(wheel).namelist():
        assert name.startswith(('hata_gateway_ext/', 'hata_gateway_ext-', 'hata/ext/gateway_ext/')), name


def test__wheel__metadata(wheel):
    """The metadata says which Python, what is needed, the license, and the entry point."""
    with ZipFile(wheel) as file:
        prefix = next(name for name in file.namelist() if name.endswith('.dist-info/METADATA'))[:-len('METADATA')]
        metadata = Parser().parsestr(file.read(f'{prefix}METADATA').decode())
        entry_points = file.read(f'{prefix}entry_points.txt').decode()
        names = file.namelist()
    
    assert set(metadata['Requires-Python'].split(',')) == {'>=3.9', '<3.12'}
    assert any(name.endswith('/LICENSE') for name in names)
    assert '[hata.ext]' in entry_points
    assert 'gateway_ext = hata_gateway_ext.extension:setup_ext_gateway_ext' in entry_points
    
    requirements = metadata.get_all('Requires-Dist')
    always = {requirement for requirement in requirements if 'extra ==' not in requirement}
    assert {requirement.partition('>')[0].strip(' (') for requirement in always} == {
        'hata', 'scarletio', 'orjson', 'backports.zstd',
    }
    for requirement in always:
        assert ('platform_python_implementation' in requirement) == requirement.startswith(('orjson', 'backports'))
    
    assert set(metadata.get_all('Provides-Extra')) == {'benchmark', 'demo', 'docs', 'local', 'redis', 'test'}


def test__installed__bot_that_imports_nothing_of_ours(environment, tmp_path, request):
    """hata finds the extension by its name, alone and beside another, in any order, by its short and its full name."""
    script = tmp_path / 'bot.py'
    script.write_text(BOT)
    
    path, types, is_default = run(environment, script, cwd = tmp_path).splitlines()
    
    assert ROOT / 'hata_gateway_ext' not in Path(path).parents
    if 'editable_wheel' in request.node.name:
        assert 'site-packages' not in path
    else:
        assert environment.parent.parent in Path(path).parents
    assert types.split() == [
        'DurableGatewayClientShard', 'DurableGatewayClientSharder', 'DurableGatewayClientShard',
        'DurableGatewayClientShard', 'DurableGatewayClientShard',
    ]
    assert is_default == 'True'


def test__installed__names(environment, tmp_path):
    """The entry point, hata's registry and both modules lead to the same function, whichever is imported."""
    assert run(environment, '-c', NAMES, cwd = tmp_path).splitlines() == ['same']


def test__installed__doctor(environment, tmp_path):
    """The doctor finds nothing wrong with what was just installed."""
    certificate_file = tmp_path / 'authority.pem'
    trustme.CA().cert_pem.write_to_path(str(certificate_file))
    
    output = run(environment, '-m', 'hata_gateway_ext', 'doctor', cwd = tmp_path, SSL_CERT_FILE = str(certificate_file))
    
    assert 'hata.ext.gateway_ext is ' in output
    assert 'error ' not in output


def test__installed__help(environment, tmp_path):
    """The package is a program."""
    assert 'doctor' in run(environment, '-m', 'hata_gateway_ext', '--help', cwd = tmp_path)
