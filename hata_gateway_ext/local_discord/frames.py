"""
Server side WebSocket frames: unmasked, and only to be written.

The gateway writes its frames itself, straight into the transport, because its faults need every byte under control:
messages in several frames, close frames without code, bytes that are no frame at all.
"""
__all__ = (
    'OPCODE_BINARY', 'OPCODE_CLOSE', 'OPCODE_PING', 'OPCODE_PONG', 'OPCODE_TEXT', 'build_close_frame', 'build_frame',
    'build_frames',
)

# RFC 6455, 5.2. Base Framing Protocol
OPCODE_CONTINUATION = 0x0
OPCODE_TEXT = 0x1
OPCODE_BINARY = 0x2
OPCODE_CLOSE = 0x8
OPCODE_PING = 0x9
OPCODE_PONG = 0xa

FINAL = 0x80

# RFC 6455, 5.2: 0-125 is the length itself, 126 means that 16 bits, 127 that 64 bits follow.
LENGTH_7_MAX = 125
LENGTH_16_MARK = 126
LENGTH_16_MAX = 0xffff
LENGTH_64_MARK = 127

# RFC 6455, 5.5: the payload of a control frame is at most 125 bytes, of which the close code takes 2.
CLOSE_REASON_MAX = 123


def build_frame(opcode, data, final = True):
    """
    Builds one frame.

    Parameters
    ----------
    opcode : `int`
        The frame's opcode.

    data : `bytes`
        The frame's payload.

    final : `bool` = `True`, Optional
        Whether the frame is its message's last.

    Returns
    -------
    frame : `bytes`
    """
    head = opcode | FINAL if final else opcode
    length = len(data)

    if length <= LENGTH_7_MAX:
        header = bytes((head, length))
    elif length <= LENGTH_16_MAX:
        header = bytes((head, LENGTH_16_MARK)) + length.to_bytes(2, 'big')
    else:
        header = bytes((head, LENGTH_64_MARK)) + length.to_bytes(8, 'big')

    return header + data


def build_frames(opcode, data, size):
    """
    Builds a message of frames of at most the given size.

    Parameters
    ----------
    opcode : `int`
        The message's opcode.

    data : `bytes`
        The message.

    size : `int`
        Maximal count of payload bytes in a frame. Positive.

    Returns
    -------
    frames : `bytes`
    """
    length = len(data)
    parts = []
    start = 0

    while True:
        end = start + size
        parts.append(build_frame(OPCODE_CONTINUATION if start else opcode, data[start : end], end >= length))
        if end >= length:
            return b''.join(parts)

        start = end


def build_close_frame(code, reason = ''):
    """
    Builds a close frame.

    Parameters
    ----------
    code : `None | int`
        Close code. `None` for a close frame without code.

    reason : `str` = `''`, Optional
        Reason of closing, cut to what fits into a control frame.

    Returns
    -------
    frame : `bytes`
    """
    if code is None:
        data = b''
    else:
        data = code.to_bytes(2, 'big') + reason.encode()[:CLOSE_REASON_MAX].decode(errors = 'ignore').encode()

    return build_frame(OPCODE_CLOSE, data)
