"""
The users, guilds and channels that the events of a recording are about.

An inflater lives on repetition: the same users write, type and go on- and offline in the same few channels. So the events
of a recording draw on one population, made from the seed alone.
"""
__all__ = ('Population',)

from .vocabulary import ROLE_NAMES, USER_NAMES

# Small enough to be built in an instant, large enough that an inflater's window does not hold all of it.
GUILD_COUNT = 4
CHANNEL_PER_GUILD = 12
MEMBER_PER_GUILD = 250
ROLE_PER_GUILD = 10

# 2026-01-01 in Discord's epoch (milliseconds since 2015-01-01), shifted as snowflakes are.
SNOWFLAKE_BASE = 347155200000 << 22

# Users joined Discord over about eight years: 2^48 of snowflake space is 2.1 years in milliseconds << 22, times four.
SNOWFLAKE_SPREAD = 1 << 60


class Population:
    """
    Users, guilds and channels, the same for the same random source.
    
    Attributes
    ----------
    application_id : `str`
        The bot's own identifier.
    guilds : `list<dict<str, object>>`
        The guilds as `GUILD_CREATE` tells them, without presences.
    members_by_guild : `list<list<dict<str, object>>>`
        The members of each guild, `user` field included.
    """
    __slots__ = ('application_id', 'guilds', 'members_by_guild')
    
    def __new__(cls, random):
        """
        Creates a new population.
        
        Parameters
        ----------
        random : `random.Random`
            Source of randomness.
        """
        self = object.__new__(cls)
        self.application_id = _create_snowflake(random)
        self.members_by_guild = [
            [_create_member(random) for _ in range(MEMBER_PER_GUILD)] for _ in range(GUILD_COUNT)
        ]
        self.guilds = [_create_guild(random, members) for members in self.members_by_guild]
        return self
    
    
    def __repr__(self):
        """Returns the population's representation."""
        return f'<{type(self).__name__} guilds = {len(self.guilds)!r}>'
    
    
    def create_ready_data(self, with_guilds):
        """
        Creates the data of a `READY` event.
        
        Parameters
        ----------
        with_guilds : `bool`
            Whether the guilds should be announced.
        
        Returns
        -------
        data : `dict<str, object>`
        """
        guilds = [{'id': guild['id'], 'unavailable': True} for guild in self.guilds] if with_guilds else []
        return {
            'v': 10,
            'user_settings': {},
            'user': {
                'verified': True,
                'username': 'benchmark',
                'mfa_enabled': False,
                'id': self.application_id,
                'global_name': None,
                'flags': 0,
                'email': None,
                'discriminator': '0000',
                'bot': True,
                'avatar': None,
            },
            'session_type': 'normal',
            'session_id': '0123456789abcdef0123456789abcdef',
            'resume_gateway_url': 'ws://127.0.0.1:1023',
            'relationships': [],
            'private_channels': [],
            'guilds': guilds,
            'application': {'id': self.application_id, 'flags': 0},
        }


def _create_snowflake(random):
    """
    Creates a snowflake of the last years.
    
    Parameters
    ----------
    random : `random.Random`
        Source of randomness.
    
    Returns
    -------
    snowflake : `str`
    """
    return str(SNOWFLAKE_BASE - random.randrange(SNOWFLAKE_SPREAD))


def _create_member(random):
    """
    Creates a guild member.
    
    Parameters
    ----------
    random : `random.Random`
        Source of randomness.
    
    Returns
    -------
    data : `dict<str, object>`
    """
    name = random.choice(USER_NAMES)
    day = random.randrange(1, 29)
    month = random.randrange(1, 13)
    return {
        'user': {
            'username': f'{name}{random.randrange(10000)}',
            'public_flags': 0,
            'primary_guild': None,
            'id': _create_snowflake(random),
            'global_name': name.capitalize() if random.random() < 0.7 else None,
            'discriminator': '0',
            'clan': None,
            'avatar_decoration_data': None,
            'avatar': f'{random.getrandbits(128):032x}' if random.random() < 0.8 else None,
        },
        'roles': [],
        'premium_since': None,
        'pending': False,
        'nick': None,
        'mute': False,
        'joined_at': f'202{random.randrange(6)}-{month:02}-{day:02}T1{random.randrange(10)}:30:00.000000+00:00',
        'flags': 0,
        'deaf': False,
        'communication_disabled_until': None,
        'banner': None,
        'avatar': None,
    }


def _create_guild(random, members):
    """
    Creates a guild. Gives roles to its members.
    
    Parameters
    ----------
    random : `random.Random`
        Source of randomness.
    
    members : `list<dict<str, object>>`
        The guild's members.
    
    Returns
    -------
    data : `dict<str, object>`
    """
    guild_id = _create_snowflake(random)
    roles = [_create_role(guild_id, '@everyone', 0)]
    roles.extend(
        _create_role(_create_snowflake(random), ROLE_NAMES[index % len(ROLE_NAMES)], index + 1)
        for index in range(ROLE_PER_GUILD)
    )
    role_ids = [role['id'] for role in roles[1:]]
    for member in members:
        member['roles'] = random.sample(role_ids, random.choice((0, 0, 1, 1, 2, 3)))
    
    channels = [
        {
            'type': 0,
            'topic': None,
            'rate_limit_per_user': 0,
            'position': index,
            'permission_overwrites': [],
            'parent_id': None,
            'nsfw': False,
            'name': f'{random.choice(ROLE_NAMES).lower()}-{index}',
            'last_message_id': None,
            'id': _create_snowflake(random),
            'flags': 0,
        } for index in range(CHANNEL_PER_GUILD)
    ]
    return {
        'id': guild_id,
        'name': f'{random.choice(ROLE_NAMES)} garden',
        'icon': f'{random.getrandbits(128):032x}',
        'owner_id': members[0]['user']['id'],
        'joined_at': '2026-01-01T12:00:00.000000+00:00',
        'large': False,
        'unavailable': False,
        'member_count': len(members),
        'members': members,
        'channels': channels,
        'threads': [],
        'roles': roles,
        'emojis': [],
        'stickers': [],
        'features': ['COMMUNITY', 'NEWS'],
        'presences': [],
        'voice_states': [],
        'stage_instances': [],
        'guild_scheduled_events': [],
        'soundboard_sounds': [],
        'verification_level': 1,
        'default_message_notifications': 1,
        'explicit_content_filter': 2,
        'mfa_level': 0,
        'nsfw_level': 0,
        'premium_tier': 0,
        'premium_subscription_count': 0,
        'preferred_locale': 'en-US',
        'system_channel_id': None,
        'system_channel_flags': 0,
        'afk_channel_id': None,
        'afk_timeout': 300,
        'rules_channel_id': None,
        'public_updates_channel_id': None,
        'vanity_url_code': None,
        'description': None,
        'banner': None,
        'splash': None,
        'max_members': 500000,
        'application_id': None,
    }


def _create_role(role_id, name, position):
    """
    Creates a role.
    
    Parameters
    ----------
    role_id : `str`
        The role's identifier.
    
    name : `str`
        The role's name.
    
    position : `int`
        The role's position.
    
    Returns
    -------
    data : `dict<str, object>`
    """
    return {
        'id': role_id,
        'name': name,
        'position': position,
        'permissions': '2248473465835073',
        'mentionable': False,
        'managed': False,
        'icon': None,
        'unicode_emoji': None,
        'hoist': False,
        'flags': 0,
        'color': 0,
        'colors': {'primary_color': 0, 'secondary_color': None, 'tertiary_color': None},
    }
