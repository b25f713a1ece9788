"""
Runs every case of a web socket fuzzing server on ``GatewayWebSocket``, as an echo client.

The Autobahn test suite is the usual server. It needs Python 2.7, so it is not part of the test run; start it yourself:

```
wstest --mode fuzzingserver --spec fuzzingserver.json
python tests/conformance/autobahn_client.py --url ws://127.0.0.1:9001 --agent hata_gateway_ext
```

with `"cases": ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"]` in its spec (12 and 13 are for compression of
messages, which a gateway connection does not use). The report is where the spec says; its `index.json` is read with
`--report`, and the exit code is 1 if a case failed.
"""
import json
import sys
from argparse import ArgumentParser
from urllib.parse import quote

from hata import KOKORO
from scarletio import Future
from scarletio.http_client import HTTPClient
from scarletio.web_common import URL

from hata_gateway_ext.connection.web_socket import GatewayWebSocket

# Seconds for one case. The longest ones of Autobahn send tens of MiB in small pieces.
CASE_TIMEOUT = 120.0

# What Autobahn's report calls a case that did not fail.
PASSED = frozenset(('OK', 'NON-STRICT', 'INFORMATIONAL', 'UNIMPLEMENTED'))


class Echo:
    """
    Sends back what it receives, and is done when the web socket is.
    
    Attributes
    ----------
    closed : ``Future``
        Set when the web socket is closed.
    messages : `list<bytes>`
        What was received.
    web_socket : ``None | GatewayWebSocket``
        The web socket.
    """
    __slots__ = ('closed', 'echoes', 'messages', 'web_socket')
    
    def __new__(cls, echoes):
        """
        Creates an echo.
        
        Parameters
        ----------
        echoes : `bool`
            Whether messages are sent back, or only kept.
        """
        self = object.__new__(cls)
        self.closed = Future(KOKORO)
        self.echoes = echoes
        self.messages = []
        self.web_socket = None
        return self
    
    
    def message_received(self, data, is_text):
        """
        Called with each message.
        
        Parameters
        ----------
        data : `bytes`
            The message.
        is_text : `bool`
            Whether it was sent as text.
        """
        if self.echoes:
            self.web_socket.send_message(data.decode('utf-8') if is_text else data)
        else:
            self.messages.append(data)
    
    
    def web_socket_closed(self, web_socket, close_code, reason, exception):
        """
        Called when the web socket is closed.
        
        Parameters
        ----------
        web_socket : ``GatewayWebSocket``
            The web socket.
        close_code : `None | int`
            The close code of the peer.
        reason : `str`
            The close reason of the peer.
        exception : `None | BaseException`
            What was wrong with the stream.
        """
        self.closed.set_result_if_pending(None)


async def run_connection(http_client, url, echoes):
    """
    Connects, and waits until the server has closed the connection.
    
    This function is a coroutine.
    
    Parameters
    ----------
    http_client : ``HTTPClient``
        The http client to connect with.
    url : `str`
        The url to connect to.
    echoes : `bool`
        Whether messages are sent back.
    
    Returns
    -------
    messages : `list<bytes>`
        What was received, if it was not sent back.
    """
    echo = Echo(echoes)
    echo.web_socket = await GatewayWebSocket(
        KOKORO, URL(url, True), http_client = http_client, handler = echo, receiver = echo
    )
    try:
        echo.closed.apply_timeout(CASE_TIMEOUT)
        await echo.closed
        # Frees the connection before the next case.
        await echo.web_socket.close()
    finally:
        echo.web_socket.abort()
    
    return echo.messages


async def run_cases(url, agent, cases):
    """
    Runs the cases of a fuzzing server.
    
    This function is a coroutine.
    
    Parameters
    ----------
    url : `str`
        The url of the server.
    agent : `str`
        The name under which the server reports.
    cases : `None | list<int>`
        The numbers of the cases to run. `None` for all.
    
    Returns
    -------
    count : `int`
        How many cases were run.
    """
    http_client = HTTPClient(KOKORO)
    url = url.rstrip('/')
    agent = quote(agent, safe = '')
    
    if cases is None:
        messages = await run_connection(http_client, f'{url}/getCaseCount', False)
        cases = range(1, int(messages[0]) + 1)
    
    count = 0
    for case in cases:
        print(f'\rcase {case}', end = '', flush = True)
        try:
            await run_connection(http_client, f'{url}/runCase?case={case}&agent={agent}', True)
        except TimeoutError:
            print(f'\rcase {case}: not over after {CASE_TIMEOUT:.0f} s')
        
        count += 1
    
    await run_connection(http_client, f'{url}/updateReports?agent={agent}', False)
    print(f'\r{count} cases run')
    return count


def get_failed_cases(report, agent):
    """
    Gets the failed cases of a report.
    
    Parameters
    ----------
    report : `dict<str, object>`
        The decoded `index.json`.
    agent : `str`
        The name under which the server reports.
    
    Returns
    -------
    failed_cases : `list<str>`
    """
    return [
        f'{case}: {result["behavior"]}, close: {result["behaviorClose"]}'
        for case, result in report[agent].items()
        if (result['behavior'] not in PASSED) or (result['behaviorClose'] not in PASSED)
    ]


def main(arguments = None):
    """
    Runs the cases.
    
    Parameters
    ----------
    arguments : `None | list<str>` = `None`, Optional
        Command line arguments.
    
    Returns
    -------
    exit_code : `int`
    """
    parser = ArgumentParser(description = 'Runs every case of a web socket fuzzing server.')
    parser.add_argument('--url', required = True, help = 'the server, like ws://127.0.0.1:9001')
    parser.add_argument('--agent', default = 'hata_gateway_ext', help = 'name in the report')
    parser.add_argument('--case', type = int, action = 'append', help = 'number of a case; all if not given')
    parser.add_argument('--report', help = 'index.json of the report, to be read at the end')
    namespace = parser.parse_args(arguments)
    
    KOKORO.run(run_cases(namespace.url, namespace.agent, namespace.case))
    
    if namespace.report is None:
        return 0
    
    with open(namespace.report, encoding = 'utf-8') as file:
        failed_cases = get_failed_cases(json.load(file), namespace.agent)
    
    for failed_case in failed_cases:
        print(failed_case)
    
    print(f'{len(failed_cases)} cases failed')
    return 1 if failed_cases else 0


if __name__ == '__main__':
    exit_code = main()
    KOKORO.stop()
    sys.exit(exit_code)
