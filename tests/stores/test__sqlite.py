"""
The SQLite store: what may happen to a file, and to the processes that use it. As a store it is tested by the conformance
suite.
"""
import os, sqlite3, stat, subprocess, sys, tempfile
from pathlib import Path

import pytest

from hata_gateway_ext.stores import (
    SQLiteStore, StoreCorruptError, StoreError, StoreLockedError, StoreUnavailableError, StoreVersionError
)


APPLICATION_ID = 1234567890123456789

# Says when it holds the store, saves numbered checkpoints for ever, and says the number of each.
HOLDER = '''
import sys
from hata_gateway_ext.stores import SQLiteStore

store = SQLiteStore(sys.argv[1])
store.open()
print('open', flush = True)
number = 0
while True:
    number += 1
    data = b'%d' % number
    store.save_checkpoint(1234567890123456789, 0, data, [(blob_id, data * 500) for blob_id in range(20)])
    store.save_records(1234567890123456789, {0: data})
    print(number, flush = True)
'''


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'sessions.sqlite'


@pytest.fixture
def store(path):
    store = SQLiteStore(path)
    store.open()
    yield store
    store.close()


def start_holder(path):
    """Starts a process that uses the store."""
    process = subprocess.Popen([sys.executable, '-c', HOLDER, str(path)], stdout = subprocess.PIPE, text = True)
    assert process.stdout.readline() == 'open\n'
    return process


def end_holder(process):
    """Kills the process as `kill -9` does."""
    process.kill()
    process.stdout.read()
    process.wait()
    process.stdout.close()


# ---- one process at a time ----

def test__SQLiteStore__second_process(path):
    """A second process gets an error that names the first one, and takes over once the first one is killed."""
    process = start_holder(path)
    try:
        store = SQLiteStore(path)
        for _ in range(2):
            with pytest.raises(StoreLockedError, match = f'Process {process.pid} uses the store'):
                store.open()
    finally:
        end_holder(process)
    
    store.open()
    try:
        head, blobs = store.load_checkpoint(APPLICATION_ID, 0) or (b'0', {})
        assert blobs == {blob_id: head * 500 for blob_id in range(20 if blobs else 0)}
    finally:
        store.close()


@pytest.mark.parametrize('saves', [1, 2, 3, 5, 8, 13, 21])
def test__SQLiteStore__killed_while_saving(path, saves):
    """
    Whatever a killed process was saving: what it said to have saved is there, and a checkpoint is whole.
    """
    process = start_holder(path)
    try:
        for number in range(1, saves + 1):
            assert int(process.stdout.readline()) == number
    finally:
        end_holder(process)
    
    store = SQLiteStore(path)
    store.open()
    try:
        head, blobs = store.load_checkpoint(APPLICATION_ID, 0)
        assert int(head) >= saves
        assert blobs == {blob_id: head * 500 for blob_id in range(20)}
        assert int(head) - 1 <= int(store.load_records(APPLICATION_ID)[0]) <= int(head)
    finally:
        store.close()


def test__SQLiteStore__second_process_after_close(path):
    """After a clean close the next process gets the store at once."""
    store = SQLiteStore(path)
    store.open()
    store.save_records(APPLICATION_ID, {0: b'record'})
    store.close()
    
    process = start_holder(path)
    try:
        assert process.stdout.readline() == '1\n'
    finally:
        end_holder(process)


def test__SQLiteStore__forked_process(path):
    """A forked process does not prolong the lock beyond the end of its parent's store."""
    store = SQLiteStore(path)
    store.open()
    reader, writer = os.pipe()
    process_id = os.fork()
    if not process_id:
        # Lives until the test ends, whatever happens there.
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    
    os.close(reader)
    try:
        store.close()
        end_holder(start_holder(path))
    finally:
        os.close(writer)
        os.waitpid(process_id, 0)


def test__SQLiteStore__clients_of_one_process(path, store):
    """Several stores of a process share the file, and hold it until the last one is closed."""
    other = SQLiteStore(path)
    other.open()
    try:
        store.save_records(APPLICATION_ID, {0: b'record'})
        other.save_records(APPLICATION_ID + 1, {0: b'other'})
        assert store.load_records(APPLICATION_ID) == {0: b'record'}
        
        store.close()
        script = 'import sys; from hata_gateway_ext.stores import SQLiteStore; SQLiteStore(sys.argv[1]).open()'
        result = subprocess.run([sys.executable, '-c', script, str(path)], stderr = subprocess.PIPE, text = True)
        assert 'StoreLockedError' in result.stderr
        
        assert other.load_records(APPLICATION_ID + 1) == {0: b'other'}
    finally:
        other.close()
    
    assert subprocess.run([sys.executable, '-c', script, str(path)]).returncode == 0


