"""
The corridor: one connection, from the socket to the parser of an event, in the order of the bytes.
"""
__all__ = ()
