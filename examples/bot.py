"""
The smallest bot: one word more than without the extension.

    TOKEN=... python examples/bot.py

To run it without Discord, start `python -m hata_gateway_ext serve` in another terminal and set the variables that it prints.
"""
from os import environ

from hata import Client, wait_for_interruption


Seija = Client(environ['TOKEN'], extensions = ['gateway_ext'])


@Seija.events
async def ready(client):
    print(f'{client:f} is on {client.gateway!r}', flush = True)


Seija.start()
wait_for_interruption()
