"""
The world that a local Discord shows: users, guilds and messages, generated and the same in each run, as data of Discord's.
"""
__all__ = (
    'TRACE', 'World', 'build_bot_data', 'build_guild_data', 'build_member_data', 'build_ready_data',
    'build_ready_supplemental_data', 'build_user_data',
)

from datetime import datetime as DateTime, timezone as TimeZone

from .codes import VERSION
from .payloads import encode_json
from .snowflakes import (
    ID_TIMESTAMP_START, TIMESTAMP_SHIFT, get_channel_id, get_guild_id, get_guild_index, get_role_id, get_sound_id,
    get_user_id
)

TRACE = ['["local-discord"]']

JOINED_AT = '2023-06-01T12:00:00.000000+00:00'

NAMES = ('Koishi', 'Satori', 'Orin', 'Okuu', 'Yuugi', 'Parsee', 'Yamame', 'Kisume', 'Seija', 'Shinmyoumaru')

# The index of the bot among the users, far from that of any member. A client id is read from the token, so this is only the
# default.
BOT_USER_INDEX = 2 ** 30

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

# Discord docs, Gateway: "Guild Create": in a guild of more members than IDENTIFY's `large_threshold` only the online ones
# are sent.
LARGE_THRESHOLD_DEFAULT = 50

MESSAGE_TYPE_DEFAULT = 0


def build_user_data(user_id, index):
    """Builds a user's data. The name is its index's."""
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
    """Builds the data of the bot itself."""
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
    """Builds a guild member's data. Without the user's, as in messages, if that is not given."""
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


def build_channel_data(guild_index, index):
    """Builds a channel's data."""
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
        data.update(last_message_id = None, nsfw = False, rate_limit_per_user = 0, topic = None)
    
    elif channel_type == CHANNEL_TYPE_VOICE:
        data.update(bitrate = 64000, rtc_region = None, user_limit = 0)
    
    return data


def build_role_data(role_id, name, permissions, position):
    """Builds a role's data."""
    return {
        'id': str(role_id),
        'name': name,
        'color': 0,
        'colors': {'primary_color': 0, 'secondary_color': None, 'tertiary_color': None},
        'flags': 0,
        'hoist': False,
        'icon': None,
        'managed': False,
        'mentionable': False,
        'permissions': str(permissions),
        'position': position,
        'unicode_emoji': None,
    }


