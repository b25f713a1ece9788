"""
A contest: several receivers of the same bytes, in fresh processes, in turn, over several rounds.
"""
__all__ = ('Contest', 'ContestResult')

from os.path import join as join_paths

from .disturbance import DISTURBANCE_LIMIT, DisturbanceMeter, REPEAT_LIMIT, is_available, wait_for_quiet
from .process import ServerProcess, run_process
from .summary import Summary

MICROSECONDS = 1e6


class ContestResult:
    """
    What came of a contest.
    
    Attributes
    ----------
    failures : `dict<str, str>`
        By contender: why it has no results.
    results : `dict<str, list<dict<str, object>>>`
        By contender: what its process reported, one a round.
    wire_sizes : `dict<str, int>`
        By compression: the bytes of all events on the wire.
    """
    __slots__ = ('failures', 'results', 'wire_sizes')
    
    def __new__(cls, wire_sizes):
        """
        Creates a new, empty result.
        
        Parameters
        ----------
        wire_sizes : `dict<str, int>`
            By compression: the bytes of all events on the wire.
        """
        self = object.__new__(cls)
        self.failures = {}
        self.results = {}
        self.wire_sizes = wire_sizes
        return self
    
    
    def __repr__(self):
        """Returns the result's representation."""
        return f'<{type(self).__name__} contenders = {[*self.results]!r}>'
    
    
    def get_costs(self, name):
        """
        Returns what an event cost a contender.
        
        Parameters
        ----------
        name : `str`
            The contender's name.
        
        Returns
        -------
        costs : ``None | Summary``
            Microseconds of processor time. `None` if it has no results.
        """
        return self.get_summary(name, lambda result: result['cpu_seconds'] / result['event_count'] * MICROSECONDS)
    
    
    def get_summary(self, name, getter):
        """
        Sums up what a contender reported.
        
        Parameters
        ----------
        name : `str`
            The contender's name.
        getter : `FunctionType`
            Returns the figure of one round.
        
        Returns
        -------
        summary : ``None | Summary``
            `None` if it has no results.
        """
        results = self.results.get(name, None)
        return Summary(getter(result) for result in results) if results else None


