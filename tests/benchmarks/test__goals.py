import pytest

from benchmarks.contender import NAME_DECODE, NAME_DEFAULT, NAME_OURS
from benchmarks.contest import ContestResult
from benchmarks.goals import GOALS, judge
from benchmarks.summary import Summary, get_paired_ratio


def _create_result(costs, **extra):
    result = ContestResult({'zlib-stream': 1000, 'zstd-stream': 650})
    for name, values in costs.items():
        result.results[name] = [{'cpu_seconds': value, 'event_count': 1000, **extra} for value in values]
    
    return result


def _get_verdict(results, text):
    goal_result, = [item for item in judge(results) if text in item.goal.title]
    return goal_result.verdict


def test__judge__nothing_measured():
    """What was not measured is never said to hold."""
    goal_results = judge({})
    
    assert len(goal_results) == len(GOALS)
    assert {goal_result.verdict for goal_result in goal_results} == {'not measured'}


def test__judge__failed_contender():
    """A contender without results leaves its goals unmeasured."""
    results = {'zlib': _create_result({NAME_DECODE: [1.0]})}
    
    assert _get_verdict(results, 'zlib-stream, gateway alone: to inflate + orjson') == 'not measured'


@pytest.mark.parametrize(('cost', 'expected'), ((1.0, 'hold'), (1.34, 'hold'), (1.36, 'falls short')))
def test__judge__ratio(cost, expected):
    """A ratio is judged by its limit."""
    results = {'zlib': _create_result({NAME_OURS: [cost], NAME_DECODE: [1.0], NAME_DEFAULT: [10.0]})}
    
    assert _get_verdict(results, 'zlib-stream, gateway alone: to inflate + orjson') == expected


def test__judge__wire():
    """The bytes on the wire are compared across the two contests."""
    result = _create_result({})
    
    assert _get_verdict({'zlib': result}, 'bytes on the wire') == 'not measured'
    assert _get_verdict({'zlib': result, 'zstd': result}, 'bytes on the wire') == 'hold'


@pytest.mark.parametrize(('sent', 'expected'), ((7, 'hold'), (8, 'falls short')))
def test__judge__order(sent, expected):
    """One round in which messages came in another order is enough to fall short."""
    results = {
        'stall': _create_result(
            {NAME_OURS: [1.0]}, checksum = 7, checksum_sent = sent, longest_stall = 0.002, heartbeats = [1.0, 1.5],
            heartbeat_interval = 0.5,
        )
    }
    
    assert _get_verdict(results, 'rounds out of order') == expected
    assert _get_verdict(results, 'longest stall') == 'hold'
    assert _get_verdict(results, 'heartbeats late') == 'hold'


def test__judge__late_heartbeat():
    """A heartbeat that comes half a second late is no heartbeat on time."""
    results = {
        'stall': _create_result(
            {NAME_OURS: [1.0]}, checksum = 7, checksum_sent = 7, longest_stall = 0.5, heartbeats = [1.0, 1.5, 2.5],
            heartbeat_interval = 0.5,
        )
    }
    
    assert _get_verdict(results, 'heartbeats late') == 'falls short'
    assert _get_verdict(results, 'longest stall') == 'falls short'


def test__get_paired_ratio():
    """Ratios are taken round by round, so a slow round cancels out."""
    assert get_paired_ratio(Summary([1.0, 10.0, 1.0]), Summary([2.0, 20.0, 2.0])).values == [0.5, 0.5, 0.5]


def test__Summary():
    """Median and spread."""
    summary = Summary([3.0, 1.0, 2.0])
    
    assert summary.median == 2.0
    assert summary.spread == (1.0, 3.0)
    with pytest.raises(ValueError):
        Summary([])
