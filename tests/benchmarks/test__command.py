import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.run import main

# Seconds; only a test that fails takes that long.
TIMEOUT = 120.0

ROOT = Path(__file__).resolve().parent.parent.parent

OTHERS = {name for name, package in (('hikari', 'hikari'), ('discord.py', 'discord')) if (find_spec(package) is not None)}
CONTENDERS = {'inflate', 'inflate + orjson', 'hata default', 'hata_gateway_ext', *OTHERS}


@pytest.fixture(scope = 'module')
def measured(tmp_path_factory):
    """Runs the command once, as a user does, but small."""
    path = tmp_path_factory.mktemp('bench') / 'figures.json'
    process = subprocess.run(
        [
            sys.executable, '-m', 'benchmarks', '--only', 'zlib', '--events', '500', '--rounds', '2',
            '--intents', str(1 << 9), '--json', str(path),
        ],
        cwd = ROOT,
        stdout = subprocess.PIPE,
        stderr = subprocess.PIPE,
        timeout = TIMEOUT,
    )
    return process, json.loads(path.read_text()) if path.exists() else None


def test__bench__exit_code(measured):
    """Says by its exit code whether a goal is missed, and what goes on apart from the results."""
    process, data = measured
    
    is_missed = any(goal['verdict'] == 'falls short' for goal in data['goals'])
    assert process.returncode == is_missed, process.stderr.decode()
    assert b'round 2 of 2' in process.stderr
    assert b'round 2 of 2' not in process.stdout


def test__bench__prints(measured):
    """Prints each contender's figure, and each goal with its verdict."""
    process, data = measured
    output = process.stdout.decode()
    
    for name in CONTENDERS:
        assert name in output
    
    for goal in data['goals']:
        assert goal['title'] in output
    
    assert output.count('not measured') == sum(goal['verdict'] == 'not measured' for goal in data['goals'])


def test__bench__json(measured):
    """Writes every round's figure, and what it was measured on."""
    process, data = measured
    contest = data['contests']['zlib']
    
    assert set(contest['costs']) == CONTENDERS
    assert contest['failures'] == {}
    for name in CONTENDERS:
        cost = contest['costs'][name]
        assert len(cost['values']) == 2
        assert 0.0 < cost['minimum'] <= cost['median'] <= cost['maximum']
        # Everyone received all of them, and nothing else.
        assert [result['counted'] for result in contest['results'][name]] == [500, 500]
    
    # A fresh process each time.
    process_ids = [result['process_id'] for results in contest['results'].values() for result in results]
    assert len(process_ids) == 2 * len(CONTENDERS)
    assert data['event_count'] == 500
    assert data['intents'] == 1 << 9
    assert set(data['machine']['libraries']) >= {'hata', 'scarletio'}


def test__bench__goals(measured):
    """Judges what was measured, and says of the rest that it was not."""
    process, data = measured
    verdicts = {goal['title']: goal['verdict'] for goal in data['goals']}
    
    assert verdicts['zlib-stream, gateway alone: to hata\'s default'] in ('hold', 'falls short')
    assert verdicts['over TLS: to hata\'s default'] == 'not measured'


def test__bench__intents_without_events(capsys):
    """Intents of which nothing can be recorded are refused with what can be."""
    assert main(['--intents', '1']) == 2
    assert 'MESSAGE_CREATE' in capsys.readouterr().err


@pytest.mark.parametrize('arguments', (['--events', '0'], ['--rounds', 'many'], ['--only', 'nonsense']))
def test__bench__wrong_arguments(arguments, capsys):
    """Wrong arguments are refused before anything is measured."""
    with pytest.raises(SystemExit) as exception_info:
        main([*arguments])
    
    assert exception_info.value.code == 2
    assert arguments[0] in capsys.readouterr().err
