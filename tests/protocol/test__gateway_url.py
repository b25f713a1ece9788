"""
Where the token may go.
"""
import pytest

from hata_gateway_ext.protocol.gateway_url import accept_gateway_url, is_secure_url

URL = 'wss://gateway-us-east1-b.discord.gg'
GATEWAY_URL = 'wss://gateway.discord.gg'


@pytest.mark.parametrize(
    ('url', 'is_secure', 'is_accepted'),
    (
        (URL, True, True),
        (URL, False, True),
        ('WSS://gateway.discord.gg/?v=10', True, True),
        ('wss://gateway.discord.gg:443', True, True),
        ('ws://127.0.0.1:8000', False, True),
        # The token is not sent where anyone can read it, only because a READY says so.
        ('ws://127.0.0.1:8000', True, False),
        ('WS://gateway.discord.gg', True, False),
        ('https://discord.gg', True, False),
        ('http://discord.gg', False, False),
        ('gateway.discord.gg', True, False),
        ('//gateway.discord.gg', True, False),
        ('wss://', True, False),
        ('wss:///path', True, False),
        ('wss://gateway.discord.gg@evil.example', True, False),
        ('wss://evil.example\\@gateway.discord.gg', True, False),
        ('wss://gateway.discord.gg\r\nHost: evil.example', True, False),
        ('wss://gateway.discord.gg:port', True, False),
        ('wss://[::1', True, False),
        (' wss://gateway.discord.gg', True, False),
        ('w\nss://gateway.discord.gg', True, False),
        ('', True, False),
        (None, True, False),
        (5, True, False),
        ([URL], True, False),
        ({}, False, False),
    ),
    ids = repr,
)
def test__accept_gateway_url(url, is_secure, is_accepted):
    """There is no way down from TLS, and what cannot be read plainly is not followed."""
    assert accept_gateway_url(url, is_secure) == (url if is_accepted else None)


@pytest.mark.parametrize(
    ('url', 'gateway_url', 'is_accepted'),
    (
        (URL, GATEWAY_URL, True),
        (URL, 'wss://gateway.discord.gg/?v=10', True),
        ('wss://GATEWAY-2.Discord.GG', GATEWAY_URL, True),
        ('wss://discord.gg', GATEWAY_URL, True),
        ('wss://evil.example', GATEWAY_URL, False),
        ('wss://gateway.discord.gg.evil.example', GATEWAY_URL, False),
        ('wss://evildiscord.gg', GATEWAY_URL, False),
        ('wss://gg', GATEWAY_URL, False),
        ('wss://gateway.evil.co.uk', 'wss://gateway.bot.co.uk', False),
        ('wss://other.bot.co.uk', 'wss://gateway.bot.co.uk', True),
        ('wss://co.uk', 'wss://co.uk', True),
        ('wss://evil.co.uk', 'wss://co.uk', False),
        ('wss://evil', 'wss://gateway', False),
        ('wss://gateway', 'wss://gateway', True),
        ('ws://127.0.0.1:8000', 'ws://127.0.0.1:9000', True),
        ('ws://localhost:8000', 'ws://[::1]:9000', True),
        ('ws://127.8.8.8', 'ws://localhost', True),
        ('ws://127.0.0.1:8000', GATEWAY_URL, False),
        ('ws://evil.example', 'ws://127.0.0.1:9000', False),
        ('ws://10.0.0.1', 'ws://10.0.0.2', False),
        ('ws://10.0.0.1:1', 'ws://10.0.0.1:2', True),
        ('ws://[2001:db8::1]', 'ws://[2001:db8::2]', False),
        ('ws://gateway.discord.gg', GATEWAY_URL, False),
        (URL, '', False),
        (URL, 'wss://[', False),
        ('wss://.gg', 'wss://a.gg', False),
        ('wss://a..gg', 'wss://b..gg', False),
    ),
    ids = repr,
)
def test__accept_gateway_url__from_a_store(url, gateway_url, is_accepted):
    """A host out of a store fits what Discord names now, or it is not used."""
    assert accept_gateway_url(url, is_secure_url(gateway_url), gateway_url) == (url if is_accepted else None)


@pytest.mark.parametrize(
    ('url', 'expected'),
    (
        ('wss://gateway.discord.gg', True), ('https://discord.com/api', True), ('WSS://a', True), ('ws://a', False),
        ('http://a', False), ('', False), ('wss://[', False),
    ),
)
def test__is_secure_url(url, expected):
    """TLS is told by the scheme; what cannot be read has none."""
    assert is_secure_url(url) is expected
