"""
What the scenarios share: how they end, and TLS for the local Discord.
"""
import pytest

import hata_gateway_ext.protocol.session as protocol_session
from hata_gateway_ext.protocol.transitions import STATE_CONNECTING, STATE_GREETING, STATE_IDENTIFYING, STATE_RESUMING


@pytest.fixture
def settle():
    """Sends a last message into each shard, waits until the bot has it, and expects each message once and in order."""
    async def settle(discord, bot, forfeited = False):
        shard_ids = range(max(bot.client.shard_count, 1))
        numbers = {discord.send_message(shard_id = shard_id)['number'] for shard_id in shard_ids}
        await bot.wait_for(lambda: numbers.issubset(bot.numbers))
        
        account = discord.ledger.account(bot.numbers)
        assert account.is_clean, account
        # What was forfeited is gone for good: Discord itself ended the session. Only few scenarios expect that.
        assert forfeited or (not account.forfeited), account
    
    return settle


@pytest.fixture
def impatient(monkeypatch):
    """Shortens how long a shard waits for an answer, from tens of seconds to one."""
    for state in (STATE_CONNECTING, STATE_GREETING, STATE_IDENTIFYING, STATE_RESUMING):
        monkeypatch.setitem(protocol_session.STATE_TIMEOUTS, state, 1.0)


@pytest.fixture
def short_delays(monkeypatch):
    """Makes the delays between attempts ten times shorter."""
    monkeypatch.setattr('hata_gateway_ext.protocol.backoff.DELAY_BASE', 0.1)


@pytest.fixture
def quick_identify(monkeypatch):
    """
    Makes the pauses before an IDENTIFY short: that of a bucket, and that after op 9. For scenarios about something else; the
    local Discord must be made with `identify_interval = 0.0`.
    """
    monkeypatch.setattr('hata_gateway_ext.protocol.identify.IDENTIFY_INTERVAL', 0.0)
    monkeypatch.setattr('hata_gateway_ext.protocol.session.INVALID_PAUSE_MINIMUM', 0.05)
    monkeypatch.setattr('hata_gateway_ext.protocol.session.INVALID_PAUSE_SPREAD', 0.0)


@pytest.fixture
def short_window(monkeypatch):
    """
    Makes the window of an identify bucket last one second; the local Discord's must be made so as well. The pause after op 9
    is 1-2 s.
    """
    monkeypatch.setattr('hata_gateway_ext.protocol.identify.IDENTIFY_INTERVAL', 1.0)
    monkeypatch.setattr('hata_gateway_ext.protocol.session.INVALID_PAUSE_SPREAD', 1.0)
