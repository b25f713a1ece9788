"""
The dispatcher: what reaches hata's parsers, in which order, and what does not.
"""
import json
import zlib
from random import Random

import pytest
from hata import KOKORO
from hata.discord.events.core import DEFAULT_EVENT_HANDLER, PARSERS

from benchmarks.wire import Compressor
from hata_gateway_ext.connection.dispatcher import CLOCK_INTERVAL, Dispatcher
from hata_gateway_ext.protocol.inflaters import create_inflater
from hata_gateway_ext.protocol.envelope import KNOWN_HEADS
from hata_gateway_ext.protocol.errors import InflateError, PayloadError
from hata_gateway_ext.protocol.frames import BATCH_COUNT, BATCH_MESSAGE_SIZE

NEVER = float('inf')


class Session:
    """A session as the dispatcher sees it."""
    def __init__(self, sequence):
        self.sequence = sequence
        self.session_id = 'session'
        self.resume_gateway_url = None


class Events:
    """The part of a client's events that gateways call, on hata's thread."""
    def __init__(self):
        self.errors = []
        self.unknown = []
        self.unknown_dispatch_event = DEFAULT_EVENT_HANDLER
    
    
    async def error(self, client, name, exception):
        self.errors.append((name, exception))
    
    
    async def record_unknown(self, client, name, data):
        self.unknown.append((name, data))


class Client:
    """A client as the dispatcher sees it."""
    def __init__(self):
        self.events = Events()


class Handler:
    """Records what is no ordinary event."""
    def __init__(self):
        self.calls = []
        self.dispatcher = None
        self.pass_over = False
    
    
    def operation_received(self, operation, payload):
        self.calls.append(('operation', operation, payload))
    
    
    def ready_received(self, sequence, data):
        self.calls.append(('ready', sequence, data))
    
    
    def resumed_received(self, sequence, data):
        self.calls.append(('resumed', sequence, data))
    
    
    def payload_unreadable(self, exception):
        # What is behind it would hold the payload.
        assert exception.__context__ is None
        self.calls.append(('unreadable', type(exception), str(exception)))
        return self.pass_over
    
    
    def input_broken(self, exception):
        self.calls.append(('broken', type(exception)))
    
    
    def sequence_out_of_order(self, sequence):
        self.calls.append(('out of order', sequence))


def arrange(messages, batch_count):
    """
    Arranges messages as the frame reader does: in batches, but for large ones. With a `batch_count` of 0, one by one.
    """
    batch = []
    for message in messages:
        is_small = (message is not None) and (len(message) <= BATCH_MESSAGE_SIZE) and batch_count
        if is_small:
            batch.append(message)
        
        if batch and ((not is_small) or (len(batch) == batch_count)):
            yield batch
            batch = []
        
        if not is_small:
            yield message
    
    if batch:
        yield batch


class World:
    """A dispatcher with everything around it."""
    # How messages come.
    batch_count = 0
    
    def __init__(self, compression = 'none', sequence = 0):
        self.client = Client()
        self.session = Session(sequence)
        self.handler = Handler()
        self.dispatcher = Dispatcher(self.client, self.session, self.handler, create_inflater(compression))
        self.events = []
    
    
    def parse(self, client, data):
        """A parser that records data, and the sequence that the session has meanwhile."""
        assert client is self.client
        self.events.append((data, self.session.sequence))
    
    
    def receive(self, *payloads, deadline = NEVER):
        """Receives payloads as the frame reader yields them. Returns whether the deadline ended it."""
        return self.receive_messages([*payloads, None], deadline)
    
    
    def receive_messages(self, messages, deadline = NEVER):
        """Receives messages. Returns whether the deadline ended it."""
        return self.dispatcher.messages_received(arrange(messages, self.batch_count), deadline)
    
    
    @property
    def counts(self):
        """Dispatched, skipped and gaps."""
        return self.dispatcher.dispatched, self.dispatcher.skipped, self.dispatcher.gaps


def inert(client, data):
    pass


