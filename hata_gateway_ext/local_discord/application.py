"""
Applications with their bots, and the table of all: what Discord counts for each application is counted here.
"""
__all__ = ('Application', 'ApplicationTable', 'create_token', 'parse_token')

from base64 import b64decode, b64encode
from binascii import Error as Base64DecodeError

from .codes import CLOSE_AUTHENTICATION_FAILED
from .session import END_TOKEN

# A token has three parts between dots: the bot's id in base64, a timestamp and a hash. Only the first one is read.
TOKEN_TAIL = '.LocalD.not-a-secret-it-opens-nothing-anywhere'

# What Discord takes in front of a token, in a header and in IDENTIFY.
TOKEN_PREFIX = 'Bot '


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
    """Reads the bot's id out of a token; `0` if it is not of Discord's form."""
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
        """The parameters are the attributes."""
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
        return (
            f'<{type(self).__name__} application_id = {self.application_id!r}, session_start_remaining = '
            f'{self.session_start_remaining!r}, is_token_reset = {self.is_token_reset!r}>'
        )
    
    
    def refresh_session_starts(self, now, total, reset_after):
        """Fills the budget of session starts up again when it is time."""
        if now >= self.session_start_reset_at:
            self.session_start_remaining = total
            self.session_start_reset_at = now + reset_after
    
    
    def enter_bucket(self, now, shard_id, max_concurrency, interval):
        """
        Uses the identify bucket of the shard; returns whether it was free. A refused identify does not prolong its window.
        Discord docs, Gateway: "Sharding: Max Concurrency".
        """
        bucket = shard_id % max_concurrency
        identified_at = self.bucket_identified_at.get(bucket, None)
        if (identified_at is not None) and (now < identified_at + interval):
            return False
        
        self.bucket_identified_at[bucket] = now
        return True
    
    
    def enter_user_request(self, now, guild_id, interval):
        """Notes that all members of a guild are requested; returns seconds until that is allowed, `0.0` if it is."""
        requested_at = self.users_requested_at.get(guild_id, None)
        if (requested_at is not None) and (now < requested_at + interval):
            return requested_at + interval - now
        
        self.users_requested_at[guild_id] = now
        return 0.0


class ApplicationTable:
    """
    The applications of a local Discord: one, or one for every token if asked to.
    
    Attributes
    ----------
    core : ``Core``
        The local Discord.
    _by_token : ``dict<str, Application>``
        The applications.
    """
    __slots__ = ('_by_token', 'core')
    
    def __new__(cls, core):
        self = object.__new__(cls)
        self._by_token = {}
        self.core = core
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} {list(self._by_token.values())!r}>'
    
    
    def __iter__(self):
        return iter(list(self._by_token.values()))
    
    
    def add(self, token):
        """Adds and returns the application of a token."""
        options = self.core.options
        remaining = options.session_start_remaining
        application = Application(
            parse_token(token) or self.core.world.default_bot_id,
            token,
            options.session_start_total if remaining is None else remaining,
            self.core.now() + options.session_start_reset_after,
        )
        self._by_token[token] = application
        return application
    
    
    def get(self, token):
        """Returns the application of what a client gave as token; `None` if it is wrong."""
        if not isinstance(token, str):
            return None
        
        if token.startswith(TOKEN_PREFIX):
            token = token[len(TOKEN_PREFIX):]
        
        application = self._by_token.get(token, None)
        if application is None:
            if self.core.options.accept_any_token and parse_token(token):
                application = self.add(token)
        
        elif application.is_token_reset:
            application = None
        
        return application
    
    
    def take_session_start(self, application):
        """
        Uses one of the application's session starts. If there is none left, its token is reset and every session of it
        ends. Discord docs, Gateway: "Session Start Limit".
        """
        core = self.core
        options = core.options
        application.refresh_session_starts(core.now(), options.session_start_total, options.session_start_reset_after)
        if application.session_start_remaining > 0:
            application.session_start_remaining -= 1
            return True
        
        application.is_token_reset = True
        for session in core.sessions.select(application_id = application.application_id):
            core.sessions.end(session, END_TOKEN)
        
        for connection in list(core.connections):
            if (connection.application is application) or (connection.application is None):
                connection.close(CLOSE_AUTHENTICATION_FAILED)
        
        return False
