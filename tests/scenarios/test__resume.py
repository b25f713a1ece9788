"""
Losing the connection: what is lost is resumed, and no event is lost, doubled or out of order.
"""
import pytest
from hata.discord.events.core import PARSERS

from hata_gateway_ext.local_discord import Close, Cut, Delay, Invalidate, LocalDiscord, Reconnect, Refuse, Skip


COMPRESSIONS = ('zlib-stream', 'zstd-stream', 'none')


@pytest.mark.parametrize('compression', COMPRESSIONS)
async def test__resume__each_compression(run_bot, settle, compression):
    """Each kind of loss is resumed, one after the other, with traffic before, meanwhile and after."""
    async with LocalDiscord(heartbeat_interval = 0.5, message_split = 700, frame_split = 300) as discord:
        async with run_bot(discord, gateway_compression = compression) as bot:
            losses = (
                lambda: discord.cut(0, reset = True),
                lambda: discord.cut(0, reset = False),
                lambda: discord.close(0, None),
                lambda: discord.close(0, 1000),
                lambda: discord.close(0, 4000),
                lambda: discord.reconnect(0),
                lambda: discord.invalidate(0, resumable = True),
            )
            for index, lose in enumerate(losses):
                discord.send_messages(50)
                lose()
                discord.send_messages(50)
                await discord.wait_for(lambda recording, count = index + 1: recording.resumed_count(0) == count)
            
            await settle(discord, bot)
            assert discord.recording.identify_count(0) == 1
            assert discord.recording.resume_count(0) == len(losses)
            assert not bot.errors
        
        # Each connection asks for the same, whether it was made to identify or to resume.
        connections = discord.recording.connections
        assert {connection.compression for connection in connections} == {compression}
        assert {connection.query.get('v', None) for connection in connections} == {'10'}
        assert {connection.query.get('encoding', None) for connection in connections} == {'json'}
        
        # Identified at the url of `/gateway/bot`, resumed at `resume_gateway_url`.
        assert [connection.listener for connection in connections] == ['gateway'] + ['resume'] * len(losses)


@pytest.mark.parametrize('reset', (True, False))
async def test__resume__in_the_middle_of_a_flood(run_bot, settle, reset):
    """A connection that is cut while thousands of events are on their way is resumed from the last one that was handled."""
    async with LocalDiscord(heartbeat_interval = 0.5, replay_bound = 200_000) as discord:
        async with run_bot(discord) as bot:
            for index in range(4):
                discord.send_messages(2000)
                discord.cut(0, reset = reset)
                discord.send_messages(500)
                await discord.wait_for(lambda recording, count = index + 1: recording.resumed_count(0) == count)
            
            await settle(discord, bot)
            assert discord.recording.identify_count(0) == 1


async def test__resume__from_the_last_dispatched_event(run_bot, settle, monkeypatch):
    """
    The sequence that is resumed from is that of the last event handed to its parser: what was read with it, and not handled
    before the connection was given up, comes again.
    """
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            seen = []
            
            def parser(client, data):
                driver = client.gateway.driver
                seen.append((data['index'], client.gateway.sequence))
                if data['index'] == 5:
                    driver.terminate()
            
            monkeypatch.setitem(PARSERS, 'SCENARIO', parser)
            first_sequence = discord.session(0).sequence + 1
            discord.emit_many('SCENARIO', [{'index': index} for index in range(20)], shard_id = 0)
            resume = await discord.wait_for(lambda recording: recording.resumes and recording.resumes[0])
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            await settle(discord, bot)
            
            # While an event is handled, the session still stands at the one before.
            assert seen == [(index, first_sequence + index - 1) for index in range(20)]
            assert resume.sequence == first_sequence + 5
            assert resume.replayed == 14


async def test__resume__lost_again(run_bot, settle, short_delays):
    """A loss during a resume, and in the middle of its replay, is resumed as well: each kind of loss at each moment of it."""
    actions = (
        lambda: Cut(reset = True), lambda: Cut(reset = False), lambda: Close(4000), lambda: Close(None), Reconnect,
        lambda: Invalidate(resumable = True),
    )
    stages = ('hello', 'hello_sent', 'resume', 'replay', 'resumed', 'resumed_sent')
    cases = [(stage, action()) for stage in stages for action in actions]
    count = len(cases)
    
    async with LocalDiscord(heartbeat_interval = 0.5, shards = count, max_concurrency = count, guilds = count) as discord:
        async with run_bot(discord, shard_count = count) as bot:
            faults = []
            for shard_id, (stage, action) in enumerate(cases):
                faults.append(discord.fault(action, at = stage, shard_id = shard_id, after = 10 if stage == 'replay' else 0))
                discord.cut(shard_id)
                discord.send_messages(20, shard_id = shard_id)
            
            await discord.wait_for(lambda recording: all(
                fault.count and recording.resumed_count(shard_id) > (fault.stage == 'resumed_sent')
                for shard_id, fault in enumerate(faults)
            ))
            await settle(discord, bot)
            
            for shard_id, case in enumerate(cases):
                assert discord.recording.identify_count(shard_id) == 1, case
                assert bot.gateway.gateways[shard_id].get_statistics().resumes, case
            
            assert not bot.errors


