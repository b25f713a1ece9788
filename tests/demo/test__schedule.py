from random import Random

import pytest

from hata_gateway_ext.demo.blows import BLOWS, GARBAGE, build_action, draw_action
from hata_gateway_ext.demo.breakages import BREAKAGES
from hata_gateway_ext.demo.schedule import SLOW_TAIL, build_demo_schedule, build_soak_schedule


def test__build_soak_schedule__replay():
    """The same seed gives the same schedule, another seed another one."""
    schedule = build_soak_schedule(120.0, 8, 1)
    
    assert schedule == build_soak_schedule(120.0, 8, 1)
    assert schedule != build_soak_schedule(120.0, 8, 2)


def test__build_soak_schedule__stable():
    """A seed means the same with every version of Python, and as long as nobody changes the tables."""
    assert [strike.describe() for strike in build_soak_schedule(60.0, 8, 1)[:3]] == [
        '   1.10 s  shard 4: close code, code = 4008',
        '   1.55 s  shard 7: TCP reset',
        "   2.81 s  shard 0: trouble while resuming, stage = 'replay', blow = ['delay', 1.2], after = 23, times = 1, burst = 40, trigger = 'RST'",
    ]


def test__build_soak_schedule__longer():
    """A longer soak begins as a shorter one does, up to where that one becomes careful."""
    short = [strike for strike in build_soak_schedule(60.0, 8, 5) if strike.at < 60.0 - SLOW_TAIL]
    long = build_soak_schedule(300.0, 8, 5)
    
    assert short == long[:len(short)]


@pytest.mark.parametrize('seed', range(5))
def test__build_soak_schedule__bounds(seed):
    """Strikes are in order, within the time and within the shards, and nothing slow starts near the end."""
    schedule = build_soak_schedule(60.0, 3, seed)
    
    assert schedule == sorted(schedule, key = lambda strike: strike.at)
    assert {strike.shard_id for strike in schedule} == {0, 1, 2}
    for strike in schedule:
        assert 0.0 < strike.at <= 60.0
        assert not (BREAKAGES[strike.name].is_slow and (strike.at > 60.0 - SLOW_TAIL))


def test__build_soak_schedule__everything():
    """Every way that has a weight is chosen, alone and together with others, also on the same shard."""
    schedule = build_soak_schedule(3600.0, 8, 1)
    
    assert {strike.name for strike in schedule} == {
        name for name, breakage in BREAKAGES.items() if breakage.weight
    }
    
    by_time = {}
    for strike in schedule:
        by_time.setdefault(strike.at, []).append(strike.shard_id)
    
    shards_at_once = [shard_ids for shard_ids in by_time.values() if len(shard_ids) > 1]
    assert any(len(set(shard_ids)) == 1 for shard_ids in shards_at_once)
    assert any(len(set(shard_ids)) > 1 for shard_ids in shards_at_once)


@pytest.mark.parametrize('shard_count', (1, 4, 16))
def test__build_demo_schedule(shard_count):
    """The demo goes through different ways, shard after shard, and leaves a shard time to come back."""
    schedule = build_demo_schedule(20.0, shard_count)
    
    assert schedule[0].name == 'TCP reset'
    assert len({strike.name for strike in schedule[:16]}) == min(len(schedule), 16)
    assert all(strike.at < 20.0 for strike in schedule)
    for shard_id in range(shard_count):
        times = [strike.at for strike in schedule if strike.shard_id == shard_id]
        assert all(later - earlier >= 2.9 for earlier, later in zip(times, times[1:]))


def test__build_demo_schedule__seed():
    """A seed shuffles the order."""
    schedule = build_demo_schedule(20.0, 4, 7)
    
    assert schedule == build_demo_schedule(20.0, 4, 7)
    assert schedule != build_demo_schedule(20.0, 4)
    assert sorted(strike.at for strike in schedule) == [strike.at for strike in build_demo_schedule(20.0, 4)]


def test__Strike__describe():
    """A strike is described with all that was drawn about it."""
    strike = build_soak_schedule(60.0, 8, 1)[0]
    
    assert strike.name in strike.describe()
    for name, value in strike.parameters.items():
        assert f'{name} = {value!r}' in strike.describe()


@pytest.mark.parametrize('stage', sorted(BLOWS))
def test__draw_action(stage):
    """Whatever is drawn for a stage can be built, and means something there."""
    random = Random(1)
    names = set()
    for _ in range(500):
        name, value = draw_action(random, stage)
        assert stage not in build_action(name, value).impossible_stages
        names.add(name)
    
    assert names == {name for name, _ in BLOWS[stage]}


@pytest.mark.parametrize('name', sorted(GARBAGE))
def test__garbage(name):
    """Everything that no gateway can understand can be sent at once."""
    assert 'now' not in GARBAGE[name].impossible_stages


def test__build_action__unknown():
    """A blow that nobody knows is refused."""
    with pytest.raises(ValueError):
        build_action('tickle', None)
