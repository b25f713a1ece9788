"""
Sessions in Redis or Valkey: for bots that start on another machine than the one they stopped on. Needs `redis-py`, the
extra `redis`.

Each key holds what changes as a whole, since Redis does one command on one key atomically on every setup, clusters
included:

- `<prefix>:<application id>:records`: records by shard id.
- `<prefix>:<application id>:<shard id>:checkpoint`: the blobs, and the head together with the list of the blobs that belong
    to it. Blobs go in first, in batches and under names that no checkpoint used before; then the head, in one command:
    from there on the new checkpoint is the one that is read; then the old blobs go. A process that dies in between leaves
    blobs that no head names, which the next save removes.
- `<prefix>:<application id>:<shard id>:journal`: the entries of the journal, a sorted set by their sequences.

All expire. A session is of use for some minutes only, but a machine may be down over a night, and a checkpoint without a
session costs nothing but memory.
"""
__all__ = ('RedisStore',)

from threading import Lock
from time import gmtime, strftime
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from .base import SessionStore
from .errors import StoreCorruptError, StoreUnavailableError
from .redis_layout import HEAD_FIELD, get_blob_field, join_head, split_head


try:
    import redis
except ImportError as exception:
    raise ImportError(
        'A Redis store needs redis-py: install hata_gateway_ext with its extra `redis` '
        '(pip install "hata_gateway_ext[redis]").'
    ) from exception

from redis.backoff import NoBackoff
from redis.retry import Retry


REDIS_SCHEMES = ('redis', 'rediss', 'unix')

REDIS_PREFIX = 'hata_gateway_ext'

# Seconds that records and checkpoints are kept after their last save. Far longer than Discord keeps a session (minutes), so
# that it never decides over one; short enough that a bot which is gone for good does not fill the memory for ever.
REDIS_EXPIRY = 86400

# Seconds that connecting, and waiting for one answer, may take. Stores are called off the event loop, so this bounds only
# how old a record may get while Redis is silent.
REDIS_TIMEOUT = 5.0

# Bytes of blobs that are sent in one batch. Redis does nothing else while it takes a command in; a megabyte takes it about
# a millisecond.
REDIS_BATCH_SIZE = 1 << 20

# What may be configured in the query of the URL. The first are ours, the others are handed to redis-py.
OWN_QUERY_NAMES = ('expiry', 'prefix', 'timeout')
REDIS_QUERY_NAMES = ('db', 'ssl_ca_certs', 'ssl_cert_reqs', 'ssl_certfile', 'ssl_check_hostname', 'ssl_keyfile')


