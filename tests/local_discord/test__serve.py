"""
`python -m hata_gateway_ext serve`.
"""
import asyncio
import socket
from os import environ
from os.path import isfile
from signal import SIGINT
from subprocess import PIPE
from sys import executable

import aiohttp
import pytest

from hata_gateway_ext.cli import main

# Seconds.
TIMEOUT = 30.0

PORTS = ('--port', '0', '--gateway-port', '0', '--resume-port', '0')


@pytest.fixture
async def serve(tmp_path):
    """Starts the command with arguments."""
    processes = []

    async def serve(*arguments):
        process = await asyncio.create_subprocess_exec(
            executable, '-m', 'hata_gateway_ext', 'serve', *arguments, stdout = PIPE, stderr = PIPE,
            env = dict(environ),
        )
        processes.append(process)
        return process


    yield serve

    for process in processes:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def read_how_to(process):
    """Reads what is printed. Returns the variables and the token."""
    variables = {}
    token = None
    while True:
        line = (await asyncio.wait_for(process.stdout.readline(), TIMEOUT)).decode()
        assert line, (await process.stderr.read()).decode()
        if line.startswith('export '):
            name, _, value = line[len('export '):].strip().partition('=')
            variables[name] = value

        elif line.startswith('    '):
            token = line.strip()

        elif line.startswith('Ctrl-C'):
            return variables, token


async def test__serve(serve):
    """It prints the variables, serves any token until it is interrupted, and ends in order."""
    process = await serve(*PORTS, '--shards', '3')
    variables, token = await read_how_to(process)
    assert set(variables) == {'HATA_API_ENDPOINT', 'HATA_DISCORD_ENDPOINT'}
    assert variables['HATA_API_ENDPOINT'] == variables['HATA_DISCORD_ENDPOINT'] + '/api/v10'

    async with aiohttp.ClientSession() as http:
        for given in (token, 'MTA2MDY1NjA2MDAwMDAwMDAx.x.y'):
            async with http.get(
                variables['HATA_API_ENDPOINT'] + '/gateway/bot', headers = {'Authorization': f'Bot {given}'}
            ) as response:
                assert (await response.json())['shards'] == 3

    process.send_signal(SIGINT)
    output, errors = await asyncio.wait_for(process.communicate(), TIMEOUT)
    assert process.returncode == 0
    assert b'0 identifies' in output
    assert errors == b''


async def test__serve__token(serve):
    """With `--token` only that one is accepted."""
    process = await serve(*PORTS, '--token', 'MTA2MDY1NjA2MDAwMDAwMDAx.x.y')
    variables, token = await read_how_to(process)
    assert token is None
    async with aiohttp.ClientSession() as http:
        for given, status in (('MTA2MDY1NjA2MDAwMDAwMDAx.x.y', 200), ('MTA2MDY1NjA2MDAwMDAwMDAy.x.y', 401)):
            async with http.get(
                variables['HATA_API_ENDPOINT'] + '/users/@me', headers = {'Authorization': f'Bot {given}'}
            ) as response:
                assert response.status == status


async def test__serve__tls(serve, tmp_path):
    """With `--tls` the certificate to trust is written, and named."""
    process = await serve(*PORTS, '--tls', str(tmp_path / 'tls'))
    variables, _ = await read_how_to(process)
    assert variables['HATA_API_ENDPOINT'].startswith('https://')
    assert isfile(variables['SSL_CERT_FILE'])


def test__serve__wrong_argument(capsys):
    """A wrong argument is named."""
    assert main(['serve', *PORTS, '--shards', '0']) == 2
    assert '`shards`' in capsys.readouterr().err


def test__serve__port_is_taken(capsys):
    """A port that is taken is told."""
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        assert main(['serve', '--port', str(taken.getsockname()[1])]) == 1

    assert 'cannot listen' in capsys.readouterr().err
