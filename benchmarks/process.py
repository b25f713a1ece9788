"""
The processes of a measurement: each fresh, server and receiver on different processors where there are two.
"""
__all__ = ('Receiver', 'ServerProcess', 'get_processors', 'run_process', 'start_process')

import os
from http.client import HTTPConnection
from json import loads as from_json
from os.path import abspath, dirname
from subprocess import PIPE, Popen, TimeoutExpired
from sys import executable
from time import monotonic, sleep

# Where the processes find this package: the checkout, wherever the benchmark is started from.
ROOT_PATH = dirname(dirname(abspath(__file__)))

# Seconds until a receiver that does not end is ended.
RECEIVE_TIMEOUT = 150.0

# Seconds until a request to the server is given up.
REQUEST_TIMEOUT = 10.0

# Seconds until all shards have to be connected, and between two looks whether they are.
CONNECT_TIMEOUT = 120.0
CONNECT_INTERVAL = 0.1

ROLE_RECEIVER = 0
ROLE_SERVER = 1


def get_processors():
    """
    Returns the processors of receivers and of servers.
    
    Returns
    -------
    processors : `None | tuple<int, int>`
        `None` where processes can not be bound to processors, or there is only one.
    """
    if not hasattr(os, 'sched_getaffinity'):
        return None
    
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        return None
    
    return available[0], available[1]


def start_process(module, arguments, role, *, environment = None):
    """
    Starts a module as a process.
    
    Parameters
    ----------
    module : `str`
        The module's name.
    arguments : `list<str>`
        Command line arguments.
    role : `int`
        On which processor.
    environment : `None | dict<str, str>` = `None`, Optional (Keyword only)
        Environment variables to add.
    
    Returns
    -------
    process : `Popen`
    """
    processors = get_processors()
    if (processors is not None):
        available = os.sched_getaffinity(0)
        # Inherited by the process, and by each thread that it will start.
        os.sched_setaffinity(0, {processors[role]})
    
    try:
        return Popen(
            [executable, '-m', module, *arguments],
            stdin = PIPE,
            stdout = PIPE,
            env = {
                **os.environ,
                'PYTHONHASHSEED': '0',
                'PYTHONPATH': os.pathsep.join((ROOT_PATH, *filter(None, (os.environ.get('PYTHONPATH', ''),)))),
                **(environment or {}),
            },
        )
    finally:
        if (processors is not None):
            os.sched_setaffinity(0, available)


def run_process(module, arguments):
    """
    Runs a module as a process that receives from no server, and returns what it reports.
    
    Parameters
    ----------
    module : `str`
        The module's name.
    arguments : `list<str>`
        Command line arguments.
    
    Returns
    -------
    result : `dict<str, object>`
    """
    return Receiver(start_process(module, arguments, ROLE_RECEIVER), module).get_result()


class Receiver:
    """
    A receiving process.
    
    Attributes
    ----------
    module : `str`
        The module that it runs.
    process : `Popen`
        The process.
    """
    __slots__ = ('module', 'process')
    
    def __new__(cls, process, module):
        """
        Creates a new receiver.
        
        Parameters
        ----------
        process : `Popen`
            The process.
        module : `str`
            The module that it runs.
        """
        self = object.__new__(cls)
        self.module = module
        self.process = process
        return self
    
    
    def __repr__(self):
        """Returns the receiver's representation."""
        return f'<{type(self).__name__} module = {self.module!r}>'
    
    
    def tell(self):
        """
        Tells the process that it may begin.
        """
        self.process.stdin.write(b'\n')
        self.process.stdin.flush()
    
    
    def get_result(self):
        """
        Waits for the process, and returns what it reports.
        
        Returns
        -------
        result : `dict<str, object>`
        
        Raises
        ------
        RuntimeError
            - The process failed, or did not end.
        """
        process = self.process
        try:
            output, _ = process.communicate(timeout = RECEIVE_TIMEOUT)
        except TimeoutExpired:
            process.kill()
            process.communicate()
            raise RuntimeError(f'{self.module} did not end in {RECEIVE_TIMEOUT} seconds.') from None
        
        if process.returncode:
            raise RuntimeError(f'{self.module} ended with exit code {process.returncode}.')
        
        return from_json(output.splitlines()[-1])
    
    
    def kill(self):
        """
        Ends the process.
        """
        self.process.kill()
        self.process.communicate()


