"""
What the shards of a client share.
"""
__all__ = ('GatewayContext',)

from hata import KOKORO
from scarletio import Future, RichAttributeErrorBaseType, shield

from .discovery import GatewayDiscovery
from .identify_queue import get_identify_queue
from ..persistence.persistence import GatewayPersistence
from .reports import Reports


class GatewayContext(RichAttributeErrorBaseType):
    """
    What the shards of a client share. It outlives gateways: after resharding the new one is given the same.
    
    Attributes
    ----------
    _let_up : ``None | Future<None>``
        Done when the gateway, which is held down, may be launched again. `None` if it is not held down.
    configuration : ``GatewayConfiguration``
        What the user chose.
    discovery : ``GatewayDiscovery``
        Where the gateway is.
    identify_queue : ``IdentifyQueue``
        When to identify.
    persistence : ``None | GatewayPersistence``
        Keeps the sessions in a store, if there is one.
    reports : ``Reports``
        Tells the bot's owner.
    """
    __slots__ = ('_let_up', 'configuration', 'discovery', 'identify_queue', 'persistence', 'reports')
    
    def __new__(cls, client, configuration):
        """
        Creates the context of a client.
        
        Parameters
        ----------
        client : ``Client``
            The client.
        configuration : ``GatewayConfiguration``
            What the user chose.
        """
        identify_queue = get_identify_queue(client.token)
        
        self = object.__new__(cls)
        self._let_up = None
        self.configuration = configuration
        self.discovery = GatewayDiscovery(client, identify_queue)
        self.identify_queue = identify_queue
        self.reports = Reports(client)
        self.persistence = None
        if (configuration.store is not None):
            self.persistence = GatewayPersistence(
                client, configuration.store, self.reports, configuration.checkpoint_interval, configuration.checkpoint_cache
            )
        
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} configuration = {self.configuration!r}>'
    
    # ---- held down: closed, while the client goes on running ----
    
    def hold_down(self):
        """
        The gateway is to stay down.
        """
        if self._let_up is None:
            self._let_up = Future(KOKORO)
    
    
    def let_up(self):
        """
        The gateway may be launched again.
        """
        let_up = self._let_up
        if (let_up is not None):
            self._let_up = None
            let_up.set_result_if_pending(None)
    
    
    async def wait_until_let_up(self):
        """
        Waits as long as the gateway is held down.
        
        This method is a coroutine.
        """
        let_up = self._let_up
        if (let_up is not None):
            await shield(let_up, KOKORO)
