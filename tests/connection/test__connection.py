"""
One connection of a shard: how it is made, given up, and what of it is still heard then. The peer is a socket of the test.
"""
import pytest
from hata import InvalidToken, KOKORO
from hata.env import API_VERSION
from scarletio import CancelledError, sleep
from scarletio.http_client import HTTPClient

from hata_gateway_ext.errors import CONNECT_FAILURE_NAME, CONNECT_FAILURE_REFUSED, CONNECT_FAILURE_UNREACHABLE
from hata_gateway_ext.connection.connection import CLOSING_TASKS, GatewayConnection, build_gateway_url
from hata_gateway_ext.connection.connect_failures import API_HOST
from hata_gateway_ext.protocol.errors import FrameError, PayloadError
from hata_gateway_ext.protocol.session import Session

TIMEOUT = 10.0

UNKNOWN_HOST = '.'.join(['a' * 60] * 5) + '.invalid'


@pytest.mark.parametrize(
    ('url', 'compression', 'gateway_url'),
    (
        ('wss://gateway.discord.gg', 'zlib-stream', 'wss://gateway.discord.gg/?{}&compress=zlib-stream'),
        ('wss://gateway.discord.gg/', 'zstd-stream', 'wss://gateway.discord.gg/?{}&compress=zstd-stream'),
        ('ws://127.0.0.1:8000/shard/3', 'none', 'ws://127.0.0.1:8000/shard/3?{}'),
        ('ws://[::1]:8000', 'none', 'ws://[::1]:8000/?{}'),
        ('wss://a.discord.gg/?v=6&encoding=etf&compress=zlib-stream#x', 'none', 'wss://a.discord.gg/?{}'),
        ('wss://a.discord.gg/?key=a%26b', 'none', 'wss://a.discord.gg/?key=a%26b&{}'),
    ),
)
def test__build_gateway_url(url, compression, gateway_url):
    """Version, encoding and compression are ours; the rest is kept."""
    assert build_gateway_url(url, compression) == gateway_url.format(f'v={API_VERSION}&encoding=json')


class FakeDriver:
    """The driver of a shard, as far as its connections know it."""
    def __init__(self, url):
        self.shard_id = 5
        self.told = []
        self.url = url
    
    
    async def get_gateway_url(self):
        if isinstance(self.url, BaseException):
            raise self.url
        
        return self.url
    
    
    def __getattr__(self, name):
        def tell(*arguments):
            self.told.append((name, *arguments))
            return True
        
        return tell


@pytest.fixture
def start(raw):
    """Starts a connection to a url: `driver, connection = start(url)`."""
    connections = []
    
    def start(url, compression = 'none', driver_type = FakeDriver):
        def start():
            driver = driver_type(url)
            connection = GatewayConnection(driver, None, Session(), compression)
            connection.start(HTTPClient(KOKORO), compression)
            connections.append(connection)
            return driver, connection
        
        return raw.run_on_loop(start)
    
    yield start
    for connection in connections:
        raw.run_on_loop(connection.abort)


@pytest.fixture
def wait_for(raw):
    """Waits until a condition holds on hata's loop."""
    async def wait(condition):
        while not condition():
            await sleep(0.002, KOKORO)
    
    def wait_for(condition):
        KOKORO.run(wait(condition), raw.TIMEOUT)
    
    return wait_for


def test__GatewayConnection__connected(raw, start, wait_for):
    """The driver is told, then what comes in; the url of the upgrade asks for the compression."""
    with raw.RawServer() as server:
        driver, connection = start(server.url, 'zlib-stream')
        assert repr(connection).startswith('<GatewayConnection shard_id = 5')
        with server.accept() as peer:
            peer.accept()
            query = peer.request.split(b' ')[1].partition(b'?')[2].decode()
            assert sorted(query.split('&')) == ['compress=zlib-stream', 'encoding=json', f'v={API_VERSION}']
            wait_for(lambda: driver.told)
            assert driver.told == [('connected',)]
            assert connection.host == '127.0.0.1'
            assert not connection.is_secure
            assert connection.web_socket is not None


def test__GatewayConnection__what_comes_with_the_upgrade(raw, start, wait_for):
    """What comes together with the answer to the upgrade is heard after the driver knows about the connection."""
    with raw.RawServer() as server:
        driver, _ = start(server.url)
        with server.accept() as peer:
            peer.accept(raw.frame(1, b'{"op":7,"d":null}') + raw.frame(8, b'\x0f\xa0bye'))
            wait_for(lambda: len(driver.told) == 3)
            assert driver.told == [
                ('connected',), ('operation_received', 7, {'op': 7, 'd': None}), ('disconnected', 4000, None)
            ]


@pytest.mark.parametrize(
    ('data', 'close_code', 'exception_type'),
    (
        (b'\x88\x02\x0f\xa4', 4004, type(None)),
        (b'\x88\x00', None, type(None)),
        (b'\xff\xff\xff\xff', None, FrameError),
    ),
    ids = repr,
)
def test__GatewayConnection__ends(raw, start, wait_for, data, close_code, exception_type):
    """The driver is told once how it ended."""
    with raw.RawServer() as server:
        driver, _ = start(server.url)
        with server.accept() as peer:
            peer.accept()
            wait_for(lambda: driver.told)
            peer.send(data)
            wait_for(lambda: len(driver.told) > 1)
        
        _, (name, told_close_code, exception) = driver.told
        assert (name, told_close_code, type(exception)) == ('disconnected', close_code, exception_type)


