"""
The routes of application commands: enough for a bot to synchronise its commands, as `slash` does.
"""
__all__ = (
    'create_command', 'delete_command', 'edit_command', 'get_command', 'get_command_permissions', 'get_commands',
    'replace_commands',
)

# Discord docs, JSON Error Codes.
UNKNOWN_COMMAND = 404, {'message': 'Unknown application command', 'code': 10063}
INVALID_BODY = 400, {'message': 'Invalid Form Body', 'code': 50035}

COMMAND_TYPE_CHAT_INPUT = 1


def _build_command(request, command_id, data):
    """
    Builds a command as Discord answers it.

    Parameters
    ----------
    request : ``RestRequest``
        The request.

    command_id : `int`
        The command's id.

    data : `dict<str, object>`
        What the bot sent.

    Returns
    -------
    command : `dict<str, object>`
    """
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
    """
    Returns whether the data can be a command's.

    Parameters
    ----------
    data : `object`
        What the bot sent.

    Returns
    -------
    is_command : `bool`
    """
    return isinstance(data, dict) and isinstance(data.get('name', None), str)


def _put_command(request, data):
    """
    Puts a command in place of the one with the same name and type, if there is one.

    Parameters
    ----------
    request : ``RestRequest``
        The request.

    data : `dict<str, object>`
        What the bot sent.

    Returns
    -------
    is_new : `bool`
    command : `dict<str, object>`
    """
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
    """
    `GET .../commands`.

    Parameters
    ----------
    request : ``RestRequest``

    Returns
    -------
    answer : `(int, object)`
    """
    guild_id = request.parameters.get('guild_id', 0)
    return 200, [
        command for (command_guild_id, command_id), command in request.application.commands.items()
        if command_guild_id == guild_id
    ]


def create_command(request):
    """
    `POST .../commands`.

    Parameters
    ----------
    request : ``RestRequest``

    Returns
    -------
    answer : `(int, object)`
    """
    if not _is_command(request.data):
        return INVALID_BODY

    is_new, command = _put_command(request, request.data)
    return (201 if is_new else 200), command


def replace_commands(request):
    """
    `PUT .../commands`.

    Parameters
    ----------
    request : ``RestRequest``

    Returns
    -------
    answer : `(int, object)`
    """
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
    """
    `GET .../commands/{command_id}`.

    Parameters
    ----------
    request : ``RestRequest``

    Returns
    -------
    answer : `(int, object)`
    """
    key = (request.parameters.get('guild_id', 0), request.parameters['command_id'])
    command = request.application.commands.get(key, None)
    return UNKNOWN_COMMAND if command is None else (200, command)


def edit_command(request):
    """
    `PATCH .../commands/{command_id}`.

    Parameters
    ----------
    request : ``RestRequest``

    Returns
    -------
    answer : `(int, object)`
    """
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
    """
    `DELETE .../commands/{command_id}`.

    Parameters
    ----------
    request : ``RestRequest``

    Returns
    -------
    answer : `(int, object)`
    """
    key = (request.parameters.get('guild_id', 0), request.parameters['command_id'])
    if request.application.commands.pop(key, None) is None:
        return UNKNOWN_COMMAND

    return 204, None


def get_command_permissions(request):
    """
    `GET .../commands/permissions`: nothing is restricted.

    Parameters
    ----------
    request : ``RestRequest``

    Returns
    -------
    answer : `(int, object)`
    """
    return 200, []
