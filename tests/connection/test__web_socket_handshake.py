"""
The opening handshake of ``GatewayWebSocket``: what is sent, and which answers are refused.
"""
import ssl

import pytest
import trustme
from hata import KOKORO
from scarletio.http_client import ConnectorTCP, HTTPClient, Proxy
from scarletio.web_common import InvalidHandshake


def test__handshake__request(raw):
    """The request is a web socket's, with a new key each time, and carries the given headers."""
    keys = set()
    for _ in range(2):
        with raw.connect(headers = {'X-Test': 'yes'}) as (web_socket, peer, receiver, handler):
            lines = peer.request.decode('ascii').split('\r\n')
            headers = {}
            for line in lines[1:]:
                name, value = line.split(': ', 1)
                assert name.lower() not in headers
                headers[name.lower()] = value
            
            assert lines[0] == 'GET / HTTP/1.1'
            assert headers['upgrade'] == 'websocket'
            assert headers['connection'] == 'Upgrade'
            assert headers['sec-websocket-version'] == '13'
            assert headers['host'].startswith('127.0.0.1:')
            assert headers['x-test'] == 'yes'
            assert 'sec-websocket-extensions' not in headers
            assert 'sec-websocket-protocol' not in headers
            keys.add(headers['sec-websocket-key'])
    
    assert len(keys) == 2


SWITCH = b'HTTP/1.1 101 Switching Protocols\r\n'
UPGRADE = b'Upgrade: websocket\r\n'
CONNECTION = b'Connection: Upgrade\r\n'

