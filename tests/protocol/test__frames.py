"""
The frame reader, at every split of the bytes, and the building of frames.
"""
from struct import pack

import pytest

from hata_gateway_ext.protocol.errors import FrameError
from hata_gateway_ext.protocol.frames import (
    BATCH_COUNT, BATCH_MESSAGE_SIZE, BATCH_SIZE, FRAGMENT_COUNT, FrameReader, MAXIMAL_MESSAGE_SIZE, OPERATION_BINARY,
    OPERATION_CLOSE, OPERATION_CONTINUATION, OPERATION_NONE, OPERATION_PING, OPERATION_PONG, OPERATION_TEXT,
    build_close_payload, build_frame, is_close_code_sendable, parse_close_payload
)


CONTINUATION = 0
TEXT = OPERATION_TEXT
BINARY = OPERATION_BINARY
CLOSE = OPERATION_CLOSE
PING = OPERATION_PING
PONG = OPERATION_PONG


def frame(operation, payload = b'', *, final = True, reserved = 0, masked = False, size = None, encoding = None):
    """
    Builds a frame as a server may or may not send it. `size` is what is announced, `encoding` how: 7, 16 or 64 bits.
    """
    first = (0x80 if final else 0) | (reserved << 4) | operation
    mask_bit = 0x80 if masked else 0
    if size is None:
        size = len(payload)
    
    if encoding is None:
        encoding = 7 if size < 126 else 16 if size < 65536 else 64
    
    if encoding == 7:
        head = pack('!BB', first, mask_bit | size)
    elif encoding == 16:
        head = pack('!BBH', first, mask_bit | 126, size)
    else:
        head = pack('!BBQ', first, mask_bit | 127, size)
    
    return head + payload


def read(chunks, **options):
    """
    Reads chunks. Returns the events until the end or the error, and the close code of the error: the same whether messages
    that are alone in their chunk are taken the straight way.
    """
    outcome = read_one_way(chunks, False, **options)
    assert read_one_way(chunks, True, **options) == outcome
    return outcome


def read_one_way(chunks, takes, **options):
    """
    Reads chunks.
    """
    reader = FrameReader(**options)
    events = []
    try:
        for chunk in chunks:
            message = reader.feed_or_take(chunk) if takes else reader.feed(chunk)
            if message is not None:
                events.append((BINARY, message))
                continue
            
            for message in reader.frames:
                if type(message) is list:
                    assert 1 <= len(message) <= options.get('batch_count', BATCH_COUNT)
                    assert max(map(len, message)) <= BATCH_MESSAGE_SIZE
                    events.extend((BINARY, item) for item in message)
                elif message is not None:
                    events.append((BINARY, message))
                elif reader.operation == OPERATION_NONE:
                    break
                elif reader.operation != OPERATION_CONTINUATION:
                    events.append((reader.operation, reader.payload))
    except FrameError as exception:
        return events, exception.close_code
    
    return events, None


def iterate_splits(data):
    """
    Iterates over ways to cut the data: into two at every byte, into single bytes, and into some equal parts.
    """
    yield [data]
    for index in range(1, len(data)):
        yield [data[:index], data[index:]]
    
    for size in (1, 2, 3, 5, 7):
        yield [data[index : index + size] for index in range(0, len(data), size)]


SNOWMAN = '\u2603'.encode()

