"""
The receiving process for hikari: one `GatewayShardImpl`, of which the event manager counts.

The event manager is where hikari's gateway hands on what it has received, so it is to hikari what `PARSERS` is to hata.
"""
import asyncio
from argparse import ArgumentParser
from os import _exit

import hikari
from hikari.api.shard import GatewayCompression
from hikari.impl.config import HTTPSettings, ProxySettings
from hikari.impl.shard import GatewayShardImpl

from .meter import Meter, report
from .recording import BEGIN, END

# Seconds until a measurement that does not end is given up.
TIMEOUT = 90.0

COMPRESSIONS = {
    'zlib-stream': GatewayCompression.TRANSPORT_ZLIB_STREAM,
    # Not there in what still runs on Python 3.9.
    'zstd-stream': getattr(GatewayCompression, 'TRANSPORT_ZSTD_STREAM', None),
    'none': None,
}


class CountingEventManager:
    """
    Takes the place of hikari's event manager.
    
    Attributes
    ----------
    done : `asyncio.Event`
        Set at the last mark.
    meter : ``Meter``
        Counts and takes the time.
    parsers : `dict<str, FunctionType>`
        What to call, by the event's name.
    """
    __slots__ = ('done', 'meter', 'parsers')
    
    def __new__(cls, meter, names):
        """
        Creates a new event manager.
        
        Parameters
        ----------
        meter : ``Meter``
            Counts and takes the time.
        names : `list<str>`
            The names of the events to count.
        """
        self = object.__new__(cls)
        self.done = asyncio.Event()
        self.meter = meter
        self.parsers = {name: meter.count_event for name in names}
        self.parsers['READY'] = self._ignore
        self.parsers[BEGIN] = meter.begin
        self.parsers[END] = self._end
        return self
    
    
    def __repr__(self):
        """Returns the event manager's representation."""
        return f'<{type(self).__name__} meter = {self.meter!r}>'
    
    
    def consume_raw_event(self, name, shard, data):
        """
        Called by hikari with each event.
        
        Parameters
        ----------
        name : `str`
            The event's name.
        shard : `GatewayShardImpl`
            The receiving shard.
        data : `dict<str, object>`
            The event's data.
        """
        self.parsers[name](shard, data)
    
    
    async def dispatch(self, event, *, return_tasks = False):
        """
        Called by hikari when a shard has connected.
        
        This method is a coroutine.
        
        Parameters
        ----------
        event : `object`
            The event.
        return_tasks : `bool` = `False`, Optional (Keyword only)
            Whether hikari waits for the handlers. There are none.
        """
    
    
    def _ignore(self, shard, data):
        """
        Parser of what is not measured.
        
        Parameters
        ----------
        shard : `GatewayShardImpl`
            The receiving shard.
        data : `dict<str, object>`
            The event's data.
        """
    
    
    def _end(self, shard, data):
        """
        The last mark was received.
        
        Parameters
        ----------
        shard : `GatewayShardImpl`
            The receiving shard.
        data : `dict<str, object>`
            The event's data.
        """
        self.meter.end()
        self.done.set()


class NoEventFactory:
    """
    Takes the place of hikari's event factory: no event is built.
    """
    __slots__ = ()
    
    def deserialize_connected_event(self, shard):
        """
        Called by hikari when a shard has connected.
        
        Parameters
        ----------
        shard : `GatewayShardImpl`
            The shard.
        """
    
    
    def deserialize_disconnected_event(self, shard):
        """
        Called by hikari when a shard has disconnected.
        
        Parameters
        ----------
        shard : `GatewayShardImpl`
            The shard.
        """


async def receive(namespace):
    """
    Receives the events.
    
    This function is a coroutine.
    
    Parameters
    ----------
    namespace : `Namespace`
        The command line's arguments.
    
    Returns
    -------
    result : `dict<str, object>`
    """
    meter = Meter(namespace.events)
    event_manager = CountingEventManager(meter, namespace.names.split(','))
    shard = GatewayShardImpl(
        compression = COMPRESSIONS[namespace.compression],
        intents = hikari.Intents(namespace.intents),
        http_settings = HTTPSettings(),
        proxy_settings = ProxySettings(),
        event_manager = event_manager,
        event_factory = NoEventFactory(),
        token = 'benchmark',
        url = f'ws://127.0.0.1:{namespace.port}',
    )
    await shard.start()
    await asyncio.wait_for(event_manager.done.wait(), TIMEOUT)
    return meter.create_result(namespace.events, version = hikari.__version__)


def main():
    """
    Runs the shard, and prints what was measured.
    """
    parser = ArgumentParser()
    parser.add_argument('--port', type = int, required = True)
    parser.add_argument('--compression', default = 'zlib-stream')
    parser.add_argument('--events', type = int, required = True)
    parser.add_argument('--names', required = True)
    parser.add_argument('--intents', type = int, required = True)
    
    asyncio.run(receive_and_exit(parser.parse_args()))


async def receive_and_exit(namespace):
    """
    Receives the events, reports, and ends the process without closing what is open.
    
    This function is a coroutine.
    
    Parameters
    ----------
    namespace : `Namespace`
        The command line's arguments.
    """
    report(await receive(namespace))
    _exit(0)


if __name__ == '__main__':
    main()
