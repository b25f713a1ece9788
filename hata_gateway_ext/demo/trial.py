"""
A trial: one gateway, one local Discord, traffic, a schedule of breakages, and at the end the account.
"""
__all__ = ('Trial',)

import asyncio
from contextlib import asynccontextmanager

from scarletio import RichAttributeErrorBaseType

from ..local_discord import Delay, LocalDiscord

from .account import Account
from .bot_process import BotProcess
from .bot_report import END_NOT_STARTED
from .bot_settings import BotSettings, GATEWAY_OURS
from .breaker import Breaker, StrikeSkipped
from .changes import Changes
from .observation import observe_trial
from .traffic import Traffic


# Seconds. Short, so that a dead connection is noticed while one watches; no shorter, since of the 120 payloads that Discord
# accepts in 60 seconds half are heartbeats then.
HEARTBEAT_INTERVAL = 1.0

# Events that Discord keeps for each session. Minutes of traffic; an hour's would be gigabytes.
REPLAY_BOUND = 20000

# Seconds for which Discord keeps a session without connection. Discord's own are some minutes; this is longer than a shard stays away
# here, even if outages meet each of its attempts.
SESSION_LIFETIME = 600.0

# Seconds within which all shards have to be ready at the start, and to be ready again at the end. The latter covers an
# upgrade that is not answered (30 s), and the longest delay between two attempts (60 s).
START_TIMEOUT = 60.0
DRAIN_TIMEOUT = 120.0

# Seconds within which a shard has to have got everything before its session is ended, and to have the next one. The latter may take
# as long as READY (60 s) and some failures before it.
QUIESCE_TIMEOUT = 30.0
SESSION_TIMEOUT = 120.0

# Seconds for which a strike waits for its shard to be up. Short, so that strikes do not pile up and fall all at once on a shard that
# comes back: one that never gets far enough to start again with short delays is away longer than Discord keeps its session.
UP_TIMEOUT = 3.0

# Seconds after which a further event is sent into a shard that is up, but did not see the last one: either it is still to come, or
# it is lost, which shows with the next one.
MARKER_INTERVAL = 2.0


