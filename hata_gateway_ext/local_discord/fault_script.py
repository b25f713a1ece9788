"""
The script of all faults that are waiting to strike.

A connection asks the script at every stage. The script answers with the actions that strike there; what an action does
is its own matter. So the gateway itself knows no fault, only its stages.
"""
__all__ = ('FaultScript',)


class FaultScript:
    """
    The faults that are waiting to strike.

    Attributes
    ----------
    _faults : ``dict<str, list<Fault>>``
        The faults by stage.
    """
    __slots__ = ('_faults',)

    def __new__(cls):
        """
        Creates an empty script.
        """
        self = object.__new__(cls)
        self._faults = {}
        return self


    def __repr__(self):
        """Returns the representation of the script."""
        return f'<{type(self).__name__} {[fault for faults in self._faults.values() for fault in faults]!r}>'


    def add(self, fault):
        """
        Adds a fault.

        Parameters
        ----------
        fault : ``Fault``
            The fault.
        """
        # Nothing ever asks for what struck at once, so what is over is dropped here.
        faults = [fault for fault in self._faults.get(fault.stage, ()) if not fault.is_spent]
        faults.append(fault)
        self._faults[fault.stage] = faults


    def has(self, stage):
        """
        Returns whether any fault waits at the stage. Asked for each event, so it is quick.

        Parameters
        ----------
        stage : `str`
            The stage.

        Returns
        -------
        has : `bool`
        """
        return stage in self._faults


    def get_actions(self, stage, connection, now):
        """
        Returns what happens to a connection that passes a stage, and counts it.

        Parameters
        ----------
        stage : `str`
            The stage.

        connection : ``Connection``
            The connection.

        now : `float`
            The current time.

        Returns
        -------
        actions : ``list<ActionBase>``
        """
        faults = self._faults.get(stage, None)
        if faults is None:
            return []

        actions = [fault.action for fault in faults if fault.strikes(connection, now)]
        remaining = [fault for fault in faults if not fault.is_spent]
        if remaining:
            self._faults[stage] = remaining
        else:
            del self._faults[stage]

        return actions


    def heal(self, fault):
        """
        Ends a fault.

        Parameters
        ----------
        fault : ``Fault``
            The fault.
        """
        faults = self._faults.get(fault.stage, None)
        if (faults is not None) and (fault in faults):
            faults.remove(fault)
            if not faults:
                del self._faults[fault.stage]

        fault.release()


    def heal_all(self):
        """
        Ends every fault.
        """
        for faults in list(self._faults.values()):
            for fault in faults.copy():
                self.heal(fault)
