"""
The routes of REST: what a bot needs to log in, to keep its commands and to write messages. A route takes a ``RestRequest``
and returns a status and data.
"""
__all__ = ('PUBLIC_PATHS', 'find_route')

from re import compile as re_compile

from .payloads import encode_json
from .snowflakes import get_guild_index
from .world import build_bot_data, build_guild_data

# What needs no token.
PUBLIC_PATHS = re_compile('/gateway')

# Discord docs, JSON Error Codes.
UNKNOWN_CHANNEL = 404, {'message': 'Unknown Channel', 'code': 10003}
UNKNOWN_GUILD = 404, {'message': 'Unknown Guild', 'code': 10004}
UNKNOWN_COMMAND = 404, {'message': 'Unknown application command', 'code': 10063}
INVALID_BODY = 400, {'message': 'Invalid Form Body', 'code': 50035}

COMMAND_TYPE_CHAT_INPUT = 1


def get_own_guilds(request):
    """`GET /users/@me/guilds`."""
    return 200, [
        {
            'id': str(guild_id), 'name': f'Guild {get_guild_index(guild_id)}', 'icon': None, 'banner': None,
            'owner': False, 'permissions': '8', 'features': [],
        }
        for guild_id in request.core.world.guild_ids
    ]


def get_guild(request):
    """`GET /guilds/{guild_id}`."""
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
    """`GET /guilds/{guild_id}/channels`."""
    guild_id = request.parameters['guild_id']
    if not request.core.world.has_guild(guild_id):
        return UNKNOWN_GUILD
    
    return 200, build_guild_data(get_guild_index(guild_id), [], 0, 0)['channels']


def create_message(request):
    """`POST /channels/{channel_id}/messages`."""
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
    """`DELETE /channels/{channel_id}/messages/{message_id}`."""
    core = request.core
    channel_id = request.parameters['channel_id']
    guild_id = core.world.get_guild_id_of_channel(channel_id)
    if not guild_id:
        return UNKNOWN_CHANNEL
    
    core.dispatch('MESSAGE_DELETE', encode_json({
        'id': str(request.parameters['message_id']), 'channel_id': str(channel_id), 'guild_id': str(guild_id),
    }), core.sessions.select(guild_id = guild_id))
    return 204, None


def _build_command(request, command_id, data):
    """Builds a command as Discord answers it."""
    command = {
        'type': COMMAND_TYPE_CHAT_INPUT,
        'description': '',
        'default_member_permissions': None,
        'nsfw': False,
        'options': [],
    }
    command.update(data)
    command['id'] = str(command_id)
    command['application_id'] = str(request.application.application_id)
    # A version is a snowflake that changes with each change.
    command['version'] = str(request.core.world.generate_id())
    
    guild_id = request.parameters.get('guild_id', 0)
    if guild_id:
        command['guild_id'] = str(guild_id)
    
    return command


def _is_command(data):
    """Returns whether the data can be a command's."""
    return isinstance(data, dict) and isinstance(data.get('name', None), str)


def _put_command(request, data):
    """Puts a command in place of the one with the same name and type, if there is one."""
    guild_id = request.parameters.get('guild_id', 0)
    commands = request.application.commands
    command_type = data.get('type', COMMAND_TYPE_CHAT_INPUT)
    
    for (command_guild_id, command_id), command in commands.items():
        if (command_guild_id == guild_id) and (command['name'] == data['name']) and (command['type'] == command_type):
            is_new = False
            break
    else:
        command_id = request.core.world.generate_id()
        is_new = True
    
    command = _build_command(request, command_id, data)
    commands[guild_id, command_id] = command
    return is_new, command


def get_commands(request):
    """`GET .../commands`."""
    guild_id = request.parameters.get('guild_id', 0)
    return 200, [
        command for (command_guild_id, command_id), command in request.application.commands.items()
        if command_guild_id == guild_id
    ]


def create_command(request):
    """`POST .../commands`."""
    if not _is_command(request.data):
        return INVALID_BODY
    
    is_new, command = _put_command(request, request.data)
    return (201 if is_new else 200), command


def replace_commands(request):
    """`PUT .../commands`."""
    datas = request.data
    if (not isinstance(datas, list)) or (not all(_is_command(data) for data in datas)):
        return INVALID_BODY
    
    guild_id = request.parameters.get('guild_id', 0)
    commands = request.application.commands
    put = [_put_command(request, data)[1] for data in datas]
    kept = {command['id'] for command in put}
    
    for key in [key for key in commands if (key[0] == guild_id) and (str(key[1]) not in kept)]:
        del commands[key]
    
    return 200, put


def get_command(request):
    """`GET .../commands/{command_id}`."""
    key = (request.parameters.get('guild_id', 0), request.parameters['command_id'])
    command = request.application.commands.get(key, None)
    return UNKNOWN_COMMAND if command is None else (200, command)


def edit_command(request):
    """`PATCH .../commands/{command_id}`."""
    if not isinstance(request.data, dict):
        return INVALID_BODY
    
    key = (request.parameters.get('guild_id', 0), request.parameters['command_id'])
    command = request.application.commands.get(key, None)
    if command is None:
        return UNKNOWN_COMMAND
    
    command = _build_command(request, key[1], {**command, **request.data})
    request.application.commands[key] = command
    return 200, command


