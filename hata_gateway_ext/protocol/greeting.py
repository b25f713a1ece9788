"""
What HELLO and READY must hold.

Both are read once per connection, and everything that follows depends on them; so what is missing or ill-typed is found
here, and not later in a timer or in a parser.
"""
__all__ = ('HEARTBEAT_INTERVAL_MAXIMUM', 'HEARTBEAT_INTERVAL_MINIMUM', 'check_ready', 'read_heartbeat_interval')

from .errors import PayloadError

# Seconds. A heartbeat interval outside is a mistake: Discord's is 41.25 s. The lower bound leaves room for local servers in
# tests; the upper one is far over what keeps a connection through NAT open.
HEARTBEAT_INTERVAL_MINIMUM = 0.01
HEARTBEAT_INTERVAL_MAXIMUM = 3600.0


def read_heartbeat_interval(data):
    """
    Reads the heartbeat interval of a HELLO.
    
    Parameters
    ----------
    data : `object`
        The data of HELLO.
    
    Returns
    -------
    interval : `float`
        Seconds.
    
    Raises
    ------
    PayloadError
        - If there is none, or if it is no number within the bounds.
    """
    interval = data.get('heartbeat_interval', None) if isinstance(data, dict) else None
    if type(interval) not in (int, float):
        raise PayloadError('HELLO without a `heartbeat_interval` that is a number.')
    
    # Compared in milliseconds, as it came: an integer of a thousand digits fits into no float. NaN is in no bounds.
    if not (HEARTBEAT_INTERVAL_MINIMUM * 1000.0 <= interval <= HEARTBEAT_INTERVAL_MAXIMUM * 1000.0):
        raise PayloadError('HELLO with a `heartbeat_interval` out of bounds.')
    
    return interval * 0.001


def check_ready(sequence, data):
    """
    Checks that a READY holds what a session, and the parser of READY, need.
    
    Parameters
    ----------
    sequence : `None | int`
        The sequence of READY.
    data : `object`
        The data of READY.
    
    Raises
    ------
    PayloadError
        - If something is missing or ill-typed.
    """
    if sequence is None:
        raise PayloadError('READY without `s`.')
    
    if not isinstance(data, dict):
        raise PayloadError('READY without `d`.')
    
    session_id = data.get('session_id', None)
    if (not isinstance(session_id, str)) or (not session_id):
        raise PayloadError('READY without `session_id`.')
    
    user = data.get('user', None)
    if (not isinstance(user, dict)) or (not isinstance(user.get('id', None), str)):
        raise PayloadError('READY without `user`.')
    
    guilds = data.get('guilds', None)
    if (not isinstance(guilds, list)) or (not all(isinstance(guild, dict) for guild in guilds)):
        raise PayloadError('READY without `guilds`.')
