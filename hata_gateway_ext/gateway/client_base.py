"""
What our gateways share: attribute errors that tell the truth.
"""
__all__ = ('DurableGatewayClientBase',)

from hata.discord.gateway.client_base import DiscordGatewayClientBase


class DurableGatewayClientBase(DiscordGatewayClientBase):
    """
    Base of our gateways.
    """
    __slots__ = ()
    
    def __getattr__(self, attribute_name):
        """
        Called when an attribute is missing, and also when a property raised an `AttributeError` itself.
        
        Python drops the error of the property before it comes here, and hata's answer would then be that there is no such
        attribute. So the property is asked once more, and what it raises is let through.
        
        Raises
        ------
        AttributeError
            - hata's rich one if there is no such attribute; otherwise the one of the property.
        """
        attribute = getattr(type(self), attribute_name, None)
        if isinstance(attribute, property) and (attribute.fget is not None):
            return attribute.fget(self)
        
        return DiscordGatewayClientBase.__getattr__(self, attribute_name)