def build(sequence, data = None, name = 'TESTED_EVENT', operation = 0):
    """Builds an event as Discord writes it."""
    if data is None:
        data = {'number': sequence}
    
    return json.dumps({'t': name, 's': sequence, 'op': operation, 'd': data}, separators = (',', ':')).encode()


def build_otherwise(sequence, data = None, name = 'TESTED_EVENT'):
    """Builds the same event in an order that Discord does not use."""
    if data is None:
        data = {'number': sequence}
    
    return json.dumps({'op': 0, 'd': data, 's': sequence, 't': name}).encode()


def settle():
    """Waits until the tasks that were started on the event loop have run."""
    async def nothing():
        pass
    
    KOKORO.run(nothing(), timeout = 10.0)


@pytest.fixture(autouse = True)
def parsers():
    """Gives hata's parsers, and what is known of names, back as they were."""
    parsers = PARSERS.copy()
    heads = KNOWN_HEADS.copy()
    KNOWN_HEADS.clear()
    yield PARSERS
    PARSERS.clear()
    PARSERS.update(parsers)
    KNOWN_HEADS.clear()
    KNOWN_HEADS.update(heads)


@pytest.fixture(autouse = True, params = (0, 3, BATCH_COUNT), ids = ('single', 'batches', 'large batches'))
def batch_count(request, monkeypatch):
    """Runs a test with messages that come one by one, and with messages that come in batches: both behave the same."""
    monkeypatch.setattr(World, 'batch_count', request.param)
    return request.param


@pytest.fixture(params = (build, build_otherwise), ids = ('fast', 'slow'))
def builder(request):
    """Runs a test with payloads for the fast path and with payloads that need every check: both behave the same."""
    return request.param


def test__Dispatcher__dispatch(builder, parsers):
    """Events reach their parser in order; while it runs, the session still resumes from the event before."""
    world = World()
    parsers['TESTED_EVENT'] = world.parse
    assert world.receive(*(builder(sequence) for sequence in range(1, 8))) is False
    
    assert world.events == [({'number': sequence}, sequence - 1) for sequence in range(1, 8)]
    assert world.session.sequence == 7
    assert world.counts == (7, 0, 0)
    assert not world.handler.calls


def test__Dispatcher__skip(builder, parsers):
    """Events whose parser does nothing are counted as skipped, or handed over if they had to be decoded anyway."""
    world = World()
    parsers['TESTED_EVENT'] = inert
    world.receive(*(builder(sequence) for sequence in range(1, 8)))
    
    assert world.session.sequence == 7
    assert world.counts == ((0, 7, 0) if builder is build else (7, 0, 0))
    assert not world.handler.calls


def test__Dispatcher__skipped_is_not_decoded(parsers):
    """The data of a skipped event is not looked at: it may be no JSON at all, or contain what looks like an envelope."""
    world = World()
    parsers['TESTED_EVENT'] = inert
    head = b'{"t":"TESTED_EVENT","s":%d,"op":0,"d":'
    world.receive(
        head % 1 + b'{}}',
        head % 2 + b'no json',
        head % 3 + b'{"content":"","s":9,"op":7}}',
        head % 4 + b'"\\"},\\"t\\":\\"OTHER\\""}',
    )
    assert world.session.sequence == 4
    assert world.counts == (0, 4, 0)


def test__Dispatcher__parsers_change(parsers):
    """A parser that is put in or taken out while the bot runs counts from the next event on, even within one batch."""
    world = World()
    parsers['TESTED_EVENT'] = inert
    
    def switch(client, data):
        parsers['TESTED_EVENT'] = data
    
    def iterate():
        yield build(1)
        yield build(2)
        parsers['TESTED_EVENT'] = world.parse
        yield build(3)
        parsers['TESTED_EVENT'] = inert
        yield build(4)
        del parsers['TESTED_EVENT']
        yield build(5)
        parsers['TESTED_EVENT'] = world.parse
        yield build(6)
        yield None
    
    world.dispatcher.messages_received(iterate(), NEVER)
    assert [data['number'] for data, _ in world.events] == [3, 6]
    assert world.counts == (2, 4, 0)
    assert world.session.sequence == 6


