"""
The options of the local Discord.
"""
import pytest

from hata_gateway_ext.local_discord import LocalDiscord


@pytest.mark.parametrize(
    ('options', 'exception_type'),
    (
        ({'shard': 2}, TypeError),
        ({'shards': 0}, ValueError),
        ({'shards': '2'}, TypeError),
        ({'shards': True}, TypeError),
        ({'guilds': -1}, ValueError),
        ({'heartbeat_interval': -1.0}, ValueError),
        ({'heartbeat_interval': float('nan')}, ValueError),
        ({'heartbeat_interval': None}, TypeError),
        ({'message_split': 0}, ValueError),
        ({'accept_any_token': 1}, TypeError),
        ({'token': 12}, TypeError),
    ),
)
def test__LocalDiscord__wrong_options(options, exception_type):
    """A wrong option is refused, and named."""
    with pytest.raises(exception_type, match = next(iter(options))):
        LocalDiscord(**options)


def test__LocalDiscord__options():
    """Options have Discord's values, and may be changed under the same checks."""
    options = LocalDiscord(shards = 3).options
    assert (options.shards, options.identify_interval, options.heartbeat_interval) == (3, 5.0, 41.25)
    assert (options.send_limit, options.send_interval, options.session_start_total) == (120, 60.0, 1000)
    options.shards = 4
    assert options.shards == 4
    with pytest.raises(ValueError):
        options.shards = 0

    with pytest.raises(AttributeError):
        options.shard = 1

    assert 'shards = 4' in repr(options)


def test__LocalDiscord__guilds():
    """Unless told otherwise each shard has a guild."""
    assert LocalDiscord().options.guilds == 2
    assert LocalDiscord(shards = 6).options.guilds == 6
    assert LocalDiscord(shards = 6, guilds = 1).options.guilds == 1


def test__LocalDiscord__repr():
    """The token is kept secret."""
    discord = LocalDiscord('MTA2MDY1NjA2MDAwMDAwMDAx.secret.secret')
    assert 'secret' not in repr(discord)
    assert discord.application_id == 106065606000000001
