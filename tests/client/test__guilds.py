"""
Guilds to data and back, in parts.
"""
from itertools import islice

import pytest
from hata import Guild
from hata.discord.events.core import PARSERS

from hata_gateway_ext.persistence.formats import decode_lines, dump_line, encode_lines
from hata_gateway_ext.client.guilds import (
    PART_SIZE, WHOLE_SIZE_LIMIT, iterate_guild_parts, merge_guild_parts, prepare_timestamps
)


SIZES = [
    {'members': 1}, {'members': WHOLE_SIZE_LIMIT - 20}, {'members': WHOLE_SIZE_LIMIT + 1}, {'members': PART_SIZE * 4},
    {'members': 3, 'channels': PART_SIZE * 3 + 1, 'roles': PART_SIZE * 2},
]


def through_json(parts):
    """The parts as they come back from a store."""
    return decode_lines(encode_lines([dump_line(part) for part in parts]), prepare_timestamps)


@pytest.mark.parametrize('sizes', SIZES, ids = str)
def test__guild_parts__round_trip(client, make_guild, forget_guilds, to_data, sizes):
    """A guild that is restored in a new process is equal to the one that was written, in every field."""
    guild = make_guild(**sizes)
    expected = to_data(guild)
    parts = through_json(iterate_guild_parts(guild))
    del guild
    forget_guilds()
    
    restored = Guild.from_data(merge_guild_parts(parts), client)
    assert to_data(restored) == expected
    assert restored in client.guilds
    assert restored.user_count == sizes['members']


@pytest.mark.parametrize('sizes', SIZES, ids = str)
def test__iterate_guild_parts__merged(make_guild, to_data, sizes):
    """The parts are together what hata writes at once."""
    guild = make_guild(**sizes)
    assert merge_guild_parts(iterate_guild_parts(guild)) == to_data(guild)


def test__iterate_guild_parts__sizes(make_guild):
    """A small guild is one part; no part of a large one holds more than it should, and the guild is left as it is."""
    assert len([*iterate_guild_parts(make_guild(members = 5))]) == 1
    
    guild = make_guild(2 << 40, PART_SIZE * 10, channels = PART_SIZE * 2)
    parts = [*iterate_guild_parts(guild)]
    assert len(parts) >= 12
    for part in parts:
        assert max(len(value) for value in part.values() if isinstance(value, list)) <= PART_SIZE
    
    assert len(guild.users) == PART_SIZE * 10
    assert len(guild.channels) == PART_SIZE * 2 + 1


def test__iterate_guild_parts__events_in_between(
    client, make_guild, forget_guilds, to_data, build_member_data, build_channel_data
):
    """
    Events that arrive between the parts, and are replayed after the restore, lead to the guild that there was without a
    restart: whether they reached what was not yet written, or not.
    """
    guild_id = 3 << 40
    guild = make_guild(guild_id, PART_SIZE * 4, channels = PART_SIZE * 2)
    user_ids = [*guild.users]
    channel_ids = [*guild.channels]
    
    def with_guild(data):
        return {'guild_id': str(guild_id), **data}
    
    events = [
        ('GUILD_MEMBER_UPDATE', with_guild(build_member_data(user_ids[0], nick = 'early'))),
        ('GUILD_MEMBER_UPDATE', with_guild(build_member_data(user_ids[-1], nick = 'late'))),
        ('GUILD_MEMBER_REMOVE', with_guild({'user': build_member_data(user_ids[1])['user']})),
        ('GUILD_MEMBER_REMOVE', with_guild({'user': build_member_data(user_ids[-2])['user']})),
        ('GUILD_MEMBER_ADD', with_guild(build_member_data(9 << 40))),
        ('GUILD_MEMBER_ADD', with_guild(build_member_data(10 << 40))),
        ('GUILD_MEMBER_REMOVE', with_guild({'user': build_member_data(10 << 40)['user']})),
        ('GUILD_MEMBER_REMOVE', with_guild({'user': build_member_data(user_ids[-3])['user']})),
        ('GUILD_MEMBER_ADD', with_guild(build_member_data(user_ids[-3], nick = 'back'))),
        ('CHANNEL_UPDATE', with_guild(build_channel_data(channel_ids[0], 'early'))),
        ('CHANNEL_UPDATE', with_guild(build_channel_data(channel_ids[-2], 'late'))),
        ('CHANNEL_DELETE', with_guild(build_channel_data(channel_ids[1], 'gone'))),
        ('CHANNEL_DELETE', with_guild(build_channel_data(channel_ids[-3], 'gone'))),
        ('CHANNEL_CREATE', with_guild(build_channel_data(11 << 40, 'new'))),
        ('GUILD_ROLE_DELETE', with_guild({'role_id': str(guild_id + 1)})),
    ]
    
    parts = []
    iterator = iter(events)
    for part in iterate_guild_parts(guild):
        parts.extend(through_json([part]))
        for name, data in islice(iterator, 3):
            PARSERS[name](client, data)
    
    assert next(iterator, None) is None
    expected = to_data(guild)
    del guild
    forget_guilds()
    
    restored = Guild.from_data(merge_guild_parts(parts), client)
    for name, data in events:
        PARSERS[name](client, data)
    
    def by_id(data):
        """In no order: what comes later is at another place in the lists."""
        data['members'] = {member['user']['id']: member for member in data['members']}
        data['channels'] = {channel['id']: channel for channel in data['channels']}
        return data
    
    assert by_id(to_data(restored)) == by_id(expected)


@pytest.mark.parametrize(('line', 'expected_output'), [
    (b'"joined_at":"2021-05-05T10:11:12.000123+00:00"', b'"joined_at":"2021-05-05T10:11:12.123000+00:00"'),
    (b'"timestamp":"2021-05-05T10:11:12.000123+00:00"', b'"timestamp":"2021-05-05T10:11:12.123000+00:00"'),
    (b'"joined_at":"2021-05-05T10:11:12+00:00"', b'"joined_at":"2021-05-05T10:11:12+00:00"'),
    (b'"joined_at":null', b'"joined_at":null'),
    (b'"nick":"2021-05-05T10:11:12.000123+00:00"', b'"nick":"2021-05-05T10:11:12.000123+00:00"'),
    (b'"topic":"at 2021-05-05T10:11:12.000123+00:00"', b'"topic":"at 2021-05-05T10:11:12.000123+00:00"'),
])
def test__prepare_timestamps(line, expected_output):
    """Timestamps are written as hata reads them back; what users wrote is left alone."""
    assert prepare_timestamps(line) == expected_output
