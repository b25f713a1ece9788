import os

import pytest

from benchmarks import disturbance
from benchmarks.disturbance import (
    DisturbanceMeter, get_busy_duration, get_process_duration, is_available, wait_for_quiet
)

pytestmark = pytest.mark.skipif(not is_available(), reason = 'the system does not tell')


def test__get_process_duration__grows():
    """A process that works is seen working, by itself and in what the processors did."""
    process_duration = get_process_duration(os.getpid())
    busy_duration = get_busy_duration()
    
    # 50 ticks are half a second; each look at the clock is work in itself.
    while get_process_duration(os.getpid()) < process_duration + 0.5:
        pass
    
    assert get_busy_duration() > busy_duration


def test__DisturbanceMeter__own_work_is_none(monkeypatch):
    """What we and the server do is no disturbance, and what others do is: here, a processor and a half for a second."""
    durations = {'busy': 10.0, 'server': 1.0, 'now': 0.0}
    own = list(os.times())
    monkeypatch.setattr(disturbance, 'get_busy_duration', lambda: durations['busy'])
    monkeypatch.setattr(disturbance, 'get_process_duration', lambda process_id: durations['server'])
    monkeypatch.setattr(disturbance, 'monotonic', lambda: durations['now'])
    monkeypatch.setattr(disturbance.os, 'times', lambda: own)
    
    meter = DisturbanceMeter(1)
    durations['busy'] += 2.5
    durations['server'] += 0.3
    own[0] += 0.5
    own[2] += 0.2
    durations['now'] += 1.0
    
    assert meter.get_share() == pytest.approx(1.5)


def test__wait_for_quiet__gives_up():
    """Without patience there is no wait."""
    assert wait_for_quiet(0.0) is None
