"""
What is left of a connection that was lost: nothing.
"""
import gc
import os
import threading
from collections import Counter
from ctypes import CDLL
from itertools import cycle
from time import monotonic

from hata import KOKORO
from scarletio import Future, Task, sleep

from hata_gateway_ext.connection.connection import GatewayConnection
from hata_gateway_ext.connection.dispatcher import Dispatcher
from hata_gateway_ext.connection.web_socket import GatewayWebSocket
from hata_gateway_ext.local_discord import LocalDiscord, SendBytes, SendPayload

SHARD_COUNT = 10

# Bytes. It still grows by half of this from the first 50 losses to the first 150, as the allocator takes its share and the
# local Discord, which is in the same process, fills its records; from there on it stays. 450 connections with their
# inflaters would be tens of MiB.
MEMORY_TOLERANCE = 16 << 20


def get_resident_memory():
    """Returns the resident memory of the process, in bytes, without what is free and only kept for later."""
    gc.collect()
    trim = getattr(CDLL(None), 'malloc_trim', None)
    if (trim is not None):
        trim(0)
    
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


async def measure():
    """Measures what could be left. On the client's thread, so that nothing changes meanwhile."""
    gc.collect()
    types = Counter(type(object_) for object_ in gc.get_objects())
    return {
        'connections': types[GatewayConnection],
        'descriptors': len(os.listdir('/proc/self/fd')),
        'dispatchers': types[Dispatcher],
        'futures': types[Future],
        'tasks': types[Task],
        # asyncio's are those with which the test asks.
        'threads': sum(not thread.name.startswith('asyncio') for thread in threading.enumerate()),
        'timers': sum(not handle.cancelled for handle in KOKORO._scheduled),
        'web sockets': types[GatewayWebSocket],
    }


async def test__leaks__five_hundred_losses(run_bot):
    """
    After 500 losses over ten shards the numbers of tasks, descriptors, threads, timers and the memory are where they were
    after the first 50.
    """
    async with LocalDiscord(
        heartbeat_interval = 0.5, shards = SHARD_COUNT, max_concurrency = SHARD_COUNT, guilds = SHARD_COUNT,
        record_bound = 50, replay_bound = 20,
    ) as discord:
        async with run_bot(discord, shard_count = SHARD_COUNT) as bot:
            losses = (
                lambda shard_id: discord.cut(shard_id, reset = True),
                lambda shard_id: discord.cut(shard_id, reset = False),
                lambda shard_id: discord.close(shard_id, None),
                lambda shard_id: discord.close(shard_id, 4000),
                lambda shard_id: discord.close(shard_id, 4008),
                lambda shard_id: discord.reconnect(shard_id),
                lambda shard_id: discord.invalidate(shard_id, resumable = True),
                lambda shard_id: discord.fault(SendBytes(b'\xff' * 100), shard_id = shard_id),
                lambda shard_id: discord.fault(SendPayload(b'[]'), shard_id = shard_id),
                lambda shard_id: discord.silence(shard_id),
            )
            
            async def lose_each_way(*groups):
                """Loses connections once in each way: by turns of the shards of each group."""
                for lose, shard_ids in zip(losses, cycle(groups)):
                    count = bot.gateway.get_statistics().sum('resumes') + len(shard_ids)
                    numbers = set()
                    for shard_id in shard_ids:
                        lose(shard_id)
                        numbers.update(discord.send_messages(4, shard_id = shard_id))
                    
                    await bot.wait_for(lambda numbers = numbers: numbers.issubset(bot.numbers))
                    await bot.wait_for_gateway(lambda count = count: (
                        bot.gateway.get_statistics().sum('resumes') == count
                    ))
                    discord.heal()
            
            
            async def settle_down(baseline):
                """Waits until nothing is more than it was, since closing a silent connection takes its time."""
                started_at = monotonic()
                while True:
                    counts = await bot.run(measure())
                    if (baseline is not None) and all(counts[name] <= baseline[name] for name in counts):
                        return counts
                    
                    if monotonic() - started_at > (2.5 if baseline is None else 10.0):
                        return counts
                    
                    await bot.run(sleep(0.1, KOKORO))
            
            
            await lose_each_way(range(0, 5), range(5, 10))
            baseline = await settle_down(None)
            memory = get_resident_memory()
            
            await lose_each_way(range(5, 10), range(0, 5))
            for _ in range(4):
                await lose_each_way(range(SHARD_COUNT))
            
            assert bot.gateway.get_statistics().sum('losses') == 500
            counts = await settle_down(baseline)
            grown = {name: (baseline[name], counts[name]) for name in counts if counts[name] > baseline[name]}
            assert not grown
            assert get_resident_memory() - memory < MEMORY_TOLERANCE
            assert discord.ledger.account(bot.numbers).is_clean
