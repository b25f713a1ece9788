"""
Runs the examples as a user does: as programs of their own, on a local Discord, led there by environment variables only.
"""
import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from hata_gateway_ext.local_discord import LocalDiscord


EXAMPLES = Path(__file__).resolve().parent.parent / 'examples'

pytestmark = pytest.mark.skipif(
    find_spec('hata.ext.gateway_ext') is None,
    reason = 'The examples do not import the extension, so hata has to find it: it has to be installed.',
)

# Importing hata takes seconds on a busy machine.
TIMEOUT = 60.0


@asynccontextmanager
async def run_example(name, discord, tmp_path, **environment):
    """Runs an example; it is killed if the test did not end it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLES / name),
        cwd = tmp_path,
        env = {
            **os.environ,
            **discord.environment,
            'TOKEN': discord.token,
            **environment,
        },
        stdin = asyncio.subprocess.DEVNULL,
        stdout = asyncio.subprocess.PIPE,
        stderr = asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def read_until(process, text):
    """Returns the first line that contains the text."""
    lines = []
    while True:
        line = (await asyncio.wait_for(process.stdout.readline(), TIMEOUT)).decode()
        if not line:
            pytest.fail(f'The example ended without {text!r}:\n{"".join(lines)}')
        
        lines.append(line)
        if text in line:
            return line


async def interrupt(process):
    """Ends the example as Ctrl-C does. hata raises `KeyboardInterrupt` after its clients stopped."""
    process.send_signal(signal.SIGINT)
    output, _ = await asyncio.wait_for(process.communicate(), TIMEOUT)
    assert output.decode().splitlines()[-1] == 'KeyboardInterrupt'


async def test__bot(tmp_path):
    """The bot comes up on our gateway, survives a loss, and ends cleanly."""
    async with LocalDiscord() as discord:
        async with run_example('bot.py', discord, tmp_path) as process:
            line = await read_until(process, ' is on ')
            assert 'DurableGatewayClientShard' in line
            assert discord.token not in line
            
            discord.cut(0)
            await discord.wait_for(lambda recording: recording.resumed_count(0), TIMEOUT)
            
            await interrupt(process)
        
        assert discord.recording.identify_count() == 1
        assert discord.recording.connections[-1].close_code == 1000


async def test__sharded_bot(tmp_path):
    """Each shard comes up, and messages are seen on the shard of their guild, after a loss as well."""
    async with LocalDiscord(shards = 2, max_concurrency = 2) as discord:
        async with run_example('sharded_bot.py', discord, tmp_path, SHARD_COUNT = '2') as process:
            await read_until(process, ' is ready')
            
            for shard_id in range(2):
                discord.cut(shard_id)
                message = discord.send_message(shard_id = shard_id)
                line = await read_until(process, f'message {message["id"]}')
                assert line.startswith(f'shard {shard_id},')
            
            await interrupt(process)
        
        assert discord.recording.identify_count() == 2
        assert [connection.close_code for connection in discord.recording.connections][-2:] == [1000, 1000]
