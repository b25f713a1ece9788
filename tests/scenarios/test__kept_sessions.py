"""
Sessions that are kept: stopped and started again, with another client each time, and a store in between. What happens to
real processes is in `test__restart.py`.
"""
from threading import Event

import pytest
from scarletio import skip_poll_cycle

from hata_gateway_ext.errors import GatewayStoreReport
from hata_gateway_ext.persistence import persistence
from hata_gateway_ext.local_discord import LocalDiscord
from hata_gateway_ext.stores import MemoryStore, SessionRecord, StoreCorruptError, StoreUnavailableError


class ToldStore(MemoryStore):
    """
    A store that tells what is done to it, and fails when it is asked to.
    
    Attributes
    ----------
    calls : `list<str>`
        The names of the methods that were called.
    failure : `None | BaseException`
        What saving raises.
    gate : `Event`
        Saving waits until it is set.
    listener : `callable`
        Called after each call.
    """
    __slots__ = ('calls', 'failure', 'gate', 'listener')
    
    def __new__(cls):
        self = MemoryStore.__new__(cls)
        self.calls = []
        self.failure = None
        self.gate = Event()
        self.gate.set()
        self.listener = lambda: None
        return self
    
    
    def tell(self, name):
        self.calls.append(name)
        self.listener()
    
    
    def save_records(self, application_id, records):
        self.tell('save_records')
        self.gate.wait()
        if (self.failure is not None):
            raise self.failure
        MemoryStore.save_records(self, application_id, records)
        self.tell('records saved')
    
    
    def save_checkpoint(self, application_id, shard_id, head, blobs, kept = ()):
        self.tell('save_checkpoint')
        if (self.failure is not None):
            raise self.failure
        MemoryStore.save_checkpoint(self, application_id, shard_id, head, blobs, kept)
        self.tell('checkpoint saved')


@pytest.fixture
def store():
    return ToldStore()


@pytest.fixture(autouse = True)
def quick_records(monkeypatch):
    """Looks at the sequences more often."""
    monkeypatch.setattr(persistence, 'RECORD_INTERVAL', 0.05)


@pytest.fixture
def start_bot(make_bot, store):
    """Starts bots that keep their sessions, one after the other."""
    async def start_bot(discord, **options):
        bot = make_bot(discord, gateway_store = store, **options)
        store.listener = bot._notify
        await bot.start()
        return bot
    
    return start_bot


async def stop_bot(bot):
    """Stops a bot, and takes it out of hata's memory as the end of its process does."""
    client = bot.client
    
    async def forget():
        # hata takes the client out of its guilds a moment after it is stopped.
        while client.guilds:
            await skip_poll_cycle()
        client._delete()
    
    await bot.stop()
    await bot.run(forget())


def get_reports(bot):
    return [str(error) for error in bot.errors if isinstance(error, GatewayStoreReport)]


def read_record(discord, store, shard_id = 0):
    return SessionRecord.from_bytes(store._records[discord.application_id][shard_id])


async def send(discord, bot, shard_id = 0):
    """Sends a message and waits until it is handled."""
    number = discord.send_message(shard_id = shard_id)['number']
    await bot.wait_for(lambda: number in bot.numbers)
    return number


async def test__suspend(start_bot, store, settle):
    """
    A suspended bot leaves its sessions to the next one: no identify, each message once, `ready` is called, and the cache is
    there.
    """
    async with LocalDiscord(shards = 2, max_concurrency = 2, guilds = 6) as discord:
        bot = await start_bot(discord, gateway_shutdown = 'suspend', shard_count = 2)
        await bot.wait_for(lambda: bot.ready_count)
        handled = [await send(discord, bot, shard_id) for shard_id in range(2)]
        expected = {guild.id: guild.to_data(defaults = True, include_internals = True) for guild in bot.client.guilds}
        assert len(expected) == 6
        await stop_bot(bot)
        assert discord.recording.close_codes() == [4000, 4000]
        
        missed = [discord.send_message(shard_id = index % 2)['number'] for index in range(10)]
        
        bot = await start_bot(discord, gateway_shutdown = 'suspend', shard_count = 2)
        await bot.wait_for(lambda: bot.ready_count)
        await bot.wait_for(lambda: len(bot.numbers) == 10)
        assert sorted(bot.numbers) == missed
        
        restored = {guild.id: guild.to_data(defaults = True, include_internals = True) for guild in bot.client.guilds}
        assert restored == expected
        assert bot.client.application.id == discord.application_id
        assert not bot.errors
        assert discord.recording.identify_count() == 2
        assert discord.recording.resumed_count() == 2
        
        bot.numbers[:0] = handled
        await settle(discord, bot)