def build_guild_data(index, member_datas, owner_id, member_count):
    """Builds a guild's data as GUILD_CREATE carries it."""
    return {
        'id': str(get_guild_id(index)),
        'name': f'Guild {index}',
        'unavailable': False,
        'owner_id': str(owner_id),
        'joined_at': JOINED_AT,
        'large': member_count > LARGE_THRESHOLD_DEFAULT,
        'member_count': member_count,
        'members': member_datas,
        'channels': [build_channel_data(index, channel_index) for channel_index in range(len(CHANNELS))],
        'roles': [
            build_role_data(get_role_id(index, 0), '@everyone', PERMISSIONS_EVERYONE, 0),
            build_role_data(get_role_id(index, 1), 'bots', PERMISSIONS_ADMINISTRATOR, 1),
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


def build_ready_data(session, guild_ids, resume_gateway_url):
    """Builds READY's data."""
    application_id = session.application.application_id
    return {
        'v': VERSION,
        'user': build_bot_data(application_id),
        'user_settings': {},
        'session_type': 'normal',
        'session_id': session.session_id,
        'resume_gateway_url': resume_gateway_url,
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
    """Builds READY_SUPPLEMENTAL's data. Discord sends it to users only, other servers of its protocol to bots too."""
    return {
        'guilds': [{'id': str(guild_id), 'voice_states': [], 'embedded_activities': []} for guild_id in guild_ids],
        'merged_members': [[] for _ in guild_ids],
        'merged_presences': {'friends': [], 'guilds': [[] for _ in guild_ids]},
        'lazy_private_channels': [],
        'disclose': [],
    }


class World:
    """
    Users, guilds and messages.
    
    Attributes
    ----------
    default_bot_id : `int`
        The id of the bot if its token does not tell another.
    options : ``LocalDiscordOptions``
        How many guilds with how many members there are.
    _encoded_guilds : `dict<(int, int, int), bytes>`
        Encoded guild data by bot id, guild id and count of members.
    _id_timestamp : `int`
        The timestamp of the next id.
    """
    __slots__ = ('_encoded_guilds', '_id_timestamp', 'default_bot_id', 'options')
    
    def __new__(cls, options):
        """The parameters are the attributes."""
        self = object.__new__(cls)
        self._encoded_guilds = {}
        self._id_timestamp = ID_TIMESTAMP_START
        self.default_bot_id = get_user_id(BOT_USER_INDEX)
        self.options = options
        return self
    
    
    def __repr__(self):
        return (
            f'<{type(self).__name__} guilds = {self.options.guilds!r}, members_per_guild = '
            f'{self.options.members_per_guild!r}>'
        )
    
    
    @property
    def guild_ids(self):
        """The ids of the guilds."""
        return [get_guild_id(index) for index in range(self.options.guilds)]
    
    
    def has_guild(self, guild_id):
        """Returns whether there is such a guild."""
        index = get_guild_index(guild_id)
        return (0 <= index < self.options.guilds) and (get_guild_id(index) == guild_id)
    
    
    def get_guild_ids_of(self, shard_id, shard_count):
        """Returns the ids of a shard's guilds."""
        return [guild_id for guild_id in self.guild_ids if (guild_id >> TIMESTAMP_SHIFT) % shard_count == shard_id]
    
    
    def find_guild_id_of(self, shard_id, shard_count):
        """Returns the id of a shard's first guild; `0` if it has none."""
        for index in range(self.options.guilds):
            guild_id = get_guild_id(index)
            if (guild_id >> TIMESTAMP_SHIFT) % shard_count == shard_id:
                return guild_id
        
        return 0
    
    
    def get_text_channel_id(self, guild_id):
        """Returns the channel of a guild where messages go to."""
        return get_channel_id(get_guild_index(guild_id), 0)
    
    
    def get_voice_channel_id(self, guild_id):
        """Returns the voice channel of a guild."""
        return get_channel_id(get_guild_index(guild_id), VOICE_CHANNEL_INDEX)
    
    
    def get_guild_id_of_channel(self, channel_id):
        """Returns the guild of a channel; `0` if there is no such guild."""
        guild_id = get_guild_id(get_guild_index(channel_id))
        return guild_id if self.has_guild(guild_id) else 0
    
    
    def get_member_ids(self, guild_id):
        """Returns the ids of a guild's members, without the bot."""
        count = self.options.members_per_guild
        start = get_guild_index(guild_id) * count
        return [get_user_id(index) for index in range(start, start + count)]
    
    
    def build_member_datas(self, guild_id, bot_id):
        """Builds the data of a guild's members, the bot as last."""
        guild_index = get_guild_index(guild_id)
        start = guild_index * self.options.members_per_guild
        
        member_datas = [
            build_member_data(build_user_data(user_id, index))
            for index, user_id in enumerate(self.get_member_ids(guild_id), start)
        ]
        member_datas.append(build_member_data(build_bot_data(bot_id), (get_role_id(guild_index, 1),)))
        return member_datas
    
    
    def build_soundboard_sounds(self, guild_id):
        """Builds the data of a guild's soundboard sounds: it has one."""
        return [{
            'name': 'quack',
            'sound_id': str(get_sound_id(get_guild_index(guild_id), 0)),
            'volume': 1.0,
            'emoji_id': None,
            'emoji_name': None,
            'guild_id': str(guild_id),
            'available': True,
        }]
    
    
    def encode_guild(self, guild_id, bot_id):
        """
        Builds a guild's data and encodes it.
        
        Parameters
        ----------
        guild_id : `int`
            The guild's id.
        bot_id : `int`
            The bot's id.
        
        Returns
        -------
        data : `bytes`
        """
        key = (bot_id, guild_id, self.options.members_per_guild)
        data = self._encoded_guilds.get(key, None)
        if data is None:
            member_datas = self.build_member_datas(guild_id, bot_id)
            data = encode_json(build_guild_data(
                get_guild_index(guild_id), member_datas, self.get_member_ids(guild_id)[0], len(member_datas)
            ))
            self._encoded_guilds[key] = data
        
        return data
    
    
    def generate_id(self):
        """Generates an id for anything that is new, greater than those before."""
        timestamp = self._id_timestamp
        self._id_timestamp = timestamp + 1
        return timestamp << TIMESTAMP_SHIFT
    
    
    def build_message(self, channel_id, guild_id, content, author_data = None):
        """Builds a new message's data. Its author is the guild's first member by default."""
        if author_data is None:
            index = get_guild_index(guild_id) * self.options.members_per_guild if guild_id else 0
            author_data = build_user_data(get_user_id(index), index)
        
        data = {
            'id': str(self.generate_id()),
            'type': MESSAGE_TYPE_DEFAULT,
            'channel_id': str(channel_id),
            'author': author_data,
            'content': content,
            'timestamp': DateTime.now(TimeZone.utc).isoformat(timespec = 'microseconds'),
            'edited_timestamp': None,
            'attachments': [],
            'components': [],
            'embeds': [],
            'flags': 0,
            'mention_everyone': False,
            'mention_roles': [],
            'mentions': [],
            'nonce': None,
            'pinned': False,
            'tts': False,
        }
        
        if guild_id:
            data['guild_id'] = str(guild_id)
            data['member'] = build_member_data()
        
        return data
