"""
``GatewayWebSocket`` against a server of plain sockets: reading, writing, both ways of closing, and each of the faults that
scarletio's own client has.
"""
import gc
import socket as module_socket
from functools import partial as partial_func
from struct import pack
from threading import Event

import pytest
from hata import KOKORO
from scarletio import Task, sleep
from scarletio.web_common import ConnectionClosed
from scarletio.web_socket import WebSocketClient

from hata_gateway_ext.connection import web_socket as web_socket_module
from hata_gateway_ext.connection.time_slice import SLICE_LENGTH, TimeSlice
from hata_gateway_ext.connection.web_socket import GatewayWebSocket
from hata_gateway_ext.protocol.errors import FrameError

CONTINUATION = 0
TEXT = 1
BINARY = 2
CLOSE = 8
PING = 9
PONG = 10

SNOWMAN = '\u2603'.encode()


def start(raw, coroutine):
    """Starts a coroutine on the event loop. Its result is waited for with `.wait(timeout)`."""
    return KOKORO.create_task_thread_safe(coroutine).sync_wrap()


@pytest.fixture
def short_close(monkeypatch):
    """Makes the closing handshake time out quickly, so that waiting for it does not slow the tests down."""
    monkeypatch.setattr(web_socket_module, 'CLOSE_TIMEOUT', 0.05)


# ---- types ----

def test__GatewayWebSocket__type():
    """It is a web socket client of scarletio, and has no `__dict__`."""
    assert issubclass(GatewayWebSocket, WebSocketClient)
    assert '__dict__' not in dir(GatewayWebSocket)


def test__GatewayWebSocket__attributes(raw):
    """What scarletio's client has as attributes is there, and so is what ours adds."""
    with raw.connect() as (web_socket, peer, receiver, handler):
        assert web_socket.host == '127.0.0.1'
        assert web_socket.port == peer.socket.getsockname()[1]
        assert not web_socket.is_ssl
        assert web_socket.open
        assert not web_socket.closed
        assert web_socket.close_code == 0
        assert web_socket.close_reason is None
        assert web_socket.write_buffer_size == 0
        assert '127.0.0.1' in repr(web_socket)
        
        before = web_socket.last_received_at
        peer.send(raw.frame(BINARY, b'a'))
        receiver.get()
        assert web_socket.last_received_at > before
        raw.run_on_loop(lambda: None)
        assert not web_socket.has_backlog


@pytest.mark.parametrize(
    'name',
    (
        'receive', 'receive_no_wait', 'read_message', 'read_data_frame', 'read_web_socket_frame', 'set_payload_reader',
        'transfer_data', 'close_connection', 'connection_open', 'fail_connection', 'wait_for_connection_lost',
        'write_frame', 'write_close_frame', 'write_web_socket_frame',
    ),
)
def test__GatewayWebSocket__not_usable(raw, name):
    """
    The methods that belong to the tasks of scarletio's client (a queue without a bound, a `receive` that loses a message
    when it is cancelled, a waiting that tests the wrong way round) say that they cannot be used.
    """
    with raw.connect() as (web_socket, peer, receiver, handler):
        with pytest.raises(RuntimeError, match = 'receiver'):
            raw.run_on_loop(getattr(web_socket, name))
        
        assert web_socket.transfer_data_task is None
        assert web_socket.close_connection_task is None
        assert web_socket.messages is None


# ---- reading ----

def test__reading__messages(raw):
    """Binary messages and texts come in order, whole, and with their kind."""
    with raw.connect() as (web_socket, peer, receiver, handler):
        peer.send(
            raw.frame(BINARY, b'1') + raw.frame(TEXT, SNOWMAN) + raw.frame(BINARY) + raw.frame(TEXT)
            + raw.frame(TEXT, SNOWMAN[:1], final = False) + raw.frame(PING, b'p') + raw.frame(CONTINUATION, SNOWMAN[1:])
            + raw.frame(BINARY, b'x' * 70000) + raw.frame(BINARY, b'end')
        )
        for expected in (
            (b'1', False), (SNOWMAN, True), (b'', False), (b'', True), (SNOWMAN, True), (b'x' * 70000, False),
            (b'end', False),
        ):
            assert receiver.get() == expected
        
        assert peer.receive_frame() == (PONG, b'p')


