from json import dumps as to_json, loads as from_json

import pytest

from hata_gateway_ext.protocol import operations
from hata_gateway_ext.protocol.operations import (
    HEARTBEAT, IDENTIFY, PAYLOAD_SIZE_LIMIT, RESUME, UNGATED_OPERATIONS, build_heartbeat_payload,
    build_identify_payload, build_resume_payload, build_voice_state_payload
)

# Discord docs, "Gateway Opcodes". 5 is not in use.
EXPECTED_OPERATIONS = (
    ('DISPATCH', 0),
    ('HEARTBEAT', 1),
    ('IDENTIFY', 2),
    ('PRESENCE', 3),
    ('VOICE_STATE', 4),
    ('RESUME', 6),
    ('RECONNECT', 7),
    ('REQUEST_GUILD_USERS', 8),
    ('INVALIDATE_SESSION', 9),
    ('HELLO', 10),
    ('HEARTBEAT_ACKNOWLEDGE', 11),
)


@pytest.mark.parametrize(('name', 'number'), EXPECTED_OPERATIONS)
def test__operations__numbers(name, number):
    """Each operation has Discord's number."""
    assert getattr(operations, name) == number
    assert name in operations.__all__


def test__UNGATED_OPERATIONS():
    """Sends other than 1, 2 and 6 wait for READY or RESUMED."""
    assert UNGATED_OPERATIONS == {HEARTBEAT, IDENTIFY, RESUME}


def test__PAYLOAD_SIZE_LIMIT():
    """A payload is at most 4096 bytes of JSON."""
    assert PAYLOAD_SIZE_LIMIT == 4096


@pytest.mark.parametrize(
    ('sequence', 'json'), ((None, '{"op": 1, "d": null}'), (0, '{"op": 1, "d": 0}'), (251, '{"op": 1, "d": 251}')),
)
def test__build_heartbeat_payload(sequence, json):
    """`d` is the last sequence, or null before the first."""
    assert to_json(build_heartbeat_payload(sequence)) == json


def _build_identify(shard):
    return build_identify_payload(
        'token', 513, shard, {'status': 'online'}, {'os': 'linux', 'browser': 'hata', 'device': 'hata'}, 250
    )


def test__build_identify_payload__sharded():
    """`shard` is `[shard_id, shard_count]`."""
    assert from_json(to_json(_build_identify((3, 16)))) == {
        'op': 2,
        'd': {
            'token': 'token',
            'properties': {'os': 'linux', 'browser': 'hata', 'device': 'hata'},
            'compress': False,
            'large_threshold': 250,
            'intents': 513,
            'presence': {'status': 'online'},
            'shard': [3, 16],
        },
    }


def test__build_identify_payload__not_sharded():
    """A bot that is not sharded sends no `shard`."""
    payload = _build_identify(None)
    
    assert payload['op'] == IDENTIFY
    assert 'shard' not in payload['d']


def test__build_resume_payload():
    """RESUME is `token`, `session_id` and `seq`."""
    assert build_resume_payload('token', 'session', 42) == {
        'op': RESUME,
        'd': {
            'token': 'token',
            'session_id': 'session',
            'seq': 42,
        },
    }


@pytest.mark.parametrize(
    ('guild_id', 'channel_id', 'expected_guild_id', 'expected_channel_id'),
    (
        (202408120000, 202408120001, '202408120000', '202408120001'),
        (202408120000, 0, '202408120000', None),
        (0, 202408120001, None, '202408120001'),
    ),
)
def test__build_voice_state_payload(guild_id, channel_id, expected_guild_id, expected_channel_id):
    """Snowflakes are strings; what is not given is null: a null channel leaves."""
    assert build_voice_state_payload(guild_id, channel_id, True, False) == {
        'op': 4,
        'd': {
            'guild_id': expected_guild_id,
            'channel_id': expected_channel_id,
            'self_deaf': True,
            'self_mute': False,
        },
    }


def test__payloads__fit():
    """What we build ourselves is far below the payload limit, whatever the ids are."""
    for payload in (
        build_heartbeat_payload(1 << 62),
        build_resume_payload('t' * 80, 's' * 64, 1 << 62),
        build_voice_state_payload(1 << 63, 1 << 63, True, True),
    ):
        assert len(to_json(payload)) < PAYLOAD_SIZE_LIMIT // 8
