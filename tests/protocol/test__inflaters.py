"""
The inflaters: payloads over messages, bounds, corruption.
"""
import zlib
from random import Random

import pytest

from hata_gateway_ext.protocol import inflaters as inflaters_module
from hata_gateway_ext.protocol.errors import InflateError
from hata_gateway_ext.protocol.frames import BATCH_COUNT, BATCH_MESSAGE_SIZE
from hata_gateway_ext.protocol.inflaters import (
    FIRST_SIZE, FRAME_COUNT_MAX, MAXIMAL_PAYLOAD_SIZE, NEXT_SIZE, PlainInflater, ZSTD_WINDOW_LOG_MAX, create_inflater,
    is_available
)

zstd = pytest.importorskip('backports.zstd')

COMPRESSIONS = ('none', 'zlib-stream', 'zstd-stream')
STREAMS = ('zlib-stream', 'zstd-stream')
SUFFIX = b'\x00\x00\xff\xff'


class PlainDeflater:
    """Compresses nothing."""
    def deflate(self, payload):
        return payload


class ZlibDeflater:
    """Compresses as a server of `zlib-stream`."""
    def __init__(self, level = 6):
        self.compressor = zlib.compressobj(level)
    
    
    def deflate(self, payload):
        return self.compressor.compress(payload) + self.compressor.flush(zlib.Z_SYNC_FLUSH)
    
    
    def finish(self, payload):
        return self.compressor.compress(payload) + self.compressor.flush(zlib.Z_FINISH)


class ZstdDeflater:
    """Compresses as a server of `zstd-stream`."""
    def __init__(self, options = None):
        self.compressor = zstd.ZstdCompressor(options = options)
    
    
    def deflate(self, payload):
        return self.compressor.compress(payload, zstd.ZstdCompressor.FLUSH_BLOCK)


def create_deflater(name):
    """Creates the opposite of an inflater."""
    return {'none': PlainDeflater, 'zlib-stream': ZlibDeflater, 'zstd-stream': ZstdDeflater}[name]()


