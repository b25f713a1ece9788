"""
Taking checkpoints in slices, and only of what has changed.
"""
import pytest
from hata import Guild, KOKORO
from hata.discord.events.core import PARSERS

from hata_gateway_ext.persistence import checkpointer as shard_checkpointer
from hata_gateway_ext.persistence.formats import decode_lines
from hata_gateway_ext.client.guilds import PART_SIZE, merge_guild_parts, prepare_timestamps
from hata_gateway_ext.persistence.replay_filter import ReplayFilter
from hata_gateway_ext.persistence.checkpointer import (
    EVENTS_OF_MESSAGES, EVENTS_WITHOUT_CHANGE, REFRESH_SHARE, ShardCheckpointer
)
from hata_gateway_ext.persistence.store_thread import StoreThread
from hata_gateway_ext.protocol.session import Session


@pytest.fixture
def session():
    return Session('secret-session', 'wss://secret.discord.gg', 100)


@pytest.fixture
def thread():
    thread = StoreThread()
    yield thread
    thread.stop()


@pytest.fixture
def checkpointer(client):
    return ShardCheckpointer(0, client.intents)


@pytest.fixture
def take(client, session, thread, checkpointer):
    """Takes a checkpoint of all guilds of the client."""
    def take(guilds = None, **options):
        if guilds is None:
            guilds = sorted(client.guilds, key = lambda guild: guild.id)
        
        return KOKORO.run(
            checkpointer.take(client, session, guilds, thread, lambda: 1790000000.25, **options), 10.0
        )
    
    return take


def restore(client, checkpoint, kept = {}):
    """Restores the guilds of a checkpoint."""
    blobs = {**kept, **dict(checkpoint.blobs)}
    for guild_id in checkpoint.head.guilds:
        Guild.from_data(merge_guild_parts(decode_lines(blobs[guild_id], prepare_timestamps)), client)


def test__ShardCheckpointer__first(client, make_guild, forget_guilds, take, to_data):
    """The first checkpoint writes every guild, and its head says of what."""
    expected = {guild_id: to_data(make_guild(guild_id, 5 * guild_id >> 40)) for guild_id in (1 << 40, 2 << 40, 30 << 40)}
    checkpoint = take()
    
    head = checkpoint.head
    assert head.guilds == {guild_id: (100, 100) for guild_id in expected}
    assert (head.sequence, head.last_sequence) == (100, 100)
    assert (head.session_id, head.resume_gateway_url) == ('secret-session', 'wss://secret.discord.gg')
    assert (head.application_id, head.intents) == (client.id, int(client.intents))
    assert (head.shard_id, head.shard_count, head.written_at) == (0, 1, 1790000000.25)
    assert checkpoint.kept == []
    assert 'secret' not in repr(checkpoint)
    
    forget_guilds()
    restore(client, checkpoint)
    assert {guild.id: to_data(guild) for guild in client.guilds} == expected


def test__ShardCheckpointer__no_guilds(take):
    """A shard without guilds has a checkpoint too."""
    checkpoint = take()
    assert checkpoint.blobs == []
    assert checkpoint.head.guilds == {}


def make_guilds(make_guild, amount):
    return [make_guild(index << 40, 3) for index in range(1, amount + 1)]


def test__ShardCheckpointer__unchanged_guilds_are_kept(make_guild, session, checkpointer, take):
    """
    Guilds to which nothing happened are not written again, but for a share of those that were not written for longest; they
    count as written at the sequence at which the checkpoint began.
    """
    guilds = make_guilds(make_guild, REFRESH_SHARE * 2)
    checkpointer.saved(take())
    
    refreshed = set()
    for round_ in range(1, REFRESH_SHARE + 1):
        session.sequence = 100 + round_
        checkpoint = take()
        assert len(checkpoint.blobs) == 2
        assert len(checkpoint.kept) == len(guilds) - 2
        for guild_id in checkpoint.kept:
            effective, written = checkpoint.head.guilds[guild_id]
            assert effective == session.sequence and written < session.sequence
        
        refreshed.update(guild_id for guild_id, _ in checkpoint.blobs)
        checkpointer.saved(checkpoint)
    
    # Each had its turn.
    assert refreshed == {guild.id for guild in guilds}


