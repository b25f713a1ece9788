"""
One connection of the benchmark's server: HTTP until it is upgraded, then the gateway as far as a measurement needs it.
"""
__all__ = ('Peer',)

from base64 import b64encode
from hashlib import sha1
from json import dumps as dump_to_json, loads as from_json
from selectors import EVENT_READ, EVENT_WRITE
from ssl import SSLWantReadError, SSLWantWriteError
from time import monotonic
from urllib.parse import parse_qs, urlsplit

from .wire import create_frame

# RFC 6455, 1.3
HANDSHAKE_KEY = b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

# Bytes given to the socket at once: more than a socket takes, so that each write fills it.
WRITE_SIZE = 1 << 20

READ_SIZE = 1 << 16

OPERATION_HEARTBEAT = 1
OPERATION_IDENTIFY = 2

# RFC 6455, 5.2
FRAME_OPERATION_CLOSE = 8
FRAME_OPERATION_PING = 9
FRAME_CLOSE = b'\x88\x02\x03\xe8'
FRAME_HEAD_PONG = 0x8a


class Peer:
    """
    One connection.
    
    Attributes
    ----------
    _compression : `None | str`
        Name of the compression. `None` until the connection is upgraded.
    _compressor : `None | Compressor`
        Compresses what comes between and after the prepared bytes. `None` if there may be nothing.
    _handshaking : `bool`
        Whether TLS is not established yet.
    _owed : `int`
        Acknowledgements that are owed.
    _received : `bytearray`
        Bytes that are not handled yet.
    _to_write : `list<memoryview>`
        What is left to be written.
    heartbeats : `list<float>`
        When heartbeats arrived, in seconds of the monotonic clock.
    identified : `bool`
        Whether IDENTIFY has arrived.
    server : ``Server``
        Whom the connection belongs to.
    socket : `Socket`
        The socket.
    """
    __slots__ = (
        '__weakref__', '_compression', '_compressor', '_handshaking', '_owed', '_received', '_to_write',
        'heartbeats', 'identified', 'server', 'socket'
    )
    
    PAYLOAD_ACKNOWLEDGE = b'{"t":null,"s":null,"op":11,"d":null}'
    
    def __new__(cls, server, socket):
        """
        Creates a new peer.
        
        Parameters
        ----------
        server : ``Server``
            Whom the connection belongs to.
        socket : `Socket`
            The socket.
        """
        self = object.__new__(cls)
        self._compression = None
        self._compressor = None
        self._handshaking = hasattr(socket, 'do_handshake')
        self._owed = 0
        self._received = bytearray()
        self._to_write = []
        self.heartbeats = []
        self.identified = False
        self.server = server
        self.socket = socket
        return self
    
    
    def __repr__(self):
        """Returns the peer's representation."""
        return f'<{type(self).__name__} compression = {self._compression!r}, identified = {self.identified!r}>'
    
    
    @property
    def is_settled(self):
        """
        Whether the peer has identified and everything is written.
        
        Returns
        -------
        is_settled : `bool`
        """
        return self.identified and (not self._to_write)
    
    
    def handle(self, mask):
        """
        Handles a socket that is ready.
        
        Parameters
        ----------
        mask : `int`
            What it is ready for.
        """
        try:
            if self._handshaking:
                self.socket.do_handshake()
                self._handshaking = False
                self.server.watch(self, False)
                return
            
            if mask & EVENT_READ:
                self._read()
            
            if mask & EVENT_WRITE:
                self._write()
        except SSLWantReadError:
            self.server.watch(self, bool(self._to_write) and (not self._handshaking))
        except SSLWantWriteError:
            self.server.watch(self, True)
        except BlockingIOError:
            return
        except (ConnectionError, OSError):
            self.server.forget(self)
    
    
    def _read(self):
        """
        Reads what there is and handles it.
        
        Raises
        ------
        ConnectionError
            - The other side is gone.
        """
        while True:
            data = self.socket.recv(READ_SIZE)
            if not data:
                raise ConnectionError
            
            self._received += data
            if self._compression is None:
                self._handle_request()
            else:
                self._handle_frames()
            
            if not getattr(self.socket, 'pending', int)():
                return
    
    
    def _handle_request(self):
        """
        Handles a request, once it is whole. None of them has a body.
        """
        received = self._received
        end = received.find(b'\r\n\r\n')
        if end < 0:
            return
        
        lines = received[:end].decode('latin-1').split('\r\n')
        del received[:end + 4]
        target = lines[0].split(' ')[1]
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(':')
            headers[name.strip().lower()] = value.strip()
        
        key = headers.get('sec-websocket-key', None)
        if key is None:
            self.server.answer(self, target)
            return
        
        self._compression = parse_qs(urlsplit(target).query).get('compress', ['none'])[0]
        accept = b64encode(sha1(key.encode() + HANDSHAKE_KEY).digest()).decode()
        self._send(
            f'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
            f'Sec-WebSocket-Accept: {accept}\r\n\r\n'.encode()
        )
        self._send(self.server.prepare(self._compression)[0])
        self._handle_frames()
    
    
    def answer_json(self, data):
        """
        Answers a request. hata waits for ever for the rate limit headers if they are missing.
        
        Parameters
        ----------
        data : `object`
            The answer.
        """
        body = dump_to_json(data).encode()
        self._send(
            f'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n'
            f'Date: Sat, 01 Aug 2026 12:00:00 GMT\r\n'
            f'X-RateLimit-Limit: 50\r\nX-RateLimit-Remaining: 49\r\nX-RateLimit-Reset: 1785585601.000\r\n'
            f'X-RateLimit-Reset-After: 1.000\r\nX-RateLimit-Bucket: benchmark\r\n\r\n'.encode() + body
        )
    
    
    def _handle_frames(self):
        """
        Handles the frames that are whole. Clients mask theirs, and send short ones only.
        """
        received = self._received
        while len(received) >= 6:
            operation = received[0] & 15
            length = received[1] & 127
            start = 2
            if length == 126:
                length = int.from_bytes(received[2 : 4], 'big')
                start = 4
            elif length == 127:
                length = int.from_bytes(received[2 : 10], 'big')
                start = 10
            
            end = start + 4 + length
            if len(received) < end:
                return
            
            mask = received[start : start + 4]
            message = bytes(byte ^ mask[index & 3] for index, byte in enumerate(received[start + 4 : end]))
            del received[:end]
            
            if operation == FRAME_OPERATION_CLOSE:
                self._send(FRAME_CLOSE)
                raise ConnectionError
            
            if operation == FRAME_OPERATION_PING:
                self._send(create_frame(FRAME_HEAD_PONG, message))
                continue
            
            self._handle_payload(from_json(message))
    
    
    def _handle_payload(self, payload):
        """
        Handles what the client says.
        
        Parameters
        ----------
        payload : `dict<str, object>`
            The payload.
        """
        operation = payload['op']
        if operation == OPERATION_IDENTIFY:
            self.identified = True
            self.server.heartbeats = self.heartbeats
            self._owed = 0
            self._send(self.server.prepare(self._compression)[1])
            self._compressor = self.server.create_compressor(self._compression, False)
            if not self.server.recording.event_count:
                self.send_events()
        
        elif operation == OPERATION_HEARTBEAT:
            self.heartbeats.append(monotonic())
            self._owed += 1
            self._acknowledge()
    
    
    def send_events(self):
        """
        Sends the events. Acknowledgements that were owed follow.
        """
        self._send(self.server.prepare(self._compression)[2])
        self._compressor = self.server.create_compressor(self._compression, True)
        self._acknowledge()
    
    
    def _acknowledge(self):
        """
        Acknowledges heartbeats; later, if nothing may come before the events.
        """
        compressor = self._compressor
        if compressor is None:
            return
        
        for _ in range(self._owed):
            self._send(compressor.create_frame(self.PAYLOAD_ACKNOWLEDGE))
        self._owed = 0
    
    
    def _send(self, data):
        """
        Sends data as far as the socket takes it, the rest later.
        
        Parameters
        ----------
        data : `bytes`
            The data.
        """
        self._to_write.append(memoryview(data))
        if len(self._to_write) == 1:
            self.server.watch(self, True)
    
    
    def _write(self):
        """
        Writes what the socket takes.
        """
        to_write = self._to_write
        while to_write:
            data = to_write[0]
            sent = self.socket.send(data[:WRITE_SIZE])
            if sent == len(data):
                del to_write[0]
            else:
                to_write[0] = data[sent:]
        
        self.server.watch(self, False)
