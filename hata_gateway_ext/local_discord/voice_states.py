"""
Op 4: the bot joins, moves or leaves a voice channel.
"""
__all__ = ('answer_voice_state',)

from .payloads import encode_json
from .user_data import build_bot_data, build_member_data


def answer_voice_state(core, session, data):
    """
    Answers op 4 with VOICE_STATE_UPDATE. There is no voice server, so VOICE_SERVER_UPDATE does not follow.

    Parameters
    ----------
    core : ``Core``
        The local Discord.

    session : ``Session``
        The session that asked.

    data : `object`
        Data of the operation.

    Returns
    -------
    understood : `bool`
        Whether the data is of the right form.
    """
    if not isinstance(data, dict):
        return False

    try:
        guild_id = int(data.get('guild_id', None))
        channel_id = data.get('channel_id', None)
        if (channel_id is not None):
            channel_id = int(channel_id)
    except (TypeError, ValueError):
        return False

    if not (core.world.has_guild(guild_id) and session.owns_guild(guild_id)):
        # Discord ignores what is about guilds that the shard does not have.
        return True

    bot_data = build_bot_data(session.application.application_id)
    core.dispatch('VOICE_STATE_UPDATE', encode_json({
        'guild_id': str(guild_id),
        'channel_id': None if channel_id is None else str(channel_id),
        'user_id': bot_data['id'],
        'member': build_member_data(bot_data),
        'session_id': f'voice-{session.number}',
        'deaf': False,
        'mute': False,
        'request_to_speak_timestamp': None,
        'self_deaf': bool(data.get('self_deaf', False)),
        'self_mute': bool(data.get('self_mute', False)),
        'self_stream': False,
        'self_video': False,
        'suppress': False,
    }), core.sessions.select(guild_id = guild_id, application_id = session.application.application_id))
    return True