VALID_STREAMS = {
    'nothing': (b'', []),
    'binary': (frame(BINARY, b'hello'), [(BINARY, b'hello')]),
    'empty binary': (frame(BINARY), [(BINARY, b'')]),
    'two binaries': (frame(BINARY, b'a') + frame(BINARY, b'b'), [(BINARY, b'a'), (BINARY, b'b')]),
    'text': (frame(TEXT, SNOWMAN), [(TEXT, SNOWMAN)]),
    'empty text': (frame(TEXT), [(TEXT, b'')]),
    '125 bytes': (frame(BINARY, b'x' * 125), [(BINARY, b'x' * 125)]),
    '126 bytes': (frame(BINARY, b'x' * 126), [(BINARY, b'x' * 126)]),
    '300 bytes, then another': (
        frame(BINARY, b'x' * 300) + frame(BINARY, b'y'), [(BINARY, b'x' * 300), (BINARY, b'y')],
    ),
    'ping': (frame(PING, b'p'), [(PING, b'p')]),
    'ping of 125 bytes': (frame(PING, b'p' * 125), [(PING, b'p' * 125)]),
    'empty pong': (frame(PONG), [(PONG, b'')]),
    'fragmented binary': (
        frame(BINARY, b'a', final = False) + frame(CONTINUATION, b'b', final = False) + frame(CONTINUATION, b'c'),
        [(BINARY, b'abc')],
    ),
    'fragments with nothing in them': (
        frame(BINARY, final = False) + frame(CONTINUATION, final = False) + frame(CONTINUATION), [(BINARY, b'')],
    ),
    'fragmented text, cut inside of a character': (
        frame(TEXT, SNOWMAN[:1], final = False) + frame(CONTINUATION, SNOWMAN[1:2], final = False)
        + frame(CONTINUATION, SNOWMAN[2:]),
        [(TEXT, SNOWMAN)],
    ),
    'control frames between fragments': (
        frame(TEXT, b'a', final = False) + frame(PING, b'1') + frame(CONTINUATION, b'b', final = False)
        + frame(PONG, b'2') + frame(PING) + frame(CONTINUATION, b'c') + frame(BINARY, b'd'),
        [(PING, b'1'), (PONG, b'2'), (PING, b''), (TEXT, b'abc'), (BINARY, b'd')],
    ),
    'binary after fragments': (
        frame(BINARY, b'a', final = False) + frame(CONTINUATION, b'b') + frame(BINARY, b'c') + frame(TEXT, b'd'),
        [(BINARY, b'ab'), (BINARY, b'c'), (TEXT, b'd')],
    ),
    'close': (frame(CLOSE), [(CLOSE, b'')]),
    'close with code and reason': (
        frame(CLOSE, pack('!H', 4000) + SNOWMAN), [(CLOSE, pack('!H', 4000) + SNOWMAN)],
    ),
    'nothing is read after a close': (
        frame(BINARY, b'a') + frame(CLOSE, pack('!H', 1000)) + frame(BINARY, b'b') + b'\xff\xff',
        [(BINARY, b'a'), (CLOSE, pack('!H', 1000))],
    ),
    'close between fragments': (
        frame(BINARY, b'a', final = False) + frame(CLOSE, pack('!H', 4009)), [(CLOSE, pack('!H', 4009))],
    ),
}


@pytest.mark.parametrize('name', VALID_STREAMS)
def test__FrameReader__valid(name):
    """A valid stream gives the same messages in whatever pieces it comes."""
    stream, expected_events = VALID_STREAMS[name]
    for chunks in iterate_splits(stream):
        assert read(chunks) == (expected_events, None), chunks
        assert read(chunks, batch_count = 1) == (expected_events, None), chunks


