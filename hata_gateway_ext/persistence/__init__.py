"""
What outlives the process: when to record and checkpoint, what is in it, and how it comes back.
"""
__all__ = ()
