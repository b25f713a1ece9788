"""
`python -m hata_gateway_ext bench`: what receiving costs on this machine, with hata's default gateway and with this one.

Needs nothing but the package itself; over TLS `trustme` too. Everything stays on loopback.
"""
__all__ = ('add_parser', 'add_measure_arguments', 'measure', 'run')

from json import dump as write_json
from sys import stderr, stdout

from ..bench.events import INTENTS_RECORDED
from ..bench.machine import describe_machine
from ..bench.report import build_data, iter_lines
from ..bench.suite import CONTESTS, Suite

# Contests that run unless others are asked for: what is over within a minute.
CONTESTS_DEFAULT = ('zlib', 'zstd', 'bot', 'stall')

EVENT_COUNT_DEFAULT = 50000
ROUNDS_DEFAULT = 3
SEED_DEFAULT = 1


def add_parser(subparsers):
    """
    Adds the command.
    
    Parameters
    ----------
    subparsers : `object`
        Where to add it.
    """
    parser = subparsers.add_parser(
        'bench',
        help = 'measure what receiving costs on this machine',
        description = (
            'Sends the same recorded-like events to hata\'s default gateway and to this one, each in a fresh process, and '
            'compares the processor time that they take. "inflate" and "inflate + orjson" are the floor below both.'
        ),
    )
    add_measure_arguments(parser, CONTESTS_DEFAULT, EVENT_COUNT_DEFAULT, ROUNDS_DEFAULT)


def add_measure_arguments(parser, contests, event_count, rounds):
    """
    Adds the arguments of a measurement.
    
    Parameters
    ----------
    parser : `ArgumentParser`
        Where to add them.
    contests : `tuple<str>`
        The contests that run by default.
    event_count : `int`
        The default number of events.
    rounds : `int`
        The default number of rounds.
    """
    parser.add_argument(
        '--only',
        action = 'append',
        choices = CONTESTS,
        help = f'what to measure, can be given several times (default: {", ".join(contests)})',
    )
    parser.add_argument(
        '--events', type = parse_count, default = event_count, help = f'events of a recording (default: {event_count})'
    )
    parser.add_argument('--rounds', type = parse_count, default = rounds, help = f'rounds (default: {rounds})')
    parser.add_argument('--seed', type = int, default = SEED_DEFAULT, help = 'the same seed makes the same events')
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
    parser.set_defaults(contests = contests)


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


def measure(arguments, others = None):
    """
    Measures, prints and writes.
    
    Parameters
    ----------
    arguments : `Namespace`
        The command line's arguments.
    others : `None | FunctionType` = `None`, Optional
        Called with a compression and the intents, returns further contenders.
    
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
        others = others,
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
    data = build_data(suite.run(arguments.only or arguments.contests), head)
    
    for line in iter_lines(data):
        stdout.write(f'{line}\n')
    
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
    stderr.write(f'{line}\n')
    stderr.flush()


def run(arguments):
    """
    Runs the command.
    
    Parameters
    ----------
    arguments : `Namespace`
        The command line's arguments.
    
    Returns
    -------
    exit_code : `int`
        `0` if everything was measured, `1` if something failed, `2` if there is nothing to measure.
    """
    try:
        data = measure(arguments)
    except ValueError as exception:
        say(str(exception))
        return 2
    
    return 1 if any(contest['failures'] for contest in data['contests'].values()) else 0
