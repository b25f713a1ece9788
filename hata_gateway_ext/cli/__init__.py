"""
The commands of `python -m hata_gateway_ext`.

A command is a module here with `add_parser(subparsers)` and `run(arguments) -> int`, and a row of `COMMANDS`. Only the
module of the command that is asked for is imported, because some need packages of an extra which a bot has no use for.
"""
__all__ = ('COMMANDS', 'EXTRA_MODULES', 'main')

import sys
from argparse import ArgumentParser
from importlib import import_module


PROGRAM = 'python -m hata_gateway_ext'

# name -> what it does, and the extra that installs what it needs (`None` if nothing but the package itself).
COMMANDS = {
    'demo': ('Run a bot on a local Discord, break its connections, and count what was lost.', 'demo'),
    'serve': ('Run a local Discord for any hata bot.', 'local'),
    'doctor': ('Check this installation.', None),
}

# What an extra brings: module -> the smallest extra that has it.
EXTRA_MODULES = {
    'aiohttp': 'local',
    'redis': 'redis',
    'rich': 'demo',
}

# As a shell reports a program that was ended by SIGINT: 128 + 2.
EXIT_CODE_INTERRUPTED = 130

# As argparse exits when it cannot use what was given.
EXIT_CODE_UNUSABLE = 2


def _import_command(name):
    """
    Imports the module of a command.
    
    Parameters
    ----------
    name : `str`
        The name of the command.
    
    Returns
    -------
    command : `None | ModuleType`
        `None` if a package that it needs is not installed, after saying so.
    
    Raises
    ------
    ImportError
        - If the command cannot be imported for another reason.
    """
    try:
        return import_module(f'.{name}', __name__)
    except ImportError as exception:
        # A package of ours that needs an extra says so in an error of its own, and keeps what was missing as the cause.
        missing = exception if isinstance(exception, ModuleNotFoundError) else exception.__cause__
        extra = COMMANDS[name][1]
        
        # Anything else that cannot be imported is a fault, and not an extra that was left out.
        if (extra is None) or (not isinstance(missing, ModuleNotFoundError)) or (missing.name not in EXTRA_MODULES):
            raise
        
        print(
            (
                f'`{PROGRAM} {name}` needs the package `{missing.name}`, which is not installed. '
                f'It comes with: pip install "hata_gateway_ext[{extra}]"'
            ),
            file = sys.stderr,
        )
        return None


def main(arguments = None):
    """
    Runs the command that the arguments ask for.
    
    Parameters
    ----------
    arguments : `None | list<str>` = `None`, Optional
        The arguments after the program's name. Defaults to those of the process.
    
    Returns
    -------
    exit_code : `int`
    
    Raises
    ------
    SystemExit
        - If the arguments are wrong, or ask for help.
    """
    if arguments is None:
        arguments = sys.argv[1:]
    
    # There are no options before the command, so it is the first one if it is there at all.
    name = arguments[0] if arguments else None
    
    parser = ArgumentParser(prog = PROGRAM, description = 'A durable gateway for hata.')
    subparsers = parser.add_subparsers(dest = 'command', metavar = 'command', required = True)
    
    command = None
    for command_name, (command_description, _) in COMMANDS.items():
        if command_name == name:
            command = _import_command(name)
            if command is None:
                return EXIT_CODE_UNUSABLE
            
            command.add_parser(subparsers)
        else:
            subparsers.add_parser(command_name, help = command_description)
    
    parsed_arguments = parser.parse_args(arguments)
    
    # The parser requires a command and knows only those of the table, so there is one by now.
    try:
        return command.run(parsed_arguments)
    except KeyboardInterrupt:
        return EXIT_CODE_INTERRUPTED