REFUSED = {
    'status 200': (b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n', 200, 'status'),
    'status 401': (b'HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nno!', 401, 'status'),
    'status 429': (b'HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n', 429, 'status'),
    'status 503': (b'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 0\r\n', 503, 'status'),
    'redirect': (b'HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n', 302, 'status'),
    'permanent redirect': (b'HTTP/1.1 301 Moved\r\nLocation: /other\r\nContent-Length: 0\r\n', 301, 'status'),
    'http 1.0': (b'HTTP/1.0 101 Switching Protocols\r\n' + UPGRADE + CONNECTION + b'{accept}', 101, '1.1'),
    'no connection header': (SWITCH + UPGRADE + b'{accept}', 101, 'Connection'),
    'another connection header': (SWITCH + UPGRADE + b'Connection: close\r\n{accept}', 101, 'Connection'),
    'no upgrade header': (SWITCH + CONNECTION + b'{accept}', 101, 'Upgrade'),
    'another upgrade': (SWITCH + CONNECTION + b'Upgrade: h2c\r\n{accept}', 101, 'Upgrade'),
    'two upgrades': (SWITCH + UPGRADE + b'Upgrade: WebSocket\r\n' + CONNECTION + b'{accept}', 101, 'Upgrade'),
    'upgrade list': (SWITCH + CONNECTION + b'Upgrade: websocket, h2c\r\n{accept}', 101, 'Upgrade'),
    'no accept': (SWITCH + UPGRADE + CONNECTION, 101, 'Accept'),
    'wrong accept': (
        SWITCH + UPGRADE + CONNECTION + b'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n', 101, 'Accept',
    ),
    'accept in another case': (SWITCH + UPGRADE + CONNECTION + b'{lower_accept}', 101, 'Accept'),
    'two accepts': (
        SWITCH + UPGRADE + CONNECTION + b'{accept}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n', 101, 'Accept',
    ),
    'extension': (
        SWITCH + UPGRADE + CONNECTION + b'{accept}Sec-WebSocket-Extensions: permessage-deflate\r\n', 101, 'Extensions',
    ),
    'subprotocol': (SWITCH + UPGRADE + CONNECTION + b'{accept}Sec-WebSocket-Protocol: chat\r\n', 101, 'Protocol'),
}


@pytest.mark.parametrize('name', REFUSED)
def test__handshake__refused(raw, name):
    """An answer that is not exactly a web socket server's is refused, and says why; the connection is ended."""
    answer, status, word = REFUSED[name]
    handler = raw.RecordingHandler()
    with raw.RawServer() as server:
        future = raw.start_connecting(server.url, handler, raw.RecordingReceiver())
        with server.accept() as peer:
            peer.receive_request()
            accept = b'Sec-WebSocket-Accept: ' + peer.get_accept() + b'\r\n'
            lower_accept = b'Sec-WebSocket-Accept: ' + peer.get_accept().swapcase() + b'\r\n'
            peer.send(answer.replace(b'{accept}', accept).replace(b'{lower_accept}', lower_accept) + b'\r\n')
            
            with pytest.raises(InvalidHandshake) as context:
                future.wait(raw.TIMEOUT)
            
            response = context.value.response
            assert response.status == status
            assert word in str(context.value.message)
            if b'Retry-After' in answer:
                assert response.headers['retry-after'] == '7'
    
    assert not handler.ends


@pytest.mark.parametrize('case', (str.lower, str.upper, str.title))
def test__handshake__case(raw, case):
    """Names of headers and the tokens of `Connection` and `Upgrade` have no case."""
    with raw.RawServer() as server:
        future = raw.start_connecting(server.url, raw.RecordingHandler(), raw.RecordingReceiver())
        with server.accept() as peer:
            peer.receive_request()
            peer.send(
                b'HTTP/1.1 101 Whatever\r\n' + case('upgrade: websocket\r\nconnection: upgrade\r\n').encode()
                + case('sec-websocket-accept').encode() + b': ' + peer.get_accept() + b'\r\n\r\n'
            )
            web_socket = future.wait(raw.TIMEOUT)
            assert web_socket.open
            raw.run_on_loop(web_socket.abort)


def test__handshake__end_instead_of_an_answer(raw):
    """A server that ends the connection instead of answering is an error of the connection."""
    with raw.RawServer() as server:
        future = raw.start_connecting(server.url, raw.RecordingHandler(), raw.RecordingReceiver())
        with server.accept() as peer:
            peer.receive_request()
        
        with pytest.raises(Exception) as context:
            future.wait(raw.TIMEOUT)
        
        assert not isinstance(context.value, (TimeoutError, InvalidHandshake))


def test__handshake__refused_connection(raw):
    """A port that nobody listens on is an `OSError`."""
    with raw.RawServer() as server:
        url = server.url
    
    with pytest.raises(OSError):
        raw.start_connecting(url, raw.RecordingHandler(), raw.RecordingReceiver()).wait(raw.TIMEOUT)


@pytest.mark.parametrize('end', (False, True))
def test__handshake__data_behind_the_answer(raw, end):
    """
    What comes in one piece with the answer is read, in order, even if the connection ends with it; and not before whoever
    connects has the web socket.
    """
    web_sockets = []
    
    def callback(data):
        web_sockets.append(context.web_socket is not None)
    
    context = raw.connect(receiver = raw.RecordingReceiver())
    handler = context.handler
    receiver = context.receiver
    with context.server as server:
        future = raw.start_connecting(server.url, handler, receiver)
        with server.accept() as peer:
            data = raw.frame(2, b'1') + raw.frame(2, b'2')
            if end:
                data += raw.frame(8, b'\x0f\xa4why')
            
            peer.accept(data)
            if end:
                peer.socket.shutdown(1)
            
            web_socket = future.wait(raw.TIMEOUT)
            assert receiver.get() == (b'1', False)
            assert receiver.get() == (b'2', False)
            if end:
                assert handler.get() == (4004, 'why', None)
            else:
                raw.run_on_loop(web_socket.abort)
                assert handler.get() == (None, '', None)


@pytest.mark.parametrize('refused', (False, True))
def test__handshake__proxy(raw, refused):
    """A proxy of the http client is used; one that refuses is reported."""
    with raw.RawServer() as proxy_server:
        async def create_http_client():
            return HTTPClient(KOKORO, proxy = Proxy('http://127.0.0.1:%d' % proxy_server.port))
        
        http_client = KOKORO.run(create_http_client(), raw.TIMEOUT)
        receiver = raw.RecordingReceiver()
        future = raw.start_connecting('ws://127.0.0.1:65001/', raw.RecordingHandler(), receiver, http_client)
        with proxy_server.accept() as peer:
            assert peer.receive_request().startswith(b'CONNECT 127.0.0.1:65001 HTTP/1.1')
            if refused:
                peer.send(b'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
                with pytest.raises(Exception, match = '403'):
                    future.wait(raw.TIMEOUT)
                return
            
            peer.send(b'HTTP/1.1 200 OK\r\n\r\n')
            peer.accept(raw.frame(2, b'through'))
            web_socket = future.wait(raw.TIMEOUT)
            assert receiver.get() == (b'through', False)
            raw.run_on_loop(web_socket.abort)


@pytest.fixture(scope = 'module')
def authority():
    """A certificate authority of our own."""
    return trustme.CA()


def create_tls(authority, name):
    """The TLS contexts of a server with a certificate for the name, and of a client that trusts its authority."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(server_context)
    client_context = ssl.create_default_context()
    authority.configure_trust(client_context)
    return server_context, client_context


def create_tls_http_client(raw, client_context):
    """An http client that verifies."""
    async def create():
        return HTTPClient(KOKORO, connector = ConnectorTCP(KOKORO, ssl_context = client_context))
    
    return KOKORO.run(create(), raw.TIMEOUT)


@pytest.mark.parametrize('peer_closes', (False, True))
def test__handshake__tls(raw, authority, peer_closes):
    """Over TLS: messages both ways, and both ways to close."""
    server_context, client_context = create_tls(authority, '127.0.0.1')
    http_client = create_tls_http_client(raw, client_context)
    large = bytes(range(256)) * 2000
    with raw.connect(server_ssl_context = server_context, http_client = http_client) as (
        web_socket, peer, receiver, handler
    ):
        assert web_socket.is_ssl
        peer.send(raw.frame(2, large) + raw.frame(9, b'ping'))
        assert receiver.get() == (large, False)
        assert peer.receive_frame() == (10, b'ping')
        
        raw.run_on_loop(lambda: web_socket.send_message(large))
        assert peer.receive_frame() == (2, large)
        
        if peer_closes:
            peer.send(raw.frame(8, b'\x0f\xa4'))
            assert peer.receive_frame() == (8, b'\x0f\xa4')
            assert handler.get() == (4004, '', None)
            peer.socket.close()
            KOKORO.run(web_socket.close(), raw.TIMEOUT)
        else:
            closing = KOKORO.create_task_thread_safe(web_socket.close(4000)).sync_wrap()
            assert peer.receive_frame() == (8, b'\x0f\xa0')
            peer.send(raw.frame(8, b'\x0f\xa0'))
            peer.socket.close()
            closing.wait(raw.TIMEOUT)
            assert handler.get() == (4000, '', None)
        
        assert web_socket.closed
        assert len(handler.ends) == 1


def test__handshake__tls_not_verified(raw, authority):
    """With a verifying http client, a server with a certificate for another name gets no request."""
    server_context, client_context = create_tls(authority, 'example.org')
    http_client = create_tls_http_client(raw, client_context)
    with raw.RawServer(ssl_context = server_context) as server:
        future = raw.start_connecting(server.url, raw.RecordingHandler(), raw.RecordingReceiver(), http_client)
        with pytest.raises((ssl.SSLError, OSError)):
            with server.accept() as peer:
                peer.receive_request()
        
        with pytest.raises(ssl.SSLError):
            future.wait(raw.TIMEOUT)