def test__reading__single_bytes(raw):
    """A stream that comes byte by byte is the same stream."""
    stream = (
        raw.frame(BINARY, b'x' * 130) + raw.frame(TEXT, SNOWMAN, final = False) + raw.frame(PING)
        + raw.frame(CONTINUATION, b'!')
    )
    with raw.connect() as (web_socket, peer, receiver, handler):
        peer.socket.setsockopt(module_socket.IPPROTO_TCP, module_socket.TCP_NODELAY, 1)
        for index in range(len(stream)):
            peer.send(stream[index : index + 1])
        
        assert receiver.get() == (b'x' * 130, False)
        assert receiver.get() == (SNOWMAN + b'!', True)
        assert peer.receive_frame() == (PONG, b'')


def test__reading__texts_of_two_web_sockets(raw):
    """A fragmented text of one web socket has nothing to do with one of another: each decodes its own."""
    with raw.connect() as (_, peer_0, receiver_0, _), raw.connect() as (_, peer_1, receiver_1, handler_1):
        peer_0.send(raw.frame(TEXT, SNOWMAN[:2], final = False) + raw.frame(PING))
        assert peer_0.receive_frame() == (PONG, b'')
        peer_1.send(raw.frame(TEXT, b'a', final = False) + raw.frame(CONTINUATION, b'b'))
        assert receiver_1.get() == (b'ab', True)
        peer_1.send(raw.frame(TEXT, b'\xff', final = False))
        assert type(handler_1.get()[2]) is FrameError
        peer_0.send(raw.frame(CONTINUATION, SNOWMAN[2:]))
        assert receiver_0.get() == (SNOWMAN, True)


INVALID = {
    'reserved bits, before the payload': (lambda raw: raw.frame(BINARY, b'', reserved = 4, length = 60000), 1002),
    'control frame, before the payload': (lambda raw: raw.frame(PING, b'', length = 60000), 1002),
    'masked': (lambda raw: raw.frame(BINARY, b'abc', mask = b'1234'), 1002),
    'unknown operation': (lambda raw: raw.frame(3), 1002),
    '2 ** 62 bytes': (lambda raw: raw.frame(BINARY, b'', length = 1 << 62, length_bytes = 8), 1009),
    'text that is not UTF-8': (lambda raw: raw.frame(TEXT, b'\xff'), 1007),
    'close of one byte': (lambda raw: raw.frame(CLOSE, b'a'), 1002),
    'close with an invalid code': (lambda raw: raw.frame(CLOSE, pack('!H', 1005)), 1002),
    'close with a reason that is not UTF-8': (lambda raw: raw.frame(CLOSE, pack('!H', 4000) + b'\xff'), 1007),
}


@pytest.mark.parametrize('name', INVALID)
def test__reading__invalid(raw, short_close, name):
    """A broken stream: what came before is handed on, the peer is told, the handler once, and the connection ends."""
    build, close_code = INVALID[name]
    with raw.connect() as (web_socket, peer, receiver, handler):
        peer.send(raw.frame(BINARY, b'before') + build(raw))
        assert receiver.get() == (b'before', False)
        assert peer.receive_frame() == (CLOSE, pack('!H', close_code))
        
        code, reason, exception = handler.get()
        assert (code, reason) == (None, '')
        assert type(exception) is FrameError
        assert exception.close_code == close_code
        
        # What comes later is not read any more, and cannot keep the connection.
        peer.send(raw.frame(BINARY, b'after'))
        peer.expect_end()
        
        with pytest.raises(ConnectionClosed) as context:
            raw.run_on_loop(lambda: web_socket.send_message(b'a'))
        
        assert context.value.code == close_code
        start(raw, web_socket.close()).wait(raw.TIMEOUT)
        assert receiver.messages.empty()
        assert len(handler.ends) == 1


def test__reading__receiver_that_raises(raw, short_close):
    """A mistake in the receiver is not swallowed: the connection is given up, and the handler gets the exception."""
    def callback(data):
        raise ZeroDivisionError
    
    with raw.connect(callback = callback) as (web_socket, peer, receiver, handler):
        peer.send(raw.frame(BINARY, b'1') + raw.frame(BINARY, b'2'))
        assert peer.receive_frame() == (CLOSE, pack('!H', 1011))
        assert type(handler.get()[2]) is ZeroDivisionError
        peer.expect_end()
        assert receiver.get() == (b'1', False)
        assert receiver.messages.empty()