# ---- rights ----

def get_mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test__SQLiteStore__mode(path, store):
    """The file and all that lie beside it are for their owner only, whatever the umask."""
    old_umask = os.umask(0)
    try:
        store.save_records(APPLICATION_ID, {0: b'record'})
        paths = sorted(path.parent.iterdir())
        assert [path_.name for path_ in paths] == [
            'sessions.sqlite', 'sessions.sqlite-lock', 'sessions.sqlite-shm', 'sessions.sqlite-wal'
        ]
        assert [get_mode(path_) for path_ in paths] == [0o600] * 4
    finally:
        os.umask(old_umask)


def test__SQLiteStore__mode_of_an_existing_file(path):
    """Rights of others are taken from a file that was there before."""
    path.touch()
    path.chmod(0o664)
    store = SQLiteStore(path)
    store.open()
    try:
        assert get_mode(path) == 0o600
        store.save_records(APPLICATION_ID, {0: b'record'})
        assert get_mode(f'{path}-wal') == 0o600
    finally:
        store.close()


@pytest.fixture
def powerless_path():
    """
    A path in a directory of a user who is not root: root may write to what is read-only.
    """
    with tempfile.TemporaryDirectory() as directory:
        user_id = os.geteuid()
        if user_id == 0:
            # Nobody.
            os.chown(directory, 65534, -1)
            os.seteuid(65534)
        try:
            yield Path(directory, 'sessions.sqlite')
        finally:
            os.seteuid(user_id)


def test__SQLiteStore__read_only(powerless_path):
    """A store that is read-only is unavailable, and works again once it can be written."""
    store = SQLiteStore(powerless_path)
    store.open()
    store.save_records(APPLICATION_ID, {0: b'record'})
    store.close()
    
    powerless_path.chmod(0o400)
    powerless_path.parent.chmod(0o500)
    for _ in range(2):
        with pytest.raises(StoreUnavailableError, match = str(powerless_path)):
            store.open()
    
    powerless_path.parent.chmod(0o700)
    with pytest.raises(StoreUnavailableError, match = 'Permission denied'):
        store.open()
    
    powerless_path.chmod(0o600)
    store.open()
    try:
        store.save_records(APPLICATION_ID, {1: b'record'})
        assert store.load_records(APPLICATION_ID) == {0: b'record', 1: b'record'}
    finally:
        store.close()


def test__SQLiteStore__read_only_while_running(powerless_path):
    """A directory that becomes read-only, with the file deleted: unavailable, until it can be written again."""
    store = SQLiteStore(powerless_path)
    store.open()
    try:
        store.save_records(APPLICATION_ID, {0: b'record'})
        powerless_path.unlink()
        powerless_path.parent.chmod(0o500)
        
        for _ in range(2):
            with pytest.raises(StoreUnavailableError, match = 'Permission denied'):
                store.save_records(APPLICATION_ID, {0: b'newer'})
        
        powerless_path.parent.chmod(0o700)
        store.save_records(APPLICATION_ID, {0: b'newest'})
        assert store.load_records(APPLICATION_ID) == {0: b'newest'}
    finally:
        store.close()


def test__SQLiteStore__no_directory(tmp_path):
    """A directory that does not exist is not created, and is named."""
    path = tmp_path / 'missing' / 'sessions.sqlite'
    store = SQLiteStore(path)
    with pytest.raises(StoreUnavailableError, match = 'missing.*No such file or directory'):
        store.open()
    
    path.parent.mkdir()
    store.open()
    store.close()


# ---- trouble with the file while running ----

