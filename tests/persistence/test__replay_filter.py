"""
What is done with the events that Discord replays to a restarted process.
"""
import pytest
from hata.discord.events.core import PARSERS, PARSER_SETTINGS

from hata_gateway_ext.persistence.replay_filter import ReplayFilter


GUILD_ID = 1 << 40
OTHER_GUILD_ID = 2 << 40


@pytest.fixture
def handled(client):
    """Events for which a handler was called, by name. Every event has a handler."""
    handled = []
    
    def add(name):
        async def handler(client, *positional_parameters):
            handled.append(name)
        
        client.events(handler, name = name)
    
    for name in (
        'guild_user_add', 'guild_user_delete', 'guild_user_update', 'message_create', 'channel_create', 'guild_user_chunk',
        'user_voice_join', 'voice_client_join', 'guild_create', 'guild_delete', 'unknown_dispatch_event',
    ):
        add(name)
    
    return handled


@pytest.fixture
def replay(client, run_steps):
    """Replays an event through a filter, and lets the handlers run."""
    def replay(replay_filter, name, sequence, data):
        def dispatch():
            parser = replay_filter.accept(name, sequence, data)
            if (parser is not None):
                parser(client, data)
        
        run_steps(dispatch)
    
    return replay


def test__ReplayFilter__skips_what_the_checkpoint_contains(make_guild, replay, build_member_data, handled):
    """An event that is not later than its guild's part of the checkpoint is skipped: members are not counted twice."""
    guild = make_guild(GUILD_ID, 5)
    replay_filter = ReplayFilter({GUILD_ID: 20}, 30)
    data = {'guild_id': str(GUILD_ID), **build_member_data(7 << 40)}
    
    replay(replay_filter, 'GUILD_MEMBER_ADD', 19, data)
    replay(replay_filter, 'GUILD_MEMBER_ADD', 20, data)
    assert guild.user_count == 5
    assert (replay_filter.skipped, replay_filter.applied, replay_filter.delivered) == (2, 0, 0)
    assert not handled


def test__ReplayFilter__applies_what_was_handled(make_guild, replay, build_member_data, handled):
    """A later event that was handled before the restart updates the cache, and calls no handler."""
    guild = make_guild(GUILD_ID, 5)
    replay_filter = ReplayFilter({GUILD_ID: 20}, 30)
    
    replay(replay_filter, 'GUILD_MEMBER_ADD', 21, {'guild_id': str(GUILD_ID), **build_member_data(7 << 40)})
    assert guild.user_count == 6
    assert 7 << 40 in guild.users
    
    replay(replay_filter, 'GUILD_MEMBER_REMOVE', 30, {
        'guild_id': str(GUILD_ID), 'user': build_member_data(7 << 40)['user']
    })
    assert guild.user_count == 5
    assert 7 << 40 not in guild.users
    assert (replay_filter.skipped, replay_filter.applied, replay_filter.delivered) == (0, 2, 0)
    assert not handled


def test__ReplayFilter__delivers_what_is_new(client, make_guild, run_steps, build_member_data):
    """What comes after the last recorded sequence goes to the parser that hata has chosen at that time."""
    make_guild(GUILD_ID, 5)
    replay_filter = ReplayFilter({GUILD_ID: 20}, 30)
    
    for name in ('GUILD_MEMBER_ADD', 'MESSAGE_CREATE', 'TYPING_START'):
        assert replay_filter.accept(name, 31, {'guild_id': str(GUILD_ID)}) is PARSERS[name]
    
    assert replay_filter.delivered == 3


def test__ReplayFilter__sequences_of_guilds(make_guild, replay, build_member_data):
    """Each guild has its own sequence."""
    guild = make_guild(GUILD_ID, 5)
    other_guild = make_guild(OTHER_GUILD_ID, 5)
    replay_filter = ReplayFilter({GUILD_ID: 20, OTHER_GUILD_ID: 10}, 30)
    
    for sequence, guild_id in enumerate((GUILD_ID, OTHER_GUILD_ID), 15):
        replay(replay_filter, 'GUILD_MEMBER_ADD', sequence, {
            'guild_id': str(guild_id), **build_member_data(7 << 40)
        })
    
    assert (guild.user_count, other_guild.user_count) == (5, 6)


@pytest.mark.parametrize('name', ['GUILD_MEMBER_REMOVE', 'GUILD_UPDATE', 'GUILD_EMOJIS_UPDATE', 'CHANNEL_UPDATE'])
def test__ReplayFilter__guild_that_was_left(name):
    """
    An event of a guild that is in no checkpoint and not in the cache is skipped. hata would request the guild, which the
    client has left.
    """
    replay_filter = ReplayFilter({}, 30)
    data = {'id': str(GUILD_ID), 'guild_id': str(GUILD_ID)}
    assert replay_filter.accept(name, 20, data) is None
    assert replay_filter.skipped == 1


