"""
The floor: the same messages, inflated and decoded, and nothing else. No socket, no loop, and no frames, but for the contender
that shows what those cost alone.
"""
__all__ = ('main',)

from argparse import ArgumentParser
from importlib import import_module
from io import BytesIO
from time import perf_counter, process_time
from zlib import decompressobj

from .meter import report
from .recording import Recording
from .wire import Compressor, FRAME_BINARY, create_frame, get_zstd


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
    parser.add_argument('--frames', action = 'store_true')
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
    if namespace.frames:
        # The least that takes a frame out of received bytes: two reads of two bytes at most, two look-ups, and its content.
        read = BytesIO(b''.join(create_frame(FRAME_BINARY, message) for message in messages)).read
        lengths = {create_frame(FRAME_BINARY, bytes(length))[:2]: length for length in range(127)}
        lengths_16 = {length.to_bytes(2, 'big'): length for length in range(126, 1 << 16)}
        frame_count = len(messages)
    
    started_at = perf_counter()
    cpu_started_at = process_time()
    if namespace.frames:
        for count in range(1, frame_count + 1):
            length = lengths[read(2)]
            if length == 126:
                length = lengths_16[read(2)]
            
            payload = inflate(read(length))
    
    elif namespace.decode:
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
