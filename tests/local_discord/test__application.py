"""
Applications of the local Discord: tokens, identify buckets, session starts.
"""
import pytest

from hata_gateway_ext.local_discord import create_token
from hata_gateway_ext.local_discord.application import Application, parse_token


def create_application():
    """An application with 2 session starts, that are filled up at 100."""
    return Application(1, 'secret.token', 2, 100.0)


@pytest.mark.parametrize('user_id', (1, 2 ** 62, 106065606000000001))
def test__create_token(user_id):
    """The id can be read from the token."""
    assert parse_token(create_token(user_id)) == user_id


@pytest.mark.parametrize('token', ('', 'x', 'MTA2MDY1NjA2MDAwMDAwMDAx', '.x', 'é.x', 'aGV5.x'))
def test__parse_token__wrong(token):
    """What is no token has no id."""
    assert parse_token(token) == 0


def test__Application__enter_bucket():
    """One identify in a window for each bucket; a refused one does not prolong it."""
    application = create_application()
    assert application.enter_bucket(10.0, 0, 2, 5.0)
    assert application.enter_bucket(10.0, 1, 2, 5.0)
    assert not application.enter_bucket(14.9, 2, 2, 5.0)
    assert application.enter_bucket(15.0, 2, 2, 5.0)
    assert not application.enter_bucket(19.9, 0, 2, 5.0)


def test__Application__refresh_session_starts():
    """Session starts are filled up when it is time."""
    application = create_application()
    application.refresh_session_starts(99.9, 1000, 50.0)
    assert application.session_start_remaining == 2
    application.refresh_session_starts(100.0, 1000, 50.0)
    assert (application.session_start_remaining, application.session_start_reset_at) == (1000, 150.0)


def test__Application__enter_user_request():
    """All members of a guild once in an interval; another guild does not wait."""
    application = create_application()
    assert application.enter_user_request(0.0, 1, 30.0) == 0.0
    assert application.enter_user_request(10.0, 1, 30.0) == 20.0
    assert application.enter_user_request(10.0, 2, 30.0) == 0.0
    assert application.enter_user_request(30.0, 1, 30.0) == 0.0


def test__Application__repr():
    """The token is kept secret."""
    assert 'secret' not in repr(create_application())
