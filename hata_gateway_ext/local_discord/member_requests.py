"""
Op 8, 31 and 43: the bot asks for members, for soundboard sounds, and for what is not kept of channels.
"""
__all__ = ('answer_channel_info_request', 'answer_member_request', 'answer_soundboard_request')

from ..protocol.operations import REQUEST_GUILD_USERS

from .payloads import encode_json

# Discord docs, Gateway Events: "Guild Members Chunk": at most 1000 members in one.
CHUNK_SIZE = 1000

# Discord docs, Gateway Events: "Request Guild Members": all members of a guild may be asked for once in 30 seconds.
REQUEST_INTERVAL = 30.0


def _find_members(core, session, guild_id, data):
    """
    Finds the members that were asked for.

    Parameters
    ----------
    core : ``Core``
        The local Discord.

    session : ``Session``
        The session that asked.

    guild_id : `int`
        The guild.

    data : `dict<str, object>`
        Data of the operation.

    Returns
    -------
    member_datas : `list<dict<str, object>>`
        The members.
    not_found : `list<str>`
        Ids that are no member's.
    """
    member_datas = core.world.build_member_datas(guild_id, session.application.application_id)

    user_ids = data.get('user_ids', None)
    if (user_ids is not None):
        wanted = [str(user_id) for user_id in (user_ids if isinstance(user_ids, list) else [user_ids])]
        by_id = {member_data['user']['id']: member_data for member_data in member_datas}
        return (
            [by_id[user_id] for user_id in wanted if user_id in by_id],
            [user_id for user_id in wanted if user_id not in by_id],
        )

    query = data.get('query', '')
    limit = data.get('limit', 0)
    if query:
        member_datas = [
            member_data for member_data in member_datas
            if member_data['user']['username'].startswith(str(query).lower())
        ]

    return (member_datas[:limit] if limit else member_datas), []


def answer_member_request(core, session, data):
    """
    Answers op 8 with GUILD_MEMBERS_CHUNK-s, or with RATE_LIMITED.

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

    limit = data.get('limit', 0)
    if (not isinstance(limit, int)) or (limit < 0):
        return False

    try:
        guild_id = int(data.get('guild_id', None))
    except (TypeError, ValueError):
        return False

    if not (core.world.has_guild(guild_id) and session.owns_guild(guild_id)):
        return True

    nonce = data.get('nonce', None)

    if (data.get('user_ids', None) is None) and (not data.get('query', '')) and (not limit):
        retry_after = session.application.enter_user_request(core.now(), guild_id, REQUEST_INTERVAL)
        if retry_after:
            core.dispatch('RATE_LIMITED', encode_json({
                'opcode': REQUEST_GUILD_USERS,
                'retry_after': retry_after,
                'meta': {'guild_id': str(guild_id), 'nonce': nonce},
            }), [session])
            return True

    member_datas, not_found = _find_members(core, session, guild_id, data)
    chunks = [member_datas[index : index + CHUNK_SIZE] for index in range(0, len(member_datas), CHUNK_SIZE)] or [[]]

    for index, chunk in enumerate(chunks):
        chunk_data = {
            'guild_id': str(guild_id),
            'members': chunk,
            'chunk_index': index,
            'chunk_count': len(chunks),
        }

        if data.get('presences', False):
            chunk_data['presences'] = []

        if not_found:
            chunk_data['not_found'] = not_found

        if (nonce is not None):
            chunk_data['nonce'] = nonce

        core.dispatch('GUILD_MEMBERS_CHUNK', encode_json(chunk_data), [session])

    return True


def answer_soundboard_request(core, session, data):
    """
    Answers op 31 with one SOUNDBOARD_SOUNDS for each guild. Discord docs, Gateway Events: "Request Soundboard Sounds".

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
    guild_ids = data.get('guild_ids', None) if isinstance(data, dict) else None
    try:
        guild_ids = [int(guild_id) for guild_id in guild_ids]
    except (TypeError, ValueError):
        return False

    for guild_id in guild_ids:
        if core.world.has_guild(guild_id) and session.owns_guild(guild_id):
            core.dispatch('SOUNDBOARD_SOUNDS', encode_json({
                'guild_id': str(guild_id),
                'soundboard_sounds': core.world.build_soundboard_sounds(guild_id),
            }), [session])

    return True


def answer_channel_info_request(core, session, data):
    """
    Answers op 43 with CHANNEL_INFO. Nobody is in a voice channel, so there is nothing to tell of any.

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
    if (not isinstance(data, dict)) or (not isinstance(data.get('fields', None), list)):
        return False

    try:
        guild_id = int(data.get('guild_id', None))
    except (TypeError, ValueError):
        return False

    if core.world.has_guild(guild_id) and session.owns_guild(guild_id):
        core.dispatch('CHANNEL_INFO', encode_json({'guild_id': str(guild_id), 'channels': []}), [session])

    return True
