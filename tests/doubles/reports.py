"""
Reports that are kept, instead of given to a client.
"""
__all__ = ('RecordingReports',)

from hata_gateway_ext.gateway.reports import Reports


class RecordingReports(Reports):
    """
    Keeps what is reported in `.reported`.
    """
    __slots__ = ('reported',)
    
    def __new__(cls):
        self = Reports.__new__(cls, None)
        self.reported = []
        return self
    
    
    def report(self, exception):
        self.reported.append(exception)
