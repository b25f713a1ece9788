"""
All sessions that can be used, and how long those without connection still can.
"""
__all__ = ('SessionTable',)

from uuid import uuid4

from .session import Session


class SessionTable:
    """
    The sessions of a local Discord.

    Attributes
    ----------
    core : ``Core``
        The local Discord.

    _by_id : ``dict<str, Session>``
        The sessions that can be used.

    _expirations : ``dict<Session, asyncio.TimerHandle>``
        What ends the sessions that have no connection.

    _number : `int`
        The number of the newest session.
    """
    __slots__ = ('_by_id', '_expirations', '_number', 'core')

    def __new__(cls, core):
        """
        Creates an empty table.

        Parameters
        ----------
        core : ``Core``
            The local Discord.
        """
        self = object.__new__(cls)
        self._by_id = {}
        self._expirations = {}
        self._number = 0
        self.core = core
        return self


    def __repr__(self):
        """Returns the representation of the table."""
        return f'<{type(self).__name__} {list(self._by_id.values())!r}>'


    def __iter__(self):
        """Iterates over the sessions that can be used, the oldest first."""
        return iter([session for session in list(self._by_id.values()) if not session.is_ended])


    def create(self, application, shard_id, shard_count, intents):
        """
        Creates a session.

        Parameters
        ----------
        application : ``Application``
            Whose it is.

        shard_id : `int`
            The shard.

        shard_count : `int`
            Count of shards.

        intents : `int`
            The intents.

        Returns
        -------
        session : ``Session``
        """
        self._number += 1
        session = Session(
            application, self._number, uuid4().hex, shard_id, shard_count, intents,
            self.core.options.get_replay_bound(len(self.core.world.get_guild_ids_of(shard_id, shard_count))),
        )
        self._by_id[session.session_id] = session
        return session


    def find(self, session_id, application):
        """
        Finds a session to resume.

        Parameters
        ----------
        session_id : `object`
            What the client gave.

        application : ``Application``
            Whose it has to be.

        Returns
        -------
        session : `None | Session`
        """
        if not isinstance(session_id, str):
            return None

        session = self._by_id.get(session_id, None)
        if (session is None) or (session.application is not application) or session.is_ended:
            return None

        return session


    def select(self, *, shard_id = None, guild_id = None, application_id = None):
        """
        Selects sessions that can be used.

        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional (Keyword only)
            Only of that shard.

        guild_id : `None | int` = `None`, Optional (Keyword only)
            Only of the guild's shard.

        application_id : `None | int` = `None`, Optional (Keyword only)
            Only of that application.

        Returns
        -------
        sessions : ``list<Session>``
        """
        return [
            session for session in self
            if ((shard_id is None) or (session.shard_id == shard_id))
            and ((guild_id is None) or session.owns_guild(guild_id))
            and ((application_id is None) or (session.application.application_id == application_id))
        ]


    def hold(self, session):
        """
        Stops the time of a session: it is being resumed.

        Parameters
        ----------
        session : ``Session``
            The session.
        """
        handle = self._expirations.pop(session, None)
        if (handle is not None):
            handle.cancel()


    def connect(self, session, connection):
        """
        Lets a session's events go over a connection.

        Parameters
        ----------
        session : ``Session``
            The session.

        connection : ``Connection``
            The connection.
        """
        self.hold(session)
        session.connection = connection


    def disconnect(self, session):
        """
        Takes the connection of a session away. It may be resumed for some time.

        Parameters
        ----------
        session : ``Session``
            The session.
        """
        session.connection = None
        self.hold(session)
        if session.is_ended:
            self._by_id.pop(session.session_id, None)
            return

        lifetime = self.core.options.session_lifetime
        session.expires_at = self.core.now() + lifetime
        self._expirations[session] = self.core.call_later(lifetime, self._expire, session)


    def _expire(self, session):
        """
        Ends a session that was not resumed in time.

        Parameters
        ----------
        session : ``Session``
            The session.
        """
        self._expirations.pop(session, None)
        self.end(session, 'expired')


    def end(self, session, reason):
        """
        Ends a session. Its connection, if any, lives on without.

        Parameters
        ----------
        session : ``Session``
            The session.

        reason : `str`
            Why.
        """
        self.hold(session)
        session.end(reason)
        session.connection = None
        self._by_id.pop(session.session_id, None)
        self.core.recording.changed()