def test__ReplayFilter__guild_that_was_joined(client, replay, build_guild, handled):
    """A guild that was joined after the checkpoint is there afterwards, without a call of `guild_create`."""
    replay_filter = ReplayFilter({}, 30)
    replay(replay_filter, 'GUILD_CREATE', 20, build_guild(GUILD_ID, 5))
    (guild,) = client.guilds
    assert guild.id == GUILD_ID
    assert len(guild.users) == 5
    assert not handled


def test__ReplayFilter__guild_that_was_left_after_its_turn(client, make_guild, replay, handled):
    """A guild that was left after it was written is gone."""
    make_guild(GUILD_ID, 5)
    replay_filter = ReplayFilter({GUILD_ID: 10}, 30)
    replay(replay_filter, 'GUILD_DELETE', 20, {'id': str(GUILD_ID)})
    assert not client.guilds
    assert not handled


def test__ReplayFilter__members_chunk(make_guild, replay, build_member_data, handled):
    """A chunk of members gets into the cache without a call of its handler, for which hata has no parser."""
    guild = make_guild(GUILD_ID, 5)
    replay_filter = ReplayFilter({GUILD_ID: 10}, 30)
    replay(replay_filter, 'GUILD_MEMBERS_CHUNK', 20, {
        'guild_id': str(GUILD_ID), 'members': [build_member_data(7 << 40)], 'chunk_index': 0, 'chunk_count': 1,
    })
    assert 7 << 40 in guild.users
    assert not handled


@pytest.mark.parametrize('own', [True, False])
def test__ReplayFilter__voice_state(client, make_guild, replay, handled, own):
    """A voice state gets into the cache without a call of a handler, also the client's own one."""
    guild = make_guild(GUILD_ID, 5)
    user_id = client.id if own else [*guild.users][-1]
    replay_filter = ReplayFilter({GUILD_ID: 10}, 30)
    voice_channel_id = GUILD_ID + 50000
    member = {'user': {'id': str(user_id), 'username': 'user', 'discriminator': '0'}, 'roles': [], 'joined_at': None}
    data = {
        'guild_id': str(GUILD_ID), 'user_id': str(user_id), 'session_id': 'a', 'deaf': False, 'mute': False,
        'self_deaf': False, 'self_mute': False, 'self_video': False, 'suppress': False, 'member': member,
    }
    
    replay(replay_filter, 'VOICE_STATE_UPDATE', 20, {**data, 'channel_id': str(voice_channel_id)})
    assert guild.get_voice_state(user_id).channel_id == voice_channel_id
    
    replay(replay_filter, 'VOICE_STATE_UPDATE', 21, {**data, 'channel_id': None})
    assert guild.get_voice_state(user_id) is None
    assert not handled


def test__ReplayFilter__unknown_event(client, replay, handled):
    """An event that hata does not know is left out if it was handled, and offered to its handler if it is new."""
    replay_filter = ReplayFilter({}, 30)
    replay(replay_filter, 'CAKE_EATEN', 30, {})
    assert not handled
    replay(replay_filter, 'CAKE_EATEN', 31, {})
    assert handled == ['unknown_dispatch_event']


@pytest.mark.parametrize('data', [None, [], {}, {'guild_id': None}, {'guild_id': 'cake'}, {'guild_id': []}])
def test__ReplayFilter__no_guild(data):
    """An event that is about no guild, or says so in no way that is documented, is the parser's business."""
    replay_filter = ReplayFilter({GUILD_ID: 20}, 30)
    assert replay_filter.accept('USER_UPDATE', 15, data) is PARSER_SETTINGS['USER_UPDATE'].parser_opt_sc


@pytest.mark.parametrize('name', sorted(PARSER_SETTINGS))
def test__ReplayFilter__no_parser_calls_handlers(name):
    """No parser that is used for handled events can call a handler. Read off their code, for each version of hata."""
    parser = ReplayFilter({}, 30).accept(name, 20, None)
    names = set(parser.__code__.co_names)
    # The events of joining a guild have their handler in another variant; their task requests members.
    assert ('events' not in names) or (name == 'READY')
    assert ('Task' not in names) or (name in ('GUILD_CREATE', 'READY'))


def test__ReplayFilter__repr():
    """The representation shows how far it is."""
    assert 'last_sequence = 30' in repr(ReplayFilter({}, 30))
