"""
Listeners of the local Discord that are taken down and brought back.
"""
import socket

import aiohttp
import pytest

from hata_gateway_ext.local_discord import LocalDiscord


async def test__outage__everything(discord, connect):
    """
    Connections are cut and new ones refused; afterwards everything is there again, on the same ports, with its
    sessions.
    """
    peer = await connect(discord)
    await peer.start()
    endpoint, url = discord.api_endpoint, discord.gateway_url
    discord.stop_listening()
    assert await peer.expect_close() is None
    with pytest.raises(aiohttp.ClientConnectorError) as exception_info:
        await connect(discord)

    assert isinstance(exception_info.value.os_error, ConnectionRefusedError)

    discord.start_listening()
    assert (discord.api_endpoint, discord.gateway_url) == (endpoint, url)
    new_peer = await connect(discord, url = peer.resume_gateway_url)
    await new_peer.expect(10)
    await new_peer.resume(peer.session_id, peer.sequence)
    await new_peer.expect_event('RESUMED')


async def test__outage__of_the_resume_url(discord, connect):
    """`resume_gateway_url` may be down alone; the url of `/gateway/bot` resumes."""
    peer = await connect(discord)
    await peer.start()
    discord.stop_listening('resume')
    assert discord.connection(0) is not None
    peer.abort()
    with pytest.raises(aiohttp.ClientConnectorError):
        await connect(discord, url = peer.resume_gateway_url)

    new_peer = await connect(discord)
    await new_peer.expect(10)
    await new_peer.resume(peer.session_id, peer.sequence)
    await new_peer.expect_event('RESUMED')


async def test__outage__without_cut(discord, connect):
    """With `cut = False` open connections live on."""
    peer = await connect(discord)
    await peer.start()
    discord.stop_listening(cut = False)
    await peer.send(1, None)
    await peer.expect(11)
    with pytest.raises(aiohttp.ClientConnectorError):
        await connect(discord)


async def test__outage__quickly_over(discord, connect):
    """Down and up again at once, as often as one likes."""
    for _ in range(20):
        discord.stop_listening()
        discord.start_listening()

    peer = await connect(discord)
    await peer.start()


async def test__outage__unknown_listener(discord):
    """There are three listeners."""
    with pytest.raises(KeyError):
        discord.stop_listening('voice')


async def test__listener__port_is_taken():
    """A port that is taken is told, and nothing is left behind."""
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        discord = LocalDiscord(port = taken.getsockname()[1])
        with pytest.raises(OSError):
            await discord.open()

        assert not discord.is_running
