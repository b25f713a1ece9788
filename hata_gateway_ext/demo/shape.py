"""
The shape of what is run: how many shards, how long, at what rate, and with which schedule.
"""
__all__ = ('SHARD_COUNT_MAXIMUM', 'Shape', 'build_demo_shape', 'build_soak_shape')

from typing import List, NamedTuple, Optional

from .schedule import Strike, build_demo_schedule, build_soak_schedule


# For up to so many shards each of them has a guild of its own in the local Discord.
SHARD_COUNT_MAXIMUM = 16

# Events a second into each shard: fast enough that a loss of a tenth of a second shows, slow enough that the numbers can be
# followed. The soak's is what two cores carry besides everything else.
DEMO_RATE = 20.0
SOAK_RATE = 25.0

# Seconds for which an identify bucket stays taken. Discord's window is 5 seconds. The demo's is shorter: hata's own gateway
# identifies after every loss, without waiting for its turn, and would be locked out of its bucket for good. That is true to life,
# but would hide everything else.
DEMO_IDENTIFY_INTERVAL = 1.0
SOAK_IDENTIFY_INTERVAL = 5.0

# Seconds that a web socket upgrade takes in the demo. On loopback a gateway is back after 3 milliseconds, between two events; over
# the internet TCP, TLS and the upgrade are four round trips, of some 40 milliseconds each.
DEMO_CONNECT_DELAY = 0.15
SOAK_CONNECT_DELAY = 0.0


class Shape(NamedTuple):
    """
    What is run.
    
    Attributes
    ----------
    shard_count : `int`
        How many shards there are.
    seconds : `float`
        For how long connections are broken.
    rate : `float`
        Events a second into each shard.
    identify_interval : `float`
        Seconds for which an identify bucket stays taken.
    connect_delay : `float`
        Seconds that a web socket upgrade takes.
    schedule : `list<Strike>`
        When which connection is broken in which way.
    seed : `None | int`
        What the schedule is derived from.
    is_soak : `bool`
        Whether it is a soak.
    """
    shard_count: int
    seconds: float
    rate: float
    identify_interval: float
    connect_delay: float
    schedule: List[Strike]
    seed: Optional[int]
    is_soak: bool


def build_demo_shape(shard_count, seconds, seed):
    """
    Builds the shape of the demo.
    
    Parameters
    ----------
    shard_count : `int`
        How many shards there are.
    seconds : `float`
        For how long connections are broken.
    seed : `None | int`
        Shuffles the order of the breakages.
    
    Returns
    -------
    shape : ``Shape``
    """
    return Shape(
        shard_count = shard_count,
        seconds = seconds,
        rate = DEMO_RATE,
        identify_interval = DEMO_IDENTIFY_INTERVAL,
        connect_delay = DEMO_CONNECT_DELAY,
        schedule = build_demo_schedule(seconds, shard_count, seed),
        seed = seed,
        is_soak = False,
    )


def build_soak_shape(shard_count, seconds, seed):
    """
    Builds the shape of the soak.
    
    Parameters
    ----------
    shard_count : `int`
        How many shards there are.
    seconds : `float`
        For how long connections are broken.
    seed : `int`
        What the schedule is derived from.
    
    Returns
    -------
    shape : ``Shape``
    """
    return Shape(
        shard_count = shard_count,
        seconds = seconds,
        rate = SOAK_RATE,
        identify_interval = SOAK_IDENTIFY_INTERVAL,
        connect_delay = SOAK_CONNECT_DELAY,
        schedule = build_soak_schedule(seconds, shard_count, seed),
        seed = seed,
        is_soak = True,
    )
