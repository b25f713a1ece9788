import zlib

import pytest

from benchmarks.wire import COMPRESSIONS, Compressor, create_frame, get_zstd

PAYLOADS = [b'{"t":"MESSAGE_CREATE","s":%d,"op":0,"d":{"content":"spell card"}}' % index for index in range(50)]

needs_zstd = pytest.mark.skipif(get_zstd() is None, reason = 'zstd is not installed')


def _create_inflate(name):
    if name == 'zlib-stream':
        return zlib.decompressobj().decompress
    
    if name == 'zstd-stream':
        return get_zstd().ZstdDecompressor().decompress
    
    return bytes


@pytest.mark.parametrize(
    'name', [pytest.param(name, marks = needs_zstd if name == 'zstd-stream' else ()) for name in COMPRESSIONS]
)
def test__Compressor__message_is_payload(name):
    """Each message gives exactly its payload, with one context for all."""
    compressor = Compressor(name)
    inflate = _create_inflate(name)
    
    assert [inflate(compressor.compress(payload)) for payload in PAYLOADS] == PAYLOADS


def test__Compressor__zlib_suffix():
    """Messages of zlib-stream end as Discord's do."""
    assert Compressor('zlib-stream').compress(PAYLOADS[0]).endswith(b'\x00\x00\xff\xff')


def test__Compressor__unknown():
    """An unknown name is refused."""
    with pytest.raises(ValueError, match = 'nonsense'):
        Compressor('nonsense')


def test__Compressor__follow__whatever_came_before():
    """What a following zlib compressor made can stand behind any other messages of the connection."""
    before = Compressor('zlib-stream')
    message = before.compress(PAYLOADS[0])
    following = before.follow()
    prepared = [following.compress(payload) for payload in PAYLOADS[1:]]
    
    for extra_count in (0, 1, 5):
        copy = before.copy()
        inflate = _create_inflate('zlib-stream')
        assert inflate(message) == PAYLOADS[0]
        for index in range(extra_count):
            assert inflate(copy.compress(PAYLOADS[index])) == PAYLOADS[index]
        
        assert [inflate(item) for item in prepared] == PAYLOADS[1:]


@pytest.mark.parametrize('length', (0, 1, 125, 126, 65535, 65536))
def test__create_frame__lengths(length):
    """Each length has the shortest form that RFC 6455 gives it."""
    message = bytes(length)
    frame = create_frame(0x82, message)
    
    assert frame[0] == 0x82
    assert frame.endswith(message)
    head = frame[1 : len(frame) - length]
    if length < 126:
        assert head == bytes((length,))
    elif length < 65536:
        assert head == b'\x7e' + length.to_bytes(2, 'big')
    else:
        assert head == b'\x7f' + length.to_bytes(8, 'big')