def test__SQLiteStore__deleted(path, store):
    """A deleted file is created anew by the next save, and excludes other processes as before."""
    store.save_records(APPLICATION_ID, {0: b'record'})
    for path_ in path.parent.iterdir():
        path_.unlink()
    
    assert store.load_records(APPLICATION_ID) == {}
    store.save_records(APPLICATION_ID, {1: b'record'})
    assert store.load_records(APPLICATION_ID) == {1: b'record'}
    assert get_mode(path) == 0o600
    
    script = 'import sys; from hata_gateway_ext.stores import SQLiteStore; SQLiteStore(sys.argv[1]).open()'
    result = subprocess.run([sys.executable, '-c', script, str(path)], stderr = subprocess.PIPE, text = True)
    assert 'StoreLockedError' in result.stderr
    
    store.close()
    store.open()
    assert store.load_records(APPLICATION_ID) == {1: b'record'}


def test__SQLiteStore__deleted_and_taken(path, store):
    """If everything was deleted and another process took the place, then the first one is the one that has to wait."""
    store.save_records(APPLICATION_ID, {0: b'record'})
    for path_ in path.parent.iterdir():
        path_.unlink()
    
    process = start_holder(path)
    try:
        with pytest.raises(StoreLockedError, match = str(process.pid)):
            store.save_records(APPLICATION_ID, {0: b'record'})
    finally:
        end_holder(process)
    
    store.save_records(APPLICATION_ID, {9: b'record'})
    assert store.load_records(APPLICATION_ID)[9] == b'record'


@pytest.mark.parametrize('size', [0, 100, 5000])
def test__SQLiteStore__truncated_while_running(path, store, size):
    """After a truncated file, at most one save fails; then saving and loading work, and go on working after a restart."""
    store.save_checkpoint(APPLICATION_ID, 0, b'old', [(blob_id, b'old' * 1000) for blob_id in range(10)])
    # Whatever is in the `-wal` file is moved to the main file.
    store.close()
    store.open()
    os.truncate(path, size)
    
    try:
        store.save_checkpoint(APPLICATION_ID, 0, b'new', [(1, b'new')])
    except (StoreCorruptError, StoreUnavailableError):
        store.save_checkpoint(APPLICATION_ID, 0, b'new', [(1, b'new')])
    
    assert store.load_checkpoint(APPLICATION_ID, 0) == (b'new', {1: b'new'})
    store.close()
    try:
        store.open()
    except StoreCorruptError:
        store.open()
    
    store.save_checkpoint(APPLICATION_ID, 0, b'newer', [(1, b'newer')])
    assert store.load_checkpoint(APPLICATION_ID, 0) == (b'newer', {1: b'newer'})


def get_set_aside(path):
    """Returns what was set aside."""
    return sorted(path_ for path_ in path.parent.iterdir() if '.corrupt-' in path_.name)


@pytest.mark.parametrize('whole', [True, False])
def test__SQLiteStore__garbage_while_running(path, store, whole):
    """
    A file that is overwritten with garbage while it is open is set aside by the next checkpoint at the latest, and what is
    saved from there on is there after a restart.
    """
    store.save_checkpoint(APPLICATION_ID, 0, b'old', [(blob_id, b'old' * 1000) for blob_id in range(10)])
    store.save_records(APPLICATION_ID, {0: b'record'})
    store.close()
    store.open()
    garbage = b'\xff' * path.stat().st_size
    if not whole:
        garbage = path.read_bytes()[:4096] + garbage[4096:]
    
    with open(path, 'r+b') as file:
        file.write(garbage)
    
    with pytest.raises(StoreCorruptError, match = 'set aside') as error:
        store.save_checkpoint(APPLICATION_ID, 0, b'new', [(1, b'new')])
    
    (set_aside,) = get_set_aside(path)
    assert str(set_aside) in str(error.value)
    assert get_mode(set_aside) == 0o600
    
    assert store.load_records(APPLICATION_ID) == {}
    store.save_records(APPLICATION_ID, {0: b'newer'})
    store.save_checkpoint(APPLICATION_ID, 0, b'new', [(1, b'new')])
    store.close()
    store.open()
    assert store.load_records(APPLICATION_ID) == {0: b'newer'}
    assert store.load_checkpoint(APPLICATION_ID, 0) == (b'new', {1: b'new'})


# ---- what is found when opening ----

