"""
What Discord refuses of an IDENTIFY before it looks at buckets and sessions.
"""
__all__ = ('check_identify',)

# Discord docs, Gateway: "Gateway Close Event Codes".
CLOSE_INVALID_SHARD = 4010
CLOSE_SHARDING_REQUIRED = 4011
CLOSE_INVALID_VERSION = 4012
CLOSE_INVALID_INTENTS = 4013
CLOSE_DISALLOWED_INTENTS = 4014

# Discord docs, API Versions: those that are not discontinued. No `v` in the query means the default one.
VERSIONS = (None, '9', '10')

# Discord docs, Gateway: "List of Intents".
INTENTS = sum(1 << shift for shift in (*range(17), 20, 21, 24, 25))


def _is_whole_number(value):
    """
    Returns whether the value is a whole number in JSON.

    Parameters
    ----------
    value : `object`
        Value of a field.

    Returns
    -------
    is_whole_number : `bool`
    """
    return isinstance(value, int) and (not isinstance(value, bool))


def check_identify(data, options, version):
    """
    Checks the data of an IDENTIFY.

    Parameters
    ----------
    data : `dict<str, object>`
        The data.

    options : ``LocalDiscordOptions``
        What is required and disallowed.

    version : `None | str`
        The API version of the connection.

    Returns
    -------
    close_code : `None | int`
        The close code if it is refused.
    reason : `str`
        The reason of that.
    shard_id : `None | int`
        The shard, if it could be read.
    shard_count : `None | int`
        Count of shards, if it could be read.
    """
    shard = data.get('shard', None)
    if shard is None:
        shard = (0, 1)

    if (
        isinstance(shard, (list, tuple)) and (len(shard) == 2) and
        _is_whole_number(shard[0]) and _is_whole_number(shard[1])
    ):
        shard_id, shard_count = shard
    else:
        shard_id = shard_count = None

    if version not in VERSIONS:
        return CLOSE_INVALID_VERSION, 'Invalid API version.', shard_id, shard_count

    intents = data.get('intents', None)
    if (not _is_whole_number(intents)) or (intents < 0) or (intents & ~INTENTS):
        return CLOSE_INVALID_INTENTS, 'Invalid intent(s).', shard_id, shard_count

    if intents & options.disallowed_intents:
        return CLOSE_DISALLOWED_INTENTS, 'Disallowed intent(s).', shard_id, shard_count

    if (shard_id is None) or not (0 <= shard_id < shard_count):
        return CLOSE_INVALID_SHARD, 'Invalid shard.', shard_id, shard_count

    if shard_count < options.required_shards:
        return CLOSE_SHARDING_REQUIRED, 'Sharding required.', shard_id, shard_count

    return None, '', shard_id, shard_count
