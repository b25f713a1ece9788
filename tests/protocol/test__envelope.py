"""
The envelope of a payload: reading its head without decoding, and decoding it with every check.
"""
import json

import pytest

from hata_gateway_ext.protocol import envelope as envelope_module
from hata_gateway_ext.protocol.envelope import (
    Envelope, HEAD_NAME_SIZE_MIN, HEAD_SIZE, KNOWN_HEADS, KNOWN_HEADS_MAX, decode_payload, learn_head, load_payload,
    read_head
)
from hata_gateway_ext.protocol.errors import PayloadError


@pytest.fixture(params = ('orjson', 'json'))
def decoder(request, monkeypatch):
    """Runs a test with `orjson` and without."""
    if request.param == 'json':
        monkeypatch.setattr(envelope_module, 'load_json_fast', None)
    else:
        pytest.importorskip('orjson')


@pytest.fixture
def known_heads():
    """Gives the known heads back as they were."""
    heads = KNOWN_HEADS.copy()
    KNOWN_HEADS.clear()
    yield KNOWN_HEADS
    KNOWN_HEADS.clear()
    KNOWN_HEADS.update(heads)


HEADS = (
    (b'{"t":"MESSAGE_CREATE","s":1,"op":0,"d":{"id":"1"}}', ('MESSAGE_CREATE', 1)),
    (b'{"t":"A","s":0,"op":0,"d":null}', ('A', 0)),
    (b'{"t":"TYPING_START","s":0,"op":0,"d":null}', ('TYPING_START', 0)),
    (b'{"t":"USER_UPDATE","s":12345,"op":0,"d":null}', ('USER_UPDATE', 12345)),
    (b'{"t":"EMBEDDED_ACTIVITY_UPDATE_V2","s":999999999999999999,"op":0,"d":[]}', (
        'EMBEDDED_ACTIVITY_UPDATE_V2', 999999999999999999,
    )),
    # other orders, other spaces, other operations
    (b'{"op":0,"d":{},"s":1,"t":"A"}', None),
    (b'{"t":"A","op":0,"s":1,"d":{}}', None),
    (b'{"t":"A","s":1,"d":{},"op":0}', None),
    (b'{"t": "A","s":1,"op":0,"d":{}}', None),
    (b' {"t":"A","s":1,"op":0,"d":{}}', None),
    (b'{"t":"A","s":1,"op":0, "d":{}}', None),
    (b'{"t":null,"s":null,"op":11,"d":null}', None),
    (b'{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":41250}}', None),
    (b'{"t":"A","s":1,"op":1,"d":{}}', None),
    (b'{"t":"A","s":1,"op":00,"d":{}}', None),
    (b'{"t":"A","s":null,"op":0,"d":{}}', None),
    # what is no number, or no name
    (b'{"t":"A","s":01,"op":0,"d":{}}', None),
    (b'{"t":"A","s":-1,"op":0,"d":{}}', None),
    (b'{"t":"A","s":1.0,"op":0,"d":{}}', None),
    (b'{"t":"A","s":1e3,"op":0,"d":{}}', None),
    (b'{"t":"A","s":true,"op":0,"d":{}}', None),
    (b'{"t":"A","s":"1","op":0,"d":{}}', None),
    (b'{"t":"A","s":,"op":0,"d":{}}', None),
    (b'{"t":"A","s":1234567890123456789,"op":0,"d":{}}', None),
    (b'{"t":"","s":1,"op":0,"d":{}}', None),
    (b'{"t":"a","s":1,"op":0,"d":{}}', None),
    (b'{"t":"A\\u0042","s":1,"op":0,"d":{}}', None),
    (b'{"t":"A\\"B","s":1,"op":0,"d":{}}', None),
    (b'{"t":"\xd9\xa1","s":1,"op":0,"d":{}}', None),
    (b'{"t":"' + b'A' * 65 + b'","s":1,"op":0,"d":{}}', None),
    (b'{"t":"A","s":\xd9\xa1,"op":0,"d":{}}', None),
    (b'', None),
    (b'{', None),
    (b'[]', None),
    # a head inside of the data is no head
    (b'{"x":{"t":"A","s":1,"op":0,"d":{}}}', None),
    (b'{"d":{"t":"A","s":1,"op":0,"d":{}},"op":10}', None),
)


