"""
An application with its bot: its token, its identify buckets, its budget of session starts and its commands.

A local Discord serves one bot, or one for every token if asked to. What Discord counts per application is counted here.
"""
__all__ = ('Application', 'create_token', 'parse_token')

from base64 import b64decode, b64encode
from binascii import Error as Base64DecodeError


# A token has three parts between dots: the bot's id in base64, a timestamp and a hash. Only the first one is read.
TOKEN_TAIL = '.LocalD.not-a-secret-it-opens-nothing-anywhere'


def create_token(user_id):
    """
    Creates a token in the form of Discord's. It is no secret.

    Parameters
    ----------
    user_id : `int`
        The bot's id.

    Returns
    -------
    token : `str`
    """
    return b64encode(str(user_id).encode()).decode() + TOKEN_TAIL


def parse_token(token):
    """
    Reads the bot's id out of a token.

    Parameters
    ----------
    token : `str`
        The token.

    Returns
    -------
    user_id : `int`
        `0` if the token is not of Discord's form.
    """
    head, dot, _ = token.partition('.')
    if not dot:
        return 0

    # Discord leaves the padding away.
    head += '=' * (-len(head) % 4)

    try:
        return int(b64decode(head))
    except (Base64DecodeError, ValueError):
        return 0


class Application:
    """
    An application and its bot.

    Attributes
    ----------
    application_id : `int`
        The application's id, which is its bot's id as well.

    bucket_identified_at : `dict<int, float>`
        When each identify bucket was used the last time, monotonic.

    commands : ``dict<(int, int), dict<str, object>>``
        Application commands by guild id (0 if global) and their own id.

    is_token_reset : `bool`
        Whether the token was reset because of too many identifies.

    session_start_remaining : `int`
        How many identifies are left.

    session_start_reset_at : `float`
        When they are filled up again, monotonic.

    token : `str`
        The bot's token.

    users_requested_at : `dict<int, float>`
        When all members of a guild were requested the last time, monotonic.
    """
    __slots__ = (
        'application_id', 'bucket_identified_at', 'commands', 'is_token_reset', 'session_start_remaining',
        'session_start_reset_at', 'token', 'users_requested_at',
    )

    def __new__(cls, application_id, token, session_start_remaining, session_start_reset_at):
        """
        Creates a new application.

        Parameters
        ----------
        application_id : `int`
            The application's id.

        token : `str`
            The bot's token.

        session_start_remaining : `int`
            How many identifies are left.

        session_start_reset_at : `float`
            When they are filled up again, monotonic.
        """
        self = object.__new__(cls)
        self.application_id = application_id
        self.bucket_identified_at = {}
        self.commands = {}
        self.is_token_reset = False
        self.session_start_remaining = session_start_remaining
        self.session_start_reset_at = session_start_reset_at
        self.token = token
        self.users_requested_at = {}
        return self


    def __repr__(self):
        """Returns the representation of the application. Without its token."""
        return (
            f'<{type(self).__name__} application_id = {self.application_id!r}, session_start_remaining = '
            f'{self.session_start_remaining!r}, is_token_reset = {self.is_token_reset!r}>'
        )


    def refresh_session_starts(self, now, total, reset_after):
        """
        Fills the budget of session starts up again when it is time.

        Parameters
        ----------
        now : `float`
            The current time.

        total : `int`
            Count of session starts when full.

        reset_after : `float`
            Seconds for which a budget lasts.
        """
        if now >= self.session_start_reset_at:
            self.session_start_remaining = total
            self.session_start_reset_at = now + reset_after


    def enter_bucket(self, now, shard_id, max_concurrency, interval):
        """
        Uses the identify bucket of the shard. Discord docs, Gateway: "Sharding: Max Concurrency".

        Parameters
        ----------
        now : `float`
            The current time.

        shard_id : `int`
            The shard that identifies.

        max_concurrency : `int`
            Count of buckets.

        interval : `float`
            Seconds for which a bucket is used up.

        Returns
        -------
        entered : `bool`
            `False` if the bucket is still used up. A refused identify does not prolong that.
        """
        bucket = shard_id % max_concurrency
        identified_at = self.bucket_identified_at.get(bucket, None)
        if (identified_at is not None) and (now < identified_at + interval):
            return False

        self.bucket_identified_at[bucket] = now
        return True


    def enter_user_request(self, now, guild_id, interval):
        """
        Notes that all members of a guild are requested.

        Parameters
        ----------
        now : `float`
            The current time.

        guild_id : `int`
            The guild's id.

        interval : `float`
            Seconds between two such requests.

        Returns
        -------
        retry_after : `float`
            Seconds until it is allowed. `0.0` if it is.
        """
        requested_at = self.users_requested_at.get(guild_id, None)
        if (requested_at is not None) and (now < requested_at + interval):
            return requested_at + interval - now

        self.users_requested_at[guild_id] = now
        return 0.0
