"""
The frames that the local Discord writes.
"""
import pytest

from hata_gateway_ext.local_discord.frames import (
    OPCODE_BINARY, OPCODE_TEXT, build_close_frame, build_frame, build_frames
)


@pytest.mark.parametrize(
    ('length', 'header'),
    (
        (0, b'\x82\x00'), (125, b'\x82\x7d'), (126, b'\x82\x7e\x00\x7e'), (65535, b'\x82\x7e\xff\xff'),
        (65536, b'\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00'),
    ),
)
def test__build_frame(length, header):
    """The length is written in the shortest form."""
    assert build_frame(OPCODE_BINARY, bytes(length)) == header + bytes(length)


def test__build_frames():
    """A message in several frames: the first has the opcode, the last the final bit."""
    assert build_frames(OPCODE_TEXT, b'abcde', 2) == b'\x01\x02ab\x00\x02cd\x80\x01e'
    assert build_frames(OPCODE_TEXT, b'abcd', 2) == b'\x01\x02ab\x80\x02cd'
    assert build_frames(OPCODE_TEXT, b'', 2) == b'\x81\x00'


def test__build_close_frame():
    """With and without code; a reason is cut to fit, at a whole character."""
    assert build_close_frame(None) == b'\x88\x00'
    assert build_close_frame(4000, 'ok') == b'\x88\x04\x0f\xa0ok'
    frame = build_close_frame(4000, 'é' * 100)
    assert len(frame) == 2 + 2 + 122
    frame[4:].decode()
