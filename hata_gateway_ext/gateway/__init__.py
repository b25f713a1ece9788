"""
Who outlives a connection: the shards of a client, their sessions, and what they share.
"""
__all__ = ()