@pytest.mark.parametrize(
    ('url', 'kind', 'host'),
    (
        ('ws://127.0.0.1:{port}/', CONNECT_FAILURE_REFUSED, '127.0.0.1'),
        (f'ws://{UNKNOWN_HOST}:4242/', CONNECT_FAILURE_NAME, UNKNOWN_HOST),
        ('ws://', CONNECT_FAILURE_UNREACHABLE, 'the gateway'),
        ('wss://[::1', CONNECT_FAILURE_UNREACHABLE, 'the gateway'),
        (OSError('no internet'), CONNECT_FAILURE_UNREACHABLE, API_HOST),
        (PayloadError('no url'), 'handshake', API_HOST),
    ),
    ids = repr,
)
def test__GatewayConnection__fails(raw, start, wait_for, url, kind, host):
    """The driver is told why, and where; a url that makes no sense is a reason as well."""
    with raw.RawServer() as server:
        port = server.port
    
    driver, connection = start(url.format(port = port) if isinstance(url, str) else url)
    wait_for(lambda: driver.told)
    (name, report), = driver.told
    assert name == 'connect_failed'
    assert (report.kind, report.shard_id) == (kind, 5)
    assert host in str(report)
    assert connection.web_socket is None
    assert connection._task is None


def test__GatewayConnection__invalid_token(start, wait_for):
    """An invalid token is no failure to connect."""
    exception = InvalidToken()
    driver, _ = start(exception)
    wait_for(lambda: driver.told)
    assert driver.told == [('fail', exception)]


def test__GatewayConnection__abort_while_connecting(raw, start):
    """Given up while it connects: the socket is closed, and the driver hears nothing."""
    with raw.RawServer() as server:
        driver, connection = start(server.url)
        with server.accept() as peer:
            peer.receive_request()
            assert raw.run_on_loop(lambda: connection.close(1000)) is None
            assert peer.expect_end() == b''
        
        assert driver.told == []


class StubbornDriver(FakeDriver):
    """A driver that takes no notice of being cancelled while it is asked for the url."""
    async def get_gateway_url(self):
        try:
            await sleep(TIMEOUT, KOKORO)
        except CancelledError:
            return self.url


def test__GatewayConnection__late(raw, start):
    """A connection that is made after it was given up is aborted, and the driver hears nothing of it."""
    with raw.RawServer() as server:
        driver, connection = start(server.url, driver_type = StubbornDriver)
        raw.run_on_loop(lambda: None)
        raw.run_on_loop(connection.abort)
        with server.accept() as peer:
            peer.accept()
            assert peer.expect_end() == b''
        
        assert driver.told == []
        assert connection.web_socket.closed


@pytest.mark.parametrize('way', ('close', 'abort'))
def test__GatewayConnection__stale(raw, start, wait_for, way):
    """What an old connection still says is not heard, whatever it is, be it received before or after."""
    with raw.RawServer() as server:
        driver, connection = start(server.url)
        with server.accept() as peer:
            peer.accept()
            wait_for(lambda: driver.told)
            del driver.told[:]
            
            def give_up():
                if way == 'close':
                    connection.close(4000)
                else:
                    connection.abort()
                
                dispatcher = connection.dispatcher
                for payload in (
                    b'{"op":9,"d":false}', b'{"op":0,"t":"READY","s":1,"d":{}}', b'{"op":0,"t":"RESUMED","s":1,"d":{}}',
                    b'{"op":0,"t":"A","s":0,"d":{}}', b'junk',
                ):
                    dispatcher.message_received(payload, True)
                    dispatcher.messages_received(iter([[payload], [payload, payload], None]), 0.0)
                
                connection.web_socket_closed(connection.web_socket, 4004, 'because', None)
            
            raw.run_on_loop(give_up)
            peer.send(raw.frame(1, b'{"op":7,"d":null}') + raw.frame(8, b'\x0f\xa4'))
            wait_for(lambda: connection.web_socket.closed)
            assert driver.told == []


def test__GatewayConnection__close(raw, start, wait_for, monkeypatch):
    """Closing says the code, hears nothing any more, and is over although the peer does not answer."""
    monkeypatch.setattr('hata_gateway_ext.connection.web_socket.CLOSE_TIMEOUT', 0.2)
    with raw.RawServer() as server:
        driver, connection = start(server.url)
        with server.accept() as peer:
            peer.accept()
            wait_for(lambda: driver.told)
            
            task = raw.run_on_loop(lambda: connection.close(4000))
            assert task in CLOSING_TASKS
            assert peer.receive_frame() == (8, b'\x0f\xa0')
            peer.send(raw.frame(1, b'{"op":7,"d":null}'))
            
            # Not answered, so it is aborted.
            assert peer.expect_end() == b''
            wait_for(task.is_done)
            wait_for(lambda: task not in CLOSING_TASKS)
            assert driver.told == [('connected',)]