@pytest.mark.parametrize(('name', 'data', 'written'), [
    ('GUILD_MEMBER_UPDATE', {'guild_id': str(40 << 40)}, True),
    ('GUILD_UPDATE', {'id': str(40 << 40)}, True),
    ('GUILD_UPDATE', {'guild_id': str(40 << 40), 'id': '1'}, True),
    ('CHANNEL_UPDATE', {'guild_id': str(40 << 40), 'id': '1'}, True),
    ('THREAD_CREATE', {'guild_id': 40 << 40}, True),
    ('MESSAGE_CREATE', {'guild_id': str(40 << 40)}, False),
    ('TYPING_START', {'guild_id': str(40 << 40)}, False),
    ('GUILD_BAN_ADD', {'guild_id': str(40 << 40)}, False),
    ('USER_UPDATE', {'id': '1'}, False),
    ('RESUMED', [], False),
    ('CAKE_EATEN', None, False),
])
def test__ShardCheckpointer__touch(make_guild, session, checkpointer, take, name, data, written):
    """A guild that an event has changed is written again; one in which somebody wrote a message is not."""
    make_guilds(make_guild, 40)
    checkpointer.saved(take())
    checkpointer.saved(take())
    
    checkpointer.touch(name, data)
    session.sequence = 101
    checkpoint = take()
    assert ((40 << 40) in dict(checkpoint.blobs)) is written
    checkpointer.saved(checkpoint)
    
    # Once is enough.
    assert (40 << 40) in take().kept


@pytest.mark.parametrize(('name', 'data'), [
    ('USER_UPDATE', {'id': '1'}), ('CAKE_EATEN', {'id': '1'}), ('CHANNEL_CREATE', {'id': '1', 'guild_id': None}),
    ('CHANNEL_CREATE', {'guild_id': []}), ('GUILD_CREATE', {}), ('GUILD_CREATE', []),
])
def test__ShardCheckpointer__touch__no_guild(checkpointer, name, data):
    """Events of nothing in a guild leave nothing behind: a bot may run for a year without a checkpoint."""
    checkpointer.touch(name, data)
    assert not checkpointer.touched_guild_ids


def test__ShardCheckpointer__touch__without_member_events(client):
    """Where members come with messages only, messages change guilds."""
    checkpointer = ShardCheckpointer(0, client.intents.update_by_keys(guild_users = False))
    checkpointer.touch('MESSAGE_CREATE', {'guild_id': '1'})
    assert checkpointer.touched_guild_ids == {'1'}
    checkpointer.touch('GUILD_BAN_ADD', {'guild_id': '2'})
    assert checkpointer.touched_guild_ids == {'1'}


def test__ShardCheckpointer__names_of_events():
    """Every event that is said to change nothing is one that hata knows."""
    assert not (EVENTS_OF_MESSAGES | EVENTS_WITHOUT_CHANGE) - PARSERS.keys()


def test__ShardCheckpointer__user_that_came_with_a_message(client, make_guild, session, checkpointer, take, build_member_data):
    """A guild whose cache has got a user without an event of its own is written again."""
    guilds = make_guilds(make_guild, 40)
    checkpointer.saved(take())
    checkpointer.saved(take())
    
    PARSERS['GUILD_MEMBER_ADD'](client, {'guild_id': str(guilds[-1].id), **build_member_data(7 << 40)})
    assert guilds[-1].id in dict(take().blobs)


def test__ShardCheckpointer__forget(make_guild, checkpointer, take):
    """When it is not known what is in the store, everything is written."""
    make_guilds(make_guild, 40)
    checkpointer.saved(take())
    checkpointer.forget()
    checkpoint = take()
    assert len(checkpoint.blobs) == 40 and not checkpoint.kept


def test__ShardCheckpointer__whole(make_guild, checkpointer, take):
    """When it is asked for, everything is written."""
    make_guilds(make_guild, 40)
    checkpointer.saved(take())
    checkpoint = take(whole = True)
    assert len(checkpoint.blobs) == 40 and not checkpoint.kept


def test__ShardCheckpointer__other_session(client, make_guild, thread, checkpointer, take):
    """What was written in one session is not kept in the next one."""
    guilds = make_guilds(make_guild, 40)
    checkpointer.saved(take())
    session = Session('other-session', None, 5)
    checkpoint = KOKORO.run(checkpointer.take(client, session, guilds, thread, lambda: 0.0), 10.0)
    assert len(checkpoint.blobs) == 40 and not checkpoint.kept
    assert set(checkpoint.head.guilds.values()) == {(5, 5)}


def test__ShardCheckpointer__guild_that_was_left(client, make_guild, checkpointer, take):
    """A guild that the client is not in anymore is not written, and not kept."""
    guilds = make_guilds(make_guild, 40)
    checkpointer.saved(take(guilds))
    guilds[0]._delete(client)
    guilds[-1]._delete(client)
    checkpoint = take()
    assert len(checkpoint.head.guilds) == 38


