"""
What a bot process is told when it starts, as one line of JSON on its standard input.

The token goes this way too, so that it is neither among the arguments nor in the environment, which other processes of the
user can read.
"""
__all__ = ('BotSettings', 'GATEWAYS', 'GATEWAY_DEFAULT', 'GATEWAY_OURS')

from json import dumps as to_json, loads as from_json
from typing import Any, Dict, NamedTuple


GATEWAY_OURS = 'ours'
GATEWAY_DEFAULT = 'default'

GATEWAYS = (GATEWAY_OURS, GATEWAY_DEFAULT)


class BotSettings(NamedTuple):
    """
    What a bot process is told.
    
    Attributes
    ----------
    gateway : `str`
        One of ``GATEWAYS``.
    options : `dict<str, object>`
        Options of the extension, as keywords of hata's `Client`. Only for ``GATEWAY_OURS``.
    shard_count : `int`
        How many shards the client has.
    token : `str`
        The token of the local Discord.
    """
    gateway: str
    shard_count: int
    token: str
    options: Dict[str, Any]
    
    
    def __repr__(self):
        """Returns the representation of the settings. Without the token."""
        return (
            f'<{type(self).__name__} gateway = {self.gateway!r}, shard_count = {self.shard_count!r}, options = '
            f'{self.options!r}>'
        )
    
    
    def to_line(self):
        """
        Returns the settings as a line.
        
        Returns
        -------
        line : `bytes`
        """
        return to_json(self._asdict()).encode() + b'\n'
    
    
    @classmethod
    def from_line(cls, line):
        """
        Reads settings.
        
        Parameters
        ----------
        line : `bytes | str`
            The line.
        
        Returns
        -------
        settings : `instance<cls>`
        """
        return cls(**from_json(line))
