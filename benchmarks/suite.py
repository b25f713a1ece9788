"""
All contests, and the order in which they run.
"""
__all__ = ('CONTESTS', 'Suite')

from tempfile import TemporaryDirectory

from .certificate import create_certificate
from .contender import NAME_DECODE, NAME_FRAMES, NAME_INFLATE, NAME_OURS, create_default, create_floor, create_ours
from .contest import Contest
from .events import INTENTS_RECORDED
from .recording import Recording

ZLIB = 'zlib-stream'
ZSTD = 'zstd-stream'

# What is measured, in this order; `--only` takes these names.
CONTESTS = ('zlib', 'zstd', 'tls', 'skip', 'bot', 'stall', 'shards', 'sizes', 'memory', 'idle')

# Connections, and the events of each. An inflater is slower while it is new, so each has enough of them.
SHARD_COUNTS = ((1, 32000), (16, 2000), (256, 2000))

# Bytes of a payload, and how many of them: some ten megabytes each.
PAYLOAD_SIZES = ((64, 100000), (1024, 20000), (16384, 2000), (262144, 120), (4194304, 8))

STALL_EVENT_COUNT = 100000

# A heartbeat has to be due while the events are handled, but no third: acknowledgements stand in line behind the events, and
# two without one in a row mean a dead connection. So the interval is somewhat more than the time that the events take,
# which leaves room for a machine that has other things to do.
STALL_INTERVAL_SHARE = 1.2

# Milliseconds. Used if there is no figure yet to take a share of.
STALL_INTERVAL_DEFAULT = 1000

# A shard's memory is the difference between so many shards and one, divided.
MEMORY_SHARD_COUNT = 65

IDLE_SHARD_COUNT = 256

# Figures that hardly change from round to round, or take long, have this many rounds at most.
ROUNDS_FEW = 3

# Discord's heartbeat interval in seconds: in this time each shard sends one heartbeat.
IDLE_DURATION = 41.25


