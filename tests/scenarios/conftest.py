"""
What the scenarios share: how they end, TLS for the local Discord, and bots in processes of their own.
"""
import json
import os
import subprocess
import sys
from pathlib import Path
from signal import SIGKILL

import pytest
from scarletio import sleep

import hata_gateway_ext
import hata_gateway_ext.protocol.session as protocol_session
from hata_gateway_ext.local_discord import parse_number
from hata_gateway_ext.protocol.transitions import STATE_CONNECTING, STATE_GREETING, STATE_IDENTIFYING, STATE_RESUMING


@pytest.fixture
def settle():
    """Sends a last message into each shard, waits until the bot has it, and expects each message once and in order."""
    async def settle(discord, bot, forfeited = False):
        shard_ids = range(max(bot.client.shard_count, 1))
        numbers = {discord.send_message(shard_id = shard_id)['number'] for shard_id in shard_ids}
        await bot.wait_for(lambda: numbers.issubset(bot.numbers))
        
        account = discord.ledger.account(bot.numbers)
        assert account.is_clean, account
        # What was forfeited is gone for good: Discord itself ended the session. Only few scenarios expect that.
        assert forfeited or (not account.forfeited), account
    
    return settle


@pytest.fixture
def impatient(monkeypatch):
    """Shortens how long a shard waits for an answer, from tens of seconds to one."""
    for state in (STATE_CONNECTING, STATE_GREETING, STATE_IDENTIFYING, STATE_RESUMING):
        monkeypatch.setitem(protocol_session.STATE_TIMEOUTS, state, 1.0)


@pytest.fixture
def short_delays(monkeypatch):
    """Makes the delays between attempts ten times shorter."""
    monkeypatch.setattr('hata_gateway_ext.protocol.backoff.DELAY_BASE', 0.1)


@pytest.fixture
def quick_identify(monkeypatch):
    """
    Makes the pauses before an IDENTIFY short: that of a bucket, and that after op 9. For scenarios about something else; the
    local Discord must be made with `identify_interval = 0.0`.
    """
    monkeypatch.setattr('hata_gateway_ext.protocol.identify.IDENTIFY_INTERVAL', 0.0)
    monkeypatch.setattr('hata_gateway_ext.protocol.session.INVALID_PAUSE_MINIMUM', 0.05)
    monkeypatch.setattr('hata_gateway_ext.protocol.session.INVALID_PAUSE_SPREAD', 0.0)


@pytest.fixture
def short_window(monkeypatch):
    """
    Makes the window of an identify bucket last one second; the local Discord's must be made so as well. The pause after op 9
    is 1-2 s.
    """
    monkeypatch.setattr('hata_gateway_ext.protocol.identify.IDENTIFY_INTERVAL', 1.0)
    monkeypatch.setattr('hata_gateway_ext.protocol.session.INVALID_PAUSE_SPREAD', 1.0)


class BotProcess:
    """
    A bot in a process of its own: `kept_bot.py`.
    
    Attributes
    ----------
    errors : `list<dict<str, str>>`
        What was reported through `client.events.error`, by `type` and `message`.
    """
    def __init__(self, discord, notes_path, options):
        self.errors = []
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / 'kept_bot.py'), discord.token, str(notes_path), json.dumps(options)],
            stdin = subprocess.PIPE,
            stdout = subprocess.PIPE,
            stderr = subprocess.PIPE,
            text = True,
            # What is tested is what the tests import.
            env = {**os.environ, **discord.environment, 'PYTHONPATH': str(Path(hata_gateway_ext.__file__).parents[1])},
        )
    
    
    @property
    def process_id(self):
        """The identifier of the process."""
        return self._process.pid
    
    
    def start(self):
        """Starts the client of a bot that was prepared only."""
        self.ask('start')
        self.wait_for('started')
    
    
    def wait_for(self, said):
        """Waits until the bot has said something, and returns it."""
        for line in self._process.stdout:
            # hata's `wait_for_interruption` says something as well.
            if line.startswith('{'):
                content = json.loads(line)
                if content['said'] == 'error':
                    self.errors.append(content)
                
                if content['said'] == said:
                    return content
        
        raise RuntimeError(f'The bot ended: {self._process.stderr.read()}')
    
    
    def ask(self, command):
        """Tells the bot to do something."""
        self._process.stdin.write(f'{command}\n')
        self._process.stdin.flush()
    
    
    def dump(self):
        """Asks the bot for its guilds."""
        self.ask('dump')
        return self.wait_for('dump')['guilds']
    
    
    def wait_handled(self, numbers):
        """Waits until the bot has handled messages."""
        self.ask('await ' + ' '.join(str(number) for number in numbers))
        self.wait_for('handled')
    
    
    def end(self, signal_number):
        """Sends the process a signal, and waits until it has ended."""
        self._process.send_signal(signal_number)
        self._process.communicate()
    
    
    def close(self):
        """Ends the process, if it has not ended."""
        if self._process.poll() is None:
            self.end(SIGKILL)


@pytest.fixture
def start_kept_bot(tmp_path):
    """Starts bots in processes of their own, which note the numbers of the messages that they handle."""
    bots = []
    
    def start_kept_bot(discord, name = 'bot', prepare_only = False, **options):
        bot = BotProcess(discord, tmp_path / f'{name}.notes', options)
        bots.append(bot)
        bot.wait_for('prepared')
        if not prepare_only:
            bot.start()
        return bot
    
    yield start_kept_bot
    
    for bot in bots:
        bot.close()


@pytest.fixture
def read_notes(tmp_path):
    """Reads what the bots have noted, in order: `started`, `saved`, and the contents of the messages that they have handled."""
    def read_notes(name = 'bot'):
        return (tmp_path / f'{name}.notes').read_text().splitlines()
    
    return read_notes


@pytest.fixture
def read_numbers(read_notes):
    """Reads the numbers of the messages that the bots have handled, in order."""
    def read_numbers(name = 'bot'):
        return [parse_number(note) for note in read_notes(name) if note.startswith('#')]
    
    return read_numbers


@pytest.fixture
def quick_relaunch(monkeypatch):
    """Makes hata's client wait for a tenth of a second, and not for five, before it launches a gateway again."""
    async def sleep_shortly(seconds, loop):
        await sleep(seconds * 0.02, loop)
    
    monkeypatch.setattr('hata.discord.client.client.sleep', sleep_shortly)
