"""
`python -m hata_gateway_ext serve`: a local Discord for any hata bot.

It prints the environment variables with which an unchanged bot runs on it, and goes on until Ctrl-C. Any token is
accepted unless one is given, so that the bot does not have to be touched.
"""
__all__ = ('add_parser', 'run')

import sys
from asyncio import CancelledError, get_running_loop, run as run_on_loop
from shlex import quote
from signal import SIGINT, SIGTERM

from ..local_discord import LocalDiscord
from ..local_discord.certificates import create_certificates

# Ports that stay the same from run to run, so that the bot's variables do. None of them is assigned to a known service.
PORT_DEFAULT = 8470
GATEWAY_PORT_DEFAULT = 8471
RESUME_PORT_DEFAULT = 8472

EXIT_CODE_OK = 0
EXIT_CODE_PORT_TAKEN = 1
EXIT_CODE_WRONG_ARGUMENT = 2


def add_parser(subparsers):
    """
    Adds the command's parser.

    Parameters
    ----------
    subparsers : `argparse._SubParsersAction`
        What to add it to.
    """
    parser = subparsers.add_parser('serve', help = 'Run a local Discord for any hata bot.', description = __doc__)
    parser.add_argument('--token', default = None, help = 'the only token to accept; any by default')
    parser.add_argument('--host', default = '127.0.0.1', help = 'address to listen on (default: %(default)s)')
    parser.add_argument(
        '--port', type = int, default = PORT_DEFAULT, help = 'port of REST, 0 for any (default: %(default)s)'
    )
    parser.add_argument(
        '--gateway-port', type = int, default = GATEWAY_PORT_DEFAULT,
        help = 'port of the gateway (default: %(default)s)',
    )
    parser.add_argument(
        '--resume-port', type = int, default = RESUME_PORT_DEFAULT,
        help = 'port of resume_gateway_url (default: %(default)s)',
    )
    parser.add_argument('--shards', type = int, default = 1, help = 'recommended shards (default: %(default)s)')
    parser.add_argument('--max-concurrency', type = int, default = 1, help = 'identify buckets (default: %(default)s)')
    parser.add_argument(
        '--guilds', type = int, default = None, help = 'count of guilds (default: 2, or as many as shards)'
    )
    parser.add_argument('--members', type = int, default = 5, help = 'members of each guild (default: %(default)s)')
    parser.add_argument(
        '--heartbeat-interval', type = float, default = 41.25,
        help = 'seconds between heartbeats (default: %(default)s)',
    )
    parser.add_argument(
        '--traffic', type = float, default = 0.0, help = 'messages a second into each shard (default: %(default)s)'
    )
    parser.add_argument(
        '--tls', metavar = 'FOLDER', default = None,
        help = 'use TLS, and write the certificate to trust (ca.pem) into this folder; needs trustme',
    )
    parser.set_defaults(run = run)


def _create_discord(arguments):
    """
    Creates the local Discord that was asked for.

    Parameters
    ----------
    arguments : `argparse.Namespace`
        What was given.

    Returns
    -------
    discord : ``LocalDiscord``
    certificates : `None | Certificates`
    """
    if arguments.tls is None:
        certificates = None
        ssl_context = None
    else:
        certificates = create_certificates(arguments.host)
        ssl_context = certificates.create_server_context()

    options = {} if arguments.guilds is None else {'guilds': arguments.guilds}
    discord = LocalDiscord(
        arguments.token,
        accept_any_token = (arguments.token is None),
        gateway_port = arguments.gateway_port,
        heartbeat_interval = arguments.heartbeat_interval,
        host = arguments.host,
        max_concurrency = arguments.max_concurrency,
        members_per_guild = arguments.members,
        port = arguments.port,
        resume_port = arguments.resume_port,
        shards = arguments.shards,
        ssl_context = ssl_context,
        **options,
    )
    return discord, certificates


def _print_how_to(discord, certificate_path, is_any_token_accepted):
    """
    Prints how a bot gets onto the local Discord.

    Parameters
    ----------
    discord : ``LocalDiscord``
        The local Discord.

    certificate_path : `None | str`
        Where the certificate to trust was written.

    is_any_token_accepted : `bool`
        Whether the bot may keep its token.
    """
    print('A local Discord runs. Start any hata bot with these variables:')
    print()
    for name, value in discord.environment.items():
        print(f'export {name}={quote(value)}')

    if (certificate_path is not None):
        print(f'export SSL_CERT_FILE={quote(certificate_path)}')

    print()
    if is_any_token_accepted:
        print('Any token of the right form is accepted. It goes nowhere, but a made up one is as good:')
        print()
        print(f'    {discord.token}')
        print()

    print('Ctrl-C ends it.', flush = True)


async def _serve(arguments, discord, certificate_path):
    """
    Runs the local Discord until a signal comes.

    This function is a coroutine.

    Parameters
    ----------
    arguments : `argparse.Namespace`
        What was given.

    discord : ``LocalDiscord``
        The local Discord.

    certificate_path : `None | str`
        Where the certificate to trust was written.
    """
    loop = get_running_loop()
    stopped = loop.create_future()

    def stop():
        if not stopped.done():
            stopped.set_result(None)


    for signal in (SIGINT, SIGTERM):
        try:
            loop.add_signal_handler(signal, stop)
        except NotImplementedError:
            # Windows: Ctrl-C raises KeyboardInterrupt there.
            break

    async with discord:
        if arguments.traffic > 0.0:
            discord.start_traffic(arguments.traffic)

        _print_how_to(discord, certificate_path, arguments.token is None)

        try:
            await stopped
        except CancelledError:
            # Windows: so that it is left in order.
            pass

        identifies = discord.recording.identify_count()
        resumes = discord.recording.resume_count()

    print(f'Ended after {identifies} identifies and {resumes} resumes.')


def run(arguments):
    """
    Runs the command.

    Parameters
    ----------
    arguments : `argparse.Namespace`
        What was given.

    Returns
    -------
    exit_code : `int`
        `0`; `1` if a port is taken, `2` if an argument is wrong or what it needs is not installed.
    """
    try:
        discord, certificates = _create_discord(arguments)
    except (ImportError, TypeError, ValueError) as exception:
        print(f'serve: {exception}', file = sys.stderr)
        return EXIT_CODE_WRONG_ARGUMENT

    certificate_path = None if certificates is None else certificates.write_authority(arguments.tls)

    try:
        run_on_loop(_serve(arguments, discord, certificate_path))
    except KeyboardInterrupt:
        pass
    except OSError as exception:
        print(f'serve: cannot listen on {arguments.host}: {exception}', file = sys.stderr)
        return EXIT_CODE_PORT_TAKEN

    return EXIT_CODE_OK
