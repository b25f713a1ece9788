"""
The session of the local Discord with its replay buffer.
"""
import json

from hata_gateway_ext.local_discord.session import Session


def create_session(bound = 10):
    """A session of shard 1 of 2."""
    return Session(None, 1, 'secret-id', 1, 2, 0, bound)


def test__Session__append():
    """Events are numbered from 1 on, one by one."""
    session = create_session()
    payloads = [json.loads(session.append('TEST', b'{"x":%d}' % index)) for index in range(3)]
    assert payloads == [{'t': 'TEST', 's': index + 1, 'op': 0, 'd': {'x': index}} for index in range(3)]
    assert session.sequence == 3


def test__Session__iter_missed():
    """What came after a sequence, in order and under its own numbers."""
    session = create_session()
    sent = [session.append('TEST', b'%d' % index) for index in range(5)]
    assert list(session.iter_missed(2)) == [(3, sent[2]), (4, sent[3]), (5, sent[4])]
    assert list(session.iter_missed(5)) == []


def test__Session__append_unkept():
    """RESUMED takes a number, and is not replayed."""
    session = create_session()
    session.append('TEST', b'0')
    session.append_unkept('RESUMED', b'{}')
    session.append('TEST', b'1')
    assert [sequence for sequence, payload in session.iter_missed(0)] == [1, 3]


def test__Session__reaches_back_to():
    """A full buffer reaches back to the event before its oldest one."""
    session = create_session(bound = 3)
    assert session.reaches_back_to(0)
    for _ in range(5):
        session.append('TEST', b'0')

    assert session.buffered == 3
    assert [session.reaches_back_to(sequence) for sequence in range(6)] == [False, False, True, True, True, True]


def test__Session__owns_guild():
    """A guild belongs to shard `(guild_id >> 22) % shard_count`."""
    session = create_session()
    assert session.owns_guild(3 << 22)
    assert not session.owns_guild(4 << 22)


def test__Session__end():
    """The first reason of the end stays, and nothing is kept any more."""
    session = create_session()
    session.append('TEST', b'0')
    session.end('client')
    session.end('expired')
    assert (session.is_ended, session.end_reason, session.buffered) == (True, 'client', 0)
    assert not session.is_forfeited


def test__Session__repr():
    """The id is kept secret."""
    assert 'secret-id' not in repr(create_session())
