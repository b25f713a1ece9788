"""
That a shard cannot connect is said once, until it can, or the reason changes.
"""
import pytest

from hata_gateway_ext.errors import (
    CONNECT_FAILURE_HTTP, CONNECT_FAILURE_REFUSED, CONNECT_FAILURE_TIMEOUT, GatewayConnectReport
)
from hata_gateway_ext.gateway.connect_troubles import ConnectTroubles, TIMEOUT_MESSAGES
from hata_gateway_ext.protocol.session import STATE_TIMEOUTS
from hata_gateway_ext.protocol.transitions import STATES, STATE_CONNECTING, STATE_GREETING

from ..doubles.reports import RecordingReports


@pytest.fixture
def reports():
    """Reports of a client."""
    return RecordingReports()


def test__ConnectTroubles__once(reports):
    """The same reason once, another one again, and again after there was a connection."""
    troubles = ConnectTroubles(1, reports)
    refused = GatewayConnectReport(CONNECT_FAILURE_REFUSED, 'Refused.', 1)
    unavailable = GatewayConnectReport(CONNECT_FAILURE_HTTP, 'HTTP 503.', 1, status = 503)
    limited = GatewayConnectReport(CONNECT_FAILURE_HTTP, 'HTTP 429.', 1, status = 429)
    
    for report in (refused, refused, unavailable, unavailable, limited, refused, refused):
        troubles.failed(report)
    
    assert reports.reported == [refused, unavailable, limited, refused]
    
    troubles.over()
    troubles.over()
    troubles.failed(refused)
    assert len(reports.reported) == 5


def test__ConnectTroubles__each_shard(reports):
    """The troubles of two shards are two; that one is over says nothing of the other."""
    first, second = ConnectTroubles(0, reports), ConnectTroubles(1, reports)
    report = GatewayConnectReport(CONNECT_FAILURE_REFUSED, 'Refused.')
    first.failed(report)
    second.failed(report)
    first.over()
    second.failed(report)
    assert len(reports.reported) == 2


@pytest.mark.parametrize('state', STATES)
def test__ConnectTroubles__timed_out(reports, state):
    """A deadline that passes is said of while there is no connection; where there is one it is made anew without a word."""
    ConnectTroubles(1, reports).timed_out(state)
    
    if state in (STATE_CONNECTING, STATE_GREETING):
        report, = reports.reported
        assert (report.kind, report.shard_id) == (CONNECT_FAILURE_TIMEOUT, 1)
        assert 'in time' in str(report)
    else:
        assert reports.reported == []


def test__TIMEOUT_MESSAGES__states():
    """Each of them belongs to a state that has a deadline."""
    assert TIMEOUT_MESSAGES.keys() <= STATE_TIMEOUTS.keys()
