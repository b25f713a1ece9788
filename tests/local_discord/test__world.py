"""
The generated world of the local Discord: ids and data.
"""
import json

import pytest
from hata import Client, Guild

from hata_gateway_ext.local_discord import LocalDiscord
from hata_gateway_ext.local_discord.snowflakes import (
    get_channel_id, get_guild_id, get_guild_index, get_role_id, get_user_id
)


@pytest.mark.parametrize('shard_count', range(1, 17))
def test__get_guild_id__shard(shard_count):
    """Guild `i` is on shard `i % shard_count`."""
    assert all((get_guild_id(index) >> 22) % shard_count == index % shard_count for index in range(40))


def test__snowflakes__are_different():
    """No two things have the same id, but a guild and its role of everyone."""
    ids = [get_user_id(index) for index in range(100)]
    for guild_index in range(10):
        ids.append(get_guild_id(guild_index))
        ids.extend(get_channel_id(guild_index, index) for index in range(4))
        ids.append(get_role_id(guild_index, 1))
        assert get_role_id(guild_index, 0) == get_guild_id(guild_index)

    world = LocalDiscord().world
    message_ids = [world.generate_id() for _ in range(100)]
    assert message_ids == sorted(message_ids)
    ids.extend(message_ids)
    assert len(set(ids)) == len(ids)


def test__get_guild_index():
    """The guild is read back from the ids of what is in it."""
    assert get_guild_index(get_guild_id(7)) == 7
    assert get_guild_index(get_channel_id(7, 3)) == 7
    assert get_guild_index(get_role_id(7, 1)) == 7


def test__World__guilds_of_a_shard():
    """Shards share the guilds out, without rest."""
    world = LocalDiscord(guilds = 10).world
    guild_ids = [guild_id for shard_id in range(3) for guild_id in world.get_guild_ids_of(shard_id, 3)]
    assert sorted(guild_ids) == world.guild_ids
    assert world.find_guild_id_of(2, 3) == world.guild_ids[2]
    assert world.find_guild_id_of(11, 12) == 0
    assert world.has_guild(world.guild_ids[9])
    assert not world.has_guild(get_guild_id(10))
    assert world.get_guild_id_of_channel(world.get_text_channel_id(world.guild_ids[3])) == world.guild_ids[3]
    assert world.get_guild_id_of_channel(12) == 0


def test__World__encode_guild():
    """hata reads a guild with everything in it."""
    discord = LocalDiscord(guilds = 2, members_per_guild = 7)
    client = Client(discord.token)
    guild = None
    try:
        guild_id = discord.world.guild_ids[1]
        guild = Guild.from_data(json.loads(discord.world.encode_guild(guild_id, client.id)), client)
        assert guild.id == guild_id
        assert len(guild.channels) == 4
        assert len(guild.roles) == 2
        assert len(guild.users) == 8
        assert guild.user_count == 8
        assert client in guild.users.values()
        assert guild.owner_id == discord.world.get_member_ids(guild_id)[0]
    finally:
        if (guild is not None):
            guild._delete(client)

        client._delete()
