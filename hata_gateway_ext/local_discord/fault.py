"""
A scripted fault: an action that strikes at a stage, and how often.
"""
__all__ = ('Fault',)

from .action_base import StageOutcome


class Fault:
    """
    A scripted fault. As a context manager it heals on leaving.

    Attributes
    ----------
    action : ``ActionBase``
        What happens.

    after : `int`
        How many passes of the stage go by unharmed on each connection.

    count : `int`
        How often it struck.

    every : `int`
        Only each so manieth pass of the stage is struck.

    expires_at : `None | float`
        When it heals by itself, monotonic.

    is_healed : `bool`
        Whether it is over.

    passes : `None | frozenset<int>`
        Only these passes of the stage are struck, from 1 on, on each connection.

    shard_id : `None | int`
        The shard that it strikes.

    stage : `str`
        Where it strikes.

    times : `None | int`
        How often it strikes. `None`: until it is healed.

    _healer : `callable`
        Called with the fault to heal it.

    _pass_counts : `dict<int, int>`
        Count of passes by the number of the connection.

    _struck : ``list<Connection>``
        The connections that its action still holds.
    """
    __slots__ = (
        '_healer', '_pass_counts', '_struck', 'action', 'after', 'count', 'every', 'expires_at', 'is_healed', 'passes',
        'shard_id', 'stage', 'times',
    )

    def __new__(cls, action, stage, shard_id, times, expires_at, after, every, passes, healer):
        """
        Creates a new fault.

        Parameters
        ----------
        action : ``ActionBase``
            What happens.

        stage : `str`
            Where it strikes.

        shard_id : `None | int`
            The shard that it strikes. `None` for any connection.

        times : `None | int`
            How often it strikes.

        expires_at : `None | float`
            When it heals by itself.

        after : `int`
            How many passes of the stage go by unharmed on each connection.

        every : `int`
            Only each so manieth of the further passes is struck.

        passes : `None | iterable<int>`
            Only these passes of the stage are struck, from 1 on, on each connection.

        healer : `callable`
            Called with the fault to heal it.
        """
        self = object.__new__(cls)
        self._healer = healer
        self._pass_counts = {}
        self._struck = []
        self.action = action
        self.after = after
        self.count = 0
        self.every = every
        self.expires_at = expires_at
        self.is_healed = False
        self.passes = None if passes is None else frozenset(passes)
        self.shard_id = shard_id
        self.stage = stage
        self.times = times
        return self


    def __repr__(self):
        """Returns the representation of the fault."""
        return (
            f'<{type(self).__name__} {self.action!r} at {self.stage!r}, shard_id = {self.shard_id!r}, times = '
            f'{self.times!r}, count = {self.count!r}, is_healed = {self.is_healed!r}>'
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
        Ends the fault. What it holds back is let go: a silent connection goes on.
        """
        self._healer(self)


    def strikes(self, connection, now):
        """
        Returns whether the fault strikes the connection that passes its stage, and counts it.

        Parameters
        ----------
        connection : ``Connection``
            The connection.

        now : `float`
            The current time.

        Returns
        -------
        strikes : `bool`
        """
        if self.is_healed:
            return False

        if (self.expires_at is not None) and (now >= self.expires_at):
            self.is_healed = True
            return False

        if (self.shard_id is not None) and (self.shard_id != connection.shard_id):
            return False

        if (self.times is not None) and (self.count >= self.times):
            return False

        if self.after or (self.every != 1) or (self.passes is not None):
            number = connection.record.number
            pass_count = self._pass_counts.get(number, 0) + 1
            self._pass_counts[number] = pass_count
            if (pass_count <= self.after) or ((pass_count - self.after) % self.every):
                return False

            if (self.passes is not None) and (pass_count not in self.passes):
                return False

        self.count += 1
        if self.action.is_lasting:
            self._struck = [struck for struck in self._struck if not struck.is_ended]
            self._struck.append(connection)

        return True


    def strike_all(self, connections):
        """
        Strikes connections at once, each one time.

        Parameters
        ----------
        connections : ``list<Connection>``
            The connections.
        """
        for connection in connections:
            self.count += 1
            if self.action.is_lasting:
                self._struck.append(connection)

            self.action.strike(connection, StageOutcome())

        self.times = self.count


    @property
    def is_spent(self):
        """
        Returns whether the fault will never strike again, and holds no living connection.

        Returns
        -------
        is_spent : `bool`
        """
        if self.is_healed:
            return True

        return (
            (self.times is not None) and (self.count >= self.times) and
            all(connection.is_ended for connection in self._struck)
        )


    def release(self):
        """
        Marks the fault as healed and lets go what its action holds. To be called on the loop of the local Discord.
        """
        self.is_healed = True
        struck = self._struck.copy()
        self._struck.clear()
        for connection in struck:
            self.action.undo(connection)