class Interlude:
    """Does something between the slices: each is as short as it can be."""
    def __init__(self, monkeypatch, *steps):
        self.steps = [*steps]
        self.pauses = 0
        monkeypatch.setattr(shard_checkpointer, 'SLICE_LENGTH', -1.0)
        monkeypatch.setattr(shard_checkpointer, 'sleep', self.sleep)
    
    async def sleep(self, delay, loop):
        self.pauses += 1
        if self.steps:
            self.steps.pop(0)()


def test__ShardCheckpointer__events_between_slices(
    client, make_guild, forget_guilds, session, checkpointer, take, to_data, build_member_data, monkeypatch
):
    """
    Events between the slices are in some guilds and not in others. After a restore and a replay of all of them the cache is
    the one that there was: nothing is missing, and no member is counted twice.
    """
    guilds = [*make_guilds(make_guild, 5), make_guild(6 << 40, PART_SIZE * 4)]
    events = []
    
    def step(user_id):
        def dispatch():
            # One in each guild, whether it was written already or not.
            for guild in guilds:
                data = {'guild_id': str(guild.id), **build_member_data(user_id)}
                session.sequence += 1
                events.append((session.sequence, 'GUILD_MEMBER_ADD', data))
                PARSERS['GUILD_MEMBER_ADD'](client, data)
                checkpointer.touch('GUILD_MEMBER_ADD', data)
        return dispatch
    
    interlude = Interlude(monkeypatch, *(step((100 + index) << 40) for index in range(8)))
    checkpoint = take(guilds)
    assert not interlude.steps
    
    head = checkpoint.head
    assert head.sequence == 100
    assert head.last_sequence == session.sequence == 100 + 8 * 6
    assert sorted(head.guilds.values())[0] == (100, 100)
    assert len({*head.guilds.values()}) == 6
    
    expected = {guild.id: sorted(guild.users) for guild in guilds}
    expected_counts = {guild.id: guild.user_count for guild in guilds}
    assert expected_counts[1 << 40] == 11
    guilds.clear()
    forget_guilds()
    restore(client, checkpoint)
    
    replay_filter = ReplayFilter({guild_id: effective for guild_id, (effective, _) in head.guilds.items()}, head.last_sequence)
    for sequence, name, data in events:
        if sequence > head.sequence:
            parser = replay_filter.accept(name, sequence, data)
            if (parser is not None):
                parser(client, data)
    
    assert {guild.id: sorted(guild.users) for guild in client.guilds} == expected
    assert {guild.id: guild.user_count for guild in client.guilds} == expected_counts
    assert replay_filter.skipped and replay_filter.applied and not replay_filter.delivered
    
    # What came after a guild was written is in the next checkpoint.
    assert checkpointer.touched_guild_ids == {str(guild_id) for guild_id in expected}


def test__ShardCheckpointer__change_of_an_unchanged_guild(client, make_guild, session, checkpointer, take, monkeypatch):
    """A guild that is kept, and changes while others are written, counts as written before the change."""
    guilds = make_guilds(make_guild, 40)
    checkpointer.saved(take())
    session.sequence = 110
    checkpointer.touch('GUILD_UPDATE', {'id': str(guilds[0].id)})
    
    def step():
        session.sequence = 120
        checkpointer.touch('GUILD_UPDATE', {'id': str(guilds[-1].id)})
    
    Interlude(monkeypatch, step)
    checkpoint = take()
    assert checkpoint.head.guilds[guilds[-1].id] == (110, 100)
    assert checkpoint.head.last_sequence == 120
    checkpointer.saved(checkpoint)
    assert guilds[-1].id in dict(take().blobs)


def test__ShardCheckpointer__guild_left_between_slices(client, make_guild, take, monkeypatch):
    """A guild that is left before its turn is not in the checkpoint."""
    guilds = make_guilds(make_guild, 5)
    Interlude(monkeypatch, lambda: guilds[-1]._delete(client))
    checkpoint = take(guilds)
    assert len(checkpoint.head.guilds) == len(checkpoint.blobs) == 4


def test__ShardCheckpointer__session_that_ends_between_slices(make_guild, session, take, monkeypatch):
    """A checkpoint of a session that ended meanwhile is none."""
    make_guilds(make_guild, 5)
    
    def step():
        session.session_id = 'other-session'
    
    Interlude(monkeypatch, step)
    assert take() is None


def test__ShardCheckpointer__slices(make_guild, take, monkeypatch):
    """The loop gets its turn after each guild, and within large ones."""
    make_guilds(make_guild, 5)
    make_guild(6 << 40, PART_SIZE * 4)
    interlude = Interlude(monkeypatch)
    take()
    assert interlude.pauses >= 5 + 4