class Contest:
    """
    Several receivers of the same bytes.
    
    Attributes
    ----------
    contenders : `list<Contender>`
        The receivers.
    key : `str`
        Names the contest in files.
    recording : ``Recording``
        What is received.
    title : `str`
        Names the contest in tables.
    """
    __slots__ = ('contenders', 'key', 'recording', 'title')
    
    def __new__(cls, key, title, recording, contenders):
        """
        Creates a new contest.
        
        Parameters
        ----------
        key : `str`
            Names the contest in files.
        title : `str`
            Names the contest in tables.
        recording : ``Recording``
            What is received.
        contenders : `iterable<Contender>`
            The receivers.
        """
        self = object.__new__(cls)
        self.contenders = [*contenders]
        self.key = key
        self.recording = recording
        self.title = title
        return self
    
    
    def __repr__(self):
        """Returns the contest's representation."""
        return f'<{type(self).__name__} key = {self.key!r}, contenders = {self.contenders!r}>'
    
    
    def run(
        self,
        directory,
        rounds,
        say,
        *,
        certificate_path = None,
        heartbeat_interval = 41250,
        quiet = 0.0,
        shard_count = 1,
    ):
        """
        Runs the contest. A contender that fails takes part no longer, and the others go on.
        
        Parameters
        ----------
        directory : `str`
            Where the recording can be written.
        rounds : `int`
            How many rounds.
        say : `FunctionType`
            Called with a line about what goes on.
        certificate_path : `None | str` = `None`, Optional (Keyword only)
            A file with a private key and its certificate, for TLS.
        heartbeat_interval : `int` = `41250`, Optional (Keyword only)
            Milliseconds.
        quiet : `float` = `0.0`, Optional (Keyword only)
            Seconds to wait at most until nothing else is running. A process that is disturbed all the same runs again.
        shard_count : `int` = `1`, Optional (Keyword only)
            The connections that each contender opens.
        
        Returns
        -------
        result : ``ContestResult``
        """
        path = join_paths(directory, f'{self.key}.recording')
        self.recording.write(path)
        
        with ServerProcess(
            path,
            sorted({contender.compression for contender in self.contenders if (not contender.serverless)}),
            certificate_path = certificate_path,
            heartbeat_interval = heartbeat_interval,
            shard_count = shard_count,
        ) as server:
            result = ContestResult(server.wire_sizes)
            for index in range(rounds):
                say(f'{self.title}: round {index + 1} of {rounds}')
                # Another one begins each round.
                start = index % len(self.contenders)
                for contender in self.contenders[start:] + self.contenders[:start]:
                    if contender.name in result.failures:
                        continue
                    
                    try:
                        outcome = self._run_undisturbed(
                            contender, server, path, heartbeat_interval, shard_count, quiet
                        )
                    except RuntimeError as exception:
                        result.failures[contender.name] = str(exception)
                        result.results.pop(contender.name, None)
                    else:
                        result.results.setdefault(contender.name, []).append(outcome)
        
        return result
    
    
    def _run_undisturbed(self, contender, server, path, heartbeat_interval, shard_count, quiet):
        """
        Runs a contender until nothing else was running meanwhile, or for so many times as there is patience for.
        
        Parameters
        ----------
        contender : ``Contender``
            The contender.
        server : ``ServerProcess``
            The server.
        path : `str`
            The recording's path.
        heartbeat_interval : `int`
            Milliseconds.
        shard_count : `int`
            The connections that it opens.
        quiet : `float`
            Seconds to wait at most until nothing else is running. If `0.0`, it runs once, whatever happens.
        
        Returns
        -------
        result : `dict<str, object>`
            The least disturbed one.
        
        Raises
        ------
        RuntimeError
            - The contender failed.
        """
        if (not quiet) or (not is_available()):
            return self._run_contender(contender, server, path, heartbeat_interval, shard_count)
        
        results = []
        while len(results) <= REPEAT_LIMIT:
            wait_for_quiet(quiet)
            meter = DisturbanceMeter(server.process.pid)
            result = self._run_contender(contender, server, path, heartbeat_interval, shard_count)
            result['disturbance'] = meter.get_share()
            results.append(result)
            if result['disturbance'] <= DISTURBANCE_LIMIT:
                break
        
        return min(results, key = lambda result: result['disturbance'])
    
    
    def _run_contender(self, contender, server, path, heartbeat_interval, shard_count):
        """
        Runs a contender once.
        
        Parameters
        ----------
        contender : ``Contender``
            The contender.
        server : ``ServerProcess``
            The server.
        path : `str`
            The recording's path.
        heartbeat_interval : `int`
            Milliseconds.
        shard_count : `int`
            The connections that it opens.
        
        Returns
        -------
        result : `dict<str, object>`
        
        Raises
        ------
        RuntimeError
            - The contender failed.
        """
        if contender.serverless:
            return run_process(contender.module, [path, *contender.arguments])
        
        recording = self.recording
        arguments = [
            *contender.arguments, '--events', str(recording.event_count), '--names', ','.join(recording.names)
        ]
        if shard_count != 1:
            arguments.extend(('--shards', str(shard_count)))
        
        if contender.mode == 'handler':
            arguments.extend(('--messages', str(recording.get_count('MESSAGE_CREATE'))))
        
        result = server.receive(
            contender.module,
            arguments,
            environment = contender.environment,
            idle = (contender.mode == 'idle'),
            shard_count = shard_count,
        )
        if contender.mode == 'stall':
            result['heartbeats'] = server.request('/benchmark/heartbeats')
            result['heartbeat_interval'] = heartbeat_interval / 1000.0
            result['checksum_sent'] = recording.checksum
        
        return result
