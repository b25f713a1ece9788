"""
Guilds for the tests of what is kept: with something of everything that a checkpoint contains.
"""
import pytest
from hata import Client, Guild, KOKORO
from hata.discord.core import GUILDS, USERS
from scarletio import skip_poll_cycle

from hata_gateway_ext.local_discord import create_token


APPLICATION_ID = 1234567890123456789
JOINED_AT = '2021-05-05T10:11:12.123000+00:00'


def build_user_data(user_id):
    return {
        'id': str(user_id), 'username': f'user_{user_id}', 'global_name': f'User {user_id}', 'discriminator': '0',
        'avatar': f'{user_id:032x}',
    }


def build_member_data(user_id, role_ids = (), **fields):
    return {
        'user': build_user_data(user_id), 'roles': [str(role_id) for role_id in role_ids], 'joined_at': JOINED_AT,
        'nick': None, 'deaf': False, 'mute': False, 'pending': False, 'flags': 0, **fields,
    }


def build_channel_data(channel_id, name, type_ = 0, **fields):
    return {
        'id': str(channel_id), 'type': type_, 'name': name, 'position': 0, 'parent_id': None, 'flags': 0,
        'permission_overwrites': [{'id': str(channel_id - 1), 'type': 1, 'allow': '1024', 'deny': '2048'}], **fields,
    }


def build_role_data(role_id, name, position = 1):
    return {
        'id': str(role_id), 'name': name, 'color': 0x123456, 'hoist': True, 'managed': False, 'mentionable': True,
        'permissions': '104324673', 'position': position, 'flags': 0,
    }


def build_guild_data(guild_id, members, channels = 5, roles = 3):
    role_ids = [guild_id + 1 + index for index in range(roles)]
    channel_ids = [guild_id + 10000 + index for index in range(channels)]
    user_ids = [guild_id + 100000 + index for index in range(members)]
    return {
        'id': str(guild_id), 'name': f'Guild {guild_id}', 'unavailable': False, 'owner_id': str(user_ids[0]),
        'member_count': members, 'large': False, 'joined_at': JOINED_AT, 'features': ['COMMUNITY', 'NEWS'],
        'members': [
            build_member_data(user_id, role_ids[: index % 3], nick = f'nick {index}' if index % 2 else None)
            for index, user_id in enumerate(user_ids)
        ],
        'channels': [
            build_channel_data(channel_id, f'channel {index}', topic = 'topic', position = index)
            for index, channel_id in enumerate(channel_ids)
        ] + [build_channel_data(guild_id + 50000, 'voice', 2, bitrate = 64000, user_limit = 5)],
        'threads': [
            build_channel_data(
                guild_id + 60000, 'thread', 11, parent_id = str(channel_ids[0]), owner_id = str(user_ids[0]),
                thread_metadata = {
                    'archived': False, 'auto_archive_duration': 1440, 'archive_timestamp': JOINED_AT, 'locked': False,
                },
            ),
        ],
        'roles': [build_role_data(guild_id, '@everyone', 0)] + [
            build_role_data(role_id, f'role {role_id}', index + 1) for index, role_id in enumerate(role_ids)
        ],
        'emojis': [
            {
                'id': str(guild_id + 70000), 'name': 'cake', 'roles': [], 'require_colons': True, 'managed': False,
                'animated': False, 'available': True,
            },
        ],
        'stickers': [
            {
                'id': str(guild_id + 71000), 'name': 'hug', 'description': 'a hug', 'tags': 'hug', 'type': 2,
                'format_type': 1, 'available': True, 'guild_id': str(guild_id),
            },
        ],
        'soundboard_sounds': [
            {
                'sound_id': str(guild_id + 72000), 'name': 'nyan', 'volume': 1.0, 'emoji_id': None, 'emoji_name': None,
                'guild_id': str(guild_id), 'available': True,
            },
        ],
        'voice_states': [
            {
                'user_id': str(user_ids[0]), 'channel_id': str(guild_id + 50000), 'session_id': 'a', 'deaf': False,
                'mute': False, 'self_deaf': True, 'self_mute': False, 'self_video': False, 'suppress': False,
            },
        ],
        'stage_instances': [], 'guild_scheduled_events': [], 'presences': [], 'description': 'A guild.',
        'preferred_locale': 'en-US', 'premium_tier': 1, 'premium_subscription_count': 3, 'verification_level': 2,
        'system_channel_id': str(channel_ids[0]), 'vanity_url_code': 'seija', 'icon': 'a' * 32,
    }


def to_data(guild):
    """The guild as the comparison of caches sees it."""
    return guild.to_data(defaults = True, include_internals = True)


@pytest.fixture
def client():
    """A client that does not run."""
    client = Client(create_token(APPLICATION_ID), intents = -1)
    yield client
    for guild in [*client.guilds]:
        guild._delete(client)
    client._delete()


@pytest.fixture
def make_guild(client):
    """Puts a guild into the cache of the client, as GUILD_CREATE does."""
    def make_guild(guild_id = 1 << 40, members = 5, **sizes):
        return Guild.from_data(build_guild_data(guild_id, members, **sizes), client)
    
    return make_guild


@pytest.fixture
def forget_guilds(client):
    """Takes the guilds and users out of the cache, as a new process has none."""
    def forget_guilds():
        for guild in [*client.guilds]:
            client.guild_profiles.pop(guild.id, None)
            guild._delete(client)
            GUILDS.pop(guild.id, None)
            for user_id in [*guild.users]:
                if user_id != client.id:
                    USERS.pop(user_id, None)
    
    return forget_guilds


@pytest.fixture(name = 'to_data')
def to_data_fixture():
    return to_data


@pytest.fixture(name = 'build_member_data')
def build_member_data_fixture():
    return build_member_data


@pytest.fixture(name = 'build_channel_data')
def build_channel_data_fixture():
    return build_channel_data


@pytest.fixture
def build_guild():
    """Builds the data of a guild."""
    return build_guild_data


@pytest.fixture
def run_steps():
    """Calls functions on hata's loop, each in a round of its own, and lets the tasks that they made run."""
    async def run(steps):
        for step in steps:
            step()
            for _ in range(3):
                await skip_poll_cycle()
    
    def run_steps(*steps):
        KOKORO.run(run(steps), 10.0)
    
    return run_steps
