"""
What checkpoints cost: 1,000 guilds of 100 members, a checkpoint every 60 seconds, in a SQLite file.

Prints the processor time of a first checkpoint, which writes every guild, of one in which a share of the guilds has changed,
and of a restore; and how long the event loop was held up at most. The loop is hata's, and does nothing else meanwhile.

Usage: `python -m benchmarks.checkpoints [--guilds 1000] [--members 100] [--changed 0.25]`
"""
import gc
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time, thread_time, time

from hata import Client, Guild, KOKORO
from scarletio import Task, sleep

from hata_gateway_ext.persistence.restorer import SessionRestorer
from hata_gateway_ext.persistence.checkpointer import ShardCheckpointer
from hata_gateway_ext.persistence.store_access import StoreAccess
from hata_gateway_ext.local_discord import create_token
from hata_gateway_ext.protocol.session import Session
from hata_gateway_ext.stores import SessionRecord, SQLiteStore


APPLICATION_ID = 1234567890123456789

# Seconds between two checkpoints, the option's default.
INTERVAL = 60.0

# How many checkpoints are measured; the median counts.
ROUNDS = 5


def build_guild_data(guild_id, members):
    """Builds a guild with some of everything."""
    role_ids = [str(guild_id + 1 + index) for index in range(10)]
    user_ids = [str(guild_id + 100000 + index) for index in range(members)]
    return {
        'id': str(guild_id), 'name': f'Guild {guild_id}', 'owner_id': user_ids[0], 'member_count': members,
        'roles': [
            {'id': role_id, 'name': 'A role', 'permissions': '104324673', 'position': index, 'color': 1234567}
            for index, role_id in enumerate([str(guild_id), *role_ids])
        ],
        'channels': [
            {
                'id': str(guild_id + 1000 + index), 'type': 0, 'name': 'a-channel', 'position': index, 'topic': 'A topic.',
                'permission_overwrites': [{'id': role_ids[0], 'type': 0, 'allow': '0', 'deny': '1024'}],
            } for index in range(15)
        ],
        'members': [
            {
                'user': {
                    'id': user_id, 'username': f'user_{user_id}', 'discriminator': '0', 'global_name': 'A name',
                    'avatar': f'{int(user_id) * 7919 % (1 << 128):032x}',
                },
                'roles': [role_ids[index % 10]], 'joined_at': '2021-05-05T10:11:12.123000+00:00', 'nick': None,
            } for index, user_id in enumerate(user_ids)
        ],
    }


class Watch:
    """
    Looks how long the loop works without getting to its timers: in processor time of its thread, so that other processes of
    the machine are left out.
    """
    def __init__(self):
        self.longest = 0.0
        self.running = True
    
    
    async def run(self):
        while self.running:
            before = thread_time()
            await sleep(0.0005, KOKORO)
            self.longest = max(self.longest, thread_time() - before)


class NoReports:
    """Nothing is to be reported here; what is, ends the benchmark."""
    def report(self, exception):
        raise exception
    
    
    def report_once(self, trouble, exception, occurrence = None):
        raise exception
    
    
    def settle(self, trouble):
        return False


async def save(access, checkpointer, client, session, guilds):
    """Takes and saves a checkpoint. Returns processor time, wall time, longest hold-up, and bytes."""
    watch = Watch()
    task = Task(KOKORO, watch.run())
    processor_began, began = process_time(), perf_counter()
    checkpoint = await checkpointer.take(client, session, guilds, access.thread, time)
    head = checkpoint.head
    await access.thread.call(
        access.store.save_checkpoint, head.application_id, head.shard_id, head.to_bytes(), checkpoint.blobs,
        checkpoint.kept,
    )
    checkpointer.saved(checkpoint)
    figures = (
        process_time() - processor_began, perf_counter() - began, watch.longest,
        sum(len(blob) for _, blob in checkpoint.blobs),
    )
    watch.running = False
    await task
    return figures


async def measure(client, guilds_count, members, changed, path):
    """Measures everything, and prints it."""
    guilds = [Guild.from_data(build_guild_data((index + 1) << 32, members), client) for index in range(guilds_count)]
    session = Session('a-session', None, 1)
    access = StoreAccess(SQLiteStore(path), NoReports())
    await access.open()
    checkpointer = ShardCheckpointer(0, client.intents)
    gc.collect()
    
    def show(name, rounds):
        processor, wall, longest, size = sorted(rounds)[len(rounds) // 2]
        print(
            f'{name}: {processor:.2f} s of processor time, {processor / INTERVAL:.2%} of a core every {INTERVAL:.0f} s; '
            f'{wall:.1f} s long; loop held up for {max(round_[2] for round_ in rounds) * 1000:.1f} ms at most; '
            f'{size / 1e6:.1f} MB written'
        )
    
    rounds = []
    for _ in range(ROUNDS):
        checkpointer.forget()
        rounds.append(await save(access, checkpointer, client, session, guilds))
    show('every guild', rounds)
    
    rounds = []
    for round_ in range(ROUNDS):
        session.sequence += 1
        for index, guild in enumerate(guilds):
            if (index + round_) % 100 < changed * 100:
                checkpointer.touch('GUILD_MEMBER_UPDATE', {'guild_id': str(guild.id)})
        rounds.append(await save(access, checkpointer, client, session, guilds))
    show(f'{changed:.0%} of the guilds have changed', rounds)
    
    record = SessionRecord(
        application_id = client.id, intents = int(client.intents), resume_gateway_url = None, sequence = session.sequence,
        session_id = session.session_id, shard_count = 1, shard_id = 0, written_at = time(),
    )
    await access.thread.call(access.store.save_records, client.id, {0: record.to_bytes()})
    for guild in guilds:
        guild._delete(client)
    del guild
    guilds.clear()
    gc.collect()
    
    client._gateway_url = 'wss://gateway.discord.gg'
    processor_began, began = process_time(), perf_counter()
    restored = await SessionRestorer(client, access, True).restore(0)
    print(
        f'restore: {process_time() - processor_began:.2f} s of processor time, {perf_counter() - began:.2f} s long, '
        f'{len(restored.guilds)} guilds'
    )
    await access.close()


def main():
    parser = ArgumentParser(description = __doc__.splitlines()[1])
    parser.add_argument('--guilds', type = int, default = 1000)
    parser.add_argument('--members', type = int, default = 100)
    parser.add_argument('--changed', type = float, default = 0.25)
    arguments = parser.parse_args()
    
    client = Client(create_token(APPLICATION_ID), intents = -1)
    try:
        with TemporaryDirectory() as directory:
            KOKORO.run(
                measure(
                    client, arguments.guilds, arguments.members, arguments.changed, Path(directory, 'sessions.sqlite')
                ),
                600.0,
            )
    finally:
        KOKORO.stop()


if __name__ == '__main__':
    main()
