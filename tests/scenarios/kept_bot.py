"""
A bot in a process of its own, as a user would write it, but for what the test asks of it.

Its arguments: the token, the path where it notes what it does (the numbers of the messages that it handles), and the options of the
extension as JSON. On standard input it takes lines: `start`, which is the first, starts the client, `dump` prints its guilds as JSON, `await <numbers>` says when the
messages of these numbers are handled, `stop` stops the client.
"""
import json
import os
import sys
from threading import Thread

import hata_gateway_ext # noqa: F401 registers the extension, installed or not
from hata import Client, KOKORO, wait_for_interruption
from hata_gateway_ext.stores import SessionStore, create_store


token, notes_path, options = sys.argv[1:]
options = json.loads(options)
notes = os.open(notes_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def say(**content):
    print(json.dumps(content), flush = True)


def note(text):
    os.write(notes, f'{text}\n'.encode())




class ToldStore(SessionStore):
    """
    A store of the user's: another one that notes when it has saved records, and says when it has saved a checkpoint.
    """
    __slots__ = ('store',)
    
    def __new__(cls, url):
        self = object.__new__(cls)
        self.store = create_store(url)
        return self
    
    
    def open(self):
        self.store.open()
    
    
    def close(self):
        self.store.close()
    
    
    def load_records(self, application_id):
        return self.store.load_records(application_id)
    
    
    def save_records(self, application_id, records):
        self.store.save_records(application_id, records)
        note('saved')
    
    
    def delete_record(self, application_id, shard_id):
        self.store.delete_record(application_id, shard_id)
    
    
    def load_checkpoint(self, application_id, shard_id):
        return self.store.load_checkpoint(application_id, shard_id)
    
    
    def save_checkpoint(self, application_id, shard_id, head, blobs, kept = ()):
        self.store.save_checkpoint(application_id, shard_id, head, blobs, kept)
        say(said = 'checkpoint', shard_id = shard_id)
    
    
    def delete_checkpoint(self, application_id, shard_id):
        self.store.delete_checkpoint(application_id, shard_id)


if 'told_store' in options:
    options['gateway_store'] = ToldStore(options.pop('told_store'))

Seija = Client(token, extensions = ['gateway_ext'], **options)


@Seija.events
async def ready(client):
    say(said = 'ready', guilds = len(client.guilds), users = sum(len(guild.users) for guild in client.guilds))


handled = set()
awaited = set()


def say_when_handled():
    if awaited and awaited.issubset(handled):
        awaited.clear()
        say(said = 'handled')


@Seija.events
async def message_create(client, message):
    note(message.content)
    handled.add(message.content)
    say_when_handled()


async def await_handled(contents):
    awaited.update(contents)
    say_when_handled()


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
        elif line.startswith('await '):
            KOKORO.run(await_handled([f'#{number}' for number in line.split()[1:]]))
        else:
            Seija.stop()
            say(said = 'stopped')


# What takes long at the start of a process is done.
say(said = 'prepared')
if sys.stdin.readline() == 'start\n':
    note('started')
    say(said = 'started')
    Seija.start()

Thread(target = listen, daemon = True).start()
wait_for_interruption()
