"""
Verified TLS for a client, and the names of what can go wrong while a connection is made.

scarletio verifies nobody's certificate unless it is given a TLS context: hata's token, in the `Authorization` header of
REST and in IDENTIFY, goes to whoever answers. So the connector of the client's http client is replaced by one that
verifies; the gateway uses the same.
"""
__all__ = ('API_HOST', 'classify_connect_failure', 'create_verified_connector', 'is_verifying')

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from socket import gaierror
from ssl import SSLCertVerificationError, SSLError, create_default_context
from urllib.parse import urlsplit

from hata import DiscordException, KOKORO
from hata.discord.http.urls import API_ENDPOINT
from scarletio import CauseGroup
from scarletio.http_client import ConnectorTCP
from scarletio.http_client.connection_key import ConnectionKey
from scarletio.web_common import InvalidHandshake, ProxyError

from ..errors import (
    CONNECT_FAILURE_HANDSHAKE, CONNECT_FAILURE_HTTP, CONNECT_FAILURE_NAME, CONNECT_FAILURE_REFUSED,
    CONNECT_FAILURE_TIMEOUT, CONNECT_FAILURE_TLS, CONNECT_FAILURE_UNREACHABLE, GatewayConnectReport
)
from ..protocol.errors import ProtocolError

# Where the gateway is looked up.
API_HOST = urlsplit(API_ENDPOINT).hostname


def is_verifying(connector):
    """
    Returns whether the connector was set up to check certificates: with a context or a fingerprint of its own.
    
    Parameters
    ----------
    connector : `object`
        The connector of a http client.
    
    Returns
    -------
    is_verifying : `bool`
        What is no ``ConnectorTCP`` is left as its owner made it, and counts as verifying.
    """
    if not isinstance(connector, ConnectorTCP):
        return True
    
    return (connector.ssl_context is not None) or (connector.ssl_fingerprint is not None)


def create_verified_connector(connector):
    """
    Creates a connector that verifies certificates, otherwise like the given one.
    
    The trust store is Python's default, which follows `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    
    Parameters
    ----------
    connector : ``ConnectorTCP``
        The connector to follow. It is not closed: hata shares it between clients.
    
    Returns
    -------
    connector : ``ConnectorTCP``
        One of its own for each http client: a http client closes its connector when it is collected.
    """
    return ConnectorTCP(
        KOKORO,
        family = connector.family,
        force_close = connector.force_close,
        local_address = connector.local_address,
        ssl_context = create_default_context(),
    )


def _iter_causes(exception, contexts = False):
    """
    Iterates over an exception and everything that caused it.
    
    This function is an iterable generator.
    
    Parameters
    ----------
    exception : `BaseException`
        The exception to begin with.
    contexts : `bool` = `False`, Optional
        Whether what was being handled when they were raised is iterated over as well.
    
    Yields
    ------
    exception : `BaseException`
    """
    queue = [exception]
    # A chain can be a circle.
    seen = set()
    while queue:
        exception = queue.pop(0)
        if id(exception) in seen:
            continue
        
        seen.add(id(exception))
        if isinstance(exception, CauseGroup):
            queue.extend(exception.causes)
            continue
        
        yield exception
        
        if (exception.__cause__ is not None):
            queue.append(exception.__cause__)
        
        if contexts and (exception.__context__ is not None):
            queue.append(exception.__context__)
        
        queue.extend(argument for argument in exception.args if isinstance(argument, BaseException))


def _parse_retry_after(headers):
    """
    Returns how long a server asks to wait.
    
    Parameters
    ----------
    headers : `None | IgnoreCaseMultiValueDictionary`
        The headers of the answer.
    
    Returns
    -------
    retry_after : `float`
        Seconds; `0.0` if it does not ask.
    """
    value = None if headers is None else headers.get('Retry-After', None)
    if value is None:
        return 0.0
    
    try:
        # RFC 9110: seconds. Discord gives fractions of them as well.
        retry_after = float(value)
    except ValueError:
        try:
            # RFC 9110: or a date.
            date = parsedate_to_datetime(value)
        except (TypeError, ValueError):
            return 0.0
        
        if date.tzinfo is None:
            date = date.replace(tzinfo = timezone.utc)
        
        retry_after = (date - datetime.now(timezone.utc)).total_seconds()
    
    # Not a number compares false with everything.
    return retry_after if retry_after > 0.0 else 0.0


