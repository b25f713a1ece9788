"""
hata's default gateway, this one, hikari and discord.py, side by side over the same bytes.

`python -m benchmarks` from the repository's root runs everything and prints the table of goals. What needs no other
library is part of the package (`hata_gateway_ext.bench`) and runs with `python -m hata_gateway_ext bench` too.
"""
__all__ = ()
