"""
Installed as `hata.ext.gateway_ext`, which is where hata looks for the extension called `gateway_ext`.

With it `Client(token, extensions = ['gateway_ext'])` works without the bot importing anything of ours. Importing
`hata_gateway_ext` registers the extension, so there is nothing else to do here than passing its public names on.
"""
import hata_gateway_ext
from hata_gateway_ext import *


__all__ = hata_gateway_ext.__all__
