"""
Faults that are scripted, of connections and of REST, and the script of all that wait to strike.

A connection asks the script at every stage, REST at every request; what a fault does is its action's matter. So the gateway
itself knows no fault, only its stages.
"""
__all__ = ('Fault', 'FaultScript', 'RestFault')

from .actions import StageOutcome

# Where the script keeps the faults of REST.
STAGE_REST = 'rest'


class FaultBase:
    """
    Base of the scripted faults. As a context manager one heals on leaving.
    
    Attributes
    ----------
    count : `int`
        How often it struck.
    expires_at : `None | float`
        When it heals by itself, monotonic.
    is_healed : `bool`
        Whether it is over.
    times : `None | int`
        How often it strikes. `None`: until it is healed.
    _healer : `callable`
        Called with the fault to heal it.
    """
    __slots__ = ('_healer', 'count', 'expires_at', 'is_healed', 'times')
    
    def __new__(cls, times, expires_at, healer):
        """The parameters are the attributes."""
        self = object.__new__(cls)
        self._healer = healer
        self.count = 0
        self.expires_at = expires_at
        self.is_healed = False
        self.times = times
        return self
    
    
    def __enter__(self):
        return self
    
    
    def __exit__(self, exception_type, exception_value, exception_traceback):
        self.heal()
        return False
    
    
    def heal(self):
        """
        Ends the fault. What it holds back is let go: a silent connection goes on, a request that hangs is answered.
        """
        self._healer(self)
    
    
    @property
    def is_exhausted(self):
        """Whether it struck as often as it should."""
        return (self.times is not None) and (self.count >= self.times)
    
    
    def may_strike(self, now):
        """Returns whether the fault may still strike."""
        if (self.expires_at is not None) and (now >= self.expires_at):
            self.is_healed = True
        
        return not (self.is_healed or self.is_exhausted)


class Fault(FaultBase):
    """
    A fault of connections.
    
    Attributes
    ----------
    action : ``ActionBase``
        What happens.
    after : `int`
        How many passes of the stage go by unharmed on each connection.
    every : `int`
        Of the further ones only each so manieth is struck.
    passes : `None | frozenset<int>`
        Only these passes of the stage are struck, counted from 1 on each connection.
    shard_id : `None | int`
        The shard that it strikes. `None` for any connection.
    stage : `str`
        Where it strikes.
    _pass_counts : `dict<int, int>`
        Count of passes by the number of the connection.
    _struck : ``list<Connection>``
        The connections that its action still holds.
    """
    __slots__ = ('_pass_counts', '_struck', 'action', 'after', 'every', 'passes', 'shard_id', 'stage')
    
    def __new__(cls, action, stage, shard_id, times, expires_at, after, every, passes, healer):
        """The parameters are the attributes."""
        self = FaultBase.__new__(cls, times, expires_at, healer)
        self._pass_counts = {}
        self._struck = []
        self.action = action
        self.after = after
        self.every = every
        self.passes = None if passes is None else frozenset(passes)
        self.shard_id = shard_id
        self.stage = stage
        return self
    
    
    def __repr__(self):
        return (
            f'<{type(self).__name__} {self.action!r} at {self.stage!r}, shard_id = {self.shard_id!r}, times = '
            f'{self.times!r}, count = {self.count!r}, is_healed = {self.is_healed!r}>'
        )
    
    
    def strike(self, connection, now, outcome):
        """Strikes a connection that passes the stage, if it is one to be struck."""
        if (not self.may_strike(now)) or ((self.shard_id is not None) and (self.shard_id != connection.shard_id)):
            return
        
        number = connection.record.number
        pass_count = self._pass_counts.get(number, 0) + 1
        self._pass_counts[number] = pass_count
        if (pass_count <= self.after) or ((pass_count - self.after) % self.every):
            return
        
        if (self.passes is not None) and (pass_count not in self.passes):
            return
        
        self.strike_at_once(connection, outcome)
    
    
    def strike_at_once(self, connection, outcome):
        """Strikes a connection."""
        self.count += 1
        if self.action.is_lasting:
            self._struck = [struck for struck in self._struck if not struck.is_ended]
            self._struck.append(connection)
        
        self.action.strike(connection, outcome)
    
    
    @property
    def is_spent(self):
        """Whether the fault will never strike again, and holds no living connection."""
        return self.is_healed or (self.is_exhausted and all(connection.is_ended for connection in self._struck))
    
    
    def release(self):
        """Marks the fault as healed and lets go what its action holds."""
        self.is_healed = True
        struck = self._struck.copy()
        self._struck.clear()
        for connection in struck:
            self.action.undo(connection)