def test__Dispatcher__parsers_change_within_a_batch(parsers):
    """What a parser does to another counts from the next event on, whatever the batch looked like when it came."""
    world = World()
    
    def switch(client, data):
        if data['parser'] is None:
            del parsers['TESTED_EVENT']
        else:
            parsers['TESTED_EVENT'] = {'inert': inert, 'parse': world.parse}[data['parser']]
    
    parsers['TESTED_EVENT'] = world.parse
    parsers['SWITCHING_EVENT'] = switch
    # Both are known, and so is that one of them does nothing.
    world.receive(build(1), build(2, {'parser': 'inert'}, 'SWITCHING_EVENT'), build(3))
    assert [data['number'] for data, _ in world.events] == [1]
    world.events.clear()
    
    for repetition in range(3):
        start = world.session.sequence
        payloads = []
        for parser in ('parse', 'inert', 'parse', None, 'parse', 'inert'):
            payloads.append(build(start + len(payloads) + 1))
            payloads.append(build(start + len(payloads) + 1, {'parser': parser}, 'SWITCHING_EVENT'))
        
        payloads.append(build(start + len(payloads) + 1))
        world.receive(*payloads)
        assert [data['number'] - start for data, _ in world.events] == [3, 7, 11]
        assert world.session.sequence == start + 13
        world.events.clear()


def test__Dispatcher__names_that_begin_alike(parsers):
    """An event is never taken for another one whose name begins like its own, needed or not, in whatever batches."""
    world = World()
    names = ['GUILD_SCHEDULED_EVENT_CREATE', 'GUILD_SCHEDULED_EVENT_DELETE', 'GUILD_SCHEDULED_EVENT_UPDATE']
    parsers[names[0]] = parsers[names[1]] = inert
    parsers[names[2]] = world.parse
    order = [names[index % 3] for index in range(9)] + names[:1] * 9 + names[1:2] * 9 + names[2:] * 9 + names[:2] * 9
    for start in (0, len(order)):
        world.receive(*(build(start + index, name = name) for index, name in enumerate(order, 1)))
    
    expected = [index for index, name in enumerate(order + order, 1) if name == names[2]]
    assert [data['number'] for data, _ in world.events] == expected
    # An event that nobody needs may be decoded all the same if it begins like one that is needed.
    assert sum(world.counts) == 2 * len(order)
    assert not world.handler.calls


@pytest.mark.parametrize('positions', ((4,), (5,), (3, 4), (4, 8), (3, 6, 9)))
@pytest.mark.parametrize('parser', (inert, None))
def test__Dispatcher__strange_among_known(parsers, parser, positions):
    """A batch of known events with something else in it: each is handled as it is on its own, and in order."""
    world = World()
    parsers['TESTED_EVENT'] = world.parse if parser is None else parser
    world.receive(build(1), build(2), build(3))
    
    payloads = []
    sequence = 3
    for position in range(12):
        if position in positions:
            payloads.append(b'{"t":null,"s":null,"op":11,"d":null}')
        elif position == 10:
            # A gap.
            sequence += 3
            payloads.append(build(sequence))
        else:
            sequence += 1
            payloads.append(build(sequence))
    
    world.receive(*payloads)
    handled = 12 - len(positions) + 3
    assert len(world.handler.calls) == len(positions)
    assert world.session.sequence == sequence
    assert world.counts == ((handled, 0, 2) if parser is None else (0, handled, 2))


def test__Dispatcher__unhashable_parser(parsers):
    """A parser without a hash is called as any other."""
    class Parser:
        __hash__ = None
        
        def __call__(self, client, data):
            world.parse(client, data)
    
    world = World()
    parsers['TESTED_EVENT'] = Parser()
    world.receive(build(1), build(2))
    assert world.counts == (2, 0, 0)
    assert len(world.events) == 2


