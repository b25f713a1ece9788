"""
Says that a shard cannot connect: once, until it could or the reason changes.
"""
__all__ = ('ConnectTroubles',)

from scarletio import RichAttributeErrorBaseType

from ..errors import CONNECT_FAILURE_TIMEOUT, GatewayConnectReport
from ..protocol.transitions import STATE_CONNECTING, STATE_GREETING

# What the deadline of a state means, for the states in which there is no connection yet.
TIMEOUT_MESSAGES = {
    STATE_CONNECTING: 'no connection could be made in time.',
    STATE_GREETING: 'Discord accepted the connection, but did not say HELLO in time.',
}


class ConnectTroubles(RichAttributeErrorBaseType):
    """
    The troubles of a shard to connect.
    
    Attributes
    ----------
    _reports : ``Reports``
        Tells the bot's owner.
    shard_id : `int`
        The shard.
    """
    __slots__ = ('_reports', 'shard_id')
    
    def __new__(cls, shard_id, reports):
        """
        Creates the troubles of a shard that has none.
        
        Parameters
        ----------
        shard_id : `int`
            The shard.
        reports : ``Reports``
            Tells the bot's owner.
        """
        self = object.__new__(cls)
        self._reports = reports
        self.shard_id = shard_id
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} shard_id = {self.shard_id!r}>'
    
    
    def failed(self, report):
        """
        No connection could be made.
        
        Parameters
        ----------
        report : ``GatewayConnectReport``
            What was wrong.
        """
        self._reports.report_once(f'connect {self.shard_id}', report, (report.kind, report.status))
    
    
    def timed_out(self, state):
        """
        A deadline passed.
        
        Parameters
        ----------
        state : `str`
            The state of the shard. In most there is a connection, which is given up and made anew without a word.
        """
        message = TIMEOUT_MESSAGES.get(state, None)
        if (message is not None):
            self.failed(GatewayConnectReport(CONNECT_FAILURE_TIMEOUT, message, self.shard_id))
    
    
    def over(self):
        """
        There is a connection.
        """
        self._reports.settle(f'connect {self.shard_id}')
