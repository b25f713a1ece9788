"""
What is measured about a hata client, by mode. Imports hata, so only the receiving process may import it.
"""
__all__ = ('Measurement', 'get_memory')

from gc import collect as collect_garbage
from sys import platform
from time import perf_counter, process_time, sleep as blocking_sleep
from zlib import crc32

from hata import KOKORO
from hata.discord.events.core import PARSERS, PARSER_SETTINGS
from scarletio import RichAttributeErrorBaseType

from .loop_watch import LoopWatch
from .meter import Meter
from .recording import BEGIN, END

# hata does nothing for it while nobody listens. Its parser then takes the place of the recorded events' parsers, so that
# what is measured is the same stream as elsewhere.
NAME_IDLE = 'TYPING_START'

# Bytes of a page of memory, as Linux counts in `/proc`.
PAGE_SIZE = 4096


def get_memory():
    """
    Returns the memory that the process has in use.
    
    Returns
    -------
    memory : `None | int`
        Bytes. `None` where the system does not tell.
    """
    if not platform.startswith('linux'):
        return None
    
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * PAGE_SIZE


class Measurement(RichAttributeErrorBaseType):
    """
    What is measured about a client.
    
    Attributes
    ----------
    _checksum : `int`
        Checksum over the identifiers of the messages in the order in which they were received.
    client : ``Client``
        The client.
    loop_watch : `None | LoopWatch`
        Watches how long the event loop is kept.
    meter : ``Meter``
        Counts and takes the time.
    namespace : `Namespace`
        The command line's arguments.
    """
    __slots__ = ('_checksum', 'client', 'loop_watch', 'meter', 'namespace')
    
    def __new__(cls, client, namespace):
        """
        Creates a new measurement, and makes it receive the marks.
        
        Parameters
        ----------
        client : ``Client``
            The client, not running yet.
        namespace : `Namespace`
            The command line's arguments.
        """
        mode = namespace.mode
        shard_count = namespace.shards
        if mode == 'handler':
            expected = namespace.messages * shard_count
        elif mode in ('skip', 'idle'):
            expected = 0
        else:
            expected = namespace.events * shard_count
        
        self = object.__new__(cls)
        self._checksum = 0
        self.client = client
        self.loop_watch = None
        self.meter = meter = Meter(expected, shard_count)
        self.namespace = namespace
        
        PARSERS[BEGIN] = self._begin
        PARSERS[END] = meter.end
        if mode == 'handler':
            client.events(meter.handle_event, name = 'message_create')
        
        elif mode == 'stall':
            self.loop_watch = LoopWatch(KOKORO)
            PARSERS[END] = self._end_watching
        
        return self
    
    
    def __repr__(self):
        """Returns the measurement's representation."""
        return f'<{type(self).__name__} meter = {self.meter!r}>'
    
    
    def _begin(self, client, data):
        """
        The first mark was received. Replaces the parsers: earlier, hata would put its own back when the client connects.
        
        Parameters
        ----------
        client : ``Client``
            The receiving client.
        data : `dict<str, object>`
            The mark's data.
        """
        namespace = self.namespace
        mode = namespace.mode
        if mode == 'count':
            for name in namespace.names.split(','):
                PARSERS[name] = self.meter.count_event
        
        elif mode == 'skip':
            for name in namespace.names.split(','):
                PARSERS[name] = PARSER_SETTINGS[NAME_IDLE].parser_opt_sc
        
        elif mode == 'stall':
            for name in namespace.names.split(','):
                PARSERS[name] = self._count_in_order
            
            self.loop_watch.start()
        
        # Further sessions only begin.
        PARSERS[BEGIN] = self.meter.begin
        self.meter.begin()
    
    
    def _end_watching(self, client, data):
        """
        The last mark was received.
        
        Parameters
        ----------
        client : ``Client``
            The receiving client.
        data : `dict<str, object>`
            The mark's data.
        """
        # What comes after the last event is still in the same turn of the loop.
        self.loop_watch.stop_after_next(self.meter.end)
    
    
    def _count_in_order(self, client, data):
        """
        Counts an event, and remembers in what order the messages came.
        
        Parameters
        ----------
        client : ``Client``
            The receiving client.
        data : `dict<str, object>`
            The event's data.
        """
        self.meter.count += 1
        message_id = data.get('id', None)
        if (message_id is not None):
            self._checksum = crc32(message_id.encode(), self._checksum)
    
    
    def get_result(self):
        """
        Returns what was measured, after the last event.
        
        Returns
        -------
        result : `dict<str, object>`
        """
        extra = {}
        loop_watch = self.loop_watch
        if (loop_watch is not None):
            extra['longest_stall'] = loop_watch.longest
            extra['checksum'] = self._checksum
            extra['turns'] = loop_watch.turns
        
        extra['memory'] = get_memory()
        return self.meter.create_result(self.namespace.events * self.namespace.shards, **extra)
    
    
    def run_idle(self, settle_duration, duration):
        """
        Measures the idle process.
        
        Parameters
        ----------
        settle_duration : `float`
            Seconds to let pass first.
        duration : `float`
            Seconds to measure.
        
        Returns
        -------
        result : `dict<str, object>`
        """
        blocking_sleep(settle_duration)
        collect_garbage()
        memory = get_memory()
        started_at = perf_counter()
        cpu_started_at = process_time()
        blocking_sleep(duration)
        cpu_seconds = process_time() - cpu_started_at
        return {
            'cpu_seconds': cpu_seconds,
            'wall_seconds': perf_counter() - started_at,
            'memory': memory,
            'shard_count': self.namespace.shards,
        }