def test__reading__abort_from_the_receiver(raw):
    """Who gives the connection up while handling a message gets no further one, though it was received with it."""
    def callback(data):
        context.web_socket.abort()
    
    context = raw.connect(callback = callback)
    with context as (web_socket, peer, receiver, handler):
        peer.send(raw.frame(BINARY, b'1') + raw.frame(BINARY, b'2') + raw.frame(TEXT, b'3') + raw.frame(PING))
        assert handler.get() == (None, '', None)
        assert peer.expect_end() == b''
        assert receiver.get() == (b'1', False)
        assert receiver.messages.empty()
        assert web_socket.closed


# ---- fairness ----

class SteppingClock:
    """Time that passes only when told to."""
    def __init__(self):
        self.now = 0.0
    
    
    def __call__(self):
        return self.now


def create_time_slice(clock):
    """Creates a time slice with a clock of the test's."""
    return TimeSlice(KOKORO, clock = clock)


@pytest.mark.parametrize('operation', (BINARY, TEXT, PING))
def test__fairness__slices(raw, operation):
    """A thousand messages in one read are handled in turns; between them, timers and sockets get theirs."""
    clock = SteppingClock()
    rounds = 0
    rounds_of_messages = []
    done = Event()
    
    def count_round():
        nonlocal rounds
        rounds += 1
        if not done.is_set():
            # Due at once, which is in the next round.
            KOKORO.call_after(0.0, count_round)
    
    def callback(data):
        # Ten messages fill a slice.
        clock.now += SLICE_LENGTH / 10
        rounds_of_messages.append(rounds)
        if data == b'end':
            done.set()
    
    with raw.connect(callback = callback, time_slice = create_time_slice(clock)) as (web_socket, peer, receiver, handler):
        raw.run_on_loop(count_round)
        if operation == PING:
            stream = (raw.frame(PING) + raw.frame(BINARY, b'a')) * 500
        else:
            stream = raw.frame(operation, b'a') * 1000
        
        peer.send(stream + raw.frame(BINARY, b'end'))
        assert done.wait(raw.TIMEOUT)
        
        assert len(rounds_of_messages) == (501 if operation == PING else 1001)
        counts = [rounds_of_messages.count(round_) for round_ in set(rounds_of_messages)]
        # In the first round, the timer that counts may come before the first slice or after the second.
        assert max(counts) <= 22
        assert sorted(counts)[-2] <= 11


def test__fairness__flood(raw):
    """
    A peer that sends faster than messages are handled waits in TCP: what is held here is bounded, order is kept, and the
    backlog is seen from outside.
    """
    clock = SteppingClock()
    count = 400
    size = 60000
    sizes = []
    backlogs = []
    numbers = []
    
    def callback(data):
        # Each message is a slice.
        clock.now += 1.0
        numbers.append(int.from_bytes(data[:4], 'big'))
        sizes.append(context.web_socket.get_size())
        backlogs.append(context.web_socket.has_backlog)
    
    context = raw.connect(callback = callback, time_slice = create_time_slice(clock))
    with context as (web_socket, peer, receiver, handler):
        for number in range(count):
            peer.send(raw.frame(BINARY, number.to_bytes(4, 'big') + b'x' * size))
        
        for _ in range(count):
            receiver.get()
        
        assert numbers == list(range(count))
        assert max(sizes) <= web_socket_module.BACKLOG_MAX + 262144
        
        # At the end, reading goes on as if nothing had been.
        peer.send(raw.frame(PING, b'p'))
        assert peer.receive_frame() == (PONG, b'p')
        assert raw.run_on_loop(lambda: web_socket.has_backlog) is False


def test__fairness__backlog_of_a_lost_connection(raw):
    """What was received before the connection was lost is handled, and the close frame at its end is heard."""
    clock = SteppingClock()
    
    def callback(data):
        clock.now += 1.0
    
    with raw.connect(callback = callback, time_slice = create_time_slice(clock)) as (web_socket, peer, receiver, handler):
        peer.send(raw.frame(BINARY, b'x' * 100) * 200 + raw.frame(CLOSE, pack('!H', 4004) + b'no'))
        peer.socket.close()
        
        assert handler.get() == (4004, 'no', None)
        assert receiver.messages.qsize() == 200
        assert len(handler.ends) == 1


