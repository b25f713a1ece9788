"""
Data of READY and RESUMED.
"""
__all__ = ('build_ready_data', 'build_ready_supplemental_data', 'build_resumed_data')

from .user_data import build_bot_data

GATEWAY_VERSION = 10

TRACE = ['["local-discord"]']


def build_ready_data(core, session, guild_ids):
    """
    Builds READY's data.

    Parameters
    ----------
    core : ``Core``
        The local Discord.

    session : ``Session``
        The session.

    guild_ids : `list<int>`
        The guilds of the shard.

    Returns
    -------
    data : `dict<str, object>`
    """
    application_id = session.application.application_id

    return {
        'v': GATEWAY_VERSION,
        'user': build_bot_data(application_id),
        'user_settings': {},
        'session_type': 'normal',
        'session_id': session.session_id,
        'resume_gateway_url': core.get_resume_gateway_url(session.shard_id),
        'relationships': [],
        'private_channels': [],
        'presences': [],
        'guilds': [{'id': str(guild_id), 'unavailable': True} for guild_id in guild_ids],
        'guild_join_requests': [],
        'geo_ordered_rtc_regions': [],
        'shard': [session.shard_id, session.shard_count],
        'application': {'id': str(application_id), 'flags': 0},
        'auth': {},
        '_trace': TRACE,
    }


def build_ready_supplemental_data(guild_ids):
    """
    Builds READY_SUPPLEMENTAL's data. Discord sends it to users only, other servers of its protocol to bots too.

    Parameters
    ----------
    guild_ids : `list<int>`
        The guilds of the shard.

    Returns
    -------
    data : `dict<str, object>`
    """
    return {
        'guilds': [{'id': str(guild_id), 'voice_states': [], 'embedded_activities': []} for guild_id in guild_ids],
        'merged_members': [[] for _ in guild_ids],
        'merged_presences': {'friends': [], 'guilds': [[] for _ in guild_ids]},
        'lazy_private_channels': [],
        'disclose': [],
    }


def build_resumed_data():
    """
    Builds RESUMED's data.

    Returns
    -------
    data : `dict<str, object>`
    """
    return {'_trace': TRACE}