class Suite:
    """
    All contests.
    
    Attributes
    ----------
    event_count : `int`
        Events of a recording.
    intents : `int`
        Intents as a bit mask.
    others : `FunctionType`
        Returns further contenders for a compression.
    quiet : `float`
        Seconds to wait at most until nothing else is running.
    rounds : `int`
        Rounds of each contest.
    say : `FunctionType`
        Called with a line about what goes on.
    seed : `int`
        The same seed makes the same recordings.
    """
    __slots__ = ('event_count', 'intents', 'others', 'quiet', 'rounds', 'say', 'seed')
    
    def __new__(cls, *, event_count, intents = INTENTS_RECORDED, others = None, quiet = 0.0, rounds, say, seed):
        """
        Creates a new suite.
        
        Parameters
        ----------
        event_count : `int` (Keyword only)
            Events of a recording.
        intents : `int` = ``INTENTS_RECORDED``, Optional (Keyword only)
            Intents as a bit mask.
        others : `None | FunctionType` = `None`, Optional (Keyword only)
            Called with a compression and the intents, returns further contenders.
        quiet : `float` = `0.0`, Optional (Keyword only)
            Seconds to wait at most until nothing else is running. What is disturbed all the same is measured again.
        rounds : `int` (Keyword only)
            Rounds of each contest.
        say : `FunctionType` (Keyword only)
            Called with a line about what goes on.
        seed : `int` (Keyword only)
            The same seed makes the same recordings.
        """
        self = object.__new__(cls)
        self.event_count = event_count
        self.intents = intents
        self.others = others
        self.quiet = quiet
        self.rounds = rounds
        self.say = say
        self.seed = seed
        return self
    
    
    def __repr__(self):
        """Returns the suite's representation."""
        return f'<{type(self).__name__} event_count = {self.event_count!r}, rounds = {self.rounds!r}>'
    
    
    def create_recording(self, event_count, **keywords):
        """
        Creates a recording of the suite's seed and intents.
        
        Parameters
        ----------
        event_count : `int`
            The number of events.
        **keywords : Keyword parameters
            What kind of recording.
        
        Returns
        -------
        recording : ``Recording``
        """
        return Recording.create(self.seed, event_count, intents = self.intents, **keywords)
    
    
    def run(self, only = CONTESTS):
        """
        Runs the contests.
        
        Parameters
        ----------
        only : `container<str>` = ``CONTESTS``, Optional
            The names of those to run.
        
        Returns
        -------
        results : `dict<str, ContestResult>`
        """
        results = {}
        with TemporaryDirectory() as directory:
            for name in CONTESTS:
                if name in only:
                    getattr(self, f'_run_{name}')(directory, results)
        
        return results
    
    
    def _get_others(self, compression):
        """
        Returns further contenders.
        
        Parameters
        ----------
        compression : `str`
            The compression.
        
        Returns
        -------
        contenders : `list<Contender>`
        """
        return [] if self.others is None else self.others(compression, self.intents)
    
    
    def _run(self, directory, results, key, title, recording, contenders, rounds = None, **keywords):
        """
        Runs a contest.
        
        Parameters
        ----------
        directory : `str`
            Where files can be written.
        results : `dict<str, ContestResult>`
            Takes the result.
        key : `str`
            Names the contest in files.
        title : `str`
            Names the contest in tables.
        recording : ``Recording``
            What is received.
        contenders : `list<Contender>`
            The receivers.
        rounds : `None | int` = `None`, Optional
            Rounds, if other than the suite's.
        **keywords : Keyword parameters
            Passed to ``Contest.run``.
        """
        contest = Contest(key, title, recording, contenders)
        results[key] = contest.run(
            directory, self.rounds if rounds is None else rounds, self.say, quiet = self.quiet, **keywords
        )
    
    
    def _run_zlib(self, directory, results):
        """Runs the gateways alone on zlib-stream."""
        contenders = [
            create_floor(ZLIB, NAME_INFLATE),
            create_floor(ZLIB, NAME_DECODE),
            create_ours(ZLIB, 'count', intents = self.intents),
            create_default('count', intents = self.intents),
            *self._get_others(ZLIB),
        ]
        recording = self.create_recording(self.event_count)
        self._run(directory, results, 'zlib', 'gateway alone, zlib-stream', recording, contenders)
    
    
    def _run_zstd(self, directory, results):
        """Runs the gateways alone on zstd-stream."""
        contenders = [
            create_floor(ZSTD, NAME_INFLATE),
            create_floor(ZSTD, NAME_DECODE),
            create_ours(ZSTD, 'count', intents = self.intents),
            *self._get_others(ZSTD),
        ]
        recording = self.create_recording(self.event_count)
        self._run(directory, results, 'zstd', 'gateway alone, zstd-stream', recording, contenders)
    
    
    def _run_tls(self, directory, results):
        """Runs the gateways alone over TLS, if a certificate can be made."""
        certificate = create_certificate(directory)
        if certificate is None:
            self.say('gateway alone, TLS: not measured, as `trustme` is not installed')
            return
        
        server_path, authority_path = certificate
        # OpenSSL reads it, so ours verifies the certificate for real; hata's default verifies none.
        environment = {'SSL_CERT_FILE': authority_path}
        contenders = [
            create_ours(ZLIB, 'count', environment = environment, intents = self.intents),
            create_default('count', environment = environment, intents = self.intents),
        ]
        recording = self.create_recording(self.event_count)
        self._run(
            directory, results, 'tls', 'gateway alone, TLS', recording, contenders, certificate_path = server_path
        )
    
    
    def _run_skip(self, directory, results):
        """Runs events that nobody listens to."""
        recording = self.create_recording(self.event_count)
        for compression in (ZLIB, ZSTD):
            contenders = [
                create_floor(compression, NAME_INFLATE),
                create_floor(compression, NAME_FRAMES),
                create_ours(compression, 'skip', intents = self.intents),
            ]
            if compression == ZLIB:
                contenders.append(create_default('skip', intents = self.intents))
            
            name = compression.partition('-')[0]
            self._run(directory, results, f'skip_{name}', f'nobody listens, {compression}', recording, contenders)
    
    
    def _run_bot(self, directory, results):
        """Runs bots with hata's own parsers and a handler of messages."""
        contenders = [create_ours(ZLIB, 'handler'), create_default('handler')]
        recording = Recording.create(self.seed, self.event_count, with_guilds = True)
        self._run(directory, results, 'bot', 'bot with a message handler, zlib-stream', recording, contenders)
    
    
    def _run_stall(self, directory, results):
        """Runs 100,000 events at once."""
        recording = self.create_recording(STALL_EVENT_COUNT)
        for key, contender in (
            ('stall', create_ours(ZLIB, 'stall', intents = self.intents)),
            ('stall_default', create_default('stall', intents = self.intents)),
        ):
            interval = STALL_INTERVAL_DEFAULT
            known = results.get('zlib', None)
            if (known is not None):
                durations = known.get_summary(
                    contender.name, lambda result: result['wall_seconds'] / result['event_count'] * 1000.0
                )
                if (durations is not None):
                    interval = max(int(durations.median * STALL_EVENT_COUNT * STALL_INTERVAL_SHARE), 100)
            
            self._run(
                directory,
                results,
                key,
                f'100,000 events at once, {contender.name}',
                recording,
                [contender],
                heartbeat_interval = interval,
            )
    
    
    def _run_shards(self, directory, results):
        """Runs several shards."""
        for shard_count, event_count in SHARD_COUNTS:
            self._run(
                directory,
                results,
                f'shards_{shard_count}',
                f'{shard_count} shards',
                self.create_recording(event_count),
                [create_ours(ZLIB, 'count', intents = self.intents)],
                shard_count = shard_count,
            )
    
    
    def _run_sizes(self, directory, results):
        """Runs payloads of several sizes."""
        for size, event_count in PAYLOAD_SIZES:
            self._run(
                directory,
                results,
                f'size_{size}',
                f'payloads of {size} bytes',
                Recording.create_sized(self.seed, event_count, size),
                [create_floor(ZLIB, NAME_DECODE, True), create_ours(ZLIB, 'count')],
                min(self.rounds, ROUNDS_FEW),
            )
    
    
    def _run_memory(self, directory, results):
        """Measures the memory of shards."""
        contenders = [
            create_ours(ZLIB, 'idle'),
            create_ours(ZSTD, 'idle', name = f'{NAME_OURS} zstd'),
            create_default('idle'),
        ]
        for shard_count in (1, MEMORY_SHARD_COUNT):
            self._run(
                directory,
                results,
                f'memory_{shard_count}',
                f'memory of {shard_count} shards',
                Recording.create(self.seed, 0),
                contenders,
                min(self.rounds, ROUNDS_FEW),
                shard_count = shard_count,
            )
    
    
    def _run_idle(self, directory, results):
        """Measures idle shards over one heartbeat interval, in one round, as it takes long."""
        extra = ('--seconds', str(IDLE_DURATION))
        self._run(
            directory,
            results,
            'idle',
            f'{IDLE_SHARD_COUNT} idle shards',
            Recording.create(self.seed, 0),
            [create_ours(ZLIB, 'idle', extra = extra), create_default('idle', extra = extra)],
            1,
            shard_count = IDLE_SHARD_COUNT,
        )