# ---- writing ----

def test__writing__frames(raw, monkeypatch):
    """A message is one frame, masked with 4 bytes of the system's randomness, and leaves in one piece."""
    masks = []
    
    def urandom(size):
        mask = bytes((size, len(masks), 0x55, 0xaa))
        masks.append(mask)
        return mask
    
    with raw.connect() as (web_socket, peer, receiver, handler):
        monkeypatch.setattr(web_socket_module, 'urandom', urandom)
        for data, operation in (('text', TEXT), (b'binary', BINARY), (bytearray(3000), BINARY), (memoryview(b''), BINARY)):
            raw.run_on_loop(partial_func(web_socket.send_message, data))
            # Without waiting for more: what one write sent is there at once.
            received = peer.socket.recv(65536)
            assert masks[-1] in received
            peer.buffer = received
            payload = data.encode() if isinstance(data, str) else bytes(data)
            assert peer.receive_frame() == (operation, payload)
            assert not peer.buffer
        
        assert len(masks) == 4


def test__writing__send(raw):
    """The coroutine sends as well; after the end it raises with the close code."""
    with raw.connect() as (web_socket, peer, receiver, handler):
        KOKORO.run(web_socket.send('a'), raw.TIMEOUT)
        assert peer.receive_frame() == (TEXT, b'a')
        KOKORO.run(web_socket.ensure_open(), raw.TIMEOUT)
        
        peer.send(raw.frame(CLOSE, pack('!H', 4003)))
        handler.get()
        for coroutine in (web_socket.send('b'), web_socket.ping(), web_socket.pong(), web_socket.ensure_open()):
            with pytest.raises(ConnectionClosed) as context:
                KOKORO.run(coroutine, raw.TIMEOUT)
            
            assert context.value.code == 4003


def test__writing__ping(raw):
    """A pong to our own ping ends the waiting for it, and for earlier ones; others are ignored."""
    with raw.connect() as (web_socket, peer, receiver, handler):
        pings = [start(raw, web_socket.ping(data)) for data in (b'1', '2', None, b'4')]
        payloads = [peer.receive_frame() for _ in pings]
        assert [operation for operation, _ in payloads] == [PING] * 4
        assert [payload for _, payload in payloads[:2]] == [b'1', b'2']
        
        peer.send(raw.frame(PONG, b'nobody') + raw.frame(PONG, payloads[2][1]))
        for ping in pings[:3]:
            assert ping.wait(raw.TIMEOUT) is None
        
        assert list(web_socket.pings) == [b'4']
        peer.socket.close()
        with pytest.raises(ConnectionClosed):
            pings[3].wait(raw.TIMEOUT)
        
        assert not web_socket.pings


def test__writing__ping_that_is_waited_for(raw):
    """A ping with the payload of one that is under way gets another payload."""
    with raw.connect() as (web_socket, peer, receiver, handler):
        first = start(raw, web_socket.ping(b'1'))
        assert peer.receive_frame() == (PING, b'1')
        second = start(raw, web_socket.ping(b'1'))
        _, payload = peer.receive_frame()
        assert payload != b'1'
        peer.send(raw.frame(PONG, payload))
        first.wait(raw.TIMEOUT)
        second.wait(raw.TIMEOUT)


def test__writing__long_ping(raw):
    """What does not fit into a control frame is refused."""
    with raw.connect() as (web_socket, peer, receiver, handler):
        for method in (web_socket.ping, web_socket.pong):
            with pytest.raises(ValueError):
                KOKORO.run(method(b'a' * 126), raw.TIMEOUT)
        
        KOKORO.run(web_socket.pong(b'a' * 125), raw.TIMEOUT)
        assert peer.receive_frame() == (PONG, b'a' * 125)


def fill(raw, web_socket):
    """Sends to a peer that does not read, until the transport asks to stop."""
    def send():
        while not web_socket._writing_paused:
            web_socket.send_message(b'x' * 65536)
    
    raw.run_on_loop(send)


