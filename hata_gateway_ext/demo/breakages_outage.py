"""
Breakages of Discord as a whole: nobody listens, upgrades are refused, REST fails. They concern every shard, whichever is named.
"""
__all__ = ('BREAKAGES_OUTAGE',)

from ..local_discord import Refuse

from .breakage import Breakage


# Seconds. Long enough that a shard fails more than once, short enough that its delays do not grow beyond a few seconds.
OUTAGE_MAXIMUM = 4.0

# How many upgrades are refused in a row.
REFUSALS_MAXIMUM = 6

LISTENERS = ('gateway', 'resume')


def draw_outage(random):
    """Draws who is out, for how long, and whether open connections are lost too."""
    return {
        'listeners': random.choice((['gateway', 'resume'], ['resume'], ['gateway'], ['api'], ['api', 'gateway', 'resume'])),
        'seconds': round(random.uniform(0.1, OUTAGE_MAXIMUM), 2),
    }


async def take_down(trial, shard_id, listeners = LISTENERS, seconds = 2.0):
    """Connections are lost, and connecting is refused."""
    await trial.take_down(listeners, seconds)


def draw_refusals(random):
    """Draws how upgrades are refused, and how often."""
    return {'status': random.choice((403, 404, 429, 500, 502, 503)), 'times': random.randint(1, REFUSALS_MAXIMUM)}


async def refuse_upgrades(trial, shard_id, status = 503, times = 1):
    """The connection is lost, and the next upgrades are refused, of whichever shard."""
    trial.discord.fault(
        Refuse(status, {'Retry-After': '1'} if status == 429 else None), at = 'connect', times = times, duration = OUTAGE_MAXIMUM
    )
    trial.discord.cut(shard_id)


def draw_rest_failure(random):
    """Draws how the gateway's url cannot be asked for."""
    return {'status': random.choice((429, 500, 502, 503)), 'times': random.randint(1, 3)}


async def fail_rest(trial, shard_id, status, times):
    """`resume_gateway_url` cannot be reached, and the gateway's url cannot be asked for."""
    trial.discord.rest_fault(
        '/gateway', status = status, headers = {'Retry-After': '1'} if status == 429 else None, times = times,
        duration = OUTAGE_MAXIMUM,
    )
    await trial.take_down(('resume',), OUTAGE_MAXIMUM)


async def cut_all(trial, shard_id):
    """Every connection is cut at once."""
    trial.discord.cut()


async def reconnect_all(trial, shard_id):
    """Op 7 for every shard at once: a deployment of Discord's."""
    trial.discord.reconnect()


BREAKAGES_OUTAGE = (
    Breakage('outage', take_down, draw_outage, needs_shard = False, weight = 1.5),
    Breakage('refused upgrades', refuse_upgrades, draw_refusals, weight = 1.5),
    Breakage('REST fails', fail_rest, draw_rest_failure, needs_shard = False, weight = 0.5),
    Breakage('TCP reset, every shard', cut_all, needs_shard = False),
    Breakage('op 7, every shard', reconnect_all, needs_shard = False),
)
