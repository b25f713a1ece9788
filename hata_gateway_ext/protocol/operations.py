"""
The operations of Discord's gateway, and the payloads that a shard sends.

Facts: Discord docs, "Gateway Opcodes" and "Gateway Events: Send Events". The builders return `dict`-s, ready to be turned
into JSON.
"""
__all__ = (
    'DISPATCH', 'HEARTBEAT', 'HEARTBEAT_ACKNOWLEDGE', 'HELLO', 'IDENTIFY', 'INVALIDATE_SESSION', 'PAYLOAD_SIZE_LIMIT',
    'PRESENCE', 'RECONNECT', 'REQUEST_GUILD_USERS', 'RESUME', 'UNGATED_OPERATIONS', 'VOICE_STATE',
    'build_heartbeat_payload', 'build_identify_payload', 'build_resume_payload', 'build_voice_state_payload',
)

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

# What may be sent before READY or RESUMED. Discord docs: everything else is answered with close code 4003.
UNGATED_OPERATIONS = frozenset((HEARTBEAT, IDENTIFY, RESUME))

# Bytes of JSON. Discord docs, Gateway: "Sending Events": a larger payload is answered with close code 4002.
PAYLOAD_SIZE_LIMIT = 4096


def build_heartbeat_payload(sequence):
    """
    Builds a heartbeat.
    
    Parameters
    ----------
    sequence : `None | int`
        The sequence of the last dispatched event, `None` before the first.
    
    Returns
    -------
    payload : `dict<str, object>`
    """
    return {
        'op': HEARTBEAT,
        'd': sequence,
    }


def build_identify_payload(token, intents, shard, presence, properties, large_threshold):
    """
    Builds an IDENTIFY.
    
    Parameters
    ----------
    token : `str`
        The token of the bot.
    intents : `int`
        The intents of the bot.
    shard : `None | (int, int)`
        Shard id and shard count; `None` if the bot is not sharded.
    presence : `dict<str, object>`
        The presence to begin with.
    properties : `dict<str, str>`
        `os`, `browser` and `device`.
    large_threshold : `int`
        From how many members on the offline ones are left out of a guild, in `[50, 250]`.
    
    Returns
    -------
    payload : `dict<str, object>`
    
    Notes
    -----
    `compress` is off on purpose: it is the compression of single payloads, which Discord refuses to combine with the
    compression of the transport.
    """
    data = {
        'token': token,
        'properties': properties,
        'compress': False,
        'large_threshold': large_threshold,
        'intents': intents,
        'presence': presence,
    }
    
    if (shard is not None):
        data['shard'] = [*shard]
    
    return {
        'op': IDENTIFY,
        'd': data,
    }


def build_resume_payload(token, session_id, sequence):
    """
    Builds a RESUME.
    
    Parameters
    ----------
    token : `str`
        The token of the bot.
    session_id : `str`
        The session to resume.
    sequence : `int`
        The sequence of the last dispatched event.
    
    Returns
    -------
    payload : `dict<str, object>`
    """
    return {
        'op': RESUME,
        'd': {
            'token': token,
            'session_id': session_id,
            'seq': sequence,
        },
    }


def build_voice_state_payload(guild_id, channel_id, self_deaf, self_mute):
    """
    Builds a voice state update: joins, moves or leaves a voice channel.
    
    Parameters
    ----------
    guild_id : `int`
        The guild. `0` is sent as null.
    channel_id : `int`
        The channel. `0`, to leave, is sent as null.
    self_deaf : `bool`
        Whether the bot is deafened.
    self_mute : `bool`
        Whether the bot is muted.
    
    Returns
    -------
    payload : `dict<str, object>`
    """
    return {
        'op': VOICE_STATE,
        'd': {
            'guild_id': str(guild_id) if guild_id else None,
            'channel_id': str(channel_id) if channel_id else None,
            'self_deaf': self_deaf,
            'self_mute': self_mute,
        },
    }
