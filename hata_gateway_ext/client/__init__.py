"""
The one door on hata's client: each member and private name of it that is used, once, with its reason.
"""
__all__ = ()
