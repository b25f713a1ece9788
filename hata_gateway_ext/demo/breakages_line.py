"""
Breakages of an established connection: the network's, and what Discord itself sends.
"""
__all__ = ('BREAKAGES_LINE',)

from ..local_discord import Delay, Skip, SkipSequence

from .blows import GARBAGE, RESUMABLE_CLOSE_CODES, build_action
from .breakage import Breakage


# In heartbeat intervals. A silent line is noticed after 2 at most, one without acknowledgements after 3.
SILENCE_INTERVALS = 4.0


async def cut_by_reset(trial, shard_id):
    """The connection is cut with RST: a load balancer restarts, a NAT entry is gone."""
    trial.discord.cut(shard_id, reset = True)


async def cut_by_end(trial, shard_id):
    """The connection is cut with FIN, without a close frame: a server process ends."""
    trial.discord.cut(shard_id, reset = False)


def draw_close_code(random):
    """Draws a close code that keeps the session."""
    return {'code': random.choice(RESUMABLE_CLOSE_CODES)}


async def close_connection(trial, shard_id, code):
    """Discord closes the connection."""
    trial.discord.close(shard_id, code)


async def close_connection_unknown(trial, shard_id):
    """Discord closes with its code for an unknown error, as before maintenance."""
    trial.discord.close(shard_id, 4000)


async def close_connection_without_code(trial, shard_id):
    """The close frame has no code."""
    trial.discord.close(shard_id, None)


async def ask_to_reconnect(trial, shard_id):
    """Op 7."""
    trial.discord.reconnect(shard_id)


async def invalidate_resumably(trial, shard_id):
    """Op 9, and the session can be resumed."""
    trial.discord.invalidate(shard_id, resumable = True)


async def ask_for_heartbeat(trial, shard_id):
    """Op 1."""
    trial.discord.request_heartbeat(shard_id)


def draw_silence(random):
    """Draws for how many heartbeat intervals a line is silent, and whether the other way works."""
    return {
        'blow': ['silence', random.choice(('deaf', 'hearing'))],
        'intervals': round(random.uniform(0.2, SILENCE_INTERVALS), 2),
    }


async def silence_line(trial, shard_id, blow = ('silence', 'deaf'), intervals = SILENCE_INTERVALS):
    """Nothing comes any more, while the connection stays open: a cable, a firewall. It comes back later, perhaps too late."""
    trial.discord.fault(
        build_action(*blow), shard_id = shard_id, duration = intervals * trial.heartbeat_interval
    )


async def withhold_acknowledgements(trial, shard_id):
    """Heartbeats are not acknowledged, while events go on."""
    trial.discord.fault(
        Skip(), at = 'heartbeat', shard_id = shard_id, times = None, duration = SILENCE_INTERVALS * trial.heartbeat_interval
    )


def draw_acknowledgement_delay(random):
    """Draws by how many heartbeat intervals acknowledgements are late. They come, so the connection lives."""
    return {'intervals': round(random.uniform(0.1, 0.9), 2)}


async def delay_acknowledgements(trial, shard_id, intervals):
    """Acknowledgements are late."""
    trial.discord.fault(
        Delay(intervals * trial.heartbeat_interval), at = 'heartbeat', shard_id = shard_id, times = 3,
        duration = SILENCE_INTERVALS * trial.heartbeat_interval,
    )


def draw_garbage(random):
    """Draws what is sent that no gateway can understand, or has to ignore."""
    return {'what': random.choice(sorted(GARBAGE))}


async def send_garbage(trial, shard_id, what = 'data that cannot be inflated'):
    """Something comes that no gateway can understand, or has to ignore."""
    trial.discord.fault(GARBAGE[what], shard_id = shard_id)


def draw_gap(random):
    """Draws how many sequence numbers are left out."""
    return {'by': random.randint(1, 50)}


async def leave_sequence_numbers_out(trial, shard_id, by):
    """Sequence numbers are left out, and no event with them."""
    trial.discord.fault(SkipSequence(by), shard_id = shard_id)


def draw_burst(random):
    """Draws how many events come at once."""
    return {'count': random.randint(20, 300)}


async def burst(trial, shard_id, count):
    """Many events at once."""
    trial.traffic.send(shard_id, count)


BREAKAGES_LINE = (
    Breakage('TCP reset', cut_by_reset, weight = 3.0),
    Breakage('TCP closed', cut_by_end, weight = 2.0),
    Breakage('close code', close_connection, draw_close_code, weight = 4.0),
    Breakage('close 4000', close_connection_unknown, weight = 0.0),
    Breakage('close without code', close_connection_without_code, weight = 0.0),
    Breakage('op 7', ask_to_reconnect, weight = 3.0),
    Breakage('op 9 true', invalidate_resumably, weight = 2.0),
    Breakage('op 1', ask_for_heartbeat),
    Breakage('silence', silence_line, draw_silence, weight = 2.0),
    Breakage('no acknowledgements', withhold_acknowledgements, needs_shard = False),
    Breakage('late acknowledgements', delay_acknowledgements, draw_acknowledgement_delay, needs_shard = False),
    Breakage('garbage', send_garbage, draw_garbage, weight = 4.0),
    Breakage('gap of sequence numbers', leave_sequence_numbers_out, draw_gap, weight = 0.5),
    Breakage('burst', burst, draw_burst, needs_shard = False, weight = 2.0),
)