def test__writing__peer_that_does_not_read(raw):
    """A peer that does not read is given up when 1 MiB waits for it; who sends is told, and who waits is released."""
    with raw.connect(receive_buffer_size = 4096) as (web_socket, peer, receiver, handler):
        fill(raw, web_socket)
        sending = start(raw, web_socket.send(b'waits'))
        
        def send_on():
            size = 0
            with pytest.raises(ConnectionClosed):
                while True:
                    web_socket.send_message(b'x' * 65536)
                    size = max(size, web_socket.write_buffer_size)
            
            return size
        
        size = raw.run_on_loop(send_on)
        assert size < web_socket_module.WRITE_BUFFER_MAX + 70000
        with pytest.raises(ConnectionClosed):
            sending.wait(raw.TIMEOUT)
        
        assert handler.get() == (None, '', None)
        assert web_socket.closed


def test__writing__resumed(raw):
    """A `send` that waits goes on when the peer reads again; one that was cancelled does not disturb the others."""
    with raw.connect(receive_buffer_size = 4096) as (web_socket, peer, receiver, handler):
        fill(raw, web_socket)
        
        async def send_both():
            cancelled = Task(KOKORO, web_socket.send(b'1'))
            kept = Task(KOKORO, web_socket.send(b'2'))
            await sleep(0.0, KOKORO)
            cancelled.cancel()
            await kept
            return cancelled.is_cancelled()
        
        sending = start(raw, send_both())
        payload = None
        while payload != b'2':
            _, payload = peer.receive_frame()
        
        assert sending.wait(raw.TIMEOUT) is True


def test__two_flags__ping_while_writing_is_paused(raw):
    """
    Pings of a peer that does not read are not answered one by one into memory: the newest is answered when it reads.
    Reading goes on meanwhile.
    """
    with raw.connect(receive_buffer_size = 4096) as (web_socket, peer, receiver, handler):
        fill(raw, web_socket)
        before = web_socket.write_buffer_size
        for number in range(2000):
            peer.send(raw.frame(PING, b'%d' % number))
        
        peer.send(raw.frame(BINARY, b'read'))
        assert receiver.get() == (b'read', False)
        assert web_socket.write_buffer_size <= before
        
        answers = []
        while not answers:
            operation, payload = peer.receive_frame()
            if operation == PONG:
                answers.append(payload)
        
        assert answers == [b'1999']
        peer.send(raw.frame(PING, b'end'))
        while True:
            operation, payload = peer.receive_frame()
            if operation == PONG:
                break
        
        assert payload == b'end'


def test__two_flags__flood_while_writing_is_paused(raw):
    """While writing is paused, a flood is held back by pausing reading, and everything arrives."""
    clock = SteppingClock()
    sizes = []
    
    def callback(data):
        clock.now += 1.0
        sizes.append(context.web_socket.get_size())
    
    context = raw.connect(
        callback = callback, receive_buffer_size = 4096, time_slice = create_time_slice(clock),
    )
    with context as (web_socket, peer, receiver, handler):
        fill(raw, web_socket)
        for _ in range(200):
            peer.send(raw.frame(BINARY, b'x' * 60000))
        
        for _ in range(200):
            receiver.get()
        
        assert max(sizes) <= web_socket_module.BACKLOG_MAX + 262144
        assert web_socket._writing_paused
        assert raw.run_on_loop(lambda: web_socket.has_backlog) is False


def test__two_flags__ping_while_reading_is_paused(raw):
    """A ping behind a backlog that paused reading is answered, though nobody drains anything."""
    clock = SteppingClock()
    paused = []
    
    def callback(data):
        clock.now += 1.0
        paused.append(context.web_socket._reading_paused)
    
    context = raw.connect(callback = callback, time_slice = create_time_slice(clock))
    with context as (web_socket, peer, receiver, handler):
        peer.send((raw.frame(BINARY, b'x' * 60000) + raw.frame(PING, b'p')) * 20)
        for _ in range(20):
            assert peer.receive_frame() == (PONG, b'p')
        
        assert any(paused)


# ---- closing ----

