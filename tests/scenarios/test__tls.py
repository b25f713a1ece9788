"""
TLS: whoever cannot prove to be Discord gets no byte of the token, over REST and over the gateway.
"""
from datetime import datetime, timedelta, timezone
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from time import monotonic

import pytest
from trustme import CA

from hata_gateway_ext.local_discord import LocalDiscord, Replace, create_certificates


@pytest.fixture
def certificates(monkeypatch, tmp_path):
    """Certificates of an authority that is trusted: by `SSL_CERT_FILE`."""
    certificates = create_certificates()
    monkeypatch.setenv('SSL_CERT_FILE', certificates.write_authority(str(tmp_path)))
    return certificates


def create_context(authority, *names, **options):
    """Creates the context of a server with a certificate for the given names."""
    context = SSLContext(PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **options).configure_cert(context)
    return context


def create_expired():
    """Creates a certificate that is over, and the authority that issued it."""
    authority = CA()
    yesterday = datetime.now(timezone.utc) - timedelta(days = 1)
    return authority, create_context(authority, '127.0.0.1', not_before = yesterday - timedelta(days = 1), not_after = yesterday)


def create_misnamed():
    """Creates a certificate for another host, and the authority that issued it."""
    authority = CA()
    return authority, create_context(authority, 'discord.example', '127.0.0.2')


def create_self_signed():
    """Creates a certificate of an authority that nobody trusts, and another authority."""
    return CA(), create_context(CA(), '127.0.0.1')


IMPOSTORS = (
    (create_self_signed, 'unable to get local issuer certificate'),
    (create_misnamed, 'mismatch'),
    (create_expired, 'expired'),
)


@pytest.mark.parametrize('compression', ('zlib-stream', 'zstd-stream', 'none'))
async def test__tls__resume(run_bot, settle, certificates, compression):
    """With a certificate that `SSL_CERT_FILE` makes trusted: REST and gateway work, and losses are resumed as without TLS."""
    async with LocalDiscord(
        heartbeat_interval = 0.5, replay_bound = 200_000, ssl_context = certificates.create_server_context()
    ) as discord:
        assert discord.api_endpoint.startswith('https://')
        async with run_bot(discord, gateway_compression = compression) as bot:
            assert bot.gateway.resume_gateway_url.startswith('wss://')
            losses = (
                lambda: discord.cut(0, reset = True),
                lambda: discord.cut(0, reset = False),
                lambda: discord.close(0, None),
                lambda: discord.close(0, 4000),
                lambda: discord.reconnect(0),
                lambda: discord.invalidate(0, resumable = True),
            )
            for index, lose in enumerate(losses):
                discord.send_messages(500)
                lose()
                discord.send_messages(50)
                await discord.wait_for(lambda recording, count = index + 1: recording.resumed_count(0) == count)
            
            await settle(discord, bot)
            assert discord.recording.identify_count(0) == 1
            assert not bot.errors


async def test__tls__silent(run_bot, settle, certificates):
    """A connection over TLS that goes silent is found, closed in bounded time, and resumed."""
    async with LocalDiscord(heartbeat_interval = 0.5, ssl_context = certificates.create_server_context()) as discord:
        async with run_bot(discord) as bot:
            discord.send_messages(20)
            silenced_at = monotonic()
            discord.silence(0)
            discord.send_messages(20)
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            assert discord.recording.resumes[0].at - silenced_at < 0.5 + 0.5 + 1.0
            await settle(discord, bot)


@pytest.mark.parametrize(('create', 'message'), IMPOSTORS[:2])
async def test__tls__rest_of_an_impostor(make_bot, monkeypatch, tmp_path, record_stderr, create, message):
    """REST of a server with a bad certificate: the client does not start, says which check failed, and sent nothing."""
    stderr = record_stderr()
    authority, context = create()
    authority.cert_pem.write_to_path(str(tmp_path / 'ca.pem'))
    monkeypatch.setenv('SSL_CERT_FILE', str(tmp_path / 'ca.pem'))
    
    async with LocalDiscord(ssl_context = context) as discord:
        bot = make_bot(discord)
        await bot.start()
        assert not bot.client.running
        assert not discord.recording.requests
        
        output = await stderr.wait_for(message)
        assert message in output
        assert discord.token not in output


