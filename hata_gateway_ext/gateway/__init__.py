"""
The shell around the pure core: what knows scarletio and hata.
"""
__all__ = ()