def test__Dispatcher__no_data(builder, parsers):
    """An event with null as data is not handed to its parser, as at hata's gateway; it counts all the same."""
    world = World()
    parsers['TESTED_EVENT'] = world.parse
    payloads = [builder(sequence).replace(b'{"number":%d}' % sequence, b'null').replace(
        b'{"number": %d}' % sequence, b'null'
    ) for sequence in (1, 2)]
    assert all(b'null' in payload for payload in payloads)
    world.receive(*payloads)
    assert not world.events
    assert world.session.sequence == 2


@pytest.mark.parametrize('listening', (False, True))
def test__Dispatcher__unknown_event(builder, listening):
    """An event without parser goes to `unknown_dispatch_event` if anyone listens; it never is an error."""
    world = World()
    if listening:
        world.client.events.unknown_dispatch_event = world.client.events.record_unknown
    
    world.receive(builder(1, name = 'NEWEST_EVENT'), builder(2, name = 'NEWEST_EVENT'))
    settle()
    assert world.client.events.unknown == (
        [('NEWEST_EVENT', {'number': 1}), ('NEWEST_EVENT', {'number': 2})] if listening else []
    )
    assert world.session.sequence == 2
    assert sum(world.counts) == 2


@pytest.mark.parametrize('exception', (ValueError, KeyError, KeyboardInterrupt))
def test__Dispatcher__parser_that_raises(builder, parsers, exception):
    """What a parser raises is reported with its name, counts as handed over, and touches nothing else."""
    def parse(client, data):
        world.parse(client, data)
        if data['number'] == 2:
            raise exception('mine')
    
    world = World()
    parsers['TESTED_EVENT'] = parse
    world.receive(builder(1), builder(2), builder(3))
    settle()
    
    assert len(world.events) == 3
    assert world.session.sequence == 3
    (name, reported), = world.client.events.errors
    assert name == 'TESTED_EVENT'
    assert type(reported) is exception
    assert not world.handler.calls


def test__Dispatcher__gaps(builder, parsers):
    """Sequences that are left out are counted; the events that came are dispatched."""
    for parser, index in ((None, 0), (inert, 1)):
        world = World()
        parsers['TESTED_EVENT'] = world.parse if parser is None else parser
        world.receive(builder(1), builder(4), builder(5), builder(105))
        assert world.dispatcher.gaps == 2 + 99
        assert world.session.sequence == 105
        assert sum(world.counts[:2]) == 4
        if builder is build:
            assert world.counts[index] == 4


def test__Dispatcher__out_of_order(builder, parsers):
    """An event that is not later than the last one is told to the handler and not dispatched, whatever its parser."""
    for is_inert in (False, True):
        world = World()
        parsers['TESTED_EVENT'] = inert if is_inert else world.parse
        world.receive(builder(5), builder(5), builder(4), builder(6), builder(0))
        assert world.handler.calls == [('out of order', 5), ('out of order', 4), ('out of order', 0)]
        assert world.session.sequence == 6
        assert sum(world.counts[:2]) == 2


def test__Dispatcher__event_before_ready(builder, parsers):
    """An event of a session that has dispatched nothing is out of order; a known head does not change that."""
    world = World()
    parsers['TESTED_EVENT'] = world.parse
    world.receive(builder(1), builder(2))
    world.session.sequence = None
    world.receive(builder(1), builder(3))
    assert world.handler.calls == [('out of order', 1), ('out of order', 3)]
    assert world.session.sequence is None
    assert len(world.events) == 2


def test__Dispatcher__session_events(builder, parsers):
    """READY and RESUMED go to the handler, in their place among the others, and are dispatched when it says so."""
    world = World(sequence = None)
    parsers['TESTED_EVENT'] = parsers['READY'] = world.parse
    
    def ready_received(sequence, data):
        Handler.ready_received(world.handler, sequence, data)
        assert world.session.sequence is None
        world.dispatcher.dispatch('READY', sequence, data)
        assert world.session.sequence == sequence
    
    world.handler.ready_received = ready_received
    world.receive(
        builder(1, name = 'READY'), builder(2), builder(3), builder(4, name = 'RESUMED'), builder(5),
    )
    assert world.handler.calls == [('ready', 1, {'number': 1}), ('resumed', 4, {'number': 4})]
    assert [data['number'] for data, _ in world.events] == [1, 2, 3, 5]
    assert world.session.sequence == 5


