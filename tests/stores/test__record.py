"""
The session record: what is written, what is read, and what is refused.
"""
import json

import pytest

from hata_gateway_ext.stores import RECORD_VERSION, SessionRecord, StoreCorruptError, StoreVersionError, record


FIELDS = {
    'application_id': 1234567890123456789,
    'intents': 53608447,
    'resume_gateway_url': 'wss://gateway-us-east1-b.discord.gg',
    'sequence': 4321,
    'session_id': 'secret-session',
    'shard_count': 16,
    'shard_id': 3,
    'written_at': 1790000000.25,
}

# As it was written by version 1. Must be readable for ever.
WRITTEN_BY_VERSION_1 = (
    b'{"version":1,"application_id":1234567890123456789,"shard_id":3,"shard_count":16,"intents":53608447,'
    b'"session_id":"secret-session","resume_gateway_url":"wss://gateway-us-east1-b.discord.gg","sequence":4321,'
    b'"written_at":1790000000.25}'
)


def test__SessionRecord__new():
    """Fields are stored as given, and without one of them there is no record."""
    session_record = SessionRecord(**FIELDS)
    assert {name: getattr(session_record, name) for name in FIELDS} == FIELDS
    
    for name in FIELDS:
        with pytest.raises(TypeError):
            SessionRecord(**{name_: value for name_, value in FIELDS.items() if name_ != name})


@pytest.mark.parametrize('changes', [{}, {'resume_gateway_url': None}, {'written_at': 1790000000, 'sequence': 0}])
def test__SessionRecord__round_trip(changes):
    """A record is read as it was written."""
    session_record = SessionRecord(**{**FIELDS, **changes})
    assert SessionRecord.from_bytes(session_record.to_bytes()) == session_record


def test__SessionRecord__written_by_version_1():
    """Records of version 1 are understood, also by a version that writes another one."""
    assert SessionRecord.from_bytes(WRITTEN_BY_VERSION_1) == SessionRecord(**FIELDS)


def test__SessionRecord__older_version(monkeypatch):
    """A record of an older version is understood."""
    monkeypatch.setattr(record, 'RECORD_VERSION', RECORD_VERSION + 1)
    assert SessionRecord.from_bytes(WRITTEN_BY_VERSION_1) == SessionRecord(**FIELDS)


def test__SessionRecord__newer_version():
    """A record of a newer version is refused with a line that says so, and does not quote the record."""
    data = json.dumps({**json.loads(WRITTEN_BY_VERSION_1), 'version': RECORD_VERSION + 1}).encode()
    with pytest.raises(StoreVersionError, match = 'newer version') as error:
        SessionRecord.from_bytes(data)
    
    assert 'secret' not in str(error.value)


def test__SessionRecord__unknown_field():
    """A field that is not known is passed over."""
    data = json.dumps({**json.loads(WRITTEN_BY_VERSION_1), 'mood': 'fluffy'}).encode()
    assert SessionRecord.from_bytes(data) == SessionRecord(**FIELDS)


@pytest.mark.parametrize('data', [
    b'', b'secret', b'\xffsecret', b'["secret"]', b'"secret"', b'{"session_id": "secret"}', WRITTEN_BY_VERSION_1[:-10],
])
def test__SessionRecord__no_record(data):
    """What is no record is refused, without being quoted anywhere in the traceback."""
    with pytest.raises(StoreCorruptError) as error:
        SessionRecord.from_bytes(data)
    
    assert 'secret' not in str(error.value)
    assert error.value.__suppress_context__ or error.value.__context__ is None


@pytest.mark.parametrize(('name', 'value'), [
    ('version', 0), ('version', True), ('version', '1'), ('version', None),
    *((name, value) for name in FIELDS for value in ([], True)),
    *((name, None) for name in FIELDS if name != 'resume_gateway_url'),
    ('sequence', 1.5), ('sequence', '1'), ('session_id', 1),
])
def test__SessionRecord__wrong_field(name, value):
    """A field of a wrong type is refused by its name."""
    data = json.dumps({**json.loads(WRITTEN_BY_VERSION_1), name: value}).encode()
    with pytest.raises(StoreCorruptError, match = name):
        SessionRecord.from_bytes(data)


def test__SessionRecord__eq():
    """Records are equal if all of their fields are, and unequal to anything else."""
    assert SessionRecord(**FIELDS) == SessionRecord(**FIELDS)
    assert SessionRecord(**FIELDS) != SessionRecord(**{**FIELDS, 'sequence': 1})
    assert SessionRecord(**FIELDS) != SessionRecord(**FIELDS).to_bytes()


def test__SessionRecord__repr():
    """The representation shows the shard and the sequence, not the session."""
    output = repr(SessionRecord(**FIELDS))
    assert 'shard_id = 3' in output and 'sequence = 4321' in output
    assert 'secret' not in output and 'discord.gg' not in output
