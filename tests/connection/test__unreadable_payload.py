"""
A payload that Discord sends unreadable again and again costs itself, and nothing else.
"""
from hata_gateway_ext import GatewayInputReport
from hata_gateway_ext.protocol.session import UNREADABLE_LIMIT
from hata_gateway_ext.local_discord import LocalDiscord, Replace


async def test__unreadable_payload__passed_over(run_bot):
    """It is asked for again by resuming; after the third time it is passed over, and what follows is handled."""
    def spoil(payload):
        content = (payload.get('d') or {}).get('content')
        return b'{"t":"MESSAGE_CREATE","s":' if content == '#1' else payload
    
    async with LocalDiscord(heartbeat_interval = 1.0) as discord, run_bot(discord) as bot:
        with discord.fault(Replace(spoil), at = 'dispatch', times = None):
            with discord.fault(Replace(spoil), at = 'replay', times = None):
                for _ in range(4):
                    discord.send_message()
                
                await bot.wait_for(lambda: bot.numbers == [0, 2, 3])
                await bot.wait_for(lambda: len(bot.errors) >= 2)
        
        assert discord.recording.resume_count() == UNREADABLE_LIMIT
        assert discord.recording.identify_count() == 1
        # Reported when the session was resumed for it first, and when it was passed over.
        assert [type(error) for error in bot.errors] == [GatewayInputReport] * 2
        assert 'passed over' in str(bot.errors[1])
        
        # What is unreadable only once is not lost.
        discord.fault(Replace(lambda payload: b'{}'), at = 'dispatch', times = 1)
        discord.send_message()
        await bot.wait_for(lambda: bot.numbers == [0, 2, 3, 4])
