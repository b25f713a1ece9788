"""
How a checkpoint lies in the hash of a Redis key: which field holds what.

Each blob has a field of its own, named after the guild and the save that wrote it. The field of the head holds the list of
the blobs that belong to the checkpoint as well, so that setting that one field is what replaces a checkpoint.
"""
__all__ = ('HEAD_FIELD', 'get_blob_field', 'join_head', 'split_head')

import json

from .errors import StoreCorruptError, StoreVersionError


# Version of the layout, in front of each head.
REDIS_LAYOUT_VERSION = 1

HEAD_FIELD = b'head'


def get_blob_field(blob_id, save):
    """
    Returns the name of a blob in the hash of a checkpoint.
    
    Parameters
    ----------
    blob_id : `int`
        The blob's identifier.
    save : `int`
        The number of the save that wrote the blob.
    
    Returns
    -------
    field : `bytes`
    """
    return b'%d:%d' % (blob_id, save)


def join_head(index, head):
    """
    Puts the list of the blobs in front of the head.
    
    Parameters
    ----------
    index : `dict` of (`int`, `int`) items
        The number of the save that wrote each blob, by the blobs' identifiers.
    head : `bytes`
        The head.
    
    Returns
    -------
    data : `bytes`
    """
    return b'%d\n%b\n%b' % (
        REDIS_LAYOUT_VERSION, json.dumps([*index.items()], separators = (',', ':')).encode(), head
    )


def split_head(data):
    """
    Reads what ``join_head`` wrote.
    
    Parameters
    ----------
    data : `bytes`
        The list of the blobs, and the head.
    
    Returns
    -------
    index_and_head : `(dict<int, int>, bytes)`
    
    Raises
    ------
    StoreVersionError
    StoreCorruptError
    """
    version, _, rest = data.partition(b'\n')
    if not version.isdigit():
        raise StoreCorruptError
    
    if int(version) > REDIS_LAYOUT_VERSION:
        raise StoreVersionError(
            f'A checkpoint has layout {int(version)}, from a newer version of hata_gateway_ext; '
            f'this version knows layouts up to {REDIS_LAYOUT_VERSION}.'
        )
    
    index, _, head = rest.partition(b'\n')
    try:
        return {int(blob_id): int(save) for blob_id, save in json.loads(index)}, head
    except (TypeError, ValueError):
        raise StoreCorruptError from None
