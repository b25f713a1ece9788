"""
From what a store holds back to sessions and a cache.

A shard is restored as a whole or not at all: a cache without its session would never be brought up to date, and a session
without the cache that belongs to it leaves the bot without guilds, since Discord sends them after an identify only.
"""
__all__ = ('RestoredSession', 'SessionRestorer')

import gc

from hata import Guild, KOKORO
from hata.discord.core import APPLICATION_ID_TO_CLIENT
from hata.discord.events.core import maybe_ensure_launch
from scarletio import LOOP_TIME, RichAttributeErrorBaseType, sleep

from ..errors import GatewayStoreReport
from ..protocol.session import Session
from ..stores.errors import StoreCorruptError, StoreError, StoreVersionError
from ..stores.record import SessionRecord
from .formats import CheckpointHead, decode_lines
from ..client.guilds import merge_guild_parts, prepare_timestamps
from .replay_filter import ReplayFilter


# Seconds of work after which the loop gets its turn: other clients may be running on it.
SLICE_LENGTH = 0.004


class NotRestorable(Exception):
    """
    A session cannot be restored. The message says why, as the end of a sentence.
    """


class RestoredSession(RichAttributeErrorBaseType):
    """
    What a shard gets back.
    
    Attributes
    ----------
    application : `None | dict<str, object>`
        What READY said of the application.
    guilds : `list<Guild>`
        The restored guilds.
    replay_filter : ``ReplayFilter``
        Decides about the events that Discord replays.
    session : ``Session``
        The session to resume.
    """
    __slots__ = ('application', 'guilds', 'replay_filter', 'session')
    
    def __new__(cls, session, replay_filter, guilds, application):
        """
        Creates a new restored session. The parameters are the attributes.
        """
        self = object.__new__(cls)
        self.application = application
        self.guilds = guilds
        self.replay_filter = replay_filter
        self.session = session
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} session = {self.session!r}, guilds = {len(self.guilds)!r}>'
    
    
    def resumed(self, client, shard_id):
        """
        The session was resumed: does for the client what READY does in a process that identifies.
        
        hata's own parser of READY cannot be used for it. It takes the data of the client's user from there, which Discord does
        not send again; the client has it from its login.
        
        Parameters
        ----------
        client : ``Client``
            The client.
        shard_id : `int`
            The shard's identifier.
        """
        self.apply_application(client)
        # Without guilds to wait for: they are here. `ready` is called when this was done for each shard.
        client._delay_ready([], shard_id)
        maybe_ensure_launch(client)
    
    
    def apply_application(self, client):
        """
        Gives the client its application.
        
        Parameters
        ----------
        client : ``Client``
            The client.
        """
        application = self.application
        if application is None:
            return
        
        old_application_id = client.application.id
        client.application.from_data_ready(application)
        new_application_id = client.application.id
        if old_application_id != new_application_id:
            if APPLICATION_ID_TO_CLIENT.get(old_application_id, None) is client:
                del APPLICATION_ID_TO_CLIENT[old_application_id]
            
            APPLICATION_ID_TO_CLIENT[new_application_id] = client
    
    
    def discard(self, client):
        """
        The session could not be resumed: takes the restored guilds out of the client's cache again. hata leaves a guild that a
        client is in as it is when it comes with an identify.
        
        Parameters
        ----------
        client : ``Client``
            The client.
        """
        guilds = self.guilds
        self.guilds = []
        discard_guilds(client, guilds)


def discard_guilds(client, guilds):
    """
    Takes guilds out of a client's cache, as when the client leaves them.
    
    Parameters
    ----------
    client : ``Client``
        The client.
    guilds : `list<Guild>`
        The guilds.
    """
    for guild in guilds:
        client.guild_profiles.pop(guild.id, None)
        guild._delete(client)