def delete_command(request):
    """`DELETE .../commands/{command_id}`."""
    key = (request.parameters.get('guild_id', 0), request.parameters['command_id'])
    if request.application.commands.pop(key, None) is None:
        return UNKNOWN_COMMAND
    
    return 204, None


def get_command_permissions(request):
    """`GET .../commands/permissions`: nothing is restricted."""
    return 200, []


def get_gateway(request):
    """`GET /gateway`."""
    return 200, {'url': request.core.get_gateway_url()}


def get_gateway_bot(request):
    """`GET /gateway/bot`."""
    core = request.core
    options = core.options
    application = request.application
    now = core.now()
    application.refresh_session_starts(now, options.session_start_total, options.session_start_reset_after)
    
    return 200, {
        'url': core.get_gateway_url(),
        'shards': max(options.shards, options.required_shards),
        'session_start_limit': {
            'total': options.session_start_total,
            'remaining': application.session_start_remaining,
            'reset_after': round((application.session_start_reset_at - now) * 1000.0),
            'max_concurrency': options.max_concurrency,
        },
    }


def get_own_user(request):
    """`GET /users/@me`."""
    return 200, build_bot_data(request.application.application_id)


def get_own_application(request):
    """`GET /applications/@me`, `GET /oauth2/applications/@me`."""
    core = request.core
    application_id = request.application.application_id
    
    return 200, {
        'id': str(application_id),
        'name': 'local_bot',
        'icon': None,
        'description': '',
        'summary': '',
        'bot': build_bot_data(application_id),
        'bot_public': True,
        'bot_require_code_grant': False,
        'approximate_guild_count': core.options.guilds,
        'approximate_user_install_count': 0,
        'flags': 0,
        'hook': True,
        'integration_types_config': {'0': {}},
        'interactions_endpoint_url': None,
        'redirect_uris': [],
        'role_connections_verification_url': None,
        'tags': [],
        'team': None,
        'verify_key': '0' * 64,
        'owner': build_bot_data(application_id),
    }


def get_application_emojis(request):
    """`GET /applications/{application_id}/emojis`."""
    return 200, {'items': []}


def acknowledge(request):
    """Answers what needs no answer."""
    return 204, None


COMMANDS = '/applications/{application_id}/commands'
GUILD_COMMANDS = '/applications/{application_id}/guilds/{guild_id}/commands'

ROUTES = (
    ('GET', '/gateway', get_gateway),
    ('GET', '/gateway/bot', get_gateway_bot),
    ('GET', '/users/@me', get_own_user),
    ('GET', '/users/@me/guilds', get_own_guilds),
    ('GET', '/applications/@me', get_own_application),
    ('GET', '/oauth2/applications/@me', get_own_application),
    ('GET', '/applications/{application_id}/emojis', get_application_emojis),
    ('GET', GUILD_COMMANDS + '/permissions', get_command_permissions),
    ('GET', COMMANDS, get_commands),
    ('GET', GUILD_COMMANDS, get_commands),
    ('POST', COMMANDS, create_command),
    ('POST', GUILD_COMMANDS, create_command),
    ('PUT', COMMANDS, replace_commands),
    ('PUT', GUILD_COMMANDS, replace_commands),
    ('GET', COMMANDS + '/{command_id}', get_command),
    ('GET', GUILD_COMMANDS + '/{command_id}', get_command),
    ('PATCH', COMMANDS + '/{command_id}', edit_command),
    ('PATCH', GUILD_COMMANDS + '/{command_id}', edit_command),
    ('DELETE', COMMANDS + '/{command_id}', delete_command),
    ('DELETE', GUILD_COMMANDS + '/{command_id}', delete_command),
    ('GET', '/guilds/{guild_id}', get_guild),
    ('GET', '/guilds/{guild_id}/channels', get_channels),
    ('POST', '/channels/{channel_id}/messages', create_message),
    ('DELETE', '/channels/{channel_id}/messages/{message_id}', delete_message),
    ('POST', '/channels/{channel_id}/typing', acknowledge),
    ('POST', '/interactions/{interaction_id}/{interaction_token}/callback', acknowledge),
)


def _compile_route(path):
    """Makes a pattern of a route's path. What is called `..._id` is a number."""
    parts = []
    for part in path.split('/'):
        if part.startswith('{'):
            name = part[1 : -1]
            parts.append(f'(?P<{name}>{"[0-9]+" if name.endswith("_id") else "[^/]+"})')
        else:
            parts.append(part)
    
    return re_compile('/'.join(parts))


COMPILED_ROUTES = tuple((method, _compile_route(path), route) for method, path, route in ROUTES)


def find_route(method, path):
    """Finds a route."""
    for route_method, pattern, route in COMPILED_ROUTES:
        if route_method == method:
            match = pattern.fullmatch(path)
            if (match is not None):
                return route, {
                    name: int(value) if name.endswith('_id') else value for name, value in match.groupdict().items()
                }
    
    return None, {}
