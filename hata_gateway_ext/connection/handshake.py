"""
The opening handshake of a web socket (RFC 6455, section 4), through scarletio's http client, so that its proxy, its
resolver and its TLS context are used.

It is stricter than scarletio's own, which takes any `Upgrade`, follows redirects and fails with an `IndexError` on a
missing header: whoever gets our token must have answered exactly as a web socket server does.
"""
__all__ = ('shake_hands',)

from base64 import b64encode as base64_encode
from hashlib import sha1
from os import urandom

from scarletio import IgnoreCaseMultiValueDictionary
from scarletio.web_common import HttpVersion11, InvalidHandshake
from scarletio.web_common.headers import (
    CONNECTION, METHOD_GET, SEC_WEB_SOCKET_ACCEPT, SEC_WEB_SOCKET_EXTENSIONS, SEC_WEB_SOCKET_KEY,
    SEC_WEB_SOCKET_PROTOCOL, SEC_WEB_SOCKET_VERSION, UPGRADE
)


# RFC 6455, section 1.3.
WEB_SOCKET_KEY_SUFFIX = b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
WEB_SOCKET_VERSION = '13'
STATUS_SWITCHING_PROTOCOLS = 101
# Bytes of randomness in the key (RFC 6455, section 4.1).
KEY_SIZE = 16


def get_tokens(headers, name):
    """
    Gets the comma separated tokens of a header.
    
    Parameters
    ----------
    headers : `IgnoreCaseMultiValueDictionary<str, str>`
        The headers.
    name : `str`
        The header's name.
    
    Returns
    -------
    tokens : `list<str>`
        In lower case.
    """
    tokens = []
    for value in (headers.get_all(name) or ()):
        for token in value.split(','):
            token = token.strip().lower()
            if token:
                tokens.append(token)
    
    return tokens


def get_handshake_fault(response, key):
    """
    Gets what is wrong with the answer to the handshake.
    
    Parameters
    ----------
    response : ``ClientResponse``
        The answer.
    key : `str`
        The key that was sent.
    
    Returns
    -------
    fault : `None | str`
    """
    if response.status != STATUS_SWITCHING_PROTOCOLS:
        return f'the status code is {response.status}, expected {STATUS_SWITCHING_PROTOCOLS}'
    
    if response.raw_message.version != HttpVersion11:
        return 'the http version is not 1.1'
    
    headers = response.headers
    if 'upgrade' not in get_tokens(headers, CONNECTION):
        return 'the `Connection` header does not contain `upgrade`'
    
    if get_tokens(headers, UPGRADE) != ['websocket']:
        return 'the `Upgrade` header is not `websocket`'
    
    accepts = headers.get_all(SEC_WEB_SOCKET_ACCEPT) or ()
    if len(accepts) != 1:
        return f'there are {len(accepts)} `Sec-WebSocket-Accept` headers, expected 1'
    
    expected_accept = base64_encode(sha1(key.encode('ascii') + WEB_SOCKET_KEY_SUFFIX).digest()).decode('ascii')
    if accepts[0].strip() != expected_accept:
        return 'the `Sec-WebSocket-Accept` header does not fit to our key'
    
    # We ask for neither.
    for name in (SEC_WEB_SOCKET_EXTENSIONS, SEC_WEB_SOCKET_PROTOCOL):
        if headers.get_all(name):
            return f'there is a `{name}` header, though we did not ask for one'
    
    # scarletio gives connections back to its pool unless the header is exactly this.
    if response.connection is None:
        return 'the `Connection` header is not exactly `upgrade`'
    
    return None


async def shake_hands(http_client, url, headers):
    """
    Connects to the url and makes a web socket of the connection.
    
    This function is a coroutine.
    
    Parameters
    ----------
    http_client : ``HTTPClient``
        The http client to connect with.
    url : ``URL``
        The url to connect to.
    headers : `None | dict<str, str>`
        Additional headers to send.
    
    Returns
    -------
    protocol : ``HttpReadWriteProtocol``
        The protocol of the connection. It is the caller's from now on.
    
    Raises
    ------
    InvalidHandshake
        - If the answer is not that of a web socket server. Its `.response` has the status and the headers.
    ConnectionError
        - If the connection is lost meanwhile.
    OSError
        - If there is no connection.
    TimeoutError
        - If there was no answer in time.
    ValueError
        - If the host is missing from the url.
    """
    key = base64_encode(urandom(KEY_SIZE)).decode('ascii')
    
    request_headers = IgnoreCaseMultiValueDictionary()
    request_headers[UPGRADE] = 'websocket'
    request_headers[CONNECTION] = 'Upgrade'
    request_headers[SEC_WEB_SOCKET_KEY] = key
    request_headers[SEC_WEB_SOCKET_VERSION] = WEB_SOCKET_VERSION
    if (headers is not None):
        for name, value in headers.items():
            request_headers[name] = value
    
    # With no redirects left, an answer that redirects is handed on as it is.
    async with http_client.request(METHOD_GET, url, request_headers, redirects = 0) as response:
        fault = get_handshake_fault(response, key)
        if (fault is not None):
            # The connection is in no state to be used again.
            response.close()
            raise InvalidHandshake(f'Web socket handshake failed: {fault}.', response = response)
        
        connection = response.connection
        protocol = connection.protocol
        connection.detach()
    
    if protocol is None:
        raise ConnectionError('The connection was lost during the web socket handshake.')
    
    return protocol
