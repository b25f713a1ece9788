"""
The floor: the same messages, inflated and decoded, and nothing else. No socket, no frames, no loop.
"""
__all__ = ('main',)

from argparse import ArgumentParser
from importlib import import_module
from time import perf_counter, process_time
from zlib import decompressobj

from .meter import report
from .recording import Recording
from .wire import Compressor, get_zstd


def main(arguments = None):
    """
    Inflates a recording, decodes it if asked to, and prints what it cost.
    
    Parameters
    ----------
    arguments : `None | list<str>` = `None`, Optional
        Command line arguments.
    """
    parser = ArgumentParser()
    parser.add_argument('recording')
    parser.add_argument('--compression', default = 'zlib-stream')
    parser.add_argument('--decode', action = 'store_true')
    parser.add_argument('--with-hata', action = 'store_true')
    namespace = parser.parse_args(arguments)
    
    try:
        from orjson import loads as from_json
    except ImportError:
        from json import loads as from_json
    
    if namespace.with_hata:
        # Garbage collection takes its time by what is in memory. Large payloads cause it.
        import_module('hata')
    
    recording = Recording.read(namespace.recording)
    compressor = Compressor(namespace.compression)
    messages = [compressor.compress(payload) for payload in (*recording.preface, *recording.payloads)]
    if namespace.compression == 'zstd-stream':
        inflate = get_zstd().ZstdDecompressor().decompress
    else:
        inflate = decompressobj().decompress
    
    for message in messages[:-len(recording.payloads)]:
        inflate(message)
    
    del messages[:-len(recording.payloads)]
    count = 0
    started_at = perf_counter()
    cpu_started_at = process_time()
    if namespace.decode:
        for message in messages:
            payload = from_json(inflate(message))
            count += 1
    else:
        for message in messages:
            payload = inflate(message)
            count += 1
    
    cpu_seconds = process_time() - cpu_started_at
    wall_seconds = perf_counter() - started_at
    size = sum(len(message) for message in messages)
    report({
        'cpu_seconds': cpu_seconds,
        'wall_seconds': wall_seconds,
        'event_count': recording.event_count,
        'counted': count - 2,
        'message_bytes': size,
        'last_payload_type': type(payload).__name__,
    })


if __name__ == '__main__':
    main()
