"""
Op 9, INVALID_SESSION.
"""
import pytest

from hata_gateway_ext.local_discord import Close, Invalidate, LocalDiscord, Skip


async def test__invalid_session__resumable(run_bot, settle):
    """Op 9 with `d = true`: closed with a code that keeps the session, and resumed."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            session_id = bot.gateway.session_id
            discord.send_messages(20)
            discord.invalidate(0, resumable = True)
            discord.send_messages(20)
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            await settle(discord, bot)
            assert discord.recording.close_codes(0) == [4000]
            assert discord.recording.identify_count(0) == 1
            assert bot.gateway.session_id == session_id


async def test__invalid_session__not_resumable(run_bot, settle, monkeypatch):
    """Op 9 with `d = false`: the session is forgotten, and after a random 1-5 s the shard identifies."""
    # The window of the bucket would hide the pause.
    monkeypatch.setattr('hata_gateway_ext.protocol.identify.IDENTIFY_INTERVAL', 0.0)
    async with LocalDiscord(heartbeat_interval = 0.5, identify_interval = 0.0) as discord:
        async with run_bot(discord) as bot:
            session_id = bot.gateway.session_id
            discord.invalidate(0)
            await discord.wait_for(lambda recording: recording.ready_count(0) == 2)
            await settle(discord, bot, forfeited = True)
            assert discord.recording.resume_count(0) == 0
            assert bot.gateway.session_id != session_id
            
            pause = discord.recording.identifies[1].at - discord.recording.connections[0].closed_at
            assert 1.0 <= pause < 5.0 + 1.0


async def test__invalid_session__again_and_again(run_bot, settle, quick_identify):
    """A Discord that answers each IDENTIFY with op 9 is not asked in a hot loop; each time it is asked anew."""
    async with LocalDiscord(heartbeat_interval = 0.5, identify_interval = 0.0) as discord:
        discord.fault(Invalidate(), at = 'identify', times = 2)
        discord.fault(Skip(), at = 'identify', times = 2)
        async with run_bot(discord) as bot:
            await settle(discord, bot)
            assert discord.recording.identify_count(0) == 3
            assert discord.recording.resume_count(0) == 0
            
            identified_at = [identify.at for identify in discord.recording.identifies]
            pauses = [later - earlier for earlier, later in zip(identified_at, identified_at[1:])]
            # The backoff grows over the pause of op 9, of which this scenario has next to nothing: the half of 1 and 2 s.
            for pause, delay in zip(pauses, (0.5, 1.0)):
                assert pause >= delay


@pytest.mark.parametrize('stage', ('hello_sent', 'resume', 'replay', 'resumed'))
async def test__invalid_session__while_resuming(run_bot, settle, quick_identify, short_delays, stage):
    """Op 9 with `d = false` while resuming: the session is forgotten, and the shard identifies."""
    async with LocalDiscord(heartbeat_interval = 0.5, identify_interval = 0.0) as discord:
        async with run_bot(discord) as bot:
            discord.fault(Invalidate(), at = stage, shard_id = 0)
            discord.cut(0)
            discord.send_messages(20)
            if stage in ('hello_sent', 'resume'):
                # Discord does not know yet which session it answers for; it is one that is over.
                discord.end_sessions(0)
            
            await discord.wait_for(lambda recording: recording.ready_count(0) == 2)
            await settle(discord, bot, forfeited = True)
            assert discord.recording.identify_count(0) == 2


async def test__invalid_session__resumable_before_ready(run_bot, settle, quick_identify, short_delays):
    """Op 9 with `d = true` as the answer to IDENTIFY: there is no session that could be resumed; the shard identifies."""
    async with LocalDiscord(heartbeat_interval = 0.5, identify_interval = 0.0) as discord:
        discord.fault(Invalidate(resumable = True), at = 'identify')
        discord.fault(Skip(), at = 'identify')
        async with run_bot(discord) as bot:
            await settle(discord, bot)
            assert discord.recording.identify_count(0) == 2
            assert discord.recording.resume_count(0) == 0


async def test__identify__ready_does_not_come(run_bot, settle, quick_identify, short_delays, impatient):
    """No READY in time after IDENTIFY: closed with 4000, and tried again."""
    async with LocalDiscord(heartbeat_interval = 0.5, identify_interval = 0.0) as discord:
        discord.fault(Skip(), at = 'identify')
        async with run_bot(discord) as bot:
            await settle(discord, bot)
            assert discord.recording.identify_count(0) == 2
            assert discord.recording.close_codes(0) == [4000]


async def test__identify__hello_does_not_come(run_bot, settle, short_delays, impatient):
    """No HELLO in time: closed with 4000, reported, and tried again; that costs no identify."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        discord.fault(Skip(), at = 'hello')
        async with run_bot(discord) as bot:
            await settle(discord, bot)
            assert discord.recording.identify_count(0) == 1
            assert discord.recording.connections[0].close_code == 4000
            assert [error.kind for error in bot.errors] == ['timeout']


async def test__identify__closed_before_ready(run_bot, settle, quick_identify, short_delays):
    """A close between IDENTIFY and READY: identified anew, whatever the code says about a session that never was."""
    async with LocalDiscord(heartbeat_interval = 0.5, identify_interval = 0.0) as discord:
        for code in (4000, 4009, None):
            discord.fault(Close(code), at = 'ready')
        
        async with run_bot(discord) as bot:
            await settle(discord, bot)
            assert discord.recording.resume_count(0) == 0
            assert discord.recording.ready_count(0) == 1
