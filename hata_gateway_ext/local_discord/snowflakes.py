"""
Ids of the generated world.

They are snowflakes as Discord's are, and the same in each run. Guild `i` falls on shard `i % shard_count` for every
shard count up to 16, so that a test knows its guilds' shards without asking.
"""
__all__ = (
    'MessageIdGenerator', 'get_channel_id', 'get_guild_id', 'get_guild_index', 'get_role_id', 'get_sound_id',
    'get_user_id',
)

# Discord docs, Reference: "Snowflakes": the bits from 22 up are milliseconds since 2015, the lower ones count within.
TIMESTAMP_SHIFT = 22

# The least common multiple of 1 to 16: added to it, an index keeps its remainder for each of these shard counts.
SHARD_COUNT_MULTIPLE = 720720

# May 2023, in milliseconds since 2015, rounded to the multiple above.
GUILD_TIMESTAMP = 264_000_000_000 // SHARD_COUNT_MULTIPLE * SHARD_COUNT_MULTIPLE

# Users are older than guilds, and there are less than 2 ** 30 of them.
USER_TIMESTAMP = GUILD_TIMESTAMP - 2 ** 34

# Messages are newer than anything else.
MESSAGE_TIMESTAMP = GUILD_TIMESTAMP + 2 ** 35

# Within a guild's millisecond: what belongs to it. There are at most 500 channels and 250 roles in a guild of Discord.
CHANNEL_OFFSET = 1000
ROLE_OFFSET = 2000
SOUND_OFFSET = 3000


def get_guild_id(index):
    """
    Returns the id of a guild.

    Parameters
    ----------
    index : `int`
        The guild's index, from 0.

    Returns
    -------
    guild_id : `int`
    """
    return (GUILD_TIMESTAMP + index) << TIMESTAMP_SHIFT


def get_guild_index(entity_id):
    """
    Returns the index of the guild that the id, or a channel's or role's id, belongs to.

    Parameters
    ----------
    entity_id : `int`
        An id.

    Returns
    -------
    index : `int`
        Means nothing if the id is none of a generated guild.
    """
    return (entity_id >> TIMESTAMP_SHIFT) - GUILD_TIMESTAMP


def get_channel_id(guild_index, index):
    """
    Returns the id of a channel.

    Parameters
    ----------
    guild_index : `int`
        The index of its guild.

    index : `int`
        The channel's index in the guild.

    Returns
    -------
    channel_id : `int`
    """
    return get_guild_id(guild_index) + CHANNEL_OFFSET + index


def get_role_id(guild_index, index):
    """
    Returns the id of a role. The first one is everyone's, with the id of the guild.

    Parameters
    ----------
    guild_index : `int`
        The index of its guild.

    index : `int`
        The role's index in the guild.

    Returns
    -------
    role_id : `int`
    """
    return get_guild_id(guild_index) + (ROLE_OFFSET + index if index else 0)


def get_sound_id(guild_index, index):
    """
    Returns the id of a soundboard sound.

    Parameters
    ----------
    guild_index : `int`
        The index of its guild.

    index : `int`
        The sound's index in the guild.

    Returns
    -------
    sound_id : `int`
    """
    return get_guild_id(guild_index) + SOUND_OFFSET + index


def get_user_id(index):
    """
    Returns the id of a user.

    Parameters
    ----------
    index : `int`
        The user's index.

    Returns
    -------
    user_id : `int`
    """
    return (USER_TIMESTAMP + index) << TIMESTAMP_SHIFT


class MessageIdGenerator:
    """
    Generates the ids of messages, each greater than those before.

    Attributes
    ----------
    _next : `int`
        The timestamp of the next one.
    """
    __slots__ = ('_next',)

    def __new__(cls):
        """
        Creates a new generator.
        """
        self = object.__new__(cls)
        self._next = MESSAGE_TIMESTAMP
        return self


    def generate(self):
        """
        Generates an id.

        Returns
        -------
        message_id : `int`
        """
        timestamp = self._next
        self._next = timestamp + 1
        return timestamp << TIMESTAMP_SHIFT
