"""
The output of a connection, and the valve on it.

What is to be sent is collected and written once in a cycle of the loop, so that a thousand events cost a few system calls.
Faults hold the output back and stop the reading; everything stays in order.
"""
__all__ = ('Outbox',)

# Bytes after which what was collected is written at once. It is what a socket's buffer takes anyway.
WRITE_SIZE = 65536


class Outbox:
    """
    The output of a connection.
    
    Attributes
    ----------
    core : ``Core``
        The local Discord.
    is_closed : `bool`
        Whether nothing is written any more.
    release_waiter : `None | asyncio.Event`
        Set when nothing holds the output back any more.
    total : `int`
        Count of bytes that were ever given to it.
    transport : `asyncio.Transport`
        Where it goes.
    _collected : `list<bytes>`
        What waits to be written, `_size` bytes of it.
    _flush_handle : `None | asyncio.Handle`
        Writes what was collected.
    _holders : `set<object>`
        What holds the output back.
    _reading_pausers : `set<object>`
        What keeps us from reading.
    """
    __slots__ = (
        '_collected', '_flush_handle', '_holders', '_reading_pausers', '_size', 'core', 'is_closed', 'release_waiter',
        'total', 'transport',
    )
    
    def __new__(cls, core, transport):
        self = object.__new__(cls)
        self._collected = []
        self._flush_handle = None
        self._holders = set()
        self._reading_pausers = set()
        self._size = 0
        self.core = core
        self.is_closed = False
        self.release_waiter = None
        self.total = 0
        self.transport = transport
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} waiting = {self._size!r}, is_held = {self.is_held!r}, is_closed = {self.is_closed!r}>'
    
    
    @property
    def is_held(self):
        """Whether the output is held back."""
        return True if self._holders else False
    
    
    def write(self, data):
        """Sends bytes, after those that wait already."""
        if self.is_closed:
            return
        
        self._collected.append(data)
        self._size += len(data)
        self.total += len(data)
        
        if self._size >= WRITE_SIZE:
            self.flush()
        
        elif self._flush_handle is None:
            self._flush_handle = self.core.loop.call_soon(self.flush)
    
    
    def flush(self):
        """Writes what waits, if nothing holds it back."""
        flush_handle = self._flush_handle
        if (flush_handle is not None):
            self._flush_handle = None
            flush_handle.cancel()
        
        collected = self._collected
        if (not collected) or self._holders or self.is_closed:
            return
        
        data = collected[0] if len(collected) == 1 else b''.join(collected)
        collected.clear()
        self._size = 0
        # After the client left asyncio warns about each further write.
        if not self.transport.is_closing():
            self.transport.write(data)
    
    
    def hold(self, holder):
        """Holds back what is written from now on, until the holder releases it."""
        self.flush()
        self._holders.add(holder)
    
    
    def release(self, holder):
        """Lets the output go on, if nobody else holds it back."""
        self._holders.discard(holder)
        self.flush()
        if (self.release_waiter is not None) and (not self._holders):
            self.release_waiter.set()
            self.release_waiter = None
    
    
    def hold_for(self, seconds):
        """Holds the output back for a time."""
        holder = object()
        self.hold(holder)
        self.core.call_later(seconds, self.release, holder)
    
    
    def pause_reading(self, pauser):
        """Stops reading. What the client sends stays in its socket's buffers, and then in the client."""
        self._reading_pausers.add(pauser)
        if not self.is_closed:
            self.transport.pause_reading()
    
    
    def resume_reading(self, pauser):
        """Reads again, if nobody else stops it."""
        if pauser not in self._reading_pausers:
            return
        
        self._reading_pausers.discard(pauser)
        if (not self._reading_pausers) and (not self.is_closed):
            self.transport.resume_reading()
    
    
    def close(self):
        """Drops what was not written. Nothing is written from then on."""
        self.is_closed = True
        self._collected.clear()
        self._size = 0
        if (self._flush_handle is not None):
            self._flush_handle.cancel()
            self._flush_handle = None
