"""
What happens to the store of a running bot: it never reaches a shard, and it is over when the store works again.
"""
import os
from signal import SIGKILL, SIGTERM

import pytest

from hata_gateway_ext.local_discord import LocalDiscord


# Numbered messages a second into each shard.
RATE = 40

SHARDS = 2


@pytest.fixture
def discord():
    with LocalDiscord(
        shards = SHARDS, max_concurrency = SHARDS, identify_interval = 0.0, guilds = 4, replay_bound = 200_000
    ) as discord:
        yield discord


def delete(path):
    path.unlink()


def delete_all(path):
    for path_ in path.parent.glob(f'{path.name}*'):
        path_.unlink()


def truncate(path):
    os.truncate(path, 0)


def truncate_in_part(path):
    os.truncate(path, path.stat().st_size // 2)


def overwrite(path):
    with open(path, 'r+b') as file:
        file.write(os.urandom(path.stat().st_size))


def test__sqlite_file(discord, start_kept_bot, read_numbers, tmp_path):
    """
    Whatever is done to the file while the bot runs: receiving goes on, and checkpoints are saved again. In the end the bot is
    stopped and started as if nothing had been.
    """
    path = tmp_path / 'store' / 'sessions.sqlite'
    path.parent.mkdir()
    options = {
        'told_store': f'sqlite:///{path}', 'gateway_shutdown': 'suspend', 'gateway_checkpoint_interval': 0.2,
    }
    bot = start_kept_bot(discord, **options)
    traffic = discord.start_traffic(RATE)
    for trouble in (None, delete, delete_all, truncate, truncate_in_part, overwrite):
        if (trouble is not None):
            trouble(path)
        
        # The first one may have begun before the trouble.
        for _ in range(SHARDS * 2):
            bot.wait_for('checkpoint')
    
    bot.end(SIGTERM)
    bot = start_kept_bot(discord, **options)
    bot.wait_for('ready')
    traffic.stop()
    bot.wait_handled([discord.send_message(shard_id = shard_id)['number'] for shard_id in range(SHARDS)])
    
    account = discord.ledger.account(read_numbers())
    assert account.is_clean and not account.forfeited, account
    assert discord.recording.identify_count() == SHARDS
    assert discord.recording.connection_count() == SHARDS * 2


def test__sqlite_file__while_down(discord, start_kept_bot, tmp_path):
    """What is done to the file while the bot is down costs its sessions, and nothing else; it says so."""
    path = tmp_path / 'store' / 'sessions.sqlite'
    path.parent.mkdir()
    options = {'gateway_store': f'sqlite:///{path}', 'gateway_shutdown': 'suspend'}
    
    for identifies, trouble in enumerate((delete_all, overwrite, truncate), 1):
        bot = start_kept_bot(discord, **options)
        assert bot.wait_for('ready')['guilds'] == 4
        bot.wait_handled([discord.send_message(shard_id = shard_id)['number'] for shard_id in range(SHARDS)])
        assert discord.recording.identify_count() == SHARDS * identifies
        bot.end(SIGTERM)
        trouble(path)
    
    # What was damaged is not lost.
    assert [path_ for path_ in path.parent.iterdir() if '.corrupt-' in path_.name]


def test__sqlite_file__of_a_running_process(discord, start_kept_bot, tmp_path):
    """
    A second process on the file of a running one says so, and runs without; it takes the file over when the first one is
    killed.
    """
    options = {'told_store': f'sqlite:///{tmp_path}/sessions.sqlite'}
    first = start_kept_bot(discord, 'first', **options)
    for _ in range(SHARDS):
        first.wait_for('checkpoint')
    
    second = start_kept_bot(discord, 'second', **options)
    second.wait_for('ready')
    if not second.errors:
        second.wait_for('error')
    assert f'Process {first.process_id} uses the store' in second.errors[0]['message']
    
    first.end(SIGKILL)
    for _ in range(SHARDS):
        second.wait_for('checkpoint')
    assert 'are kept again' in second.errors[-1]['message']
    assert len(second.errors) == 2


def test__redis(discord, start_kept_bot, read_numbers, redis_server_type):
    """
    Redis is stopped and started again under traffic: receiving goes on, the trouble is reported once and again when it ends,
    and the sessions are there for the next process, on whatever machine.
    """
    with redis_server_type() as server:
        options = {
            'told_store': f'redis://127.0.0.1:{server.port}?timeout=1', 'gateway_shutdown': 'suspend',
            'gateway_checkpoint_interval': 0.5,
        }
        bot = start_kept_bot(discord, **options)
        for _ in range(SHARDS):
            bot.wait_for('checkpoint')
        
        traffic = discord.start_traffic(RATE)
        server.stop()
        bot.wait_for('error')
        assert f'Redis at redis://127.0.0.1:{server.port} cannot be used' in bot.errors[0]['message']
        bot.wait_handled([discord.send_message(shard_id = shard_id)['number'] for shard_id in range(SHARDS)])
        
        server.start()
        for _ in range(SHARDS * 2):
            bot.wait_for('checkpoint')
        
        messages = [error['message'] for error in bot.errors]
        assert any('Sessions are kept again' in message for message in messages)
        # Records and checkpoints are reported apart, once each.
        assert len(messages) <= 4
        
        bot.end(SIGTERM)
        bot = start_kept_bot(discord, **options)
        bot.wait_for('ready')
        traffic.stop()
        bot.wait_handled([discord.send_message(shard_id = shard_id)['number'] for shard_id in range(SHARDS)])
        
        account = discord.ledger.account(read_numbers())
        assert account.is_clean and not account.forfeited, account
        assert discord.recording.identify_count() == SHARDS
        assert discord.recording.connection_count() == SHARDS * 2
