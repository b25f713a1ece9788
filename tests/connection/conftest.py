"""
A web socket server of plain blocking sockets, for tests that decide about every byte.

The test's thread is the server; the client runs on hata's event loop, which is a thread of its own. So a test reads from
top to bottom, and waits for things by receiving them.
"""
import socket as module_socket
from base64 import b64encode as base64_encode
from hashlib import sha1
from queue import Queue
from struct import pack, unpack
from threading import Event
from types import SimpleNamespace

import pytest
from hata import KOKORO
from scarletio.http_client import HTTPClient

from hata_gateway_ext.connection.web_socket import GatewayWebSocket

# Seconds after which a test gives up. No test waits for it to pass.
TIMEOUT = 10.0


def frame(operation, payload = b'', *, final = True, reserved = 0, mask = None, length = None, length_bytes = None):
    """
    Builds a frame as a server sends it, or as it must not.
    """
    first = (0x80 if final else 0) | (reserved << 4) | operation
    if length is None:
        length = len(payload)
    
    if length_bytes is None:
        length_bytes = 0 if length < 126 else 2 if length < 65536 else 8
    
    mask_bit = 0 if mask is None else 0x80
    if length_bytes == 0:
        head = pack('!BB', first, mask_bit | length)
    elif length_bytes == 2:
        head = pack('!BBH', first, mask_bit | 126, length)
    else:
        head = pack('!BBQ', first, mask_bit | 127, length)
    
    if mask is not None:
        head += mask
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    
    return head + payload


async def _call(function):
    return function()


def run_on_loop(function):
    """
    Calls the function on the event loop and returns its result.
    """
    return KOKORO.run(_call(function), timeout = TIMEOUT)


class RecordingReceiver:
    """
    Receives one message at a time and keeps them.
    """
    def __init__(self, callback = None):
        self.messages = Queue()
        self.callback = callback
    
    
    def message_received(self, data, is_text):
        self.messages.put((data, is_text))
        if self.callback is not None:
            self.callback(data)
    
    
    def get(self):
        return self.messages.get(timeout = TIMEOUT)


class RecordingHandler:
    """
    Keeps how web sockets ended.
    """
    def __init__(self):
        self.ends = []
        self.ended = Event()
    
    
    def web_socket_closed(self, web_socket, close_code, reason, exception):
        self.ends.append((close_code, reason, exception))
        self.ended.set()
    
    
    def get(self):
        assert self.ended.wait(TIMEOUT)
        return self.ends[0]


