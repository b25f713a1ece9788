"""
The Redis store, against a real server.
"""
import socket, ssl, threading
from queue import Queue

import pytest
import trustme
from redis import Redis

from hata_gateway_ext.stores import StoreCorruptError, StoreUnavailableError, StoreVersionError, create_store
from hata_gateway_ext.stores.conformance import SessionStoreConformance
from hata_gateway_ext.stores.redis import RedisStore


APPLICATION_ID = 1234567890123456789
PASSWORD = 'p%40ss-word'


@pytest.fixture
def server(redis_server):
    return redis_server


@pytest.fixture
def client(server):
    with Redis(unix_socket_path = server.socket_path) as client:
        client.flushall()
        yield client


@pytest.fixture
def store(server, client):
    store = RedisStore(f'unix://{server.socket_path}')
    store.open()
    yield store
    store.close()


class TestRedisStore(SessionStoreConformance):
    @pytest.fixture(autouse = True)
    def place(self, server, client):
        self.url = f'redis://127.0.0.1:{server.port}/3?prefix=conformance'
    
    
    def create_store(self):
        return RedisStore(self.url)


def test__RedisStore__keys(store, client):
    """All keys are under the prefix, and all of them expire, after far longer than a session lives."""
    store.save_records(APPLICATION_ID, {0: b'record'})
    store.save_checkpoint(APPLICATION_ID, 0, b'head', [(1, b'one')])
    
    keys = client.keys()
    assert len(keys) == 2
    for key in keys:
        assert key.startswith(b'hata_gateway_ext:')
        assert 86000 < client.ttl(key) <= 86400


def test__RedisStore__prefix_and_expiry(server, client):
    """Prefix and expiry can be chosen, by keyword and in the URL; a save renews the expiry."""
    for store in (
        RedisStore(f'unix://{server.socket_path}?prefix=seija&expiry=600'),
        RedisStore(f'unix://{server.socket_path}', prefix = 'seija', expiry = 600),
    ):
        client.flushall()
        store.open()
        try:
            store.save_records(APPLICATION_ID, {0: b'record'})
            (key,) = client.keys()
            assert key.startswith(b'seija:')
            assert 590 < client.ttl(key) <= 600
            
            client.persist(key)
            store.save_records(APPLICATION_ID, {1: b'record'})
            assert 590 < client.ttl(key) <= 600
        finally:
            store.close()


def test__RedisStore__other_prefix(server, client, store):
    """Stores of different prefixes do not see each other."""
    store.save_records(APPLICATION_ID, {0: b'record'})
    other = RedisStore(f'unix://{server.socket_path}', prefix = 'other')
    other.open()
    try:
        assert other.load_records(APPLICATION_ID) == {}
    finally:
        other.close()


def test__RedisStore__unfinished_save(store, client):
    """A save that died before its head leaves the old checkpoint; the next save removes what it left behind."""
    store.save_checkpoint(APPLICATION_ID, 0, b'old', [(1, b'one'), (2, b'two')])
    (key,) = client.keys()
    # What the next save would have written before its head.
    client.hset(key, mapping = {b'1:2': b'unfinished', b'7:2': b'unfinished'})
    
    assert store.load_checkpoint(APPLICATION_ID, 0) == (b'old', {1: b'one', 2: b'two'})
    store.save_checkpoint(APPLICATION_ID, 0, b'new', [(1, b'uno')], kept = [2])
    assert store.load_checkpoint(APPLICATION_ID, 0) == (b'new', {1: b'uno', 2: b'two'})
    assert len(client.hkeys(key)) == 3


def test__RedisStore__newer_layout(store, client):
    """A checkpoint of a newer version is refused, and left as it is."""
    store.save_checkpoint(APPLICATION_ID, 0, b'head', [(1, b'one')])
    (key,) = client.keys()
    data = client.hget(key, 'head')
    assert data.startswith(b'1\n')
    client.hset(key, 'head', b'2' + data[1:])
    
    with pytest.raises(StoreVersionError, match = 'newer version'):
        store.load_checkpoint(APPLICATION_ID, 0)
    
    with pytest.raises(StoreVersionError, match = 'newer version'):
        store.save_checkpoint(APPLICATION_ID, 0, b'head', [(1, b'one')])
    
    assert client.hget(key, 'head') == b'2' + data[1:]


