"""
An echo client on ``GatewayWebSocket`` for a fuzzing server of the Autobahn test suite.

```
python tests/conformance/autobahn_client.py --url ws://127.0.0.1:9001 --agent hata_gateway_ext
```

It asks the server how many cases there are, runs each, and asks for the report, which the server writes. The server needs
Python 2.7, so it is not part of the tests: `wstest -m fuzzingserver` of the package `autobahntestsuite`.
"""
from argparse import ArgumentParser
from urllib.parse import urlencode

from hata import KOKORO
from scarletio import Future
from scarletio.http_client import HTTPClient
from scarletio.web_common import ConnectionClosed

from hata_gateway_ext.gateway.web_socket import GatewayWebSocket

# Seconds that a case may take. The longest of the suite moves 128 MB in pieces of 64 bytes.
CASE_TIMEOUT = 120.0


class Echo:
    """
    Sends back what it receives, until the connection ends.
    """
    def __init__(self):
        self.closed = Future(KOKORO)
        self.messages = []
        self.web_socket = None
    
    
    def message_received(self, data, is_text):
        """Called by the web socket with each message."""
        self.messages.append(data)
        self.answer(data, is_text)
    
    
    def answer(self, data, is_text):
        """Sends the message back, if the connection is still open."""
        try:
            self.web_socket.send_message(data.decode() if is_text else data)
        except ConnectionClosed:
            # The server went on after the close frame. It is the server that judges this.
            self.messages.pop()
    
    
    def web_socket_closed(self, web_socket, close_code, reason, exception):
        """Called by the web socket when the connection ended."""
        self.closed.set_result_if_pending(None)


class Collector(Echo):
    """
    Only receives.
    """
    def answer(self, data, is_text):
        """Nothing is sent back."""


async def converse(http_client, url, peer):
    """
    Connects, and waits until the server ends the connection.
    """
    peer.web_socket = await GatewayWebSocket(KOKORO, url, http_client = http_client, handler = peer, receiver = peer)
    peer.closed.apply_timeout(CASE_TIMEOUT)
    try:
        await peer.closed
    finally:
        await peer.web_socket.close()


async def run(url, agent):
    """
    Runs every case of the server.
    """
    http_client = HTTPClient(KOKORO)
    
    collector = Collector()
    await converse(http_client, f'{url}/getCaseCount', collector)
    case_count = int(collector.messages[0])
    failed = 0
    
    for case in range(1, case_count + 1):
        try:
            await converse(http_client, f'{url}/runCase?{urlencode({"case": case, "agent": agent})}', Echo())
        except TimeoutError:
            failed += 1
            print(f'case {case} of {case_count}: not over after {CASE_TIMEOUT:.0f} s')
        
        if case % 50 == 0:
            print(f'case {case} of {case_count}')
    
    await converse(http_client, f'{url}/updateReports?{urlencode({"agent": agent})}', Collector())
    print(f'{case_count} cases were run. The server has written the report.')
    return failed


def main():
    """
    Runs the client.
    
    Returns
    -------
    exit_code : `int`
        0 if each case came to an end. What the server thinks of it is in its report.
    """
    parser = ArgumentParser(description = 'Runs every case of an Autobahn fuzzing server against GatewayWebSocket.')
    parser.add_argument('--url', required = True, help = 'the server, as ws://127.0.0.1:9001')
    parser.add_argument('--agent', default = 'hata_gateway_ext', help = 'the name in the report')
    arguments = parser.parse_args()
    
    try:
        return 1 if KOKORO.run(run(arguments.url.rstrip('/'), arguments.agent)) else 0
    finally:
        KOKORO.stop()


if __name__ == '__main__':
    raise SystemExit(main())
