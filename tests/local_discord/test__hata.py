"""
An unchanged hata client, with hata's own gateway, on the local Discord.
"""
import asyncio
from subprocess import PIPE
from sys import executable

import pytest

from hata_gateway_ext.local_discord import LocalDiscord

# Seconds.
TIMEOUT = 30.0

# Runs without `hata_gateway_ext`: started with nothing but the environment variables.
BOT = '''
from sys import argv, exit, modules, stdin

from hata import Client, KOKORO, wait_for_interruption

Bot = Client(argv[1], intents = -1, extensions = argv[2:])
say = lambda *words: print(*words, flush = True)

@Bot.events
async def ready(client):
    say('ready', len(client.guilds), client.shard_count)

@Bot.events
async def message_create(client, message):
    say('message', message.content, message.author.name, message.guild.name)
    if message.content == 'answer':
        await client.message_create(message.channel, 'answered')

if 'slash' in argv[2:]:
    @Bot.interactions(is_global = True)
    async def ping(client, event):
        """Pongs."""
        return 'pong'

Bot.start()
assert 'hata_gateway_ext' not in modules
stdin.read()
Bot.stop()
KOKORO.stop()
'''


class BotProcess:
    """A bot in a process of its own."""
    def __init__(self, process):
        self.process = process


    async def read(self):
        """Reads a line of what it says."""
        return (await asyncio.wait_for(self.process.stdout.readline(), TIMEOUT)).decode().split()


    async def stop(self):
        """Ends it. Returns its exit code."""
        self.process.stdin.close()
        return await asyncio.wait_for(self.process.wait(), TIMEOUT)


@pytest.fixture
async def start_bot(tmp_path):
    """Starts a bot on a local Discord, with extensions."""
    processes = []

    async def start_bot(discord, *extensions):
        process = await asyncio.create_subprocess_exec(
            executable, '-c', BOT, discord.token, *extensions, stdin = PIPE, stdout = PIPE, env = discord.environment,
            cwd = tmp_path,
        )
        processes.append(process)
        return BotProcess(process)


    yield start_bot

    for process in processes:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test__hata__log_in(start_bot):
    """It logs in on the recommended shards, gets its guilds and messages, and answers over REST."""
    async with LocalDiscord(shards = 2, guilds = 3, max_concurrency = 2, heartbeat_interval = 1.0) as discord:
        bot = await start_bot(discord)
        assert await bot.read() == ['ready', '3', '2']
        assert discord.recording.identify_count() == discord.recording.ready_count() == 2
        assert {record.compression for record in discord.recording.connections} == {'zlib-stream'}

        discord.send_message(content = 'hello', guild_id = discord.world.guild_ids[2])
        assert await bot.read() == ['message', 'hello', 'koishi_10', 'Guild', '2']

        discord.send_message(content = 'answer', shard_id = 1)
        assert (await bot.read())[:2] == ['message', 'answer']
        assert (await bot.read())[:3] == ['message', 'answered', 'local_bot']

        await discord.wait_for(lambda recording: {record.shard_id for record in recording.heartbeats} >= {0, 1})

        # hata identifies anew after a loss.
        discord.options.identify_interval = 0.0
        discord.cut(1)
        await discord.wait_for(lambda recording: recording.ready_count(1) == 2, TIMEOUT)

        assert await bot.stop() == 0
        assert discord.recording.close_codes() == [1000, 1000]


async def test__hata__slash(start_bot):
    """Its commands are created."""
    async with LocalDiscord() as discord:
        bot = await start_bot(discord, 'slash')
        assert (await bot.read())[0] == 'ready'
        await discord.wait_for(
            lambda recording: any(
                (record.method in ('POST', 'PUT')) and record.status for record in recording.requests
            ),
            TIMEOUT,
        )
        assert [command['name'] for command in discord.applications[0].commands.values()] == ['ping']
        assert await bot.stop() == 0


async def test__hata__wrong_token(start_bot):
    """A wrong token ends it; the local Discord told it so by 401."""
    async with LocalDiscord('MTA2MDY1NjA2MDAwMDAwMDAx.x.y') as discord:
        other = LocalDiscord()
        discord.core.token = other.token
        await start_bot(discord)
        await discord.wait_for(lambda recording: recording.requests and recording.requests[0].status == 401, TIMEOUT)
        assert not discord.recording.connections