class ServerProcess:
    """
    A server process.
    
    Attributes
    ----------
    ports : `list<int>`
        The plain port, and the TLS port if there is one.
    process : `Popen`
        The process.
    wire_sizes : `dict<str, int>`
        By compression: the bytes of all events on the wire, frames included.
    """
    __slots__ = ('ports', 'process', 'wire_sizes')
    
    def __new__(cls, recording_path, compressions, *, certificate_path = None, heartbeat_interval = 41250, shard_count = 1):
        """
        Starts a server.
        
        Parameters
        ----------
        recording_path : `str`
            What to send.
        compressions : `iterable<str>`
            What to prepare for.
        certificate_path : `None | str` = `None`, Optional (Keyword only)
            A file with a private key and its certificate, for TLS.
        heartbeat_interval : `int` = `41250`, Optional (Keyword only)
            Milliseconds. The default is Discord's.
        shard_count : `int` = `1`, Optional (Keyword only)
            The shards that are recommended to a bot.
        """
        arguments = [recording_path, '--heartbeat-interval', str(heartbeat_interval), '--shards', str(shard_count)]
        for compression in compressions:
            arguments.extend(('--compression', compression))
        if (certificate_path is not None):
            arguments.extend(('--certificate', certificate_path))
        
        process = start_process(f'{__package__}.server', arguments, ROLE_SERVER)
        line = process.stdout.readline()
        if not line:
            process.wait()
            raise RuntimeError(f'The server ended with exit code {process.returncode}.')
        
        data = from_json(line)
        self = object.__new__(cls)
        self.ports = data['ports']
        self.process = process
        self.wire_sizes = data['wire_sizes']
        return self
    
    
    def __repr__(self):
        """Returns the server process's representation."""
        return f'<{type(self).__name__} ports = {self.ports!r}>'
    
    
    def __enter__(self):
        """Enters the server as a context manager."""
        return self
    
    
    def __exit__(self, exception_type, exception_value, exception_traceback):
        """Ends the server: it serves as long as its standard input is open."""
        process = self.process
        process.stdin.close()
        process.wait()
        process.stdout.close()
        return False
    
    
    def request(self, target):
        """
        Asks the server.
        
        Parameters
        ----------
        target : `str`
            Path and query.
        
        Returns
        -------
        answer : `object`
        """
        connection = HTTPConnection('127.0.0.1', self.ports[0], timeout = REQUEST_TIMEOUT)
        try:
            connection.request('GET', target)
            return from_json(connection.getresponse().read())
        finally:
            connection.close()
    
    
    def wait_for_connections(self, receiver, shard_count):
        """
        Waits until a receiver is connected with all of its shards.
        
        Parameters
        ----------
        receiver : ``Receiver``
            The receiver.
        shard_count : `int`
            The connections that it opens.
        
        Raises
        ------
        RuntimeError
            - The receiver ended, or did not connect in time.
        """
        deadline = monotonic() + CONNECT_TIMEOUT
        while self.request('/benchmark/connections') < shard_count:
            if receiver.process.poll() is not None:
                raise RuntimeError(f'{receiver.module} ended with exit code {receiver.process.returncode}.')
            
            if monotonic() > deadline:
                raise RuntimeError(f'{receiver.module} did not connect {shard_count} shards.')
            
            sleep(CONNECT_INTERVAL)
    
    
    def receive(self, module, arguments, *, environment = None, idle = False, shard_count = 1):
        """
        Runs a receiver.
        
        Parameters
        ----------
        module : `str`
            The receiver's module.
        arguments : `list<str>`
            Its command line arguments.
        environment : `None | dict<str, str>` = `None`, Optional (Keyword only)
            Environment variables to add.
        idle : `bool` = `False`, Optional (Keyword only)
            Whether it should be told that all shards are connected, instead of the events being sent.
        shard_count : `int` = `1`, Optional (Keyword only)
            The connections that it opens.
        
        Returns
        -------
        result : `dict<str, object>`
        """
        port = self.ports[0]
        process = start_process(
            module,
            ['--port', str(port), *arguments],
            ROLE_RECEIVER,
            # Read when hata is imported.
            environment = {
                'HATA_API_ENDPOINT': f'http://127.0.0.1:{port}/api/v10',
                'HATA_DISCORD_ENDPOINT': f'http://127.0.0.1:{port}',
                **(environment or {}),
            },
        )
        receiver = Receiver(process, module)
        try:
            self.wait_for_connections(receiver, shard_count)
            if idle:
                receiver.tell()
            else:
                self.request('/benchmark/go')
            
            return receiver.get_result()
        except BaseException:
            if receiver.process.returncode is None:
                receiver.kill()
            raise
