import sys

import pytest

from hata_gateway_ext import cli
from hata_gateway_ext.cli import COMMANDS, EXTRA_MODULES, main


@pytest.mark.parametrize('arguments', ([], ['nonsense'], ['doctor', '--nonsense']))
def test__main__wrong_arguments(arguments, capsys):
    """Wrong arguments exit with 2, as with any program of argparse's."""
    with pytest.raises(SystemExit) as exception_info:
        main(arguments)
    
    assert exception_info.value.code == 2
    assert 'usage' in capsys.readouterr().err


def test__main__help_lists_commands(capsys):
    """The help names each command, without importing what they need."""
    with pytest.raises(SystemExit) as exception_info:
        main(['--help'])
    
    assert exception_info.value.code == 0
    output = capsys.readouterr().out
    for name in ('demo', 'doctor', 'serve'):
        assert name in output


@pytest.mark.parametrize('name', sorted(COMMANDS))
def test__main__command_help(name, capsys):
    """Each command of the table is there, and says what it takes."""
    with pytest.raises(SystemExit) as exception_info:
        main([name, '--help'])
    
    assert exception_info.value.code == 0
    assert f'hata_gateway_ext {name}' in capsys.readouterr().out


class _Importer:
    """
    Makes the import of a command's module raise.
    """
    def __init__(self, exception):
        self.exception = exception
    
    def __call__(self, name, package):
        raise self.exception


def _create_chained(module_name):
    exception = ImportError('The local Discord needs it.')
    exception.__cause__ = ModuleNotFoundError(name = module_name)
    return exception


@pytest.mark.parametrize('module_name', sorted(EXTRA_MODULES))
@pytest.mark.parametrize('create', (lambda name: ModuleNotFoundError(name = name), _create_chained))
def test__main__extra_is_missing(module_name, create, monkeypatch, capsys):
    """A package of an extra that is missing is named, with the command that brings it."""
    monkeypatch.setattr(cli, 'import_module', _Importer(create(module_name)))
    
    assert main(['demo']) == 2
    
    output = capsys.readouterr().err
    assert f'`{module_name}`' in output
    assert 'pip install "hata_gateway_ext[demo]"' in output


@pytest.mark.parametrize(
    ('command_name', 'exception'),
    (
        ('demo', ModuleNotFoundError(name = 'hata_gateway_ext.cli.demo')),
        ('demo', ImportError('cannot import name')),
        ('doctor', ModuleNotFoundError(name = 'rich')),
    ),
)
def test__main__fault_is_raised(command_name, exception, monkeypatch):
    """What cannot be imported for another reason is a fault, and is not blamed on the installation."""
    monkeypatch.setattr(cli, 'import_module', _Importer(exception))
    
    with pytest.raises(type(exception)) as exception_info:
        main([command_name])
    
    assert exception_info.value is exception


class _Command:
    """
    A command that ends as it is told.
    """
    def __init__(self, run):
        self.run = run
    
    def add_parser(self, subparsers):
        subparsers.add_parser('doctor')


def test__main__exit_code(monkeypatch):
    """The exit code is the command's."""
    monkeypatch.setattr(cli, 'import_module', lambda name, package: _Command(lambda arguments: 6))
    assert main(['doctor']) == 6


def test__main__interrupted(monkeypatch):
    """Ctrl-C is no fault: there is no traceback, and the exit code is a shell's."""
    def run(arguments):
        raise KeyboardInterrupt
    
    monkeypatch.setattr(cli, 'import_module', lambda name, package: _Command(run))
    assert main(['doctor']) == 130


def test__main__arguments_of_the_process(monkeypatch):
    """Without arguments given those of the process are used."""
    seen = []
    command = _Command(lambda arguments: seen.append(arguments.command))
    monkeypatch.setattr(cli, 'import_module', lambda name, package: command)
    monkeypatch.setattr(sys, 'argv', ['hata_gateway_ext', 'doctor'])
    
    main()
    
    assert seen == ['doctor']
