"""
Measures what receiving costs: hata's default gateway, this one, and the floor below both.

Everything here runs on the user's machine and on loopback only: a recording is built from a seed, a server process of its
own sends it, and fresh processes receive it and report the processor time from the first to the last event. The server's
processor time is never counted. `python -m hata_gateway_ext bench` runs it; `benchmarks/` of the repository adds other
libraries to the same rounds.
"""
__all__ = ()