def test__Dispatcher__ready_with_any_sequence(builder):
    """READY begins a session: its sequence has nothing to do with that of the session before."""
    world = World(sequence = 100)
    world.receive(builder(1, name = 'READY'))
    assert world.handler.calls == [('ready', 1, {'number': 1})]
    assert world.session.sequence == 100


def test__Dispatcher__operations(parsers):
    """Anything but a dispatch goes to the handler, whole."""
    world = World()
    for payload in (
        {'t': None, 's': None, 'op': 10, 'd': {'heartbeat_interval': 41250}}, {'op': 7, 'd': None}, {'op': 11}, {'op': 99},
    ):
        world.receive(json.dumps(payload).encode())
        assert world.handler.calls.pop() == ('operation', payload['op'], payload)
    
    assert world.counts == (0, 0, 0)


BAD_PAYLOADS = (
    b'',
    b'no json',
    b'[]',
    b'{}',
    b'{"op":"0"}',
    b'{"t":"TESTED_EVENT","s":"1","op":0,"d":{}}',
    b'{"t":"TESTED_EVENT","s":1.0,"op":0,"d":{}}',
    b'{"t":"TESTED_EVENT","s":true,"op":0,"d":{}}',
    b'{"t":"TESTED_EVENT","s":1,"op":0.0,"d":{}}',
    b'{"t":"TESTED_EVENT","s":1,"op":false,"d":{}}',
    b'{"t":"TESTED_EVENT","s":null,"op":0,"d":{}}',
    b'{"t":null,"s":1,"op":0,"d":{}}',
    b'{"t":5,"s":1,"op":0,"d":{}}',
    b'{"t":"TESTED_EVENT","s":1,"op":0}',
    b'{"t":"TESTED_EVENT","s":1,"op":0,"d":',
    b'{"t":"TESTED_EVENT","s":1,"op":0,"d":{"a":"\xff"}}',
    b'{"t":"TESTED_EVENT","s":1,"op":0,"d":NaN}',
    b'{"t":"READY","s":1,"op":0,"d":[]}',
    b'{"t":"READY","s":1,"op":0,"d":null}',
)


@pytest.mark.parametrize('known', (False, True))
@pytest.mark.parametrize('payload', BAD_PAYLOADS)
def test__Dispatcher__unreadable(parsers, payload, known):
    """
    A payload that is not what it should be is told to the handler once. Nothing after it is handled, unless the handler
    passes it over. It is the same whether the event's head is known.
    """
    for pass_over in (False, True):
        world = World()
        world.handler.pass_over = pass_over
        parsers['TESTED_EVENT'] = world.parse
        if known:
            world.receive(build(1))
            world.session.sequence = 0
            world.events.clear()
        
        world.receive(payload, build(1))
        kind, exception_type, message = world.handler.calls.pop(0)
        assert (kind, exception_type) == ('unreadable', PayloadError)
        assert message
        if pass_over:
            assert not world.handler.calls
            assert len(world.events) == 1
        else:
            assert world.handler.calls == [('broken', PayloadError)]
            assert not world.events
            assert world.session.sequence == 0


@pytest.mark.parametrize('payload', (
    b'{"t":"TESTED_EVENT","s":1,"op":0,"d":{"number":1},"d":{"number":2}}',
    b'{"t":"TESTED_EVENT","s":1,"op":0,"d":{"number":2},"unknown":{}}',
    b'{"t":"TESTED_EVENT","s":1,"op":0,"d":{"number":2}} ',
))
def test__Dispatcher__more_fields(parsers, payload):
    """Fields behind the data are read when the event is decoded; of a repeated one the last counts."""
    world = World()
    parsers['TESTED_EVENT'] = world.parse
    world.receive(build(1))
    world.session.sequence = 0
    world.receive(payload)
    assert world.events[1:] == [({'number': 2}, 0)]


