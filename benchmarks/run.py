"""
Runs every contest with every library, prints the table of goals, and writes figures, chart and page.

    python -m benchmarks                       measures everything, which takes about ten minutes
    python -m benchmarks --only zlib           measures one contest
    python -m benchmarks --publish             also writes docs/benchmarks.{json,svg,md}
    python -m benchmarks --page-of FILE        writes chart and page again, from figures that were written before
"""
__all__ = ('main',)

from argparse import ArgumentParser
from importlib.util import find_spec
from json import dump as write_json, load as read_json
from os.path import abspath, dirname, join as join_paths

from hata_gateway_ext.bench.contender import Contender
from hata_gateway_ext.bench.suite import CONTESTS
from hata_gateway_ext.cli.bench import add_measure_arguments, measure, say

from .chart import create_chart
from .page import create_page

DOCUMENTATION_PATH = join_paths(dirname(dirname(abspath(__file__))), 'docs')

# Long enough for the noise of one run to be a percent or two, short enough for all contests to be over in minutes.
EVENT_COUNT = 100000
ROUNDS = 7


def create_others(compression, intents):
    """
    Creates the other libraries' contenders.
    
    Parameters
    ----------
    compression : `str`
        The compression.
    intents : `int`
        Intents as a bit mask.
    
    Returns
    -------
    contenders : `list<Contender>`
    """
    return [
        Contender(
            name,
            f'{__package__}.{module}',
            ('--compression', compression, '--intents', str(intents)),
            compression = compression,
        ) for name, package, module in (
            ('hikari', 'hikari', 'hikari_shard'),
            ('discord.py', 'discord', 'discord_py_client'),
        ) if (find_spec(package) is not None)
    ]


def publish(data):
    """
    Writes figures, chart and page.
    
    Parameters
    ----------
    data : `dict<str, object>`
        What was measured.
    """
    for name, content in (
        ('benchmarks.svg', create_chart(data)),
        ('benchmarks.md', create_page(data)),
    ):
        path = join_paths(DOCUMENTATION_PATH, name)
        with open(path, 'w', encoding = 'utf-8') as file:
            file.write(content)
        
        say(f'written: {name}')


def main(arguments = None):
    """
    Runs the benchmarks.
    
    Parameters
    ----------
    arguments : `None | list<str>` = `None`, Optional
        Command line arguments.
    
    Returns
    -------
    exit_code : `int`
        `0` if everything was measured and every goal holds, `1` if a goal falls short, `2` if something failed.
    """
    parser = ArgumentParser(
        prog = 'python -m benchmarks',
        description = (
            'Measures what receiving costs with hata\'s default gateway, with hata_gateway_ext, with hikari and with '
            'discord.py, over the same bytes.'
        ),
    )
    add_measure_arguments(parser, CONTESTS, EVENT_COUNT, ROUNDS)
    parser.add_argument('--publish', action = 'store_true', help = 'write the figures, the chart and the page to docs/')
    parser.add_argument('--page-of', metavar = 'PATH', help = 'only write chart and page from this file of figures')
    namespace = parser.parse_args(arguments)
    
    if (namespace.page_of is not None):
        with open(namespace.page_of, encoding = 'utf-8') as file:
            publish(read_json(file))
        return 0
    
    data = measure(namespace, create_others)
    if namespace.publish:
        with open(join_paths(DOCUMENTATION_PATH, 'benchmarks.json'), 'w', encoding = 'utf-8') as file:
            write_json(data, file, indent = 1)
            file.write('\n')
        
        publish(data)
    
    if any(contest['failures'] for contest in data['contests'].values()):
        return 2
    
    return 1 if any(goal['verdict'] == 'falls short' for goal in data['goals']) else 0
