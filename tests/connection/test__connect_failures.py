"""
Verified TLS, and the names of what goes wrong while a connection is made: by real connections to sockets of the test.
"""
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from ssl import CERT_REQUIRED

import pytest
from hata import KOKORO
from scarletio import IgnoreCaseMultiValueDictionary, render_exception_into
from scarletio.http_client import ConnectorTCP, HTTPClient, Proxy, SSLFingerprint
from scarletio.web_common import BasicAuthorization, URL

from hata_gateway_ext.errors import (
    CONNECT_FAILURE_HANDSHAKE, CONNECT_FAILURE_HTTP, CONNECT_FAILURE_NAME, CONNECT_FAILURE_REFUSED,
    CONNECT_FAILURE_TIMEOUT, CONNECT_FAILURE_TLS, CONNECT_FAILURE_UNREACHABLE, GatewayConnectReport
)
from hata_gateway_ext.connection.connect_failures import (
    _parse_retry_after, classify_connect_failure, create_verified_connector, is_verifying
)
from hata_gateway_ext.protocol.errors import PayloadError

PASSWORD = 'hakurei' + 'shrine'

# Too long for DNS: it is refused without asking anyone.
UNKNOWN_HOST = '.'.join(['a' * 60] * 5) + '.invalid'


def connect(raw, url, serve = None, **keywords):
    """
    Connects a web socket to the url, and returns the report about why that failed. `serve` is called with the server's side
    of the connection.
    """
    server = raw.RawServer() if url is None else None
    handler = raw.RecordingHandler()
    
    async def create_http_client():
        return HTTPClient(KOKORO, **keywords)
    
    http_client = KOKORO.run(create_http_client(), raw.TIMEOUT)
    proxy = http_client.proxy
    if server is not None and proxy is not None:
        proxy.url = URL(f'http://127.0.0.1:{server.port}/')
        url = 'wss://127.0.0.1:4242/'
    elif server is not None:
        url = server.url
    
    future = raw.start_connecting(url, handler, raw.RecordingReceiver(), http_client)
    try:
        if server is not None:
            with server.accept() as peer:
                serve(peer)
        
        with pytest.raises(BaseException) as exception_info:
            future.wait(raw.TIMEOUT)
    finally:
        if server is not None:
            server.socket.close()
    
    return classify_connect_failure(exception_info.value, 'gensokyo', 3)


def render(report):
    """What hata writes about an exception that is not handled."""
    return ''.join(render_exception_into(report, []))


def answer(status_line, *headers):
    """Returns a server that answers the request."""
    def serve(peer):
        peer.receive_request()
        peer.send('\r\n'.join([f'HTTP/1.1 {status_line}', *headers, 'Content-Length: 0', '', '']).encode())
    
    return serve


def test__classify_connect_failure__refused(raw):
    """Nobody listens."""
    with raw.RawServer() as server:
        port = server.port
    
    report = connect(raw, f'ws://127.0.0.1:{port}/')
    assert type(report) is GatewayConnectReport
    assert report.kind == CONNECT_FAILURE_REFUSED
    assert report.shard_id == 3
    assert str(report) == 'Shard 3: gensokyo refused the connection.'
    assert report.__cause__ is not None


def test__classify_connect_failure__name(raw):
    """The name is unknown. The message ends once."""
    report = connect(raw, f'ws://{UNKNOWN_HOST}:4242/')
    assert report.kind == CONNECT_FAILURE_NAME
    assert 'gensokyo' in str(report)
    assert str(report).endswith('.')
    assert not str(report).endswith('..')


@pytest.mark.parametrize(
    ('status_line', 'headers', 'status', 'retry_after'),
    (
        ('429 Too Many Requests', ('Retry-After: 12.5',), 429, 12.5),
        ('503 Service Unavailable', (), 503, 0.0),
        ('200 OK', (), 200, 0.0),
        ('302 Found', ('Location: wss://127.0.0.1:4242/',), 302, 0.0),
    ),
)
def test__classify_connect_failure__http(raw, status_line, headers, status, retry_after):
    """The upgrade is refused with a status."""
    report = connect(raw, None, answer(status_line, *headers))
    assert report.kind == CONNECT_FAILURE_HTTP
    assert report.status == status
    assert report.retry_after == retry_after
    assert f'HTTP {status}' in str(report)


def test__classify_connect_failure__handshake(raw):
    """A server that switches to something else."""
    report = connect(raw, None, answer('101 Switching Protocols', 'Upgrade: h2c', 'Connection: Upgrade'))
    assert report.kind == CONNECT_FAILURE_HANDSHAKE
    assert report.status is None


@pytest.mark.parametrize('data', (b'', b'HTTP/1.1 101', b'SSH-2.0-OpenSSH\r\n\r\n'), ids = repr)
def test__classify_connect_failure__unreachable(raw, data):
    """A server that hangs up, or talks of something else."""
    def serve(peer):
        peer.receive_request()
        peer.send(data)
    
    report = connect(raw, None, serve)
    assert report.kind == CONNECT_FAILURE_UNREACHABLE
    assert str(report).startswith('Shard 3: no connection to gensokyo: ')