@pytest.mark.parametrize(
    ('payload', 'code', 'reason'),
    (
        (b'', None, ''),
        (pack('!H', 1000), 1000, ''),
        (pack('!H', 1001) + b'bye', 1001, 'bye'),
        (pack('!H', 1012), 1012, ''),
        (pack('!H', 1013), 1013, ''),
        (pack('!H', 1014), 1014, ''),
        (pack('!H', 3000), 3000, ''),
        (pack('!H', 4004) + 'Authentication failed. \u2603'.encode(), 4004, 'Authentication failed. \u2603'),
        (pack('!H', 4999), 4999, ''),
    ),
)
def test__closing__by_the_peer(raw, payload, code, reason):
    """The close frame of the peer is answered with its code; with its FIN the socket is closed, on plain TCP too."""
    with raw.connect() as (web_socket, peer, receiver, handler):
        peer.send(raw.frame(CLOSE, payload))
        assert peer.receive_frame() == (CLOSE, payload[:2])
        assert handler.get() == (code, reason, None)
        assert web_socket.close_code == (1005 if code is None else code)
        assert web_socket.close_reason == reason
        assert not web_socket.open
        
        file_descriptor = web_socket.get_extra_info('socket').fileno()
        assert file_descriptor >= 0
        peer.socket.shutdown(module_socket.SHUT_WR)
        assert peer.expect_end() == b''
        start(raw, web_socket.close()).wait(raw.TIMEOUT)
        assert web_socket.closed
        assert web_socket.get_transport()._socket is None
        assert len(handler.ends) == 1


def test__closing__by_us(raw):
    """Our close frame carries code and reason; messages that come before the answer are still handed on."""
    with raw.connect() as (web_socket, peer, receiver, handler):
        closing = start(raw, web_socket.close(4000, 'bye'))
        assert peer.receive_frame() == (CLOSE, pack('!H', 4000) + b'bye')
        peer.send(raw.frame(BINARY, b'late') + raw.frame(PING) + raw.frame(CLOSE, pack('!H', 4000)))
        peer.socket.shutdown(module_socket.SHUT_WR)
        
        # No pong and no second close frame.
        assert peer.expect_end() == b''
        closing.wait(raw.TIMEOUT)
        assert receiver.get() == (b'late', False)
        assert handler.get() == (4000, '', None)
        assert web_socket.closed


def test__closing__peer_that_does_not_answer(raw, short_close):
    """A peer that does not answer is waited for no longer than the timeout."""
    with raw.connect() as (web_socket, peer, receiver, handler):
        start(raw, web_socket.close(4000)).wait(raw.TIMEOUT)
        assert web_socket.closed
        assert peer.receive_frame() == (CLOSE, pack('!H', 4000))
        assert peer.expect_end() == b''
        assert handler.get() == (None, '', None)


def test__closing__peer_that_does_not_end(raw, short_close):
    """A peer that sends its close frame and keeps the connection is left after the timeout."""
    with raw.connect() as (web_socket, peer, receiver, handler):
        peer.send(raw.frame(CLOSE, pack('!H', 4000)))
        assert handler.get() == (4000, '', None)
        assert peer.receive_frame() == (CLOSE, pack('!H', 4000))
        assert peer.expect_end() == b''
        start(raw, web_socket.close()).wait(raw.TIMEOUT)
        assert web_socket.closed


def test__closing__peer_that_does_not_read(raw, short_close):
    """A peer that does not read delays neither the close nor who waits to send, and its buffer is freed."""
    with raw.connect(receive_buffer_size = 4096) as (web_socket, peer, receiver, handler):
        fill(raw, web_socket)
        sending = start(raw, web_socket.send(b'waits'))
        start(raw, web_socket.close(4000)).wait(raw.TIMEOUT)
        with pytest.raises(ConnectionClosed):
            sending.wait(raw.TIMEOUT)
        
        assert web_socket.closed
        assert web_socket.write_buffer_size == 0
        assert handler.get() == (None, '', None)


def test__closing__end_of_a_peer_that_does_not_read(raw, short_close):
    """A peer that ends its side and does not read what we wrote is left after the timeout."""
    with raw.connect(receive_buffer_size = 4096) as (web_socket, peer, receiver, handler):
        fill(raw, web_socket)
        peer.socket.shutdown(module_socket.SHUT_WR)
        handler.get()
        assert web_socket.closed
        assert web_socket.write_buffer_size == 0


