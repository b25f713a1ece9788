"""
Guilds to data and back, in parts that take some milliseconds each.

`Guild.to_data(defaults = True, include_internals = True)` gives all that `Guild.from_data` needs; for a guild with thousands
of members it takes far too long to be called on the event loop at once. So the guild's own fields are written first,
together with lists of its channels, roles, members and so on, and what is in these lists is written part by part, while
events go on arriving.

Why this is consistent with the sequence of the first part: an event between two parts changes either the lists, whose copies
it does not reach, or what is in them. The latter is then written newer than the sequence says, and when the event is replayed,
it sets the same values again. The amount of members, the one field that events count up and down, is written with the first
part. A member who leaves in between has no profile in the guild any more and is left out, as the replayed event leaves it.
"""
__all__ = ('iterate_guild_parts', 'merge_guild_parts', 'prepare_timestamps')

import re
from datetime import datetime as DateTime, timezone as TimeZone
from itertools import islice

from hata import Guild
from hata.discord.guild.guild.fields import (
    put_channels, put_emojis, put_roles, put_soundboard_sounds, put_stickers, put_threads, put_users
)
from hata.discord.utils import datetime_to_timestamp, timestamp_to_datetime


# A guild of up to this many channels, roles, members and so on is written at once. The dearest of them is a channel with
# overwrites, at 30 µs; 96 are under 3 ms.
WHOLE_SIZE_LIMIT = 96

# How many of them are in a part of a larger guild: under 1.5 ms.
PART_SIZE = 48


# hata takes the milliseconds of a timestamp for microseconds: it reads `.758000` as 758 µs, writes that as `.000758`, and
# reads that as 0. A version of hata that does not do so is left alone.
EXAMPLE_TIME = DateTime(2019, 7, 17, 18, 52, 50, 758, tzinfo = TimeZone.utc)
TIMESTAMPS_COME_BACK = timestamp_to_datetime(datetime_to_timestamp(EXAMPLE_TIME)) == EXAMPLE_TIME

# A field with a timestamp as hata writes it. The names of the fields keep this off what users wrote: names, topics and
# descriptions.
TIMESTAMP_RP = re.compile(
    br'("(?:[a-z_]*_)?(?:at|end|ends|expiry|seen|since|start|time|timestamp|until)":'
    br'"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\.000(\d{3})(\+00:00")'
)


def _put_users_of(guild_id):
    """
    Makes the putter of users look like the other ones.
    
    Parameters
    ----------
    guild_id : `int`
        The guild's identifier.
    
    Returns
    -------
    put_users_of_guild : `FunctionType`
    """
    def put_users_of_guild(users, data, defaults):
        return put_users(users, data, defaults, guild_id = guild_id)
    
    return put_users_of_guild


# What a guild may have many of: the attribute, what it is while there is none, and how it is written.
COLLECTIONS = (
    ('channels', dict, lambda guild_id: put_channels),
    ('emojis', dict, lambda guild_id: put_emojis),
    ('roles', dict, lambda guild_id: put_roles),
    ('soundboard_sounds', lambda: None, lambda guild_id: put_soundboard_sounds),
    ('stickers', dict, lambda guild_id: put_stickers),
    ('threads', lambda: None, lambda guild_id: put_threads),
    ('users', dict, _put_users_of),
)

GUILD_ATTRIBUTES = tuple(
    name for type_ in Guild.__mro__ for name in getattr(type_, '__slots__', ()) if name != '__weakref__'
)


def iterate_guild_parts(guild):
    """
    Writes a guild in parts. Each step takes some milliseconds; events may be dispatched between them. The state of the guild
    is that at the first step.
    
    This function is a generator.
    
    Parameters
    ----------
    guild : ``Guild``
        The guild.
    
    Yields
    ------
    data : `dict<str, object>`
        A part.
    """
    size = 0
    for name, _, _ in COLLECTIONS:
        collection = getattr(guild, name)
        if (collection is not None):
            size += len(collection)
    
    if size <= WHOLE_SIZE_LIMIT:
        yield guild.to_data(defaults = True, include_internals = True)
        return
    
    # Stands in for the guild: hata offers no way to write it without what it consists of. The guild itself must not be touched,
    # other threads may be looking at it.
    guild_id = guild.id
    stand_in = object.__new__(Guild)
    for name in GUILD_ATTRIBUTES:
        setattr(stand_in, name, getattr(guild, name))
    
    queue = []
    for name, create_empty, get_putter in COLLECTIONS:
        collection = getattr(guild, name)
        if collection:
            setattr(stand_in, name, create_empty())
            queue.append(([*collection.items()], get_putter(guild_id)))
    
    yield stand_in.to_data(defaults = True, include_internals = True)
    
    for items, put in queue:
        iterator = iter(items)
        while True:
            part = dict(islice(iterator, PART_SIZE))
            if not part:
                break
            
            yield put(part, {}, True)


def prepare_timestamps(line):
    """
    Prepares the JSON of a part, so that hata reads the timestamps that it wrote.
    
    Parameters
    ----------
    line : `bytes`
        The JSON of a part.
    
    Returns
    -------
    line : `bytes`
    """
    if TIMESTAMPS_COME_BACK:
        return line
    
    return TIMESTAMP_RP.sub(br'\1.\g<2>000\3', line)


def merge_guild_parts(parts):
    """
    Puts the parts of a guild together.
    
    Parameters
    ----------
    parts : `list<dict<str, object>>`
        The parts, in order.
    
    Returns
    -------
    data : `dict<str, object>`
        What `Guild.from_data` takes.
    """
    merged = {}
    for part in parts:
        for key, value in part.items():
            old_value = merged.setdefault(key, value)
            if (old_value is not value) and isinstance(old_value, list):
                old_value.extend(value)
    
    return merged