class Trial(RichAttributeErrorBaseType):
    """
    A trial of a gateway.
    
    Attributes
    ----------
    _outages : `dict<str, int>`
        How many want each listener to be down.
    _started_at : `float`
        When traffic started.
    _ended_at : `float`
        When it ended. `0.0` before.
    account : ``Account``
        What was sent, and what was seen.
    bot : ``BotProcess``
        The bot.
    breaker : ``Breaker``
        What breaks the connections.
    changes : ``Changes``
        Told whenever the bot reported.
    discord : ``LocalDiscord``
        The local Discord.
    failure : `None | str`
        Why the account cannot be trusted.
    gateway : `str`
        Which gateway.
    identify_limit : `None | int`
        How often a shard may identify. `None`: as often as it has to.
    is_over : `bool`
        Whether nothing is sent or seen any more.
    kills : `int`
        How often the bot's process was killed.
    options : `dict<str, object>`
        Options of the extension.
    restarts : `int`
        How often the bot's process was restarted.
    shape : ``Shape``
        What is run.
    traffic : ``Traffic``
        What sends.
    """
    __slots__ = (
        '_ended_at', '_outages', '_started_at', 'account', 'bot', 'breaker', 'changes', 'discord', 'failure', 'gateway',
        'identify_limit', 'is_over', 'kills', 'options', 'restarts', 'shape', 'traffic',
    )
    
    heartbeat_interval = HEARTBEAT_INTERVAL
    
    def __new__(cls, gateway, shape, options, log):
        """
        Creates a trial.
        
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
        self = object.__new__(cls)
        self._ended_at = 0.0
        self._outages = {}
        self._started_at = 0.0
        self.account = Account(shape.shard_count)
        self.changes = Changes()
        self.discord = LocalDiscord(
            shards = shape.shard_count,
            # All may identify at once: how a gateway waits for its turn is not what is shown here.
            max_concurrency = shape.shard_count,
            identify_interval = shape.identify_interval,
            heartbeat_interval = HEARTBEAT_INTERVAL,
            guilds = shape.shard_count,
            replay_bound = REPLAY_BOUND,
            session_lifetime = SESSION_LIFETIME,
        )
        self.failure = None
        self.gateway = gateway
        self.identify_limit = None
        self.is_over = False
        self.kills = 0
        self.options = options
        self.restarts = 0
        self.shape = shape
        self.traffic = Traffic(self.discord, self.account, shape.rate)
        self.breaker = Breaker(self, shape.schedule, log)
        self.bot = self._create_bot()
        return self
    
    
    def __repr__(self):
        """Returns the representation of the trial."""
        return f'<{type(self).__name__} gateway = {self.gateway!r}, account = {self.account!r}, bot = {self.bot!r}>'
    
    
    def _create_bot(self):
        """
        Creates the handle of a bot process.
        
        Returns
        -------
        bot : ``BotProcess``
        """
        options = self.options if self.gateway == GATEWAY_OURS else {}
        settings = BotSettings(self.gateway, self.shape.shard_count, self.discord.token, options)
        return BotProcess(settings, self._saw, self.changes.notify)
    
    
    def _saw(self, number):
        """
        The bot handled an event.
        
        Parameters
        ----------
        number : `int`
            Its number.
        """
        self.account.see(number)
    
    # ---- what breakages use ----
    
    @property
    def is_alive(self):
        """
        Returns whether the bot runs.
        
        Returns
        -------
        is_alive : `bool`
        """
        return self.bot.is_running
    
    
    async def sleep(self, seconds):
        """
        Waits for a time, or until the bot is gone.
        
        This method is a coroutine.
        
        Parameters
        ----------
        seconds : `float`
            For how long.
        """
        await self.changes.wait_for(lambda: not self.is_alive, seconds)
    
    
    def is_up(self, shard_id):
        """
        Returns whether a shard is ready, for Discord as well as for itself.
        
        Parameters
        ----------
        shard_id : `int`
            The shard.
        
        Returns
        -------
        is_up : `bool`
        """
        connection = self.discord.connection(shard_id)
        if connection is None:
            return False
        
        record = connection.record
        if (record.ready_at is None) and (record.resumed_at is None):
            return False
        
        shards = self.bot.shards
        return (shard_id < len(shards)) and (shards[shard_id].state == 'ready')
    
    
    async def wait_up(self, shard_id):
        """
        Waits until a shard is up, for a short time.
        
        This method is a coroutine.
        
        Parameters
        ----------
        shard_id : `int`
            The shard.
        
        Returns
        -------
        is_up : `bool`
        """
        await self.changes.wait_for(lambda: (not self.is_alive) or self.is_up(shard_id), UP_TIMEOUT)
        return self.is_alive and self.is_up(shard_id)
    
    
    async def settle(self, shard_ids, timeout):
        """
        Waits until shards are up and have seen what they will ever see of what was sent so far.
        
        This method is a coroutine.
        
        Parameters
        ----------
        shard_ids : `iterable<int>`
            The shards.
        timeout : `float`
            Seconds to wait at most.
        
        Returns
        -------
        settled : `bool`
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        shards = self.account.shards
        
        def is_settled(shard_id):
            return shards[shard_id].is_settled and self.is_up(shard_id)
        
        while self.is_alive and (loop.time() < deadline):
            await self.changes.wait_for(
                lambda: (not self.is_alive) or all(is_settled(shard_id) for shard_id in shard_ids),
                min(MARKER_INTERVAL, deadline - loop.time()),
            )
            unsettled = [shard_id for shard_id in shard_ids if not is_settled(shard_id)]
            if not unsettled:
                return True
            
            for shard_id in unsettled:
                if self.is_up(shard_id):
                    self.traffic.force(shard_id, 1)
        
        return False
    
    
    @asynccontextmanager
    async def quiesce(self, shard_id):
        """
        Around something that ends the session of a shard: pauses its traffic, waits until everything was seen, and afterwards until
        the shard has another session.
        
        This method is an asynchronous context manager.
        
        Parameters
        ----------
        shard_id : `int`
            The shard.
        
        Raises
        ------
        StrikeSkipped
            - If the shard did not come to rest.
        """
        self.traffic.pause(shard_id)
        try:
            if not await self.settle((shard_id,), QUIESCE_TIMEOUT):
                raise StrikeSkipped('the shard did not come to rest')
            
            old_session = self.discord.session(shard_id)
            yield
            await self.changes.wait_for(
                lambda: (self.discord.session(shard_id) not in (None, old_session)) and self.is_up(shard_id), SESSION_TIMEOUT
            )
        finally:
            self.traffic.go_on(shard_id)
    
    
    async def take_down(self, listeners, seconds):
        """
        Takes listeners of the local Discord down for a time.
        
        This method is a coroutine.
        
        Parameters
        ----------
        listeners : `iterable<str>`
            The names of the listeners.
        seconds : `float`
            For how long.
        """
        outages = self._outages
        for name in listeners:
            outages[name] = outages.get(name, 0) + 1
            self.discord.stop_listening(name)
        
        try:
            await self.sleep(seconds)
        finally:
            for name in listeners:
                outages[name] -= 1
                if not outages[name]:
                    self.discord.start_listening(name)
    
    # ---- the trial ----
    
    async def run(self):
        """
        Runs the trial.
        
        This method is a coroutine.
        
        Returns
        -------
        outcome : ``Outcome``
        """
        loop = asyncio.get_running_loop()
        async with self.discord:
            if self.shape.connect_delay:
                self.discord.fault(Delay(self.shape.connect_delay), at = 'connect', times = None)
            
            try:
                if await self._start():
                    self._started_at = loop.time()
                    self.traffic.start()
                    await self._break()
                    self.traffic.stop()
                    self._ended_at = loop.time()
                    self.discord.heal()
                    
                    if not await self.settle(range(self.shape.shard_count), DRAIN_TIMEOUT):
                        self._fail('not every shard came back')
                
                if not await self.bot.stop():
                    self._fail('the bot crashed, or did not stop in time')
                elif self.bot.end_reason == END_NOT_STARTED:
                    self._fail('the bot could not start')
            
            finally:
                self.traffic.stop()
                await self.bot.kill()
            
            self.account.close()
            self.is_over = True
            return self.get_outcome()
    
    
    async def _start(self):
        """
        Starts the bot and waits until its shards are ready.
        
        This method is a coroutine.
        
        Returns
        -------
        started : `bool`
        """
        def are_up():
            return all(self.is_up(shard_id) for shard_id in range(self.shape.shard_count))
        
        await self.bot.start(self.discord.environment)
        await self.changes.wait_for(lambda: (not self.is_alive) or are_up(), START_TIMEOUT)
        
        started = self.is_alive and are_up()
        if not started:
            self._fail('not every shard became ready')
        
        return started
    
    
    async def _break(self):
        """
        Breaks connections as long as the trial takes.
        
        This method is a coroutine.
        """
        await self.breaker.run(self.shape.seconds)
    
    
    def _fail(self, reason):
        """
        Notes why the account cannot be trusted. The first reason is kept, since what follows may come from it.
        
        Parameters
        ----------
        reason : `str`
            Why.
        """
        if self.failure is None:
            self.failure = reason
    
    
    def get_outcome(self):
        """
        Returns what came out, so far.
        
        Returns
        -------
        outcome : ``Outcome``
        """
        return observe_trial(self)
    
    
    @property
    def duration(self):
        """
        Returns for how long events were sent, so far.
        
        Returns
        -------
        duration : `float`
            In seconds.
        """
        if not self._started_at:
            return 0.0
        
        return (self._ended_at or asyncio.get_running_loop().time()) - self._started_at
