"""
When a shard may identify: the buckets of `max_concurrency`, and the budget of session starts.

Facts (Discord docs, Gateway: "Sharding: Max Concurrency" and "Session Start Limit"): a bucket is
`shard_id % max_concurrency`; in each bucket one IDENTIFY per 5 seconds, counted from IDENTIFY to IDENTIFY; buckets do not
wait for each other. 1000 session starts in 24 hours (more for large bots): beyond them Discord ends every session and
resets the token, so at 0 remaining nobody identifies until the limit is reset.

The algorithm is a queue for each bucket. A shard takes a ticket *before* it connects, and says when it is ready to identify;
the first ready ticket of a bucket is granted. So a shard that connects slowly does not hold up the others, and with
hundreds of shards in the queue only the next two of a bucket hold a connection.
"""
__all__ = (
    'IDENTIFY_INTERVAL', 'IDENTIFY_MARGIN', 'IdentifyLimiter', 'IdentifyTicket', 'NEAR_POSITION',
    'SESSION_START_WINDOW',
)

# Seconds between two IDENTIFYs of a bucket. Discord docs, Gateway: "Max Concurrency".
IDENTIFY_INTERVAL = 5.0

# Seconds that we add, since the second IDENTIFY may travel faster than the first.
IDENTIFY_MARGIN = 0.15

# Seconds in which the session starts are counted. Discord docs, Gateway: "Session Start Limit Object".
SESSION_START_WINDOW = 86400.0

# Tickets of a bucket with a position below this should connect: the next one, and one that is ready in its place.
NEAR_POSITION = 2


class IdentifyTicket:
    """
    The place of a shard in the queue of its bucket.
    
    Attributes
    ----------
    bucket : `int`
        The bucket of the shard.
    ready : `bool`
        Whether the shard could identify at once.
    shard_id : `int`
        The shard that waits.
    waiter : `object`
        Whatever the caller wants to be given back when the ticket is granted.
    """
    __slots__ = ('bucket', 'ready', 'shard_id', 'waiter')
    
    def __new__(cls, shard_id, bucket, waiter):
        """
        Creates a ticket.
        
        Parameters
        ----------
        shard_id : `int`
            The shard that waits.
        bucket : `int`
            The bucket of the shard.
        waiter : `object`
            Whatever the caller wants to be given back.
        """
        self = object.__new__(cls)
        self.bucket = bucket
        self.ready = False
        self.shard_id = shard_id
        self.waiter = waiter
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} shard_id = {self.shard_id!r}, bucket = {self.bucket!r}, ready = {self.ready!r}>'


