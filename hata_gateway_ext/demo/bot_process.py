"""
The handle of a bot process: starts it, reads what it reports, and ends it.
"""
__all__ = ('BotProcess',)

import asyncio
from collections import deque
from json import loads as from_json
from os import environ
from subprocess import PIPE
from sys import executable

from .bot_report import KEY_END, KEY_ERROR, KEY_READY, KEY_SEEN, KEY_SHARDS, ShardReport, split_lines


MODULE = f'{__package__}.bot'

# Bytes to read at once.
READ_SIZE = 65536

# Lines of its standard error, and reported errors, that are kept to be shown.
TEXT_BOUND = 20

# Seconds within which a bot that was asked to stop has to be gone. Our gateway closes within 2 seconds; hata's own may wait
# 10 seconds for the answer to its close frame, shard by shard.
STOP_TIMEOUT = 30.0

# Seconds within which a process that closed its output has to be gone.
END_TIMEOUT = 5.0


class BotProcess:
    """
    A bot process.
    
    Attributes
    ----------
    _process : `None | asyncio.subprocess.Process`
        The process.
    _tasks : `list<asyncio.Task>`
        What reads from it.
    changed : `callable`
        Called without parameters after reports were read, and when the process ended.
    end_reason : `None | str`
        Why it ended, as it said itself. `None` if it did not.
    error_count : `int`
        How many errors it reported.
    errors : `deque<str>`
        The last ones.
    is_ready : `bool`
        Whether `ready` was called.
    output : `deque<str>`
        The last lines of its standard error.
    saw : `callable`
        Called with each number that was seen.
    settings : ``BotSettings``
        What it is told.
    shards : ``tuple<ShardReport>``
        What it last reported about its shards. Empty before.
    """
    __slots__ = (
        '_process', '_tasks', 'changed', 'end_reason', 'error_count', 'errors', 'is_ready', 'output', 'saw', 'settings',
        'shards',
    )
    
    def __new__(cls, settings, saw, changed):
        """
        Creates a bot process, which is not started.
        
        Parameters
        ----------
        settings : ``BotSettings``
            What it is told.
        saw : `callable`
            To be called with each number that was seen.
        changed : `callable`
            To be called without parameters after reports were read, and when the process ended.
        """
        self = object.__new__(cls)
        self._process = None
        self._tasks = []
        self.changed = changed
        self.end_reason = None
        self.error_count = 0
        self.errors = deque(maxlen = TEXT_BOUND)
        self.is_ready = False
        self.output = deque(maxlen = TEXT_BOUND)
        self.saw = saw
        self.settings = settings
        self.shards = ()
        return self
    
    
    def __repr__(self):
        """Returns the representation of the bot process."""
        return (
            f'<{type(self).__name__} settings = {self.settings!r}, is_running = {self.is_running!r}, end_reason = '
            f'{self.end_reason!r}>'
        )
    
    
    @property
    def is_running(self):
        """
        Returns whether the process runs, or something that it reported is still to be read.
        
        Returns
        -------
        is_running : `bool`
        """
        return (self._process is not None) and not all(task.done() for task in self._tasks)
    
    
    @property
    def process_id(self):
        """
        Returns the identifier of the process.
        
        Returns
        -------
        process_id : `int`
            `0` if it was not started.
        """
        process = self._process
        return 0 if process is None else process.pid
    
    
    async def start(self, environment):
        """
        Starts the process.
        
        This method is a coroutine.
        
        Parameters
        ----------
        environment : `dict<str, str>`
            Environment variables to add: hata reads its endpoints from there.
        """
        process = await asyncio.create_subprocess_exec(
            # `-u`: its standard error is shown if it crashes.
            executable, '-u', '-m', MODULE,
            stdin = PIPE,
            stdout = PIPE,
            stderr = PIPE,
            env = {**environ, **environment},
            # A Ctrl-C in the terminal is for us. The process ends with its standard input.
            start_new_session = True,
        )
        self._process = process
        for coroutine in (self._read_reports(), self._read_output()):
            task = asyncio.ensure_future(coroutine)
            task.add_done_callback(self._reading_ended)
            self._tasks.append(task)
        
        process.stdin.write(self.settings.to_line())
    
    
    async def _read_reports(self):
        """
        Reads reports until there are no more.
        
        This method is a coroutine.
        """
        buffer = b''
        while True:
            chunk = await self._process.stdout.read(READ_SIZE)
            if not chunk:
                break
            
            lines, buffer = split_lines(buffer, chunk)
            for line in lines:
                self._handle_report(from_json(line))
            
            self.changed()
    
    
    async def _read_output(self):
        """
        Reads the standard error of the process, so that it never waits for a reader.
        
        This method is a coroutine.
        """
        buffer = b''
        while True:
            chunk = await self._process.stderr.read(READ_SIZE)
            if not chunk:
                break
            
            lines, buffer = split_lines(buffer, chunk)
            self.output.extend(line.decode(errors = 'replace') for line in lines)
    
    
    def _reading_ended(self, task):
        """
        Called when there is nothing more to be read.
        
        Parameters
        ----------
        task : `asyncio.Task`
            What read.
        """
        self.changed()
    
    
    def _handle_report(self, report):
        """
        Handles a report.
        
        Parameters
        ----------
        report : `dict<str, object>`
            The report.
        """
        for key, value in report.items():
            if key == KEY_SEEN:
                self.saw(value)
            
            elif key == KEY_SHARDS:
                self.shards = tuple(ShardReport(*shard) for shard in value)
            
            elif key == KEY_ERROR:
                self.error_count += 1
                self.errors.append(value)
            
            elif key == KEY_READY:
                self.is_ready = True
            
            elif key == KEY_END:
                self.end_reason = value
    
    
    async def stop(self):
        """
        Asks the process to stop, waits until it is gone, and until everything that it reported is read.
        
        This method is a coroutine.
        
        Returns
        -------
        stopped : `bool`
            Whether it stopped by itself and in time.
        """
        if self._process is None:
            return False
        
        self._process.stdin.close()
        done, pending = await asyncio.wait(self._tasks, timeout = STOP_TIMEOUT)
        await self.kill()
        return (not pending) and (self.end_reason is not None)
    
    
    async def _wait_end(self, timeout):
        """
        Waits until the process ended.
        
        This method is a coroutine.
        
        Parameters
        ----------
        timeout : `float`
            Seconds to wait at most.
        
        Returns
        -------
        ended : `bool`
        """
        try:
            await asyncio.wait_for(self._process.wait(), timeout)
        except asyncio.TimeoutError:
            return False
        
        return True
    
    
    async def kill(self):
        """
        Kills the process, if it still runs, and reads what it reported before.
        
        This method is a coroutine.
        """
        process = self._process
        if process is None:
            return
        
        # One that closed its output is about to end by itself.
        if self.is_running or not await self._wait_end(END_TIMEOUT):
            process.kill()
        
        await asyncio.wait(self._tasks)
        await process.wait()
        for task in self._tasks:
            # What went wrong while reading must not stay unknown.
            task.result()