INVALID_STREAMS = {
    'first reserved bit': (frame(BINARY, b'a', reserved = 4), 2, 1002),
    'second reserved bit': (frame(TEXT, b'a', reserved = 2), 2, 1002),
    'third reserved bit': (frame(PING, b'a', reserved = 1), 2, 1002),
    'reserved bits of a continuation': (
        frame(BINARY, b'a', final = False) + frame(CONTINUATION, b'b', reserved = 7), 5, 1002,
    ),
    'masked': (frame(BINARY, b'abcdefgh', size = 4, masked = True), 2, 1002),
    'masked control frame': (frame(PING, b'abcd', size = 0, masked = True), 2, 1002),
    'masked, of 300 bytes': (frame(BINARY, b'a' * 300, masked = True), 2, 1002),
    'continuation of nothing': (frame(CONTINUATION, b'a'), 2, 1002),
    'continuation after a whole message': (frame(BINARY, b'a') + frame(CONTINUATION, b'b'), 5, 1002),
    'binary between fragments': (frame(BINARY, b'a', final = False) + frame(BINARY, b'b'), 5, 1002),
    'text between fragments': (frame(BINARY, b'a', final = False) + frame(TEXT, b'b'), 5, 1002),
    'fragmented ping': (frame(PING, b'a', final = False), 2, 1002),
    'fragmented close': (frame(CLOSE, final = False), 2, 1002),
    'ping of 126 bytes': (frame(PING, b'a' * 126), 2, 1002),
    'close of 65536 bytes': (frame(CLOSE, b'a' * 3, size = 65536), 2, 1002),
    '16 bits for a length of 125': (frame(BINARY, b'a' * 125, encoding = 16), 4, 1002),
    '64 bits for a length of 65535': (frame(BINARY, b'a' * 3, size = 65535, encoding = 64), 10, 1002),
    'the highest bit of a length': (frame(BINARY, b'a', size = 1 << 63), 10, 1002),
    '2 ** 62 bytes': (frame(BINARY, b'a', size = 1 << 62), 10, 1009),
    'one byte too many': (frame(BINARY, b'a', size = MAXIMAL_MESSAGE_SIZE + 1), 10, 1009),
    'one byte too many over two fragments': (
        frame(BINARY, b'a', final = False) + frame(CONTINUATION, b'b', size = MAXIMAL_MESSAGE_SIZE), 13, 1009,
    ),
    'close of 1 byte': (frame(CLOSE, b'a'), 3, 1002),
    'close with an invalid code': (frame(CLOSE, pack('!H', 1005)), 4, 1002),
    'close with a reason that is not UTF-8': (frame(CLOSE, pack('!H', 1000) + b'\xff'), 5, 1007),
    'text that is not UTF-8': (frame(TEXT, b'a\xff'), 4, 1007),
    'text that ends inside of a character': (frame(TEXT, SNOWMAN[:2]), 4, 1007),
    'text with a surrogate': (frame(TEXT, b'\xed\xa0\x80'), 5, 1007),
    'fragmented text that ends inside of a character': (
        frame(TEXT, SNOWMAN[:1], final = False) + frame(CONTINUATION, SNOWMAN[1:2]), 6, 1007,
    ),
    'fragmented text that goes wrong in its first fragment': (frame(TEXT, b'a\xff', final = False), 4, 1007),
    'fragmented text that ends with an empty fragment': (
        frame(TEXT, SNOWMAN[:2], final = False) + frame(CONTINUATION), 6, 1007,
    ),
}

for operation in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
    INVALID_STREAMS[f'operation {operation}'] = (frame(operation, b'a'), 2, 1002)


@pytest.mark.parametrize('name', INVALID_STREAMS)
def test__FrameReader__invalid(name):
    """A broken rule is noticed in whatever pieces the stream comes, and has the close code of RFC 6455."""
    stream, _, close_code = INVALID_STREAMS[name]
    for chunks in iterate_splits(stream + frame(BINARY, b'later')):
        events, actual_close_code = read(chunks)
        assert actual_close_code == close_code, chunks
        assert (BINARY, b'later') not in events


@pytest.mark.parametrize('name', INVALID_STREAMS)
def test__FrameReader__invalid_at_once(name):
    """A broken rule is noticed with the byte that breaks it: a header before its payload."""
    stream, size, close_code = INVALID_STREAMS[name]
    
    assert read([stream[: size]])[1] == close_code
    assert read([stream[: size - 1]])[1] is None
    assert read([stream[index : index + 1] for index in range(size)])[1] == close_code


@pytest.mark.parametrize('text', (b'a\xff', b'\xf4\x90', b'ab\xc0', b'\xed\xa0\x80', b'\xce\xba\xe1\xbd\xb9\xff'))
def test__FrameReader__text_fails_fast(text):
    """A text that came in part is refused when its first invalid byte is here, though most of it is still to come."""
    stream = frame(TEXT, text, size = 5000)
    assert read([stream])[1] == 1007
    assert read([stream[:-1]])[1] is None


def test__FrameReader__errors_hold_no_content():
    """What users wrote is neither in the error, nor in what it was raised from."""
    for payload in (b'secret\xff', b'\xffsecret'):
        for stream in (frame(TEXT, payload), frame(TEXT, payload, final = False), frame(CLOSE, pack('!H', 1000) + payload)):
            reader = FrameReader()
            reader.feed(stream)
            with pytest.raises(FrameError) as context:
                next(reader.frames)
            
            exception = context.value
            assert 'secret' not in str(exception)
            assert exception.__context__ is None
            assert exception.__cause__ is None


