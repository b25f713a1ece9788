"""
What the shards of a client share.
"""
__all__ = ('GatewayContext',)

from scarletio import RichAttributeErrorBaseType

from .discovery import GatewayDiscovery
from .identify_queue import get_identify_queue
from .persistence import GatewayPersistence
from .reports import Reports


class GatewayContext(RichAttributeErrorBaseType):
    """
    What the shards of a client share. It outlives gateways: after resharding the new one is given the same.
    
    Attributes
    ----------
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
    __slots__ = ('configuration', 'discovery', 'identify_queue', 'persistence', 'reports')
    
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
