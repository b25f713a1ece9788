"""
Fuzzing of everything that bytes from the network go through: frames, inflaters, envelopes and the dispatcher.

200,000 inputs: random bytes, streams as a server sends them, the same with mutations, and all of them cut at random. What
must hold for each:

- No exception but ours, and after it nothing more is handed on.
- A stream without mutations gives the same payloads however it is cut.
- Memory is bounded: what is kept is never more than what was fed, and what is announced is not allocated.
- Work is linear: the number of steps of the reader is bounded by the number of bytes and of chunks.

The seed is printed and can be given as the environment variable `GATEWAY_FUZZ_SEED`; `GATEWAY_FUZZ_INPUTS` changes the
number of inputs.
"""
import zlib
from os import environ
from random import Random
from struct import pack

import pytest
from hata.discord.events.core import PARSERS

from hata_gateway_ext.connection.dispatcher import Dispatcher
from hata_gateway_ext.protocol.inflaters import create_inflater, is_available
from hata_gateway_ext.protocol.envelope import Envelope, read_head
from hata_gateway_ext.protocol.errors import FrameError, InflateError, PayloadError, ProtocolError
from hata_gateway_ext.protocol.frames import FrameReader, MAXIMAL_MESSAGE_SIZE, OPERATION_CLOSE, OPERATION_NONE

SEED = int(environ.get('GATEWAY_FUZZ_SEED', '20260801'))
INPUT_COUNT = int(environ.get('GATEWAY_FUZZ_INPUTS', '200000'))

# The shares of the kinds of input.
SHARES = {'random': 0.2, 'frames': 0.35, 'envelopes': 0.2, 'inflaters': 0.1, 'dispatcher': 0.15}

# Close codes that a ``FrameError`` may carry.
FRAME_ERROR_CLOSE_CODES = frozenset((1002, 1007, 1009))


def create_random(kind):
    """Creates the randomness of a kind of input. A failing test prints the seed."""
    print(f'GATEWAY_FUZZ_SEED={SEED} kind={kind}')
    return Random(f'{SEED} {kind}')


def get_count(kind):
    """How many inputs of a kind there are."""
    return int(INPUT_COUNT * SHARES[kind])


def build_frame(operation, payload, final = True, reserved = 0):
    """Builds a frame of a server."""
    first = (0x80 if final else 0) | (reserved << 4) | operation
    size = len(payload)
    if size < 126:
        return pack('!BB', first, size) + payload
    
    if size < 65536:
        return pack('!BBH', first, 126, size) + payload
    
    return pack('!BBQ', first, 127, size) + payload


def create_payload(random):
    """Creates a payload as Discord sends one, or nearly so."""
    kind = random.randrange(10)
    if kind == 0:
        return random.choice((
            b'{"t":null,"s":null,"op":11,"d":null}', b'{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":41250}}',
            b'{"op":7,"d":null}', b'{"op":9,"d":false}', b'{"op":1,"d":null}', b'{}', b'[]', b'null', b'0', b'"a"', b'',
        ))
    
    name = random.choice((b'MESSAGE_CREATE', b'TYPING_START', b'PRESENCE_UPDATE', b'A', b'READY', b'FUZZ_UNKNOWN_EVENT'))
    sequence = random.choice((random.randrange(10), random.randrange(10 ** 6), random.randrange(10 ** 18)))
    data = random.choice((
        b'{}', b'null', b'[]', b'{"content":"\\u2603\\ud83d\\ude00"}', b'{"content":"\xe2\x98\x83"}', b'"\\ud800"', b'1e999',
        b'{"content":"%b"}' % (b'x' * random.randrange(300)), b'[' * random.randrange(40) + b']' * random.randrange(40),
    ))
    if kind == 1:
        return b'{"op":0,"d":%b,"s":%d,"t":"%b"}' % (data, sequence, name)
    
    if kind == 2:
        return b'{ "t": "%b", "s": %d, "op": 0, "d": %b }' % (name, sequence, data)
    
    return b'{"t":"%b","s":%d,"op":0,"d":%b}' % (name, sequence, data)


