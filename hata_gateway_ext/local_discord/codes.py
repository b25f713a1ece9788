"""
The numbers of Discord's gateway protocol: operations, close codes, intents and limits, as its documentation has them.
"""
__all__ = ()

# Discord docs, Gateway Opcodes.
DISPATCH = 0
HEARTBEAT = 1
IDENTIFY = 2
PRESENCE = 3
VOICE_STATE = 4
RESUME = 6
RECONNECT = 7
REQUEST_GUILD_USERS = 8
INVALIDATE_SESSION = 9
HELLO = 10
HEARTBEAT_ACKNOWLEDGE = 11
REQUEST_SOUNDBOARD_SOUNDS = 31
REQUEST_CHANNEL_INFO = 43

# Discord docs, Gateway Close Event Codes.
CLOSE_UNKNOWN_ERROR = 4000
CLOSE_UNKNOWN_OPERATION = 4001
CLOSE_DECODE_ERROR = 4002
CLOSE_NOT_AUTHENTICATED = 4003
CLOSE_AUTHENTICATION_FAILED = 4004
CLOSE_ALREADY_AUTHENTICATED = 4005
CLOSE_INVALID_SEQUENCE = 4007
CLOSE_RATE_LIMITED = 4008
CLOSE_INVALID_SHARD = 4010
CLOSE_SHARDING_REQUIRED = 4011
CLOSE_INVALID_VERSION = 4012
CLOSE_INVALID_INTENTS = 4013
CLOSE_DISALLOWED_INTENTS = 4014

# What Discord says with a code.
CLOSE_REASONS = {
    CLOSE_UNKNOWN_OPERATION: 'Unknown opcode.',
    CLOSE_DECODE_ERROR: 'Error while decoding payload.',
    CLOSE_NOT_AUTHENTICATED: 'Not authenticated.',
    CLOSE_AUTHENTICATION_FAILED: 'Authentication failed.',
    CLOSE_ALREADY_AUTHENTICATED: 'Already authenticated.',
    CLOSE_INVALID_SEQUENCE: 'Invalid seq.',
    CLOSE_RATE_LIMITED: 'Rate limited.',
    CLOSE_INVALID_SHARD: 'Invalid shard.',
    CLOSE_SHARDING_REQUIRED: 'Sharding required.',
    CLOSE_INVALID_VERSION: 'Invalid API version.',
    CLOSE_INVALID_INTENTS: 'Invalid intent(s).',
    CLOSE_DISALLOWED_INTENTS: 'Disallowed intent(s).',
}

# Discord docs, Gateway: "Initiating a Disconnect": a client that closes with one of these ends its session.
SESSION_ENDING_CLOSE_CODES = frozenset((1000, 1001))

# Discord docs, Gateway: "Sending Events": a larger payload is answered with close code 4002. Bytes of JSON.
PAYLOAD_SIZE_LIMIT = 4096

# Discord docs, API Versions: those that are not discontinued. No `v` in the query means the default one.
VERSIONS = (None, '9', '10')
VERSION = 10

# Discord docs, Gateway: "List of Intents".
INTENTS = sum(1 << shift for shift in (*range(17), 20, 21, 24, 25))

# Discord docs, Gateway Events: "Guild Members Chunk": at most 1000 members in one.
CHUNK_SIZE = 1000

# Discord docs, Gateway Events: "Request Guild Members": all members of a guild may be asked for once in 30 seconds.
USER_REQUEST_INTERVAL = 30.0
