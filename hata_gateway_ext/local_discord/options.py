"""
The options of a local Discord: one table with the defaults and with what is accepted.
"""
__all__ = ('LocalDiscordOptions', 'TAKEOVER_CLOSE', 'TAKEOVER_REFUSE')

# What happens when a session is resumed while its old connection is open: the old connection is closed, or the RESUME
# is refused. Discord does not document it.
TAKEOVER_CLOSE = 'close'
TAKEOVER_REFUSE = 'refuse'

# discord-api-docs #24: a session keeps `max(100, min(3500, guilds * 75))` events.
REPLAY_BOUND_MIN = 100
REPLAY_BOUND_MAX = 3500
REPLAY_BOUND_PER_GUILD = 75


def _check_count(name, value):
    """
    Checks a whole number of at least 1.

    Parameters
    ----------
    name : `str`
        Name of the option.

    value : `object`
        What was given.

    Raises
    ------
    TypeError
    ValueError
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f'`{name}` can be `int`, got {type(value).__name__}.')

    if value < 1:
        raise ValueError(f'`{name}` can be at least 1, got {value!r}.')


def _check_amount(name, value):
    """
    Checks a whole number of at least 0.

    Parameters
    ----------
    name : `str`
        Name of the option.

    value : `object`
        What was given.

    Raises
    ------
    TypeError
    ValueError
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f'`{name}` can be `int`, got {type(value).__name__}.')

    if value < 0:
        raise ValueError(f'`{name}` can be at least 0, got {value!r}.')


def _check_optional_count(name, value):
    """
    Checks a whole number of at least 1, or `None`.

    Parameters
    ----------
    name : `str`
        Name of the option.

    value : `object`
        What was given.

    Raises
    ------
    TypeError
    ValueError
    """
    if (value is not None):
        _check_count(name, value)


def _check_optional_amount(name, value):
    """
    Checks a whole number of at least 0, or `None`.

    Parameters
    ----------
    name : `str`
        Name of the option.

    value : `object`
        What was given.

    Raises
    ------
    TypeError
    ValueError
    """
    if (value is not None):
        _check_amount(name, value)


def _check_seconds(name, value):
    """
    Checks a time of at least 0 seconds.

    Parameters
    ----------
    name : `str`
        Name of the option.

    value : `object`
        What was given.

    Raises
    ------
    TypeError
    ValueError
    """
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError(f'`{name}` can be `float`, got {type(value).__name__}.')

    if not (value >= 0.0):
        raise ValueError(f'`{name}` can be at least 0.0 seconds, got {value!r}.')


def _check_bool(name, value):
    """
    Checks a `bool`.

    Parameters
    ----------
    name : `str`
        Name of the option.

    value : `object`
        What was given.

    Raises
    ------
    TypeError
    """
    if not isinstance(value, bool):
        raise TypeError(f'`{name}` can be `bool`, got {type(value).__name__}.')


def _check_takeover(name, value):
    """
    Checks what happens to the old connection of a resumed session.

    Parameters
    ----------
    name : `str`
        Name of the option.

    value : `object`
        What was given.

    Raises
    ------
    ValueError
    """
    if value not in (TAKEOVER_CLOSE, TAKEOVER_REFUSE):
        raise ValueError(f'`{name}` can be {TAKEOVER_CLOSE!r} or {TAKEOVER_REFUSE!r}, got {value!r}.')


# name, default, check. The defaults are Discord's where Discord names a number (Discord docs, Gateway):
# - heartbeat_interval: 41250 ms is what HELLO carries.
# - identify_interval: one IDENTIFY per bucket per 5 s.
# - session_start_total and session_start_reset_after: 1000 in 24 h.
# - send_limit and send_interval: 120 in 60 s.
# - session_lifetime: Discord says "a few minutes".
# - replay_bound: `None` is what staff told once (discord-api-docs #24): see `get_replay_bound`.
# The rest is ours: ledger_bound keeps hours of traffic at 8 bytes each, record_bound hours of a quiet bot, without
# growing for ever. Discord does none of heartbeat_trims, guilds_before_ready, repeat_sequences, ignore_compress,
# zstd_frame_per_message as far as is known; other servers of its protocol do.
OPTIONS = (
    ('accept_any_token', False, _check_bool),
    ('disallowed_intents', 0, _check_amount),
    ('frame_split', None, _check_optional_count),
    ('guilds', 2, _check_amount),
    ('guilds_before_ready', False, _check_bool),
    ('heartbeat_interval', 41.25, _check_seconds),
    ('heartbeat_trims', False, _check_bool),
    ('identify_interval', 5.0, _check_seconds),
    ('ignore_compress', False, _check_bool),
    ('ledger_bound', 10000000, _check_count),
    ('max_concurrency', 1, _check_count),
    ('members_per_guild', 5, _check_count),
    ('message_split', None, _check_optional_count),
    ('record_bound', 100000, _check_count),
    ('repeat_sequences', False, _check_bool),
    ('replay_bound', None, _check_optional_count),
    ('required_shards', 0, _check_amount),
    ('send_interval', 60.0, _check_seconds),
    ('send_limit', 120, _check_count),
    ('session_lifetime', 180.0, _check_seconds),
    ('session_start_remaining', None, _check_optional_amount),
    ('session_start_reset_after', 86400.0, _check_seconds),
    ('session_start_total', 1000, _check_amount),
    ('shards', 1, _check_count),
    ('takeover', TAKEOVER_CLOSE, _check_takeover),
    ('zstd_frame_per_message', False, _check_bool),
)


class LocalDiscordOptions:
    """
    The options of a local Discord. An attribute for each entry of the table above; they may be changed while it runs,
    and hold from then on.
    """
    __slots__ = tuple(name for name, default, check in OPTIONS)

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
            - If an option does not exist.
            - If a value's type is wrong.
        ValueError
            - If a value is out of its bounds.
        """
        self = object.__new__(cls)
        for name, default, check in OPTIONS:
            setattr(self, name, given.get(name, default))

        if 'guilds' not in given:
            # So that there is something to send into each shard.
            self.guilds = max(self.guilds, self.shards)

        for name in given:
            if name not in CHECKS:
                raise TypeError(f'There is no option `{name}`; there are: {", ".join(CHECKS)}.')

        return self


    def get_replay_bound(self, guild_count):
        """
        Returns how many events a session keeps for its replay.

        Parameters
        ----------
        guild_count : `int`
            How many guilds are on the session's shard.

        Returns
        -------
        replay_bound : `int`
        """
        replay_bound = self.replay_bound
        if replay_bound is None:
            replay_bound = max(REPLAY_BOUND_MIN, min(REPLAY_BOUND_MAX, guild_count * REPLAY_BOUND_PER_GUILD))

        return replay_bound


    def __setattr__(self, name, value):
        """Checks the value before it is set."""
        try:
            check = CHECKS[name]
        except KeyError:
            raise AttributeError(f'There is no option `{name}`; there are: {", ".join(CHECKS)}.') from None

        check(name, value)
        object.__setattr__(self, name, value)


    def __repr__(self):
        """Returns the representation of the options."""
        return f'<{type(self).__name__} {", ".join(f"{name} = {getattr(self, name)!r}" for name in CHECKS)}>'


CHECKS = {name: check for name, default, check in OPTIONS}
