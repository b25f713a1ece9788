"""
The inflater of `zlib-stream`.

A batch is inflated in one go. Whether its payloads are whole, which only the end of the messages tells, is looked at where
one turns out not to be what it should be: see ``ZlibStreamInflater.realign``. That is sound since a part of a payload cannot
be taken for a whole one: it is not valid JSON; and where a payload need not be valid, because nobody needs the event, what
follows does not begin like an event.
"""
__all__ = ('ZlibStreamInflater',)

from zlib import decompressobj as create_zlib_decompressor, error as ZlibError

from .compression_format import COMPRESSION_ZLIB_STREAM, FIRST_SIZE, NEXT_SIZE, check_size
from .errors import InflateError
from .inflater_base import InflaterBase


# A `zlib-stream` payload may come over several messages; the one that ends with an empty stored block, which is what a
# sync flush leaves, is its last (Discord docs, Gateway: Transport Compression).
ZLIB_SUFFIX = b'\x00\x00\xff\xff'


class ZlibStreamInflater(InflaterBase):
    """
    Inflates a `zlib-stream`.
    
    Attributes
    ----------
    _decompress : `(bytes, int) -> bytes`
        The method of ``._decompressor``.
    _decompressor : `zlib.decompressobj`
        The connection's context.
    _parts : `None | bytearray`
        What is inflated of a payload that comes over several messages.
    _tail : `bytes`
        The last bytes of the messages of such a payload: the suffix itself may be cut as well.
    """
    __slots__ = ('_decompress', '_decompressor', '_parts', '_tail')
    
    name = COMPRESSION_ZLIB_STREAM
    
    def __new__(cls):
        """
        Creates a new inflater.
        """
        decompressor = create_zlib_decompressor()
        
        self = object.__new__(cls)
        self._decompress = decompressor.decompress
        self._decompressor = decompressor
        self._parts = None
        self._tail = b''
        return self
    
    
    def inflate_batch(self, messages, payloads):
        """See ``InflaterBase.inflate_batch``. It is aligned if the last message ends a payload."""
        if (self._parts is not None):
            for message in messages:
                payload = self.feed(message)
                if (payload is not None):
                    payloads.append(payload)
            
            return False
        
        try:
            # Those in front of a corrupt one are kept, as CPython extends a list item by item.
            payloads.extend(map(self._decompress, messages))
        except ZlibError:
            # It carries nothing that would help.
            is_corrupt = True
        else:
            if messages[-1].endswith(ZLIB_SUFFIX):
                return True
            
            is_corrupt = False
        
        payloads[:] = self._group(messages, payloads, 0)
        if is_corrupt:
            raise InflateError('A zlib stream is corrupt.')
        
        if self._decompressor.eof and (self._parts is not None):
            # The end of the stream is that of its last payload.
            payloads.append(bytes(self._parts))
        
        self._check_end()
        return False
    
    
    def realign(self, messages, payloads, index):
        """See ``InflaterBase.realign``."""
        if (
            messages[index].endswith(ZLIB_SUFFIX) and ((not index) or messages[index - 1].endswith(ZLIB_SUFFIX)) and
            (not self._decompressor.eof)
        ):
            return None
        
        self._check_end()
        return self._group(messages, payloads, index)
    
    
    def _check_end(self):
        """
        Checks that the stream goes on. It lives as long as its connection, so what is behind its end would never come out.
        
        Raises
        ------
        InflateError
            - If the stream has ended.
        """
        if self._decompressor.eof:
            raise InflateError('A zlib stream has ended.')
    
    
    def _group(self, messages, payloads, index):
        """
        Puts the payloads of a batch together out of what each message brought. What is left at the end goes on in the next
        message.
        
        Parameters
        ----------
        messages : `list<bytes>`
            The batch. It begins with a new payload.
        payloads : `list<bytes>`
            What was inflated of each message.
        index : `int`
            Where to begin. If a payload is under way there, its beginning was taken for the whole and is handled, so the
            rest of it is thrown away.
        
        Returns
        -------
        payloads : `list<bytes>`
        
        Raises
        ------
        InflateError
        """
        whole = []
        parts = None
        tail = b''
        for position, (message, payload) in enumerate(zip(messages, payloads)):
            if parts is None:
                parts = bytearray()
                is_handled = position < index
            
            parts += payload
            check_size(len(parts))
            tail = (tail + message)[-len(ZLIB_SUFFIX) :]
            if tail == ZLIB_SUFFIX:
                if not is_handled:
                    whole.append(bytes(parts))
                
                parts = None
                tail = b''
        
        self._parts = parts
        self._tail = tail
        return whole
    
    
    def feed(self, message):
        """See ``InflaterBase.feed``."""
        try:
            payload = self._decompress(message, FIRST_SIZE)
            if (len(payload) < FIRST_SIZE) and (self._parts is None) and message.endswith(ZLIB_SUFFIX):
                return payload
            
            return self._feed_slowly(message, payload)
        except ZlibError:
            pass
        
        raise InflateError('A zlib stream is corrupt.')
    
    
    def _feed_slowly(self, message, payload):
        """
        Goes on with a message whose payload is either large, or comes over several messages.
        
        Parameters
        ----------
        message : `bytes`
            The received message.
        payload : `bytes`
            What is inflated of it so far.
        
        Returns
        -------
        payload : `None | bytes`
            `None` if the payload goes on in the next message.
        
        Raises
        ------
        InflateError
        ZlibError
        """
        decompressor = self._decompressor
        parts = self._parts
        size = 0 if parts is None else len(parts)
        pieces = []
        requested = FIRST_SIZE
        while True:
            pieces.append(payload)
            size += len(payload)
            check_size(size)
            if len(payload) < requested:
                break
            
            requested = NEXT_SIZE
            payload = self._decompress(decompressor.unconsumed_tail, NEXT_SIZE)
        
        payload = b''.join(pieces)
        
        self._check_end()
        tail = (self._tail + message[-len(ZLIB_SUFFIX) :])[-len(ZLIB_SUFFIX) :]
        if tail == ZLIB_SUFFIX:
            self._parts = None
            self._tail = b''
            return payload if parts is None else bytes(parts + payload)
        
        # Many messages may bring little each; a `bytearray` costs no more than what is in it.
        if parts is None:
            self._parts = bytearray(payload)
        else:
            parts += payload
        
        self._tail = tail
        return None