class SessionRestorer(RichAttributeErrorBaseType):
    """
    Restores the sessions of a client.
    
    Attributes
    ----------
    _records : `None | dict<int, bytes>`
        The records in the store. `None` while they were not loaded.
    access : ``StoreAccess``
        The store. Open.
    checkpoint_cache : `bool`
        Whether the cache is part of it.
    client : ``Client``
        The client.
    """
    __slots__ = ('_records', 'access', 'checkpoint_cache', 'client')
    
    def __new__(cls, client, access, checkpoint_cache):
        """
        Creates a new restorer.
        
        Parameters
        ----------
        client : ``Client``
            The client. Logged in.
        access : ``StoreAccess``
            The store. Open.
        checkpoint_cache : `bool`
            Whether the cache is part of it.
        """
        self = object.__new__(cls)
        self._records = None
        self.access = access
        self.checkpoint_cache = checkpoint_cache
        self.client = client
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} client = {self.client!r}, store = {self.access.store!r}>'
    
    
    async def restore(self, shard_id):
        """
        Restores the session of a shard, and its guilds. Where that is not possible, it is reported why.
        
        This method is a coroutine.
        
        Parameters
        ----------
        shard_id : `int`
            The shard's identifier.
        
        Returns
        -------
        restored : ``None | RestoredSession``
            `None` if the shard has to identify.
        """
        try:
            return await self._restore(shard_id)
        
        except NotRestorable as exception:
            reason = exception.args[0]
        except StoreError as exception:
            reason = str(exception)
        
        self.access.reports.report(
            GatewayStoreReport(f'The session is not restored: {reason} The shard identifies.', shard_id)
        )
        return None
    
    
    async def _restore(self, shard_id):
        """
        Restores the session of a shard, and its guilds.
        
        This method is a coroutine.
        
        Parameters
        ----------
        shard_id : `int`
            The shard's identifier.
        
        Returns
        -------
        restored : ``None | RestoredSession``
            `None` if there is nothing in the store.
        
        Raises
        ------
        NotRestorable
        StoreError
        """
        records = self._records
        if records is None:
            records = await self.access.thread.call(self.access.store.load_records, self.client.id)
            self._records = records
        
        data = records.get(shard_id, None)
        if data is None:
            return None
        
        record = SessionRecord.from_bytes(data)
        self._check_fits(record)
        
        if not self.checkpoint_cache:
            session = Session(record.session_id, self._get_acceptable_url(record), record.sequence)
            return RestoredSession(session, ReplayFilter({}, record.sequence), [], None)
        
        access = self.access
        checkpoint = await access.thread.call(access.store.load_checkpoint, self.client.id, shard_id)
        if checkpoint is None:
            raise NotRestorable('there is no checkpoint of its cache.')
        
        head, blobs = checkpoint
        head = await access.thread.call(CheckpointHead.from_bytes, head)
        self._check_fits(head)
        if head.session_id != record.session_id:
            raise NotRestorable('the checkpoint of its cache belongs to an earlier session.')
        
        guilds = await self._restore_guilds(head, blobs)
        session = Session(record.session_id, self._get_acceptable_url(record), head.sequence)
        replay_filter = ReplayFilter(
            {guild_id: sequence for guild_id, (sequence, _) in head.guilds.items()},
            # Records and checkpoints are written apart; what either of them contains was handled.
            max(record.sequence, head.last_sequence),
        )
        return RestoredSession(session, replay_filter, guilds, head.application)
    
    
    def _check_fits(self, written):
        """
        Checks whether a record or a checkpoint was written for what the client is now.
        
        Parameters
        ----------
        written : ``CheckpointHead | SessionRecord``
            What was written.
        
        Raises
        ------
        NotRestorable
        """
        client = self.client
        shard_count = max(client.shard_count, 1)
        if written.shard_count != shard_count:
            raise NotRestorable(f'it was one of {written.shard_count} shards, now there are {shard_count}.')
        
        if written.intents != client.intents:
            raise NotRestorable('it was started with other intents.')
        
        if written.application_id != client.id:
            raise NotRestorable('it belongs to another application.')
    
    
    def _get_acceptable_url(self, record):
        """
        Returns where to resume, if the token may be sent there: not without TLS while the gateway is behind TLS.
        
        Parameters
        ----------
        record : ``SessionRecord``
            The record.
        
        Returns
        -------
        resume_gateway_url : `None | str`
            `None`: the url of `/gateway/bot` is used.
        """
        url = record.resume_gateway_url
        if (url is not None) and (url.startswith('wss://') or self.client._gateway_url.startswith('ws://')):
            return url
        
        return None
    
    
    async def _restore_guilds(self, head, blobs):
        """
        Restores the guilds of a checkpoint.
        
        This method is a coroutine.
        
        Parameters
        ----------
        head : ``CheckpointHead``
            The head of the checkpoint.
        blobs : `dict<int, bytes>`
            The guilds, by id.
        
        Returns
        -------
        guilds : `list<Guild>`
        
        Raises
        ------
        StoreVersionError
        StoreCorruptError
            None of the guilds is in the cache then.
        """
        client = self.client
        # Users are in the blob of each guild that they are in; what was written last is to win.
        guild_ids = sorted(head.guilds, key = lambda guild_id: head.guilds[guild_id][1])
        guilds = []
        slice_end = LOOP_TIME() + SLICE_LENGTH
        # All that is made here stays, so the garbage collector finds nothing however often it looks; looking takes half of
        # the time.
        collects_garbage = gc.isenabled()
        gc.disable()
        
        try:
            for guild_id in guild_ids:
                try:
                    blob = blobs.pop(guild_id)
                except KeyError:
                    raise StoreCorruptError('A guild is missing in the checkpoint.') from None
                
                parts = decode_lines(blob, prepare_timestamps)
                guilds.append(Guild.from_data(merge_guild_parts(parts), client))
                if LOOP_TIME() > slice_end:
                    await sleep(0.001, KOKORO)
                    slice_end = LOOP_TIME() + SLICE_LENGTH
        
        except (StoreCorruptError, StoreVersionError):
            discard_guilds(client, guilds)
            raise
        
        except Exception as exception:
            # The checksum was right, so this is data that hata does not understand: another version of hata may have
            # written it. Its message may hold any of the data.
            discard_guilds(client, guilds)
            raise StoreCorruptError(
                f'A guild in the checkpoint cannot be restored ({type(exception).__name__}).'
            ) from None
        
        finally:
            if collects_garbage:
                gc.enable()
        
        return guilds
