"""
What is written down of a session, and how.

The token is not part of it, nor anything derived from the token: a store may be a file in a backup. A record belongs to an
application by its id. Under a changed token Discord refuses the resume, and the shard identifies.
"""
__all__ = ('RECORD_VERSION', 'SessionRecord')

import json

from .errors import StoreCorruptError, StoreVersionError


# The version of the format that is written. Raise it when a reader of the old format would misunderstand the new one; a
# field that an old reader may ignore needs no new version.
RECORD_VERSION = 1

# What a record consists of: name, accepted types, and whether `None` is accepted. Written in this order.
RECORD_FIELDS = (
    ('application_id', (int,), False),
    ('shard_id', (int,), False),
    ('shard_count', (int,), False),
    ('intents', (int,), False),
    ('session_id', (str,), False),
    ('resume_gateway_url', (str,), True),
    ('sequence', (int,), False),
    ('written_at', (int, float), False),
)


class SessionRecord:
    """
    All that is needed to resume the session of a shard.
    
    Attributes
    ----------
    application_id : `int`
        The identifier of the application that the session belongs to.
    intents : `int`
        The intents that the session was started with.
    resume_gateway_url : `None | str`
        Where Discord wants the session to be resumed.
    sequence : `int`
        The sequence of the last event that was dispatched.
    session_id : `str`
        The session's identifier. Never shown.
    shard_count : `int`
        The amount of shards when the session was started.
    shard_id : `int`
        The shard's identifier.
    written_at : `float`
        When the record was made: unix time in seconds.
    """
    __slots__ = (
        'application_id', 'intents', 'resume_gateway_url', 'sequence', 'session_id', 'shard_count', 'shard_id',
        'written_at'
    )
    
    def __new__(
        cls,
        *,
        application_id,
        intents,
        resume_gateway_url,
        sequence,
        session_id,
        shard_count,
        shard_id,
        written_at,
    ):
        """
        Creates a new session record.
        
        Parameters
        ----------
        application_id : `int`
            The identifier of the application that the session belongs to.
        intents : `int`
            The intents that the session was started with.
        resume_gateway_url : `None | str`
            Where Discord wants the session to be resumed.
        sequence : `int`
            The sequence of the last event that was dispatched.
        session_id : `str`
            The session's identifier.
        shard_count : `int`
            The amount of shards.
        shard_id : `int`
            The shard's identifier.
        written_at : `float`
            The present unix time in seconds.
        """
        self = object.__new__(cls)
        self.application_id = application_id
        self.intents = intents
        self.resume_gateway_url = resume_gateway_url
        self.sequence = sequence
        self.session_id = session_id
        self.shard_count = shard_count
        self.shard_id = shard_id
        self.written_at = written_at
        return self
    
    
    @classmethod
    def from_bytes(cls, data):
        """
        Reads a record.
        
        Parameters
        ----------
        data : `bytes`
            What ``.to_bytes`` returned, now or in an older version.
        
        Returns
        -------
        self : `instance<cls>`
        
        Raises
        ------
        StoreVersionError
            - The record was written by a newer version.
        StoreCorruptError
            - It is no record.
        """
        try:
            payload = json.loads(data)
        except ValueError:
            # The original exception holds the record.
            raise StoreCorruptError('A session record is not JSON.') from None
        
        if not isinstance(payload, dict):
            raise StoreCorruptError('A session record is no JSON object.')
        
        version = payload.get('version', None)
        if type(version) is not int or version < 1:
            raise StoreCorruptError('A session record has no valid version.')
        
        if version > RECORD_VERSION:
            raise StoreVersionError(
                f'A session record was written in format {version}, by a newer version of hata_gateway_ext; '
                f'this version reads formats up to {RECORD_VERSION}.'
            )
        
        keyword_parameters = {}
        for name, accepted_types, nullable in RECORD_FIELDS:
            value = payload.get(name, None)
            # By type, since `bool` is an `int` for `isinstance`.
            if (type(value) not in accepted_types) and not (nullable and (value is None)):
                raise StoreCorruptError(f'A session record has no valid {name!r}.')
            
            keyword_parameters[name] = value
        
        return cls(**keyword_parameters)
    
    
    def to_bytes(self):
        """
        Writes the record.
        
        Returns
        -------
        data : `bytes`
        """
        payload = {'version': RECORD_VERSION}
        for name, _, _ in RECORD_FIELDS:
            payload[name] = getattr(self, name)
        
        return json.dumps(payload, separators = (',', ':')).encode()
    
    
    def __eq__(self, other):
        """Returns whether the two records are equal."""
        if type(self) is not type(other):
            return NotImplemented
        
        return all(getattr(self, name) == getattr(other, name) for name, _, _ in RECORD_FIELDS)
    
    
    __hash__ = None
    
    
    def __repr__(self):
        """Returns the representation of the record, without the session's identifier and address."""
        return (
            f'<{type(self).__name__} application_id = {self.application_id!r}, shard_id = {self.shard_id!r}, '
            f'shard_count = {self.shard_count!r}, sequence = {self.sequence!r}, written_at = {self.written_at!r}>'
        )