def _describe(exception):
    """
    Describes an exception in a line.
    
    Parameters
    ----------
    exception : `BaseException`
        The exception to describe.
    
    Returns
    -------
    description : `str`
    """
    # Arguments of scarletio's exceptions can be connection keys, which hold the headers for a proxy.
    arguments = [argument for argument in exception.args if isinstance(argument, (str, int))]
    description = ' '.join(str(argument) for argument in arguments)
    if description:
        return f'{type(exception).__name__}: {description}'
    
    return type(exception).__name__


def classify_connect_failure(exception, host, shard_id):
    """
    Says at which step a connection failed.
    
    Parameters
    ----------
    exception : `BaseException`
        What was raised.
    host : `str`
        The host that was connected to.
    shard_id : `int`
        The shard concerned.
    
    Returns
    -------
    report : ``GatewayConnectReport``
        `exception` is its cause, unless what is printed of it would show how we log in at a proxy.
    """
    report = _classify(exception, host, shard_id)
    if not any(_shows_proxy(cause) for cause in _iter_causes(exception, True)):
        report.__cause__ = exception
    
    return report


def _shows_proxy(exception):
    """
    Returns whether the representation of an exception shows a proxy, and with it the password for it.
    
    Parameters
    ----------
    exception : `BaseException`
        The exception.
    
    Returns
    -------
    shows_proxy : `bool`
    """
    return any(
        isinstance(argument, ConnectionKey) and (argument.proxy is not None) for argument in exception.args
    )


def _classify(exception, host, shard_id):
    """
    Makes the report for ``classify_connect_failure``.
    
    Parameters
    ----------
    exception : `BaseException`
        What was raised.
    host : `str`
        The host that was connected to.
    shard_id : `int`
        The shard concerned.
    
    Returns
    -------
    report : ``GatewayConnectReport``
    """
    causes = [*_iter_causes(exception)]
    
    for cause in causes:
        if isinstance(cause, ProxyError):
            # scarletio gives the status where the message belongs.
            status = cause.code if isinstance(cause.code, int) else cause.message
            return GatewayConnectReport(
                CONNECT_FAILURE_HTTP, f'the proxy refused to connect to {host}: HTTP {status}.', shard_id,
                status = status, retry_after = _parse_retry_after(cause.headers),
            )
        
        if isinstance(cause, DiscordException):
            response = cause.response
            return GatewayConnectReport(
                CONNECT_FAILURE_HTTP, f'Discord refused to say where its gateway is: HTTP {cause.status}.', shard_id,
                status = cause.status,
                retry_after = _parse_retry_after(None if response is None else response.headers),
            )
        
        if isinstance(cause, InvalidHandshake):
            response = cause.response
            if (response is not None) and (response.status != 101):
                return GatewayConnectReport(
                    CONNECT_FAILURE_HTTP, f'{host} refused the upgrade: HTTP {response.status}.', shard_id,
                    status = response.status, retry_after = _parse_retry_after(response.headers),
                )
            
            return GatewayConnectReport(
                CONNECT_FAILURE_HANDSHAKE, f'{host} does not speak web socket: {cause.message}', shard_id,
            )
        
        if isinstance(cause, SSLCertVerificationError):
            return GatewayConnectReport(
                CONNECT_FAILURE_TLS,
                f'the certificate of {host} is not trusted: {cause.verify_message}. Nothing was sent to it.',
                shard_id,
            )
        
        if isinstance(cause, SSLError):
            return GatewayConnectReport(
                CONNECT_FAILURE_TLS, f'no TLS connection to {host}: {cause.reason or _describe(cause)}.', shard_id,
            )
        
        if isinstance(cause, gaierror):
            return GatewayConnectReport(
                CONNECT_FAILURE_NAME,
                f'the name {host} could not be resolved: {str(cause.strerror).rstrip(".")}.',
                shard_id,
            )
        
        if isinstance(cause, ProtocolError):
            return GatewayConnectReport(
                CONNECT_FAILURE_HANDSHAKE, f'{host} does not answer as it should: {cause}', shard_id,
            )
        
        if isinstance(cause, ConnectionRefusedError):
            return GatewayConnectReport(CONNECT_FAILURE_REFUSED, f'{host} refused the connection.', shard_id)
    
    for cause in causes:
        if isinstance(cause, TimeoutError):
            return GatewayConnectReport(CONNECT_FAILURE_TIMEOUT, f'{host} did not answer in time.', shard_id)
    
    return GatewayConnectReport(
        CONNECT_FAILURE_UNREACHABLE, f'no connection to {host}: {_describe(causes[-1])}.', shard_id,
    )