async def test__suspend__explicit(start_bot, store):
    """`await client.gateway.suspend()` does the same, whatever the option says."""
    async with LocalDiscord() as discord:
        bot = await start_bot(discord)
        await bot.wait_for(lambda: bot.ready_count)
        number = await send(discord, bot)
        await bot.run(bot.gateway.suspend())
        await stop_bot(bot)
        assert discord.recording.close_codes() == [4000]
        assert read_record(discord, store).sequence == discord.session(0).sequence
        
        missed = discord.send_message()['number']
        bot = await start_bot(discord)
        await bot.wait_for(lambda: bot.numbers)
        assert bot.numbers == [missed] != [number]
        assert discord.recording.identify_count() == 1


async def test__close(start_bot, store):
    """Without the option the sessions end with the client, and nothing of them is left in the store."""
    async with LocalDiscord(shards = 2, max_concurrency = 2) as discord:
        bot = await start_bot(discord, shard_count = 2)
        await bot.wait_for(lambda: store.calls.count('checkpoint saved') == 2)
        await stop_bot(bot)
        assert discord.recording.close_codes() == [1000, 1000]
        assert not store._records[discord.application_id]
        assert not store._checkpoints
        
        bot = await start_bot(discord, shard_count = 2)
        await bot.wait_for(lambda: bot.ready_count)
        assert discord.recording.identify_count() == 4
        assert not bot.errors


async def test__close__in_the_same_process(start_bot, quick_identify):
    """A suspended client that is started again restores what it has suspended: hata has taken its cache apart."""
    async with LocalDiscord(identify_interval = 0.0, guilds = 3) as discord:
        bot = await start_bot(discord, gateway_shutdown = 'suspend')
        await bot.wait_for(lambda: bot.ready_count == 1)
        for count in range(2, 4):
            await bot.stop()
            assert bot.gateway.session_id is None
            discord.send_message()
            await bot.start()
            await bot.wait_for(lambda: bot.ready_count == count)
            await bot.wait_for(lambda: len(bot.numbers) == count - 1)
            assert len(bot.client.guilds) == 3
        
        assert discord.recording.identify_count() == 1
        assert not bot.errors


async def test__crash(start_bot, store):
    """
    What came after the last checkpoint and was recorded brings the cache up to date, without a call of a handler; what came
    after that is delivered.
    """
    async with LocalDiscord() as discord:
        bot = await start_bot(discord, gateway_shutdown = 'suspend')
        await bot.wait_for(lambda: 'checkpoint saved' in store.calls)
        
        guild_id = next(iter(bot.client.guilds)).id
        role_id = guild_id + 9999
        discord.emit(
            'GUILD_ROLE_CREATE',
            {
                'guild_id': str(guild_id),
                'role': {
                    'id': str(role_id), 'name': 'Cake', 'permissions': '0', 'position': 1, 'color': 0, 'hoist': False,
                    'managed': False, 'mentionable': False,
                },
            },
            guild_id = guild_id,
        )
        number = await send(discord, bot)
        sequence = bot.gateway.sequence
        await bot.wait_for(lambda: read_record(discord, store).sequence == sequence)
        
        # The process ends here, as far as the store knows.
        records = store._records[discord.application_id].copy()
        checkpoints = store._checkpoints.copy()
        await stop_bot(bot)
        store._records[discord.application_id] = records
        store._checkpoints.update(checkpoints)
        
        missed = discord.send_message()['number']
        bot = await start_bot(discord, gateway_shutdown = 'suspend')
        await bot.wait_for(lambda: bot.numbers)
        assert bot.numbers == [missed] != [number]
        guild = next(guild for guild in bot.client.guilds if guild.id == guild_id)
        assert guild.roles[role_id].name == 'Cake'
        assert discord.recording.identify_count() == 1
        assert discord.recording.resumes[-1].replayed >= 3
        assert not bot.errors


