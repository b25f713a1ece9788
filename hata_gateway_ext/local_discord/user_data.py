"""
Data of users and guild members as Discord sends it.
"""
__all__ = ('build_bot_data', 'build_member_data', 'build_user_data')

JOINED_AT = '2023-06-01T12:00:00.000000+00:00'

NAMES = ('Koishi', 'Satori', 'Orin', 'Okuu', 'Yuugi', 'Parsee', 'Yamame', 'Kisume', 'Seija', 'Shinmyoumaru')


def build_user_data(user_id, index):
    """
    Builds a user's data.

    Parameters
    ----------
    user_id : `int`
        The user's id.

    index : `int`
        The user's index, for a name.

    Returns
    -------
    data : `dict<str, object>`
    """
    name = NAMES[index % len(NAMES)]

    return {
        'id': str(user_id),
        'username': f'{name.lower()}_{index}',
        'global_name': name,
        'discriminator': '0',
        'avatar': None,
        'avatar_decoration_data': None,
        'collectibles': None,
        'primary_guild': None,
        'public_flags': 0,
    }


def build_bot_data(user_id):
    """
    Builds the data of the bot itself.

    Parameters
    ----------
    user_id : `int`
        The bot's id.

    Returns
    -------
    data : `dict<str, object>`
    """
    return {
        'id': str(user_id),
        'username': 'local_bot',
        'global_name': None,
        'discriminator': '0001',
        'avatar': None,
        'bot': True,
        'email': None,
        'flags': 0,
        'public_flags': 0,
        'mfa_enabled': True,
        'verified': True,
    }


def build_member_data(user_data = None, role_ids = ()):
    """
    Builds a guild member's data.

    Parameters
    ----------
    user_data : `None | dict<str, object>` = `None`, Optional
        The user's data, left out if not given, as in messages.

    role_ids : `iterable<int>` = `()`, Optional
        The roles of the member, without everyone's.

    Returns
    -------
    data : `dict<str, object>`
    """
    data = {
        'avatar': None,
        'banner': None,
        'communication_disabled_until': None,
        'deaf': False,
        'flags': 0,
        'joined_at': JOINED_AT,
        'mute': False,
        'nick': None,
        'pending': False,
        'premium_since': None,
        'roles': [str(role_id) for role_id in role_ids],
    }

    if (user_data is not None):
        data['user'] = user_data

    return data
