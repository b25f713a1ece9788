"""
Bots in processes of their own are stopped, killed and started again while messages go on.
"""
import os
from random import Random
from signal import SIGINT, SIGKILL, SIGTERM
from threading import Thread, Timer

import pytest

from hata_gateway_ext.local_discord import LocalDiscord


# Numbered messages a second into each shard.
RATE = 40

SHARDS = 2

# How many times a process is killed: in chains side by side, so that both cores of a small machine have something to do. CI
# asks for 50 kills, which take a minute.
CRASH_CHAINS = 2
CRASH_ROUNDS = int(os.environ.get('HATA_GATEWAY_EXT_TEST_CRASHES', '10')) // CRASH_CHAINS

# Seconds that a process lives at most before it is killed. Restoring and resuming take a third of it.
LIFETIME_MAX = 1.5

SEED = 20261124


@pytest.fixture
def discord():
    with LocalDiscord(shards = SHARDS, max_concurrency = SHARDS, guilds = 6, replay_bound = 200_000) as discord:
        yield discord


@pytest.fixture
def store_url(tmp_path):
    return f'sqlite:///{tmp_path}/sessions.sqlite'


def await_last_messages(discord, bot):
    """Sends a last message into each shard, and waits until the bot has handled them."""
    bot.wait_handled([discord.send_message(shard_id = shard_id)['number'] for shard_id in range(SHARDS)])


@pytest.mark.parametrize(('signal_number', 'rounds'), [(SIGTERM, 2), (SIGINT, 1)])
def test__suspend(discord, start_kept_bot, read_numbers, store_url, signal_number, rounds):
    """
    A process that is told to end suspends, the next one goes on: each message is handled exactly once and in order, with no
    identify but the first ones, and the cache is the same.
    """
    options = {'gateway_store': store_url, 'gateway_shutdown': 'suspend'}
    bot = start_kept_bot(discord, **options)
    assert bot.wait_for('ready')['guilds'] == 6
    guilds = bot.dump()
    assert len(guilds) == 6
    traffic = discord.start_traffic(RATE)
    
    for round_ in range(1, rounds + 1):
        sent = discord.ledger.account(()).sent
        discord.wait(lambda recording: discord.ledger.account(()).sent > sent + RATE)
        bot.end(signal_number)
        bot = start_kept_bot(discord, **options)
        bot.wait_for('ready')
        assert discord.recording.resumed_count() == SHARDS * round_
    
    traffic.stop()
    await_last_messages(discord, bot)
    account = discord.ledger.account(read_numbers())
    assert account.sent > RATE * rounds
    assert account.is_clean, account
    assert not account.forfeited
    assert discord.recording.identify_count() == SHARDS
    assert set(discord.recording.close_codes()) == {4000}
    assert bot.dump() == guilds
    assert not bot.errors


def crash_again_and_again(prepare_bot, discord, random):
    """
    Kills bots at random points of their lives: while they start, restore, resume, catch up, and save.
    """
    bot = prepare_bot()
    bot.start()
    for _ in range(SHARDS):
        # Without a checkpoint there is nothing to start from.
        bot.wait_for('checkpoint')
    
    traffic = discord.start_traffic(RATE)
    for _ in range(CRASH_ROUNDS):
        killer = Timer(random.uniform(0.0, LIFETIME_MAX), bot.end, (SIGKILL,))
        killer.start()
        # The next one loads its libraries meanwhile.
        next_bot = prepare_bot()
        killer.join()
        bot = next_bot
        bot.start()
    
    bot.wait_for('ready')
    traffic.stop()
    await_last_messages(discord, bot)
    assert not bot.errors
    bot.close()


def get_late_doubles(notes):
    """
    Returns the messages that were handled again although a process had recorded that they were handled.
    
    What was handled before a save ended is in the next save. So only what a process has handled after its last save but one
    may be handled again.
    """
    recorded = set()
    late = []
    segment = []
    saves = []
    
    for note in [*notes, 'started']:
        if note == 'started':
            recorded.update(segment[: saves[-2]] if len(saves) >= 2 else ())
            segment = []
            saves = []
        elif note == 'saved':
            saves.append(len(segment))
        else:
            segment.append(note)
            if note in recorded:
                late.append(note)
    
    return late


def test__crash(start_kept_bot, read_notes, read_numbers, tmp_path):
    """
    Processes are killed again and again: no message is lost, none is handled again after it was recorded as handled, and no
    identify but the first ones.
    """
    def run_chain(name, random):
        with LocalDiscord(shards = SHARDS, max_concurrency = SHARDS, guilds = 6, replay_bound = 200_000) as discord:
            crash_again_and_again(
                lambda: start_kept_bot(
                    discord,
                    name,
                    prepare_only = True,
                    told_store = f'sqlite:///{tmp_path}/{name}.sqlite',
                    gateway_checkpoint_interval = 1.0,
                ),
                discord,
                random,
            )
            outcomes[name] = (discord.ledger.account(read_numbers(name)), discord.recording.identify_count())
    
    outcomes = {}
    chains = [
        Thread(target = run_chain, args = (f'chain-{index}', Random(SEED + index))) for index in range(CRASH_CHAINS)
    ]
    for chain in chains:
        chain.start()
    for chain in chains:
        chain.join()
    
    assert len(outcomes) == CRASH_CHAINS
    for name, (account, identify_count) in outcomes.items():
        assert account.sent and not account.lost, account
        assert not account.forfeited and not account.unknown, account
        assert identify_count == SHARDS
        
        notes = read_notes(name)
        assert notes.count('started') == CRASH_ROUNDS + 1
        assert notes.count('saved') > 1
        assert not get_late_doubles(notes)
