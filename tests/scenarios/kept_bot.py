"""
A bot in a process of its own, as a user would write it, but for what the test asks of it.

Its arguments: the token, the path where it writes the numbers of the messages that it handles, and the options of the extension
as JSON. On standard input it takes lines: `dump` prints its guilds as JSON, `stop` stops the client.
"""
import json, os, sys
from threading import Thread

import hata_gateway_ext
from hata import Client, KOKORO, wait_for_interruption

token, numbers_path, options = sys.argv[1:]
numbers = os.open(numbers_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

Seija = Client(token, extensions = ['gateway_ext'], **json.loads(options))


def say(**content):
    print(json.dumps(content), flush = True)


@Seija.events
async def ready(client):
    say(said = 'ready', guilds = len(client.guilds), users = sum(len(guild.users) for guild in client.guilds))


@Seija.events
async def message_create(client, message):
    os.write(numbers, f'{message.content}\n'.encode())


@Seija.events(overwrite = True)
async def error(client, name, exception):
    say(said = 'error', type = type(exception).__name__, message = str(exception))


async def dump():
    return {
        str(guild.id): guild.to_data(defaults = True, include_internals = True) for guild in Seija.guilds
    }


def listen():
    for line in sys.stdin:
        if line == 'dump\n':
            say(said = 'dump', guilds = KOKORO.run(dump()))
        else:
            Seija.stop()
            say(said = 'stopped')


Seija.start()
Thread(target = listen, daemon = True).start()
wait_for_interruption()
