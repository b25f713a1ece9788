"""
What to do with the events that Discord replays to a process which restarted from a checkpoint.

Discord replays everything after the sequence of the checkpoint. Three kinds of events come:

1. Events that a guild's part of the checkpoint contains already: not later than the sequence of that guild. They must not be
   applied again, since not everything that they do is the same twice: a member who is counted twice is.
2. Other events that the process before this one has handled: not later than the last sequence that it recorded. They bring
   the cache up to date; the bot's handlers have seen them. hata has a variant of each parser that only updates the cache.
3. All later ones. These are delivered as ever.
"""
__all__ = ('ReplayFilter',)

from hata.discord.core import GUILDS
from hata.discord.events.core import PARSERS, PARSER_SETTINGS
from hata.discord.events.handling_helpers import call_unknown_dispatch_event_event_handler
from hata.discord.guild import GuildUserChunkEvent
from scarletio import RichAttributeErrorBaseType


# The only event that makes a guild known. (Discord docs, Gateway Events: "Guild Create".)
EVENT_GUILD_CREATE = 'GUILD_CREATE'

# Events whose guild is the object itself, and not something in it.
EVENTS_OF_GUILDS = frozenset((EVENT_GUILD_CREATE, 'GUILD_DELETE', 'GUILD_UPDATE'))


def _apply_members_chunk(client, data):
    """
    Applies a chunk of members without calling the handler. hata's parser has no such variant.
    
    Parameters
    ----------
    client : ``Client``
        The client.
    data : `dict<str, object>`
        The data of the event.
    """
    GuildUserChunkEvent.from_data(data)


def _apply_voice_state(client, data):
    """
    Applies a voice state without calling the handlers. That variant of hata's parser calls those that concern the client's own
    voice state.
    
    Parameters
    ----------
    client : ``Client``
        The client.
    data : `dict<str, object>`
        The data of the event.
    """
    if int(data['user_id']) != client.id:
        _get_parser_without_handlers('VOICE_STATE_UPDATE')(client, data)
        return
    
    guild = GUILDS.get(int(data.get('guild_id', None) or 0), None)
    if (guild is not None):
        for _ in guild._update_voice_state(data, client):
            # A generator; each step is a change that it made.
            continue


def _get_parser_without_handlers(name):
    """
    Returns the variant of a parser that only updates the cache.
    
    Parameters
    ----------
    name : `str`
        The event's name.
    
    Returns
    -------
    parser : `None | FunctionType`
    """
    setting = PARSER_SETTINGS.get(name, None)
    if setting is None:
        return None
    
    return setting.parser_opt_sc if setting.client_count < 2 else setting.parser_opt_mc


# Where the variant without handlers is not without handlers.
REPLACED_PARSERS = {
    'GUILD_MEMBERS_CHUNK': _apply_members_chunk,
    'VOICE_STATE_UPDATE': _apply_voice_state,
}


class ReplayFilter(RichAttributeErrorBaseType):
    """
    Decides what is done with replayed events. Used by one shard, from its restore to its RESUMED.
    
    Attributes
    ----------
    applied : `int`
        Events that only updated the cache.
    delivered : `int`
        Events that were delivered.
    guild_sequences : `dict<int, int>`
        The sequence of each guild's part of the checkpoint, by guild id.
    last_sequence : `int`
        The last sequence that the process before this one is known to have handled.
    skipped : `int`
        Events that the checkpoint contained, or whose guild is gone since.
    """
    __slots__ = ('applied', 'delivered', 'guild_sequences', 'last_sequence', 'skipped')
    
    def __new__(cls, guild_sequences, last_sequence):
        """
        Creates a new filter.
        
        Parameters
        ----------
        guild_sequences : `dict<int, int>`
            The sequence of each guild's part of the checkpoint, by guild id.
        last_sequence : `int`
            The last sequence that the process before this one is known to have handled.
        """
        self = object.__new__(cls)
        self.applied = 0
        self.delivered = 0
        self.guild_sequences = guild_sequences
        self.last_sequence = last_sequence
        self.skipped = 0
        return self
    
    
    def __repr__(self):
        """Returns the filter's representation."""
        return (
            f'<{type(self).__name__} last_sequence = {self.last_sequence!r}, skipped = {self.skipped!r}, '
            f'applied = {self.applied!r}, delivered = {self.delivered!r}>'
        )
    
    
    def accept(self, name, sequence, data):
        """
        Decides what is done with an event.
        
        Parameters
        ----------
        name : `str`
            The event's name.
        sequence : `int`
            The event's sequence.
        data : `object`
            The event's data.
        
        Returns
        -------
        parser : `None | callable`
            To be called with the client and the data. `None` if the event is to be left out.
        """
        if sequence > self.last_sequence:
            self.delivered += 1
            parser = PARSERS.get(name, None)
            if parser is None:
                # hata has none, and offers the event to another handler.
                def parser(client, data):
                    call_unknown_dispatch_event_event_handler(client, name, data)
        
        else:
            parser = self._get_cache_parser(name, sequence, data)
            if parser is None:
                self.skipped += 1
            else:
                self.applied += 1
        
        return parser
    
    
    def _get_cache_parser(self, name, sequence, data):
        """
        Decides how an event that was handled already updates the cache.
        
        Parameters
        ----------
        name : `str`
            The event's name.
        sequence : `int`
            The event's sequence.
        data : `object`
            The event's data.
        
        Returns
        -------
        parser : `None | FunctionType`
        """
        guild_id = _get_guild_id(name, data)
        if guild_id:
            guild_sequence = self.guild_sequences.get(guild_id, None)
            if (guild_sequence is not None) and (sequence <= guild_sequence):
                return None
            
            # A guild that was left before its turn came in the checkpoint. To hata its events look like a hole in the cache
            # that has to be filled with requests.
            if (name != EVENT_GUILD_CREATE) and (guild_id not in GUILDS):
                return None
        
        parser = REPLACED_PARSERS.get(name, None)
        if parser is None:
            parser = _get_parser_without_handlers(name)
        
        return parser


def _get_guild_id(name, data):
    """
    Returns the guild that an event is about.
    
    Parameters
    ----------
    name : `str`
        The event's name.
    data : `object`
        The event's data.
    
    Returns
    -------
    guild_id : `int`
        `0` if it is not about a guild.
    """
    if not isinstance(data, dict):
        return 0
    
    guild_id = data.get('guild_id', None)
    if (guild_id is None) and (name in EVENTS_OF_GUILDS):
        guild_id = data.get('id', None)
    
    try:
        return int(guild_id)
    except (TypeError, ValueError):
        # Not about a guild, or not as Discord documents it: hata's parser is to say which.
        return 0
