"""
Ids of the generated world.

They are snowflakes as Discord's are, and the same in each run. Guild `i` falls on shard `i % shard_count` for every shard
count up to 16, so that a test knows its guilds' shards without asking.
"""
__all__ = (
    'ID_TIMESTAMP_START', 'TIMESTAMP_SHIFT', 'get_channel_id', 'get_guild_id', 'get_guild_index', 'get_role_id',
    'get_sound_id', 'get_user_id',
)

# Discord docs, Reference: "Snowflakes": the bits from 22 up are milliseconds since 2015, the lower ones count within.
TIMESTAMP_SHIFT = 22

# The least common multiple of 1 to 16: added to it, an index keeps its remainder for each of these shard counts.
SHARD_COUNT_MULTIPLE = 720720

# May 2023, in milliseconds since 2015, rounded to the multiple above.
GUILD_TIMESTAMP = 264_000_000_000 // SHARD_COUNT_MULTIPLE * SHARD_COUNT_MULTIPLE

# Users are older than guilds, and there are less than 2 ** 30 of them.
USER_TIMESTAMP = GUILD_TIMESTAMP - 2 ** 34

# What is made while it runs (messages, commands) is newer than anything else.
ID_TIMESTAMP_START = GUILD_TIMESTAMP + 2 ** 35

# Within a guild's millisecond: what belongs to it. There are at most 500 channels and 250 roles in a guild of Discord.
CHANNEL_OFFSET = 1000
ROLE_OFFSET = 2000
SOUND_OFFSET = 3000


def get_guild_id(index):
    """Returns the id of a guild by its index, from 0."""
    return (GUILD_TIMESTAMP + index) << TIMESTAMP_SHIFT


def get_guild_index(entity_id):
    """Returns the index of the guild that an id, or a channel's or role's id, belongs to. Means nothing for other ids."""
    return (entity_id >> TIMESTAMP_SHIFT) - GUILD_TIMESTAMP


def get_channel_id(guild_index, index):
    """Returns the id of a guild's channel."""
    return get_guild_id(guild_index) + CHANNEL_OFFSET + index


def get_role_id(guild_index, index):
    """Returns the id of a guild's role. The first one is everyone's, with the id of the guild."""
    return get_guild_id(guild_index) + (ROLE_OFFSET + index if index else 0)


def get_sound_id(guild_index, index):
    """Returns the id of a guild's soundboard sound."""
    return get_guild_id(guild_index) + SOUND_OFFSET + index


def get_user_id(index):
    """Returns the id of a user."""
    return (USER_TIMESTAMP + index) << TIMESTAMP_SHIFT