def create_stream(random):
    """Creates a valid stream of frames. Returns it and the messages and control payloads in it."""
    parts = []
    expected = []
    for _ in range(random.randrange(1, 6)):
        kind = random.randrange(8)
        if kind < 4:
            payload = random.randbytes(random.choice((0, 1, 5, 50, 124, 125, 126, 127, 200, 1000)))
            parts.append(build_frame(2, payload))
            expected.append((2, payload))
        
        elif kind == 4:
            payload = create_payload(random)
            try:
                payload.decode('utf-8')
            except UnicodeDecodeError:
                continue
            
            parts.append(build_frame(1, payload))
            expected.append((1, payload))
        
        elif kind == 5:
            payload = random.randbytes(random.randrange(126))
            operation = random.choice((9, 10))
            parts.append(build_frame(operation, payload))
            expected.append((operation, payload))
        
        elif kind == 6:
            payload = random.randbytes(random.randrange(400))
            cuts = sorted(random.randrange(len(payload) + 1) for _ in range(random.randrange(1, 4)))
            pieces = [payload[start : end] for start, end in zip([0, *cuts], [*cuts, len(payload)])]
            for index, piece in enumerate(pieces):
                parts.append(build_frame(0 if index else 2, piece, final = (index == len(pieces) - 1)))
                if random.randrange(3) == 0 and index < len(pieces) - 1:
                    parts.append(build_frame(9, b'p'))
                    expected.append((9, b'p'))
            
            expected.append((2, payload))
        
        else:
            payload = pack('!H', random.choice((1000, 1012, 4000, 4004, 4999))) + b'reason'
            parts.append(build_frame(8, payload))
            expected.append((8, payload))
            break
    
    return b''.join(parts), expected


def mutate(random, data):
    """Changes some bytes: flips bits, replaces, inserts, removes and repeats."""
    data = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        kind = random.randrange(6)
        index = random.randrange(len(data) + 1)
        if kind == 0 and index < len(data):
            data[index] ^= 1 << random.randrange(8)
        elif kind == 1 and index < len(data):
            data[index] = random.choice((0, 1, 125, 126, 127, 128, 129, 130, 136, 137, 254, 255, 0x22, 0x5c, 0x7b))
        elif kind == 2:
            data[index : index] = random.randbytes(random.randrange(1, 12))
        elif kind == 3:
            del data[index : index + random.randrange(1, 12)]
        elif kind == 4:
            data[index : index] = data[index : index + random.randrange(1, 40)]
        else:
            del data[index :]
    
    return bytes(data)


def cut(random, data):
    """Cuts data at random."""
    if random.randrange(4) == 0:
        return [data]
    
    if len(data) < 200 and random.randrange(6) == 0:
        return [data[index : index + 1] for index in range(len(data))]
    
    cuts = sorted(random.randrange(len(data) + 1) for _ in range(random.randrange(1, 6)))
    return [data[start : end] for start, end in zip([0, *cuts], [*cuts, len(data)])]


def read(chunks):
    """
    Reads chunks. Returns the events and the error: the same whether messages that are alone in their chunk are taken the
    straight way.
    """
    outcome = read_one_way(chunks, False)
    assert read_one_way(chunks, True) == outcome
    return outcome


def read_one_way(chunks, takes):
    """Reads chunks. Checks bounds on the way."""
    reader = FrameReader()
    events = []
    error = None
    steps = 0
    fed = 0
    received = 0
    try:
        for chunk in chunks:
            message = reader.feed_or_take(chunk) if takes else reader.feed(chunk)
            fed += len(chunk)
            if message is not None:
                events.append((2, message))
                received += len(message)
                continue
            
            assert reader.queued_size <= fed
            for message in reader.frames:
                steps += 1
                if message is not None:
                    batch = message if type(message) is list else [message]
                    assert batch
                    for message in batch:
                        assert type(message) is bytes
                        events.append((2, message))
                        received += len(message)
                elif reader.operation == OPERATION_NONE:
                    break
                else:
                    events.append((reader.operation, reader.payload))
                    received += len(reader.payload)
            
            # Nothing comes out that did not come in.
            assert received <= fed
    
    except FrameError as exception:
        assert exception.close_code in FRAME_ERROR_CLOSE_CODES
        error = exception.close_code
        assert next(reader.frames, 'end') == 'end'
    
    # A message takes at least two bytes; beyond that there is one step for each chunk.
    assert steps <= fed // 2 + len(chunks) + 1
    
    kept = reader.queued_size
    for name in FrameReader.__slots__:
        value = getattr(reader, name)
        if isinstance(value, (bytes, bytearray)):
            kept += len(value)
    
    # The message under way, and the chunk that is read.
    assert kept <= 2 * fed
    
    reader.close()
    return events, error


def test__fuzz__random_bytes():
    """Random bytes, whole and cut: the same messages, and the same error."""
    random = create_random('random')
    errors = 0
    for _ in range(get_count('random')):
        data = random.randbytes(random.randrange(40))
        if random.randrange(2):
            # Give it a beginning that is more often valid.
            data = random.choice((b'\x82', b'\x81', b'\x02', b'\x01', b'\x89', b'\x88', b'\x80')) + bytes((
                random.choice((0, 1, 3, 10, 125, 126, 127)),
            )) + data
        
        outcome = read([data])
        assert read(cut(random, data)) == outcome
        errors += outcome[1] is not None
    
    assert errors


