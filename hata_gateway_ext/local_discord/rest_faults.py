"""
Scripted faults of REST.
"""
__all__ = ('RestFault', 'RestFaultScript')


class RestFault:
    """
    A scripted fault of REST. As a context manager it heals on leaving.

    Attributes
    ----------
    body : `None | bytes`
        Body of the answer.

    count : `int`
        How often it struck.

    delay : `float`
        Seconds for which the answer waits.

    expires_at : `None | float`
        When it heals by itself, monotonic.

    hang : `bool`
        Whether nothing is answered while it is not healed.

    headers : `dict<str, str>`
        Further headers of the answer.

    is_healed : `bool`
        Whether it is over.

    method : `None | str`
        The method that it strikes.

    path : `str`
        What the path starts with that it strikes.

    status : `None | int`
        Status of the answer. `None`: the right one.

    times : `None | int`
        How often it strikes. `None`: until it is healed.

    waiters : `set<asyncio.Event>`
        What hangs.

    _healer : `callable`
        Called with the fault to heal it.
    """
    __slots__ = (
        '_healer', 'body', 'count', 'delay', 'expires_at', 'hang', 'headers', 'is_healed', 'method', 'path', 'status',
        'times', 'waiters',
    )

    def __new__(cls, path, method, status, headers, body, hang, delay, times, expires_at, healer):
        """
        Creates a new fault.

        Parameters
        ----------
        path : `str`
        method : `None | str`
        status : `None | int`
        headers : `None | dict<str, str>`
        body : `None | bytes | str`
        hang : `bool`
        delay : `float`
        times : `None | int`
        expires_at : `None | float`
        healer : `callable`
        """
        self = object.__new__(cls)
        self._healer = healer
        self.body = body.encode() if isinstance(body, str) else body
        self.count = 0
        self.delay = delay
        self.expires_at = expires_at
        self.hang = hang
        self.headers = {} if headers is None else dict(headers)
        self.is_healed = False
        self.method = method
        self.path = path
        self.status = status
        self.times = times
        self.waiters = set()
        return self


    def __repr__(self):
        """Returns the representation of the fault."""
        return (
            f'<{type(self).__name__} path = {self.path!r}, method = {self.method!r}, status = {self.status!r}, hang = '
            f'{self.hang!r}, times = {self.times!r}, count = {self.count!r}, is_healed = {self.is_healed!r}>'
        )


    def __enter__(self):
        """Enters the fault as a context manager."""
        return self


    def __exit__(self, exception_type, exception_value, exception_traceback):
        """Heals the fault."""
        self.heal()
        return False


    def heal(self):
        """
        Ends the fault. What hangs is answered.
        """
        self._healer(self)


    def strikes(self, method, path, now):
        """
        Returns whether the fault strikes a request, and counts it.

        Parameters
        ----------
        method : `str`
            The request's method.

        path : `str`
            The request's path.

        now : `float`
            The current time.

        Returns
        -------
        strikes : `bool`
        """
        if self.is_healed or not path.startswith(self.path) or (self.method not in (None, method)):
            return False

        if (self.expires_at is not None) and (now >= self.expires_at):
            self.is_healed = True
            return False

        if (self.times is not None) and (self.count >= self.times):
            return False

        self.count += 1
        return True


    def release(self):
        """
        Marks the fault as healed, and lets go what hangs. To be called on the loop of the local Discord.
        """
        self.is_healed = True
        for waiter in self.waiters:
            waiter.set()


class RestFaultScript:
    """
    The faults of REST that are waiting to strike.

    Attributes
    ----------
    _faults : ``list<RestFault>``
        The faults.
    """
    __slots__ = ('_faults',)

    def __new__(cls):
        """
        Creates an empty script.
        """
        self = object.__new__(cls)
        self._faults = []
        return self


    def __repr__(self):
        """Returns the representation of the script."""
        return f'<{type(self).__name__} {self._faults!r}>'


    def add(self, fault):
        """
        Adds a fault.

        Parameters
        ----------
        fault : ``RestFault``
            The fault.
        """
        self._faults.append(fault)


    def find(self, method, path, now):
        """
        Finds what strikes a request. One fault at most does.

        Parameters
        ----------
        method : `str`
            The request's method.

        path : `str`
            The request's path.

        now : `float`
            The current time.

        Returns
        -------
        fault : `None | RestFault`
        """
        for fault in self._faults:
            if fault.strikes(method, path, now):
                return fault

        return None


    def heal(self, fault):
        """
        Ends a fault.

        Parameters
        ----------
        fault : ``RestFault``
            The fault.
        """
        if fault in self._faults:
            self._faults.remove(fault)

        fault.release()


    def heal_all(self):
        """
        Ends every fault.
        """
        for fault in self._faults.copy():
            self.heal(fault)