@pytest.mark.parametrize('content', [
    b'garbage', b'SQLite format 3\0' + b'garbage' * 1000, os.urandom(10000),
], ids = ['short', 'with a header', 'long'])
def test__SQLiteStore__garbage(path, content):
    """Garbage is set aside, never overwritten, and the store is usable after the next opening; again and again."""
    store = SQLiteStore(path)
    for amount in range(1, 4):
        path.write_bytes(content)
        with pytest.raises(StoreCorruptError, match = 'set aside'):
            store.open()
        
        set_aside = get_set_aside(path)
        assert [path_.read_bytes() for path_ in set_aside] == [content] * amount
        
        store.open()
        assert store.load_records(APPLICATION_ID) == {}
        store.save_records(APPLICATION_ID, {0: b'record'})
        assert store.load_records(APPLICATION_ID) == {0: b'record'}
        store.close()


def test__SQLiteStore__damaged_page(path, store):
    """Damage in the middle of the file is found when opening."""
    store.save_checkpoint(APPLICATION_ID, 0, b'head', [(blob_id, b'blob' * 300) for blob_id in range(50)])
    store.close()
    
    content = bytearray(path.read_bytes())
    for position in range(4096 * 4, len(content), 4096):
        content[position : position + 8] = b'\xff' * 8
    path.write_bytes(content)
    
    with pytest.raises(StoreCorruptError, match = 'set aside'):
        store.open()
    
    assert [path_.read_bytes() for path_ in get_set_aside(path)] == [bytes(content)]
    store.open()
    assert store.load_checkpoint(APPLICATION_ID, 0) is None


def test__SQLiteStore__empty_file(path):
    """An empty file is a new store."""
    path.touch()
    store = SQLiteStore(path)
    store.open()
    try:
        assert store.load_records(APPLICATION_ID) == {}
    finally:
        store.close()
    
    assert get_set_aside(path) == []


def test__SQLiteStore__database_of_another_application(path):
    """A database that is not ours is refused, and left as it is."""
    connection = sqlite3.connect(path)
    connection.execute('CREATE TABLE cake (taste TEXT)')
    connection.commit()
    connection.close()
    
    with pytest.raises(StoreError, match = 'another application'):
        SQLiteStore(path).open()
    
    connection = sqlite3.connect(path)
    assert connection.execute('SELECT name FROM sqlite_master').fetchall() == [('cake',)]
    connection.close()
    assert get_set_aside(path) == []


def test__SQLiteStore__newer_layout(path, store):
    """A file of a newer version is refused, and left as it is."""
    store.save_records(APPLICATION_ID, {0: b'record'})
    store.close()
    connection = sqlite3.connect(path)
    connection.execute('PRAGMA user_version = 2')
    connection.close()
    
    for _ in range(2):
        with pytest.raises(StoreVersionError, match = 'newer version'):
            store.open()
    
    connection = sqlite3.connect(path)
    assert connection.execute('SELECT data FROM record').fetchall() == [(b'record',)]
    connection.execute('PRAGMA user_version = 1')
    connection.close()
    store.open()
    assert store.load_records(APPLICATION_ID) == {0: b'record'}


# ---- a full disk ----

FILLER = '''
import resource, sys
from hata_gateway_ext.stores import SQLiteStore, StoreUnavailableError

store = SQLiteStore(sys.argv[1])
store.open()
store.save_checkpoint(1234567890123456789, 0, b'old', [(1, b'old')])

unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, unlimited[1]))
for _ in range(2):
    try:
        store.save_checkpoint(1234567890123456789, 0, b'new', [(blob_id, b'new' * 10000) for blob_id in range(100)])
    except StoreUnavailableError as exception:
        print(exception, flush = True)
    else:
        raise RuntimeError('The file is not limited.')
    
    assert store.load_checkpoint(1234567890123456789, 0) == (b'old', {1: b'old'})

resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
store.save_checkpoint(1234567890123456789, 0, b'new', [(1, b'new')])
assert store.load_checkpoint(1234567890123456789, 0) == (b'new', {1: b'new'})
store.close()
'''


def test__SQLiteStore__full(path):
    """
    When no more can be written, the store is unavailable, the old checkpoint stays, and saving works again once there is
    room. The kernel refuses to let the file grow, as on a full disk.
    """
    result = subprocess.run(
        [sys.executable, '-c', FILLER, str(path)], stdout = subprocess.PIPE, stderr = subprocess.PIPE, text = True
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count('cannot be used') == 2
    assert get_set_aside(path) == []
