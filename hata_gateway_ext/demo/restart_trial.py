"""
A trial in which not the connections break, but the bot's process: it is stopped and started again, or killed, under traffic.

A process that is stopped suspends its sessions, and the next one sees every event once. One that is killed leaves behind what
it wrote in its last second: what it handled after that may come again, and is told apart from what must not.
"""
__all__ = ('RestartTrial',)

import asyncio
from collections import deque
from os.path import join as join_paths
from tempfile import TemporaryDirectory

from .trial import Trial


# Seconds that a process lives after all of its shards are ready.
PROCESS_LIFETIME = 3.0

# Each so manieth process is killed, the others are asked to stop.
KILL_EACH = 3

# Seconds of handled events that may come again after a kill: the recorded sequence is written at least every second of traffic,
# and what the process reported needs some time to be read on a busy machine.
REPEAT_SECONDS = 1.5

# Seconds between two checkpoints of the cache. So short that there is one by the time of a kill.
CHECKPOINT_INTERVAL = 1.0

STORE_NAME = 'demo.sqlite'


class RestartTrial(Trial):
    """
    A trial in which the bot's process is restarted.
    
    Attributes
    ----------
    _recent : `deque<(float, int)>`
        When which events were handled, as far back as they may come again.
    """
    __slots__ = ('_recent',)
    
    def __new__(cls, gateway, shape, options, log):
        """
        Creates a trial. See ``Trial``.
        
        Parameters
        ----------
        gateway : `str`
            Which gateway.
        shape : ``Shape``
            What is run.
        options : `dict<str, object>`
            Options of the extension.
        log : `callable`
            Takes a line about what happens.
        """
        self = Trial.__new__(cls, gateway, shape, options, log)
        self._recent = deque()
        # Only of our gateway it is expected, but the account is about all.
        self.identify_limit = 1
        return self
    
    
    def _saw(self, number):
        """
        The bot handled an event.
        
        Parameters
        ----------
        number : `int`
            Its number.
        """
        now = asyncio.get_running_loop().time()
        recent = self._recent
        recent.append((now, number))
        while now - recent[0][0] > REPEAT_SECONDS:
            recent.popleft()
        
        self.account.see(number)
    
    
    async def run(self):
        """
        Runs the trial. The sessions live in a directory of their own, which is gone afterwards.
        
        This method is a coroutine.
        
        Returns
        -------
        outcome : ``Outcome``
        """
        with TemporaryDirectory(prefix = 'hata_gateway_ext_demo_') as directory:
            self.options = {
                **self.options,
                'gateway_store': f'sqlite:///{join_paths(directory, STORE_NAME)}',
                'gateway_shutdown': 'suspend',
                'gateway_checkpoint_interval': CHECKPOINT_INTERVAL,
            }
            self.bot = self._create_bot()
            return await Trial.run(self)
    
    
    async def _break(self):
        """
        Restarts the bot's process as long as the trial takes.
        
        This method is a coroutine.
        """
        while True:
            await self.sleep(min(PROCESS_LIFETIME, self.shape.seconds - self.duration))
            if self.duration >= self.shape.seconds:
                return
            
            if (self.restarts + 1) % KILL_EACH:
                await self._stop_bot()
            else:
                await self._kill_bot()
            
            error_count = self.bot.error_count
            self.bot = self._create_bot()
            self.bot.error_count = error_count
            self.restarts += 1
            
            if not await self._start():
                return
    
    
    async def _stop_bot(self):
        """
        Stops the bot's process as a service manager does.
        
        This method is a coroutine.
        """
        self.breaker.log(f'{self.duration:7.2f} s  the process is asked to stop')
        if not await self.bot.stop():
            self._fail('the bot crashed, or did not stop in time')
    
    
    async def _kill_bot(self):
        """
        Kills the bot's process.
        
        This method is a coroutine.
        """
        self.breaker.log(f'{self.duration:7.2f} s  the process is killed (SIGKILL)')
        self.kills += 1
        await self.bot.kill()
        self.account.allow_repeats(number for _, number in self._recent)
