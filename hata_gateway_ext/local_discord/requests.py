"""
Requests of a client that has a session: op 3, 4, 8, 31 and 43, and their answers. Each function returns whether the data is
of the right form. What is about guilds that the shard does not have is passed over, as Discord does.
"""
__all__ = ('ANSWERS',)

from .codes import (
    CHUNK_SIZE, PRESENCE, REQUEST_CHANNEL_INFO, REQUEST_GUILD_USERS, REQUEST_SOUNDBOARD_SOUNDS, USER_REQUEST_INTERVAL,
    VOICE_STATE
)
from .payloads import encode_json
from .world import build_bot_data, build_member_data


def _parse_id(value):
    """Returns the id that a client sent; `None` if it is none."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _has_guild(core, session, guild_id):
    return core.world.has_guild(guild_id) and session.owns_guild(guild_id)


def answer_presence(core, session, data):
    """There is nothing to answer."""
    return True


def answer_voice_state(core, session, data):
    """Answers with VOICE_STATE_UPDATE. There is no voice server, so VOICE_SERVER_UPDATE does not follow."""
    guild_id = _parse_id(data.get('guild_id', None))
    channel_id = data.get('channel_id', None)
    if (guild_id is None) or ((channel_id is not None) and (_parse_id(channel_id) is None)):
        return False
    
    if not _has_guild(core, session, guild_id):
        return True
    
    application_id = session.application.application_id
    bot_data = build_bot_data(application_id)
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
    }), core.sessions.select(guild_id = guild_id, application_id = application_id))
    return True


def _find_members(core, session, guild_id, data):
    """Returns the members that were asked for, and the ids that are no member's."""
    member_datas = core.world.build_member_datas(guild_id, session.application.application_id)
    
    user_ids = data.get('user_ids', None)
    if (user_ids is not None):
        wanted = [str(user_id) for user_id in (user_ids if isinstance(user_ids, list) else [user_ids])]
        by_id = {member_data['user']['id']: member_data for member_data in member_datas}
        return (
            [by_id[user_id] for user_id in wanted if user_id in by_id],
            [user_id for user_id in wanted if user_id not in by_id],
        )
    
    query = str(data.get('query', '')).lower()
    member_datas = [
        member_data for member_data in member_datas if member_data['user']['username'].startswith(query)
    ]
    return member_datas[: data.get('limit', 0) or None], []


def answer_user_request(core, session, data):
    """Answers with GUILD_MEMBERS_CHUNK-s, or with RATE_LIMITED."""
    limit = data.get('limit', 0)
    guild_id = _parse_id(data.get('guild_id', None))
    if (not isinstance(limit, int)) or (limit < 0) or (guild_id is None):
        return False
    
    if not _has_guild(core, session, guild_id):
        return True
    
    nonce = data.get('nonce', None)
    
    if (data.get('user_ids', None) is None) and (not data.get('query', '')) and (not limit):
        retry_after = session.application.enter_user_request(core.now(), guild_id, USER_REQUEST_INTERVAL)
        if retry_after:
            core.dispatch('RATE_LIMITED', encode_json({
                'opcode': REQUEST_GUILD_USERS,
                'retry_after': retry_after,
                'meta': {'guild_id': str(guild_id), 'nonce': nonce},
            }), [session])
            return True
    
    member_datas, not_found = _find_members(core, session, guild_id, data)
    # Nobody found is told by one chunk without members.
    starts = range(0, max(len(member_datas), 1), CHUNK_SIZE)
    for index, start in enumerate(starts):
        chunk = {
            'guild_id': str(guild_id),
            'members': member_datas[start : start + CHUNK_SIZE],
            'chunk_index': index,
            'chunk_count': len(starts),
        }
        
        if data.get('presences', False):
            chunk['presences'] = []
        
        if not_found:
            chunk['not_found'] = not_found
        
        if (nonce is not None):
            chunk['nonce'] = nonce
        
        core.dispatch('GUILD_MEMBERS_CHUNK', encode_json(chunk), [session])
    
    return True


def answer_soundboard_request(core, session, data):
    """Answers with one SOUNDBOARD_SOUNDS for each guild."""
    guild_ids = data.get('guild_ids', None)
    if not isinstance(guild_ids, list):
        return False
    
    guild_ids = [_parse_id(guild_id) for guild_id in guild_ids]
    if None in guild_ids:
        return False
    
    for guild_id in guild_ids:
        if _has_guild(core, session, guild_id):
            core.dispatch('SOUNDBOARD_SOUNDS', encode_json({
                'guild_id': str(guild_id),
                'soundboard_sounds': core.world.build_soundboard_sounds(guild_id),
            }), [session])
    
    return True


def answer_channel_info_request(core, session, data):
    """Answers with CHANNEL_INFO. Nobody is in a voice channel, so there is nothing to tell of any."""
    guild_id = _parse_id(data.get('guild_id', None))
    if (guild_id is None) or (not isinstance(data.get('fields', None), list)):
        return False
    
    if _has_guild(core, session, guild_id):
        core.dispatch('CHANNEL_INFO', encode_json({'guild_id': str(guild_id), 'channels': []}), [session])
    
    return True


ANSWERS = {
    PRESENCE: answer_presence,
    REQUEST_CHANNEL_INFO: answer_channel_info_request,
    REQUEST_GUILD_USERS: answer_user_request,
    REQUEST_SOUNDBOARD_SOUNDS: answer_soundboard_request,
    VOICE_STATE: answer_voice_state,
}
