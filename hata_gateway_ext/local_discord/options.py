"""
The options of a local Discord: one table with the defaults and with what is accepted.
"""
__all__ = ('LocalDiscordOptions',)


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


# name, default, check. The defaults are Discord's where Discord names a number (Discord docs, Gateway):
# - heartbeat_interval: 41250 ms is what HELLO carries.
# - identify_interval: one IDENTIFY per bucket per 5 s.
# - session_start_total and session_start_reset_after: 1000 in 24 h.
# - send_limit and send_interval: 120 in 60 s.
# - session_lifetime: Discord says "a few minutes".
# The rest is ours: replay_bound keeps minutes of a busy shard, ledger_bound hours of traffic at 8 bytes each,
# record_bound hours of a quiet bot, without growing for ever.
OPTIONS = (
    ('accept_any_token', False, _check_bool),
    ('disallowed_intents', 0, _check_amount),
    ('frame_split', None, _check_optional_count),
    ('guilds', 2, _check_amount),
    ('heartbeat_interval', 41.25, _check_seconds),
    ('identify_interval', 5.0, _check_seconds),
    ('ledger_bound', 10000000, _check_count),
    ('max_concurrency', 1, _check_count),
    ('members_per_guild', 5, _check_count),
    ('message_split', None, _check_optional_count),
    ('record_bound', 100000, _check_count),
    ('replay_bound', 200000, _check_count),
    ('required_shards', 0, _check_amount),
    ('send_interval', 60.0, _check_seconds),
    ('send_limit', 120, _check_count),
    ('session_lifetime', 180.0, _check_seconds),
    ('session_start_remaining', None, _check_optional_amount),
    ('session_start_reset_after', 86400.0, _check_seconds),
    ('session_start_total', 1000, _check_amount),
    ('shards', 1, _check_count),
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
