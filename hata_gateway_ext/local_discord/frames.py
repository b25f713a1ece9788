"""
Web socket frames of a server: unmasked, and only to be written.

The gateway writes them itself, straight into the transport, because its faults need every byte under control: messages in
several frames, close frames without code, bytes that are no frame at all.
"""
__all__ = ('OPCODE_BINARY', 'OPCODE_PONG', 'OPCODE_TEXT', 'build_close_frame', 'build_frame', 'build_frames')

# RFC 6455, 5.2. Base Framing Protocol
OPCODE_CONTINUATION = 0x0
OPCODE_TEXT = 0x1
OPCODE_BINARY = 0x2
OPCODE_CLOSE = 0x8
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
    Builds a frame.
    
    Parameters
    ----------
    opcode : `int`
        ``OPCODE_TEXT``, ``OPCODE_BINARY``, ``OPCODE_PONG``.
    data : `bytes`
        Its payload.
    final : `bool` = `True`, Optional
        Whether it is its message's last.
    
    Returns
    -------
    frame : `bytes`
    """
    head = opcode | FINAL if final else opcode
    length = len(data)
    
    if length <= LENGTH_7_MAX:
        return bytes((head, length)) + data
    
    if length <= LENGTH_16_MAX:
        return bytes((head, LENGTH_16_MARK)) + length.to_bytes(2, 'big') + data
    
    return bytes((head, LENGTH_64_MARK)) + length.to_bytes(8, 'big') + data


def build_frames(opcode, data, size):
    """Builds a message of frames of at most `size` bytes each."""
    starts = range(0, max(len(data), 1), size)
    return b''.join(
        build_frame(OPCODE_CONTINUATION if start else opcode, data[start : start + size], start == starts[-1])
        for start in starts
    )


def build_close_frame(code, reason = ''):
    """Builds a close frame, without code if it is `None`. The reason is cut to what fits."""
    if code is None:
        data = b''
    else:
        # Cut in the middle of a character it would not be UTF-8.
        data = code.to_bytes(2, 'big') + reason.encode()[:CLOSE_REASON_MAX].decode(errors = 'ignore').encode()
    
    return build_frame(OPCODE_CLOSE, data)
