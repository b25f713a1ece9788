"""
How the gateway comes into a client: the one module that touches ``Client``.

hata calls ``setup_ext_gateway_ext`` at the end of the client's creation. It replaces `client.gateway`, and gives the client a
`client_gateway_reshard` of its own: hata's would silently put hata's gateway back when the shard count changes.
"""
__all__ = ('setup_ext_gateway_ext',)

from warnings import warn

from hata import Client, KOKORO
from hata.ext import register_library_extension, register_setup_function
from scarletio import LOOP_TIME, sleep

from .configuration import GatewayConfiguration, OPTIONS, SHUTDOWN_SUSPEND, is_enabled
from .connection.connect_failures import API_HOST, classify_connect_failure, create_verified_connector, is_verifying
from .gateway.context import GatewayContext
from .gateway.discovery import LOOK_UP_ERRORS, MALFORMED_ANSWER_ERRORS, get_shard_count
from .gateway.shard import DurableGatewayClientShard
from .gateway.sharder import DurableGatewayClientSharder
from .gateway.termination import interrupt_on_termination
from .protocol.errors import PayloadError

EXTENSION_NAME = 'hata_gateway_ext.gateway_ext'
LIBRARY_EXTENSION_NAME = 'HataGatewayExt'

OPTION_KEYWORDS = tuple(option.keyword for option in OPTIONS)

# Seconds until Discord is asked again how many shards there should be; the delay of hata's own loop.
RESHARD_RETRY_DELAY = 5.0

# As what it is reported that Discord cannot be asked.
TROUBLE_RESHARD = 'reshard'

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
            - If there is no internet, or Discord's answer cannot be understood.
        InvalidToken
            - If Discord does not accept the token.
        DiscordException
            - If Discord refuses to answer.
        """
        client = self.client
        old_shard_count = max(client.shard_count, 1)
        
        if not self._is_called_by_launcher():
            new_shard_count = await self._look_up()
        
        elif force:
            # Close code 4011 said that the shards are too few; so the same count, or a lower one, is no answer.
            new_shard_count = await self._look_up_persistently()
            if (new_shard_count is not None) and (new_shard_count <= old_shard_count):
                new_shard_count = old_shard_count * 2
        
        else:
            # The gateway ended, and is to be launched again; by another launcher perhaps, if the client was started anew.
            await self.context.wait_until_let_up()
            await client.gateway.wait_until_ended()
            new_shard_count = await self._look_up_running()
        
        if (
            (new_shard_count is None) or (new_shard_count == old_shard_count) or
            ((not force) and (new_shard_count < old_shard_count))
        ):
            return
        
        client.gateway.abort()
        client.shard_count = new_shard_count
        client.gateway = create_gateway(client, self.context)
    
    
    def _is_called_by_launcher(self):
        """
        Returns whether the current task is the one of hata's that launches the gateway again whenever it ended. That one calls
        us when it logged the client in already, and would end the client if we raised what it does not expect.
        
        Returns
        -------
        is_called_by_launcher : `bool`
        """
        return KOKORO.current_task.qualname == self.client._connect.__qualname__
    
    
    async def _look_up(self):
        """
        Asks Discord how many shards the client should have.
        
        This method is a coroutine.
        
        Returns
        -------
        shard_count : `int`
            At least 1.
        
        Raises
        ------
        ConnectionError
        DiscordException
        HttpProcessingError
        InvalidToken
        """
        client = self.client
        try:
            data = await client.client_gateway()
            self.context.discovery.set_data(data)
        except (PayloadError, *MALFORMED_ANSWER_ERRORS) as exception:
            raise ConnectionError('Discord\'s answer of `/gateway/bot` cannot be understood.') from exception
        
        client._gateway_url = data['url']
        client._gateway_time = LOOP_TIME()
        self.context.reports.settle(TROUBLE_RESHARD)
        return get_shard_count(data)
    
    
    async def _look_up_running(self):
        """
        Asks Discord how many shards a client that runs should have.
        
        This method is a coroutine.
        
        Returns
        -------
        shard_count : `None | int`
            `None` if the client was stopped meanwhile.
        
        Raises
        ------
        ConnectionError
            - If it could not be asked, whatever the reason is. hata tries it again after this one only, in 5 seconds; any
                other would end the client.
        InvalidToken
        """
        client = self.client
        try:
            return (await self._look_up()) if client.running else None
        
        except LOOK_UP_ERRORS as exception:
            if not client.running:
                return None
            
            report = classify_connect_failure(exception, API_HOST, None)
            self.context.reports.report_once(TROUBLE_RESHARD, report, (report.kind, report.status))
            raise ConnectionError('Discord could not be asked how many shards the client should have.') from exception
    
    
    async def _look_up_persistently(self):
        """
        Asks Discord how many shards a client that runs should have, until it answers.
        
        This method is a coroutine.
        
        Returns
        -------
        shard_count : `None | int`
            `None` if the client was stopped meanwhile.
        
        Raises
        ------
        InvalidToken
        """
        while True:
            try:
                return await self._look_up_running()
            except ConnectionError:
                await sleep(RESHARD_RETRY_DELAY, KOKORO)


register_library_extension(LIBRARY_EXTENSION_NAME)
register_setup_function(EXTENSION_NAME, setup_ext_gateway_ext, None, OPTION_KEYWORDS)