async def test__resume__resume_gateway_url_refused(run_bot, settle, short_delays):
    """If `resume_gateway_url` cannot be reached twice, the url of `/gateway/bot` is tried, and the session is kept."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            discord.stop_listening('resume')
            discord.cut(0)
            discord.send_messages(20)
            resume = await discord.wait_for(lambda recording: recording.resumed_count(0) and recording.resumes[-1])
            assert resume.listener == 'gateway'
            await settle(discord, bot)
            assert discord.recording.identify_count(0) == 1
            
            # That worked, so the next loss begins at `resume_gateway_url` again.
            discord.start_listening('resume')
            discord.cut(0)
            await discord.wait_for(lambda recording: recording.resumed_count(0) == 2)
            assert discord.recording.resumes[-1].listener == 'resume'
            await settle(discord, bot)


@pytest.mark.parametrize('action', (Refuse(503), Refuse(404), Cut(), Skip()), ids = repr)
async def test__resume__resume_gateway_url_without_answer(run_bot, settle, short_delays, impatient, action):
    """A `resume_gateway_url` that refuses, breaks or never answers the upgrade is given up after the second attempt."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            fault = discord.fault(action, at = 'connect', shard_id = 0, times = None)
            discord.cut(0)
            discord.send_messages(20)
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            assert fault.count == 2
            assert discord.recording.resumes[-1].listener == 'gateway'
            await settle(discord, bot)
            assert discord.recording.identify_count(0) == 1


async def test__resume__never_answered(run_bot, settle, short_delays, impatient):
    """No RESUMED and no replayed event in time: closed with 4000, and resumed on a new connection."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            with discord.fault(Skip(), at = 'resume', times = 2) as fault:
                discord.cut(0)
                discord.send_messages(20)
                await discord.wait_for(lambda recording: recording.resumed_count(0))
                assert fault.count == 2
            
            assert discord.recording.close_codes(0) == [4000, 4000]
            await settle(discord, bot)
            assert discord.recording.identify_count(0) == 1


async def test__resume__long_replay(run_bot, settle, impatient):
    """A replay that takes longer than the time for an answer is not cut: each replayed event begins the time anew."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            with discord.fault(Delay(0.1), at = 'replay', times = None):
                discord.cut(0)
                discord.send_messages(20)
                await discord.wait_for(lambda recording: recording.resumed_count(0))
            
            assert discord.recording.resume_count(0) == 1
            await settle(discord, bot)


async def test__resume__session_gone(run_bot, settle, quick_identify):
    """A session that Discord does not know any more is answered with op 9: the shard identifies."""
    async with LocalDiscord(heartbeat_interval = 0.5, identify_interval = 0.0) as discord:
        async with run_bot(discord) as bot:
            old_session_id = bot.gateway.session_id
            discord.end_sessions(0)
            discord.cut(0)
            await discord.wait_for(lambda recording: recording.ready_count(0) == 2)
            assert [resume.result for resume in discord.recording.resumes] == ['invalid']
            assert bot.gateway.session_id != old_session_id
            await settle(discord, bot)


async def test__resume__right_after_ready(run_bot, settle):
    """Lost between READY and the guilds: these are replayed, and the bot is ready once, with all of its guilds."""
    async with LocalDiscord(heartbeat_interval = 0.5, guilds = 5) as discord:
        discord.fault(Cut(), at = 'ready_sent')
        async with run_bot(discord) as bot:
            assert len(bot.client.guilds) == 5
            assert {guild.available for guild in bot.client.guilds} == {True}
            await settle(discord, bot)
            assert bot.ready_count == 1
            assert discord.recording.identify_count(0) == 1
            assert discord.recording.resumed_count(0) == 1


@pytest.mark.parametrize('code', (4003, 4007, 4009, 4000, 1000))
async def test__resume__closed_before_hello(run_bot, settle, short_delays, code):
    """An attempt that fails before HELLO leaves the session as it is, whatever the close code says."""
    async with LocalDiscord(heartbeat_interval = 0.5) as discord:
        async with run_bot(discord) as bot:
            discord.fault(Close(code), at = 'hello')
            discord.cut(0)
            discord.send_messages(20)
            await discord.wait_for(lambda recording: recording.resumed_count(0))
            await settle(discord, bot)
            assert discord.recording.identify_count(0) == 1


async def test__resume__not_after_close(make_bot, settle, quick_identify):
    """Closing with 1000 ends the session: a client that is stopped and started again identifies."""
    async with LocalDiscord(heartbeat_interval = 0.5, identify_interval = 0.0) as discord:
        bot = make_bot(discord)
        for count in (1, 2):
            await bot.start()
            await discord.wait_for(lambda recording, count = count: recording.ready_count(0) == count)
            await settle(discord, bot)
            await bot.stop()
            await discord.wait_for(lambda recording: not discord.connections)
            assert bot.gateway.session_id is None
            assert discord.sessions == ()
        
        assert discord.recording.close_codes(0) == [1000, 1000]
        assert discord.recording.resume_count() == 0
