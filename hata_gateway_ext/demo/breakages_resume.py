"""
Breakages on the way back: a connection is lost, and the resume that follows is struck as well, at one of its stages.
"""
__all__ = ('BREAKAGES_RESUME',)

from ..local_discord import Cut, Skip

from .blows import BLOWS, build_action, draw_action
from .breakage import Breakage


# Seconds after which a scripted blow that nobody met is taken back. Longer than a shard is away after two failures in a row.
BLOW_DURATION = 10.0

# Seconds for which a line stays silent that fell silent while it was resumed.
SILENCE_DURATION = 3.0

# Events that are sent before the connection is lost, so that there is something to replay.
REPLAY_SIZE = 40


def draw_trouble(random):
    """Draws a stage, what strikes there, after how many passes of the stage, how often, and what is sent in between."""
    stage = random.choice(sorted(BLOWS))
    # Only events and replayed events pass more than once on a connection.
    after = random.randint(0, 30) if stage in ('replay', 'dispatch') else 0
    return {
        'stage': stage,
        'blow': draw_action(random, stage),
        'after': after,
        'times': random.choice((1, 1, 1, 2, 3)),
        'burst': random.choice((0, 5, 40, 150)),
        'trigger': random.choice(('RST', 'FIN', 'op 7', '4000')),
    }


async def trouble_while_resuming(trial, shard_id, stage, blow, after, times, burst, trigger):
    """The connection is lost, and so is what comes after it."""
    discord = trial.discord
    name, _ = blow
    fault = discord.fault(
        build_action(*blow), at = stage, shard_id = shard_id, times = times, after = after, duration = BLOW_DURATION
    )
    
    if trigger == 'op 7':
        discord.reconnect(shard_id)
    elif trigger == '4000':
        discord.close(shard_id, 4000)
    else:
        discord.cut(shard_id, reset = (trigger == 'RST'))
    
    # Sent while the shard is away, so that it is replayed.
    trial.traffic.send(shard_id, burst)
    
    if name == 'silence':
        # Healed in time: a line that falls silent before HELLO, or for ever, is of the slow kind.
        await trial.sleep(SILENCE_DURATION)
        fault.heal()


async def cut_while_replaying(trial, shard_id):
    """The connection is lost again in the middle of the replay."""
    trial.discord.fault(Cut(), at = 'replay', shard_id = shard_id, after = REPLAY_SIZE // 2, duration = BLOW_DURATION)
    trial.discord.cut(shard_id)
    trial.traffic.send(shard_id, REPLAY_SIZE)


def draw_unanswered(random):
    """Draws which stage stays unanswered."""
    return {'stage': random.choice(('connect', 'hello', 'resume'))}


async def leave_unanswered(trial, shard_id, stage):
    """Something that the gateway waits for never comes."""
    trial.discord.fault(Skip(), at = stage, shard_id = shard_id, duration = BLOW_DURATION)
    trial.discord.cut(shard_id)


BREAKAGES_RESUME = (
    Breakage('trouble while resuming', trouble_while_resuming, draw_trouble, weight = 14.0),
    Breakage('TCP reset, again while replaying', cut_while_replaying, weight = 2.0),
    Breakage('unanswered', leave_unanswered, draw_unanswered, is_slow = True, weight = 1.5),
)
