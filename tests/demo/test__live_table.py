from io import StringIO

import pytest
from rich.console import Console

from hata_gateway_ext.demo.live_table import LiveTable
from hata_gateway_ext.demo.outcome import Outcome, ShardOutcome
from hata_gateway_ext.demo.plain_lines import PlainLines
from hata_gateway_ext.demo.summary import build_summary


def create_shard_outcome(shard_id = 0, **fields):
    """Creates what a shard did."""
    return ShardOutcome(**{
        'shard_id': shard_id,
        'state': 'ready',
        'latency': 0.0123,
        'sequence': 1234,
        'sent': 1230,
        'seen': 1230,
        'lost': 0,
        'doubled': 0,
        'disordered': 0,
        'repeated': 0,
        'resumes': 5,
        'identifies': 1,
        'trouble': 'TCP reset, again while replaying',
        **fields,
    })


def create_outcome(*shards, **fields):
    """Creates what a gateway made of a trial."""
    return Outcome(**{
        'gateway': 'ours',
        'shards': shards or (create_shard_outcome(),),
        'seconds': 12.0,
        'struck': 7,
        'restarts': 0,
        'kills': 0,
        'unknown': 0,
        'errors': 0,
        'identify_limit': None,
        'notes': (),
        'failure': None,
        **fields,
    })


@pytest.mark.parametrize(
    ('shard_fields', 'fields', 'is_clean', 'text'),
    (
        ({}, {}, True, 'every event was seen once and in order'),
        ({'lost': 1}, {}, False, 'of 1230 events 1 lost'),
        ({'doubled': 2}, {}, False, '2 doubled'),
        ({'disordered': 3}, {}, False, '3 out of order'),
        ({'repeated': 3}, {'kills': 1}, True, 'seen at least once and in order'),
        ({}, {'unknown': 4}, False, '4 never sent'),
        ({}, {'failure': 'the bot could not start'}, False, 'the bot could not start'),
        ({'sent': 0, 'seen': 0}, {}, False, 'none was seen'),
        ({}, {'identify_limit': 1}, True, 'every event'),
        ({'identifies': 2}, {'identify_limit': 1}, False, '2 identifies for 1 shards'),
        ({'identifies': 2}, {}, True, 'every event'),
    ),
)
def test__Outcome__is_clean(shard_fields, fields, is_clean, text):
    """Only what is known to be without fault is clean, and the verdict says what was wrong."""
    outcome = create_outcome(create_shard_outcome(**shard_fields), **fields)
    
    assert outcome.is_clean == is_clean
    assert text in build_summary([outcome])[-1]


def test__build_summary__side_by_side():
    """Two gateways stand side by side, and a row that is 0 for both is left out."""
    lines = build_summary([create_outcome(), create_outcome(create_shard_outcome(lost = 30), gateway = 'default')])
    
    assert lines[0].split('  ')[-1].strip() == 'hata\'s default gateway'
    assert [line.split() for line in lines if line.startswith('events lost')] == [['events', 'lost', '0', '30']]
    assert not any('restarts' in line for line in lines)
    assert len({len(line) for line in lines[:lines.index('')]}) == 1


@pytest.mark.parametrize('width', (80, 100, 140, 200))
def test__LiveTable(width):
    """What matters is to be read in a terminal of any usual width; what was wrong is not lost among the rest."""
    output = StringIO()
    console = Console(file = output, force_terminal = True, width = width, color_system = None)
    with LiveTable(console) as view:
        view.log('something happens')
        view.update([create_outcome(create_shard_outcome(0, state = 'awaiting permit'), create_shard_outcome(1, lost = 17))])
        drawn = output.getvalue()
    
    for title in ('shard', 'state', 'latency', 'sequence', 'sent', 'seen', 'lost', 'doubled', 'resumes', 'identifies'):
        assert title in drawn
    
    assert ('disordered' in drawn) == (width >= 100)
    assert ('TCP reset, again while replaying' in drawn) == (width >= 140)
    for value in ('12.3 ms', '1234', '1230', '17', 'something happens'):
        assert value in drawn


def test__PlainLines(capsys):
    """Plain lines show what happens at once, the counts of each shard at the end, and no colours."""
    with PlainLines() as view:
        view.log('something happens')
        view.ignore('something else happens')
        view.update([create_outcome()])
        view.finish([create_outcome(create_shard_outcome(0), create_shard_outcome(1, latency = None, sequence = None))])
    
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == 'something happens'
    assert not any('something else' in line for line in lines)
    assert lines[2] == 'hata_gateway_ext'
    assert lines[4].split()[:5] == ['0', 'ready', '12.3', 'ms', '1234']
    assert lines[5].split()[:4] == ['1', 'ready', '-', '-']
    assert not any('\x1b' in line for line in lines)
