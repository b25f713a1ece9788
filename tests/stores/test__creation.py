"""
`create_store`: from the value of an option to a store. More about Redis URLs is in `test__redis.py`.
"""
import os, subprocess, sys

import pytest

from hata_gateway_ext.stores import MemoryStore, SQLiteStore, create_store


def test__create_store__none():
    """`None` is no store."""
    assert create_store(None) is None


def test__create_store__store():
    """A store is given back as it is."""
    store = MemoryStore()
    assert create_store(store) is store


@pytest.mark.parametrize(('url', 'path'), [
    ('sqlite:///seija.sqlite', '{directory}/seija.sqlite'),
    ('sqlite:///data/seija.sqlite', '{directory}/data/seija.sqlite'),
    ('sqlite:////var/lib/seija.sqlite', '/var/lib/seija.sqlite'),
    ('sqlite:////var/lib/big%20bot%3F.sqlite', '/var/lib/big bot?.sqlite'),
    ('sqlite:////var/lib/bot#1.sqlite', '/var/lib/bot#1.sqlite'),
])
def test__create_store__sqlite(tmp_path, monkeypatch, url, path):
    """Three slashes are a relative path, four an absolute one; a later change of the directory changes nothing."""
    monkeypatch.chdir(tmp_path)
    store = create_store(url)
    monkeypatch.chdir('/')
    assert type(store) is SQLiteStore
    assert store.path == path.format(directory = os.path.realpath(tmp_path))


@pytest.mark.parametrize('url', [
    '', 'seija.sqlite', 'sqlite:seija.sqlite', 'sqlite:/seija.sqlite', 'sqlite://', 'sqlite:///',
    'sqlite://secret/seija.sqlite', 'sqlite:///:memory:', 'sqlite:////var/lib/', 'sqlite:///a%00b',
    'postgres://user:secret@127.0.0.1', 'redis:secret', 'http://[secret',
])
def test__create_store__wrong_url(url):
    """A wrong URL is refused, and not shown."""
    with pytest.raises(ValueError) as error:
        create_store(url)
    
    assert 'secret' not in str(error.value)


@pytest.mark.parametrize('value', [True, 1, b'redis://:secret@127.0.0.1', ['redis://:secret@127.0.0.1'], MemoryStore])
def test__create_store__wrong_type(value):
    """A value of a wrong type is refused, and not shown."""
    with pytest.raises(TypeError, match = 'sqlite:///') as error:
        create_store(value)
    
    assert 'secret' not in str(error.value)


def test__create_store__redis_not_installed():
    """Without redis-py everything but a Redis URL works, and the error says what to install."""
    script = (
        'import sys; sys.modules["redis"] = None\n'
        'from hata_gateway_ext.stores import create_store\n'
        'create_store("sqlite:///x.sqlite")\n'
        'try:\n'
        '    create_store("redis://:secret@127.0.0.1")\n'
        'except ImportError as exception:\n'
        '    print(exception)\n'
    )
    result = subprocess.run([sys.executable, '-c', script], stdout = subprocess.PIPE, text = True)
    assert 'hata_gateway_ext[redis]' in result.stdout
    assert 'secret' not in result.stdout