def create_payload(size, seed = 0):
    """Something that is neither trivial nor impossible to compress."""
    random = Random(seed)
    words = [b'%08x' % random.getrandbits(32) for _ in range(200)]
    payload = b' '.join(random.choice(words) for _ in range(size // 9 + 1))
    return payload[:size]


SIZES = (
    1, 2, 600, FIRST_SIZE - 1, FIRST_SIZE, FIRST_SIZE + 1, 2 * FIRST_SIZE, 123456, NEXT_SIZE - 1, NEXT_SIZE,
    NEXT_SIZE + FIRST_SIZE - 1, NEXT_SIZE + FIRST_SIZE, NEXT_SIZE + FIRST_SIZE + 1, 3 * NEXT_SIZE,
)


@pytest.mark.parametrize('name', COMPRESSIONS)
def test__inflater__payloads(name):
    """Payloads of all sizes, around each border, come out as they went in, with one context for all of them."""
    deflater = create_deflater(name)
    inflater = create_inflater(name)
    
    assert inflater.name == name
    for size in (*SIZES, *SIZES[::-1]):
        payload = create_payload(size, size)
        assert inflater.feed(deflater.deflate(payload)) == payload


@pytest.mark.parametrize('name', STREAMS)
@pytest.mark.parametrize('size', (FIRST_SIZE - 1, FIRST_SIZE, FIRST_SIZE + 1, FIRST_SIZE + NEXT_SIZE, 5000000))
def test__inflater__well_compressed(name, size):
    """A few bytes that stand for many: all of them come out, and the next payload is not confused by it."""
    deflater = create_deflater(name)
    inflater = create_inflater(name)
    for payload in (b'x' * size, b'after', b'y' * size, b'end'):
        assert inflater.feed(deflater.deflate(payload)) == payload


@pytest.mark.parametrize('name', COMPRESSIONS)
def test__inflater__inflate_batch(name):
    """A batch gives the same payloads as its messages one by one, and single messages may come between batches."""
    deflater = create_deflater(name)
    payloads = [create_payload(size, size) for size in SIZES if size <= BATCH_MESSAGE_SIZE]
    inflater = create_inflater(name)
    for count in (1, 2, len(payloads)):
        received = []
        assert not inflater.inflate_batch([deflater.deflate(payload) for payload in payloads[:count]], received)
        assert received == payloads[:count]
        assert inflater.feed(deflater.deflate(b'between')) == b'between'


@pytest.mark.parametrize('name', STREAMS)
@pytest.mark.parametrize('count', (0, 1, 5))
def test__inflater__inflate_batch__corrupt(name, count):
    """Of a batch that is corrupt in the midst, what comes before that is kept; the rest is an error of ours."""
    deflater = create_deflater(name)
    payloads = [b'payload %d' % index for index in range(count)]
    junk = b'\x00' * 10 + SUFFIX if name == 'zlib-stream' else b'junk' * 10
    messages = [*(deflater.deflate(payload) for payload in payloads), junk * 2, deflater.deflate(b'behind')]
    received = []
    with pytest.raises(InflateError) as context:
        create_inflater(name).inflate_batch(messages, received)
    
    # Before zlib finds junk to be corrupt, it may give out what comes of its beginning.
    assert received[:count] == payloads
    assert b'behind' not in received
    assert context.value.__context__ is None


@pytest.mark.parametrize('cut', (1, 3, 9))
@pytest.mark.parametrize('is_first', (False, True))
def test__ZlibStreamInflater__inflate_batch__corrupt_behind_parts(is_first, cut):
    """What comes before a corrupt message is whole payloads, also where one came over several messages of that batch."""
    deflater = create_deflater('zlib-stream')
    inflater = create_inflater('zlib-stream')
    message = deflater.deflate(b'over several messages')
    parts = [message[: cut], message[cut : -2], message[-2 :]]
    payloads = []
    if is_first:
        # It begins in the batch before.
        assert not inflater.inflate_batch([parts.pop(0)], payloads)
        assert not payloads
    
    with pytest.raises(InflateError):
        inflater.inflate_batch([*parts, deflater.deflate(b'next'), b'\xff' * 10], payloads)
    
    assert payloads == [b'over several messages', b'next']


def split_stream(random, payloads):
    """
    Compresses payloads, and cuts the stream into messages that are no payloads: some have no suffix, and bring a part
    only, all of it but the suffix, or a part of the suffix.
    """
    deflater = create_deflater('zlib-stream')
    messages = []
    for payload in payloads:
        message = deflater.deflate(payload)
        cuts = sorted(random.choice((0, len(message) - random.randrange(6), random.randrange(len(message))))
            for _ in range(random.randrange(3)))
        start = 0
        for end in cuts:
            if start < end < len(message):
                messages.append(message[start : end])
                start = end
        
        messages.append(message[start :])
    
    return messages


@pytest.mark.parametrize('seed', range(200))
def test__ZlibStreamInflater__inflate_batch__over_messages(seed):
    """However a stream is cut into messages, and those into batches, what comes out of a batch is whole payloads."""
    random = Random(seed)
    payloads = [create_payload(random.randrange(1, 60), index) for index in range(20)]
    messages = split_stream(random, payloads)
    inflater = create_inflater('zlib-stream')
    received = []
    while messages:
        count = random.randrange(1, 9)
        assert not inflater.inflate_batch(messages[: count], received)
        del messages[: count]
        assert received == payloads[: len(received)]
    
    assert received == payloads


@pytest.mark.parametrize('is_last', (False, True))
def test__ZlibStreamInflater__inflate_batch__ended(is_last):
    """That the stream has ended is found out with the message it ends with, or with the one behind it."""
    deflater = create_deflater('zlib-stream')
    inflater = create_inflater('zlib-stream')
    batch = [deflater.deflate(b'first'), deflater.finish(b'last') + SUFFIX, b'behind' + SUFFIX]
    if is_last:
        del batch[2]
    
    payloads = []
    with pytest.raises(InflateError, match = 'has ended'):
        inflater.inflate_batch(batch, payloads)
    
    assert payloads == [b'first', b'last']


def inflate_in_batches(inflater, messages, count):
    """Inflates messages in batches, each as far as it goes at once."""
    received = []
    for index in range(0, len(messages), count):
        remaining = messages[index : index + count]
        while remaining:
            remaining = inflater.inflate_batch(remaining, received)
    
    return received


@pytest.mark.parametrize('count', (1, 2, 7, 64))
@pytest.mark.parametrize('seed', range(20))
def test__ZstdStreamInflater__frames(seed, count):
    """
    A frame of zstd may end with any message, and the next one begins another, in batches and one by one: libzstd goes on by
    itself. A message may have more than one frame as well.
    """
    random = Random(seed)
    payloads = []
    messages = []
    compressor = zstd.ZstdCompressor()
    share = random.choice((0.1, 0.5, 1.0))
    for index in range(100):
        payload = create_payload(random.choice((0, 1, 50, 600, FIRST_SIZE, FIRST_SIZE + 1)), index)
        if random.random() < share:
            cut = random.choice((0, len(payload) // 2))
            message = b''
            if cut:
                message = compressor.compress(payload[: cut], zstd.ZstdCompressor.FLUSH_FRAME)
            
            message += compressor.compress(payload[cut :], zstd.ZstdCompressor.FLUSH_FRAME)
        else:
            message = compressor.compress(payload, zstd.ZstdCompressor.FLUSH_BLOCK)
        
        payloads.append(payload)
        messages.append(message)
    
    assert inflate_in_batches(create_inflater('zstd-stream'), messages, count) == payloads
    
    inflater = create_inflater('zstd-stream')
    assert [inflater.feed(message) for message in messages] == payloads


def test__ZstdStreamInflater__frames_in_a_message():
    """A message of very many frames, each of which copies what is behind it, is refused."""
    frame = zstd.compress(b'x')
    assert create_inflater('zstd-stream').feed(frame * FRAME_COUNT_MAX) == b'x' * FRAME_COUNT_MAX
    for count in (FRAME_COUNT_MAX + 1, 100000):
        with pytest.raises(InflateError, match = 'frames'):
            create_inflater('zstd-stream').feed(frame * count)


@pytest.mark.parametrize('name', STREAMS)
@pytest.mark.parametrize('size', (FIRST_SIZE, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20))
def test__inflater__inflate_batch__well_compressed(name, size):
    """A small message that stands for a large payload is inflated whole, and so is what is around it."""
    deflater = create_deflater(name)
    payloads = [b'before', b'x' * size, b'between', b'y' * size, b'z' * size, b'after']
    messages = [deflater.deflate(payload) for payload in payloads]
    assert inflate_in_batches(create_inflater(name), messages, BATCH_COUNT) == payloads


@pytest.mark.parametrize('name', STREAMS)
def test__inflater__context(name):
    """The context lives as long as the connection: a repeated payload is small, and needs the ones before it."""
    deflater = create_deflater(name)
    payload = create_payload(600)
    first = deflater.deflate(payload)
    second = deflater.deflate(payload)
    
    assert len(second) < len(first) / 4
    
    inflater = create_inflater(name)
    assert inflater.feed(first) == payload
    assert inflater.feed(second) == payload
    
    with pytest.raises(InflateError):
        create_inflater(name).feed(second)


@pytest.mark.parametrize('size', (1, 2, 3, 4, 5, 100))
@pytest.mark.parametrize('payload_size', (600, FIRST_SIZE, 100000))
def test__ZlibStreamInflater__over_messages(size, payload_size):
    """A payload that comes over several messages is there with the last, even if its suffix is cut."""
    deflater = ZlibDeflater()
    inflater = create_inflater('zlib-stream')
    for seed in range(2):
        payload = create_payload(payload_size, seed)
        message = deflater.deflate(payload)
        parts = [message[index : index + size] for index in range(0, len(message), size)]
        for part in parts[:-1]:
            assert inflater.feed(part) is None
        
        assert inflater.feed(parts[-1]) == payload
        
        # A payload in a single message right after it.
        assert inflater.feed(deflater.deflate(b'whole')) == b'whole'


@pytest.mark.parametrize('name', STREAMS)
def test__inflater__maximal_size(name):
    """A payload of exactly the bound is accepted, one byte more is not; memory stays at a multiple of the bound."""
    deflater = create_deflater(name)
    inflater = create_inflater(name)
    assert len(inflater.feed(deflater.deflate(b'x' * MAXIMAL_PAYLOAD_SIZE))) == MAXIMAL_PAYLOAD_SIZE
    
    with pytest.raises(InflateError) as context:
        inflater.feed(deflater.deflate(b'x' * (MAXIMAL_PAYLOAD_SIZE + 1)))
    
    assert 'larger than' in str(context.value)


def create_zlib_bomb():
    """A few hundred KB, compressed, of a payload of 512 MiB."""
    compressor = zlib.compressobj(9)
    parts = [compressor.compress(b'\x00' * (1 << 20)) for _ in range(512)]
    return b''.join(parts) + compressor.flush(zlib.Z_SYNC_FLUSH)


def create_zstd_bomb():
    """A few tens of KB, compressed, of a payload of 512 MiB."""
    compressor = zstd.ZstdCompressor()
    parts = [compressor.compress(b'\x00' * (1 << 20)) for _ in range(512)]
    return b''.join(parts) + compressor.flush(zstd.ZstdCompressor.FLUSH_BLOCK)


@pytest.mark.parametrize(
    ('name', 'create_bomb'), (('zlib-stream', create_zlib_bomb), ('zstd-stream', create_zstd_bomb)),
)
def test__inflater__bomb(name, create_bomb, monkeypatch):
    """A bomb is given up when the bound is passed: no more is inflated than the bound and one step."""
    bomb = create_bomb()
    inflater = create_inflater(name)
    inflated = 0
    decompress = inflater._decompress
    
    def count(data, size):
        nonlocal inflated
        payload = decompress(data, size)
        inflated += len(payload)
        return payload
    
    inflater._decompress = count
    with pytest.raises(InflateError):
        inflater.feed(bomb)
    
    assert inflated <= MAXIMAL_PAYLOAD_SIZE + NEXT_SIZE


@pytest.mark.parametrize('name', STREAMS)
def test__inflater__bombs_in_a_batch(name):
    """
    Of a batch of bombs no more is there at once than what one payload may have, but for small ones in front of it; one that
    is over the bound is refused.
    """
    deflater = create_deflater(name)
    size = (1 << 20) if name == 'zlib-stream' else (1 << 25)
    remaining = [deflater.deflate(b'{"t":"' + b' ' * size) for _ in range(4)]
    assert max(map(len, remaining)) <= BATCH_MESSAGE_SIZE
    inflater = create_inflater(name)
    while remaining:
        payloads = []
        remaining = inflater.inflate_batch(remaining, payloads)
        assert (1 << 20) <= sum(map(len, payloads)) <= MAXIMAL_PAYLOAD_SIZE
    
    if name == 'zstd-stream':
        message = deflater.deflate(b' ' * (MAXIMAL_PAYLOAD_SIZE + 1))
        # Each block stands for 128 KiB.
        assert len(message) <= 2 * BATCH_MESSAGE_SIZE
        with pytest.raises(InflateError, match = 'larger than'):
            inflater.inflate_batch([message], [])


def test__ZlibStreamInflater__bomb_over_messages():
    """A bomb in small pieces is given up as well."""
    bomb = create_zlib_bomb()
    inflater = create_inflater('zlib-stream')
    fed = 0
    with pytest.raises(InflateError) as context:
        for index in range(0, len(bomb), 1000):
            inflater.feed(bomb[index : index + 1000])
            fed = index
    
    assert 'larger than' in str(context.value)
    assert fed < len(bomb) / 4


@pytest.mark.parametrize('name', STREAMS)
@pytest.mark.parametrize('junk', (b'\xff' * 50, b'{"op":10}', b'\x78\x9c\xff\xff\xff\xff' + SUFFIX, b'\x28\xb5\x2f\xfd\xff\xff'))
def test__inflater__corrupt(name, junk):
    """What is no compressed data is an error, and its text holds nothing of it."""
    inflater = create_inflater(name)
    with pytest.raises(InflateError) as context:
        inflater.feed(junk)
        # zstd may wait for more.
        inflater.feed(b'\xff' * 200)
    
    assert context.value.__context__ is None


@pytest.mark.parametrize('name', STREAMS)
def test__inflater__corrupt_in_the_midst(name):
    """A stream that goes wrong after some payloads is an error, not a wrong payload for ever."""
    deflater = create_deflater(name)
    inflater = create_inflater(name)
    for index in range(10):
        assert inflater.feed(deflater.deflate(b'{"s":%d}' % index)) == b'{"s":%d}' % index
    
    message = bytearray(deflater.deflate(create_payload(100000)))
    for index in range(0, len(message), 7):
        message[index] ^= 0xa5
    
    with pytest.raises(InflateError):
        for _ in range(3):
            inflater.feed(bytes(message))


def test__ZlibStreamInflater__ended_stream():
    """A stream that ends is an error at the next payload at the latest: what comes after would be lost silently."""
    compressor = zlib.compressobj()
    ended = compressor.compress(b'x' * 100000) + compressor.flush()
    inflater = create_inflater('zlib-stream')
    with pytest.raises(InflateError):
        inflater.feed(ended)
        inflater.feed(create_deflater('zlib-stream').deflate(b'next'))


def test__ZstdStreamInflater__window():
    """A frame may ask for the window that RFC 8878 recommends to accept, and for no larger one."""
    for window_log in (18, ZSTD_WINDOW_LOG_MAX):
        deflater = ZstdDeflater({zstd.CompressionParameter.window_log: window_log})
        assert create_inflater('zstd-stream').feed(deflater.deflate(b'abc')) == b'abc'
    
    deflater = ZstdDeflater({zstd.CompressionParameter.window_log: ZSTD_WINDOW_LOG_MAX + 1})
    with pytest.raises(InflateError):
        create_inflater('zstd-stream').feed(deflater.deflate(b'abc'))


def test__PlainInflater():
    """Without compression a message is the payload itself, not a copy."""
    message = create_payload(1000)
    assert create_inflater('none').feed(message) is message
    assert type(create_inflater('none')) is PlainInflater


def test__create_inflater__unknown():
    """An unknown compression is refused by name."""
    with pytest.raises(ValueError, match = 'br'):
        create_inflater('br')
    
    assert not is_available('br')


@pytest.mark.parametrize('name', COMPRESSIONS)
def test__is_available(name):
    """What is available can be created."""
    assert is_available(name)
    assert type(create_inflater(name)).__name__ in repr(create_inflater(name))


def test__is_available__no_zstd(monkeypatch):
    """Without `backports.zstd`, `zstd-stream` is not available and cannot be created; the others can."""
    monkeypatch.setattr(inflaters_module, 'ZstdDecompressor', None)
    
    assert not is_available('zstd-stream')
    with pytest.raises(ValueError, match = 'backports.zstd'):
        create_inflater('zstd-stream')
    
    assert is_available('zlib-stream')
    assert is_available('none')
