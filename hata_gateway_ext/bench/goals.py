"""
The goals: what receiving may cost, as ratios of figures of one run on one machine.
"""
__all__ = ('GOALS', 'Goal', 'GoalResult', 'judge')

from .contender import NAME_DECODE, NAME_DEFAULT, NAME_INFLATE, NAME_OURS
from .suite import MEMORY_SHARD_COUNT, PAYLOAD_SIZES, SHARD_COUNTS
from .summary import get_paired_ratio

NAME_HIKARI = 'hikari'

KIBIBYTE = 1024

# "The same cost" at every number of shards, and "no dearer" per byte with larger payloads: figures of two processes that
# do the same are up to a fifth apart on a machine that is shared.
GROWTH_TOLERANCE = 1.2

# Milliseconds by which a heartbeat may be late while events are handled: a turn of the loop, and what the system takes.
HEARTBEAT_LATE_LIMIT = 50.0


class Goal:
    """
    A goal.
    
    Attributes
    ----------
    limit : `float`
        At most.
    measure : `FunctionType`
        Returns the figure from the results, or `None` if it was not measured.
    title : `str`
        What is measured.
    unit : `str`
        What the figure is in; empty for ratios.
    """
    __slots__ = ('limit', 'measure', 'title', 'unit')
    
    def __new__(cls, title, limit, measure, unit = ''):
        """
        Creates a new goal.
        
        Parameters
        ----------
        title : `str`
            What is measured.
        limit : `float`
            At most.
        measure : `FunctionType`
            Returns the figure from the results, or `None` if it was not measured.
        unit : `str` = `''`, Optional
            What the figure is in.
        """
        self = object.__new__(cls)
        self.limit = limit
        self.measure = measure
        self.title = title
        self.unit = unit
        return self
    
    
    def __repr__(self):
        """Returns the goal's representation."""
        return f'<{type(self).__name__} title = {self.title!r}, limit = {self.limit!r}>'


class GoalResult:
    """
    Whether a goal is met.
    
    Attributes
    ----------
    goal : ``Goal``
        The goal.
    measured : `None | float`
        The figure.
    """
    __slots__ = ('goal', 'measured')
    
    def __new__(cls, goal, measured):
        """
        Creates a new result.
        
        Parameters
        ----------
        goal : ``Goal``
            The goal.
        measured : `None | float`
            The figure.
        """
        self = object.__new__(cls)
        self.goal = goal
        self.measured = measured
        return self
    
    
    def __repr__(self):
        """Returns the result's representation."""
        return f'<{type(self).__name__} goal = {self.goal!r}, measured = {self.measured!r}>'
    
    
    @property
    def verdict(self):
        """
        Whether the goal is met.
        
        Returns
        -------
        verdict : `str`
        """
        measured = self.measured
        if measured is None:
            return 'not measured'
        
        return 'hold' if measured <= self.goal.limit else 'falls short'
    
    
    def to_data(self):
        """
        Returns what is written to files.
        
        Returns
        -------
        data : `dict<str, object>`
        """
        goal = self.goal
        return {
            'title': goal.title, 'limit': goal.limit, 'measured': self.measured, 'unit': goal.unit,
            'verdict': self.verdict,
        }


def _create_ratio(key, above, below):
    """
    Creates a measure: how many times what an event costs the one, does it cost the other.
    
    Parameters
    ----------
    key : `str`
        The contest.
    above : `str`
        The contender above the line.
    below : `str`
        The contender below.
    
    Returns
    -------
    measure : `FunctionType`
    """
    def measure(results):
        result = results.get(key, None)
        if result is None:
            return None
        
        numerator = result.get_costs(above)
        denominator = result.get_costs(below)
        if (numerator is None) or (denominator is None):
            return None
        
        return get_paired_ratio(numerator, denominator).median
    
    return measure


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
    return late[len(late) // 2] if late else None


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
        ratio = _create_ratio(f'size_{size}', NAME_OURS, NAME_DECODE)(results)
        if ratio is None:
            return None
        
        ratios.append(ratio)
    
    return max(larger / smaller for smaller, larger in zip(ratios, ratios[1:]))


GOALS = (
    Goal('zlib-stream, gateway alone: to inflate + orjson', 1.35, _create_ratio('zlib', NAME_OURS, NAME_DECODE)),
    Goal('zlib-stream, gateway alone: to hata\'s default', 0.19, _create_ratio('zlib', NAME_OURS, NAME_DEFAULT)),
    Goal('zlib-stream, gateway alone: to hikari', 0.70, _create_ratio('zlib', NAME_OURS, NAME_HIKARI)),
    Goal('zstd-stream, gateway alone: to inflate + orjson', 1.40, _create_ratio('zstd', NAME_OURS, NAME_DECODE)),
    Goal('zstd-stream, gateway alone: to hikari', 0.66, _create_ratio('zstd', NAME_OURS, NAME_HIKARI)),
    Goal('nobody listens, zlib-stream: to inflate alone', 1.25, _create_ratio('skip_zlib', NAME_OURS, NAME_INFLATE)),
    Goal('nobody listens, zstd-stream: to inflate alone', 1.25, _create_ratio('skip_zstd', NAME_OURS, NAME_INFLATE)),
    Goal('bot with a message handler: to hata\'s default', 0.48, _create_ratio('bot', NAME_OURS, NAME_DEFAULT)),
    Goal('bytes on the wire: zstd-stream to zlib-stream', 0.70, _measure_wire),
    Goal('over TLS: to hata\'s default', 0.35, _create_ratio('tls', NAME_OURS, NAME_DEFAULT)),
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
    return [GoalResult(goal, goal.measure(results)) for goal in GOALS]
