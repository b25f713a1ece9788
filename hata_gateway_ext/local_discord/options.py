"""
The options of a local Discord: one table of their names, defaults, checks and meanings.
"""
__all__ = ('LocalDiscordOptions', 'OPTIONS')

from typing import Callable, NamedTuple

# A session is resumed while its old connection is open: that is closed, or the RESUME is refused.
TAKEOVER_CLOSE = 'close'
TAKEOVER_REFUSE = 'refuse'

# discord-api-docs #24: staff named `max(100, min(3500, guilds * 75))` as what a session keeps. Never documented.
REPLAY_BOUND_MIN = 100
REPLAY_BOUND_MAX = 3500
REPLAY_BOUND_PER_GUILD = 75


def _whole(minimum, is_optional = False):
    """Creates a check for whole numbers."""
    def check(name, value):
        if (value is None) and is_optional:
            return
        
        if (not isinstance(value, int)) or isinstance(value, bool):
            raise TypeError(f'`{name}` can be {"`None`, " if is_optional else ""}`int`, got {type(value).__name__}.')
        
        if value < minimum:
            raise ValueError(f'`{name}` can be at least {minimum!r}, got {value!r}.')
    
    
    return check


def _check_seconds(name, value):
    if (not isinstance(value, (int, float))) or isinstance(value, bool):
        raise TypeError(f'`{name}` can be `float`, got {type(value).__name__}.')
    
    # Written so that `nan` is refused.
    if not (value >= 0.0):
        raise ValueError(f'`{name}` can be at least 0.0 seconds, got {value!r}.')


def _check_bool(name, value):
    if not isinstance(value, bool):
        raise TypeError(f'`{name}` can be `bool`, got {type(value).__name__}.')


def _check_takeover(name, value):
    if value not in (TAKEOVER_CLOSE, TAKEOVER_REFUSE):
        raise ValueError(f'`{name}` can be {TAKEOVER_CLOSE!r} or {TAKEOVER_REFUSE!r}, got {value!r}.')


class Option(NamedTuple):
    """An option; `description` is what the documentation says about it."""
    name: str
    default: object
    check: Callable
    description: str


# The defaults are Discord's where Discord names a number (Discord docs, Gateway): what HELLO carries, one IDENTIFY per
# bucket per 5 s, 1000 session starts in 24 h, 120 payloads in 60 s; for the lifetime of a session it says "a few minutes".
# What other servers of Discord's protocol do is off. `ledger_bound` keeps hours of traffic at 8 bytes each, `record_bound`
# hours of a quiet bot, without growing for ever.
OPTIONS = (
    Option('accept_any_token', False, _check_bool, (
        'each further token of the right form is a bot of its own, in every guild'
    )),
    Option('shards', 1, _whole(1), 'recommended by `/gateway/bot`'),
    Option('required_shards', 0, _whole(0), 'an identify with fewer shards is closed with 4011'),
    Option('max_concurrency', 1, _whole(1), 'identify buckets'),
    Option('identify_interval', 5.0, _check_seconds, 'for how long an identify bucket is used up'),
    Option('heartbeat_interval', 41.25, _check_seconds, 'told by HELLO'),
    Option('session_start_total', 1000, _whole(0), 'session starts; one more than there are resets the token'),
    Option('session_start_remaining', None, _whole(0, True), 'how many of them are left at first; `None`: all'),
    Option('session_start_reset_after', 86400.0, _check_seconds, 'when they are filled up again'),
    Option('session_lifetime', 180.0, _check_seconds, 'for how long a session without connection can be resumed'),
    Option('replay_bound', None, _whole(1, True), (
        'events that a session keeps for its replay; `None`: what staff told once, `max(100, min(3500, guilds * 75))` '
        'for the guilds of its shard'
    )),
    Option('takeover', TAKEOVER_CLOSE, _check_takeover, (
        'a session is resumed while its old connection is open: that is closed; with `\'refuse\'` the RESUME gets op 9 '
        'false'
    )),
    Option('heartbeat_trims', False, _check_bool, (
        'the acknowledgement of a heartbeat drops the kept events up to the sequence that it carried'
    )),
    Option('send_limit', 120, _whole(1), 'how many payloads a client may send over a connection in `send_interval`'),
    Option('send_interval', 60.0, _check_seconds, 'see `send_limit`'),
    Option('disallowed_intents', 0, _whole(0), 'an identify with one of these bits is closed with 4014'),
    Option('guilds', 2, _whole(0), (
        'how many guilds there are, by default at least as many as `shards`; guild `i` is on shard `i % shard_count`, for '
        'up to 16 shards'
    )),
    Option('members_per_guild', 5, _whole(1), 'members of each guild, without the bot'),
    Option('message_split', None, _whole(1, True), 'zlib-stream: a payload goes out in messages of that many bytes'),
    Option('frame_split', None, _whole(1, True), 'a message goes out in frames of that many bytes'),
    Option('guilds_before_ready', False, _check_bool, 'the first `GUILD_CREATE`s go in front of READY'),
    Option('repeat_sequences', False, _check_bool, (
        'READY, `READY_SUPPLEMENTAL` and the first `GUILD_CREATE`s all have sequence 0'
    )),
    Option('ignore_compress', False, _check_bool, 'plain text, whatever compression was asked for'),
    Option('zstd_frame_per_message', False, _check_bool, (
        'zstd-stream: each message ends a zstd frame, and the next one begins another'
    )),
    Option('record_bound', 100000, _whole(1), 'records kept of each kind'),
    Option('ledger_bound', 10000000, _whole(1), 'numbered messages kept in the ledger'),
)

CHECKS = {option.name: option.check for option in OPTIONS}


class LocalDiscordOptions:
    """
    The options of a local Discord: an attribute for each entry of the table. They may be changed while it runs, and hold
    from then on.
    """
    __slots__ = tuple(sorted(CHECKS))
    
    def __new__(cls, given):
        """
        Creates the options.
        
        Parameters
        ----------
        given : `dict<str, object>`
            What the user gave.
        
        Raises
        ------
        TypeError
            - If an option does not exist, or its type is wrong.
        ValueError
            - If a value is out of its bounds.
        """
        for name in given:
            if name not in CHECKS:
                raise TypeError(f'There is no option `{name}`; there are: {", ".join(CHECKS)}.')
        
        self = object.__new__(cls)
        for option in OPTIONS:
            setattr(self, option.name, given.get(option.name, option.default))
        
        if 'guilds' not in given:
            # So that there is something to send into each shard.
            self.guilds = max(self.guilds, self.shards)
        
        return self
    
    
    def get_replay_bound(self, guild_count):
        """Returns how many events a session keeps, whose shard has so many guilds."""
        if (self.replay_bound is not None):
            return self.replay_bound
        
        return max(REPLAY_BOUND_MIN, min(REPLAY_BOUND_MAX, guild_count * REPLAY_BOUND_PER_GUILD))
    
    
    def __setattr__(self, name, value):
        """Checks the value before it is set."""
        check = CHECKS.get(name, None)
        if check is None:
            raise AttributeError(f'There is no option `{name}`; there are: {", ".join(CHECKS)}.')
        
        check(name, value)
        object.__setattr__(self, name, value)
    
    
    def __repr__(self):
        return f'<{type(self).__name__} {", ".join(f"{name} = {getattr(self, name)!r}" for name in CHECKS)}>'
