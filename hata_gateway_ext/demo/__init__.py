"""
The demo: a real bot on a local Discord, whose connections are broken under traffic, and an account of every event.

It exists because "no event is lost" is easily said. Here every event has a number; what was sent is known to the local
Discord, what was handled is told by the bot, and the difference is what the gateway lost.

The bot is a process of its own, as hata reads where Discord is when it is imported. Everything else lives on one asyncio
loop: the local Discord, the traffic, what breaks the connections, and the table.

- `bot.py` is that process, `bot_process.py` is its handle, `bot_settings.py` is what it is told.
- `account.py` compares what was sent with what was seen, `traffic.py` sends.
- `breakage.py` is a way to break connections, `breakages_*.py` are the tables of them, `schedule.py` chooses from them,
    `breaker.py` goes through the schedule.
- `trial.py` puts one gateway through all that, `outcome.py` is what came out.
- `live_table.py` and `plain_lines.py` show it, `summary.py` says how it ended.
"""
__all__ = ()
