"""
Runs every contest with every library, prints the table of goals, and writes figures, chart and page.

    python -m benchmarks                    measures everything, which takes about a quarter of an hour
    python -m benchmarks --only zlib        measures one contest
    python -m benchmarks --publish          also writes docs/benchmarks.{json,svg,md}; each Python version has its place
    python -m benchmarks --adopt FILE       the same, with what an earlier run wrote with --json
    python -m benchmarks --page             writes chart and page again
"""
__all__ = ('main',)

import sys
from argparse import ArgumentParser
from importlib.util import find_spec
from json import dump as write_json, dumps as dump_to_json, load as read_json
from os.path import abspath, dirname, exists, join as join_paths

from .chart import create_chart
from .contender import Contender
from .events import INTENTS_RECORDED
from .machine import describe_machine
from .page import create_page
from .report import build_data, iter_lines
from .suite import CONTESTS, Suite

DOCUMENTATION_PATH = join_paths(dirname(dirname(abspath(__file__))), 'docs')

FIGURES_PATH = join_paths(DOCUMENTATION_PATH, 'benchmarks.json')

# Where a machine is shared, its speed drifts within seconds. Many short rounds see through that better than few long ones.
EVENT_COUNT = 40000
ROUNDS = 15

SEED = 1


def add_measure_arguments(parser):
    """
    Adds the arguments of a measurement.
    
    Parameters
    ----------
    parser : `ArgumentParser`
        Where to add them.
    """
    parser.add_argument(
        '--only',
        action = 'append',
        choices = CONTESTS,
        help = 'what to measure, can be given several times (default: everything)',
    )
    parser.add_argument(
        '--events', type = parse_count, default = EVENT_COUNT, help = f'events of a recording (default: {EVENT_COUNT})'
    )
    parser.add_argument('--rounds', type = parse_count, default = ROUNDS, help = f'rounds (default: {ROUNDS})')
    parser.add_argument('--seed', type = int, default = SEED, help = 'the same seed makes the same events')
    parser.add_argument(
        '--intents',
        type = int,
        default = INTENTS_RECORDED,
        help = f'intents of your bot as a number: decides what events there are (default: {INTENTS_RECORDED})',
    )
    parser.add_argument(
        '--quiet',
        type = float,
        default = 0.0,
        metavar = 'SECONDS',
        help = (
            'wait before each process until nothing else is running, at most this long, and run it again if something else '
            'did meanwhile (Linux)'
        ),
    )
    parser.add_argument('--json', metavar = 'PATH', help = 'also write everything that was measured to this file')


def parse_count(value):
    """
    Parses a number above zero.
    
    Parameters
    ----------
    value : `str`
        What the user wrote.
    
    Returns
    -------
    count : `int`
    
    Raises
    ------
    ValueError
        - Not a number above zero.
    """
    count = int(value)
    if count < 1:
        raise ValueError(value)
    
    return count


def measure(arguments):
    """
    Measures, prints and writes.
    
    Parameters
    ----------
    arguments : `Namespace`
        The command line's arguments.
    
    Returns
    -------
    data : `dict<str, object>`
    
    Raises
    ------
    ValueError
        - No event can be recorded for the intents.
    """
    suite = Suite(
        event_count = arguments.events,
        intents = arguments.intents,
        others = create_others,
        quiet = arguments.quiet,
        rounds = arguments.rounds,
        say = say,
        seed = arguments.seed,
    )
    recording = suite.create_recording(arguments.events)
    head = {
        'machine': describe_machine(),
        'seed': arguments.seed,
        'intents': arguments.intents,
        'event_count': arguments.events,
        'average_size': recording.average_size,
        'digest': recording.digest,
        'rounds': arguments.rounds,
        'quiet': arguments.quiet,
    }
    data = build_data(suite.run(arguments.only or CONTESTS), head)
    
    for line in iter_lines(data):
        print(line)
    
    if (arguments.json is not None):
        with open(arguments.json, 'w', encoding = 'utf-8') as file:
            write_json(data, file, indent = 1)
            file.write('\n')
    
    return data


def say(line):
    """
    Says what goes on, apart from the results.
    
    Parameters
    ----------
    line : `str`
        The line.
    """
    print(line, file = sys.stderr, flush = True)


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
        ) if (find_spec(package) is not None) and can_receive(package, compression)
    ]


def can_receive(package, compression):
    """
    Returns whether a library knows a compression. hikari for Python 3.9 does not know zstd-stream.
    
    Parameters
    ----------
    package : `str`
        The library's package.
    compression : `str`
        The compression.
    
    Returns
    -------
    can_receive : `bool`
    """
    if (package != 'hikari') or (compression != 'zstd-stream'):
        return True
    
    from hikari.api.shard import GatewayCompression
    
    return hasattr(GatewayCompression, 'TRANSPORT_ZSTD_STREAM')


def load_runs():
    """
    Loads the published runs.
    
    Returns
    -------
    runs : `dict<str, dict<str, object>>`
        By Python version.
    """
    if not exists(FIGURES_PATH):
        return {}
    
    with open(FIGURES_PATH, encoding = 'utf-8') as file:
        return read_json(file)


def publish(runs):
    """
    Writes figures, chart and page.
    
    Parameters
    ----------
    runs : `dict<str, dict<str, object>>`
        What was measured, by Python version.
    """
    main_run = runs[max(runs, key = get_version_key)]
    for name, content in (
        ('benchmarks.json', dump_to_json(runs, indent = 1, sort_keys = True) + '\n'),
        ('benchmarks.svg', create_chart(main_run)),
        ('benchmarks.md', create_page(main_run, [runs[key] for key in sorted(runs, key = get_version_key)])),
    ):
        with open(join_paths(DOCUMENTATION_PATH, name), 'w', encoding = 'utf-8') as file:
            file.write(content)
        
        say(f'written: {name}')


def get_version_key(python):
    """
    Returns what Python versions are sorted by.
    
    Parameters
    ----------
    python : `str`
        Implementation and version.
    
    Returns
    -------
    key : `list<int>`
    """
    return [int(part) for part in python.rpartition(' ')[2].split('.')[:2]]


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
        `0` if everything was measured and every goal holds, `1` if a goal falls short, `2` if something failed or there is
        nothing to measure.
    """
    parser = ArgumentParser(
        prog = 'python -m benchmarks',
        description = (
            'Measures what receiving costs with hata\'s default gateway, with hata_gateway_ext, with hikari and with '
            'discord.py, over the same bytes.'
        ),
    )
    add_measure_arguments(parser)
    parser.add_argument('--publish', action = 'store_true', help = 'write the figures, the chart and the page to docs/')
    parser.add_argument('--page', action = 'store_true', help = 'only write the chart and the page again')
    parser.add_argument('--adopt', metavar = 'PATH', help = 'publish what an earlier run wrote with --json')
    namespace = parser.parse_args(arguments)
    
    runs = load_runs()
    if namespace.page:
        publish(runs)
        return 0
    
    if namespace.adopt is None:
        try:
            data = measure(namespace)
        except ValueError as exception:
            say(str(exception))
            return 2
    else:
        with open(namespace.adopt, encoding = 'utf-8') as file:
            data = read_json(file)
    
    if namespace.publish or (namespace.adopt is not None):
        publish({**runs, data['machine']['python']: data})
    
    if any(contest['failures'] for contest in data['contests'].values()):
        return 2
    
    return 1 if any(goal['verdict'] == 'falls short' for goal in data['goals']) else 0
