"""
What a client identifies with.
"""
__all__ = ('build_client_identify_payload',)

from sys import platform

from hata.discord.activity import ACTIVITY_UNKNOWN
from hata.discord.guild.guild.constants import LARGE_GUILD_LIMIT
from hata.env import LIBRARY_NAME

from ..protocol.operations import build_identify_payload


def build_client_identify_payload(client, shard_id):
    """
    Builds the IDENTIFY of a client.
    
    Parameters
    ----------
    client : ``Client``
        The client.
    shard_id : `int`
        The shard that identifies.
    
    Returns
    -------
    payload : `dict<str, object>`
    """
    activity = client._activity
    activities = [] if activity is ACTIVITY_UNKNOWN else [activity.to_data(user = not client.bot)]
    shard_count = client.shard_count
    
    return build_identify_payload(
        client.token,
        int(client.intents),
        (shard_id, shard_count) if shard_count else None,
        {
            'status': client._status.value,
            'activities': activities,
            'since': None,
            'afk': False,
        },
        {
            'os': platform,
            'browser': LIBRARY_NAME,
            'device': LIBRARY_NAME,
        },
        LARGE_GUILD_LIMIT,
    )
