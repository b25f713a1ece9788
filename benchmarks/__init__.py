"""
hata's default gateway, this one, hikari and discord.py, side by side over the same bytes.

`python -m benchmarks` from the repository's root runs everything and prints the table of goals. A recording is built from a
seed, a server process of its own sends it over loopback, and fresh processes receive it and report the processor time from the
first to the last event. The server's processor time is never counted.
"""
__all__ = ()