class RawPeer:
    """
    The server's side of a connection.
    """
    def __init__(self, socket):
        socket.settimeout(TIMEOUT)
        self.socket = socket
        self.buffer = b''
        self.request = b''
    
    
    def __enter__(self):
        return self
    
    
    def __exit__(self, *exception):
        self.socket.close()
    
    
    def receive_exactly(self, size):
        while len(self.buffer) < size:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            
            self.buffer += data
        
        data = self.buffer[:size]
        self.buffer = self.buffer[size:]
        return data
    
    
    def receive_request(self):
        while b'\r\n\r\n' not in self.buffer:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            
            self.buffer += data
        
        self.request, self.buffer = self.buffer.split(b'\r\n\r\n', 1)
        return self.request
    
    
    def get_accept(self):
        for line in self.request.split(b'\r\n'):
            name, _, value = line.partition(b':')
            if name.lower() == b'sec-websocket-key':
                key = value.strip()
                return base64_encode(sha1(key + b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest())
        
        raise AssertionError('No key.')
    
    
    def accept(self, data = b''):
        """
        Answers the handshake, with `data` in the same segment.
        """
        self.receive_request()
        self.socket.sendall(
            b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: '
            + self.get_accept() + b'\r\n\r\n' + data
        )
    
    
    def send(self, data):
        self.socket.sendall(data)
    
    
    def receive_frame(self):
        """
        Receives a frame of the client: `(operation, payload)`.
        """
        first, second = self.receive_exactly(2)
        assert first & 0x80 and not first & 0x70
        assert second & 0x80, 'Frames of a client are masked.'
        length = second & 0x7f
        if length == 126:
            length, = unpack('!H', self.receive_exactly(2))
        elif length == 127:
            length, = unpack('!Q', self.receive_exactly(8))
        
        mask = self.receive_exactly(4)
        payload = self.receive_exactly(length)
        repeated = (mask * (length // 4 + 1))[:length]
        payload = (int.from_bytes(payload, 'big') ^ int.from_bytes(repeated, 'big')).to_bytes(length, 'big')
        return first & 0xf, payload
    
    
    def expect_end(self):
        """
        Waits until the client has ended the connection. Returns what came before.
        """
        received = self.buffer
        try:
            while True:
                data = self.socket.recv(65536)
                if not data:
                    break
                
                received += data
        except ConnectionError:
            pass
        
        return received


class RawServer:
    """
    Listens on loopback.
    """
    def __init__(self, receive_buffer_size = 0, ssl_context = None):
        self.ssl_context = ssl_context
        self.socket = module_socket.socket()
        if receive_buffer_size:
            self.socket.setsockopt(module_socket.SOL_SOCKET, module_socket.SO_RCVBUF, receive_buffer_size)
        self.socket.bind(('127.0.0.1', 0))
        self.socket.listen(16)
        self.socket.settimeout(TIMEOUT)
        self.port = self.socket.getsockname()[1]
        self.url = '%s://127.0.0.1:%d/' % ('ws' if ssl_context is None else 'wss', self.port)
    
    
    def __enter__(self):
        return self
    
    
    def __exit__(self, *exception):
        self.socket.close()
    
    
    def accept(self):
        socket = self.socket.accept()[0]
        socket.settimeout(TIMEOUT)
        if self.ssl_context is not None:
            socket = self.ssl_context.wrap_socket(socket, server_side = True)
        
        return RawPeer(socket)


def start_connecting(url, handler, receiver, http_client = None, **keywords):
    """
    Starts to connect a web socket. Returns a future whose `.wait(timeout)` gives it.
    """
    async def connect_web_socket():
        return await GatewayWebSocket(
            KOKORO, url, http_client = http_client, handler = handler, receiver = receiver, **keywords
        )
    
    return KOKORO.create_task_thread_safe(connect_web_socket()).sync_wrap()


class connect:
    """
    Context manager that connects a web socket to a server: `with connect() as (web_socket, peer, receiver, handler)`.
    """
    def __init__(
        self, data = b'', *, receiver = None, callback = None, receive_buffer_size = 0, server_ssl_context = None, **keywords
    ):
        self.data = data
        self.receiver = RecordingReceiver(callback) if receiver is None else receiver
        self.handler = RecordingHandler()
        self.server = RawServer(receive_buffer_size, server_ssl_context)
        self.peer = None
        self.web_socket = None
        self.keywords = keywords
    
    
    def __enter__(self):
        future = start_connecting(self.server.url, self.handler, self.receiver, **self.keywords)
        self.peer = self.server.accept()
        self.peer.accept(self.data)
        self.web_socket = future.wait(TIMEOUT)
        return self.web_socket, self.peer, self.receiver, self.handler
    
    
    def __exit__(self, *exception):
        run_on_loop(self.web_socket.abort)
        self.peer.socket.close()
        self.server.socket.close()


@pytest.fixture
def raw():
    """
    The tools of this module.
    """
    return SimpleNamespace(
        HTTPClient = HTTPClient,
        RawServer = RawServer,
        RecordingHandler = RecordingHandler,
        RecordingReceiver = RecordingReceiver,
        TIMEOUT = TIMEOUT,
        connect = connect,
        frame = frame,
        run_on_loop = run_on_loop,
        start_connecting = start_connecting,
    )
