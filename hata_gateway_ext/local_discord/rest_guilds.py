"""
The routes of guilds, of their channels and of messages.
"""
__all__ = ('create_message', 'delete_message', 'get_channels', 'get_guild', 'get_own_guilds')

from .guild_data import build_guild_data
from .payloads import encode_json
from .snowflakes import get_guild_index
from .user_data import build_bot_data

# Discord docs, JSON Error Codes.
UNKNOWN_CHANNEL = 404, {'message': 'Unknown Channel', 'code': 10003}
UNKNOWN_GUILD = 404, {'message': 'Unknown Guild', 'code': 10004}
INVALID_BODY = 400, {'message': 'Invalid Form Body', 'code': 50035}


def get_own_guilds(request):
    """
    `GET /users/@me/guilds`.

    Parameters
    ----------
    request : ``RestRequest``

    Returns
    -------
    answer : `(int, object)`
    """
    return 200, [
        {
            'id': str(guild_id), 'name': f'Guild {get_guild_index(guild_id)}', 'icon': None, 'banner': None,
            'owner': False, 'permissions': '8', 'features': [],
        }
        for guild_id in request.core.world.guild_ids
    ]


def get_guild(request):
    """
    `GET /guilds/{guild_id}`.

    Parameters
    ----------
    request : ``RestRequest``

    Returns
    -------
    answer : `(int, object)`
    """
    world = request.core.world
    guild_id = request.parameters['guild_id']
    if not world.has_guild(guild_id):
        return UNKNOWN_GUILD

    member_ids = world.get_member_ids(guild_id)
    data = build_guild_data(get_guild_index(guild_id), [], member_ids[0], len(member_ids) + 1)
    for name in ('channels', 'joined_at', 'large', 'member_count', 'members', 'presences', 'threads', 'voice_states'):
        del data[name]

    return 200, data


def get_channels(request):
    """
    `GET /guilds/{guild_id}/channels`.

    Parameters
    ----------
    request : ``RestRequest``

    Returns
    -------
    answer : `(int, object)`
    """
    guild_id = request.parameters['guild_id']
    if not request.core.world.has_guild(guild_id):
        return UNKNOWN_GUILD

    return 200, build_guild_data(get_guild_index(guild_id), [], 0, 0)['channels']


def create_message(request):
    """
    `POST /channels/{channel_id}/messages`.

    Parameters
    ----------
    request : ``RestRequest``

    Returns
    -------
    answer : `(int, object)`
    """
    core = request.core
    application_id = request.application.application_id
    channel_id = request.parameters['channel_id']
    guild_id = core.world.get_guild_id_of_channel(channel_id)
    if not guild_id:
        return UNKNOWN_CHANNEL

    data = request.data
    content = data.get('content', '') if isinstance(data, dict) else ''
    if (not isinstance(content, str)):
        return INVALID_BODY

    message = core.world.build_message(channel_id, guild_id, content, build_bot_data(application_id))
    if isinstance(data, dict):
        for name in ('components', 'embeds', 'nonce'):
            if data.get(name, None) is not None:
                message[name] = data[name]

    core.dispatch('MESSAGE_CREATE', encode_json(message), core.sessions.select(guild_id = guild_id))
    del message['guild_id']
    del message['member']
    return 200, message


def delete_message(request):
    """
    `DELETE /channels/{channel_id}/messages/{message_id}`.

    Parameters
    ----------
    request : ``RestRequest``

    Returns
    -------
    answer : `(int, object)`
    """
    core = request.core
    channel_id = request.parameters['channel_id']
    guild_id = core.world.get_guild_id_of_channel(channel_id)
    if not guild_id:
        return UNKNOWN_CHANNEL

    core.dispatch('MESSAGE_DELETE', encode_json({
        'id': str(request.parameters['message_id']), 'channel_id': str(channel_id), 'guild_id': str(guild_id),
    }), core.sessions.select(guild_id = guild_id))
    return 204, None