def test__classify_connect_failure__timeout():
    """Whatever is late."""
    report = classify_connect_failure(TimeoutError(), 'gensokyo', 3)
    assert report.kind == CONNECT_FAILURE_TIMEOUT


def test__classify_connect_failure__malformed():
    """An answer that is none."""
    report = classify_connect_failure(PayloadError('There is no `url`.'), 'gensokyo', 3)
    assert report.kind == CONNECT_FAILURE_HANDSHAKE
    assert str(report) == 'Shard 3: gensokyo does not answer as it should: There is no `url`.'


def test__classify_connect_failure__circle():
    """A chain of causes that is a circle has an end."""
    first, second = OSError(), OSError()
    first.__cause__ = second
    second.__cause__ = first
    assert classify_connect_failure(first, 'gensokyo', None).kind == CONNECT_FAILURE_UNREACHABLE


def test__classify_connect_failure__tls(raw):
    """What is spoken is no TLS."""
    with raw.RawServer() as server:
        future = raw.start_connecting(
            f'wss://127.0.0.1:{server.port}/', raw.RecordingHandler(), raw.RecordingReceiver(), None
        )
        with server.accept() as peer:
            peer.socket.recv(4096)
            peer.send(b'HTTP/1.1 400 Bad Request\r\n\r\n')
        
            with pytest.raises(OSError) as exception_info:
                future.wait(raw.TIMEOUT)
    
    report = classify_connect_failure(exception_info.value, 'gensokyo', 3)
    assert report.kind == CONNECT_FAILURE_TLS


def create_proxy():
    """A proxy that wants a password. Its url is set once the server is there."""
    return Proxy(URL('http://127.0.0.1:4242/'), authorization = BasicAuthorization('reimu', PASSWORD))


def test__classify_connect_failure__proxy_refuses(raw):
    """What a proxy says is told apart from what Discord says."""
    report = connect(raw, None, answer('407 Proxy Authentication Required'), proxy = create_proxy())
    assert report.kind == CONNECT_FAILURE_HTTP
    assert report.status == 407
    assert 'proxy' in str(report)
    assert PASSWORD not in render(report)


@pytest.mark.parametrize('data', (b'', b'no TLS at all' * 8), ids = repr)
def test__classify_connect_failure__proxy_password(raw, data):
    """The password for a proxy is in no report, whatever happens behind the proxy."""
    def serve(peer):
        peer.receive_request()
        assert b'Proxy-Authorization' in peer.request
        peer.send(b'HTTP/1.1 200 OK\r\n\r\n')
        peer.socket.recv(4096)
        peer.send(data)
    
    report = connect(raw, None, serve, proxy = create_proxy())
    assert report.kind in (CONNECT_FAILURE_TLS, CONNECT_FAILURE_UNREACHABLE)
    assert PASSWORD not in render(report)


@pytest.mark.parametrize(
    ('value', 'retry_after'),
    (
        (None, 0.0), ('3', 3.0), ('0.25', 0.25), ('-1', 0.0), ('nan', 0.0), ('', 0.0), ('soon', 0.0),
        ('Mon, 99 Foo 2026 25:61:61 GMT', 0.0), ('Wed, 21 Oct 2015 07:28:00 GMT', 0.0), ('Wed, 21 Oct 2015 07:28:00', 0.0),
        (', , , ,', 0.0), ('1 2 3 4 5 6', 0.0), ('Mon, 1 Jan 99999 00:00:00 GMT', 0.0),
    ),
)
def test__parse_retry_after(value, retry_after):
    """Seconds, or a date; what is neither is nothing."""
    headers = IgnoreCaseMultiValueDictionary()
    if value is not None:
        headers['retry-after'] = value
    
    assert _parse_retry_after(headers) == retry_after


def test__parse_retry_after__date():
    """A date in the future."""
    headers = IgnoreCaseMultiValueDictionary()
    headers['Retry-After'] = format_datetime(datetime.now(timezone.utc) + timedelta(seconds = 60.0), usegmt = True)
    assert 50.0 < _parse_retry_after(headers) <= 60.0
    assert _parse_retry_after(None) == 0.0


def test__create_verified_connector():
    """Certificates and host names are verified; the rest is as it was."""
    async def test():
        connector = ConnectorTCP(KOKORO, force_close = True)
        assert not is_verifying(connector)
        
        verified_connector = create_verified_connector(connector)
        assert is_verifying(verified_connector)
        assert verified_connector.ssl_context.verify_mode == CERT_REQUIRED
        assert verified_connector.ssl_context.check_hostname
        assert verified_connector.force_close
        assert verified_connector.family == connector.family
        assert not connector.closed
    
    KOKORO.run(test(), 10.0)


def test__is_verifying():
    """A fingerprint is a way to verify; what is no connector of scarletio's is its owner's business."""
    async def test():
        assert is_verifying(ConnectorTCP(KOKORO, ssl_fingerprint = SSLFingerprint(b'a' * 32)))
        assert is_verifying(object())
    
    KOKORO.run(test(), 10.0)
