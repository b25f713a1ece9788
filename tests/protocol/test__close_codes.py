import pytest

from hata_gateway_ext.protocol.close_codes import (
    CLOSE_CODES, CLOSE_CODE_END_SESSION, CLOSE_CODE_KEEP_SESSION, CloseCode, RECOVERY_FATAL, RECOVERY_IDENTIFY,
    RECOVERY_RESUME, get_recovery
)

# Discord docs, "Gateway Close Event Codes", and what we do: code, name, recovery, whether it is reported.
EXPECTED_CLOSE_CODES = (
    (4000, 'unknown error', RECOVERY_RESUME, False),
    (4001, 'unknown opcode', RECOVERY_RESUME, True),
    (4002, 'decode error', RECOVERY_RESUME, True),
    (4003, 'not authenticated', RECOVERY_IDENTIFY, False),
    (4004, 'authentication failed', RECOVERY_FATAL, False),
    (4005, 'already authenticated', RECOVERY_RESUME, False),
    (4007, 'invalid seq', RECOVERY_IDENTIFY, False),
    (4008, 'rate limited', RECOVERY_RESUME, True),
    (4009, 'session timed out', RECOVERY_IDENTIFY, False),
    (4010, 'invalid shard', RECOVERY_FATAL, False),
    (4011, 'sharding required', RECOVERY_FATAL, False),
    (4012, 'invalid API version', RECOVERY_FATAL, False),
    (4013, 'invalid intents', RECOVERY_FATAL, False),
    (4014, 'disallowed intents', RECOVERY_FATAL, False),
)

# Each close code that a server may send in a close frame, and its absence.
ALL_CODES = (None, *range(1000, 5000))


@pytest.mark.parametrize(('code', 'name', 'recovery', 'reported'), EXPECTED_CLOSE_CODES)
def test__CLOSE_CODES__row(code, name, recovery, reported):
    """Each row of the table says what Discord's documentation and our page of the protocol say."""
    close_code = CLOSE_CODES[code]
    
    assert close_code.code == code
    assert close_code.name == name
    assert close_code.recovery == recovery
    assert close_code.reported is reported
    assert get_recovery(code) == recovery


def test__CLOSE_CODES__has_no_other_row():
    """There is no row that the test above does not know."""
    assert [*CLOSE_CODES] == [code for code, *_ in EXPECTED_CLOSE_CODES]


@pytest.mark.parametrize('close_code', CLOSE_CODES.values(), ids = lambda close_code: str(close_code.code))
def test__CLOSE_CODES__advice(close_code):
    """Who is told about a close code is told what to do; about the others nobody is told."""
    is_told = close_code.reported or (close_code.recovery == RECOVERY_FATAL)
    
    assert (close_code.advice is not None) is is_told
    if is_told:
        assert close_code.advice.endswith('.')


def test__get_recovery__everything_else_resumes():
    """No close code, 1000 to 3999, and unknown codes from 4000 on keep the session."""
    listed = {code for code, *_ in EXPECTED_CLOSE_CODES}
    
    assert {get_recovery(code) for code in ALL_CODES if code not in listed} == {RECOVERY_RESUME}


def test__close_codes_of_ours():
    """1000 and 1001 end the session, any other keeps it (Discord docs, Gateway: "Initiating a Disconnect")."""
    assert CLOSE_CODE_END_SESSION == 1000
    assert CLOSE_CODE_KEEP_SESSION not in (1000, 1001)
    assert CLOSE_CODE_KEEP_SESSION == 4000


def test__CloseCode__new():
    """What is not given is neither reported nor has advice."""
    close_code = CloseCode(4000, 'unknown error', RECOVERY_RESUME)
    
    assert close_code.reported is False
    assert close_code.advice is None


def test__CloseCode__repr():
    """The representation names code, name and recovery."""
    output = repr(CLOSE_CODES[4009])
    
    assert '4009' in output
    assert 'session timed out' in output
    assert RECOVERY_IDENTIFY in output
