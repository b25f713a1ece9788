"""
The recording: what every client did, to be asked by tests.

Everything is kept in the order in which it happened, bounded. Whoever waits for something is told through `changed`.
"""
__all__ = ('Recording',)

from collections import deque


class Recording:
    """
    What the clients of a local Discord did.

    Attributes
    ----------
    changed : `callable`
        Called after each change, without parameters.
    connections : ``deque<ConnectionRecord>``
        The connections.
    heartbeats : ``deque<HeartbeatRecord>``
        The heartbeats.
    identifies : ``deque<IdentifyRecord>``
        The identifies.
    operations : ``deque<OperationRecord>``
        All payloads.
    requests : ``deque<RequestRecord>``
        The REST requests.
    resumes : ``deque<ResumeRecord>``
        The resumes.
    """
    __slots__ = ('changed', 'connections', 'heartbeats', 'identifies', 'operations', 'requests', 'resumes')

    def __new__(cls, bound, changed):
        """
        Creates an empty recording.

        Parameters
        ----------
        bound : `int`
            How many records of each kind are kept.

        changed : `callable`
            To be called after each change.
        """
        self = object.__new__(cls)
        self.changed = changed
        self.connections = deque(maxlen = bound)
        self.heartbeats = deque(maxlen = bound)
        self.identifies = deque(maxlen = bound)
        self.operations = deque(maxlen = bound)
        self.requests = deque(maxlen = bound)
        self.resumes = deque(maxlen = bound)
        return self


    def __repr__(self):
        """Returns the representation of the recording."""
        return (
            f'<{type(self).__name__} connections = {len(self.connections)}, identifies = {len(self.identifies)}, '
            f'resumes = {len(self.resumes)}, operations = {len(self.operations)}, requests = {len(self.requests)}>'
        )


    def clear(self):
        """
        Forgets everything. Connections that are open go on writing into records that are no longer listed.
        """
        for records in (
            self.connections, self.heartbeats, self.identifies, self.operations, self.requests, self.resumes
        ):
            records.clear()


    def describe(self):
        """
        Tells what happened last, for the message of a timeout.

        Returns
        -------
        description : `str`
        """
        lines = [repr(self)]
        for records in (self.connections, self.identifies, self.resumes, self.requests):
            lines.extend(f'    {record!r}' for record in list(records)[-5:])

        return '\n'.join(lines)


    def connection_count(self, shard_id = None):
        """
        Returns how many connections were opened.

        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Of a shard only. Connections of which the shard never became known do not count then.

        Returns
        -------
        count : `int`
        """
        return sum((shard_id is None) or (record.shard_id == shard_id) for record in list(self.connections))


    def identify_count(self, shard_id = None):
        """
        Returns how many identifies came.

        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Of a shard only.

        Returns
        -------
        count : `int`
        """
        return sum((shard_id is None) or (record.shard_id == shard_id) for record in list(self.identifies))


    def resume_count(self, shard_id = None):
        """
        Returns how many resumes came.

        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Of a shard only.

        Returns
        -------
        count : `int`
        """
        return sum((shard_id is None) or (record.shard_id == shard_id) for record in list(self.resumes))


    def ready_count(self, shard_id = None):
        """
        Returns how many READY-s were sent.

        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Of a shard only.

        Returns
        -------
        count : `int`
        """
        return sum(
            (record.ready_at is not None) and ((shard_id is None) or (record.shard_id == shard_id))
            for record in list(self.connections)
        )


    def resumed_count(self, shard_id = None):
        """
        Returns how many RESUMED-s were sent.

        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Of a shard only.

        Returns
        -------
        count : `int`
        """
        return sum(
            (record.resumed_at is not None) and ((shard_id is None) or (record.shard_id == shard_id))
            for record in list(self.connections)
        )


    def close_codes(self, shard_id = None):
        """
        Returns the codes with which the client closed, in the order of the connections.

        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Of a shard only.

        Returns
        -------
        close_codes : `list<int>`
            `0` for a close frame without code.
        """
        return [
            record.close_code for record in list(self.connections)
            if (record.close_code is not None) and ((shard_id is None) or (record.shard_id == shard_id))
        ]


    def operations_of(self, operation, shard_id = None):
        """
        Returns the payloads of an operation.

        Parameters
        ----------
        operation : `int`
            The operation.

        shard_id : `None | int` = `None`, Optional
            Of a shard only.

        Returns
        -------
        records : ``list<OperationRecord>``
        """
        return [
            record for record in list(self.operations)
            if (record.operation == operation) and ((shard_id is None) or (record.shard_id == shard_id))
        ]
