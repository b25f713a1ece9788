"""
A bot of several shards, with options, that looks at its gateway and hears its reports.

    TOKEN=... SHARD_COUNT=4 python examples/sharded_bot.py

To run it without Discord, start `python -m hata_gateway_ext serve` in another terminal and set the variables that it prints.
"""
from os import environ

from hata import Client, wait_for_interruption

from hata_gateway_ext import GatewayReport


Seija = Client(
    environ['TOKEN'],
    extensions = ['gateway_ext'],
    shard_count = int(environ.get('SHARD_COUNT', '4')),
    # Tell the client that the internet is gone after five minutes, instead of trying on silently.
    gateway_offline_timeout = 300.0,
)


@Seija.events
async def ready(client):
    print(f'{client:f} is ready', flush = True)
    
    for gateway in client.gateway.gateways:
        print(gateway, flush = True)


@Seija.events
async def message_create(client, message):
    shard = client.gateway.get_gateway(message.guild_id)
    print(f'shard {shard.shard_id}, latency {shard.latency:.3f} s: message {message.id}', flush = True)


@Seija.events(overwrite = True)
async def error(client, name, exception):
    # A report is what the gateway has dealt with already: one line is enough.
    if isinstance(exception, GatewayReport):
        print(f'gateway: {exception}', flush = True)
    else:
        print(f'{name}: {exception!r}', flush = True)


Seija.start()
wait_for_interruption()
