"""
Takes checkpoints of the guilds of a shard, a slice at a time.

It is what databases call a fuzzy checkpoint: events go on being dispatched between the slices, so the guilds are written at
different sequences, and each sequence is written down. The session is to be resumed from the sequence at the beginning.

Guilds to which nothing happened since they were written are not written again; it is enough to say that they are still the
same at a later sequence. What happened to which guild is known from the events.
"""
__all__ = ('Checkpoint', 'ShardCheckpointer')

from hata import KOKORO
from hata.discord.events.intent import INTENT_MASK_GUILD_USERS
from scarletio import LOOP_TIME, RichAttributeErrorBaseType, sleep

from .formats import CheckpointHead, dump_line, encode_lines
from ..client.guilds import iterate_guild_parts
from .replay_filter import EVENTS_OF_GUILDS


# After how many seconds of work the loop gets its turn. A step takes up to 3 ms (see `guild_parts`), and no slice should be
# longer than 5 ms.
SLICE_LENGTH = 0.0015

# Seconds between two slices, so that a checkpoint takes a fraction of the loop's time while it is taken.
SLICE_PAUSE = 0.004

# Bytes of JSON that are compressed in one call off the loop; so many are kept uncompressed at most, but for a single guild.
COMPRESS_SIZE = 1 << 20

# One in so many of the guilds that nothing happened to is written again nevertheless, those first that were not written for
# longest: what changes without an event that tells so (see below) is in a checkpoint after as many at the latest.
REFRESH_SHARE = 16

# Events that change nothing of what a checkpoint contains of a guild, while the members come with events of their own: those
# of messages carry the author's member object, as it is known already.
EVENTS_OF_MESSAGES = frozenset((
    'INTERACTION_CREATE',
    'MESSAGE_CREATE',
    'MESSAGE_DELETE',
    'MESSAGE_DELETE_BULK',
    'MESSAGE_POLL_VOTE_ADD',
    'MESSAGE_POLL_VOTE_REMOVE',
    'MESSAGE_REACTION_ADD',
    'MESSAGE_REACTION_REMOVE',
    'MESSAGE_REACTION_REMOVE_ALL',
    'MESSAGE_REACTION_REMOVE_EMOJI',
    'MESSAGE_UPDATE',
    'PRESENCE_UPDATE',
    'TYPING_START',
))

# Events that change nothing of it ever.
EVENTS_WITHOUT_CHANGE = frozenset((
    'AUTO_MODERATION_ACTION_EXECUTION',
    'CHANNEL_PINS_UPDATE',
    'GUILD_AUDIT_LOG_ENTRY_CREATE',
    'GUILD_BAN_ADD',
    'GUILD_BAN_REMOVE',
    'GUILD_INTEGRATIONS_UPDATE',
    'GUILD_SCHEDULED_EVENT_USER_ADD',
    'GUILD_SCHEDULED_EVENT_USER_REMOVE',
    'INVITE_CREATE',
    'INVITE_DELETE',
    'VOICE_CHANNEL_EFFECT_SEND',
    'VOICE_SERVER_UPDATE',
    'WEBHOOKS_UPDATE',
))


class Checkpoint(RichAttributeErrorBaseType):
    """
    A checkpoint that is ready to be saved.
    
    Attributes
    ----------
    blobs : `list<(int, bytes)>`
        The guilds that were written, by id.
    head : ``CheckpointHead``
        The head.
    kept : `list<int>`
        The guilds whose blobs of the checkpoint before are still right.
    user_counts : `dict<int, int>`
        How many users each guild that was written had.
    """
    __slots__ = ('blobs', 'head', 'kept', 'user_counts')
    
    def __new__(cls, head, blobs, kept, user_counts):
        """
        Creates a new checkpoint. The parameters are the attributes.
        """
        self = object.__new__(cls)
        self.blobs = blobs
        self.head = head
        self.kept = kept
        self.user_counts = user_counts
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} head = {self.head!r}, written = {len(self.blobs)!r}, kept = {len(self.kept)!r}>'


