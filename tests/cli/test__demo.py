"""
The demo from the outside: run as a user runs it, as a process.
"""
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

import hata_gateway_ext
from hata_gateway_ext.cli import main
from hata_gateway_ext.protocol.inflaters import is_available


# Seconds after which a run that hangs is given up. Two processes import hata, on a machine that may be busy.
TIMEOUT = 120.0

MARKER = 'TEST_DEMO_MARKER'


def get_environment(marker):
    """Returns an environment in which the package that is tested is found, and by which its processes are found."""
    return {
        **os.environ,
        'PYTHONPATH': str(Path(hata_gateway_ext.__file__).resolve().parent.parent),
        MARKER: marker,
    }


def find_processes(marker):
    """Returns the identifiers of the processes that were started with the marker, and still live."""
    process_ids = []
    for path in Path('/proc').glob('[0-9]*'):
        try:
            environment = (path / 'environ').read_bytes()
        except OSError:
            # It ended meanwhile, or is another user's.
            continue
        
        if f'{MARKER}={marker}'.encode() in environment:
            process_ids.append(int(path.name))
    
    return process_ids


def start_demo(*arguments, marker, **keywords):
    """Starts the demo."""
    return subprocess.Popen(
        [sys.executable, '-m', 'hata_gateway_ext', 'demo', *arguments],
        env = get_environment(marker),
        **keywords,
    )


