"""
A local Discord: REST and gateway of Discord on loopback, for tests, for the demo and for any bot author.

It exists because a gateway can only be trusted after it was seen to survive what Discord and networks do, and nobody
can ask the real Discord to cut connections on request. It follows Discord's documentation, refuses what Discord
refuses, breaks on request, and records what each client did. It needs no token, no account and no internet; it needs
aiohttp (`pip install hata_gateway_ext[local]`).

Getting it running
------------------
On the asyncio loop of a test; the bot runs on hata's own thread:

```py
async with LocalDiscord(shards = 2, heartbeat_interval = 0.5) as discord:
    # hata reads its endpoints when it is imported: start the interpreter with `discord.environment` set, or, in a test,
    # set `hata.discord.http.urls.API_ENDPOINT` and `hata.discord.http.api_client.API_ENDPOINT` to
    # `discord.api_endpoint`.
    ...
    await discord.wait_for(lambda recording: recording.ready_count(0) and recording.ready_count(1))
    number = discord.send_message(shard_id = 1)['number']
    discord.cut(1)
    await discord.wait_for(lambda recording: recording.resumed_count(1))
```

In a thread of its own, from anywhere:

```py
with LocalDiscord(shards = 4) as discord:
    discord.wait(lambda recording: recording.ready_count() >= 4, timeout = 30.0)
    discord.close(2, 4000)
```

From a shell, with any unchanged hata bot: `python -m hata_gateway_ext serve`.

One api serves both: every method and property below is synchronous and thread-safe. Called on the loop that runs the
local Discord it acts at once, called from another thread it is carried over and waits for the result. Only waiting
differs:
`await discord.wait_for(...)` on its own loop, `discord.wait(...)` from other threads.

LocalDiscord(token = None, *, ...)
----------------------------------
Every time is in seconds, every limit has Discord's value as default.

| keyword | default | meaning |
| --- | --- | --- |
| `token` | generated | the bot's token; the bot's id is read from it as hata does (base64 of the id up to the first dot) |
| `accept_any_token` | `False` | each further well formed token becomes an application of its own, in every guild |
| `shards` | 1 | recommended by `/gateway/bot` |
| `max_concurrency` | 1 | count of identify buckets |
| `identify_interval` | 5.0 | window of an identify bucket |
| `heartbeat_interval` | 41.25 | |
| `session_start_total`, `session_start_remaining` | 1000, total | at 0 a further identify resets the token (4004, 401) |
| `session_start_reset_after` | 86400.0 | |
| `session_lifetime` | 180.0 | how long a session without connection may be resumed |
| `replay_bound` | `None` | events kept per session; `None`: `max(100, min(3500, guilds * 75))` of its shard's guilds |
| `takeover` | `'close'` | the old connection of a resumed session is closed; `'refuse'`: the RESUME gets op 9 false |
| `heartbeat_trims` | `False` | an acknowledged heartbeat drops the kept events up to its sequence |
| `zstd_frame_per_message` | `False` | zstd-stream: each message ends a zstd frame, and the next begins another |
| `repeat_sequences` | `False` | READY, READY_SUPPLEMENTAL and the first GUILD_CREATE-s all have sequence 0 |
| `guilds_before_ready` | `False` | the first GUILD_CREATE-s go in front of READY |
| `ignore_compress` | `False` | plain text, whatever compression was asked for |
| `send_limit`, `send_interval` | 120, 60.0 | over it: 4008 |
| `guilds`, `members_per_guild` | 2 (at least `shards`), 5 | guild `i` is on shard `i % shard_count` for up to 16 shards |
| `required_shards` | 0 | a lower shard count at identify: 4011 |
| `disallowed_intents` | 0 | one of these bits at identify: 4014 |
| `message_split` | `None` | zlib-stream: a payload goes out in messages of this many bytes |
| `frame_split` | `None` | a message goes out in frames of this many bytes |
| `ssl_context` | `None` | server side context for all three listeners (see `create_certificates`) |
| `host`, `port`, `gateway_port`, `resume_port` | 127.0.0.1, 0, 0, 0 | 0: any free one |
| `record_bound`, `ledger_bound` | 100000, 10000000 | entries kept of each kind of record, and of the ledger |

There are three listeners: `'api'` (REST), `'gateway'` (the url of `/gateway/bot`), `'resume'` (`resume_gateway_url`);
each can be taken down alone.

Attributes: `token`, `application_id`, `api_endpoint`, `discord_endpoint`, `gateway_url`, `environment` (variables for
an unchanged hata bot), `recording`, `ledger`, `world`, `sessions` (tuple of every session that can be used),
`connections` (tuple of open ones). `resume_gateway_url(shard_id)`, `session(shard_id)` (newest usable one or `None`),
`connection(shard_id)` (the shard's newest open connection or `None`), `ask(function)` (`function(recording)`, called on
the loop of the local Discord: so from other threads nothing changes meanwhile). Options may be changed while running:
`discord.options.max_concurrency = 4`.

Events
------
- `emit(name, data, *, shard_id = None, guild_id = None, application_id = None)`: dispatches into every session, of the
  shard if `shard_id`, of the guild's shard if `guild_id` is given. Sessions without connection get it into their replay
  buffer. Returns the count of sessions. `emit_many(name, datas, ...)` is the same for many.
- `send_message(channel_id = None, content = None, *, guild_id = None, shard_id = None)`: a MESSAGE_CREATE as a member
  of the guild would cause. `content` defaults to `f'#{number}'`; the number goes up by one each. Returns the message's
  data, with the additional key `number` that is not sent. `send_messages(count, *, guild_id = None, shard_id = None)`
  returns a `range`.
- `start_traffic(rate, *, shard_id = None)`: `rate` numbered messages a second into each shard, until `traffic.stop()`.
- `ledger.account(seen, shard_id = None)`: compares the numbers that a bot handled, in its order, with what was sent:
  the counts `.sent` and `.seen`, the tuples of numbers `.lost`, `.doubled`, `.disordered`, `.unknown` and `.forfeited`
  (not seen, but Discord itself had ended every session that held it), and `.is_clean`. `parse_number(content)` gives
  the number of a message or `None`.

Faults
------
At once, on the open connections (of a shard): `cut(shard_id = None, reset = True)`, `close(shard_id = None, code =
4000)` (`None`: no code), `reconnect(shard_id = None)` (op 7), `invalidate(shard_id = None, resumable = False)` (op 9),
`silence(shard_id = None, read = False)` (returns the fault, `.heal()` ends it), `request_heartbeat(shard_id = None)`
(op 1), `end_sessions(shard_id = None)` (their resume gets op 9).

Scripted: `fault(action, *, at = 'now', shard_id = None, times = 1, duration = None, after = 0, every = 1, passes = None)`
returns a `Fault`:
`.count` (times it struck), `.heal()`; also a context manager that heals. `times = None`: until healed. `after`: passes
of the stage that go by unharmed, counted per connection; `every`: only each so manieth of the further ones is struck;
`passes`: only these, from 1 on. `heal()` heals all.

| stage | when | what `Skip()` leaves out |
| --- | --- | --- |
| `'now'` | at once, on open connections | - |
| `'connect'` | a web socket upgrade request came | - (it is never answered) |
| `'hello'`, `'hello_sent'` | before, after HELLO | HELLO |
| `'identify'` | IDENTIFY came | the answer |
| `'ready'`, `'ready_sent'` | before, after READY | READY |
| `'resume'` | RESUME came | the answer |
| `'replay'` | before each replayed event | the event |
| `'resumed'`, `'resumed_sent'` | before, after RESUMED | RESUMED |
| `'dispatch'` | before each event that is no replay | the event |
| `'heartbeat'` | op 1 came | the acknowledgement |

Before IDENTIFY or RESUME nobody knows the shard: at `'connect'`, `'hello'`, `'hello_sent'` a fault with `shard_id`
strikes only connections to the `resume_gateway_url` of that shard; one without strikes any connection.

| action | |
| --- | --- |
| `Cut(reset = True)` | TCP reset; `False`: FIN |
| `Close(code = 4000, reason = '')` | close frame, `None`: without code |
| `Silence(read = False)` | nothing is written any more; nothing is read either unless `read` |
| `Reconnect()` | op 7 |
| `Invalidate(resumable = False)` | op 9 |
| `Skip()` | the stage's own message is left out |
| `Delay(seconds)` | the stage waits; order is kept. At `'heartbeat'` only the acknowledgement waits |
| `Refuse(status = 503, headers = None)` | HTTP answer instead of the upgrade (`'connect'` only) |
| `SendPayload(payload)` | a further payload (`dict`, or `bytes` of JSON, right or wrong) through the compression |
| `SendMessage(data)` | a web socket message as it is: `bytes` binary, `str` text; past the compression |
| `SendBytes(data)` | bytes into the TCP stream |
| `Replace(function)` | `function(payload: dict)` returns what goes out instead: `dict`, `bytes`, a `list` of those, `None` |
| `SkipSequence(by)` | the session's next sequence numbers are `by` higher (or lower) |

`stop_listening(*names, cut = True)` makes connecting to these listeners (default: all) fail with "connection refused",
and cuts the open connections that came over them; `start_listening(*names)` is back on the same ports.

`rest_fault(path = '', *, method = None, status = None, headers = None, body = None, hang = False, delay = 0.0, times =
1, duration = None)`: on requests whose path, without `/api/v10`, starts with `path`. Returns a fault as above.

Recording
---------
All times are `time.monotonic()`, also scarletio's `LOOP_TIME()`. The token is never recorded.

- `recording.connections`: `ConnectionRecord`: `number`, `listener` (`'gateway'`, `'resume'`), `opened_at`, `closed_at`,
  `query`, `headers`,
  `compression`, `version`, `refused_status`, `shard_id`, `shard_count`, `session_number`, `hello_at`, `ready_at`,
  `resumed_at`, `close_code` (sent by the client; 0: a close frame without code; `None`: no close frame),
  `discord_close_code`, `closed_by` (`'client'`, `'discord'`, `'lost'`, `None`: open),
  `dispatched` (events sent), `operations`.
- `recording.operations`: `OperationRecord`: `at`, `operation`, `data` (`d`, without the token), `shard_id`,
  `connection` (number), `size`.
- `recording.identifies`: `IdentifyRecord`: `at`, `shard_id`, `shard_count`, `result` (`'ready'`, `'too_early'`,
  `'faulted'`, or a close code), `connection`.
- `recording.resumes`: `ResumeRecord`: `at`, `shard_id`, `sequence`, `result` (`'resumed'`, `'invalid'`, `'faulted'`, or
  a close code), `replayed`, `connection`, `listener`.
- `recording.heartbeats`: `HeartbeatRecord`: `at`, `shard_id`, `sequence`, `connection`.
- `recording.requests`: `RequestRecord`: `at`, `method`, `path`, `status`.
- Counts, of all shards or of one: `ready_count(shard_id = None)`, `resumed_count(...)`, `identify_count(...)`,
  `resume_count(...)`,
  `connection_count(...)`, `close_codes(shard_id = None)`; `operations_of(operation, shard_id = None)`. `clear()`.

`await wait_for(condition, timeout = 10.0)` returns the first true value of `condition(recording)`, which is asked
whenever anything happened; `TimeoutError` with what was recorded otherwise.
"""

__all__ = (
    'ActionBase', 'Close', 'Cut', 'Delay', 'Invalidate', 'LocalDiscord', 'Reconnect', 'Refuse', 'Replace', 'STAGES',
    'SendBytes', 'SendMessage', 'SendPayload', 'Silence', 'Skip', 'SkipSequence', 'create_certificates', 'create_token',
    'parse_number',
)

try:
    import aiohttp
except ImportError as exception:
    raise ModuleNotFoundError(
        'The local Discord needs aiohttp: `pip install hata_gateway_ext[local]`.', name = 'aiohttp'
    ) from exception
else:
    del aiohttp

from .actions import (
    ActionBase, Close, Cut, Delay, Invalidate, Reconnect, Refuse, Replace, STAGES, SendBytes, SendMessage, SendPayload,
    Silence, Skip, SkipSequence
)
from .application import create_token
from .certificates import create_certificates
from .ledger import parse_number
from .local_discord import LocalDiscord
