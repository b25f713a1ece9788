import json
from collections import Counter

import pytest

from benchmarks.events import EVENT_KINDS, INTENTS_RECORDED, select_kinds
from benchmarks.recording import BEGIN, END, Recording


def test__Recording__create__same_seed_same_bytes():
    """The same seed makes the same bytes, another seed makes others."""
    recording = Recording.create(1, 500)
    
    assert Recording.create(1, 500).digest == recording.digest
    assert Recording.create(2, 500).digest != recording.digest


def test__Recording__create__mix():
    """The shares are exact, and the events are as long as they are on Discord: 605 bytes on average."""
    recording = Recording.create(1, 4000)
    
    assert recording.get_count('MESSAGE_CREATE') == 1800
    assert recording.get_count('PRESENCE_UPDATE') == 1600
    assert recording.get_count('TYPING_START') == 600
    assert 590.0 <= recording.average_size <= 620.0


def test__Recording__create__envelope():
    """Payloads are dispatches as Discord writes them, in sequence, with the marks around the events."""
    recording = Recording.create(1, 50, with_guilds = True)
    payloads = [json.loads(payload) for payload in (*recording.preface, *recording.payloads)]
    
    assert [payload['s'] for payload in payloads] == [*range(1, len(payloads) + 1)]
    assert {payload['op'] for payload in payloads} == {0}
    assert {(*payload,) for payload in payloads} == {('t', 's', 'op', 'd')}
    names = [payload['t'] for payload in payloads]
    assert names[0] == 'READY'
    guilds = {guild['id'] for guild in payloads[0]['d']['guilds']}
    assert {payload['d']['id'] for payload in payloads if payload['t'] == 'GUILD_CREATE'} == guilds
    assert names[len(recording.preface)] == BEGIN
    assert names[-1] == END


def test__Recording__create__events_fit_guilds():
    """Events tell of guilds, channels and members that the recording's own guilds have, so that caches find them."""
    recording = Recording.create(3, 200, with_guilds = True)
    guilds = {}
    for payload in recording.preface[1:]:
        data = json.loads(payload)['d']
        guilds[data['id']] = (
            {channel['id'] for channel in data['channels']}, {member['user']['id'] for member in data['members']}
        )
    
    for payload in recording.payloads[1 : -1]:
        payload = json.loads(payload)
        data = payload['d']
        channel_ids, user_ids = guilds[data['guild_id']]
        if payload['t'] == 'PRESENCE_UPDATE':
            assert data['user']['id'] in user_ids
        else:
            assert data['channel_id'] in channel_ids
            assert (data['author']['id'] if payload['t'] == 'MESSAGE_CREATE' else data['user_id']) in user_ids


@pytest.mark.parametrize('kind', EVENT_KINDS, ids = lambda kind: kind[0])
def test__Recording__create__intents(kind):
    """Each intent brings its own event, and nothing else."""
    recording = Recording.create(1, 20, intents = kind[1])
    
    assert recording.names == [kind[0]]
    assert recording.event_count == 20


def test__select_kinds__unknown():
    """Intents without an event that can be recorded are refused with what can be."""
    with pytest.raises(ValueError, match = 'MESSAGE_CREATE'):
        select_kinds(1 << 40)
    
    assert [kind[0] for kind in select_kinds(INTENTS_RECORDED)] == ['MESSAGE_CREATE', 'PRESENCE_UPDATE', 'TYPING_START']


@pytest.mark.parametrize('size', (64, 1024, 16384, 262144))
def test__Recording__create_sized(size):
    """Payloads have the size that was asked for, within a few bytes of their sequence, and are not all the same."""
    recording = Recording.create_sized(1, 4, size)
    
    for payload in recording.payloads[1 : -1]:
        assert abs(len(payload) - size) <= 8
        assert json.loads(payload)['t'] == 'TYPING_START'
    
    assert Counter(payload[30:] for payload in recording.payloads[1 : -1]).most_common(1)[0][1] < 4


def test__Recording__write__read(tmp_path):
    """What is written is read again."""
    recording = Recording.create(1, 100, with_guilds = True)
    path = str(tmp_path / 'recording')
    recording.write(path)
    read = Recording.read(path)
    
    assert read.preface == recording.preface
    assert read.payloads == recording.payloads
    assert read.event_count == 100


def test__Recording__checksum__order():
    """The checksum tells another order."""
    recording = Recording.create(1, 50)
    payloads = recording.payloads.copy()
    positions = [index for index, payload in enumerate(payloads) if b'"MESSAGE_CREATE"' in payload[:24]]
    payloads[positions[0]], payloads[positions[1]] = payloads[positions[1]], payloads[positions[0]]
    
    assert Recording(recording.preface, payloads).checksum != recording.checksum