class RestFault(FaultBase):
    """
    A fault of REST.
    
    Attributes
    ----------
    body : `None | bytes`
        Body of the answer.
    delay : `float`
        Seconds for which the answer waits.
    hang : `bool`
        Whether nothing is answered while it is not healed.
    headers : `dict<str, str>`
        Further headers of the answer.
    method : `None | str`
        The method that it strikes.
    path : `str`
        What the path starts with that it strikes.
    status : `None | int`
        Status of the answer. `None`: the right one.
    waiters : `set<asyncio.Event>`
        What hangs.
    """
    __slots__ = ('body', 'delay', 'hang', 'headers', 'method', 'path', 'status', 'waiters')
    
    stage = STAGE_REST
    
    def __new__(cls, path, method, status, headers, body, hang, delay, times, expires_at, healer):
        """The parameters are the attributes."""
        self = FaultBase.__new__(cls, times, expires_at, healer)
        self.body = body.encode() if isinstance(body, str) else body
        self.delay = delay
        self.hang = hang
        self.headers = {} if headers is None else dict(headers)
        self.method = method
        self.path = path
        self.status = status
        self.waiters = set()
        return self
    
    
    def __repr__(self):
        return (
            f'<{type(self).__name__} path = {self.path!r}, method = {self.method!r}, status = {self.status!r}, hang = '
            f'{self.hang!r}, times = {self.times!r}, count = {self.count!r}, is_healed = {self.is_healed!r}>'
        )
    
    
    def strikes(self, method, path, now):
        """Returns whether the fault strikes a request, and counts it."""
        if not (path.startswith(self.path) and (self.method in (None, method)) and self.may_strike(now)):
            return False
        
        self.count += 1
        return True
    
    
    @property
    def is_spent(self):
        """Whether the fault will never strike again, and nothing hangs on it."""
        return self.is_healed or (self.is_exhausted and (not self.waiters))
    
    
    def release(self):
        """Marks the fault as healed, and lets go what hangs."""
        self.is_healed = True
        for waiter in self.waiters:
            waiter.set()


class FaultScript:
    """
    The faults that are waiting to strike.
    
    Attributes
    ----------
    core : ``Core``
        The local Discord.
    _faults : ``dict<str, list<FaultBase>>``
        The faults by stage.
    """
    __slots__ = ('_faults', 'core')
    
    def __new__(cls, core):
        self = object.__new__(cls)
        self._faults = {}
        self.core = core
        return self
    
    
    def __repr__(self):
        return f'<{type(self).__name__} {[fault for faults in self._faults.values() for fault in faults]!r}>'
    
    
    def add(self, fault, duration):
        """Adds a fault, that heals after a duration, if any."""
        self._forget_spent(fault.stage)
        self._faults.setdefault(fault.stage, []).append(fault)
        if (duration is not None):
            self.core.call_later(duration, self.heal, fault)
    
    
    def _forget_spent(self, stage):
        faults = [fault for fault in self._faults.pop(stage, ()) if not fault.is_spent]
        if faults:
            self._faults[stage] = faults
    
    
    def has(self, stage):
        """Returns whether any fault waits at the stage. Asked for each event, so it is quick."""
        return stage in self._faults
    
    
    def strike(self, stage, connection):
        """Strikes a connection that passes a stage. Returns what is left of the stage."""
        outcome = StageOutcome()
        if stage in self._faults:
            now = self.core.now()
            for fault in self._faults[stage].copy():
                fault.strike(connection, now, outcome)
            
            self._forget_spent(stage)
        
        return outcome
    
    
    def find_rest_fault(self, method, path):
        """Returns the fault that strikes a request, if any; one at most does."""
        now = self.core.now()
        for fault in self._faults.get(STAGE_REST, ()):
            if fault.strikes(method, path, now):
                return fault
        
        return None
    
    
    def heal(self, fault):
        """Ends a fault."""
        fault.release()
        self._forget_spent(fault.stage)
    
    
    def heal_all(self):
        """Ends every fault."""
        for faults in list(self._faults.values()):
            for fault in faults.copy():
                self.heal(fault)