async def test__session_that_is_too_old(start_bot, store, quick_identify):
    """If Discord has ended the session meanwhile, the shard identifies and says why; the cache is the new one."""
    async with LocalDiscord(identify_interval = 0.0) as discord:
        bot = await start_bot(discord, gateway_shutdown = 'suspend')
        await bot.wait_for(lambda: bot.ready_count)
        guild = next(iter(bot.client.guilds))
        name = guild.name
        guild.name = 'An outdated name'
        await stop_bot(bot)
        discord.end_sessions()
        
        bot = await start_bot(discord, gateway_shutdown = 'suspend')
        await bot.wait_for(lambda: bot.ready_count)
        await send(discord, bot)
        (report,) = get_reports(bot)
        assert 'Discord has ended it' in report
        assert discord.recording.identify_count() == 2
        assert sorted(guild.name for guild in bot.client.guilds)[0] == name
        
        # The new session is kept.
        session_id = bot.gateway.session_id
        await bot.wait_for(lambda: read_record(discord, store).session_id == session_id)


@pytest.mark.parametrize(('change', 'reason'), [
    (lambda store, key: store._records.update({key[0]: {0: b'garbage'}}), 'not JSON'),
    (lambda store, key: store._checkpoints.clear(), 'no checkpoint of its cache'),
    (lambda store, key: store._checkpoints.update({key: (b'garbage', {})}), 'checkpoint'),
    (lambda store, key: store._checkpoints[key][1].popitem(), 'missing'),
    (lambda store, key: store._checkpoints[key][1].update(dict.fromkeys(store._checkpoints[key][1], b'')), 'too short'),
], ids = ['record', 'no checkpoint', 'head', 'missing guild', 'guild'])
async def test__damaged(start_bot, store, quick_identify, change, reason):
    """What cannot be restored is not restored in parts: the shard identifies and says why."""
    async with LocalDiscord(identify_interval = 0.0, guilds = 3) as discord:
        bot = await start_bot(discord, gateway_shutdown = 'suspend')
        await bot.wait_for(lambda: bot.ready_count)
        await stop_bot(bot)
        change(store, (discord.application_id, 0))
        
        bot = await start_bot(discord, gateway_shutdown = 'suspend')
        await bot.wait_for(lambda: bot.ready_count)
        await send(discord, bot)
        (report,) = get_reports(bot)
        assert reason in report and 'The shard identifies.' in report
        assert len(bot.client.guilds) == 3
        assert discord.recording.identify_count() == 2
        assert discord.recording.resume_count() == 0


@pytest.mark.parametrize(('options', 'reason'), [
    ({'intents': 513}, 'other intents'), ({'shard_count': 2}, 'one of 1 shards, now there are 2'),
])
async def test__other_client(start_bot, quick_identify, options, reason):
    """A session that does not fit the client anymore is not restored."""
    async with LocalDiscord(identify_interval = 0.0, max_concurrency = 2) as discord:
        bot = await start_bot(discord, gateway_shutdown = 'suspend')
        await bot.wait_for(lambda: bot.ready_count)
        await stop_bot(bot)
        
        bot = await start_bot(discord, gateway_shutdown = 'suspend', **options)
        await bot.wait_for(lambda: bot.ready_count)
        (report,) = get_reports(bot)
        assert reason in report
        assert discord.recording.resume_count() == 0


async def test__without_the_cache(start_bot):
    """A bot that needs no cache has its session restored alone."""
    async with LocalDiscord() as discord:
        options = {'gateway_shutdown': 'suspend', 'gateway_checkpoint_cache': False}
        bot = await start_bot(discord, **options)
        await bot.wait_for(lambda: bot.ready_count)
        await stop_bot(bot)
        
        bot = await start_bot(discord, **options)
        await bot.wait_for(lambda: bot.ready_count)
        assert not bot.client.guilds
        assert not bot.errors
        assert discord.recording.identify_count() == 1
        assert discord.recording.resumed_count() == 1


@pytest.mark.parametrize('failure', [
    StoreUnavailableError('The disk is full.'), StoreCorruptError('It is set aside.'), ZeroDivisionError('secret'),
], ids = lambda failure: type(failure).__name__)
async def test__store_that_fails(start_bot, store, failure):
    """A store that fails is reported once, receiving goes on, and it is reported once more when it works again."""
    async with LocalDiscord() as discord:
        bot = await start_bot(discord)
        await bot.wait_for(lambda: 'checkpoint saved' in store.calls)
        
        store.failure = failure
        calls = len(store.calls)
        await send(discord, bot)
        # It is tried again and again.
        await bot.wait_for(lambda: store.calls[calls:].count('save_records') >= 3)
        (report,) = get_reports(bot)
        assert 'are not kept at the moment' in report
        assert 'secret' not in report
        
        store.failure = None
        sequence = bot.gateway.sequence
        await bot.wait_for(lambda: read_record(discord, store).sequence == sequence)
        await bot.wait_for(lambda: len(get_reports(bot)) == 2)
        assert 'are kept again' in get_reports(bot)[1]
        
        # And once more.
        store.failure = failure
        await send(discord, bot)
        await bot.wait_for(lambda: len(get_reports(bot)) == 3)
        store.failure = None
        assert discord.recording.connection_count() == 1


