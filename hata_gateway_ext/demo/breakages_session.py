"""
Breakages that end the session.

What happens until the next session is lost for any client: Discord keeps it for nobody. So that it does not blur the account,
the traffic of the shard is paused, and everything that was sent is waited for, before the blow falls; and nothing is sent until
the next session is there.
"""
__all__ = ('BREAKAGES_SESSION',)

from ..local_discord import Cut, Invalidate, Replace

from .breakage import Breakage


# Discord docs, Gateway: "Gateway Close Event Codes". Not authenticated, invalid seq, session timed out.
SESSION_CLOSE_CODES = (4003, 4007, 4009)

# Seconds after which a scripted blow that nobody met is taken back. Identifying may have to wait 5 seconds for its bucket, and
# up to 5 more after op 9.
BLOW_DURATION = 12.0


async def invalidate_session(trial, shard_id):
    """Op 9, and the session is over."""
    async with trial.quiesce(shard_id):
        trial.discord.invalidate(shard_id)
        trial.discord.end_sessions(shard_id)


def draw_close_code(random):
    """Draws a close code that ends the session."""
    return {'code': random.choice(SESSION_CLOSE_CODES)}


async def close_session(trial, shard_id, code = 4009):
    """Discord closes, and the session is over."""
    async with trial.quiesce(shard_id):
        trial.discord.close(shard_id, code)
        trial.discord.end_sessions(shard_id)


async def forget_session(trial, shard_id):
    """The connection is lost, and Discord does not know the session any more: the resume is answered with op 9."""
    async with trial.quiesce(shard_id):
        trial.discord.end_sessions(shard_id)
        trial.discord.cut(shard_id)


def _leave_session_id_out(payload):
    """Makes a READY that lacks what is needed for resuming."""
    data = dict(payload['d'])
    del data['session_id']
    return {**payload, 'd': data}


def draw_identify_trouble(random):
    """Draws what happens to the IDENTIFY that follows."""
    return {'what': random.choice(('cut at identify', 'cut at ready', 'op 9 at identify', 'incomplete READY'))}


async def trouble_while_identifying(trial, shard_id, what):
    """The session is over, and so is the first attempt to get another."""
    if what == 'cut at identify':
        action, stage = Cut(), 'identify'
    elif what == 'cut at ready':
        action, stage = Cut(), 'ready'
    elif what == 'op 9 at identify':
        action, stage = Invalidate(), 'identify'
    else:
        action, stage = Replace(_leave_session_id_out), 'ready'
    
    async with trial.quiesce(shard_id):
        trial.discord.fault(action, at = stage, shard_id = shard_id, duration = BLOW_DURATION)
        trial.discord.invalidate(shard_id)
        trial.discord.end_sessions(shard_id)


BREAKAGES_SESSION = (
    Breakage('op 9 false', invalidate_session, needs_shard = False),
    Breakage('session ended by close code', close_session, draw_close_code, needs_shard = False),
    Breakage('session forgotten', forget_session, needs_shard = False),
    Breakage(
        'trouble while identifying', trouble_while_identifying, draw_identify_trouble, needs_shard = False, weight = 0.7
    ),
)
