"""
Payloads to bytes and back.

Discord writes an envelope in the order `t`, `s`, `op`, `d`, and the data of one event goes to many sessions under
different sequence numbers; so the data is encoded once, and the envelope is put around it for each session.
"""
__all__ = ('decode_json', 'encode_envelope', 'encode_json')

try:
    from orjson import dumps as encode_json, loads as decode_json
except ImportError:
    from json import dumps as _dumps, loads as decode_json


    def encode_json(value):
        """
        Encodes the given value to compact JSON.

        Parameters
        ----------
        value : `object`

        Returns
        -------
        data : `bytes`

        Raises
        ------
        TypeError
            - If the value cannot be encoded.
        """
        return _dumps(value, ensure_ascii = False, separators = (',', ':')).encode()


def encode_envelope(operation, data, name = None, sequence = None):
    """
    Puts a payload together, in Discord's order of keys.

    Parameters
    ----------
    operation : `int`
        The payload's operation.

    data : `bytes`
        The already encoded `d` field.

    name : `None | str` = `None`, Optional
        Event name.

    sequence : `None | int` = `None`, Optional
        Sequence number.

    Returns
    -------
    payload : `bytes`
    """
    return b''.join((
        b'{"t":',
        b'null' if name is None else encode_json(name),
        b',"s":',
        b'null' if sequence is None else b'%d' % sequence,
        b',"op":%d,"d":' % operation,
        data,
        b'}',
    ))
