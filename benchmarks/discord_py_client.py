"""
The receiving process for discord.py: a real client, of which the connection's parsers count.

The table of parsers in the connection state is where discord.py's gateway hands on what it has received, so it is to
discord.py what `PARSERS` is to hata.
"""
import asyncio
import sys
from argparse import ArgumentParser
from os import _exit

# Seconds until a measurement that does not end is given up.
TIMEOUT = 90.0


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
    import discord
    from discord.gateway import DiscordWebSocket
    from yarl import URL
    
    from .meter import Meter
    from .recording import BEGIN, END
    
    compression = discord.utils._ActiveDecompressionContext.COMPRESSION_TYPE
    if compression != namespace.compression:
        raise RuntimeError(f'discord.py would use {compression!r} instead of {namespace.compression!r}.')
    
    base = f'http://127.0.0.1:{namespace.port}'
    discord.http.Route.BASE = f'{base}/api/v10'
    DiscordWebSocket.DEFAULT_GATEWAY = URL(f'ws://127.0.0.1:{namespace.port}')
    
    client = discord.Client(intents = discord.Intents._from_value(namespace.intents))
    await client.login('benchmark')
    
    meter = Meter(namespace.events)
    done = asyncio.Event()
    
    def end(data):
        """
        The last mark was received.
        
        Parameters
        ----------
        data : `dict<str, object>`
            The event's data.
        """
        meter.end()
        done.set()
    
    parsers = client._connection.parsers
    for name in namespace.names.split(','):
        parsers[name] = meter.count_data
    parsers[BEGIN] = meter.begin
    parsers[END] = end
    
    connect_task = asyncio.create_task(client.connect(reconnect = False))
    done_task = asyncio.create_task(done.wait())
    await asyncio.wait({connect_task, done_task}, timeout = TIMEOUT, return_when = asyncio.FIRST_COMPLETED)
    if connect_task.done():
        connect_task.result()
    
    return meter.create_result(namespace.events, version = discord.__version__)


async def receive_and_exit(namespace):
    """
    Receives the events, reports, and ends the process without closing what is open.
    
    This function is a coroutine.
    
    Parameters
    ----------
    namespace : `Namespace`
        The command line's arguments.
    """
    from .meter import report
    
    report(await receive(namespace))
    _exit(0)


def main():
    """
    Runs the client, and prints what was measured.
    """
    parser = ArgumentParser()
    parser.add_argument('--port', type = int, required = True)
    parser.add_argument('--compression', default = 'zstd-stream')
    parser.add_argument('--events', type = int, required = True)
    parser.add_argument('--names', required = True)
    parser.add_argument('--intents', type = int, required = True)
    namespace = parser.parse_args()
    
    if namespace.compression == 'zlib-stream':
        # discord.py takes zstd wherever it can be imported.
        for name in ('zstandard', 'backports.zstd', 'compression.zstd'):
            sys.modules[name] = None
    
    asyncio.run(receive_and_exit(namespace))


if __name__ == '__main__':
    main()