@pytest.mark.parametrize('payload', (
    b'{"t":"TESTED_EVENT","s":1,"op":0,"d":{},"s":7}',
    b'{"t":"TESTED_EVENT","s":1,"op":0,"d":{},"t":"TESTED_OTHER"}',
    b'{"t":"TESTED_EVENT","s":1,"op":0,"d":{},"op":11}',
))
def test__Dispatcher__repeated_envelope(parsers, payload):
    """When an event is decoded and its envelope is repeated, all of the last one counts, on both paths alike."""
    outcomes = []
    for known in (False, True):
        world = World()
        parsers['TESTED_EVENT'] = world.parse
        parsers['TESTED_OTHER'] = world.parse
        KNOWN_HEADS.clear()
        if known:
            world.receive(build(1))
            world.session.sequence = 0
        
        world.receive(payload)
        outcomes.append((world.session.sequence, world.handler.calls, world.dispatcher.gaps))
    
    assert outcomes[0] == outcomes[1]


def test__Dispatcher__stop(builder, parsers):
    """After a stop nothing is handled, but what comes is read, so that the close frame behind it is reached."""
    world = World()
    
    def parse(client, data):
        world.parse(client, data)
        if data['number'] == 2:
            world.dispatcher.stop()
    
    parsers['TESTED_EVENT'] = parse
    messages = arrange([builder(1), builder(2), builder(3), None, builder(4), None, b'junk'], world.batch_count)
    assert world.dispatcher.messages_received(messages, NEVER) is False
    assert world.dispatcher.messages_received(messages, NEVER) is False
    assert next(messages) in (b'junk', [b'junk'])
    
    world.dispatcher.message_received(builder(5), True)
    assert len(world.events) == 2
    assert world.session.sequence == 2
    assert not world.handler.calls


def test__Dispatcher__session_reset_by_a_parser(builder, parsers):
    """A parser that leads to the end of the session does not leave its sequence in the next one."""
    world = World()
    
    def parse(client, data):
        if data['number'] == 2:
            world.session.sequence = None
            world.dispatcher.stop()
    
    parsers['TESTED_EVENT'] = parse
    world.receive(builder(1), builder(2))
    assert world.session.sequence is None


class ReplayFilter:
    """Leaves out even numbers, and records what it was asked."""
    def __init__(self, parser):
        self.asked = []
        self.parser = parser
    
    
    def accept(self, name, sequence, data):
        self.asked.append((name, sequence, data))
        return self.parser if sequence % 2 else None


def test__Dispatcher__replay_filter(builder, parsers):
    """While a replay filter is set it decides about each event, unknown ones too; without it all is as before."""
    world = World()
    parsers['TESTED_EVENT'] = inert
    world.receive(build(1))
    world.session.sequence = 0
    
    replay_filter = ReplayFilter(world.parse)
    world.dispatcher.set_replay_filter(replay_filter)
    world.receive(builder(1), builder(2), builder(3), builder(4, name = 'NEWEST_EVENT'), builder(5, name = 'RESUMED'))
    assert replay_filter.asked == [
        ('TESTED_EVENT', 1, {'number': 1}), ('TESTED_EVENT', 2, {'number': 2}), ('TESTED_EVENT', 3, {'number': 3}),
        ('NEWEST_EVENT', 4, {'number': 4}),
    ]
    assert [data['number'] for data, _ in world.events] == [1, 3]
    assert world.session.sequence == 4
    assert world.handler.calls == [('resumed', 5, {'number': 5})]
    
    world.dispatcher.set_replay_filter(None)
    world.receive(builder(5), builder(6))
    assert len(replay_filter.asked) == 4
    assert len(world.events) == 2
    assert world.session.sequence == 6