@pytest.mark.parametrize('damage', [
    lambda client, key: client.hset(key, 'head', b'garbage'),
    lambda client, key: client.hset(key, 'head', b'1\n{"\nhead'),
    lambda client, key: client.hdel(key, '1:1'),
    lambda client, key: (client.delete(key), client.set(key, 'garbage')),
])
def test__RedisStore__corrupt_checkpoint(store, client, damage):
    """A corrupt checkpoint is set aside under another key, and the store goes on without."""
    store.save_checkpoint(APPLICATION_ID, 0, b'head', [(1, b'one')])
    (key,) = client.keys()
    damage(client, key)
    content = client.dump(key)
    
    with pytest.raises(StoreCorruptError, match = 'set aside'):
        store.load_checkpoint(APPLICATION_ID, 0)
    
    (new_key,) = client.keys()
    assert new_key.startswith(key + b':corrupt-')
    assert client.dump(new_key) == content
    
    assert store.load_checkpoint(APPLICATION_ID, 0) is None
    store.save_checkpoint(APPLICATION_ID, 0, b'head', [(1, b'one')])
    assert store.load_checkpoint(APPLICATION_ID, 0) == (b'head', {1: b'one'})


@pytest.mark.parametrize('damage', [
    lambda client, key: client.hset(key, 'garbage', b'garbage'),
    lambda client, key: (client.delete(key), client.set(key, 'garbage')),
])
def test__RedisStore__corrupt_records(store, client, damage):
    """Corrupt records are set aside under another key, and the store goes on without."""
    store.save_records(APPLICATION_ID, {0: b'record'})
    (key,) = client.keys()
    damage(client, key)
    
    with pytest.raises(StoreCorruptError, match = 'set aside'):
        store.load_records(APPLICATION_ID)
    
    store.save_records(APPLICATION_ID, {1: b'record'})
    assert store.load_records(APPLICATION_ID) == {1: b'record'}


def test__RedisStore__wrong_type_while_saving(store, client):
    """That a key holds something else is noticed when saving as well."""
    store.save_records(APPLICATION_ID, {0: b'record'})
    (key,) = client.keys()
    client.delete(key)
    client.set(key, 'garbage')
    
    with pytest.raises(StoreCorruptError, match = 'set aside'):
        store.save_records(APPLICATION_ID, {0: b'record'})
    
    store.save_records(APPLICATION_ID, {0: b'record'})
    assert store.load_records(APPLICATION_ID) == {0: b'record'}


def test__RedisStore__stopped_and_started(redis_server_type):
    """A store whose server goes away and comes back works again by itself, with what was stored."""
    with redis_server_type() as server:
        store = RedisStore(f'redis://127.0.0.1:{server.port}')
        store.open()
        try:
            store.save_records(APPLICATION_ID, {0: b'secret'})
            server.stop()
            
            for _ in range(2):
                with pytest.raises(StoreUnavailableError) as error:
                    store.save_records(APPLICATION_ID, {0: b'newer-secret'})
                assert 'secret' not in str(error.value)
            
            server.start()
            assert store.load_records(APPLICATION_ID) == {0: b'secret'}
            store.save_records(APPLICATION_ID, {0: b'newer-secret'})
            assert store.load_records(APPLICATION_ID) == {0: b'newer-secret'}
        finally:
            store.close()


def test__RedisStore__restarted_between_operations(redis_server_type):
    """A server that restarted between two operations is not even noticed."""
    with redis_server_type() as server:
        store = RedisStore(f'redis://127.0.0.1:{server.port}')
        store.open()
        try:
            store.save_records(APPLICATION_ID, {0: b'record'})
            server.stop()
            server.start()
            store.save_records(APPLICATION_ID, {1: b'record'})
            assert store.load_records(APPLICATION_ID) == {0: b'record', 1: b'record'}
        finally:
            store.close()


