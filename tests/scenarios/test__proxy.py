"""
HTTP proxies that are configured on the client's http.
"""
import asyncio
from contextlib import asynccontextmanager

import pytest
from hata import KOKORO
from scarletio.http_client import HTTPClient, Proxy

from hata_gateway_ext.local_discord import LocalDiscord, create_certificates


class ConnectProxy:
    """
    A HTTP proxy that can only CONNECT.
    
    Attributes
    ----------
    refusal : `None | bytes`
        The status line that it refuses with, if any.
    refused_count : `int`
        How often it refused.
    targets : `list<str>`
        What was connected to.
    """
    def __init__(self):
        self.refusal = None
        self.refused_count = 0
        self.targets = []
        self.tasks = set()
    
    
    @asynccontextmanager
    async def run(self):
        """Runs the proxy."""
        server = await asyncio.start_server(self.handle, '127.0.0.1', 0)
        try:
            yield 'http://127.0.0.1:%d' % server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in self.tasks:
                task.cancel()
            
            await asyncio.gather(*self.tasks, return_exceptions = True)
    
    
    async def handle(self, reader, writer):
        """Handles a connection."""
        task = asyncio.current_task()
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        try:
            request = (await reader.readuntil(b'\r\n\r\n')).decode()
            method, target, _ = request.split(' ', 2)
            
            if (self.refusal is not None) or (method != 'CONNECT'):
                self.refused_count += 1
                writer.write(b'HTTP/1.1 %s\r\nContent-Length: 0\r\nRetry-After: 0.2\r\n\r\n' % (self.refusal or b'405 No'))
                await writer.drain()
                return
            
            self.targets.append(target)
            host, port = target.rsplit(':', 1)
            target_reader, target_writer = await asyncio.open_connection(host, int(port))
            writer.write(b'HTTP/1.1 200 Connection established\r\n\r\n')
            await asyncio.gather(self.pump(reader, target_writer), self.pump(target_reader, writer))
        
        except asyncio.CancelledError:
            # The proxy is being closed. asyncio would show it as an error.
            return
        
        finally:
            writer.close()
    
    
    async def pump(self, reader, writer):
        """Passes on what comes until the end, or until the connection is lost; then ends the other one."""
        try:
            while True:
                data = await reader.read(65536)
                if not data:
                    break
                
                writer.write(data)
                await writer.drain()
        
        except ConnectionError:
            # The other side is told by its end.
            return
        
        finally:
            writer.close()


@pytest.mark.parametrize('secure', (False, True))
async def test__proxy__everything_goes_through(run_bot, settle, monkeypatch, tmp_path, secure):
    """REST, the gateway, and each resume go through the proxy, with and without TLS."""
    ssl_context = None
    if secure:
        certificates = create_certificates()
        ssl_context = certificates.create_server_context()
        monkeypatch.setenv('SSL_CERT_FILE', certificates.write_authority(str(tmp_path)))
    
    proxy = ConnectProxy()
    async with LocalDiscord(heartbeat_interval = 0.5, ssl_context = ssl_context) as discord:
        async with proxy.run() as proxy_url:
            async with run_bot(discord, http = HTTPClient(KOKORO, proxy = Proxy(proxy_url))) as bot:
                discord.send_messages(20)
                discord.cut(0)
                discord.send_messages(20)
                await discord.wait_for(lambda recording: recording.resumed_count(0))
                await settle(discord, bot)
                assert discord.recording.identify_count(0) == 1
    
    addresses = [url.split('//')[1].split('/')[0] for url in (
        discord.api_endpoint, discord.gateway_url, discord.resume_gateway_url(0)
    )]
    assert set(addresses) == set(proxy.targets)
    assert proxy.targets.count(addresses[1]) == 1
    assert proxy.targets.count(addresses[2]) == 1


async def test__proxy__refuses(run_bot, settle, short_delays):
    """A proxy that refuses is told apart from a gateway that does, and what it says about when to come again is followed."""
    proxy = ConnectProxy()
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with proxy.run() as proxy_url:
            async with run_bot(discord, http = HTTPClient(KOKORO, proxy = Proxy(proxy_url))) as bot:
                proxy.refusal = b'407 Proxy Authentication Required'
                discord.cut(0)
                discord.send_messages(20)
                await bot.wait_for(lambda: bot.errors)
                proxy.refusal = None
                await discord.wait_for(lambda recording: recording.resumed_count(0))
                await settle(discord, bot)
                
                report, = bot.errors
                assert (report.kind, report.status, report.retry_after) == ('http', 407, 0.2)
                assert 'proxy' in str(report)
                assert discord.recording.identify_count(0) == 1


async def test__proxy__is_down(run_bot, settle, short_delays):
    """A proxy that is gone is reported as refused; when it is back, the session is resumed."""
    async with ConnectProxy().run() as gone_url:
        pass
    
    proxy = ConnectProxy()
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with proxy.run() as proxy_url:
            http = HTTPClient(KOKORO, proxy = Proxy(proxy_url))
            async with run_bot(discord, http = http) as bot:
                http.proxy = Proxy(gone_url)
                discord.cut(0)
                discord.send_messages(20)
                await bot.wait_for(lambda: bot.errors)
                http.proxy = Proxy(proxy_url)
                await discord.wait_for(lambda recording: recording.resumed_count(0))
                await settle(discord, bot)
                assert [report.kind for report in bot.errors] == ['refused']
