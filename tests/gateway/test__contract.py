"""
Every member of hata's ``DiscordGatewayClientBase``, on a shard and on a sharder: before connecting, connected and closed.
"""
import pytest
from hata import KOKORO
from hata.discord.gateway.client_base import DiscordGatewayClientBase
from scarletio import Future

from hata_gateway_ext import (
    DurableGatewayClientShard, DurableGatewayClientSharder, PayloadTooLargeError, setup_ext_gateway_ext
)
from hata_gateway_ext.local_discord import LocalDiscord

SHARD_COUNTS = (0, 2)

LATENCY_DEFAULT = 9999.0


def get_shards(gateway):
    """The shards of a gateway of either type."""
    return [*gateway.gateways]


@pytest.fixture
async def discord():
    """A local Discord that is quick to identify."""
    async with LocalDiscord(shards = 1, max_concurrency = 2, heartbeat_interval = 0.5) as discord:
        yield discord


@pytest.mark.parametrize('shard_count', SHARD_COUNTS)
async def test__gateway__type(discord, make_bot, shard_count):
    """The gateway is ours, derives from hata's base, and has no `__dict__`."""
    gateway = make_bot(discord, shard_count = shard_count).gateway
    
    assert type(gateway) is (DurableGatewayClientSharder if shard_count else DurableGatewayClientShard)
    for instance in (gateway, *get_shards(gateway)):
        assert isinstance(instance, DiscordGatewayClientBase)
        assert not hasattr(instance, '__dict__')


@pytest.mark.parametrize('shard_count', SHARD_COUNTS)
async def test__gateway__before_connecting(discord, make_bot, shard_count):
    """Nothing raises, and nothing is recorded, before the gateway runs."""
    bot = make_bot(discord, shard_count = shard_count)
    gateway = bot.gateway
    
    assert gateway.client is bot.client
    assert gateway.latency == LATENCY_DEFAULT
    assert type(gateway.latency) is float
    
    for shard_id, shard in enumerate(get_shards(gateway)):
        assert shard.shard_id == shard_id
        assert shard.gateways[shard_id] is shard
        assert shard.session_id is None
        assert shard.sequence is None
        assert shard.resume_gateway_url is None
        assert shard.kokoro is None
        assert shard.web_socket is None
        assert shard.rate_limit_handler.remaining > 100
    
    # None of them waits for a connection: the gateway does not run.
    await bot.run(gateway.send_as_json({'op': 3, 'd': None}), 2.0)
    await bot.run(gateway.change_voice_state(1 << 22, 2), 2.0)
    await bot.run(gateway.beat(), 2.0)
    await bot.run(gateway.terminate(), 2.0)
    await bot.run(gateway.close(), 2.0)
    await bot.call(gateway.abort)
    assert (await bot.run(gateway.run(), 2.0)) is False


async def test__shard__run__waiter__not_running(discord, make_bot):
    """The waiter is told that the run of a stopped client ended."""
    bot = make_bot(discord)
    waiter = await bot.call(Future, KOKORO)
    
    assert (await bot.run(bot.gateway.run(waiter), 2.0)) is False
    assert waiter.get_result() is False


@pytest.mark.parametrize('shard_count', SHARD_COUNTS)
async def test__gateway__connected(discord, run_bot, shard_count):
    """Every attribute is there while connected."""
    async with run_bot(discord, shard_count = shard_count) as bot:
        gateway = bot.gateway
        count = max(shard_count, 1)
        await discord.wait_for(lambda recording: all(
            len([heartbeat for heartbeat in recording.heartbeats if heartbeat.shard_id == shard_id]) >= 2
            for shard_id in range(count)
        ))
        
        for shard_id, shard in enumerate(get_shards(gateway)):
            session = discord.session(shard_id)
            assert shard.session_id == session.session_id
            assert shard.sequence is not None
            assert shard.resume_gateway_url == discord.resume_gateway_url(shard_id)
            assert 0.0 <= shard.kokoro.latency < 10.0
            assert shard.kokoro.interval == 0.5
            assert shard.kokoro.gateway is shard
            assert shard.web_socket is not None
            assert not shard.web_socket.closed
            assert shard.rate_limit_handler.remaining > 0
            assert shard.latency == shard.kokoro.latency
        
        assert 0.0 <= gateway.latency < 10.0
        assert type(gateway.latency) is float


