import json
import zlib
from http.client import HTTPConnection
from socket import create_connection

import pytest

from benchmarks.process import ServerProcess
from benchmarks.recording import Recording
from benchmarks.wire import Compressor

# Seconds; only a test that fails takes that long.
TIMEOUT = 20.0

HANDSHAKE = (
    b'GET /?v=10&encoding=json&compress=zlib-stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n'
    b'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
)


@pytest.fixture
def recording():
    return Recording.create(1, 40)


@pytest.fixture
def server(recording, tmp_path):
    path = str(tmp_path / 'recording')
    recording.write(path)
    with ServerProcess(path, ['zlib-stream']) as server:
        yield server


class _Client:
    """
    A client as simple as can be.
    """
    def __init__(self, port):
        self.socket = create_connection(('127.0.0.1', port), TIMEOUT)
        self.file = self.socket.makefile('rb')
        self.inflate = zlib.decompressobj().decompress
        self.socket.sendall(HANDSHAKE)
        self.head = []
        while True:
            line = self.file.readline()
            if line == b'\r\n':
                break
            self.head.append(line)
    
    
    def send(self, payload):
        message = json.dumps(payload).encode()
        self.socket.sendall(bytes((0x81, 0x80 | len(message))) + b'\x00\x00\x00\x00' + message)
    
    
    def receive(self):
        head = self.file.read(2)
        length = head[1]
        if length == 126:
            length = int.from_bytes(self.file.read(2), 'big')
        return self.inflate(self.file.read(length))
    
    
    def close(self):
        self.file.close()
        self.socket.close()


def test__Server__session(server, recording):
    """Shakes hands, says HELLO, and after IDENTIFY sends exactly the recording, with heartbeats acknowledged around it."""
    client = _Client(server.ports[0])
    try:
        assert client.head[0].startswith(b'HTTP/1.1 101')
        # The accept of this key is the example of RFC 6455.
        assert b'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n' in client.head
        assert json.loads(client.receive())['d']['heartbeat_interval'] == 41250
        
        client.send({'op': 2, 'd': {}})
        assert json.loads(client.receive())['op'] == 11
        assert client.receive() == recording.preface[0]
        
        client.send({'op': 1, 'd': 1})
        assert json.loads(client.receive())['op'] == 11
        
        assert server.request('/benchmark/connections') == 1
        server.request('/benchmark/go')
        assert [client.receive() for _ in recording.payloads] == recording.payloads
        
        client.send({'op': 1, 'd': 44})
        assert json.loads(client.receive())['op'] == 11
        assert len(server.request('/benchmark/heartbeats')) == 2
    finally:
        client.close()


def test__Server__answers_rest(server):
    """A bot is told the gateway's url, with the headers that hata waits for."""
    connection = HTTPConnection('127.0.0.1', server.ports[0], timeout = TIMEOUT)
    try:
        connection.request('GET', '/api/v10/gateway/bot')
        response = connection.getresponse()
        data = json.loads(response.read())
        assert data['url'] == f'ws://127.0.0.1:{server.ports[0]}'
        assert data['session_start_limit']['max_concurrency'] == 1
        for name in ('Limit', 'Remaining', 'Reset', 'Reset-After', 'Bucket'):
            assert response.getheader(f'X-RateLimit-{name}')
    finally:
        connection.close()


def test__Server__wire_sizes(server, recording):
    """The bytes on the wire are those of the events' frames: more than the messages, by a head of two or four bytes each."""
    compressor = Compressor('zlib-stream').follow()
    message_bytes = sum(len(compressor.compress(payload)) for payload in recording.payloads)
    
    head_bytes = server.wire_sizes['zlib-stream'] - message_bytes
    assert 2 * len(recording.payloads) <= head_bytes <= 4 * len(recording.payloads)