def test__RedisStore__killed_while_saving(redis_server_type):
    """A server that is killed while checkpoints are saved comes back with one of them, whole."""
    with redis_server_type() as server:
        store = RedisStore(f'redis://127.0.0.1:{server.port}')
        store.open()
        try:
            saved = Queue()
            
            def save():
                number = 0
                try:
                    while True:
                        number += 1
                        data = b'%d' % number
                        store.save_checkpoint(APPLICATION_ID, 0, data, [(blob_id, data) for blob_id in range(50)])
                        saved.put(number)
                except StoreUnavailableError:
                    saved.put(None)
            
            thread = threading.Thread(target = save)
            thread.start()
            for _ in range(10):
                saved.get()
            
            process = server.process
            process.kill()
            thread.join()
            server.stop()
            server.start()
            
            head, blobs = store.load_checkpoint(APPLICATION_ID, 0)
            assert int(head) >= 10
            assert blobs == {blob_id: head for blob_id in range(50)}
        finally:
            store.close()


def test__RedisStore__never_there(free_port):
    """Opening a store whose server is not there says so, and can be repeated."""
    store = RedisStore(f'redis://user:{PASSWORD}@127.0.0.1:{free_port}/2')
    
    for _ in range(2):
        with pytest.raises(StoreUnavailableError) as error:
            store.open()
        assert f'redis://127.0.0.1:{free_port}/2' in str(error.value)
        assert 'ss-word' not in str(error.value)
    
    with pytest.raises(StoreUnavailableError, match = 'not open'):
        store.load_records(APPLICATION_ID)