def test__closing__several_times(raw):
    """Closing and aborting again does nothing; the handler hears of the end once."""
    with raw.connect() as (web_socket, peer, receiver, handler):
        first = start(raw, web_socket.close(4000))
        assert peer.receive_frame() == (CLOSE, pack('!H', 4000))
        second = start(raw, web_socket.close(1000))
        peer.send(raw.frame(CLOSE, pack('!H', 4000)))
        peer.socket.close()
        first.wait(raw.TIMEOUT)
        second.wait(raw.TIMEOUT)
        for _ in range(2):
            raw.run_on_loop(web_socket.abort)
            raw.run_on_loop(web_socket.close_transport)
            start(raw, web_socket.close()).wait(raw.TIMEOUT)
        
        raw.run_on_loop(lambda: web_socket.connection_lost(None))
        assert handler.ends == [(4000, '', None)]


def test__closing__cancelled(raw):
    """Cancelling one who waits for the close does not disturb others who do."""
    with raw.connect() as (web_socket, peer, receiver, handler):
        async def close_twice():
            first = Task(KOKORO, web_socket.close(4000))
            second = Task(KOKORO, web_socket.close(4000))
            await sleep(0.0, KOKORO)
            first.cancel()
            await second
            return first.is_cancelled()
        
        closing = start(raw, close_twice())
        peer.receive_frame()
        peer.socket.close()
        assert closing.wait(raw.TIMEOUT) is True


@pytest.mark.parametrize('code', (1005, 1006, 999, 5000))
def test__closing__invalid_code(raw, code):
    """A code that may not be sent is refused, and the web socket stays open."""
    with raw.connect() as (web_socket, peer, receiver, handler):
        with pytest.raises(ValueError):
            KOKORO.run(web_socket.close(code), raw.TIMEOUT)
        
        assert web_socket.open


def test__closing__reset(raw):
    """A connection that is reset is reported with its exception."""
    with raw.connect() as (web_socket, peer, receiver, handler):
        peer.socket.setsockopt(module_socket.SOL_SOCKET, module_socket.SO_LINGER, pack('ii', 1, 0))
        peer.socket.close()
        code, reason, exception = handler.get()
        assert (code, reason) == (None, '')
        assert isinstance(exception, ConnectionResetError)
        assert web_socket.close_code == 1006


def test__closing__end_without_a_close_frame(raw):
    """A connection that ends without a close frame is reported without code, even in the midst of a frame."""
    with raw.connect() as (web_socket, peer, receiver, handler):
        peer.send(raw.frame(BINARY, b'whole') + raw.frame(BINARY, b'half', length = 100))
        peer.socket.close()
        assert handler.get() == (None, '', None)
        assert receiver.get() == (b'whole', False)
        assert receiver.messages.empty()
        start(raw, web_socket.close()).wait(raw.TIMEOUT)
        assert web_socket.closed


def test__closing__abort(raw):
    """Aborting ends the connection at once, without a close frame."""
    with raw.connect() as (web_socket, peer, receiver, handler):
        raw.run_on_loop(web_socket.abort)
        assert handler.get() == (None, '', None)
        assert peer.expect_end() == b''
        with pytest.raises(ConnectionClosed):
            raw.run_on_loop(lambda: web_socket.send_message(b'a'))


def test__closing__nothing_is_left(raw):
    """After the end nothing of the web socket is left in the loop: no timer, no reader, no task, no object."""
    def count():
        gc.collect()
        return (
            sum(1 for handle in KOKORO._scheduled if not handle.cancelled), len(KOKORO.selector.get_map()),
            sum(isinstance(object_, GatewayWebSocket) for object_ in gc.get_objects()),
        )
    
    def run_once():
        with raw.connect() as (web_socket, peer, receiver, handler):
            peer.send(raw.frame(BINARY, b'a') * 10 + raw.frame(CLOSE, pack('!H', 4000)))
            handler.get()
            peer.socket.close()
            start(raw, web_socket.close()).wait(raw.TIMEOUT)
    
    run_once()
    before = raw.run_on_loop(count)
    for _ in range(10):
        run_once()
    
    # One or two may belong to whoever counts; a leak would be ten.
    assert all(after < earlier + 5 for after, earlier in zip(raw.run_on_loop(count), before))