@pytest.mark.parametrize('shard_count', SHARD_COUNTS)
async def test__gateway__closed(discord, run_bot, shard_count):
    """After `close` everything is down, and nothing raises."""
    async with run_bot(discord, shard_count = shard_count) as bot:
        gateway = bot.gateway
        count = max(shard_count, 1)
        await bot.stop()
        await discord.wait_for(lambda recording: len(recording.close_codes()) == count)
        
        assert set(discord.recording.close_codes()) == {1000}
        assert not discord.connections
        
        for shard in get_shards(gateway):
            assert shard.web_socket is None
            assert shard.session_id is None
            assert not shard.kokoro.should_run
        
        assert type(gateway.latency) is float
        await bot.run(gateway.send_as_json({'op': 3, 'd': None}), 2.0)
        await bot.run(gateway.change_voice_state(1 << 22, 2), 2.0)
        await bot.run(gateway.beat(), 2.0)
        await bot.run(gateway.terminate(), 2.0)
        await bot.run(gateway.close(), 2.0)
        await bot.call(gateway.abort)
        assert discord.recording.connection_count() == count


@pytest.mark.parametrize('shard_count', SHARD_COUNTS)
async def test__gateway__terminate(discord, run_bot, shard_count):
    """`terminate` closes with 4000, and the running gateway resumes."""
    async with run_bot(discord, shard_count = shard_count) as bot:
        count = max(shard_count, 1)
        await bot.run(bot.gateway.terminate())
        await discord.wait_for(
            lambda recording: all(recording.resumed_count(shard_id) for shard_id in range(count))
        )
        
        assert sorted(discord.recording.close_codes()) == [4000] * count
        assert discord.recording.identify_count() == count


@pytest.mark.parametrize('shard_count', SHARD_COUNTS)
async def test__gateway__abort(discord, run_bot, shard_count):
    """`abort` ends the run at once; the sessions are kept."""
    async with run_bot(discord, shard_count = shard_count) as bot:
        gateway = bot.gateway
        session_ids = [shard.session_id for shard in get_shards(gateway)]
        # A run that ends while the client runs would be started again.
        bot.client.running = False
        await bot.call(gateway.abort)
        
        assert [shard.web_socket for shard in get_shards(gateway)] == [None] * len(session_ids)
        assert [shard.session_id for shard in get_shards(gateway)] == session_ids
        await discord.wait_for(lambda recording: not discord.connections)
        assert 1000 not in discord.recording.close_codes()


@pytest.mark.parametrize('shard_count', SHARD_COUNTS)
async def test__gateway__beat(discord, run_bot, shard_count):
    """`beat` sends one heartbeat on each shard, with the sequence."""
    discord.options.heartbeat_interval = 40.0
    async with run_bot(discord, shard_count = shard_count) as bot:
        discord.recording.clear()
        await bot.run(bot.gateway.beat())
        
        count = max(shard_count, 1)
        heartbeats = await discord.wait_for(
            lambda recording: len(recording.heartbeats) >= count and [*recording.heartbeats]
        )
        assert sorted(heartbeat.shard_id for heartbeat in heartbeats)[:count] == [*range(count)]
        assert all(type(heartbeat.sequence) is int for heartbeat in heartbeats)


@pytest.mark.parametrize('shard_count', SHARD_COUNTS)
async def test__gateway__change_voice_state(discord, run_bot, shard_count):
    """Ids are strings, 0 is null, and the shard is the guild's."""
    async with run_bot(discord, shard_count = shard_count) as bot:
        guild_id = (5 << 22) + 7
        await bot.run(bot.gateway.change_voice_state(guild_id, 12, self_deaf = True))
        await bot.run(bot.gateway.change_voice_state(guild_id, 0, self_mute = True))
        
        operations = await discord.wait_for(
            lambda recording: len(recording.operations_of(4)) == 2 and recording.operations_of(4)
        )
        assert [operation.data for operation in operations] == [
            {'guild_id': str(guild_id), 'channel_id': '12', 'self_deaf': True, 'self_mute': False},
            {'guild_id': str(guild_id), 'channel_id': None, 'self_deaf': False, 'self_mute': True},
        ]
        assert {operation.shard_id for operation in operations} == {5 % max(shard_count, 1)}


@pytest.mark.parametrize('shard_count', SHARD_COUNTS)
async def test__gateway__send_as_json(discord, run_bot, shard_count):
    """A payload goes to every shard; one that is too large raises and leaves the connection alone."""
    async with run_bot(discord, shard_count = shard_count) as bot:
        data = {'op': 3, 'd': {'status': 'idle', 'activities': [], 'since': None, 'afk': False}}
        await bot.run(bot.gateway.send_as_json(data))
        
        with pytest.raises(PayloadTooLargeError) as exception_info:
            await bot.run(bot.gateway.send_as_json({'op': 3, 'd': 'x' * 4097}))
        
        assert isinstance(exception_info.value, ValueError)
        assert exception_info.value.limit == 4096
        
        count = max(shard_count, 1)
        operations = await discord.wait_for(
            lambda recording: len(recording.operations_of(3)) == count and recording.operations_of(3)
        )
        assert sorted(operation.shard_id for operation in operations) == [*range(count)]
        assert len(discord.connections) == count


