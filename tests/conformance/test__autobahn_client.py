"""
The conformance client, against a small fuzzing server that speaks Autobahn's protocol.
"""
import json
import socket as module_socket
from base64 import b64encode as base64_encode
from hashlib import sha1
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from struct import pack, unpack
from threading import Thread
from urllib.parse import parse_qs as parse_query

import pytest

TIMEOUT = 10.0

specification = spec_from_file_location('autobahn_client', Path(__file__).with_name('autobahn_client.py'))
autobahn_client = module_from_spec(specification)
specification.loader.exec_module(autobahn_client)


def build_frame(operation, payload = b'', final = True):
    """Builds a frame of a server."""
    first = (0x80 if final else 0) | operation
    if len(payload) < 126:
        return pack('!BB', first, len(payload)) + payload
    
    return pack('!BBQ' if len(payload) > 65535 else '!BBH', first, 127 if len(payload) > 65535 else 126, len(payload)) + payload


class FuzzingServer:
    """Serves its cases, each a list of what is sent and what is expected."""
    def __init__(self, cases):
        self.cases = cases
        self.requests = []
        self.results = {}
        self.socket = module_socket.create_server(('127.0.0.1', 0))
        self.socket.settimeout(TIMEOUT)
        self.url = 'ws://127.0.0.1:%d' % self.socket.getsockname()[1]
        self.thread = Thread(target = self.run, daemon = True)
        self.thread.start()
    
    
    def run(self):
        while True:
            with self.socket.accept()[0] as connection:
                connection.settimeout(TIMEOUT)
                if not self.serve(connection.makefile('rwb', buffering = 0)):
                    break
    
    
    def serve(self, file):
        """Serves one connection. Returns whether there are more to come."""
        head = []
        while True:
            line = self.read_line(file)
            if not line:
                break
            head.append(line)
        
        path, _, query = head[0].split()[1].decode().partition('?')
        parameters = {name: value for name, (value,) in parse_query(query).items()}
        self.requests.append((path, parameters))
        key, = (line.split(b':')[1].strip() for line in head if line.lower().startswith(b'sec-websocket-key'))
        accept = base64_encode(sha1(key + b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest())
        file.write(
            b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: '
            + accept + b'\r\n\r\n'
        )
        
        if path == '/getCaseCount':
            file.write(build_frame(1, b'%d' % len(self.cases)))
        elif path == '/runCase':
            case = int(parameters['case'])
            sent, expected = self.cases[case - 1]
            file.write(sent)
            self.results[case] = [self.read_frame(file) for _ in expected] == expected
        
        file.write(build_frame(8, pack('!H', 1000)))
        assert self.read_frame(file) == (8, pack('!H', 1000))
        return path != '/updateReports'
    
    
    @staticmethod
    def read_exactly(file, size):
        data = b''
        while len(data) < size:
            data += file.read(size - len(data))
        return data
    
    
    def read_line(self, file):
        line = b''
        while not line.endswith(b'\r\n'):
            line += self.read_exactly(file, 1)
        return line[:-2]
    
    
    def read_frame(self, file):
        first, second = self.read_exactly(file, 2)
        length = second & 0x7f
        if length == 126:
            length, = unpack('!H', self.read_exactly(file, 2))
        elif length == 127:
            length, = unpack('!Q', self.read_exactly(file, 8))
        
        mask = self.read_exactly(file, 4)
        payload = self.read_exactly(file, length)
        return first & 0xf, bytes(byte ^ mask[index & 3] for index, byte in enumerate(payload))


LARGE = bytes(range(256)) * 300

CASES = [
    (build_frame(1, b'text'), [(1, b'text')]),
    (build_frame(2, LARGE), [(2, LARGE)]),
    (build_frame(9, b'ping') + build_frame(10, b'pong') + build_frame(2), [(10, b'ping'), (2, b'')]),
    (
        build_frame(1, b'\xe2', final = False) + build_frame(9) + build_frame(0, b'\x98\x83'),
        [(10, b''), (1, b'\xe2\x98\x83')],
    ),
]


def test__autobahn_client(capsys):
    """Every case is run once and echoed with its kind, and the report is asked for under the agent's name."""
    server = FuzzingServer(CASES)
    assert autobahn_client.main(['--url', server.url, '--agent', 'the agent']) == 0
    server.thread.join(TIMEOUT)
    
    assert server.requests == [
        ('/getCaseCount', {}), *(('/runCase', {'case': str(case), 'agent': 'the agent'}) for case in range(1, 5)),
        ('/updateReports', {'agent': 'the agent'}),
    ]
    assert server.results == dict.fromkeys(range(1, 5), True)
    assert '4 cases run' in capsys.readouterr().out


@pytest.mark.parametrize('behavior', ('OK', 'NON-STRICT', 'FAILED', 'WRONG CODE'))
def test__autobahn_client__report(tmp_path, capsys, behavior):
    """A failed case makes the exit code 1."""
    server = FuzzingServer(CASES)
    path = tmp_path / 'index.json'
    path.write_text(json.dumps({'x': {
        '1.1.1': {'behavior': 'OK', 'behaviorClose': 'OK'}, '7.9.1': {'behavior': 'OK', 'behaviorClose': behavior},
    }}))
    passed = behavior in ('OK', 'NON-STRICT')
    assert autobahn_client.main(
        ['--url', server.url, '--agent', 'x', '--case', '3', '--case', '1', '--report', str(path)]
    ) == (0 if passed else 1)
    assert set(server.results) == {1, 3}
    assert ('7.9.1' in capsys.readouterr().out) is (not passed)
