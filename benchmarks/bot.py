"""
The receiving process for hata: a real client on hata's default gateway or on this one.

What is done with the events is told by the mode:

- `count`: every event's parser is replaced by one that counts. What is left is the cost of the gateway alone.
- `skip`: nobody listens and no cache needs it. Every event's parser is one of hata's own that do nothing.
- `handler`: hata's own parsers with their caches, and a handler of messages.
- `stall`: as `count`, while a timer of the same event loop watches how long it is kept waiting.
- `idle`: nothing arrives. Processor time and memory are taken over a while.
"""
__all__ = ('main',)

from argparse import ArgumentParser
from os import _exit
from sys import stderr, stdin

# As much of a token as hata looks at: the bot's identifier.
TOKEN = 'MTAwMDAwMDAwMDAwMDAwMDAx.benchmark.benchmark'

# Registered by the package, which is imported only where it is used.
EXTENSION_NAME = 'gateway_ext'

MODES = ('count', 'skip', 'handler', 'stall', 'idle')

# Seconds until a measurement that does not end is given up.
TIMEOUT = 90.0

# Between being connected and being idle. Seconds.
IDLE_SETTLE_DURATION = 3.0


def create_client(gateway, compression, shard_count, intents):
    """
    Creates the client.
    
    Parameters
    ----------
    gateway : `str`
        `'default'` or `'ours'`.
    compression : `str`
        The compression to use. hata's default gateway knows but zlib-stream.
    shard_count : `int`
        The number of shards.
    intents : `int`
        Intents as a bit mask.
    
    Returns
    -------
    client : ``Client``
    """
    from hata import Client
    
    keywords = {'intents': intents, 'shard_count': shard_count if shard_count > 1 else 0}
    if gateway == 'ours':
        import hata_gateway_ext  # noqa: F401
        
        keywords['extensions'] = [EXTENSION_NAME]
        keywords['gateway_compression'] = compression
    
    return Client(TOKEN, **keywords)


def main(arguments = None):
    """
    Runs a client, and prints what was measured.
    
    Parameters
    ----------
    arguments : `None | list<str>` = `None`, Optional
        Command line arguments.
    """
    parser = ArgumentParser()
    parser.add_argument('--gateway', choices = ('default', 'ours'), required = True)
    parser.add_argument('--mode', choices = MODES, required = True)
    parser.add_argument('--port', type = int, required = True)
    parser.add_argument('--compression', default = 'zlib-stream')
    parser.add_argument('--events', type = int, default = 0)
    parser.add_argument('--names', default = '')
    parser.add_argument('--messages', type = int, default = 0)
    parser.add_argument('--intents', type = int, required = True)
    parser.add_argument('--shards', type = int, default = 1)
    parser.add_argument('--seconds', type = float, default = 0.0)
    namespace = parser.parse_args(arguments)
    
    from .measurement import Measurement
    
    client = create_client(namespace.gateway, namespace.compression, namespace.shards, namespace.intents)
    measurement = Measurement(client, namespace)
    client.start()
    
    if namespace.mode == 'idle':
        # Whoever started this process knows when all shards are connected.
        stdin.readline()
        result = measurement.run_idle(IDLE_SETTLE_DURATION, namespace.seconds)
    
    elif measurement.meter.done.wait(TIMEOUT):
        result = measurement.get_result()
    
    else:
        stderr.write(f'{measurement.meter!r} did not end in {TIMEOUT} seconds.\n')
        stderr.flush()
        _exit(1)
    
    from .meter import report
    
    report(result)
    # Without closing: nothing that follows is measured, and other threads run still.
    _exit(0)


if __name__ == '__main__':
    main()