def test__RedisStore__silent_server():
    """A server that accepts and never answers is given up after the timeout."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        listener.listen()
        store = RedisStore(f'redis://127.0.0.1:{listener.getsockname()[1]}?timeout=0.05')
        
        with pytest.raises(StoreUnavailableError, match = 'TimeoutError'):
            store.open()


@pytest.mark.parametrize('user_name', ['', 'default'])
def test__RedisStore__authentication(redis_server_type, user_name):
    """A password is sent; without it, or with another one, the store says what is wrong. It is shown nowhere."""
    with redis_server_type('--requirepass', 'p@ss-word') as server:
        address = f'127.0.0.1:{server.port}'
        store = create_store(f'redis://{user_name}:{PASSWORD}@{address}')
        assert 'ss-word' not in repr(store)
        store.open()
        try:
            store.save_records(APPLICATION_ID, {0: b'record'})
            assert store.load_records(APPLICATION_ID) == {0: b'record'}
        finally:
            store.close()
        
        with pytest.raises(StoreUnavailableError, match = 'AuthenticationError'):
            create_store(f'redis://{address}').open()
        
        with pytest.raises(StoreUnavailableError, match = 'Authentication') as error:
            create_store(f'redis://{user_name}:wrong-word@{address}').open()
        assert 'wrong' not in str(error.value)


def test__RedisStore__out_of_memory(redis_server_type):
    """A full server is unavailable; what was stored stays, and saving works again once there is room."""
    with redis_server_type('--maxmemory-policy', 'noeviction') as server:
        store = RedisStore(f'unix://{server.socket_path}')
        store.open()
        try:
            store.save_checkpoint(APPLICATION_ID, 0, b'old', [(1, b'one')])
            with Redis(unix_socket_path = server.socket_path) as client:
                client.config_set('maxmemory', 1)
                with pytest.raises(StoreUnavailableError, match = 'OutOfMemory') as error:
                    store.save_checkpoint(APPLICATION_ID, 0, b'new', [(1, b'secret')])
                assert 'secret' not in str(error.value)
                assert store.load_checkpoint(APPLICATION_ID, 0) == (b'old', {1: b'one'})
                
                client.config_set('maxmemory', 0)
                store.save_checkpoint(APPLICATION_ID, 0, b'new', [(1, b'secret')])
                assert store.load_checkpoint(APPLICATION_ID, 0) == (b'new', {1: b'secret'})
        finally:
            store.close()


class TLSProxy:
    """Takes TLS connections and passes what is inside on to a plain server."""
    def __init__(self, context, port):
        self.context = context
        self.target = ('127.0.0.1', port)
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target = self.accept)]
        self.threads[0].start()
    
    
    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            
            try:
                connection = self.context.wrap_socket(connection, server_side = True)
            except OSError:
                connection.close()
                continue
            
            target = socket.create_connection(self.target)
            for source, sink in ((connection, target), (target, connection)):
                thread = threading.Thread(target = self.relay, args = (source, sink))
                thread.start()
                self.threads.append(thread)
    
    
    def relay(self, source, sink):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                sink.sendall(data)
        except OSError:
            # The client went away without a farewell.
            return
        finally:
            for connection in (source, sink):
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue
    
    
    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join()


@pytest.fixture
def certificate_authority():
    return trustme.CA()


@pytest.fixture
def tls_proxy(request, server, certificate_authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate_authority.issue_cert(request.param).configure_cert(context)
    proxy = TLSProxy(context, server.port)
    yield proxy
    proxy.close()


@pytest.mark.parametrize('tls_proxy', ['127.0.0.1'], indirect = True)
def test__RedisStore__tls(tls_proxy, certificate_authority, client, tmp_path):
    """A `rediss://` URL is spoken to over TLS."""
    path = tmp_path / 'authority.pem'
    certificate_authority.cert_pem.write_to_path(path)
    store = create_store(f'rediss://127.0.0.1:{tls_proxy.port}?ssl_ca_certs={path}')
    store.open()
    try:
        store.save_records(APPLICATION_ID, {0: b'record'})
        assert store.load_records(APPLICATION_ID) == {0: b'record'}
    finally:
        store.close()


@pytest.mark.parametrize('tls_proxy', ['127.0.0.1'], indirect = True)
def test__RedisStore__tls_unknown_authority(tls_proxy, client):
    """A certificate of an unknown authority is refused."""
    with pytest.raises(StoreUnavailableError, match = 'ConnectionError'):
        create_store(f'rediss://127.0.0.1:{tls_proxy.port}').open()


@pytest.mark.parametrize('tls_proxy', ['redis.example'], indirect = True)
def test__RedisStore__tls_other_host(tls_proxy, certificate_authority, client, tmp_path):
    """A certificate of another host is refused, unless the URL says otherwise."""
    path = tmp_path / 'authority.pem'
    certificate_authority.cert_pem.write_to_path(path)
    url = f'rediss://127.0.0.1:{tls_proxy.port}?ssl_ca_certs={path}'
    with pytest.raises(StoreUnavailableError, match = 'ConnectionError'):
        create_store(url).open()
    
    store = create_store(f'{url}&ssl_check_hostname=false')
    store.open()
    store.close()


@pytest.mark.parametrize('url', [
    f'redis://user:{PASSWORD}@127.0.0.1:port',
    f'redis://user:{PASSWORD}@127.0.0.1?db=first',
    f'redis://user:{PASSWORD}@127.0.0.1?decode_responses=1',
    f'redis://user:{PASSWORD}@127.0.0.1?prefix=',
    f'redis://user:{PASSWORD}@127.0.0.1?expiry=0.5',
    f'redis://user:{PASSWORD}@127.0.0.1?expiry=nan',
    f'redis://user:{PASSWORD}@127.0.0.1?timeout=0',
    f'redis://user:{PASSWORD}@127.0.0.1?timeout=soon',
    f'unix://user:{PASSWORD}@',
    f'rediss://user:{PASSWORD}@[127.0.0.1',
])
def test__create_store__redis_url_refused(url):
    """A wrong URL is refused when the store is created, and the password in it is not shown."""
    with pytest.raises(ValueError) as error:
        create_store(url)
    
    assert 'ss-word' not in str(error.value)
    assert error.value.__cause__ is None and (error.value.__context__ is None or error.value.__suppress_context__)


@pytest.mark.parametrize(('keyword_parameters', 'accepted'), [
    ({'prefix': 1}, 'str'), ({'expiry': True}, 'seconds'), ({'timeout': b'1'}, 'seconds'),
])
def test__RedisStore__type_error(keyword_parameters, accepted):
    """Parameters of a wrong type are refused by name."""
    (name,) = keyword_parameters
    with pytest.raises(TypeError, match = f'`{name}`.*{accepted}'):
        RedisStore('redis://127.0.0.1', **keyword_parameters)
