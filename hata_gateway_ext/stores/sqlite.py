"""
Sessions in one file: what a bot on one machine needs to survive a restart. Standard library only.

- Transactions make every save all or nothing. WAL mode lets one read while another writes, and makes a save cost one
  `fsync`; `synchronous = FULL` keeps what was saved through a loss of power.
- The file, and the `-wal` and `-shm` files that SQLite puts beside it and gives the same mode, are for their owner only.
- One process at a time: two processes that resume the same session throw each other out. See `file_lock.py`.
- The file may be deleted, replaced, truncated or overwritten while we run. Before each use it is looked at whether the path
  still leads to the open file. SQLite keeps pages in memory and may not notice for long that the file is damaged, so each
  checkpoint is written through a new connection, which checks the whole file first. What is corrupt is renamed, never
  overwritten.
"""
__all__ = ('SQLiteStore',)

import errno, os, sqlite3
from threading import Lock
from time import gmtime, strftime

from .base import SessionStore
from .errors import StoreCorruptError, StoreError, StoreUnavailableError, StoreVersionError
from .file_lock import acquire_file_lock, release_file_lock, renew_file_lock


# Marks a file as ours, so that we never touch another application's database (SQLite docs, PRAGMA application_id).
# The letters 'hgwx'.
SQLITE_APPLICATION_ID = 0x68677778

# Version of the tables below. The journal came later, without a new version: who does not know it passes over it.
SQLITE_LAYOUT_VERSION = 1

SQLITE_LAYOUT = (
    'CREATE TABLE IF NOT EXISTS record (application_id INTEGER, shard_id INTEGER, data BLOB NOT NULL, '
    'PRIMARY KEY (application_id, shard_id))',
    'CREATE TABLE IF NOT EXISTS checkpoint (application_id INTEGER, shard_id INTEGER, head BLOB NOT NULL, '
    'PRIMARY KEY (application_id, shard_id))',
    'CREATE TABLE IF NOT EXISTS checkpoint_blob (application_id INTEGER, shard_id INTEGER, blob_id INTEGER, '
    'data BLOB NOT NULL, PRIMARY KEY (application_id, shard_id, blob_id))',
    'CREATE TABLE IF NOT EXISTS journal (application_id INTEGER, shard_id INTEGER, sequence INTEGER, data BLOB NOT NULL, '
    'PRIMARY KEY (application_id, shard_id, sequence))',
)

# How long to wait for another connection to finish its writing, in seconds. Other connections are those of other clients
# of this process, whose transactions take some milliseconds, or a person with a database browser.
SQLITE_BUSY_TIMEOUT = 5.0

# The `-wal` file grows to the size of the largest save, and is cut back to this many bytes. A megabyte holds some thousand
# saves of records.
SQLITE_WAL_SIZE_LIMIT = 1 << 20

# SQLite's own names of the files beside a database.
SQLITE_SIDE_FILE_SUFFIXES = ('-wal', '-shm')

LOCK_SUFFIX = '-lock'


