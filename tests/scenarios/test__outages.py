"""
Outages: how often a shard tries, how long it waits, and what it says about it.
"""
import pytest

import hata_gateway_ext.gateway.discovery as gateway_discovery
from hata_gateway_ext import GatewayConnectReport
from hata_gateway_ext.local_discord import Cut, LocalDiscord, Refuse, Replace, Skip

# Too long for DNS: it is refused without asking anyone. Each part of it is short enough.
UNKNOWN_HOST = '.'.join(['a' * 60] * 5) + '.invalid'


async def test__outage__delays(run_bot, settle, short_delays):
    """
    The first attempt at once, then a delay that doubles, of which jitter takes at most the half. The outage ends within the
    current delay.
    """
    base = 0.1
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            recording = discord.recording
            outage = discord.fault(Refuse(503), at = 'connect', times = None)
            discord.cut(0)
            discord.send_messages(20)
            await discord.wait_for(lambda recording: outage.count == 5)
            outage.heal()
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            
            refused_at = [connection.opened_at for connection in recording.connections if connection.refused_status]
            assert refused_at[0] - recording.connections[0].closed_at < base / 2
            for index, (earlier, later) in enumerate(zip(refused_at, refused_at[1:])):
                assert later - earlier >= base / 2 * 2 ** index
            
            # Healed during the delay before the sixth attempt, which succeeds.
            assert recording.resumes[-1].at - refused_at[-1] < base * 2 ** 4 + 1.0
            
            await settle(discord, bot)
            assert recording.identify_count(0) == 1
            
            # That was a success: the next loss is answered at once again.
            discord.cut(0)
            await discord.wait_for(lambda recording: recording.resumed_count(0) == 2)
            assert recording.resumes[-1].at - recording.connections[-2].closed_at < base / 2


async def test__outage__accept_and_drop(run_bot):
    """A server that resumes and drops in a loop is met with one attempt a second, after a burst of 60."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord):
            with discord.fault(Cut(), at = 'resumed_sent', times = None):
                discord.cut(0)
                await discord.wait_for(lambda recording: recording.resume_count(0) >= 64, timeout = 30.0)
            
            resumed_at = [resume.at for resume in discord.recording.resumes]
            for earlier, later in zip(resumed_at[61:], resumed_at[62:]):
                assert later - earlier > 0.8


@pytest.mark.parametrize(
    ('action', 'kind', 'status'),
    (
        (Refuse(429), 'http', 429),
        (Refuse(500), 'http', 500),
        (Refuse(503), 'http', 503),
        (Refuse(403), 'http', 403),
        (Refuse(404), 'http', 404),
        (Refuse(200), 'http', 200),
        # Nobody is followed to where else he may point.
        (Refuse(302, {'Location': 'http://127.0.0.1:80/'}), 'http', 302),
        (Cut(), 'unreachable', None),
        (Cut(reset = False), 'unreachable', None),
        (Skip(), 'timeout', None),
    ),
    ids = repr,
)
async def test__outage__told_apart(run_bot, settle, short_delays, impatient, action, kind, status):
    """What went wrong is said, once for each outage; the session is kept whatever it was."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            for count in (1, 2):
                with discord.fault(action, at = 'connect', times = 2) as outage:
                    discord.cut(0)
                    discord.send_messages(20)
                    await discord.wait_for(lambda recording, count = count: recording.resumed_count(0) == count)
                    assert outage.count == 2
                
                await settle(discord, bot)
                assert [(error.kind, error.status, error.shard_id) for error in bot.errors] == [(kind, status, 0)] * count
                assert all(isinstance(error, GatewayConnectReport) for error in bot.errors)
            
            assert discord.recording.identify_count(0) == 1
            for error in bot.errors:
                assert '127.0.0.1' in str(error) or kind == 'timeout'
                assert discord.token not in str(error)


async def test__outage__refused(run_bot, settle, short_delays):
    """Nobody listens: reported as refused; when the host is back, resumed."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            discord.stop_listening('gateway', 'resume')
            await bot.wait_for(lambda: bot.errors)
            discord.send_messages(20)
            discord.start_listening('gateway', 'resume')
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            await settle(discord, bot)
            assert [error.kind for error in bot.errors] == ['refused']


async def test__outage__name(run_bot, settle, short_delays):
    """The host name cannot be resolved: reported as that; after the second time the url of `/gateway/bot` is tried."""
    def rename(payload):
        payload['d']['resume_gateway_url'] = f'ws://{UNKNOWN_HOST}:443'
        return payload
    
    
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        discord.fault(Replace(rename), at = 'ready')
        async with run_bot(discord) as bot:
            discord.cut(0)
            discord.send_messages(20)
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            await settle(discord, bot)
            assert [error.kind for error in bot.errors] == ['name']
            assert discord.recording.identify_count(0) == 1


@pytest.mark.parametrize('status', (429, 503))
async def test__outage__retry_after(run_bot, settle, short_delays, status):
    """`Retry-After` of a refused upgrade is waited for."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            discord.fault(Refuse(status, {'Retry-After': '1'}), at = 'connect')
            discord.cut(0)
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            await settle(discord, bot)
            
            report, = bot.errors
            assert (report.kind, report.status, report.retry_after) == ('http', status, 1.0)
            _, refused, resumed = discord.recording.connections
            assert resumed.opened_at - refused.opened_at >= 1.0


async def test__outage__of_rest(run_bot, settle, quick_identify, monkeypatch):
    """When REST is down, the last known url of the gateway is used."""
    monkeypatch.setattr(gateway_discovery, 'DISCOVERY_LIFETIME', 0.0)
    monkeypatch.setattr(gateway_discovery, 'DISCOVERY_TIMEOUT', 1.0)
    async with LocalDiscord(heartbeat_interval = 0.5, identify_interval = 0.0) as discord:
        async with run_bot(discord) as bot:
            discord.stop_listening('api', cut = True)
            discord.close(0, 4009)
            await discord.wait_for(lambda recording: recording.ready_count(0) == 2)
            await settle(discord, bot, forfeited = True)
            
            discord.start_listening('api')
            with discord.rest_fault('/gateway/bot', hang = True, times = None):
                discord.close(0, 4009)
                await discord.wait_for(lambda recording: recording.ready_count(0) == 3)
            
            await settle(discord, bot, forfeited = True)


async def test__outage__token_reset_meanwhile(run_bot, quick_identify, monkeypatch, capfd):
    """REST that refuses the token while the gateway is looked up ends the client: identifying would be in vain."""
    monkeypatch.setattr(gateway_discovery, 'DISCOVERY_LIFETIME', 0.0)
    async with LocalDiscord(heartbeat_interval = 0.5, identify_interval = 0.0) as discord:
        async with run_bot(discord) as bot:
            with discord.rest_fault('/gateway/bot', status = 401, times = None):
                discord.close(0, 4009)
                await bot.wait_until_down()
            
            assert discord.recording.identify_count(0) == 1
