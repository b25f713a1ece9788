"""
The pure core: Discord's gateway protocol without a clock, randomness, an event loop, hata or scarletio.

Time and jitter are arguments; deadlines and actions are results. See docs/design.md.
"""
__all__ = ()