def test__Dispatcher__replay_filter_set_by_a_parser(builder, parsers):
    """A replay filter that is set while a batch is handled counts from the next event on."""
    world = World()
    replay_filter = ReplayFilter(world.parse)
    
    def parse(client, data):
        world.dispatcher.set_replay_filter(replay_filter)
    
    parsers['TESTED_EVENT'] = parse
    world.receive(builder(1), builder(2), builder(3))
    assert [sequence for _, sequence, _ in replay_filter.asked] == [2, 3]
    assert world.session.sequence == 3


def test__Dispatcher__observer(builder, parsers):
    """An observer is told of each event that was handed over, after it was, and not of skipped ones."""
    world = World()
    parsers['TESTED_EVENT'] = world.parse
    observed = []
    world.dispatcher.observer = lambda name, data: observed.append((name, data, len(world.events)))
    world.receive(builder(1), builder(2))
    assert observed == [('TESTED_EVENT', {'number': 1}, 1), ('TESTED_EVENT', {'number': 2}, 2)]


@pytest.mark.parametrize('size', (10, 1000, 100000))
def test__Dispatcher__deadline(builder, parsers, size):
    """When the time is over it ends, after one batch or one large message, and goes on with the next event."""
    world = World()
    parsers['TESTED_EVENT'] = world.parse
    count = 3000 if size < 100000 else 20
    messages = arrange(
        [*(builder(sequence, {'text': 'x' * size}) for sequence in range(1, count + 1)), None], world.batch_count
    )
    turns = 0
    while world.dispatcher.messages_received(messages, 0.0):
        turns += 1
        assert len(world.events) <= turns * (1 if size > BATCH_MESSAGE_SIZE else CLOCK_INTERVAL)
    
    assert turns > 3
    assert world.session.sequence == count
    assert len(world.events) == count


def test__Dispatcher__deadline_and_stop(parsers):
    """What is left of a batch when the time is over is not handled any more when the dispatcher is stopped meanwhile."""
    world = World()
    parsers['TESTED_EVENT'] = world.parse
    messages = arrange([*(build(sequence) for sequence in range(1, 3 * BATCH_COUNT + 1)), None], world.batch_count)
    # A batch of its own, from which on the events are known.
    world.receive(build(1))
    world.session.sequence = 0
    assert world.dispatcher.messages_received(messages, 0.0) is True
    seen = len(world.events)
    assert 0 < seen <= CLOCK_INTERVAL + 1
    world.dispatcher.stop()
    assert world.dispatcher.messages_received(messages, NEVER) is False
    assert len(world.events) == seen
    assert next(messages, 'end') == 'end'


@pytest.mark.parametrize('compression', ('zlib-stream', 'zstd-stream'))
def test__Dispatcher__deadline_and_broken(builder, parsers, compression):
    """What is corrupt behind the events of a batch counts when those are handled, in however many turns."""
    world = World(compression)
    parsers['TESTED_EVENT'] = world.parse
    compressor = Compressor(compression)
    count = BATCH_COUNT - 2
    messages = [compressor.compress(builder(sequence)) for sequence in range(1, count + 1)]
    messages.extend((b'\xff' * 100, None))
    frames = arrange(messages, world.batch_count)
    turns = 0
    while world.dispatcher.messages_received(frames, 0.0):
        assert not world.handler.calls
        turns += 1
    
    assert turns >= count // CLOCK_INTERVAL
    assert len(world.events) == count
    assert world.handler.calls == [('broken', InflateError)]


def test__Dispatcher__compressed(builder, parsers):
    """Compressed events come out in order over several batches; a payload over two messages too."""
    world = World('zlib-stream')
    parsers['TESTED_EVENT'] = world.parse
    compressor = zlib.compressobj()
    messages = []
    for sequence in range(1, 50):
        message = compressor.compress(builder(sequence)) + compressor.flush(zlib.Z_SYNC_FLUSH)
        if sequence % 10 == 0:
            messages.append(message[:-6])
            messages.append(None)
            message = message[-6:]
        
        messages.append(message)
    
    messages.append(None)
    iterator = arrange(messages, world.batch_count)
    for _ in range(messages.count(None)):
        assert world.dispatcher.messages_received(iterator, NEVER) is False
    
    assert [data['number'] for data, _ in world.events] == list(range(1, 50))


