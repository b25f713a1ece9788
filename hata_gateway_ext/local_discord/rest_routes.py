"""
The routes of REST: what a bot needs to log in, to keep its commands and to write messages.
"""
__all__ = ('PUBLIC_PATHS', 'find_route')

from re import compile as re_compile

from .rest_commands import (
    create_command, delete_command, edit_command, get_command, get_command_permissions, get_commands, replace_commands
)
from .rest_guilds import create_message, delete_message, get_channels, get_guild, get_own_guilds
from .user_data import build_bot_data

# What needs no token.
PUBLIC_PATHS = ('/gateway',)


def get_gateway(request):
    """
    `GET /gateway`.

    Parameters
    ----------
    request : ``RestRequest``

    Returns
    -------
    answer : `(int, object)`
    """
    return 200, {'url': request.core.get_gateway_url()}


def get_gateway_bot(request):
    """
    `GET /gateway/bot`.

    Parameters
    ----------
    request : ``RestRequest``

    Returns
    -------
    answer : `(int, object)`
    """
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
    """
    `GET /users/@me`.

    Parameters
    ----------
    request : ``RestRequest``

    Returns
    -------
    answer : `(int, object)`
    """
    return 200, build_bot_data(request.application.application_id)


def get_own_application(request):
    """
    `GET /applications/@me`, `GET /oauth2/applications/@me`.

    Parameters
    ----------
    request : ``RestRequest``

    Returns
    -------
    answer : `(int, object)`
    """
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
    """
    `GET /applications/{application_id}/emojis`.

    Parameters
    ----------
    request : ``RestRequest``

    Returns
    -------
    answer : `(int, object)`
    """
    return 200, {'items': []}


def acknowledge(request):
    """
    Answers what needs no answer.

    Parameters
    ----------
    request : ``RestRequest``

    Returns
    -------
    answer : `(int, object)`
    """
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
    """
    Makes a pattern of a route's path. What is called `..._id` is a number.

    Parameters
    ----------
    path : `str`
        The path.

    Returns
    -------
    pattern : `re.Pattern`
    """
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
    """
    Finds a route.

    Parameters
    ----------
    method : `str`
        The request's method.

    path : `str`
        The request's path.

    Returns
    -------
    route : `None | callable`
        The route.
    parameters : `dict<str, int | str>`
        Parameters of the path.
    """
    for route_method, pattern, route in COMPILED_ROUTES:
        if route_method == method:
            match = pattern.fullmatch(path)
            if (match is not None):
                return route, {
                    name: int(value) if name.endswith('_id') else value for name, value in match.groupdict().items()
                }

    return None, {}
