"""
The connections of a local Discord that have not ended.
"""
__all__ = ('ConnectionTable',)


class ConnectionTable:
    """
    The connections of a local Discord.

    Attributes
    ----------
    _connections : ``set<Connection>``
        The connections.
    """
    __slots__ = ('_connections',)

    def __new__(cls):
        """
        Creates an empty table.
        """
        self = object.__new__(cls)
        self._connections = set()
        return self


    def __repr__(self):
        """Returns the representation of the table."""
        return f'<{type(self).__name__} {self.select()!r}>'


    def __iter__(self):
        """Iterates over the connections, those that are not upgraded yet and those that are being closed as well."""
        return iter(list(self._connections))


    def __len__(self):
        """Returns how many connections there are."""
        return len(self._connections)


    def add(self, connection):
        """
        Adds a connection.

        Parameters
        ----------
        connection : ``Connection``
            The connection.
        """
        self._connections.add(connection)


    def remove(self, connection):
        """
        Forgets a connection that ended.

        Parameters
        ----------
        connection : ``Connection``
            The connection.
        """
        self._connections.discard(connection)


    def select(self, shard_id = None):
        """
        Selects open connections.

        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Only of that shard.

        Returns
        -------
        connections : ``list<Connection>``
            The oldest first.
        """
        return sorted(
            (
                connection for connection in self._connections
                if connection.is_upgraded and connection.is_open
                and ((shard_id is None) or (connection.shard_id == shard_id))
            ),
            key = lambda connection: connection.record.number,
        )


    def find_of(self, session):
        """
        Finds the connection that uses a session, or that is about to.

        Parameters
        ----------
        session : ``Session``
            The session.

        Returns
        -------
        connection : `None | Connection`
        """
        for connection in self._connections:
            if connection.session is session:
                return connection

        return None
