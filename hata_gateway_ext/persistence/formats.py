"""
What a checkpoint of a shard looks like as bytes: a head, and a blob for each guild.

A blob is JSON, one object a line, compressed and with a checksum; the head is one line of the same. The lines of a guild's
blob are put together when it is read: a large guild is written in parts, so that none of them holds the loop up for long.
"""
__all__ = ('CHECKPOINT_VERSION', 'CheckpointHead', 'decode_lines', 'dump_line', 'encode_lines')

import json
import zlib

from ..stores.errors import StoreCorruptError, StoreVersionError

try:
    import orjson
except ImportError:
    # PyPy
    orjson = None

try:
    from backports import zstd
except ImportError:
    zstd = None


# The version of heads and blobs. Raise it when a reader of the old format would misunderstand the new one.
CHECKPOINT_VERSION = 1

CODEC_ZLIB = 1
CODEC_ZSTD = 2

# The lowest levels: a checkpoint is written about once a minute and read once in a process' life at most. Guilds of 200
# members are 138 KB of JSON; zlib 1 makes 13.4 KB of them in 0.40 ms, zstd 1 10.5 KB in 0.09 ms, zstd 3 11.4 KB in 0.15 ms.
ZLIB_LEVEL = 1
ZSTD_LEVEL = 1

# One byte of version, one of codec, and four of checksum (CRC-32 of what follows).
HEADER_SIZE = 6

# What a head consists of besides its version: name and accepted types.
HEAD_FIELDS = (
    ('application', (dict, type(None))),
    ('application_id', (int,)),
    ('guilds', (dict,)),
    ('intents', (int,)),
    ('last_sequence', (int,)),
    ('resume_gateway_url', (str, type(None))),
    ('sequence', (int,)),
    ('session_id', (str,)),
    ('shard_count', (int,)),
    ('shard_id', (int,)),
    ('written_at', (int, float)),
)


if orjson is None:
    def dump_line(value):
        """
        Turns a value into a line of JSON.
        
        Parameters
        ----------
        value : `object`
            What to write.
        
        Returns
        -------
        line : `bytes`
        """
        return json.dumps(value, separators = (',', ':')).encode()
    
    
    load_line = json.loads

else:
    dump_line = orjson.dumps
    load_line = orjson.loads


def encode_lines(lines):
    """
    Compresses lines. Takes some time: call it off the loop.
    
    Parameters
    ----------
    lines : `list<bytes>`
        The lines, of ``dump_line``.
    
    Returns
    -------
    blob : `bytes`
    """
    data = b'\n'.join(lines)
    if zstd is None:
        codec = CODEC_ZLIB
        data = zlib.compress(data, ZLIB_LEVEL)
    else:
        codec = CODEC_ZSTD
        data = zstd.compress(data, ZSTD_LEVEL)
    
    return b'%c%c%b%b' % (CHECKPOINT_VERSION, codec, zlib.crc32(data).to_bytes(4, 'big'), data)


def decode_lines(blob, prepare = None):
    """
    Reads lines. Takes some time: call it off the loop.
    
    Parameters
    ----------
    blob : `bytes`
        What ``encode_lines`` returned.
    prepare : `None | (bytes) -> bytes` = `None`, Optional
        Called with each line before it is read.
    
    Returns
    -------
    values : `list<object>`
    
    Raises
    ------
    StoreVersionError
        - It was written by a newer version.
    StoreCorruptError
        - It is damaged, or compressed with what is not installed here.
    """
    if len(blob) < HEADER_SIZE:
        raise StoreCorruptError('A part of a checkpoint is too short.')
    
    version = blob[0]
    if version > CHECKPOINT_VERSION:
        raise StoreVersionError(
            f'A checkpoint was written in format {version}, by a newer version of hata_gateway_ext; '
            f'this version reads formats up to {CHECKPOINT_VERSION}.'
        )
    
    data = blob[HEADER_SIZE:]
    if zlib.crc32(data) != int.from_bytes(blob[2 : HEADER_SIZE], 'big'):
        raise StoreCorruptError('A part of a checkpoint is damaged.')
    
    codec = blob[1]
    if (codec == CODEC_ZSTD) and (zstd is not None):
        data = zstd.decompress(data)
    elif codec == CODEC_ZLIB:
        data = zlib.decompress(data)
    elif codec == CODEC_ZSTD:
        raise StoreCorruptError('A checkpoint was compressed with zstd, and `backports.zstd` is not installed here.')
    else:
        raise StoreCorruptError('A part of a checkpoint is compressed in an unknown way.')
    
    lines = data.split(b'\n')
    if (prepare is not None):
        lines = map(prepare, lines)
    
    return [load_line(line) for line in lines]