async def test__store_that_hangs(start_bot, store):
    """A store that does not answer keeps nobody waiting, and is up to date when it answers."""
    async with LocalDiscord(heartbeat_interval = 0.2) as discord:
        bot = await start_bot(discord)
        await bot.wait_for(lambda: 'checkpoint saved' in store.calls)
        store.gate.clear()
        try:
            await send(discord, bot)
            await bot.wait_for(lambda: store.calls[-1] == 'save_records')
            calls = len(store.calls)
            heartbeats = len(discord.recording.heartbeats)
            await discord.wait_for(lambda recording: len(recording.heartbeats) > heartbeats + 3)
            for _ in range(5):
                await send(discord, bot)
            
            assert len(store.calls) == calls
            assert discord.recording.connection_count() == 1
        finally:
            store.gate.set()
        
        sequence = bot.gateway.sequence
        await bot.wait_for(lambda: read_record(discord, store).sequence == sequence)
        assert not bot.errors


async def test__checkpoint_when_suspending_only(start_bot, store):
    """Without an interval the only checkpoint is taken when the bot is suspended."""
    async with LocalDiscord() as discord:
        options = {'gateway_shutdown': 'suspend', 'gateway_checkpoint_interval': None}
        bot = await start_bot(discord, **options)
        await bot.wait_for(lambda: bot.ready_count)
        for _ in range(3):
            await send(discord, bot)
            await bot.run(bot.gateway.context.persistence._record())
        
        assert 'save_checkpoint' not in store.calls
        await stop_bot(bot)
        assert store.calls.count('checkpoint saved') == 1
        
        bot = await start_bot(discord, **options)
        await bot.wait_for(lambda: bot.ready_count)
        assert discord.recording.identify_count() == 1


async def test__store_that_cannot_be_opened(make_bot, tmp_path):
    """A bot whose store is not there starts without it, and uses it as soon as it is there."""
    directory = tmp_path / 'missing'
    async with LocalDiscord() as discord:
        bot = make_bot(discord, gateway_store = f'sqlite:///{directory}/seija.sqlite')
        await bot.start()
        await bot.wait_for(lambda: bot.ready_count)
        await send(discord, bot)
        await bot.wait_for(lambda: get_reports(bot))
        assert 'No such file or directory' in get_reports(bot)[0]
        
        directory.mkdir()
        await bot.wait_for(lambda: len(get_reports(bot)) == 2)
        assert 'are kept again' in get_reports(bot)[1]
        assert (directory / 'seija.sqlite').exists()


async def test__nothing_is_written_without_traffic(start_bot, store):
    """A sequence that does not move is not written again."""
    async with LocalDiscord() as discord:
        bot = await start_bot(discord)
        await bot.wait_for(lambda: 'checkpoint saved' in store.calls)
        calls = len(store.calls)
        for _ in range(3):
            await bot.run(bot.gateway.context.persistence._record())
        assert len(store.calls) == calls
        
        await send(discord, bot)
        await bot.wait_for(lambda: len(store.calls) > calls)
        assert store.calls[calls] == 'save_records'


async def test__no_secrets(start_bot, store):
    """Neither the token nor the session is in a representation, and the token is not in the store."""
    async with LocalDiscord() as discord:
        bot = await start_bot(discord)
        await bot.wait_for(lambda: 'checkpoint saved' in store.calls)
        persistence_ = bot.gateway.context.persistence
        session_id = bot.gateway.session_id
        for object_ in (
            persistence_, persistence_.access, persistence_.checkpoints, persistence_.access.thread, bot.gateway.driver,
            *persistence_.checkpoints._checkpointers.values(),
        ):
            assert discord.token not in repr(object_)
            assert session_id not in repr(object_)
        
        token = discord.token.encode()
        head, blobs = store._checkpoints[discord.application_id, 0]
        for data in (store._records[discord.application_id][0], head, *blobs.values()):
            assert token not in data
