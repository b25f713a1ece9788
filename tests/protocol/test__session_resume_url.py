"""
Where a session is resumed: at its own url, or at that of `/gateway/bot`.
"""
import pytest

from hata_gateway_ext.protocol.session import RESUME_URL_ATTEMPTS, Session, SessionMachine
from hata_gateway_ext.protocol.transitions import (
    ACTION_RESUME, INPUT_CONNECTED, INPUT_CONNECT_FAILED, INPUT_INVALID, INPUT_LOST, INPUT_RESUMED, INPUT_START,
    INPUT_TIMEOUT, STATE_CONNECTING
)

URL = 'wss://gateway-seija.discord.test'


def _create_session():
    return Session('session', URL, 12)


def _get_connecting_machine(session):
    machine = SessionMachine(session)
    machine.receive(INPUT_START, 0.0, 0.0)
    machine.delay_over(0.0, 0.0)
    assert machine.state == STATE_CONNECTING
    return machine


def _fail_to_connect(machine, has_connected):
    if has_connected:
        machine.receive(INPUT_CONNECTED, 0.0, 0.0)
        machine.receive(INPUT_LOST, 0.0, 0.0)
    else:
        machine.receive(INPUT_CONNECT_FAILED, 0.0, 0.0)
    
    machine.delay_over(0.0, 0.0)


@pytest.mark.parametrize('has_connected', (False, True))
def test__SessionMachine__should_use_resume_url__unreachable(has_connected):
    """A `resume_gateway_url` that cannot be reached twice is given up for that of `/gateway/bot`, with the session."""
    session = _create_session()
    machine = _get_connecting_machine(session)
    
    for _ in range(RESUME_URL_ATTEMPTS):
        assert machine.should_use_resume_url()
        _fail_to_connect(machine, has_connected)
    
    for _ in range(5):
        assert not machine.should_use_resume_url()
        _fail_to_connect(machine, has_connected)
    
    assert machine.session is session
    machine.receive(INPUT_CONNECTED, 0.0, 0.0)
    assert ACTION_RESUME in machine.hello(0.0, 0.0)
    
    # Once it has worked, the url of the session is tried first again.
    machine.receive(INPUT_RESUMED, 0.0, 0.0)
    assert machine.should_use_resume_url()


def test__SessionMachine__should_use_resume_url__in_a_row():
    """Only failures in a row count: one HELLO at the url shows that it can be reached."""
    machine = _get_connecting_machine(_create_session())
    
    for _ in range(5):
        _fail_to_connect(machine, False)
        assert machine.should_use_resume_url()
        machine.receive(INPUT_CONNECTED, 0.0, 0.0)
        machine.hello(0.0, 0.0)
        machine.receive(INPUT_LOST, 0.0, 0.0)
        machine.delay_over(0.0, 0.0)
        assert machine.should_use_resume_url()


def test__SessionMachine__should_use_resume_url__hello_elsewhere():
    """HELLO at the url of `/gateway/bot` says nothing about the `resume_gateway_url`."""
    machine = _get_connecting_machine(_create_session())
    for _ in range(RESUME_URL_ATTEMPTS):
        _fail_to_connect(machine, False)
    
    machine.receive(INPUT_CONNECTED, 0.0, 0.0)
    machine.hello(0.0, 0.0)
    machine.receive(INPUT_TIMEOUT, 0.0, 0.0)
    assert not machine.should_use_resume_url()


def test__SessionMachine__should_use_resume_url__new_session():
    """The failures of an old session's url are not those of the next one's."""
    machine = _get_connecting_machine(_create_session())
    for _ in range(RESUME_URL_ATTEMPTS):
        _fail_to_connect(machine, False)
    
    machine.receive(INPUT_CONNECTED, 0.0, 0.0)
    machine.hello(0.0, 0.0)
    machine.receive(INPUT_INVALID, 0.0, 0.0)
    session = machine.session
    session.session_id = 'other'
    session.resume_gateway_url = URL
    session.sequence = 1
    assert machine.should_use_resume_url()


def test__SessionMachine__should_use_resume_url__none():
    """A session without a url is resumed at that of `/gateway/bot`."""
    machine = SessionMachine(Session('session', None, 4))
    
    assert machine.session.is_resumable()
    assert not machine.should_use_resume_url()
