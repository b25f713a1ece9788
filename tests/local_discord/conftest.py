"""
A peer for the local Discord: a small gateway client on aiohttp, that does only what a test tells it.
"""
import json
from contextlib import asynccontextmanager
from zlib import decompressobj

import aiohttp
import pytest
from backports.zstd import ZstdDecompressor

from hata_gateway_ext.local_discord import LocalDiscord

# Seconds. Nothing here takes long; this only keeps a broken test from hanging.
TIMEOUT = 10.0

# What a peer waits for the answer to its close frame, and how it verifies TLS by default. Before aiohttp 3.11 both had
# another form.
try:
    CLOSE_TIMEOUT = aiohttp.ClientWSTimeout(ws_close = 1.0)
    SSL_DEFAULT = True
except AttributeError:
    CLOSE_TIMEOUT = 1.0
    SSL_DEFAULT = None


class PeerClosed(Exception):
    """The connection ended; `.code` is the close code, `None` if there was no close frame."""
    def __init__(self, code):
        Exception.__init__(self, code)
        self.code = code


class Peer:
    """
    A gateway connection.
    """
    def __init__(self, web_socket, compression, token):
        self.web_socket = web_socket
        self.compression = compression
        self.token = token
        self.message_count = 0
        self.sequence = None
        self.session_id = None
        self.resume_gateway_url = None
        self._zlib = decompressobj()
        self._zstd = ZstdDecompressor() if compression == 'zstd-stream' else None
        self._buffer = b''


    async def receive_message(self):
        """Receives a web socket message: `str` or `bytes`."""
        message = await self.web_socket.receive(timeout = TIMEOUT)
        if message.type is aiohttp.WSMsgType.CLOSE:
            raise PeerClosed(message.data)

        if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            raise PeerClosed(None)

        self.message_count += 1
        return message.data


    async def receive(self):
        """Receives a payload."""
        while True:
            data = await self.receive_message()
            if self.compression == 'zlib-stream':
                self._buffer += data
                if not self._buffer.endswith(b'\x00\x00\xff\xff'):
                    continue

                data = self._zlib.decompress(self._buffer)
                self._buffer = b''

            elif self.compression == 'zstd-stream':
                data = self._zstd.decompress(data)

            elif isinstance(data, bytes):
                data = decompressobj().decompress(data)

            payload = json.loads(data)
            if (payload.get('op', None) == 0) and (payload['s'] is not None):
                self.sequence = payload['s']
                if payload['t'] == 'READY':
                    self.session_id = payload['d'].get('session_id', None)
                    self.resume_gateway_url = payload['d'].get('resume_gateway_url', None)

            return payload


    async def expect(self, operation):
        """Receives a payload, which has to be of the operation. Returns its `d`."""
        payload = await self.receive()
        assert payload['op'] == operation, payload
        return payload['d']


    async def expect_event(self, name):
        """Receives a payload, which has to be the event. Returns its `d`."""
        payload = await self.receive()
        assert (payload['op'], payload['t']) == (0, name), payload
        return payload['d']


    async def receive_until(self, name):
        """Receives events up to the given one. Returns the payloads, without those that are no events."""
        payloads = []
        while True:
            payload = await self.receive()
            if payload['op'] == 0:
                payloads.append(payload)
                if payload['t'] == name:
                    return payloads


    async def expect_close(self):
        """Receives whatever comes until the connection ends. Returns the close code."""
        while True:
            try:
                await self.receive_message()
            except PeerClosed as exception:
                return exception.code


    async def send(self, operation, data):
        """Sends a payload."""
        await self.web_socket.send_str(json.dumps({'op': operation, 'd': data}))


    async def identify(self, shard = (0, 1), **fields):
        """Sends IDENTIFY."""
        await self.send(2, {'token': self.token, 'intents': 1, 'properties': {}, 'shard': list(shard), **fields})


    async def resume(self, session_id, sequence, token = None):
        """Sends RESUME."""
        await self.send(6, {
            'token': self.token if token is None else token, 'session_id': session_id, 'seq': sequence,
        })


    async def start(self, shard = (0, 1), guild_count = 0):
        """Receives HELLO, identifies and receives READY and the guilds."""
        await self.expect(10)
        await self.identify(shard)
        ready = await self.expect_event('READY')
        for _ in range(guild_count):
            await self.expect_event('GUILD_CREATE')

        return ready


    def abort(self):
        """Cuts the TCP connection, if it is not cut already."""
        connection = self.web_socket._response.connection
        if (connection is not None) and (connection.transport is not None):
            connection.transport.abort()


    async def close(self, code = 4000):
        """Closes."""
        await self.web_socket.close(code = code)


@pytest.fixture
async def discord():
    """A local Discord without guilds, and without waiting between identifies."""
    async with LocalDiscord(guilds = 0, identify_interval = 0.0) as discord:
        yield discord


@pytest.fixture
async def connect():
    """Connects peers: `await connect(discord)`. They are closed after the test."""
    async with aiohttp.ClientSession() as http:
        peers = []

        async def connect(discord, compression = 'none', url = None, *, query = None, token = None, ssl = None):
            parameters = {'v': '10', 'encoding': 'json'}
            if compression != 'none':
                parameters['compress'] = compression

            if (query is not None):
                parameters.update(query)

            web_socket = await http.ws_connect(
                discord.gateway_url if url is None else url, params = parameters, autoping = True, autoclose = False,
                max_msg_size = 0, timeout = CLOSE_TIMEOUT, ssl = SSL_DEFAULT if ssl is None else ssl,
            )
            peer = Peer(web_socket, compression, discord.token if token is None else token)
            peers.append(peer)
            return peer


        yield connect

        for peer in peers:
            peer.abort()


@pytest.fixture
def resumed(connect):
    """A resumed peer: `async with resumed(discord, peer) as new_peer`; RESUME was sent."""
    @asynccontextmanager
    async def resumed(discord, peer, sequence = None, compression = None):
        new_peer = await connect(
            discord, peer.compression if compression is None else compression, peer.resume_gateway_url
        )
        await new_peer.expect(10)
        await new_peer.resume(peer.session_id, peer.sequence if sequence is None else sequence)
        yield new_peer


    return resumed
