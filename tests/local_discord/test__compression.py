"""
The compressions of the local Discord's gateway, and how its payloads are split.
"""
from zlib import decompressobj

import aiohttp
import pytest
from backports.zstd import ZstdDecompressor

from hata_gateway_ext.local_discord import LocalDiscord
from hata_gateway_ext.local_discord.compression import create_deflater

PAYLOADS = (b'{"op":10}', b'{"d":"' + b'satori' * 1000 + b'"}', b'{"op":11}')


def test__create_deflater__zlib_stream():
    """Each payload ends with the marker, and needs the context of those before."""
    deflater = create_deflater('zlib-stream')
    inflater = decompressobj()
    for payload in PAYLOADS:
        ((is_text, data),) = deflater.deflate(payload, None)
        assert not is_text
        assert data.endswith(b'\x00\x00\xff\xff')
        assert inflater.decompress(data) == payload


def test__create_deflater__zlib_stream_split():
    """A payload over the split goes out in several messages, of which only the last one ends with the marker."""
    deflater = create_deflater('zlib-stream')
    messages = [data for is_text, data in deflater.deflate(PAYLOADS[1], 10)]
    assert len(messages) > 1
    assert all(len(message) <= 10 for message in messages)
    assert [message.endswith(b'\x00\x00\xff\xff') for message in messages] == [False] * (len(messages) - 1) + [True]
    assert decompressobj().decompress(b''.join(messages)) == PAYLOADS[1]


def test__create_deflater__zstd_stream():
    """One message is one payload, and needs the context of those before."""
    deflater = create_deflater('zstd-stream')
    inflater = ZstdDecompressor()
    for payload in PAYLOADS:
        ((is_text, data),) = deflater.deflate(payload, 10)
        assert not is_text
        assert inflater.decompress(data) == payload


def test__create_deflater__none():
    """Without compression payloads are text."""
    assert create_deflater('none').deflate(PAYLOADS[1], 10) == [(True, PAYLOADS[1])]


@pytest.mark.parametrize('compression', ('none', 'zlib-stream', 'zstd-stream'))
async def test__compression__connection(discord, connect, compression):
    """A connection speaks the compression of its query, and a new one starts a new context."""
    for _ in range(2):
        peer = await connect(discord, compression)
        await peer.start()
        for index in range(50):
            discord.emit('TEST', {'index': index, 'text': 'koishi' * 100})

        for index in range(50):
            assert (await peer.expect_event('TEST'))['index'] == index

        await peer.close(1000)

    assert [record.compression for record in discord.recording.connections] == [compression] * 2


async def test__compression__message_split(connect):
    """With `message_split` a payload comes over several messages."""
    async with LocalDiscord(guilds = 0, message_split = 20) as discord:
        peer = await connect(discord, 'zlib-stream')
        await peer.start()
        assert peer.message_count > 2


async def test__compression__frame_split(connect):
    """With `frame_split` a message comes over several frames, and is still one message."""
    async with LocalDiscord(guilds = 0, frame_split = 7) as discord:
        peer = await connect(discord)
        await peer.start()
        assert peer.message_count == 2


async def test__compression__of_payloads(discord, connect):
    """
    `compress` in IDENTIFY without transport compression: large payloads come compressed, each for itself; small ones
    as text.
    """
    peer = await connect(discord)
    await peer.expect(10)
    await peer.identify(compress = True)
    await peer.receive_until('READY')
    discord.emit('TEST', {'text': 'satori' * 1000})
    message = await peer.receive_message()
    assert isinstance(message, bytes)
    assert len(message) < 1000
    discord.emit('TEST', {})
    assert isinstance(await peer.receive_message(), str)


@pytest.mark.parametrize('query', ({'compress': 'lz4-stream'}, {'compress': 'none'}, {'encoding': 'etf'}))
async def test__compression__unavailable(discord, connect, query):
    """What is not available is refused at the upgrade."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as exception_info:
        await connect(discord, query = query)

    assert exception_info.value.status == 400
    assert discord.recording.connections[0].refused_status == 400