@pytest.mark.parametrize(('create', 'message'), IMPOSTORS)
async def test__tls__gateway_of_an_impostor(make_bot, settle, monkeypatch, tmp_path, short_delays, create, message):
    """A gateway with a bad certificate: reported once with the check that failed; it never sees as much as an upgrade."""
    authority, context = create()
    authority.cert_pem.write_to_path(str(tmp_path / 'ca.pem'))
    monkeypatch.setenv('SSL_CERT_FILE', str(tmp_path / 'ca.pem'))
    
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with LocalDiscord(token = discord.token, ssl_context = context) as impostor:
            fault = discord.rest_fault('/gateway/bot', status = 200, times = 1, body = {
                'url': impostor.gateway_url, 'shards': 1,
                'session_start_limit': {'total': 1000, 'remaining': 1000, 'reset_after': 86400000, 'max_concurrency': 1},
            })
            monkeypatch.setattr('hata_gateway_ext.gateway.discovery.DISCOVERY_LIFETIME', 0.5)
            bot = make_bot(discord)
            await bot.start()
            assert fault.count == 1
            # After half a second Discord tells the right url.
            await discord.wait_for(lambda recording: recording.ready_count(0))
            await settle(discord, bot)
            
            assert not impostor.recording.connections
            report, = bot.errors
            assert report.kind == 'tls'
            assert message in str(report)
            await bot.stop()


async def test__tls__resume_gateway_url_of_an_impostor(run_bot, settle, certificates, short_delays):
    """A `resume_gateway_url` with a bad certificate gets nothing; the session is resumed at the url of `/gateway/bot`."""
    async with LocalDiscord(ssl_context = create_self_signed()[1]) as impostor:
        def replace(payload):
            payload['d']['resume_gateway_url'] = impostor.gateway_url
            return payload
        
        
        async with LocalDiscord(heartbeat_interval = 0.5, ssl_context = certificates.create_server_context()) as discord:
            discord.fault(Replace(replace), at = 'ready')
            async with run_bot(discord) as bot:
                discord.cut(0)
                discord.send_messages(20)
                await discord.wait_for(lambda recording: recording.resumed_count(0))
                await settle(discord, bot)
                assert discord.recording.resumes[0].listener == 'gateway'
                assert discord.recording.identify_count(0) == 1
                assert not impostor.recording.connections
                assert [report.kind for report in bot.errors] == ['tls']


async def test__tls__no_downgrade(run_bot, settle, certificates):
    """A `resume_gateway_url` without TLS is not used after a connection with TLS."""
    async with LocalDiscord() as plain:
        def replace(payload):
            payload['d']['resume_gateway_url'] = plain.gateway_url
            return payload
        
        
        async with LocalDiscord(heartbeat_interval = 0.5, ssl_context = certificates.create_server_context()) as discord:
            discord.fault(Replace(replace), at = 'ready')
            async with run_bot(discord) as bot:
                discord.cut(0)
                await discord.wait_for(lambda recording: recording.resumed_count(0))
                await settle(discord, bot)
                assert not plain.recording.connections


async def test__tls__not_tls(run_bot, settle, certificates, short_delays):
    """A server that does not speak TLS where TLS is expected: reported as a TLS failure."""
    async with LocalDiscord() as plain:
        def replace(payload):
            payload['d']['resume_gateway_url'] = plain.gateway_url.replace('ws://', 'wss://')
            return payload
        
        
        async with LocalDiscord(heartbeat_interval = 0.5, ssl_context = certificates.create_server_context()) as discord:
            discord.fault(Replace(replace), at = 'ready')
            async with run_bot(discord) as bot:
                discord.cut(0)
                await discord.wait_for(lambda recording: recording.resumed_count(0))
                await settle(discord, bot)
                assert [report.kind for report in bot.errors] == ['tls']
                assert not plain.recording.connections


@pytest.mark.parametrize('how', ('keyword', 'variable'))
async def test__tls__not_verified(make_bot, settle, monkeypatch, how):
    """`gateway_verify_tls = False` is hata's behaviour: any certificate will do. That is warned about."""
    options = {}
    if how == 'keyword':
        options['gateway_verify_tls'] = False
    else:
        monkeypatch.setenv('HATA_GATEWAY_EXT_VERIFY_TLS', 'false')
    
    async with LocalDiscord(heartbeat_interval = 0.5, ssl_context = create_self_signed()[1]) as discord:
        with pytest.warns(RuntimeWarning, match = 'gateway_verify_tls'):
            bot = make_bot(discord, **options)
        
        await bot.start()
        await discord.wait_for(lambda recording: recording.ready_count(0))
        discord.cut(0)
        await discord.wait_for(lambda recording: recording.resumed_count(0))
        await settle(discord, bot)
        await bot.stop()