class ShardCheckpointer(RichAttributeErrorBaseType):
    """
    Takes the checkpoints of a shard.
    
    Attributes
    ----------
    _session : ``None | Session``
        The session that the last checkpoint was taken in.
    _written : `dict<int, (int, int)>`
        For each guild in the store, by id: at which sequence its blob was written, and how many users it had.
    events_without_change : `frozenset<str>`
        Names of events that leave a guild as it was written.
    shard_id : `int`
        The shard's identifier.
    touched_guild_ids : `set<int | str>`
        The guilds to which something happened since the last checkpoint, as the events name them.
    """
    __slots__ = ('_session', '_written', 'events_without_change', 'shard_id', 'touched_guild_ids')
    
    def __new__(cls, shard_id, intents):
        """
        Creates a new checkpointer.
        
        Parameters
        ----------
        shard_id : `int`
            The shard's identifier.
        intents : ``IntentFlag``
            The intents of the client.
        """
        events_without_change = EVENTS_WITHOUT_CHANGE
        if intents & INTENT_MASK_GUILD_USERS:
            events_without_change |= EVENTS_OF_MESSAGES
        
        self = object.__new__(cls)
        self._session = None
        self._written = {}
        self.events_without_change = events_without_change
        self.shard_id = shard_id
        self.touched_guild_ids = set()
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} shard_id = {self.shard_id!r}, written = {len(self._written)!r}>'
    
    
    def touch(self, name, data):
        """
        Called with each event, after it was dispatched.
        
        Parameters
        ----------
        name : `str`
            The event's name.
        data : `object`
            The event's data.
        """
        if (name not in self.events_without_change) and isinstance(data, dict):
            guild_id = data.get('guild_id', None)
            if (guild_id is None) and (name in EVENTS_OF_GUILDS):
                guild_id = data.get('id', None)
            
            if isinstance(guild_id, (str, int)):
                self.touched_guild_ids.add(guild_id)
    
    
    def forget(self):
        """
        What is in the store is not known anymore: the next checkpoint writes every guild.
        """
        self._written = {}
    
    
    def saved(self, checkpoint):
        """
        A checkpoint is in the store.
        
        Parameters
        ----------
        checkpoint : ``Checkpoint``
            The checkpoint.
        """
        written = self._written
        user_counts = checkpoint.user_counts
        self._written = {
            guild_id: (written_sequence, user_counts[guild_id]) if guild_id in user_counts else written[guild_id]
            for guild_id, (_, written_sequence) in checkpoint.head.guilds.items()
        }
    
    
    def _select(self, guilds, whole):
        """
        Selects which guilds are to be written.
        
        Parameters
        ----------
        guilds : `list<Guild>`
            The guilds of the shard.
        whole : `bool`
            Whether all are to be written.
        
        Returns
        -------
        guilds_and_kept : `(list<Guild>, list<int>)`
            The guilds to write, and the identifiers of those to keep.
        """
        touched_guild_ids = {str(guild_id) for guild_id in self.touched_guild_ids}
        self.touched_guild_ids = set()
        
        if whole:
            return guilds, []
        
        written = self._written
        to_write = []
        unchanged = []
        for guild in guilds:
            guild_id = guild.id
            # An author who was not known is cached with their message.
            if (
                (guild_id in written) and
                (str(guild_id) not in touched_guild_ids) and
                (written[guild_id][1] == len(guild.users))
            ):
                unchanged.append(guild)
            else:
                to_write.append(guild)
        
        unchanged.sort(key = lambda guild: written[guild.id][0])
        refreshed = (len(unchanged) + REFRESH_SHARE - 1) // REFRESH_SHARE
        to_write.extend(unchanged[:refreshed])
        return to_write, [guild.id for guild in unchanged[refreshed:]]
    
    
    async def take(self, client, session, guilds, thread, now, *, whole = False, pause = SLICE_PAUSE):
        """
        Takes a checkpoint.
        
        This method is a coroutine.
        
        Parameters
        ----------
        client : ``Client``
            The client.
        session : ``Session``
            The shard's session. Its sequence goes on growing meanwhile.
        guilds : `list<Guild>`
            The guilds of the shard.
        thread : ``StoreThread``
            Where to compress.
        now : `FunctionType`
            Gives the unix time in seconds.
        whole : `bool` = `False`, Optional (Keyword only)
            Whether to write also the guilds to which nothing happened.
        pause : `float` = `SLICE_PAUSE`, Optional (Keyword only)
            Seconds between two slices.
        
        Returns
        -------
        checkpoint : ``None | Checkpoint``
            `None` if the session ended meanwhile.
        """
        if session is not self._session:
            # What is in the store belongs to another session.
            self._session = session
            self._written = {}
        
        session_id = session.session_id
        sequence = session.sequence
        written = self._written
        
        to_write, kept = self._select(guilds, whole)
        index = {guild_id: (sequence, written[guild_id][0]) for guild_id in kept}
        blobs = []
        user_counts = {}
        uncompressed = []
        uncompressed_size = 0
        slice_end = LOOP_TIME() + SLICE_LENGTH
        
        for guild in to_write:
            # It may have been left since the checkpoint began.
            if client not in guild.clients:
                continue
            
            guild_sequence = session.sequence
            index[guild.id] = (guild_sequence, guild_sequence)
            user_counts[guild.id] = len(guild.users)
            lines = []
            for part in iterate_guild_parts(guild):
                line = dump_line(part)
                lines.append(line)
                uncompressed_size += len(line)
                if LOOP_TIME() > slice_end:
                    await sleep(pause, KOKORO)
                    slice_end = LOOP_TIME() + SLICE_LENGTH
            
            uncompressed.append((guild.id, lines))
            if uncompressed_size > COMPRESS_SIZE:
                blobs.extend(await thread.call(_compress, uncompressed))
                uncompressed = []
                uncompressed_size = 0
                slice_end = LOOP_TIME() + SLICE_LENGTH
        
        blobs.extend(await thread.call(_compress, uncompressed))
        
        if session.session_id != session_id:
            return None
        
        application = client.application
        head = CheckpointHead(
            application = {'id': str(application.id), 'flags': int(application.flags)} if application.id else None,
            application_id = client.id,
            guilds = index,
            intents = int(client.intents),
            last_sequence = session.sequence,
            resume_gateway_url = session.resume_gateway_url,
            sequence = sequence,
            session_id = session_id,
            shard_count = max(client.shard_count, 1),
            shard_id = self.shard_id,
            written_at = now(),
        )
        return Checkpoint(head, blobs, kept, user_counts)


def _compress(guilds):
    """
    Compresses guilds.
    
    Parameters
    ----------
    guilds : `list<(int, list<bytes>)>`
        Identifiers and parts of guilds.
    
    Returns
    -------
    blobs : `list<(int, bytes)>`
    """
    return [(guild_id, encode_lines(lines)) for guild_id, lines in guilds]