class Run:
    """
    A run of the demo, that ended.
    """
    def __init__(self, *arguments):
        self.marker = uuid4().hex
        self.process = start_demo(
            *arguments, marker = self.marker, stdout = subprocess.PIPE, stderr = subprocess.PIPE, text = True
        )
    
    
    def finish(self):
        """Waits until it ended."""
        try:
            self.output, self.error_output = self.process.communicate(timeout = TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.output, self.error_output = self.process.communicate()
            pytest.fail(f'The demo does not end.\n{self.output}\n{self.error_output}')
        
        self.exit_code = self.process.returncode
        return self
    
    
    def get_counts(self, title):
        """Returns the numbers in a row of the summary."""
        match = re.search(f'^{re.escape(title)} +(.*)$', self.output, re.M)
        assert match is not None, self.output
        return [int(value) for value in match.group(1).split()]


@pytest.fixture(scope = 'module')
def runs():
    """Runs of the demo, side by side: most of their time they wait."""
    runs = {
        'compare': Run('--compare', '--seconds', '7', '--shards', '3'),
        'default': Run('--gateway', 'default', '--seconds', '3', '--shards', '2'),
        'soak': Run('--soak', '0.1', '--seed', '1', '--shards', '4', '--compression', 'zlib-stream'),
        'restart': Run('--restart', '--seconds', '12', '--shards', '2'),
    }
    try:
        yield {name: run.finish() for name, run in runs.items()}
    finally:
        for run in runs.values():
            if run.process.poll() is None:
                run.process.kill()
                run.process.communicate()


def test__demo__compare(runs):
    """Our gateway loses nothing, hata's own does, and the exit code is about ours."""
    run = runs['compare']
    
    assert run.exit_code == 0, run.output
    assert run.get_counts('connections broken') == [6, 6]
    
    sent, sent_default = run.get_counts('events sent')
    seen, seen_default = run.get_counts('events seen')
    lost, lost_default = run.get_counts('events lost')
    assert sent == seen > 0
    assert sent_default == seen_default + lost_default
    assert (lost == 0) and (lost_default > 0)
    assert run.get_counts('events doubled') == [0, 0]
    assert run.get_counts('events out of order') == [0, 0]
    assert run.get_counts('resumes')[0] >= 5
    assert run.get_counts('identifies')[0] == 3
    assert 'every event was seen once and in order' in run.output


def test__demo__default(runs):
    """hata's own gateway loses events, so the exit code says so."""
    run = runs['default']
    
    assert run.exit_code == 1, run.output
    assert run.get_counts('events lost')[0] > 0
    assert re.search('shard 0 lost [0-9]+: [0-9]+ - [0-9]+', run.output)


def test__demo__soak(runs):
    """A soak names its seed, and says what it does."""
    run = runs['soak']
    
    assert run.exit_code == 0, run.output
    assert run.output.startswith('Soak of 0.1 minutes over 4 shards, seed 1.\n')
    assert run.get_counts('events sent') == run.get_counts('events seen')


def test__demo__restart(runs):
    """The bot's process is restarted and killed, nothing is lost, and each shard identified once."""
    run = runs['restart']
    
    assert run.exit_code == 0, run.output
    assert run.get_counts('restarts of the bot')[0] >= 2
    assert run.get_counts('events sent') == run.get_counts('events seen')
    assert run.get_counts('events doubled') == [0]
    assert run.get_counts('identifies') == [2]


def test__demo__plain(runs):
    """What is no terminal gets plain lines, without anything on its standard error."""
    for run in runs.values():
        assert '\x1b' not in run.output
        assert run.error_output == ''


def test__demo__no_process_left(runs):
    """No process is left."""
    for run in runs.values():
        assert find_processes(run.marker) == []


def read_until(file_descriptor, text):
    """Reads until a text came. Returns all that was read."""
    data = b''
    while text not in data:
        try:
            chunk = os.read(file_descriptor, 65536)
        except OSError:
            # How a terminal says that its other end is closed.
            chunk = b''
        
        if not chunk:
            pytest.fail(f'The demo ended without {text!r}:\n{data.decode(errors = "replace")}')
        
        data += chunk
    
    return data


def read_rest(file_descriptor):
    """Reads until a terminal is closed."""
    data = b''
    while True:
        try:
            chunk = os.read(file_descriptor, 65536)
        except OSError:
            return data
        
        data += chunk


@pytest.mark.parametrize('signal_number', (signal.SIGINT, signal.SIGTERM))
def test__demo__interrupted(signal_number):
    """Ctrl-C while the table lives ends the demo at once, without a traceback, and with its bot gone."""
    marker = uuid4().hex
    own, other = pty.openpty()
    process = start_demo('--seconds', '600', marker = marker, stdout = other, stderr = other)
    os.close(other)
    try:
        data = read_until(own, b'TCP reset')
        assert b'identifies' in data
        assert len(find_processes(marker)) == 2
        
        process.send_signal(signal_number)
        data = read_rest(own)
        assert process.wait(TIMEOUT) == 130
    finally:
        process.kill()
        process.wait()
        os.close(own)
    
    assert b'Traceback' not in data
    assert b'Interrupted.' in data
    assert find_processes(marker) == []


@pytest.mark.parametrize(
    ('arguments', 'text'),
    (
        (['--shards', '0'], '--shards'),
        (['--shards', '17'], 'from 1 to 16'),
        (['--shards', 'many'], 'from 1 to 16'),
        (['--seconds', '0'], 'a number over 0'),
        (['--seconds', 'nan'], 'a number over 0'),
        (['--soak', 'inf'], 'a number over 0'),
        (['--gateway', 'other'], 'invalid choice'),
        (['--compare', '--gateway', 'default'], 'not allowed'),
        (['--soak', '1', '--restart'], 'not allowed'),
        (['--compression', 'gzip'], 'invalid choice'),
    ),
)
def test__demo__wrong_arguments(arguments, text, capsys):
    """Wrong arguments are named before anything starts."""
    with pytest.raises(SystemExit) as exception_info:
        main(['demo', *arguments])
    
    assert exception_info.value.code == 2
    assert text in capsys.readouterr().err


@pytest.mark.skipif(is_available('zstd-stream'), reason = 'The library of zstd-stream is installed.')
def test__demo__compression_not_available():
    """A compression that is not installed is refused by the bot, and that is what is shown."""
    run = Run('--seconds', '1', '--compression', 'zstd-stream').finish()
    
    assert run.exit_code == 1
    assert 'backports.zstd' in run.output
