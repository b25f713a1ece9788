"""
What a checkpoint looks like as bytes.
"""
import pytest

from hata_gateway_ext.persistence import formats as checkpoint_format
from hata_gateway_ext.persistence.formats import (
    CHECKPOINT_VERSION, CheckpointHead, decode_lines, dump_line, encode_lines
)
from hata_gateway_ext.stores import StoreCorruptError, StoreVersionError


FIELDS = {
    'application': {'id': '1234567890123456789', 'flags': 8953856},
    'application_id': 1234567890123456789,
    'guilds': {(1 << 63) - 1: (20, 15), 1 << 22: (11, 11)},
    'intents': 53608447,
    'last_sequence': 25,
    'resume_gateway_url': 'wss://secret.discord.gg',
    'sequence': 10,
    'session_id': 'secret-session',
    'shard_count': 2,
    'shard_id': 1,
    'written_at': 1790000000.25,
}

VALUES = [{'id': str((1 << 63) - 1), 'name': 'új\n\u2028', 'list': [1, 1.5, None, True]}, {}, [], 'text']

# As version 1 wrote it where there is no zstd. Must be readable for ever.
WRITTEN_BY_VERSION_1 = bytes.fromhex(
    '01010a272afc7801ab564a54b2523033a8e5aa56cacb2f4955b2524a4e4c4b55aa05005af80767'
)


@pytest.fixture(params = ['zstd', 'zlib'])
def codec(request, monkeypatch):
    """With and without the library of zstd."""
    if request.param == 'zlib':
        monkeypatch.setattr(checkpoint_format, 'zstd', None)
    elif checkpoint_format.zstd is None:
        pytest.skip('`backports.zstd` is not installed.')


def encode_values(values):
    return encode_lines([dump_line(value) for value in values])


def get_fields(head):
    return {name: getattr(head, name) for name in FIELDS}


def test__encode_lines__round_trip(codec):
    """Values come back as they were, whatever is in them."""
    assert decode_lines(encode_values(VALUES)) == VALUES


def test__encode_lines__is_smaller(codec):
    """It is compressed."""
    assert len(encode_values([{'name': 'cake'}] * 1000)) < 1000


def test__decode_lines__written_with_zlib(monkeypatch):
    """What was written without zstd is read with it."""
    if checkpoint_format.zstd is None:
        pytest.skip('`backports.zstd` is not installed.')
    
    with monkeypatch.context() as context:
        context.setattr(checkpoint_format, 'zstd', None)
        blob = encode_values(VALUES)
    
    assert decode_lines(blob) == VALUES


def test__decode_lines__written_with_zstd(monkeypatch):
    """What was written with zstd says so where it cannot be read."""
    if checkpoint_format.zstd is None:
        pytest.skip('`backports.zstd` is not installed.')
    
    blob = encode_values(VALUES)
    monkeypatch.setattr(checkpoint_format, 'zstd', None)
    with pytest.raises(StoreCorruptError, match = 'backports.zstd'):
        decode_lines(blob)


def test__decode_lines__written_by_version_1():
    """What version 1 wrote is understood."""
    assert decode_lines(WRITTEN_BY_VERSION_1) == [{'a': 60}, {'note': 'cafe'}]


def test__decode_lines__damaged(codec):
    """Any changed or missing byte is noticed."""
    blob = encode_values([{'name': 'secret'}])
    for index in range(len(blob)):
        with pytest.raises((StoreCorruptError, StoreVersionError)) as error:
            decode_lines(blob[:index] + bytes([blob[index] ^ 0xff]) + blob[index + 1 :])
        assert 'secret' not in str(error.value)
        
        with pytest.raises(StoreCorruptError):
            decode_lines(blob[:index])


def test__decode_lines__newer_version(codec):
    """What a newer version wrote is refused with a line that says so."""
    blob = encode_values(VALUES)
    with pytest.raises(StoreVersionError, match = 'newer version'):
        decode_lines(bytes([CHECKPOINT_VERSION + 1]) + blob[1:])


def test__CheckpointHead__round_trip(codec):
    """A head is read as it was written."""
    assert get_fields(CheckpointHead.from_bytes(CheckpointHead(**FIELDS).to_bytes())) == FIELDS


def test__CheckpointHead__optional_fields(codec):
    """What may be unknown is read as unknown."""
    fields = {**FIELDS, 'application': None, 'resume_gateway_url': None, 'guilds': {}}
    assert get_fields(CheckpointHead.from_bytes(CheckpointHead(**fields).to_bytes())) == fields


def test__CheckpointHead__new__wrong_fields():
    """All fields have to be there, and no others."""
    for name in FIELDS:
        with pytest.raises(KeyError):
            CheckpointHead(**{name_: value for name_, value in FIELDS.items() if name_ != name})
    
    with pytest.raises(TypeError, match = 'mood'):
        CheckpointHead(**FIELDS, mood = 'fluffy')


@pytest.mark.parametrize(('name', 'value'), [
    *((name, value) for name in FIELDS for value in (True, [])),
    ('guilds', {'1': 2}), ('guilds', {'1': [1]}), ('guilds', {'x': [1, 2]}), ('guilds', {'1': ['x', 2]}),
    ('session_id', None), ('sequence', None), ('sequence', '1'),
])
def test__CheckpointHead__from_bytes__wrong_field(name, value):
    """A field of a wrong type is refused by its name."""
    payload = {**FIELDS, 'guilds': {}, name: value}
    with pytest.raises(StoreCorruptError, match = name) as error:
        CheckpointHead.from_bytes(encode_values([payload]))
    
    assert 'secret' not in str(error.value)


def test__CheckpointHead__from_bytes__no_object():
    """Something else than an object is refused."""
    with pytest.raises(StoreCorruptError):
        CheckpointHead.from_bytes(encode_values([[]]))


def test__CheckpointHead__repr():
    """The representation shows the shard and the sequences, not the session."""
    output = repr(CheckpointHead(**FIELDS))
    assert 'shard_id = 1' in output and 'last_sequence = 25' in output
    assert 'secret' not in output