def _parse_seconds(name, value):
    """
    Checks an amount of seconds.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError(f'`{name}` can be seconds as `int`, `float`, got {type(value).__name__}.')
    
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    
    # NaN is not over zero either.
    if not (0.0 < seconds < float('inf')):
        raise ValueError(f'`{name}` can be seconds over 0, got {value!r}.')
    
    return seconds


def _describe_redis_exception(exception):
    """
    Says what went wrong, without what was sent: an answer of Redis may quote the command.
    """
    description = type(exception).__name__
    if isinstance(exception, redis.ResponseError):
        # Answers begin with an error code in capital letters.
        code = str(exception).partition(' ')[0]
        if code.isalpha() and code.isupper():
            description = f'{description} {code}'
    
    return description


def _close_client(client):
    """
    Closes a client and its connections. redis-py 5.0 leaves the latter open if the client was made from a URL.
    """
    client.close()
    client.connection_pool.disconnect()


class RedisStore(SessionStore):
    """
    Keeps records and checkpoints in Redis or Valkey.
    
    Attributes
    ----------
    _client : `None | redis.Redis`
        The client in use. It connects, and reconnects, by itself.
    _keyword_parameters : `dict` of (`str`, `object`) items
        Keyword parameters to create the client with.
    _lock : `Lock`
        Held during each operation.
    _url : `str`
        Where Redis is, as redis-py takes it. May hold a password.
    expiry : `int`
        Seconds that records and checkpoints are kept after their last save.
    location : `str`
        Where Redis is, without user and password.
    prefix : `str`
        The prefix of all keys.
    """
    __slots__ = ('_client', '_keyword_parameters', '_lock', '_url', 'expiry', 'location', 'prefix')
    
    keeps_journal = True
    
    def __new__(cls, url, *, prefix = None, expiry = None, timeout = None, **keyword_parameters):
        """
        Creates a new store. Nothing is connected before it is opened.
        
        Parameters
        ----------
        url : `str`
            `redis://[[user]:password@]host[:port][/db]`, `rediss://…` over TLS, or `unix://[[user]:password@]/path`.
            Its query may hold `prefix`, `expiry`, `timeout`, `db`, and `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`,
            `ssl_cert_reqs`, `ssl_check_hostname`.
        prefix : `None | str` = `None`, Optional (Keyword only)
            The prefix of all keys. Defaults to `'hata_gateway_ext'`.
        expiry : `None | int | float` = `None`, Optional (Keyword only)
            Seconds that records and checkpoints are kept after their last save, at least 1. Defaults to a day.
        timeout : `None | int | float` = `None`, Optional (Keyword only)
            Seconds that connecting, and waiting for an answer, may take. Defaults to 5.
        **keyword_parameters : Keyword parameters
            Further keyword parameters for redis-py.
        
        Raises
        ------
        TypeError
            - A parameter's type is incorrect.
        ValueError
            - A parameter's value is incorrect. The message never holds the URL.
        """
        if not isinstance(url, str):
            raise TypeError(f'`url` can be `str`, got {type(url).__name__}.')
        
        try:
            split = urlsplit(url)
            # Raises on a port that is no number.
            port = split.port
        except ValueError:
            # The original message may quote the password.
            raise ValueError('The Redis URL cannot be parsed.') from None
        
        if split.scheme not in REDIS_SCHEMES:
            raise ValueError(f'A Redis URL begins with one of {", ".join(REDIS_SCHEMES)} and ://.')
        
        if split.scheme == 'unix':
            if not split.path:
                raise ValueError('A `unix://` URL needs the path of the socket.')
            location = f'unix://{unquote(split.path)}'
        else:
            location = f'{split.scheme}://{split.hostname or "localhost"}:{port or 6379}{split.path.rstrip("/")}'
        
        own_options = {}
        redis_options = []
        for name, value in parse_qsl(split.query, keep_blank_values = True):
            if name in OWN_QUERY_NAMES:
                own_options[name] = value
            elif name in REDIS_QUERY_NAMES:
                redis_options.append((name, value))
            else:
                raise ValueError(
                    f'The query of a Redis URL can hold {", ".join(OWN_QUERY_NAMES + REDIS_QUERY_NAMES)}; '
                    f'got {name!r}.'
                )
        
        if prefix is None:
            prefix = own_options.get('prefix', REDIS_PREFIX)
        elif not isinstance(prefix, str):
            raise TypeError(f'`prefix` can be `None`, `str`, got {type(prefix).__name__}.')
        if not prefix:
            raise ValueError('`prefix` cannot be empty.')
        
        if expiry is None:
            expiry = own_options.get('expiry', REDIS_EXPIRY)
        expiry = _parse_seconds('expiry', expiry)
        if expiry < 1.0:
            raise ValueError(f'`expiry` can be at least 1 second, got {expiry!r}.')
        
        if timeout is None:
            timeout = own_options.get('timeout', REDIS_TIMEOUT)
        timeout = _parse_seconds('timeout', timeout)
        
        keyword_parameters = {
            # One more try, at once: for a connection that Redis, or a firewall in between, has closed meanwhile. Longer
            # outages are waited for by who calls the store. (redis-py's own health checks are not used: in its version 5.0
            # they recurse without end when Redis does not answer.)
            'retry': Retry(NoBackoff(), 1),
            'socket_connect_timeout': timeout,
            'socket_timeout': timeout,
            **keyword_parameters,
            'decode_responses': False,
        }
        query_names = {name for name, _ in redis_options}
        if (split.scheme == 'rediss') and ('ssl_check_hostname' not in query_names):
            # Older versions of redis-py take any valid certificate, of whatever host.
            verified = dict(redis_options).get('ssl_cert_reqs', 'required') == 'required'
            keyword_parameters.setdefault('ssl_check_hostname', verified)
        
        self = object.__new__(cls)
        self._client = None
        self._keyword_parameters = keyword_parameters
        self._lock = Lock()
        self._url = f'{split.scheme}://{split.netloc}{split.path}?{urlencode(redis_options)}'
        self.expiry = int(expiry)
        self.location = location
        self.prefix = prefix
        
        # Values of the query are parsed by redis-py.
        try:
            self._create_client().close()
        except (TypeError, ValueError, redis.RedisError):
            raise ValueError(f'The parameters of the Redis URL ({location}) are not valid.') from None
        
        return self
    
    
    def __repr__(self):
        """Returns the store's representation."""
        return (
            f'<{type(self).__name__} location = {self.location!r}, prefix = {self.prefix!r}, '
            f'open = {self._client is not None!r}>'
        )
    
    # ---- connection ----
    
    def _create_client(self):
        """
        Creates a client. Nothing is connected yet.
        """
        return redis.Redis.from_url(self._url, **self._keyword_parameters)
    
    
    def _get_records_key(self, application_id):
        """
        Returns the key of the records of an application.
        """
        return f'{self.prefix}:{application_id}:records'
    
    
    def _get_checkpoint_key(self, application_id, shard_id):
        """
        Returns the key of the checkpoint of a shard.
        """
        return f'{self.prefix}:{application_id}:{shard_id}:checkpoint'
    
    
    def _get_journal_key(self, application_id, shard_id):
        """
        Returns the key of the journal of a shard.
        """
        return f'{self.prefix}:{application_id}:{shard_id}:journal'
    
    
    def _execute(self, key, operation):
        """
        Runs an operation.
        """
        with self._lock:
            client = self._client
            if client is None:
                raise StoreUnavailableError(f'Redis at {self.location} is not open.')
            
            try:
                try:
                    return operation(client)
                except StoreCorruptError:
                    corrupt = True
                except redis.ResponseError as exception:
                    # In a pipeline the code does not come first.
                    if 'WRONGTYPE' not in str(exception):
                        raise
                    corrupt = True
                
                if corrupt:
                    new_key = f'{key}:corrupt-{strftime("%Y%m%dT%H%M%SZ", gmtime())}'
                    client.rename(key, new_key)
            
            except (redis.RedisError, OSError) as exception:
                description = _describe_redis_exception(exception)
            
            else:
                raise StoreCorruptError(f'{key!r} at {self.location} was corrupt, and is set aside as {new_key!r}.')
            
            # Outside of the `except` block, so that a traceback does not show the original exception, see above.
            raise StoreUnavailableError(f'Redis at {self.location} cannot be used: {description}.')
    
    
    def open(self):
        with self._lock:
            if (self._client is not None):
                return
            
            client = self._create_client()
            try:
                client.ping()
            except (redis.RedisError, OSError) as exception:
                description = _describe_redis_exception(exception)
                _close_client(client)
            else:
                self._client = client
                return
        
        raise StoreUnavailableError(f'Redis at {self.location} cannot be used: {description}.')
    
    
    def close(self):
        with self._lock:
            client = self._client
            if (client is not None):
                self._client = None
                _close_client(client)
    
    # ---- records ----
    
    def load_records(self, application_id):
        key = self._get_records_key(application_id)
        
        def operation(client):
            records = client.hgetall(key)
            try:
                return {int(shard_id): data for shard_id, data in records.items()}
            except ValueError:
                raise StoreCorruptError from None
        
        return self._execute(key, operation)
    
    
    def save_records(self, application_id, records):
        key = self._get_records_key(application_id)
        
        def operation(client):
            if records:
                pipeline = client.pipeline()
                pipeline.hset(key, mapping = records)
                pipeline.expire(key, self.expiry)
                pipeline.execute()
        
        self._execute(key, operation)
    
    
    def delete_record(self, application_id, shard_id):
        key = self._get_records_key(application_id)
        self._execute(key, lambda client: client.hdel(key, shard_id))
    
    
    def save_session(self, application_id, entries):
        key = self._get_records_key(application_id)
        
        def operation(client):
            if not entries:
                return
            
            pipeline = client.pipeline()
            for entry in entries:
                journal_key = self._get_journal_key(application_id, entry.shard_id)
                if entry.begins:
                    pipeline.delete(journal_key)
                if (entry.journal is not None):
                    # Another entry of this sequence is of a save of which it is not known whether it was done.
                    pipeline.zremrangebyscore(journal_key, entry.sequence, entry.sequence)
                    pipeline.zadd(journal_key, {entry.journal: entry.sequence})
                pipeline.expire(journal_key, self.expiry)
            
            pipeline.hset(key, mapping = {entry.shard_id: entry.record for entry in entries})
            pipeline.expire(key, self.expiry)
            pipeline.execute()
        
        self._execute(key, operation)
    
    
    def load_journal(self, application_id, shard_id):
        key = self._get_journal_key(application_id, shard_id)
        return self._execute(key, lambda client: client.zrange(key, 0, -1))
    
    # ---- checkpoints ----
    
    def load_checkpoint(self, application_id, shard_id):
        key = self._get_checkpoint_key(application_id, shard_id)
        
        def operation(client):
            fields = client.hgetall(key)
            if HEAD_FIELD not in fields:
                return None
            
            index, head = split_head(fields[HEAD_FIELD])
            try:
                return head, {blob_id: fields[get_blob_field(blob_id, save)] for blob_id, save in index.items()}
            except KeyError:
                raise StoreCorruptError from None
        
        return self._execute(key, operation)
    
    
    def save_checkpoint(self, application_id, shard_id, head, blobs, kept = (), journal_until = None):
        key = self._get_checkpoint_key(application_id, shard_id)
        # Before anything is sent: the iteration may raise.
        blobs = [*blobs]
        kept = {*kept}
        
        def operation(client):
            old_fields = {*client.hkeys(key)}
            old_index = {}
            if HEAD_FIELD in old_fields:
                old_index = split_head(client.hget(key, HEAD_FIELD))[0]
            
            # A name that none of the fields has, of saves that were not finished included.
            save = 1 + max((int(field.partition(b':')[2]) for field in old_fields if b':' in field), default = 0)
            index = {blob_id: old_index[blob_id] for blob_id in kept if blob_id in old_index}
            
            pipeline = client.pipeline(transaction = False)
            size = 0
            for blob_id, data in blobs:
                index[blob_id] = save
                pipeline.hset(key, get_blob_field(blob_id, save), data)
                size += len(data)
                if size >= REDIS_BATCH_SIZE:
                    pipeline.execute()
                    size = 0
            
            # If the key did not exist, then from the first blob on and up to here it does not expire; a process that dies
            # in between is followed by another one that saves, or by one that never comes. Hence here, not at the end.
            pipeline.expire(key, self.expiry)
            pipeline.execute()
            
            pipeline = client.pipeline()
            pipeline.hset(key, HEAD_FIELD, join_head(index, head))
            if (journal_until is not None):
                pipeline.zremrangebyscore(self._get_journal_key(application_id, shard_id), '-inf', journal_until)
            pipeline.execute()
            
            current_fields = {get_blob_field(blob_id, index[blob_id]) for blob_id in index}
            current_fields.add(HEAD_FIELD)
            stale_fields = old_fields - current_fields
            if stale_fields:
                client.hdel(key, *stale_fields)
            
            return kept - index.keys()
        
        return self._execute(key, operation)
    
    
    def delete_checkpoint(self, application_id, shard_id):
        key = self._get_checkpoint_key(application_id, shard_id)
        self._execute(key, lambda client: client.delete(key, self._get_journal_key(application_id, shard_id)))
