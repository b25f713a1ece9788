"""
How the gateway comes into a client: the one module that touches ``Client``.

hata calls ``setup_ext_gateway_ext`` at the end of the client's creation. It replaces `client.gateway`, and gives the client a
`client_gateway_reshard` of its own: hata's would silently put hata's gateway back when the shard count changes.
"""
__all__ = ('setup_ext_gateway_ext',)

from warnings import warn

from hata import Client
from hata.ext import register_library_extension, register_setup_function
from scarletio import LOOP_TIME

from .configuration import GatewayConfiguration, OPTIONS, SHUTDOWN_SUSPEND, is_enabled
from .gateway.connector import create_verified_connector, is_verifying
from .gateway.context import GatewayContext
from .gateway.shard import DurableGatewayClientShard
from .gateway.sharder import DurableGatewayClientSharder
from .gateway.termination import interrupt_on_termination

EXTENSION_NAME = 'hata_gateway_ext.gateway_ext'
LIBRARY_EXTENSION_NAME = 'HataGatewayExt'

OPTION_KEYWORDS = tuple(option.keyword for option in OPTIONS)

# Whether it was said already that the operator switched the extension off.
DISABLED_SAID = False


def setup_ext_gateway_ext(client, **options):
    """
    Replaces the gateway of the client.
    
    Parameters
    ----------
    client : ``Client``
        The client to extend. It must not run.
    
    **options : Keyword parameters
        The options of the extension; see ``hata_gateway_ext.configuration.OPTIONS``. What is not given is looked up in the
        environment.
    
    Returns
    -------
    gateway : ``DiscordGatewayClientBase``
        The gateway of the client: ours, or hata's if the operator switched the extension off.
    
    Raises
    ------
    RuntimeError
        - If the client runs.
        - If the client has the extension already.
    TypeError
        - If an option's type is wrong.
        - If there is no such option.
    ValueError
        - If an option's value is wrong.
    """
    if not isinstance(client, Client):
        raise TypeError(f'`client` can be `{Client.__name__}`, got {type(client).__name__}.')
    
    for keyword in options:
        if keyword not in OPTION_KEYWORDS:
            raise TypeError(f'There is no option {keyword!r}. There are: {", ".join(OPTION_KEYWORDS)}.')
    
    if isinstance(client.gateway, (DurableGatewayClientShard, DurableGatewayClientSharder)):
        raise RuntimeError(f'{client!r} has the extension `gateway_ext` already.')
    
    if client.running:
        raise RuntimeError(
            f'{client!r} runs: its gateway can only be replaced while it does not. Set the extension up before '
            f'`client.start()`.'
        )
    
    configuration = GatewayConfiguration.from_options(options)
    
    if not is_enabled():
        say_disabled()
        return client.gateway
    
    secure_client(client, configuration)
    
    if configuration.shutdown == SHUTDOWN_SUSPEND:
        interrupt_on_termination()
    
    context = GatewayContext(client, configuration)
    client.gateway = create_gateway(client, context)
    client.client_gateway_reshard = Resharder(client, context)
    return client.gateway


def say_disabled():
    """
    Says, once in a process, that the operator switched the extension off.
    """
    global DISABLED_SAID
    if DISABLED_SAID:
        return
    
    DISABLED_SAID = True
    warn(
        '`HATA_GATEWAY_EXT_ENABLED` switches the extension `gateway_ext` off: hata\'s own gateway is used.',
        RuntimeWarning,
        stacklevel = 3,
    )


def secure_client(client, configuration):
    """
    Makes the client verify who it talks to, over REST and over the gateway.
    
    Parameters
    ----------
    client : ``Client``
        The client.
    configuration : ``GatewayConfiguration``
        What the user chose.
    """
    http = client.http
    
    if not configuration.verify_tls:
        warn(
            '`gateway_verify_tls` is off: certificates are not verified, so anyone on the way to Discord can read the token.',
            RuntimeWarning,
            stacklevel = 3,
        )
        return
    
    # A connector to which the user gave a context or a fingerprint is kept.
    if not is_verifying(http.connector):
        http.connector = create_verified_connector(http.connector)


def create_gateway(client, context):
    """
    Creates the gateway for the client's shard count.
    
    Parameters
    ----------
    client : ``Client``
        The client.
    context : ``GatewayContext``
        What the shards of the client share.
    
    Returns
    -------
    gateway : ``DurableGatewayClientShard | DurableGatewayClientSharder``
    """
    shard_count = client.shard_count
    if shard_count <= 1:
        return DurableGatewayClientShard(client, 0, context)
    
    return DurableGatewayClientSharder(client, shard_count, context)


class Resharder:
    """
    The `client_gateway_reshard` of a client with the extension.
    
    Attributes
    ----------
    client : ``Client``
        The client.
    context : ``GatewayContext``
        What the shards of the client share.
    """
    __slots__ = ('client', 'context')
    
    def __new__(cls, client, context):
        """
        Creates the `client_gateway_reshard` of a client.
        
        Parameters
        ----------
        client : ``Client``
            The client.
        context : ``GatewayContext``
            What the shards of the client share.
        """
        self = object.__new__(cls)
        self.client = client
        self.context = context
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} client = {self.client!r}>'
    
    
    async def __call__(self, force = False):
        """
        Asks Discord how many shards the client should have, and reshards it. Call it only while every shard is down.
        
        A gateway whose shard count stays the same is kept, with its sessions. Otherwise its sessions do not fit any more:
        a session belongs to a shard id and a shard count.
        
        This method is a coroutine.
        
        Parameters
        ----------
        force : `bool` = `False`, Optional
            Whether to reshard to a lower shard count as well.
        
        Raises
        ------
        ConnectionError
            - If there is no internet.
        InvalidToken
            - If Discord does not accept the token.
        DiscordException
            - If Discord refuses to answer.
        """
        client = self.client
        data = await client.client_gateway()
        client._gateway_url = data['url']
        client._gateway_time = LOOP_TIME()
        self.context.discovery.set_data(data)
        
        old_shard_count = max(client.shard_count, 1)
        new_shard_count = max(data.get('shards', 1), 1)
        
        if (new_shard_count == old_shard_count) or ((not force) and (new_shard_count < old_shard_count)):
            return
        
        client.gateway.abort()
        client.shard_count = new_shard_count
        client.gateway = create_gateway(client, self.context)


register_library_extension(LIBRARY_EXTENSION_NAME)
register_setup_function(EXTENSION_NAME, setup_ext_gateway_ext, None, OPTION_KEYWORDS)
