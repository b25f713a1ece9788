"""
Snapshots of what a gateway has done.
"""
import pytest

from hata_gateway_ext import GatewayStatistics, ShardStatistics
from hata_gateway_ext.gateway.statistics import SessionCounts
from hata_gateway_ext.local_discord import Close, LocalDiscord


class FakeDispatcher:
    """What is counted of a dispatcher."""
    dispatched = 5
    gaps = 1
    skipped = 3


def create_statistics(**fields):
    """The statistics of a shard that has done nothing but what is given."""
    return ShardStatistics(**{
        'shard_id': 0, 'state': 'stopped', 'sequence': None, 'latency': 9999.0, 'sent': 0, 'dropped': 0,
        **SessionCounts().to_dict(), **fields,
    })


def test__SessionCounts():
    """They begin at zero; a copy counts for itself."""
    counts = SessionCounts()
    assert set(counts.to_dict().values()) == {0}
    
    counts.resumes += 2
    copy = counts.copy()
    copy.add_dispatcher(FakeDispatcher)
    copy.add_dispatcher(FakeDispatcher)
    assert counts.to_dict() == {**SessionCounts().to_dict(), 'resumes': 2}
    assert copy.to_dict() == {**counts.to_dict(), 'dispatched': 10, 'gaps': 2, 'skipped': 6}
    assert '\'resumes\': 2' in repr(counts)


def test__SessionCounts__fields():
    """Each count has its field in the snapshot."""
    assert set(SessionCounts.__slots__) <= set(ShardStatistics._fields)


def test__GatewayStatistics():
    """Counts are summed over the shards; a snapshot cannot be changed."""
    statistics = GatewayStatistics((create_statistics(sent = 3), create_statistics(shard_id = 1, sent = 4)))
    assert statistics.sum('sent') == 7
    assert statistics.sum('losses') == 0
    
    with pytest.raises(AttributeError):
        statistics.sum('thoughts')
    
    with pytest.raises(AttributeError):
        statistics.shards[0].sent = 5


@pytest.mark.parametrize('shard_count', (1, 2))
async def test__get_statistics(run_bot, monkeypatch, shard_count):
    """What a bot has done is what the local Discord has seen."""
    monkeypatch.setattr('hata_gateway_ext.protocol.backoff.DELAY_BASE', 0.01)
    async with LocalDiscord(heartbeat_interval = 0.5, max_concurrency = 2, guilds = 2) as discord:
        async with run_bot(discord, shard_count = shard_count) as bot:
            numbers = {discord.send_message(shard_id = shard_id)['number'] for shard_id in range(shard_count)}
            await bot.wait_for(lambda: numbers <= {*bot.numbers})
            
            # A connection that is closed before HELLO is no connection yet, so that it is not lost either.
            discord.fault(Close(4000), at = 'hello')
            discord.cut(0)
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            await bot.wait_for_gateway(lambda: all(shard.driver.machine.state == 'ready' for shard in bot.gateway.gateways))
            
            statistics = bot.gateway.get_statistics()
            shards = statistics.shards if shard_count > 1 else (statistics,)
            assert [shard.shard_id for shard in shards] == [*range(shard_count)]
            assert [shard.losses for shard in shards] == [1, 0][: shard_count]
            assert [shard.connects for shard in shards] == [2, 1][: shard_count]
            assert [shard.resumes for shard in shards] == [1, 0][: shard_count]
            assert [shard.identifies for shard in shards] == [1] * shard_count
            assert [shard.sessions for shard in shards] == [1] * shard_count
            assert [shard.sequence for shard in shards] == [
                discord.session(shard_id).sequence for shard_id in range(shard_count)
            ]
            # READY, RESUMED and the rest of what has a sequence.
            assert all(shard.dispatched + shard.skipped >= shard.sequence for shard in shards)
            assert all((shard.duplicates, shard.gaps, shard.dropped) == (0, 0, 0) for shard in shards)
            assert all(shard.sent >= 1 for shard in shards)
            assert all(shard.state == 'ready' for shard in shards)
        
        statistics = bot.gateway.get_statistics()
        assert {shard.state for shard in (statistics.shards if shard_count > 1 else (statistics,))} == {'stopped'}
