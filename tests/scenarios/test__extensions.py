"""
Beside other extensions, and beside clients without it.
"""
import pytest
from hata.discord.gateway.client_shard import DiscordGatewayClientShard

from hata_gateway_ext import DurableGatewayClientShard, setup_ext_gateway_ext
from hata_gateway_ext.local_discord import LocalDiscord, create_token


@pytest.mark.parametrize('extensions', (
    ('gateway_ext', 'slash'),
    ('slash', 'gateway_ext'),
    ('commands_v2', 'hata_gateway_ext.gateway_ext', 'slash', 'solarlink'),
    ('hata_gateway_ext.gateway_ext',),
))
async def test__extensions__order(run_bot, settle, extensions):
    """Works beside hata's other extensions, in any order, by either of its names; and they go on working."""
    options = {'prefix': '!'} if 'commands_v2' in extensions else {}
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord, extensions = extensions, **options) as bot:
            assert type(bot.gateway) is DurableGatewayClientShard
            if 'slash' in extensions:
                assert bot.client.slasher is not None
            
            discord.cut(0)
            discord.send_messages(20)
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            await settle(discord, bot)


async def test__extensions__some_clients_only(make_bot, settle):
    """Several clients in a process, of which some use it and some do not: each has its own gateway, and its own fate."""
    async with LocalDiscord(heartbeat_interval = 0.5, accept_any_token = True, identify_interval = 0.0) as discord:
        with_it = make_bot(discord)
        without = make_bot(discord, extensions = (), token = create_token(discord.application_id + 1000))
        with_it_too = make_bot(discord, token = create_token(discord.application_id + 2000))
        bots = (with_it, without, with_it_too)
        
        for bot in bots:
            await bot.start()
        
        await discord.wait_for(lambda recording: recording.ready_count() == 3)
        for bot in bots:
            await bot.wait_for(lambda bot = bot: bot.ready_count)
        
        assert type(with_it.gateway) is type(with_it_too.gateway) is DurableGatewayClientShard
        assert type(without.gateway) is DiscordGatewayClientShard
        
        discord.send_messages(10)
        discord.cut()
        discord.send_messages(10)
        await discord.wait_for(lambda recording: recording.resumed_count() == 2)
        for bot in (with_it, with_it_too):
            await settle(discord, bot)
        
        # hata's own identifies anew after every loss.
        await discord.wait_for(lambda recording: recording.identify_count() >= 4)
        for bot in bots:
            await bot.stop()


async def test__extensions__set_up_by_hand(make_bot, settle):
    """Set up on a client that exists and does not run; twice, or on one that runs, is refused with the reason."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        bot = make_bot(discord, extensions = ())
        gateway = setup_ext_gateway_ext(bot.client, gateway_compression = 'none')
        assert bot.gateway is gateway
        with pytest.raises(RuntimeError, match = 'already'):
            setup_ext_gateway_ext(bot.client)
        
        await bot.start()
        await discord.wait_for(lambda recording: recording.ready_count(0))
        with pytest.raises(RuntimeError, match = 'already'):
            setup_ext_gateway_ext(bot.client)
        
        assert discord.recording.connections[0].compression == 'none'
        await settle(discord, bot)
        await bot.stop()


async def test__extensions__set_up_while_running(make_bot):
    """A client that runs keeps the gateway that it has."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        bot = make_bot(discord, extensions = ())
        await bot.start()
        await discord.wait_for(lambda recording: recording.ready_count(0))
        with pytest.raises(RuntimeError, match = 'runs'):
            setup_ext_gateway_ext(bot.client)
        
        assert type(bot.gateway) is DiscordGatewayClientShard
        await bot.stop()


async def test__extensions__switched_off(make_bot, monkeypatch):
    """`HATA_GATEWAY_EXT_ENABLED` leaves hata's own gateway in place."""
    monkeypatch.setenv('HATA_GATEWAY_EXT_ENABLED', 'false')
    monkeypatch.setattr('hata_gateway_ext.extension.DISABLED_SAID', False)
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        with pytest.warns(RuntimeWarning, match = 'HATA_GATEWAY_EXT_ENABLED') as warnings:
            bot = make_bot(discord)
        
        assert len(warnings) == 1
        assert type(bot.gateway) is DiscordGatewayClientShard
        await bot.start()
        await discord.wait_for(lambda recording: recording.ready_count(0))
        await bot.stop()
