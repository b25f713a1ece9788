"""
What a bot process reports: lines of JSON on what was its standard output.

- `{"seen": number}`: the handler was called with that event. Written by the handler itself, so that what a process handled is
    known even if it is killed right after.
- `{"shards": [[state, latency, sequence], ...]}`: several times a second.
- `{"error": text}`: what hata or the extension gave to `client.events.error`.
- `{"ready": true}`: hata called `ready`.
- `{"end": reason}`: the last line. Without it the process was killed, or crashed.
"""
__all__ = (
    'END_NOT_STARTED', 'END_STOPPED', 'KEY_END', 'KEY_ERROR', 'KEY_READY', 'KEY_SEEN', 'KEY_SHARDS', 'ReportWriter', 'ShardReport', 'split_lines',
)

from json import dumps as to_json
from os import write
from typing import NamedTuple, Optional


KEY_SEEN = 'seen'
KEY_SHARDS = 'shards'
KEY_ERROR = 'error'
KEY_READY = 'ready'
KEY_END = 'end'

END_STOPPED = 'stopped'
END_NOT_STARTED = 'not started'


class ShardReport(NamedTuple):
    """
    What a bot knows about a shard.
    
    Attributes
    ----------
    state : `str`
        What the shard does.
    latency : `None | float`
        The latest round trip of a heartbeat, in seconds. `None` while there is none.
    sequence : `None | int`
        The sequence of the last event.
    """
    state: str
    latency: Optional[float]
    sequence: Optional[int]


class ReportWriter:
    """
    Writes reports into a file descriptor, each at once.
    
    Attributes
    ----------
    file_descriptor : `int`
        Where to write.
    """
    __slots__ = ('file_descriptor',)
    
    def __new__(cls, file_descriptor):
        """
        Creates a report writer.
        
        Parameters
        ----------
        file_descriptor : `int`
            Where to write.
        """
        self = object.__new__(cls)
        self.file_descriptor = file_descriptor
        return self
    
    
    def __repr__(self):
        """Returns the representation of the report writer."""
        return f'<{type(self).__name__} file_descriptor = {self.file_descriptor!r}>'
    
    
    def write(self, key, value):
        """
        Writes a report. Blocks while nobody reads.
        
        Parameters
        ----------
        key : `str`
            One of the keys of this module.
        value : `object`
            What is reported.
        
        Raises
        ------
        BrokenPipeError
            - If the reader is gone.
        """
        data = to_json({key: value}).encode() + b'\n'
        while data:
            data = data[write(self.file_descriptor, data):]


def split_lines(buffer, chunk):
    """
    Splits what was read into whole lines.
    
    Parameters
    ----------
    buffer : `bytes`
        What was left over the last time.
    chunk : `bytes`
        What was read since.
    
    Returns
    -------
    lines : `list<bytes>`
        Whole lines.
    buffer : `bytes`
        What is left over.
    """
    *lines, buffer = (buffer + chunk).split(b'\n')
    return lines, buffer
