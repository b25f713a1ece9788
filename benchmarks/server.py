"""
The other end of a measurement: a process of its own that sends prepared bytes as fast as they are read.

It answers the few requests that a bot makes while it logs in, shakes hands, sends `HELLO`, and after IDENTIFY what the
recording begins with. The events leave on `/benchmark/go`, for all connections at once. Nothing is compressed or framed
while they leave, so that the reader is what is measured. Heartbeats are acknowledged behind what is under way, as they
are on Discord, because a compressed stream cannot be told anything in between.

Controlled over HTTP on the same port, by the process that started it:

- `/benchmark/connections` tells how many connections have identified.
- `/benchmark/go` starts sending to them.
- `/benchmark/heartbeats` tells when the one that identified last sent heartbeats.
"""
__all__ = ('Server', 'main')

from argparse import ArgumentParser
from json import dumps as dump_to_json
from selectors import DefaultSelector, EVENT_READ, EVENT_WRITE
from socket import AF_INET, IPPROTO_TCP, SOCK_STREAM, SOL_SOCKET, SO_REUSEADDR, TCP_NODELAY, socket as Socket
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from sys import stdin, stdout
from time import monotonic
from urllib.parse import urlsplit

from .peer import Peer
from .recording import Recording
from .wire import Compressor

# Between the last IDENTIFY and the first event, so that what a bot does after logging in is over. Seconds.
SETTLE_DURATION = 1.0

# Connections that may wait to be accepted: all shards of a measurement connect at once.
LISTEN_BACKLOG = 1024


