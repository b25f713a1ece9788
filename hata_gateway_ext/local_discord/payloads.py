"""
Payloads as bytes. Discord writes an envelope in the order `t`, `s`, `op`, `d`, and the data of one event goes to many
sessions under different sequences; so the data is encoded once, and the envelope is put around it for each session.
"""
__all__ = ('build_payload', 'decode_json', 'encode_envelope', 'encode_json')

try:
    from orjson import dumps as encode_json, loads as decode_json
except ImportError:
    from json import dumps as _dumps, loads as decode_json
    
    
    def encode_json(value):
        """Encodes a value to compact JSON."""
        return _dumps(value, ensure_ascii = False, separators = (',', ':')).encode()

from .codes import DISPATCH


def encode_envelope(operation, data, name = None, sequence = None):
    """Puts a payload together; `data` is its encoded `d`."""
    return b''.join((
        b'{"t":',
        b'null' if name is None else encode_json(name),
        b',"s":',
        b'null' if sequence is None else b'%d' % sequence,
        b',"op":%d,"d":' % operation,
        data,
        b'}',
    ))


def build_payload(name, data, sequence):
    """
    Builds a whole dispatched payload, for ``LocalDiscord.stream``.
    
    Parameters
    ----------
    name : `str`
        Name of the event.
    data : `object`
        Its data.
    sequence : `int`
        Its sequence.
    
    Returns
    -------
    payload : `bytes`
    """
    return encode_envelope(DISPATCH, encode_json(data), name, sequence)
