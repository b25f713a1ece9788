"""
Data of guilds as GUILD_CREATE carries it.
"""
__all__ = ('VOICE_CHANNEL_INDEX', 'build_guild_data')

from .snowflakes import get_channel_id, get_guild_id, get_role_id
from .user_data import JOINED_AT

CHANNEL_TYPE_TEXT = 0
CHANNEL_TYPE_VOICE = 2
CHANNEL_TYPE_CATEGORY = 4

# (type, name, index of the category or `None`). The first text channel is where messages go to.
CHANNELS = (
    (CHANNEL_TYPE_TEXT, 'general', 3),
    (CHANNEL_TYPE_TEXT, 'bots', 3),
    (CHANNEL_TYPE_VOICE, 'voice', 3),
    (CHANNEL_TYPE_CATEGORY, 'channels', None),
)

VOICE_CHANNEL_INDEX = 2

# What everyone may do in a guild that was just created.
PERMISSIONS_EVERYONE = 2248473465835073
PERMISSIONS_ADMINISTRATOR = 8

# Discord docs, Gateway: "Guild Create": in a guild of more members than IDENTIFY's `large_threshold` only the online
# ones are sent.
LARGE_THRESHOLD_DEFAULT = 50


def _build_channel_data(guild_index, index):
    """
    Builds a channel's data.

    Parameters
    ----------
    guild_index : `int`
        The index of the guild.

    index : `int`
        The index of the channel.

    Returns
    -------
    data : `dict<str, object>`
    """
    channel_type, name, parent_index = CHANNELS[index]

    data = {
        'id': str(get_channel_id(guild_index, index)),
        'type': channel_type,
        'name': name,
        'position': index,
        'flags': 0,
        'parent_id': None if parent_index is None else str(get_channel_id(guild_index, parent_index)),
        'permission_overwrites': [],
    }

    if channel_type == CHANNEL_TYPE_TEXT:
        data['last_message_id'] = None
        data['nsfw'] = False
        data['rate_limit_per_user'] = 0
        data['topic'] = None

    elif channel_type == CHANNEL_TYPE_VOICE:
        data['bitrate'] = 64000
        data['rtc_region'] = None
        data['user_limit'] = 0

    return data


def _build_role_data(guild_index, index, name, permissions):
    """
    Builds a role's data.

    Parameters
    ----------
    guild_index : `int`
        The index of the guild.

    index : `int`
        The index of the role.

    name : `str`
        The name of the role.

    permissions : `int`
        The permissions of the role.

    Returns
    -------
    data : `dict<str, object>`
    """
    return {
        'id': str(get_role_id(guild_index, index)),
        'name': name,
        'color': 0,
        'colors': {'primary_color': 0, 'secondary_color': None, 'tertiary_color': None},
        'flags': 0,
        'hoist': False,
        'icon': None,
        'managed': False,
        'mentionable': False,
        'permissions': str(permissions),
        'position': index,
        'unicode_emoji': None,
    }


def build_guild_data(index, member_datas, owner_id, member_count):
    """
    Builds a guild's data.

    Parameters
    ----------
    index : `int`
        The index of the guild.

    member_datas : `list<dict<str, object>>`
        The members to send.

    owner_id : `int`
        The owner's id.

    member_count : `int`
        How many members there are.

    Returns
    -------
    data : `dict<str, object>`
    """
    return {
        'id': str(get_guild_id(index)),
        'name': f'Guild {index}',
        'unavailable': False,
        'owner_id': str(owner_id),
        'joined_at': JOINED_AT,
        'large': member_count > LARGE_THRESHOLD_DEFAULT,
        'member_count': member_count,
        'members': member_datas,
        'channels': [_build_channel_data(index, channel_index) for channel_index in range(len(CHANNELS))],
        'roles': [
            _build_role_data(index, 0, '@everyone', PERMISSIONS_EVERYONE),
            _build_role_data(index, 1, 'bots', PERMISSIONS_ADMINISTRATOR),
        ],
        'presences': [],
        'threads': [],
        'voice_states': [],
        'emojis': [],
        'stickers': [],
        'soundboard_sounds': [],
        'stage_instances': [],
        'guild_scheduled_events': [],
        'afk_channel_id': None,
        'afk_timeout': 300,
        'application_id': None,
        'banner': None,
        'default_message_notifications': 0,
        'description': None,
        'discovery_splash': None,
        'explicit_content_filter': 0,
        'features': [],
        'hub_type': None,
        'icon': None,
        'lazy': True,
        'max_members': 500000,
        'max_stage_video_channel_users': 50,
        'max_video_channel_users': 25,
        'mfa_level': 0,
        'nsfw_level': 0,
        'preferred_locale': 'en-US',
        'premium_progress_bar_enabled': False,
        'premium_subscription_count': 0,
        'premium_tier': 0,
        'public_updates_channel_id': None,
        'rules_channel_id': None,
        'safety_alerts_channel_id': None,
        'splash': None,
        'system_channel_flags': 0,
        'system_channel_id': str(get_channel_id(index, 0)),
        'vanity_url_code': None,
        'verification_level': 0,
    }
