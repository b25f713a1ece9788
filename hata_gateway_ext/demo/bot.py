"""
The bot process of the demo: an ordinary hata client that reports the number of each message it handles.

It is started by `bot_process.py`, with hata's endpoints in its environment. Its standard input gives it a line of settings; at
the end of its standard input, or at any further line, it stops its client, reports that, and ends. So it ends with the
process that started it, whatever happens to that.
"""
__all__ = ('main',)

from os import _exit, dup, dup2
from sys import stdin
from threading import Event, Thread
from time import sleep as sleep_thread
from traceback import print_exc

from hata import Client, IntentFlag, KOKORO
from scarletio import LOOP_TIME, Task, sleep

import hata_gateway_ext

from ..local_discord.ledger import parse_number

from .bot_report import (
    END_NOT_STARTED, END_STOPPED, KEY_END, KEY_ERROR, KEY_READY, KEY_SEEN, KEY_SHARDS, ReportWriter
)
from .bot_settings import BotSettings, GATEWAY_OURS


# Between two reports about the shards, in seconds. As often as a table can be read.
REPORT_INTERVAL = 0.2

# hata's latency while there is none.
LATENCY_DEFAULT = 9999.0

# What is needed for messages in guilds, and nothing that would cost time.
INTENTS = IntentFlag(0).update_by_keys(guilds = True, guild_messages = True, message_content = True)

# Seconds that stopping the client may take. hata's own gateway may wait 10 seconds for the answer to its close frame.
STOP_TIMEOUT = 20.0

EXIT_CODE_FAILED = 1



def create_client(settings):
    """
    Creates the client.
    
    Parameters
    ----------
    settings : ``BotSettings``
        What was asked for.
    
    Returns
    -------
    client : ``Client``
    """
    keywords = {}
    if settings.gateway == GATEWAY_OURS:
        # The full name, that is registered by importing the package: it works in a source tree as well.
        keywords['extensions'] = [f'{hata_gateway_ext.__name__}.gateway_ext']
        keywords.update(settings.options)
    
    # hata's `shard_count` of a client that is not sharded is 0.
    shard_count = settings.shard_count if settings.shard_count > 1 else 0
    return Client(settings.token, intents = INTENTS, shard_count = shard_count, **keywords)


def register_handlers(client, report):
    """
    Gives the client its handlers. They report.
    
    Parameters
    ----------
    client : ``Client``
        The client.
    report : `callable`
        Takes a key and a value.
    """
    @client.events
    async def message_create(client, message):
        number = parse_number(message.content)
        if (number is not None):
            report(KEY_SEEN, number)
    
    
    @client.events
    async def ready(client):
        report(KEY_READY, True)
    
    
    @client.events(overwrite = True)
    async def error(client, name, exception):
        text = exception if isinstance(exception, str) else f'{type(exception).__name__}: {exception}'
        report(KEY_ERROR, f'{name}: {text}')


def get_shards(gateway):
    """
    Returns the shards of a gateway, ours or hata's own.
    
    Parameters
    ----------
    gateway : ``DiscordGatewayClientBase``
        The gateway.
    
    Returns
    -------
    shards : `list<DiscordGatewayClientBase>`
    """
    return list(getattr(gateway, 'gateways', (gateway,)))


def get_default_state(shard):
    """
    Returns the state of a shard of hata's own gateway, in our words. hata itself keeps none.
    
    Parameters
    ----------
    shard : ``DiscordGatewayClientShard``
        The shard.
    
    Returns
    -------
    state : `str`
    """
    web_socket = shard.web_socket
    if (web_socket is None) or web_socket.closed:
        return 'connecting'
    
    if shard.session_id is None:
        return 'identifying'
    
    return 'ready'


def build_shard_report(shard):
    """
    Builds the report about a shard.
    
    Parameters
    ----------
    shard : ``DiscordGatewayClientBase``
        The shard.
    
    Returns
    -------
    report : `list<object>`
        State, latency and sequence.
    """
    get_statistics = getattr(shard, 'get_statistics', None)
    if get_statistics is None:
        state = get_default_state(shard)
        sequence = shard.sequence
        # hata's own "none yet" is -1.
        if sequence == -1:
            sequence = None
    else:
        statistics = get_statistics()
        state = statistics.state
        sequence = statistics.sequence
    
    latency = shard.latency
    return [state, None if latency == LATENCY_DEFAULT else latency, sequence]


async def keep_reporting(client, report):
    """
    Reports about the shards until the client is stopped.
    
    This function is a coroutine.
    
    Parameters
    ----------
    client : ``Client``
        The client.
    report : `callable`
        Takes a key and a value.
    """
    due_at = LOOP_TIME()
    while True:
        report(KEY_SHARDS, [build_shard_report(shard) for shard in get_shards(client.gateway)])
        due_at = max(due_at + REPORT_INTERVAL, LOOP_TIME())
        await sleep(due_at - LOOP_TIME(), KOKORO)


async def start_reporting(client, report):
    """
    Starts to report about the shards.
    
    This function is a coroutine.
    
    Parameters
    ----------
    client : ``Client``
        The client.
    report : `callable`
        Takes a key and a value.
    
    Returns
    -------
    task : `Task`
    """
    return Task(KOKORO, keep_reporting(client, report))


def watch_input(started, asked_to_stop):
    """
    Waits until it is enough, and sees to it that the process ends then. Runs in a thread of its own, since the client may be
    starting for as long as Discord does not answer.
    
    Parameters
    ----------
    started : `threading.Event`
        Whether the client started.
    asked_to_stop : `threading.Event`
        Set when it is enough.
    """
    stdin.readline()
    asked_to_stop.set()
    if started.is_set():
        sleep_thread(STOP_TIMEOUT)
    
    _exit(EXIT_CODE_FAILED)


def run_bot(writer):
    """
    Runs the bot until the process that started it says, by a line or by its end, that it is enough.
    
    Parameters
    ----------
    writer : ``ReportWriter``
        Where to report.
    """
    settings = BotSettings.from_line(stdin.readline())
    client = create_client(settings)
    
    def report(key, value):
        try:
            writer.write(key, value)
        except BrokenPipeError:
            # Nobody listens any more, so there is nothing left to do.
            _exit(EXIT_CODE_FAILED)
    
    register_handlers(client, report)
    
    started = Event()
    asked_to_stop = Event()
    Thread(target = watch_input, args = (started, asked_to_stop), daemon = True).start()
    
    if client.start():
        started.set()
        # Kept: the event loop holds tasks weakly.
        task = KOKORO.run(start_reporting(client, report))
        asked_to_stop.wait()
        client.stop()
        del task
        reason = END_STOPPED
    else:
        reason = END_NOT_STARTED
    
    # On the thread of the handlers, after those that were called already.
    async def report_end():
        report(KEY_END, reason)
    
    KOKORO.run(report_end())


def main():
    """
    Runs the bot as the process it is.
    """
    # What hata, or anything else, prints must not get among the reports.
    writer = ReportWriter(dup(1))
    dup2(2, 1)
    
    exit_code = EXIT_CODE_FAILED
    try:
        run_bot(writer)
        exit_code = 0
    except BaseException:
        print_exc()
    finally:
        # In whichever way it ends: the client's thread does not end by itself, and an exit would wait for it.
        _exit(exit_code)


if __name__ == '__main__':
    main()