@pytest.mark.parametrize('size', (125, 126, 127, 65535, 65536, 65537, 1 << 22))
@pytest.mark.parametrize('chunk_size', (4096, 65536, 262144))
def test__FrameReader__sizes(size, chunk_size):
    """Every encoding of a length is read, around its borders, over many chunks."""
    payload = bytes(range(256)) * (size // 256) + b'z' * (size % 256)
    stream = frame(BINARY, payload) + frame(TEXT, b'end')
    chunks = [stream[index : index + chunk_size] for index in range(0, len(stream), chunk_size)]
    
    assert read(chunks) == ([(BINARY, payload), (TEXT, b'end')], None)


class CountingBytes(bytes):
    """
    Counts the bytes that are copied out of it.
    """
    copied = 0
    
    def __getitem__(self, key):
        value = bytes.__getitem__(self, key)
        if isinstance(key, slice):
            CountingBytes.copied += len(value)
            return CountingBytes(value)
        
        CountingBytes.copied += 1
        return value
    
    
    def __add__(self, other):
        value = bytes.__add__(self, other)
        CountingBytes.copied += len(value)
        return CountingBytes(value)


@pytest.mark.parametrize('chunk_size', (1, 2, 7, 125, 4000))
@pytest.mark.parametrize(
    'stream',
    (
        frame(BINARY, b'x' * 200000),
        frame(BINARY, b'x' * 60000) * 4,
        frame(BINARY, b'x' * 100) * 2000,
        frame(TEXT, b'x' * 100, final = False) + frame(CONTINUATION, b'x' * 100, final = False) * 2000,
        frame(PING, b'x' * 125) * 1500,
    ),
    ids = ('one large', 'some of 60 KB', 'many small', 'many fragments', 'many pings'),
)
def test__FrameReader__linear(stream, chunk_size):
    """However the stream is cut, the bytes that are copied are a small multiple of those that came."""
    chunks = [CountingBytes(stream[index : index + chunk_size]) for index in range(0, len(stream), chunk_size)]
    CountingBytes.copied = 0
    events, close_code = read_one_way(chunks, False)
    
    assert close_code is None
    # In single bytes, a control frame is copied once for each of its bytes; it has at most 127.
    limit = 70 if (stream[0] & 0xf == PING) and (chunk_size < 125) else 16 if chunk_size < 16 else 3
    assert CountingBytes.copied < len(stream) * limit


def collect(stream, **options):
    """Reads a whole stream. Returns what comes out, as it comes."""
    reader = FrameReader(**options)
    reader.feed(stream)
    items = []
    for item in reader.frames:
        if (item is None) and (reader.operation == OPERATION_NONE):
            return items
        
        items.append(item)


def test__FrameReader__batches():
    """Small messages come in batches, which end before anything else; order is kept."""
    small = [b'%d' % index for index in range(BATCH_COUNT + 3)]
    large = b'x' * (BATCH_MESSAGE_SIZE + 1)
    stream = b''.join([
        *(frame(BINARY, message) for message in small), frame(PING), frame(BINARY, b'a'), frame(BINARY, large),
        frame(BINARY, b'b'), frame(BINARY, b'c', final = False), frame(CONTINUATION, b'd'), frame(BINARY, b''),
        frame(BINARY, b'e'), frame(BINARY, b'cut')[:-1],
    ])
    assert collect(stream) == [
        small[:BATCH_COUNT], small[BATCH_COUNT:], None, [b'a'], large, [b'b'], b'cd', [b'', b'e'],
    ]
    assert collect(stream, batch_count = 1) == [
        *([message] for message in small), None, [b'a'], large, [b'b'], b'cd', [b''], [b'e'],
    ]


@pytest.mark.parametrize('size', (126, 127, 255, 256, 1000, BATCH_MESSAGE_SIZE - 1, BATCH_MESSAGE_SIZE))
def test__FrameReader__batches__size(size):
    """What a batch holds is bounded in bytes, as it is inflated in one go."""
    messages = [b'%04d' % index + b'x' * (size - 4) for index in range(200)]
    batches = collect(b''.join(frame(BINARY, message) for message in messages))
    assert [message for batch in batches for message in batch] == messages
    count = min(BATCH_SIZE // size, BATCH_COUNT)
    assert {len(batch) for batch in batches[:-1]} == {count}


@pytest.mark.parametrize('size', (0, 1, 2, 125, 126, 127, 128, 65535, 65536))
def test__FrameReader__feed_or_take(size):
    """A whole binary message that is alone in its chunk is taken, if it has up to 64 KB and nothing is left in front."""
    payload = b'x' * size
    stream = frame(BINARY, payload)
    reader = FrameReader()
    for _ in range(2):
        message = reader.feed_or_take(stream)
        if size < 65536:
            assert message == payload
            assert reader.queued_size == 0
        else:
            assert message is None
            assert next(reader.frames) == payload
            assert next(reader.frames) is None
    
    for before in (stream[: 1], b'\x82\x7e\x01', frame(BINARY, b'a', final = False), frame(BINARY, b'a'), frame(PING)):
        reader = FrameReader()
        reader.feed(before)
        assert reader.feed_or_take(stream) is None
        
        reader = FrameReader()
        reader.feed(before)
        for message in reader.frames:
            if message is None and reader.operation == OPERATION_NONE:
                break
        
        assert (reader.feed_or_take(stream) is None) == ((before not in (frame(BINARY, b'a'), frame(PING))) or (size > 65535))


def test__FrameReader__fragments():
    """A message of very many fragments gives the word back now and then, so that others get their turn."""
    reader = FrameReader()
    reader.feed(frame(BINARY, final = False) + frame(CONTINUATION, final = False) * (10 * FRAGMENT_COUNT) + frame(CONTINUATION))
    operations = []
    for message in reader.frames:
        operations.append(reader.operation if message is None else message)
        if operations[-1] == OPERATION_NONE:
            break
    
    assert operations == [OPERATION_CONTINUATION] * 10 + [b'', OPERATION_NONE]


def test__FrameReader__queued_size():
    """What was fed and not yet looked at is known, and dropped by closing."""
    reader = FrameReader()
    assert reader.queued_size == 0
    
    reader.feed(frame(BINARY, b'abc'))
    reader.feed(frame(BINARY, b'abc'))
    assert reader.queued_size == 10
    
    assert next(reader.frames) == [b'abc']
    assert reader.queued_size == 5
    
    reader.close()
    assert reader.queued_size == 0
    assert list(reader.frames) == []


def test__FrameReader__close_while_iterating():
    """Closing ends the iteration: who gives a connection up hears nothing more from it."""
    reader = FrameReader(batch_count = 1)
    reader.feed(frame(BINARY, b'a') * 3)
    messages = []
    for message in reader.frames:
        messages.append(message)
        reader.close()
    
    assert messages == [[b'a']]
    assert reader.operation == OPERATION_NONE


def test__FrameReader__repr():
    """The representation holds no content."""
    reader = FrameReader()
    reader.feed(b'secret')
    assert repr(reader) == '<FrameReader queued_size = 6>'


@pytest.mark.parametrize('size', (0, 1, 3, 4, 5, 125, 126, 65535, 65536, 100001))
def test__build_frame(size):
    """A built frame is final, masked, minimally encoded, and holds the payload."""
    payload = bytes(index * 7 & 0xff for index in range(size))
    mask = b'\x01\x80\xff\x00'
    built = build_frame(BINARY, payload, mask)
    
    assert built[0] == 0x82
    assert built[1] & 0x80
    length = built[1] & 0x7f
    position = 2
    if length == 126:
        length = int.from_bytes(built[2:4], 'big')
        assert length > 125
        position = 4
    elif length == 127:
        length = int.from_bytes(built[2:10], 'big')
        assert length > 65535
        position = 10
    
    assert length == size
    assert built[position : position + 4] == mask
    masked = built[position + 4 :]
    assert bytes(byte ^ mask[index % 4] for index, byte in enumerate(masked)) == payload


@pytest.mark.parametrize('code', (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4000, 4999))
def test__close_payload__round_trip(code):
    """The codes that may be on the wire, 1012 and 1014 among them, are built and parsed."""
    assert is_close_code_sendable(code)
    assert parse_close_payload(build_close_payload(code)) == (code, '')
    assert parse_close_payload(build_close_payload(code, 'bye \u2603')) == (code, 'bye \u2603')


@pytest.mark.parametrize('code', (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535))
def test__close_payload__invalid_code(code):
    """The codes that may not be on the wire are neither built nor parsed."""
    assert not is_close_code_sendable(code)
    with pytest.raises(ValueError):
        build_close_payload(code)
    
    with pytest.raises(FrameError) as context:
        parse_close_payload(pack('!H', code))
    
    assert context.value.close_code == 1002


def test__close_payload__no_code():
    """A close frame may be empty."""
    assert parse_close_payload(b'') == (None, '')


def test__build_close_payload__long_reason():
    """A reason is cut to what fits into a control frame, and not inside of a character."""
    payload = build_close_payload(4000, '\u2603' * 100)
    assert len(payload) == 125
    assert parse_close_payload(payload) == (4000, '\u2603' * 41)
