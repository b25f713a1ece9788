"""
The command `demo`: a bot on a local Discord, whose connections are broken under traffic, and an account of every event.
"""
__all__ = ('add_parser', 'run')

import asyncio
from argparse import ArgumentTypeError
from math import isfinite
from random import SystemRandom
from signal import SIGINT, SIGTERM

from rich.console import Console

from ..configuration import COMPRESSIONS, COMPRESSION_AUTO
from ..demo.bot_settings import GATEWAYS, GATEWAY_DEFAULT, GATEWAY_OURS
from ..demo.live_table import LiveTable
from ..demo.plain_lines import PlainLines
from ..demo.restart_trial import RestartTrial
from ..demo.shape import SHARD_COUNT_MAXIMUM, build_demo_shape, build_soak_shape
from ..demo.show import show_trials
from ..demo.summary import build_summary
from ..demo.trial import Trial


# As a shell reports a program that was ended by SIGINT: 128 + 2.
EXIT_CODE_INTERRUPTED = 130

DEMO_SHARD_COUNT = 4
DEMO_SECONDS = 20.0

SOAK_SHARD_COUNT = 8

# Below 2^31: short enough to be typed again.
SEED_MAXIMUM = (1 << 31) - 1


def parse_shard_count(value):
    """
    Parses a number of shards.
    
    Parameters
    ----------
    value : `str`
        What was given.
    
    Returns
    -------
    shard_count : `int`
    
    Raises
    ------
    ArgumentTypeError
        - If it is not accepted.
    """
    if not (value.isdecimal() and (1 <= int(value) <= SHARD_COUNT_MAXIMUM)):
        raise ArgumentTypeError(f'has to be from 1 to {SHARD_COUNT_MAXIMUM}, got {value!r}')
    
    return int(value)


def parse_duration(value):
    """
    Parses a duration, in whatever unit.
    
    Parameters
    ----------
    value : `str`
        What was given.
    
    Returns
    -------
    duration : `float`
    
    Raises
    ------
    ArgumentTypeError
        - If it is not accepted.
    """
    try:
        duration = float(value)
    except ValueError:
        duration = 0.0
    
    if not (isfinite(duration) and (duration > 0.0)):
        raise ArgumentTypeError(f'has to be a number over 0, got {value!r}')
    
    return duration


def add_parser(subparsers):
    """
    Adds the command's parser.
    
    Parameters
    ----------
    subparsers : `argparse._SubParsersAction`
        Where to add it.
    """
    parser = subparsers.add_parser(
        'demo',
        help = 'Run a bot on a local Discord, break its connections, and count what was lost.',
        description = (
            'Runs a bot on a local Discord, breaks its connections under traffic, and accounts for every event. Exits with 0 '
            'if each was seen once and in order, with 1 otherwise. With --compare the exit code is about our gateway only.'
        ),
    )
    parser.add_argument(
        '--shards', type = parse_shard_count,
        help = f'shards of the bot; {DEMO_SHARD_COUNT} by default, {SOAK_SHARD_COUNT} for a soak',
    )
    parser.add_argument(
        '--seconds', type = parse_duration, default = DEMO_SECONDS,
        help = f'for how long connections are broken; {DEMO_SECONDS:.0f} by default',
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument('--gateway', choices = GATEWAYS, default = GATEWAY_OURS, help = 'which gateway the bot runs on')
    which.add_argument('--compare', action = 'store_true', help = 'run both gateways, side by side')
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        '--soak', type = parse_duration, metavar = 'MINUTES',
        help = 'break connections at random, alone and together, for so many minutes',
    )
    what.add_argument(
        '--restart', action = 'store_true',
        help = 'restart the bot\'s process every few seconds, or kill it, instead of breaking its connections',
    )
    parser.add_argument('--seed', type = int, help = 'replay what was random: the same seed breaks the same things')
    parser.add_argument(
        '--compression', choices = COMPRESSIONS, default = COMPRESSION_AUTO,
        help = 'how events are compressed; our gateway only',
    )


def build_shape(arguments):
    """
    Builds the shape of what is to be run.
    
    Parameters
    ----------
    arguments : `argparse.Namespace`
        The parsed arguments.
    
    Returns
    -------
    shape : ``Shape``
    """
    seed = arguments.seed
    
    if arguments.soak is None:
        return build_demo_shape(arguments.shards or DEMO_SHARD_COUNT, arguments.seconds, seed)
    
    if seed is None:
        seed = SystemRandom().randint(0, SEED_MAXIMUM)
    
    return build_soak_shape(arguments.shards or SOAK_SHARD_COUNT, arguments.soak * 60.0, seed)


async def run_trials(trial_type, gateways, shape, options, view):
    """
    Runs the trials. A signal cancels them.
    
    This function is a coroutine.
    
    Parameters
    ----------
    trial_type : `type`
        ``Trial`` or ``RestartTrial``.
    gateways : `list<str>`
        The gateways to try.
    shape : ``Shape``
        What is run.
    options : `dict<str, object>`
        Options of the extension.
    view : ``LiveTable | PlainLines``
        Shows them.
    
    Returns
    -------
    outcomes : `list<Outcome>`
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    for signal in (SIGINT, SIGTERM):
        loop.add_signal_handler(signal, task.cancel)
    
    # The schedule is the same for all, so one of them tells about it.
    trials = [
        trial_type(gateway, shape, options, view.log if index == 0 else view.ignore) for index, gateway in enumerate(gateways)
    ]
    return await show_trials(trials, view)


def run(arguments):
    """
    Runs the demo.
    
    Parameters
    ----------
    arguments : `argparse.Namespace`
        The parsed arguments.
    
    Returns
    -------
    exit_code : `int`
        0 if each event was seen once and in order.
    """
    gateways = [GATEWAY_OURS, GATEWAY_DEFAULT] if arguments.compare else [arguments.gateway]
    shape = build_shape(arguments)
    trial_type = RestartTrial if arguments.restart else Trial
    options = {'gateway_compression': arguments.compression}
    
    console = Console()
    view = LiveTable(console) if console.is_terminal else PlainLines()
    
    if shape.is_soak:
        print(f'Soak of {arguments.soak:g} minutes over {shape.shard_count} shards, seed {shape.seed}.', flush = True)
    
    try:
        outcomes = asyncio.run(run_trials(trial_type, gateways, shape, options, view))
    except asyncio.CancelledError:
        print('Interrupted.')
        return EXIT_CODE_INTERRUPTED
    
    for line in build_summary(outcomes):
        print(line)
    
    # With more than one the first is ours.
    if outcomes[0].is_clean:
        return 0
    
    for note in outcomes[0].notes:
        print(f'    {note}')
    
    if shape.is_soak:
        print(
            f'To replay: python -m hata_gateway_ext demo --soak {arguments.soak:g} --shards {shape.shard_count} --seed '
            f'{shape.seed}'
        )
        for strike in shape.schedule:
            print(strike.describe())
    
    return 1