class Server:
    """
    The server.
    
    Attributes
    ----------
    _after : `dict<str, None | Compressor>`
        By compression: the compressor as it is after the events.
    _before : `dict<str, None | Compressor>`
        By compression: the compressor as it is before the events.
    _go_at : `float`
        When to start sending. `0.0` while nobody asked.
    _listeners : `list<Socket>`
        Listening sockets: plain, and TLS if there is a certificate.
    _prepared : `dict<str, tuple<bytes, bytes, bytes>>`
        By compression: the frames of `HELLO`, of what follows IDENTIFY, and of the events.
    heartbeat_interval : `int`
        Milliseconds.
    heartbeats : `list<float>`
        When the connection that identified last sent heartbeats.
    payload_hello : `bytes`
        The first payload of each connection.
    peers : `set<Peer>`
        Everyone connected.
    recording : ``Recording``
        What is sent.
    selector : `DefaultSelector`
        Tells which sockets are ready.
    shard_count : `int`
        Shards that are recommended to a bot.
    tls_context : `None | SSLContext`
        For the TLS port.
    """
    __slots__ = (
        '_after', '_before', '_go_at', '_listeners', '_prepared', 'heartbeat_interval', 'heartbeats', 'payload_hello',
        'peers', 'recording', 'selector', 'shard_count', 'tls_context'
    )
    
    def __new__(cls, recording, heartbeat_interval, shard_count, certificate_path):
        """
        Creates a new server.
        
        Parameters
        ----------
        recording : ``Recording``
            What is sent.
        heartbeat_interval : `int`
            Milliseconds.
        shard_count : `int`
            Shards that are recommended to a bot.
        certificate_path : `None | str`
            A file with a private key and its certificate. Without there is no TLS.
        """
        if certificate_path is None:
            tls_context = None
        else:
            tls_context = SSLContext(PROTOCOL_TLS_SERVER)
            tls_context.load_cert_chain(certificate_path)
        
        self = object.__new__(cls)
        self._after = {}
        self._before = {}
        self._go_at = 0.0
        self._prepared = {}
        self.heartbeat_interval = heartbeat_interval
        self.heartbeats = []
        self.payload_hello = dump_to_json(
            {'t': None, 's': None, 'op': 10, 'd': {'heartbeat_interval': heartbeat_interval, '_trace': ['benchmark']}},
            separators = (',', ':'),
        ).encode()
        self.peers = set()
        self.recording = recording
        self.selector = DefaultSelector()
        self.shard_count = shard_count
        self.tls_context = tls_context
        self._listeners = [self._listen()]
        if (tls_context is not None):
            self._listeners.append(self._listen())
        return self
    
    
    def __repr__(self):
        """Returns the server's representation."""
        return f'<{type(self).__name__} ports = {self.ports!r}, peers = {len(self.peers)!r}>'
    
    
    def _listen(self):
        """
        Opens a port on loopback.
        
        Returns
        -------
        listener : `Socket`
        """
        listener = Socket(AF_INET, SOCK_STREAM)
        listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        listener.bind(('127.0.0.1', 0))
        listener.listen(LISTEN_BACKLOG)
        listener.setblocking(False)
        self.selector.register(listener, EVENT_READ, None)
        return listener
    
    
    @property
    def ports(self):
        """
        The ports: plain, and TLS if there is a certificate.
        
        Returns
        -------
        ports : `list<int>`
        """
        return [listener.getsockname()[1] for listener in self._listeners]
    
    
    def prepare(self, name):
        """
        Returns the frames for a compression.
        
        Parameters
        ----------
        name : `str`
            Name of the compression.
        
        Returns
        -------
        hello : `bytes`
        preface : `bytes`
        events : `bytes`
        """
        try:
            return self._prepared[name]
        except KeyError:
            pass
        
        compressor = Compressor(name)
        hello = compressor.create_frame(self.payload_hello)
        # Most libraries send a heartbeat as soon as they have read HELLO.
        frames = [compressor.create_frame(Peer.PAYLOAD_ACKNOWLEDGE)]
        frames.extend(compressor.create_frame(payload) for payload in self.recording.preface)
        preface = b''.join(frames)
        self._before[name] = compressor.copy()
        compressor = compressor.follow()
        events = b''.join([compressor.create_frame(payload) for payload in self.recording.payloads])
        self._after[name] = compressor
        prepared = (hello, preface, events)
        self._prepared[name] = prepared
        return prepared
    
    
    def create_compressor(self, name, with_events):
        """
        Creates a compressor for what a connection is sent beyond the prepared bytes.
        
        Parameters
        ----------
        name : `str`
            Name of the compression.
        with_events : `bool`
            Whether the events are sent already.
        
        Returns
        -------
        compressor : ``None | Compressor``
            `None` if nothing may come before the events.
        """
        if not with_events:
            compressor = self._before[name]
            return None if compressor is None else compressor.copy()
        
        compressor = self._after[name]
        if name == 'zstd-stream':
            # Its state can not be copied: the first connection takes it, for others it is made again. The measurements
            # with more than one connection have no events, so that takes no time.
            self._after[name] = None
            if compressor is None:
                compressor = Compressor(name)
                for payload in (
                    self.payload_hello, Peer.PAYLOAD_ACKNOWLEDGE, *self.recording.preface, *self.recording.payloads
                ):
                    compressor.compress(payload)
            
            return compressor
        
        return compressor.copy()
    
    
    def run(self):
        """
        Serves until the process that started this one closes standard input.
        """
        selector = self.selector
        selector.register(stdin, EVENT_READ, None)
        
        while True:
            timeout = None
            if self._go_at:
                timeout = self._go_at - monotonic()
                if timeout <= 0.0:
                    timeout = None
                    self._go_at = 0.0
                    for peer in [peer for peer in self.peers if peer.identified]:
                        peer.send_events()
            
            for key, mask in selector.select(timeout):
                peer = key.data
                if (peer is not None):
                    peer.handle(mask)
                
                elif key.fileobj is stdin:
                    return
                
                else:
                    self._accept(key.fileobj)
    
    
    def _accept(self, listener):
        """
        Accepts a connection.
        
        Parameters
        ----------
        listener : `Socket`
            Where the connection arrives.
        """
        try:
            socket, _ = listener.accept()
        except BlockingIOError:
            return
        
        socket.setblocking(False)
        socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        if listener is not self._listeners[0]:
            socket = self.tls_context.wrap_socket(socket, server_side = True, do_handshake_on_connect = False)
        
        peer = Peer(self, socket)
        self.peers.add(peer)
        self.selector.register(socket, EVENT_READ, peer)
    
    
    def watch(self, peer, writable):
        """
        Sets what to wait for on a peer's socket.
        
        Parameters
        ----------
        peer : ``Peer``
            The peer.
        writable : `bool`
            Whether something is left to be written.
        """
        self.selector.modify(peer.socket, (EVENT_READ | EVENT_WRITE) if writable else EVENT_READ, peer)
    
    
    def forget(self, peer):
        """
        Forgets a peer that is gone.
        
        Parameters
        ----------
        peer : ``Peer``
            The peer.
        """
        self.peers.discard(peer)
        self.selector.unregister(peer.socket)
        peer.socket.close()
    
    
    def answer(self, peer, target):
        """
        Answers a request.
        
        Parameters
        ----------
        peer : ``Peer``
            Who asks.
        target : `str`
            The request's path and query.
        """
        path = urlsplit(target).path
        
        if path == '/benchmark/heartbeats':
            peer.answer_json(self.heartbeats)
        
        elif path == '/benchmark/connections':
            peer.answer_json(sum(other.is_settled for other in self.peers))
        
        elif path == '/benchmark/go':
            self._go_at = monotonic() + SETTLE_DURATION
            peer.answer_json(None)
        
        elif path.endswith('/gateway/bot') or path.endswith('/gateway'):
            scheme = 'ws' if self.tls_context is None else 'wss'
            peer.answer_json({
                'url': f'{scheme}://127.0.0.1:{self.ports[-1]}',
                'shards': self.shard_count,
                # One bucket for each shard: the pause between identifies is not what is measured.
                'session_start_limit': {
                    'total': 1000, 'remaining': 1000, 'reset_after': 86400000, 'max_concurrency': max(self.shard_count, 1),
                },
            })
        
        elif path.endswith('/users/@me'):
            peer.answer_json(self._get_user())
        
        elif path.endswith('/applications/@me'):
            peer.answer_json(self._get_application())
        
        elif path.endswith('/emojis'):
            peer.answer_json({'items': []})
        
        else:
            peer.answer_json([])
    
    
    def _get_user(self):
        """
        Returns the bot's user data.
        
        Returns
        -------
        data : `dict<str, object>`
        """
        return {
            'id': '100000000000000001', 'username': 'benchmark', 'discriminator': '0000', 'avatar': None, 'bot': True,
            'global_name': None, 'public_flags': 0, 'flags': 0, 'verified': True, 'mfa_enabled': False, 'locale': 'en-US',
            'email': None, 'premium_type': 0,
        }
    
    
    def _get_application(self):
        """
        Returns the bot's application data.
        
        Returns
        -------
        data : `dict<str, object>`
        """
        return {
            'id': '100000000000000001', 'name': 'benchmark', 'icon': None, 'description': '', 'bot_public': True,
            'bot_require_code_grant': False, 'verify_key': '0' * 64, 'flags': 0, 'owner': self._get_user(), 'team': None,
        }


def main(arguments = None):
    """
    Runs a server: prints its ports and serves.
    
    Parameters
    ----------
    arguments : `None | list<str>` = `None`, Optional
        Command line arguments.
    """
    parser = ArgumentParser()
    parser.add_argument('recording')
    parser.add_argument('--certificate')
    parser.add_argument('--compression', action = 'append', default = [])
    parser.add_argument('--heartbeat-interval', type = int, default = 41250)
    parser.add_argument('--shards', type = int, default = 1)
    namespace = parser.parse_args(arguments)
    
    server = Server(
        Recording.read(namespace.recording), namespace.heartbeat_interval, namespace.shards, namespace.certificate
    )
    wire_sizes = {name: len(server.prepare(name)[2]) for name in namespace.compression}
    stdout.write(dump_to_json({'ports': server.ports, 'wire_sizes': wire_sizes}) + '\n')
    stdout.flush()
    server.run()


if __name__ == '__main__':
    main()
