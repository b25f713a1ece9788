"""
When which connection is broken in which way, decided before anything starts.

The same seed, duration and number of shards give the same schedule again, on every machine and every version of Python; what
happens in between (timing, the order in which the network delivers) of course may differ.
"""
__all__ = ('Strike', 'build_demo_schedule', 'build_soak_schedule')

from random import Random
from typing import Any, Dict, NamedTuple

from .breakages import BREAKAGES


# Seconds before the first strike: a table should be seen whole first.
LEAD = 1.0

# The demo goes through these in this order, then from the start again. What needs a session's end, an outage or luck to be
# noticed comes later.
DEMO_ORDER = (
    'TCP reset', 'op 7', 'silence', 'close 4000', 'TCP reset, again while replaying', 'op 9 true', 'garbage',
    'no acknowledgements', 'session ended by close code', 'refused upgrades', 'TCP closed', 'close without code',
    'op 9 false', 'outage', 'op 7, every shard', 'TCP reset, every shard',
)

# Seconds between two strikes of the demo, and between two on one shard: a gateway should be back before it is struck again.
DEMO_INTERVAL = 1.0
DEMO_SHARD_INTERVAL = 3.0

# Mean number of seconds between two strikes of the soak, the least, and the most.
SOAK_INTERVAL = 0.7
SOAK_INTERVAL_MINIMUM = 0.02
SOAK_INTERVAL_MAXIMUM = 3.0

# How often more than one thing happens at once in the soak: on the same shard, or on several shards.
SOAK_TOGETHER = 0.3
SOAK_TOGETHER_MAXIMUM = 4

# Seconds before the end in which nothing starts that takes a gateway 20 to 30 seconds to notice.
SLOW_TAIL = 35.0


class Strike(NamedTuple):
    """
    One breaking of a connection.
    
    Attributes
    ----------
    at : `float`
        When, in seconds after the start of the traffic.
    name : `str`
        In which way: a key of ``BREAKAGES``.
    shard_id : `int`
        Of which shard.
    parameters : `dict<str, object>`
        What was drawn about it.
    """
    at: float
    name: str
    shard_id: int
    parameters: Dict[str, Any]
    
    
    def describe(self):
        """
        Returns the strike as a line.
        
        Returns
        -------
        description : `str`
        """
        parameters = ''.join(f', {name} = {value!r}' for name, value in self.parameters.items())
        return f'{self.at:7.2f} s  shard {self.shard_id}: {self.name}{parameters}'


def build_demo_schedule(seconds, shard_count, seed = None):
    """
    Builds the schedule of the demo: one way after the other, shard after shard.
    
    Parameters
    ----------
    seconds : `float`
        For how long connections are broken.
    shard_count : `int`
        How many shards there are.
    seed : `None | int` = `None`, Optional
        Shuffles the order. The usual order if not given.
    
    Returns
    -------
    schedule : `list<Strike>`
        In order of time.
    """
    names = list(DEMO_ORDER)
    if (seed is not None):
        Random(seed).shuffle(names)
    
    interval = max(DEMO_INTERVAL, DEMO_SHARD_INTERVAL / shard_count)
    schedule = []
    while True:
        index = len(schedule)
        at = LEAD + index * interval
        if at >= seconds:
            return schedule
        
        schedule.append(Strike(round(at, 2), names[index % len(names)], index % shard_count, {}))


def build_soak_schedule(seconds, shard_count, seed):
    """
    Builds the schedule of the soak: at random, alone and together.
    
    Parameters
    ----------
    seconds : `float`
        For how long connections are broken.
    shard_count : `int`
        How many shards there are.
    seed : `int`
        What it is derived from.
    
    Returns
    -------
    schedule : `list<Strike>`
        In order of time.
    """
    random = Random(seed)
    quick = [breakage for breakage in BREAKAGES.values() if not breakage.is_slow]
    schedule = []
    at = LEAD
    
    while True:
        at += min(max(random.expovariate(1.0 / SOAK_INTERVAL), SOAK_INTERVAL_MINIMUM), SOAK_INTERVAL_MAXIMUM)
        if at >= seconds:
            return schedule
        
        breakages = quick if at > seconds - SLOW_TAIL else list(BREAKAGES.values())
        weights = [breakage.weight for breakage in breakages]
        
        count = random.randint(2, SOAK_TOGETHER_MAXIMUM) if random.random() < SOAK_TOGETHER else 1
        same_shard = random.random() < 0.5
        shard_id = random.randrange(shard_count)
        
        for breakage in random.choices(breakages, weights, k = count):
            schedule.append(Strike(round(at, 2), breakage.name, shard_id, breakage.draw(random)))
            if not same_shard:
                shard_id = random.randrange(shard_count)
