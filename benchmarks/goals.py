"""
The goals: what receiving may cost, as ratios of figures of one run on one machine.
"""
__all__ = ('GOALS', 'get_shard_memory', 'judge')

from .contender import NAME_DECODE, NAME_DEFAULT, NAME_INFLATE, NAME_OURS
from .goal import Goal, GoalResult
from .suite import MEMORY_SHARD_COUNT, PAYLOAD_SIZES, SHARD_COUNTS
from .summary import get_paired_ratio

NAME_HIKARI = 'hikari'

KIBIBYTE = 1024

# "The same cost" at every number of shards, and "no dearer" per byte with larger payloads: figures of two processes that
# do the same are up to a fifth apart on a machine that is shared.
GROWTH_TOLERANCE = 1.2

# Milliseconds by which a heartbeat may be late while events are handled: a turn of the loop, and what the system takes.
HEARTBEAT_LATE_LIMIT = 50.0


def get_ratio(results, key, above, below, fastest = False):
    """
    Returns how many times what an event costs the one, does it cost the other.
    
    Parameters
    ----------
    results : `dict<str, ContestResult>`
        The contests' results.
    key : `str`
        The contest.
    above : `str`
        The contender above the line.
    below : `str`
        The contender below.
    fastest : `bool` = `False`, Optional
        Whether to compare the fastest rounds alone, instead of round by round.
    
    Returns
    -------
    ratio : `None | float`
    """
    result = results.get(key, None)
    if result is None:
        return None
    
    numerator = result.get_costs(above)
    denominator = result.get_costs(below)
    if (numerator is None) or (denominator is None):
        return None
    
    if fastest:
        return numerator.spread[0] / denominator.spread[0]
    
    return get_paired_ratio(numerator, denominator).median


def _create_ratio_goal(title, limit, key, below):
    """
    Creates a goal about what an event costs us in comparison.
    
    Parameters
    ----------
    title : `str`
        What is measured.
    limit : `float`
        At most.
    key : `str`
        The contest.
    below : `str`
        The contender to be compared with.
    
    Returns
    -------
    goal : ``Goal``
    """
    return Goal(
        title,
        limit,
        lambda results: get_ratio(results, key, NAME_OURS, below),
        measure_fastest = lambda results: get_ratio(results, key, NAME_OURS, below, True),
    )


def _measure_wire(results):
    """
    Bytes on the wire, zstd-stream to zlib-stream.
    
    Parameters
    ----------
    results : `dict<str, ContestResult>`
        The contests' results.
    
    Returns
    -------
    ratio : `None | float`
    """
    zlib_result = results.get('zlib', None)
    zstd_result = results.get('zstd', None)
    if (zlib_result is None) or (zstd_result is None):
        return None
    
    return zstd_result.wire_sizes['zstd-stream'] / zlib_result.wire_sizes['zlib-stream']


def get_shard_memory(results, name):
    """
    Returns the memory of one connected idle shard.
    
    Parameters
    ----------
    results : `dict<str, ContestResult>`
        The contests' results.
    name : `str`
        The contender.
    
    Returns
    -------
    memory : `None | float`
        KiB.
    """
    few = results.get('memory_1', None)
    many = results.get(f'memory_{MEMORY_SHARD_COUNT}', None)
    if (few is None) or (many is None):
        return None
    
    def get_memory(result):
        return result['memory'] or 0
    
    few = few.get_summary(name, get_memory)
    many = many.get_summary(name, get_memory)
    if (few is None) or (many is None) or (not few.median):
        return None
    
    return (many.median - few.median) / (MEMORY_SHARD_COUNT - 1) / KIBIBYTE


def _measure_memory(results):
    """
    Memory of a shard beyond that of hata's default. Both inflate zlib-stream, so the window is in both.
    
    Parameters
    ----------
    results : `dict<str, ContestResult>`
        The contests' results.
    
    Returns
    -------
    memory : `None | float`
        KiB.
    """
    ours = get_shard_memory(results, NAME_OURS)
    default = get_shard_memory(results, NAME_DEFAULT)
    if (ours is None) or (default is None):
        return None
    
    return ours - default


def _measure_idle(results):
    """
    Share of a processor that idle shards take.
    
    Parameters
    ----------
    results : `dict<str, ContestResult>`
        The contests' results.
    
    Returns
    -------
    share : `None | float`
        Percent.
    """
    result = results.get('idle', None)
    if result is None:
        return None
    
    summary = result.get_summary(NAME_OURS, lambda outcome: outcome['cpu_seconds'] / outcome['wall_seconds'] * 100.0)
    return None if summary is None else summary.median


def _measure_stall(results):
    """
    The longest stall of the loop.
    
    Parameters
    ----------
    results : `dict<str, ContestResult>`
        The contests' results.
    
    Returns
    -------
    stall : `None | float`
        Milliseconds, the median of the rounds.
    """
    result = results.get('stall', None)
    if result is None:
        return None
    
    summary = result.get_summary(NAME_OURS, lambda outcome: outcome['longest_stall'] * 1000.0)
    return None if summary is None else summary.median