async def test__gateway__get_gateway(discord, make_bot):
    """A shard returns itself; a sharder the shard of the guild, and shard 0 for 0."""
    shard = make_bot(discord).gateway
    assert shard.get_gateway(0) is shard
    assert shard.get_gateway(3 << 22) is shard


async def test__sharder__get_gateway(discord, make_bot):
    """A sharder returns the shard of the guild, and shard 0 for 0."""
    gateway = make_bot(discord, shard_count = 2).gateway
    assert gateway.get_gateway(0) is gateway.gateways[0]
    assert gateway.get_gateway(3 << 22) is gateway.gateways[1]
    assert gateway.get_gateway((4 << 22) + 1) is gateway.gateways[0]


@pytest.mark.parametrize('shard_count', SHARD_COUNTS)
async def test__gateway__repr(discord, run_bot, shard_count):
    """The repr shows client, shards, state and latency, and neither token nor session id."""
    async with run_bot(discord, shard_count = shard_count) as bot:
        await discord.wait_for(lambda recording: len(recording.heartbeats) >= 4)
        await bot.call(lambda: None)
        
        for gateway in (bot.gateway, *get_shards(bot.gateway)):
            representation = repr(gateway)
            assert representation.startswith(f'<{type(gateway).__name__} ')
            assert repr(bot.client.full_name) in representation
            assert 'ready' in representation
            assert 'latency' in representation
            assert ('shard_count' if hasattr(gateway, '__len__') else 'shard') in representation
            assert discord.token not in representation
        
        for shard in get_shards(bot.gateway):
            assert shard.session_id not in repr(shard)
            assert shard.session_id not in repr(shard.driver)
            assert discord.token not in repr(shard.driver)


@pytest.mark.parametrize('shard_count', SHARD_COUNTS)
async def test__gateway__rich_attribute_error(discord, make_bot, shard_count):
    """A missing attribute names the instance and itself."""
    gateway = make_bot(discord, shard_count = shard_count).gateway
    for instance in (gateway, *get_shards(gateway)):
        with pytest.raises(AttributeError) as exception_info:
            instance.sesion_id
        
        assert exception_info.value.instance is instance
        assert exception_info.value.attribute_name == 'sesion_id'


async def test__gateway__failing_property(discord, make_bot):
    """A property of ours that fails inside says why, not that it does not exist."""
    gateway = make_bot(discord).gateway
    gateway.driver.machine = None
    
    with pytest.raises(AttributeError) as exception_info:
        gateway.session_id
    
    assert '\'session\'' in str(exception_info.value)


async def test__setup__twice(discord, make_bot):
    """A client that has the extension is refused."""
    bot = make_bot(discord)
    with pytest.raises(RuntimeError, match = 'already'):
        setup_ext_gateway_ext(bot.client)


async def test__setup__by_hand(discord, make_bot):
    """An existing client that does not run can be given the extension."""
    bot = make_bot(discord, extensions = ())
    gateway = setup_ext_gateway_ext(bot.client, gateway_compression = 'none')
    assert bot.gateway is gateway
    assert type(gateway) is DurableGatewayClientShard


async def test__setup__running(discord, make_bot):
    """A running client is refused, and keeps its gateway."""
    bot = make_bot(discord, extensions = ())
    await bot.start()
    gateway = bot.gateway
    
    with pytest.raises(RuntimeError, match = 'runs'):
        setup_ext_gateway_ext(bot.client)
    
    assert bot.gateway is gateway


async def test__setup__switched_off(discord, make_bot, monkeypatch):
    """Operators can leave hata's own gateway in place; it is said once."""
    monkeypatch.setenv('HATA_GATEWAY_EXT_ENABLED', 'false')
    monkeypatch.setattr('hata_gateway_ext.extension.DISABLED_SAID', False)
    
    with pytest.warns(RuntimeWarning, match = 'HATA_GATEWAY_EXT_ENABLED') as warnings:
        bot = make_bot(discord)
        assert setup_ext_gateway_ext(bot.client) is bot.gateway
    
    assert len(warnings) == 1
    assert not isinstance(bot.gateway, DurableGatewayClientShard)


@pytest.mark.parametrize('extensions', (('gateway_ext', 'slash'), ('slash', 'gateway_ext')))
async def test__setup__beside_slash(discord, make_bot, extensions):
    """hata's own extensions work beside it, in either order."""
    bot = make_bot(discord, extensions = extensions)
    assert type(bot.gateway) is DurableGatewayClientShard
    assert bot.client.slasher is not None
