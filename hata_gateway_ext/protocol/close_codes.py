"""
What a close code means for the session: one table.

Facts: Discord docs, "Gateway Close Event Codes". The advice of the fatal ones is ours.
"""
__all__ = (
    'CLOSE_CODES', 'CLOSE_CODE_KEEP_SESSION', 'CLOSE_CODE_END_SESSION', 'CloseCode', 'RECOVERY_FATAL',
    'RECOVERY_IDENTIFY', 'RECOVERY_RESUME', 'get_recovery',
)

RECOVERY_RESUME = 'resume'
RECOVERY_IDENTIFY = 'identify'
RECOVERY_FATAL = 'fatal'

# The code that we close with when the session is over. Discord docs, Gateway: "Initiating a Disconnect": 1000 and 1001
# end the session at once.
CLOSE_CODE_END_SESSION = 1000

# The code that we close with when we will resume. Any code but 1000 and 1001 keeps the session; hata uses 4000 as well.
CLOSE_CODE_KEEP_SESSION = 4000


class CloseCode:
    """
    A close code of Discord's gateway.
    
    Attributes
    ----------
    advice : `None | str`
        What the bot's owner can do. Given for the codes that are reported or fatal.
    code : `int`
        The close code.
    name : `str`
        Discord's name of it.
    recovery : `str`
        One of ``RECOVERY_RESUME``, ``RECOVERY_IDENTIFY`` and ``RECOVERY_FATAL``.
    reported : `bool`
        Whether it is a fault of ours or of the bot's, so that it is reported although the session goes on.
    """
    __slots__ = ('advice', 'code', 'name', 'recovery', 'reported')
    
    def __new__(cls, code, name, recovery, reported = False, advice = None):
        """
        Creates a close code.
        
        Parameters
        ----------
        code : `int`
            The close code.
        name : `str`
            Discord's name of it.
        recovery : `str`
            What to do after it.
        reported : `bool` = `False`, Optional
            Whether it is reported although the session goes on.
        advice : `None | str` = `None`, Optional
            What the bot's owner can do.
        """
        self = object.__new__(cls)
        self.advice = advice
        self.code = code
        self.name = name
        self.recovery = recovery
        self.reported = reported
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} {self.code} {self.name!r}, recovery = {self.recovery!r}>'


CLOSE_CODES = {
    close_code.code : close_code for close_code in (
        CloseCode(4000, 'unknown error', RECOVERY_RESUME),
        CloseCode(
            4001, 'unknown opcode', RECOVERY_RESUME, True,
            'A payload with an operation that Discord does not know was sent through the gateway.',
        ),
        CloseCode(
            4002, 'decode error', RECOVERY_RESUME, True,
            'A payload that Discord could not decode was sent through the gateway.',
        ),
        CloseCode(4003, 'not authenticated', RECOVERY_IDENTIFY),
        CloseCode(
            4004, 'authentication failed', RECOVERY_FATAL, False,
            'Discord does not accept the token. Copy it anew from the developer portal (Bot, Reset Token).',
        ),
        CloseCode(4005, 'already authenticated', RECOVERY_RESUME),
        CloseCode(4007, 'invalid seq', RECOVERY_IDENTIFY),
        CloseCode(
            4008, 'rate limited', RECOVERY_RESUME, True,
            'More was sent than the gateway allows (120 payloads in 60 seconds).',
        ),
        CloseCode(4009, 'session timed out', RECOVERY_IDENTIFY),
        CloseCode(
            4010, 'invalid shard', RECOVERY_FATAL, False,
            'The shard id is not below the shard count. Check the `shard_count` of the client.',
        ),
        CloseCode(
            4011, 'sharding required', RECOVERY_FATAL, False,
            'The bot is in more guilds than its shards can serve. Start it with more shards.',
        ),
        CloseCode(
            4012, 'invalid API version', RECOVERY_FATAL, False,
            'Discord retired this version of its API. Update hata, or check `HATA_API_VERSION`.',
        ),
        CloseCode(
            4013, 'invalid intents', RECOVERY_FATAL, False,
            'Discord does not know an intent that the client asks for. Check the `intents` of the client.',
        ),
        CloseCode(
            4014, 'disallowed intents', RECOVERY_FATAL, False,
            'The client asks for a privileged intent that is not enabled. Enable it in the developer portal (Bot, '
            'Privileged Gateway Intents), or leave it out of the `intents` of the client.',
        ),
    )
}


def get_recovery(code):
    """
    Returns what to do after the peer closed the connection.
    
    Parameters
    ----------
    code : `None | int`
        The close code; `None` if the connection was lost without one.
    
    Returns
    -------
    recovery : `str`
        One of ``RECOVERY_RESUME``, ``RECOVERY_IDENTIFY`` and ``RECOVERY_FATAL``. What is not in the table resumes.
    """
    close_code = CLOSE_CODES.get(code, None)
    if close_code is None:
        return RECOVERY_RESUME
    
    return close_code.recovery