class SQLiteStore(SessionStore):
    """
    Keeps records and checkpoints in a SQLite file.
    
    Attributes
    ----------
    _connection : `None | sqlite3.Connection`
        The connection in use. Dropped after trouble, and made anew by the next operation.
    _lock : `Lock`
        Held during each operation.
    _opened : `bool`
        Whether the store is open, and holds the lock of the file.
    _status : `None | os.stat_result`
        Identifies the file that is connected.
    path : `str`
        Absolute path to the file.
    """
    __slots__ = ('_connection', '_lock', '_opened', '_status', 'path')
    
    keeps_journal = True
    
    def __new__(cls, path):
        """
        Creates a new store. The file is created when the store is opened; its directory has to exist.
        
        Parameters
        ----------
        path : `str | os.PathLike<str>`
            Path to the file. A relative one is taken from the present working directory.
        """
        self = object.__new__(cls)
        self._connection = None
        self._lock = Lock()
        self._opened = False
        self._status = None
        self.path = os.path.realpath(os.fspath(path))
        return self
    
    
    def __repr__(self):
        """Returns the store's representation."""
        return f'<{type(self).__name__} path = {self.path!r}, open = {self._opened!r}>'
    
    # ---- connection ----
    
    def _create_file(self):
        """
        Creates the file with a mode for its owner only, or takes the rights of others from an existing one.
        
        Raises
        ------
        OSError
        """
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            # It must not be opened here: closing it would release the locks that SQLite has on it in this process.
            mode = os.stat(self.path).st_mode & 0o777
            if mode & 0o077:
                os.chmod(self.path, mode & 0o700)
            
            # SQLite would open it for reading, and give the files beside it the same mode, where they would stay in the
            # way of the next connection.
            if not os.access(self.path, os.W_OK, effective_ids = os.access in os.supports_effective_ids):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), self.path)
    
    
    def _connect(self):
        """
        Connects to the file, and creates the tables in a new one.
        
        Returns
        -------
        connection : `sqlite3.Connection`
        
        Raises
        ------
        StoreError
        OSError
        sqlite3.Error
        """
        renew_file_lock(self.path + LOCK_SUFFIX)
        self._create_file()
        self._status = os.stat(self.path)
        
        # Transactions are begun and committed explicitly. Calls come from changing threads, one at a time.
        connection = sqlite3.connect(
            self.path, timeout = SQLITE_BUSY_TIMEOUT, isolation_level = None, check_same_thread = False
        )
        self._connection = connection
        connection.execute('PRAGMA journal_mode = WAL')
        connection.execute('PRAGMA synchronous = FULL')
        connection.execute(f'PRAGMA journal_size_limit = {SQLITE_WAL_SIZE_LIMIT}')
        
        if connection.execute('PRAGMA quick_check(1)').fetchone()[0] != 'ok':
            raise sqlite3.DatabaseError('quick_check failed')
        
        connection.execute('BEGIN IMMEDIATE')
        application_id = connection.execute('PRAGMA application_id').fetchone()[0]
        layout_version = connection.execute('PRAGMA user_version').fetchone()[0]
        table_count = connection.execute('SELECT count(*) FROM sqlite_master').fetchone()[0]
        
        if table_count and application_id != SQLITE_APPLICATION_ID:
            raise StoreError(f'{self.path!r} is a database of another application; choose another path.')
        
        if layout_version > SQLITE_LAYOUT_VERSION:
            raise StoreVersionError(
                f'{self.path!r} has layout {layout_version}, from a newer version of hata_gateway_ext; '
                f'this version knows layouts up to {SQLITE_LAYOUT_VERSION}.'
            )
        
        for statement in SQLITE_LAYOUT:
            connection.execute(statement)
        if not table_count:
            connection.execute(f'PRAGMA application_id = {SQLITE_APPLICATION_ID}')
        
        # Written each time, since a file system that is read-only is not noticed before the first write.
        connection.execute(f'PRAGMA user_version = {SQLITE_LAYOUT_VERSION}')
        connection.execute('COMMIT')
        return connection
    
    
    def _disconnect(self):
        """
        Drops the connection. A transaction in progress is rolled back.
        """
        connection = self._connection
        if (connection is not None):
            self._connection = None
            try:
                connection.close()
            except sqlite3.Error:
                # SQLite closes in any case; the error is one of tidying up, for which the next connection stands in.
                return
    
    
    def _is_file_gone(self):
        """
        Returns whether the path does not lead to the connected file anymore.
        
        Returns
        -------
        is_file_gone : `bool`
        """
        try:
            return not os.path.samestat(self._status, os.stat(self.path))
        except FileNotFoundError:
            return True
    
    
    def _set_aside(self):
        """
        Renames the file and the ones beside it.
        
        Returns
        -------
        path : `str`
            The file's new path.
        
        Raises
        ------
        OSError
        """
        base = new_path = f'{self.path}.corrupt-{strftime("%Y%m%dT%H%M%SZ", gmtime())}'
        attempt = 1
        while os.path.exists(new_path):
            attempt += 1
            new_path = f'{base}-{attempt}'
        
        os.rename(self.path, new_path)
        for suffix in SQLITE_SIDE_FILE_SUFFIXES:
            try:
                os.rename(self.path + suffix, new_path + suffix)
            except FileNotFoundError:
                continue
        
        return new_path
    
    
    def _fail(self, exception):
        """
        Drops the connection, and translates an exception.
        
        Parameters
        ----------
        exception : `OSError | sqlite3.Error`
            What went wrong.
        
        Returns
        -------
        error : `StoreError`
            To be raised.
        """
        self._disconnect()
        
        # SQLite's 'corrupt' and 'not a database' come as bare `DatabaseError`-s. What may pass by itself (full, read-only,
        # locked, input or output error) comes as its subclass `OperationalError`.
        if type(exception) is sqlite3.DatabaseError:
            try:
                new_path = self._set_aside()
            except OSError as rename_exception:
                return StoreUnavailableError(
                    f'{self.path!r} is corrupt, and could not be set aside: {rename_exception.strerror}.'
                )
            
            return StoreCorruptError(f'{self.path!r} was corrupt, and is set aside as {new_path!r}.')
        
        if isinstance(exception, OSError):
            reason = exception.strerror
        else:
            reason = str(exception)
        
        return StoreUnavailableError(f'{self.path!r} cannot be used: {reason}.')
    
    
    def _execute(self, operation, renew = False):
        """
        Runs an operation in a transaction.
        
        Parameters
        ----------
        operation : `callable`
            Called with the connection.
        renew : `bool` = `False`, Optional
            Whether to use a new connection, which checks the file.
        
        Returns
        -------
        result : `object`
            What the operation returned.
        
        Raises
        ------
        StoreError
        """
        with self._lock:
            if not self._opened:
                raise StoreUnavailableError(f'{self.path!r} is not open.')
            
            try:
                connection = self._connection
                if (connection is not None) and (renew or self._is_file_gone()):
                    self._disconnect()
                    connection = None
                
                if connection is None:
                    connection = self._connect()
                
                connection.execute('BEGIN IMMEDIATE')
                result = operation(connection)
                connection.execute('COMMIT')
                return result
            
            except (OSError, sqlite3.Error) as exception:
                raise self._fail(exception) from exception
            except:
                self._disconnect()
                raise
    
    
    def open(self):
        with self._lock:
            if self._opened:
                return
            
            lock_path = self.path + LOCK_SUFFIX
            try:
                acquire_file_lock(lock_path)
            except OSError as exception:
                raise self._fail(exception) from exception
            
            try:
                self._connect()
                self._opened = True
            except (OSError, sqlite3.Error) as exception:
                raise self._fail(exception) from exception
            finally:
                if not self._opened:
                    self._disconnect()
                    release_file_lock(lock_path)
    
    
    def close(self):
        with self._lock:
            if self._opened:
                self._opened = False
                self._disconnect()
                release_file_lock(self.path + LOCK_SUFFIX)
    
    # ---- records ----
    
    def load_records(self, application_id):
        def operation(connection):
            return dict(connection.execute(
                'SELECT shard_id, data FROM record WHERE application_id = ?', (application_id,)
            ))
        
        return self._execute(operation)
    
    
    def save_records(self, application_id, records):
        def operation(connection):
            connection.executemany(
                'INSERT OR REPLACE INTO record VALUES (?, ?, ?)',
                [(application_id, shard_id, data) for shard_id, data in records.items()],
            )
        
        self._execute(operation)
    
    
    def delete_record(self, application_id, shard_id):
        def operation(connection):
            connection.execute(
                'DELETE FROM record WHERE application_id = ? AND shard_id = ?', (application_id, shard_id)
            )
        
        self._execute(operation)
    
    
    def save_session(self, application_id, entries):
        def operation(connection):
            connection.executemany(
                'INSERT OR REPLACE INTO record VALUES (?, ?, ?)',
                [(application_id, entry.shard_id, entry.record) for entry in entries],
            )
            connection.executemany(
                'DELETE FROM journal WHERE application_id = ? AND shard_id = ?',
                [(application_id, entry.shard_id) for entry in entries if entry.begins],
            )
            connection.executemany(
                'INSERT OR REPLACE INTO journal VALUES (?, ?, ?, ?)',
                [
                    (application_id, entry.shard_id, entry.sequence, entry.journal)
                    for entry in entries if (entry.journal is not None)
                ],
            )
        
        self._execute(operation)
    
    
    def load_journal(self, application_id, shard_id):
        def operation(connection):
            return [data for (data,) in connection.execute(
                'SELECT data FROM journal WHERE application_id = ? AND shard_id = ? ORDER BY sequence',
                (application_id, shard_id),
            )]
        
        return self._execute(operation)
    
    # ---- checkpoints ----
    
    def load_checkpoint(self, application_id, shard_id):
        key = (application_id, shard_id)
        
        def operation(connection):
            row = connection.execute(
                'SELECT head FROM checkpoint WHERE application_id = ? AND shard_id = ?', key
            ).fetchone()
            if row is None:
                return None
            
            return row[0], dict(connection.execute(
                'SELECT blob_id, data FROM checkpoint_blob WHERE application_id = ? AND shard_id = ?', key
            ))
        
        return self._execute(operation)
    
    
    def save_checkpoint(self, application_id, shard_id, head, blobs, kept = (), journal_until = None):
        key = (application_id, shard_id)
        # Before the transaction begins: the iteration may raise, and may take its time.
        blobs = [(*key, blob_id, data) for blob_id, data in blobs]
        kept = {*kept}
        
        def operation(connection):
            stored = {blob_id for (blob_id,) in connection.execute(
                'SELECT blob_id FROM checkpoint_blob WHERE application_id = ? AND shard_id = ?', key
            )}
            connection.executemany(
                'DELETE FROM checkpoint_blob WHERE application_id = ? AND shard_id = ? AND blob_id = ?',
                [(*key, blob_id) for blob_id in stored - kept],
            )
            connection.executemany('INSERT OR REPLACE INTO checkpoint_blob VALUES (?, ?, ?, ?)', blobs)
            connection.execute('INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?)', (*key, head))
            if (journal_until is not None):
                connection.execute(
                    'DELETE FROM journal WHERE application_id = ? AND shard_id = ? AND sequence <= ?',
                    (*key, journal_until),
                )
            
            return kept - stored - {blob[2] for blob in blobs}
        
        return self._execute(operation, renew = True)
    
    
    def delete_checkpoint(self, application_id, shard_id):
        key = (application_id, shard_id)
        
        def operation(connection):
            connection.execute('DELETE FROM checkpoint_blob WHERE application_id = ? AND shard_id = ?', key)
            connection.execute('DELETE FROM checkpoint WHERE application_id = ? AND shard_id = ?', key)
            connection.execute('DELETE FROM journal WHERE application_id = ? AND shard_id = ?', key)
        
        self._execute(operation)
