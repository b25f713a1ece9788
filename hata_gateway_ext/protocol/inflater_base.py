"""
What the inflaters have in common.
"""
__all__ = ('InflaterBase',)


class InflaterBase:
    """
    Inflates the messages of a connection of which each is a payload, unless a method says otherwise.
    
    Class Attributes
    ----------------
    name : `str`
        The name of the compression.
    """
    __slots__ = ()
    
    name = ''
    
    def __repr__(self):
        """Returns the inflater's representation."""
        return f'<{type(self).__name__}>'
    
    
    def inflate_batch(self, messages, payloads):
        """
        Inflates a batch of messages.
        
        Parameters
        ----------
        messages : `list<bytes>`
            A batch of received messages, each of at most ``BATCH_MESSAGE_SIZE`` bytes.
        payloads : `list<bytes>`
            The payloads are added to it; if the batch is corrupt, the whole ones that come before that.
        
        Returns
        -------
        is_aligned : `bool`
            Whether each message brought one payload, which may turn out not to be whole (see ``.realign``). Otherwise the
            payloads are whole, and there may be fewer of them.
        
        Raises
        ------
        InflateError
            - If the stream is corrupt, has ended, or a payload is larger than we accept. The context is lost.
        """
        payloads.extend(messages)
        return True
    
    
    def realign(self, messages, payloads, index):
        """
        Called when a payload of an aligned batch is not what is expected. Perhaps a message in front of it or its own
        brought only a part of a payload.
        
        Parameters
        ----------
        messages : `list<bytes>`
            The batch.
        payloads : `list<bytes>`
            What was inflated of each.
        index : `int`
            The index of the payload. Those in front of it were taken for whole ones and are handled.
        
        Returns
        -------
        payloads : `None | list<bytes>`
            The whole payloads from the index on. `None` if the payload is whole, and what is wrong is its content.
        
        Raises
        ------
        InflateError
            - If the stream has ended, or a payload is larger than we accept.
        """
        return None
    
    
    def feed(self, message):
        """
        Inflates the next message, which may be of any size.
        
        Parameters
        ----------
        message : `bytes`
            A received message.
        
        Returns
        -------
        payload : `None | bytes`
            `None` if the payload goes on in the next message.
        
        Raises
        ------
        InflateError
            - If the stream is corrupt, has ended, or a payload is larger than we accept. The context is lost.
        """
        return message