@pytest.mark.parametrize(('payload', 'expected_head'), HEADS)
def test__read_head(payload, expected_head):
    """A head is read only if it is written exactly as Discord writes it; otherwise the payload is to be decoded."""
    assert read_head(payload) == expected_head


@pytest.mark.parametrize(('payload', 'expected_head'), HEADS)
def test__learn_head(payload, expected_head, known_heads):
    """
    What is learnt leads from the first bytes to the name, and the format gives all that is in front of the data. Names so
    short that the first bytes hold digits of the sequence are not learnt.
    """
    learn_head(payload)
    if (expected_head is None) or (len(expected_head[0]) < HEAD_NAME_SIZE_MIN):
        assert not known_heads
        return
    
    name, sequence = expected_head
    (head, (known_name, head_format, is_distinct)), = known_heads.items()
    
    assert head == payload[: HEAD_SIZE]
    assert known_name == name
    assert is_distinct == (b'"%b"' % name.encode() in head)
    assert payload.startswith(head_format % sequence)
    assert payload[len(head_format % sequence) :] == payload.partition(b'"d":')[2]
    assert not payload.startswith(head_format % (sequence + 1))
    
    # The first bytes are the same for any sequence.
    other = payload.replace(b'"s":%d,' % sequence, b'"s":%d,' % (sequence // 7 + 1))
    assert other[: HEAD_SIZE] == head
    assert other.startswith(head_format % (sequence // 7 + 1))


def test__learn_head__names_that_begin_alike(known_heads):
    """Of names that begin alike the last one is known; no other payload has its head."""
    payloads = [
        b'{"t":"MESSAGE_REACTION_REMOVE%b","s":5,"op":0,"d":{}}' % suffix for suffix in (b'', b'_ALL', b'_EMOJI', b'')
    ]
    for payload in payloads:
        learn_head(payload)
        (name, head_format, is_distinct), = known_heads.values()
        assert not is_distinct
        assert payload.startswith(head_format % 5)
        assert name == read_head(payload)[0]
        for other in payloads:
            assert other.startswith(head_format % 5) == (other == payload)


def test__learn_head__bounded(known_heads):
    """A peer that invents names does not grow what is remembered."""
    for index in range(KNOWN_HEADS_MAX + 100):
        learn_head(b'{"t":"%dNAME","s":1,"op":0,"d":{}}'.replace(b'%dNAME', b'NAME_%08d_' % index))
    
    assert len(known_heads) == KNOWN_HEADS_MAX


def test__Envelope__dispatch(decoder):
    """Order and spaces do not matter, unknown fields neither."""
    for payload in (
        b'{"t":"A","s":5,"op":0,"d":{"x":1}}',
        b'{"op":0,"d":{"x":1},"s":5,"t":"A"}',
        b' { "op" : 0 , "extra" : [] , "d" : {"x": 1} , "t" : "A" , "s" : 5 } ',
    ):
        envelope = Envelope(payload)
        assert envelope.operation == 0
        assert envelope.name == 'A'
        assert envelope.sequence == 5
        assert envelope.data == {'x': 1}
        assert envelope.message['d'] is envelope.data


def test__Envelope__other_operations(decoder):
    """Other operations need neither name, sequence nor data, and are not asked for a known operation."""
    for payload, operation, data in (
        (b'{"t":null,"s":null,"op":11,"d":null}', 11, None),
        (b'{"op":7}', 7, None),
        (b'{"op":9,"d":true}', 9, True),
        (b'{"op":10,"d":{"heartbeat_interval":41250}}', 10, {'heartbeat_interval': 41250}),
        (b'{"op":1,"s":3,"t":"X","d":251}', 1, 251),
        (b'{"op":12345,"d":[]}', 12345, []),
        (b'{"op":-1,"d":[]}', -1, []),
    ):
        envelope = Envelope(payload)
        assert envelope.operation == operation
        assert envelope.data == data


@pytest.mark.parametrize(
    ('payload', 'expected_words'),
    (
        (b'', ('JSON',)),
        (b'secret', ('JSON',)),
        (b'{"op":0,"secret"', ('JSON',)),
        (b'{"op":0,"d":"secret\xff"}', ('JSON', 'UTF-8')),
        (b'\xff\xfes\x00e\x00c\x00r\x00e\x00t\x00', ('JSON', 'UTF-8')),
        (b'\xef\xbb\xbf{"op":11,"secret":1}', ('JSON',)),
        (b'{"op":11}{"op":11}', ('JSON',)),
        (b'["secret"]', ('object', 'list')),
        (b'"secret"', ('object', 'str')),
        (b'null', ('object', 'NoneType')),
        (b'123', ('object', 'int')),
        (b'{}', ('`op`', 'missing')),
        (b'{"op":null}', ('`op`', 'NoneType', 'int')),
        (b'{"op":"secret"}', ('`op`', 'str', 'int')),
        (b'{"op":true}', ('`op`', 'bool', 'int')),
        (b'{"op":10.0}', ('`op`', 'float', 'int')),
        (b'{"op":[0]}', ('`op`', 'list', 'int')),
        (b'{"op":0,"d":{},"s":1}', ('`t`', 'missing')),
        (b'{"op":0,"d":{},"s":1,"t":null}', ('`t`', 'NoneType', 'str')),
        (b'{"op":0,"d":{},"s":1,"t":5}', ('`t`', 'int', 'str')),
        (b'{"op":0,"d":{},"t":"A"}', ('`s`', 'missing')),
        (b'{"op":0,"d":{},"s":null,"t":"A"}', ('`s`', 'NoneType', 'int')),
        (b'{"op":0,"d":{},"s":"secret","t":"A"}', ('`s`', 'str', 'int')),
        (b'{"op":0,"d":{},"s":1.5,"t":"A"}', ('`s`', 'float', 'int')),
        (b'{"op":0,"d":{},"s":true,"t":"A"}', ('`s`', 'bool', 'int')),
        (b'{"op":0,"d":{},"s":-1,"t":"A"}', ('`s`', 'negative')),
        (b'{"op":0,"s":1,"t":"A"}', ('`d`', 'missing')),
        (b'{"op":11,"s":"secret"}', ('`s`', 'str', 'int')),
        (b'{"op":11,"s":false}', ('`s`', 'bool', 'int')),
        (b'{"op":11,"t":5}', ('`t`', 'int', 'str')),
        (b'{"op":10,"d":{"heartbeat_interval":NaN}}', ('NaN',)),
        (b'{"op":10,"d":{"heartbeat_interval":-Infinity}}', ('Infinity',)),
        (b'{"op":NaN}', ('NaN',)),
        (b'{"op":11,"d":' + b'[' * 100000, ('JSON',)),
        (b'{"op":11,"d":' + b'[' * 100000 + b']' * 100000 + b'}', ('JSON', 'nested')),
    ),
)
def test__Envelope__invalid(decoder, payload, expected_words):
    """Each fault is named by field and type, and nothing of the content is in the error or behind it."""
    with pytest.raises(PayloadError) as context:
        Envelope(payload)
    
    exception = context.value
    for word in expected_words:
        assert word in str(exception)
    
    assert 'secret' not in str(exception)
    while exception is not None:
        assert type(exception) is PayloadError
        exception = exception.__context__


def test__Envelope__huge_number(decoder):
    """A number of a million digits is refused or read as something that is no `int`, in linear time either way."""
    with pytest.raises(PayloadError):
        Envelope(b'{"op":' + b'9' * 1000000 + b'}')


def test__decode_payload__lone_surrogates(decoder):
    """A lone surrogate is accepted, as by hata's own decoder: users can write one, and it must not cost the connection."""
    assert decode_payload(b'{"op":0,"d":"\\ud800"}') == {'op': 0, 'd': '\ud800'}


def test__decode_payload__characters(decoder):
    """Any character comes out as it went in."""
    data = {'content': ''.join(map(chr, range(1, 0xd800, 37))) + '\U0001f600"\\/\b\f\n\r\t\x00'}
    assert decode_payload(json.dumps(data).encode()) == data
    assert decode_payload(json.dumps(data, ensure_ascii = False).encode()) == data


def test__load_payload():
    """The fast decoder decodes; what it refuses is a `ValueError` or ours."""
    assert load_payload(b'{"d":[1,2.5,null]}') == {'d': [1, 2.5, None]}
    with pytest.raises((ValueError, PayloadError)):
        load_payload(b'{"d":')


def test__Envelope__repr():
    """The representation holds no content."""
    assert repr(Envelope(b'{"op":0,"d":"secret","s":1,"t":"A"}')) == "<Envelope operation = 0, name = 'A', sequence = 1>"