def test__fuzz__frames():
    """Streams of frames, with and without mutations, at every kind of cut."""
    random = create_random('frames')
    mutated_errors = 0
    for index in range(get_count('frames')):
        stream, expected = create_stream(random)
        if index % 4 == 0:
            assert read(cut(random, stream)) == (expected, None)
            continue
        
        stream = mutate(random, stream)
        outcome = read([stream])
        assert read(cut(random, stream)) == outcome
        mutated_errors += outcome[1] is not None
        
        # Nothing follows a close frame.
        operations = [operation for operation, _ in outcome[0]]
        assert OPERATION_CLOSE not in operations[:-1]
    
    assert mutated_errors


def test__fuzz__every_split():
    """Some streams at every single split, with every error that a split could hide."""
    random = create_random('every split')
    for _ in range(60):
        stream, expected = create_stream(random)
        if random.randrange(2):
            stream = mutate(random, stream)
        
        outcome = read([stream])
        for index in range(len(stream) + 1):
            assert read([stream[:index], stream[index:]]) == outcome


def test__fuzz__announced_sizes():
    """Whatever size is announced: it is refused at once or waited for, and nothing is allocated for it."""
    random = create_random('sizes')
    for _ in range(2000):
        size = random.choice((
            random.randrange(65536, 1 << 64), random.randrange(65536, MAXIMAL_MESSAGE_SIZE * 2),
            MAXIMAL_MESSAGE_SIZE, MAXIMAL_MESSAGE_SIZE + 1,
        ))
        data = pack('!BBQ', random.choice((0x82, 0x81, 0x02, 0x01)), 127, size) + b'x' * random.randrange(50)
        events, error = read(cut(random, data))
        assert not events
        assert error == (1002 if size >> 63 else 1009 if size > MAXIMAL_MESSAGE_SIZE else None)


def test__fuzz__envelopes():
    """Payloads with mutations: decoded, or refused as ours; what is read without decoding is what decoding finds."""
    random = create_random('envelopes')
    refused = decoded = compared = 0
    for _ in range(get_count('envelopes')):
        payload = create_payload(random)
        if random.randrange(4):
            payload = mutate(random, payload)
        
        head = read_head(payload)
        try:
            envelope = Envelope(payload)
        except PayloadError as exception:
            refused += 1
            assert exception.__context__ is None
            continue
        
        decoded += 1
        assert type(envelope.operation) is int
        if envelope.operation == 0:
            assert type(envelope.name) is str
            assert type(envelope.sequence) is int
            assert envelope.sequence >= 0
        
        if head is not None:
            compared += 1
            # A mutation may have repeated a field behind the data.
            assert (envelope.name, envelope.sequence) == head or payload.count(b'"s"') + payload.count(b'"t"') > 2
    
    assert refused and decoded and compared


def create_deflate(name):
    """Creates a function that compresses the payloads of a connection."""
    if name == 'zlib-stream':
        zlib_compressor = zlib.compressobj()
        
        def deflate(payload):
            return zlib_compressor.compress(payload) + zlib_compressor.flush(zlib.Z_SYNC_FLUSH)
    
    else:
        from backports.zstd import ZstdCompressor
        
        zstd_compressor = ZstdCompressor()
        
        def deflate(payload):
            return zstd_compressor.compress(payload, ZstdCompressor.FLUSH_BLOCK)
    
    return deflate