def _measure_disorder(results):
    """
    Rounds of the same events in which the messages came in another order than they were sent.
    
    Parameters
    ----------
    results : `dict<str, ContestResult>`
        The contests' results.
    
    Returns
    -------
    count : `None | float`
    """
    result = results.get('stall', None)
    if (result is None) or (NAME_OURS not in result.results):
        return None
    
    return float(sum(outcome['checksum'] != outcome['checksum_sent'] for outcome in result.results[NAME_OURS]))


def _measure_late_heartbeats(results):
    """
    By how much heartbeats were late at most.
    
    Parameters
    ----------
    results : `dict<str, ContestResult>`
        The contests' results.
    
    Returns
    -------
    late : `None | float`
        Milliseconds, the median of the rounds. `None` if no round saw two heartbeats.
    """
    result = results.get('stall', None)
    if (result is None) or (NAME_OURS not in result.results):
        return None
    
    # Of each round that saw two heartbeats at least.
    late = sorted(
        max(
            later - earlier - outcome['heartbeat_interval']
            for earlier, later in zip(outcome['heartbeats'], outcome['heartbeats'][1:])
        ) * 1000.0
        for outcome in result.results[NAME_OURS] if len(outcome['heartbeats']) > 1
    )
    return max(late[len(late) // 2], 0.0) if late else None


def _measure_shard_growth(results):
    """
    How many times the cheapest the dearest number of shards costs per event.
    
    Parameters
    ----------
    results : `dict<str, ContestResult>`
        The contests' results.
    
    Returns
    -------
    ratio : `None | float`
    """
    costs = []
    for shard_count, _ in SHARD_COUNTS:
        result = results.get(f'shards_{shard_count}', None)
        summary = None if result is None else result.get_costs(NAME_OURS)
        if summary is None:
            return None
        
        costs.append(summary.median)
    
    return max(costs) / min(costs)


def _measure_size_growth(results):
    """
    How many times the cost of a larger payload, in units of inflating and decoding it, is that of the next smaller one.
    
    Parameters
    ----------
    results : `dict<str, ContestResult>`
        The contests' results.
    
    Returns
    -------
    ratio : `None | float`
    """
    ratios = []
    for size, _ in PAYLOAD_SIZES:
        ratio = get_ratio(results, f'size_{size}', NAME_OURS, NAME_DECODE)
        if ratio is None:
            return None
        
        ratios.append(ratio)
    
    return max(larger / smaller for smaller, larger in zip(ratios, ratios[1:]))


GOALS = (
    _create_ratio_goal('zlib-stream, gateway alone: to inflate + orjson', 1.35, 'zlib', NAME_DECODE),
    _create_ratio_goal('zlib-stream, gateway alone: to hata\'s default', 0.19, 'zlib', NAME_DEFAULT),
    _create_ratio_goal('zlib-stream, gateway alone: to hikari', 0.70, 'zlib', NAME_HIKARI),
    _create_ratio_goal('zstd-stream, gateway alone: to inflate + orjson', 1.40, 'zstd', NAME_DECODE),
    _create_ratio_goal('zstd-stream, gateway alone: to hikari', 0.66, 'zstd', NAME_HIKARI),
    _create_ratio_goal('nobody listens, zlib-stream: to inflate alone', 1.25, 'skip_zlib', NAME_INFLATE),
    _create_ratio_goal('nobody listens, zstd-stream: to inflate alone', 1.25, 'skip_zstd', NAME_INFLATE),
    _create_ratio_goal('bot with a message handler: to hata\'s default', 0.48, 'bot', NAME_DEFAULT),
    Goal('bytes on the wire: zstd-stream to zlib-stream', 0.70, _measure_wire),
    _create_ratio_goal('over TLS: to hata\'s default', 0.35, 'tls', NAME_DEFAULT),
    Goal('memory of an idle shard beyond hata\'s default', 64.0, _measure_memory, 'KiB'),
    Goal('256 idle shards, heartbeat every 41.25 s', 1.0, _measure_idle, '% of a core'),
    Goal('100,000 events at once: longest stall of the loop', 10.0, _measure_stall, 'ms'),
    Goal('100,000 events at once: rounds out of order', 0.0, _measure_disorder),
    Goal('100,000 events at once: heartbeats late by', HEARTBEAT_LATE_LIMIT, _measure_late_heartbeats, 'ms'),
    Goal('1, 16, 256 shards: dearest event to cheapest', GROWTH_TOLERANCE, _measure_shard_growth),
    Goal('64 B to 4 MiB: growth of cost per byte', GROWTH_TOLERANCE, _measure_size_growth),
)


def judge(results):
    """
    Judges results.
    
    Parameters
    ----------
    results : `dict<str, ContestResult>`
        The contests' results.
    
    Returns
    -------
    goal_results : `list<GoalResult>`
    """
    return [
        GoalResult(
            goal,
            goal.measure(results),
            None if goal.measure_fastest is None else goal.measure_fastest(results),
        ) for goal in GOALS
    ]
