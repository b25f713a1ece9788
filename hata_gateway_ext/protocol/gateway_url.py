"""
The url of a gateway: where the token may go. One rule, for every url that will see it.

A url is as trustworthy as where it comes from. What Discord itself says over TLS (`/gateway/bot`, READY) may name any host,
but never leads down from TLS. What a store holds may have been written by anyone who can write there; it may name only a host
that fits what Discord names now.
"""
__all__ = ('accept_gateway_url', 'is_secure_url')

from ipaddress import ip_address
from urllib.parse import urlsplit

# The schemes of a web socket, and of an API, behind TLS.
SECURE_SCHEMES = frozenset(('https', 'wss'))

# Letters. Under a country's domain, names this short (`co.uk`, `com.br`) are given to everyone's domains, not to one owner.
# A real owner's short name is refused with them, which costs nothing: the session is resumed at the url of `/gateway/bot`.
SHARED_LABEL_LENGTH = 3
COUNTRY_LABEL_LENGTH = 2


def is_secure_url(url):
    """
    Returns whether the url leads behind TLS. One that cannot be read does not.
    """
    try:
        return urlsplit(url).scheme in SECURE_SCHEMES
    except ValueError:
        return False


def accept_gateway_url(url, is_secure, gateway_url = None):
    """
    Returns the url if the token may be sent there.
    
    Parameters
    ----------
    url : `object`
        What was named as the url of a gateway. Anything may come here.
    is_secure : `bool`
        Whether who named it is behind TLS: the API for `/gateway/bot`, the connection for READY, the present gateway for a
        store. There is no way down from TLS.
    gateway_url : `None | str` = `None`, Optional
        The url that Discord names now. To be given if `url` comes out of a store: its host has to belong to the same
        registered domain, or both have to be this very machine.
    
    Returns
    -------
    url : `None | str`
        `None` if it may not; the url of `/gateway/bot` is to be used then.
    """
    if not isinstance(url, str):
        return None
    
    # A url is printable and has no spaces. `urlsplit` would pass over a line break in silence.
    if (not url.isprintable()) or (' ' in url):
        return None
    
    try:
        parts = urlsplit(url)
        host = parts.hostname
        # Raises if it is no number.
        parts.port
    except ValueError:
        return None
    
    # With a user in it, what looks like the host may not be it.
    if (not host) or ('@' in parts.netloc) or ('\\' in url):
        return None
    
    if (parts.scheme != 'wss') and (is_secure or (parts.scheme != 'ws')):
        return None
    
    if (gateway_url is not None) and (not _are_hosts_related(host, _get_host(gateway_url))):
        return None
    
    return url


def _get_host(url):
    """Returns the host of a url; an empty string if there is none."""
    try:
        return urlsplit(url).hostname or ''
    except ValueError:
        return ''


def _get_address(host):
    """Returns the host as an IP address, if it is one."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_loopback(host):
    """Returns whether the host is this machine, whatever a name server says."""
    if host == 'localhost':
        return True
    
    address = _get_address(host)
    return (address is not None) and address.is_loopback


def _get_registered_domain(host):
    """
    Returns the domain that one owner has registered, by the form of the name alone; an empty string if there is none.
    """
    labels = host.rstrip('.').split('.')
    count = 2
    if (len(labels) >= 2) and (len(labels[-1]) <= COUNTRY_LABEL_LENGTH) and (len(labels[-2]) <= SHARED_LABEL_LENGTH):
        count = 3
    
    if (len(labels) < count) or (not all(labels)):
        return ''
    
    return '.'.join(labels[-count :])


def _are_hosts_related(host, other):
    """Returns whether two hosts have one owner, as far as their names tell."""
    if host == other:
        return True
    
    if _is_loopback(host) or _is_loopback(other):
        return _is_loopback(host) and _is_loopback(other)
    
    if (_get_address(host) is not None) or (_get_address(other) is not None):
        return False
    
    domain = _get_registered_domain(host)
    return bool(domain) and (domain == _get_registered_domain(other))