@pytest.mark.parametrize('name', ('zlib-stream', 'zstd-stream'))
def test__fuzz__inflaters(name):
    """Compressed messages with mutations: payloads or our error, and after it the context is not used again."""
    if not is_available(name):
        pytest.skip('not installed')
    
    random = create_random(f'inflaters {name}')
    streams = []
    for _ in range(50):
        deflate = create_deflate(name)
        payloads = [create_payload(random) or b'x' for _ in range(random.randrange(1, 6))]
        streams.append((payloads, [deflate(payload) for payload in payloads]))
    
    errors = 0
    for _ in range(get_count('inflaters') // 2):
        payloads, messages = random.choice(streams)
        inflater = create_inflater(name)
        kind = random.randrange(4)
        if kind == 0:
            assert [inflater.feed(message) for message in messages] == payloads
            continue
        
        if kind == 1:
            messages = [random.randbytes(random.randrange(30)) for _ in range(3)]
        else:
            messages = [mutate(random, message) if random.randrange(2) else message for message in messages]
        
        try:
            for message in messages:
                payload = inflater.feed(message)
                assert payload is None or type(payload) is bytes
        except InflateError as exception:
            errors += 1
            assert exception.__context__ is None
    
    assert errors


class FuzzedSession:
    """A session whose sequence may only grow."""
    __slots__ = ('_sequence',)
    
    def __init__(self, sequence):
        self._sequence = sequence
    
    
    @property
    def sequence(self):
        return self._sequence
    
    
    @sequence.setter
    def sequence(self, sequence):
        assert type(sequence) is int
        assert sequence > self._sequence
        self._sequence = sequence


class FuzzedHandler:
    """Takes everything, and checks that nothing comes after the end."""
    def __init__(self, pass_over):
        self.broken = False
        self.pass_over = pass_over
    
    
    def operation_received(self, operation, payload):
        assert not self.broken
        assert type(operation) is int and operation != 0
        assert type(payload) is dict
    
    
    def ready_received(self, sequence, data):
        assert not self.broken
        assert type(data) is dict
    
    
    def resumed_received(self, sequence, data):
        assert not self.broken
    
    
    def payload_unreadable(self, exception):
        assert not self.broken
        assert type(exception) is PayloadError
        return self.pass_over
    
    
    def input_broken(self, exception):
        assert not self.broken
        assert isinstance(exception, ProtocolError)
        self.broken = True
    
    
    def sequence_out_of_order(self, sequence):
        assert not self.broken
        assert type(sequence) is int


class FuzzedClient:
    """A client whose events nobody listens to."""
    class events:
        from hata.discord.events.core import DEFAULT_EVENT_HANDLER as unknown_dispatch_event


@pytest.fixture
def parsers():
    """A parser that takes anything, and one that does nothing."""
    def accept(client, data):
        return data and None
    
    def ignore(client, data):
        pass
    
    parsers = PARSERS.copy()
    PARSERS['MESSAGE_CREATE'] = accept
    PARSERS['TYPING_START'] = ignore
    PARSERS['PRESENCE_UPDATE'] = accept
    PARSERS['A'] = accept
    yield
    PARSERS.clear()
    PARSERS.update(parsers)


@pytest.mark.parametrize('compression', ('none', 'zlib-stream'))
def test__fuzz__dispatcher(parsers, compression):
    """
    Whole connections, from bytes to parsers: in order, with gaps, with mutations of frames, of compressed messages and of
    payloads. The sequence only grows, every payload is dispatched, skipped or told to the handler, and nothing raises.
    """
    random = create_random(f'dispatcher {compression}')
    dispatched = skipped = broken = 0
    for _ in range(get_count('dispatcher') // 2):
        session = FuzzedSession(random.choice((0, 5, 10 ** 6)))
        handler = FuzzedHandler(random.randrange(2) == 0)
        dispatcher = Dispatcher(FuzzedClient, session, handler, create_inflater(compression))
        compressor = zlib.compressobj() if compression == 'zlib-stream' else None
        place = random.randrange(4)
        parts = []
        sequence = session.sequence
        for _ in range(random.randrange(1, 7)):
            if random.randrange(3):
                sequence += random.choice((1, 1, 1, 1, 2, 0, -1))
                name = random.choice((b'MESSAGE_CREATE', b'TYPING_START', b'PRESENCE_UPDATE'))
                payload = b'{"t":"%b","s":%d,"op":0,"d":{"content":"%b"}}' % (name, sequence, b'x' * random.randrange(60))
            else:
                payload = create_payload(random)
            
            if place == 1 and random.randrange(2):
                payload = mutate(random, payload)
            
            if compressor is not None:
                payload = compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
            
            if place == 2 and random.randrange(2):
                payload = mutate(random, payload)
            
            parts.append(build_frame(2, payload))
        
        stream = b''.join(parts)
        if place == 3:
            stream = mutate(random, stream)
        
        reader = FrameReader()
        try:
            for chunk in parts if random.randrange(4) == 0 else cut(random, stream):
                message = reader.feed_or_take(chunk)
                if message is not None:
                    dispatcher.message_received(message, False)
                    continue
                
                while True:
                    while dispatcher.messages_received(reader.frames, random.choice((0.0, float('inf')))):
                        pass
                    
                    operation = reader.operation
                    if operation == OPERATION_NONE:
                        break
                    
                    payload = reader.payload
                    reader.operation = OPERATION_NONE
                    if operation == 1:
                        dispatcher.message_received(payload, True)
        
        except FrameError:
            broken += 1
        
        reader.close()
        broken += handler.broken
        dispatched += dispatcher.dispatched
        skipped += dispatcher.skipped
    
    assert dispatched and skipped and broken