class IdentifyLimiter:
    """
    Grants IDENTIFYs to the shards of one application.
    
    Attributes
    ----------
    _next_at : `dict<int, float>`
        For each bucket when the next IDENTIFY may be sent.
    _queues : `dict<int, list<IdentifyTicket>>`
        For each bucket the tickets that wait, first come first.
    max_concurrency : `int`
        How many buckets there are.
    remaining : `None | int`
        Session starts left until `.reset_at`; `None` while unknown.
    reset_at : `None | float`
        When the session start limit is reset; monotonic time, in seconds.
    total : `None | int`
        Session starts in a window of the limit.
    """
    __slots__ = ('_next_at', '_queues', 'max_concurrency', 'remaining', 'reset_at', 'total')
    
    def __new__(cls, max_concurrency = 1):
        """
        Creates a limiter that does not know the session start limit yet.
        
        Parameters
        ----------
        max_concurrency : `int` = `1`, Optional
            How many buckets there are, at least 1.
        """
        self = object.__new__(cls)
        self._next_at = {}
        self._queues = {}
        self.max_concurrency = max_concurrency
        self.remaining = None
        self.reset_at = None
        self.total = None
        return self
    
    
    def __repr__(self):
        return (
            f'<{type(self).__name__} max_concurrency = {self.max_concurrency!r}, remaining = {self.remaining!r}, '
            f'waiting = {self.get_waiting_count()!r}>'
        )
    
    
    def get_waiting_count(self):
        """
        Returns how many tickets wait.
        
        Returns
        -------
        waiting_count : `int`
        """
        return sum(len(queue) for queue in self._queues.values())
    
    
    def set_session_start_limit(self, total, remaining, reset_at, max_concurrency):
        """
        Takes over what `/gateway/bot` said.
        
        Parameters
        ----------
        total : `int`
            Session starts in a window of the limit.
        remaining : `int`
            Session starts left.
        reset_at : `float`
            When the limit is reset; monotonic time, in seconds.
        max_concurrency : `int`
            How many buckets there are.
        """
        self.total = total
        self.remaining = max(remaining, 0)
        self.reset_at = reset_at
        
        if max_concurrency < 1 or max_concurrency == self.max_concurrency:
            return
        
        # The buckets are others now. What is known about the old ones cannot be told apart any more, so each new bucket
        # starts with the latest time of all.
        tickets = [ticket for queue in self._queues.values() for ticket in queue]
        next_at = max(self._next_at.values(), default = None)
        
        self.max_concurrency = max_concurrency
        self._queues = {}
        self._next_at = {} if next_at is None else dict.fromkeys(range(max_concurrency), next_at)
        for ticket in tickets:
            ticket.bucket = ticket.shard_id % max_concurrency
            self._queues.setdefault(ticket.bucket, []).append(ticket)
    
    
    def enqueue(self, shard_id, waiter = None):
        """
        Queues a shard up.
        
        Parameters
        ----------
        shard_id : `int`
            The shard that will identify.
        waiter : `object` = `None`, Optional
            Whatever the caller wants to be given back when the ticket is granted.
        
        Returns
        -------
        ticket : ``IdentifyTicket``
            Connect when ``.is_near``, then call ``.set_ready``; call ``.withdraw`` if it is not needed any more.
        """
        bucket = shard_id % self.max_concurrency
        ticket = IdentifyTicket(shard_id, bucket, waiter)
        self._queues.setdefault(bucket, []).append(ticket)
        return ticket
    
    
    def withdraw(self, ticket):
        """
        Takes a ticket out of the queue. One that was granted or withdrawn already is left alone.
        
        Parameters
        ----------
        ticket : ``IdentifyTicket``
            The ticket to take out.
        """
        queue = self._queues.get(ticket.bucket, None)
        if (queue is None) or (ticket not in queue):
            return
        
        queue.remove(ticket)
        if not queue:
            del self._queues[ticket.bucket]
    
    
    def set_ready(self, ticket):
        """
        The shard of the ticket could identify at once. Call ``.grant`` next.
        
        Parameters
        ----------
        ticket : ``IdentifyTicket``
            The ticket of the shard.
        """
        ticket.ready = True
    
    
    def is_near(self, ticket, now):
        """
        Returns whether the shard of the ticket should connect, to be ready when its turn comes.
        
        Parameters
        ----------
        ticket : ``IdentifyTicket``
            A ticket that waits.
        now : `float`
            Monotonic time, in seconds.
        
        Returns
        -------
        is_near : `bool`
        """
        if self.is_exhausted(now):
            return False
        
        return ticket in self._queues.get(ticket.bucket, ())[:NEAR_POSITION]
    
    
    def get_near(self, now):
        """
        Returns the tickets whose shards should connect.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        
        Returns
        -------
        tickets : `list<IdentifyTicket>`
        """
        if self.is_exhausted(now):
            return []
        
        return [ticket for queue in self._queues.values() for ticket in queue[:NEAR_POSITION]]
    
    
    def is_exhausted(self, now):
        """
        Returns whether no session may be started before the limit is reset.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        
        Returns
        -------
        is_exhausted : `bool`
        """
        if self.remaining is None:
            return False
        
        if now >= self.reset_at:
            # The limit was reset. Until `/gateway/bot` is asked again, a full window is what Discord documents. It is
            # taken over with starts left as well: who counts on from the old window starts too many in the new one.
            self.remaining = self.total
            self.reset_at = now + SESSION_START_WINDOW
        
        return not self.remaining
    
    
    def grant(self, now):
        """
        Grants what can be granted now. Each granted shard identifies at once.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        
        Returns
        -------
        tickets : `list<IdentifyTicket>`
            The granted tickets. They are out of the queue.
        """
        granted = []
        
        for bucket in [*self._queues]:
            if self.is_exhausted(now):
                break
            
            if now < self._next_at.get(bucket, now):
                continue
            
            for ticket in self._queues[bucket]:
                if ticket.ready:
                    break
            else:
                continue
            
            self.withdraw(ticket)
            self._next_at[bucket] = now + IDENTIFY_INTERVAL + IDENTIFY_MARGIN
            if (self.remaining is not None):
                self.remaining -= 1
            
            granted.append(ticket)
        
        return granted
    
    
    def get_wake_up_at(self, now):
        """
        Returns when to call ``.grant`` next.
        
        Parameters
        ----------
        now : `float`
            Monotonic time, in seconds.
        
        Returns
        -------
        wake_up_at : `None | float`
            Monotonic time, in seconds; `None` if nothing will change by itself.
        """
        if not self._queues:
            return None
        
        if self.is_exhausted(now):
            return self.reset_at
        
        return min(
            (
                self._next_at.get(bucket, now) for bucket, queue in self._queues.items()
                if any(ticket.ready for ticket in queue)
            ),
            default = None,
        )