@pytest.mark.parametrize('seed', range(40))
def test__Dispatcher__payloads_over_messages(parsers, seed):
    """
    However a `zlib-stream` is cut into messages, each event is handed over or skipped once: those that are not decoded
    too, though nothing of them is looked at but the beginning.
    """
    random = Random(seed)
    world = World('zlib-stream')
    parsers['TESTED_EVENT'] = world.parse
    parsers['INERT_EVENT_HERE'] = inert
    world.receive_messages([None])
    compressor = zlib.compressobj()
    count = 200
    share = random.choice((0.0, 0.2, 0.8))
    cut_share = random.choice((0.02, 0.2, 1.0))
    messages = []
    for sequence in range(1, count + 1):
        name = 'TESTED_EVENT' if random.random() < share else 'INERT_EVENT_HERE'
        payload = build(sequence, {'number': sequence, 'text': '%x' % random.getrandbits(200)}, name)
        message = compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
        if random.random() < cut_share:
            cut = random.choice((random.randrange(1, len(message)), len(message) - random.randrange(1, 6)))
            messages.append(message[: cut])
            message = message[cut :]
        
        messages.append(message)
        if not random.randrange(20):
            messages.append(None)
    
    messages.append(None)
    frames = arrange(messages, world.batch_count)
    for _ in range(messages.count(None)):
        assert world.dispatcher.messages_received(frames, NEVER) is False
    
    numbers = [data['number'] for data, _ in world.events]
    assert numbers == sorted(set(numbers))
    assert world.counts == (len(numbers), count - len(numbers), 0)
    assert world.session.sequence == count
    assert not world.handler.calls


@pytest.mark.parametrize('count', (0, 1, 7))
@pytest.mark.parametrize('compression', ('zlib-stream', 'zstd-stream'))
def test__Dispatcher__broken_behind_events(parsers, compression, count):
    """The events in front of what is corrupt are handed over, and nothing behind it."""
    world = World(compression)
    parsers['TESTED_EVENT'] = world.parse
    compressor = Compressor(compression)
    messages = [compressor.compress(build(sequence)) for sequence in range(1, count + 1)]
    messages.extend((b'\xff' * 300, b'junk' * 100, compressor.compress(build(count + 1)), None))
    world.receive_messages(messages)
    assert len(world.events) == count
    assert world.session.sequence == count
    assert world.handler.calls == [('broken', InflateError)]


@pytest.mark.parametrize('compression', ('zlib-stream', 'zstd-stream'))
def test__Dispatcher__broken_compression(parsers, compression):
    """A corrupt stream is told to the handler once; what comes later is thrown away."""
    world = World(compression)
    parsers['TESTED_EVENT'] = world.parse
    messages = arrange([b'junk' * 100, b'\xff' * 300, build(1), None, build(2), None], world.batch_count)
    world.dispatcher.messages_received(messages, NEVER)
    world.dispatcher.messages_received(messages, NEVER)
    assert world.handler.calls == [('broken', InflateError)]
    assert next(messages, 'end') == 'end'


@pytest.mark.parametrize('compression', ('zlib-stream', 'zstd-stream', 'none'))
def test__Dispatcher__text(parsers, compression):
    """A text is a payload on a connection without compression, and an error on one with it."""
    world = World(compression)
    parsers['TESTED_EVENT'] = world.parse
    world.dispatcher.message_received(build(1), True)
    if compression == 'none':
        assert len(world.events) == 1
    else:
        assert world.handler.calls == [('broken', InflateError)]


def test__Dispatcher__repr(parsers):
    """The representation has the counts, and nothing of the content."""
    world = World()
    parsers['TESTED_EVENT'] = inert
    world.receive(build(1, {'text': 'secret'}))
    assert repr(world.dispatcher) == '<Dispatcher dispatched = 0, skipped = 1, gaps = 0, stopped = False>'