class CheckpointHead:
    """
    What belongs to a checkpoint as a whole.
    
    Attributes
    ----------
    application : `None | dict<str, object>`
        What READY said of the application: `id` and `flags`. `None` if it was not known.
    application_id : `int`
        The identifier that records and checkpoints are bound to.
    guilds : `dict<int, (int, int)>`
        For each guild, by id: the sequence up to which the events of the guild are contained in its blob, and the one at
        which the blob was written. They differ if nothing happened to the guild between the two.
    intents : `int`
        The intents that the session was started with.
    last_sequence : `int`
        The sequence of the last event that was dispatched when the checkpoint was finished.
    resume_gateway_url : `None | str`
        Where Discord wants the session to be resumed.
    sequence : `int`
        The sequence to resume from: no guild has a lower one.
    session_id : `str`
        The session's identifier. Never shown.
    shard_count : `int`
        The amount of shards.
    shard_id : `int`
        The shard's identifier.
    written_at : `float`
        When the checkpoint was finished: unix time in seconds.
    """
    __slots__ = tuple(name for name, _ in HEAD_FIELDS)
    
    def __new__(cls, **fields):
        """
        Creates a new head.
        
        Parameters
        ----------
        **fields : Keyword parameters
            The attributes, all of them.
        """
        self = object.__new__(cls)
        for name, _ in HEAD_FIELDS:
            setattr(self, name, fields.pop(name))
        
        if fields:
            raise TypeError(f'Unknown fields: {", ".join(sorted(fields))}.')
        
        return self
    
    
    @classmethod
    def from_bytes(cls, blob):
        """
        Reads a head.
        
        Parameters
        ----------
        blob : `bytes`
            What ``.to_bytes`` returned, now or in an older version.
        
        Returns
        -------
        self : `instance<cls>`
        
        Raises
        ------
        StoreVersionError
            - The head was written by a newer version.
        StoreCorruptError
            - It is no head.
        """
        payload = decode_lines(blob)[0]
        if not isinstance(payload, dict):
            raise StoreCorruptError('The head of a checkpoint is no JSON object.')
        
        fields = {}
        for name, accepted_types in HEAD_FIELDS:
            value = payload.get(name, None)
            # By type, since `bool` is an `int` for `isinstance`.
            if type(value) not in accepted_types:
                raise StoreCorruptError(f'The head of a checkpoint has no valid {name!r}.')
            
            fields[name] = value
        
        try:
            fields['guilds'] = {
                int(guild_id): (int(sequence), int(written)) for guild_id, (sequence, written) in fields['guilds'].items()
            }
        except (TypeError, ValueError):
            raise StoreCorruptError('The head of a checkpoint has no valid \'guilds\'.') from None
        
        return cls(**fields)
    
    
    def to_bytes(self):
        """
        Writes the head.
        
        Returns
        -------
        blob : `bytes`
        """
        payload = {name: getattr(self, name) for name, _ in HEAD_FIELDS}
        payload['guilds'] = {str(guild_id): sequences for guild_id, sequences in self.guilds.items()}
        return encode_lines([dump_line(payload)])
    
    
    def __repr__(self):
        """Returns the representation of the head, without the session's identifier and address."""
        return (
            f'<{type(self).__name__} shard_id = {self.shard_id!r}, shard_count = {self.shard_count!r}, '
            f'sequence = {self.sequence!r}, last_sequence = {self.last_sequence!r}, guilds = {len(self.guilds)!r}>'
        )
