"""
What IDENTIFY and RESUME have in common.

A session gets its events over a connection only from READY or RESUMED on (`Session.connection`); what happens before
that lands in its replay buffer and is sent in order. So delaying or cutting any of these stages never reorders an
event.
"""
__all__ = ('AuthenticationBase',)

RESULT_FAULTED = 'faulted'


class AuthenticationBase:
    """
    Base of what handles IDENTIFY and RESUME of a connection.

    Attributes
    ----------
    connection : ``Connection``
        The connection.

    conversation : ``Conversation``
        What it belongs to.

    core : ``Core``
        The local Discord.
    """
    __slots__ = ('connection', 'conversation', 'core')

    def __new__(cls, conversation, core, connection):
        """
        Creates it.

        Parameters
        ----------
        conversation : ``Conversation``
            What it belongs to.

        core : ``Core``
            The local Discord.

        connection : ``Connection``
            The connection.
        """
        self = object.__new__(cls)
        self.connection = connection
        self.conversation = conversation
        self.core = core
        return self


    def _settle(self, record, result):
        """
        Notes how it ended.

        Parameters
        ----------
        record : ``IdentifyRecord | ResumeRecord``
            What to note it in.

        result : `int | str`
            The result.
        """
        if record.result is None:
            record.result = result

        self.core.recording.changed()


    def _refuse(self, record, close_code, reason):
        """
        Closes because of what the client asked for.

        Parameters
        ----------
        record : ``IdentifyRecord | ResumeRecord``
            What to note it in.

        close_code : `int`
            The close code.

        reason : `str`
            What Discord says to that.
        """
        self._settle(record, close_code)
        self.connection.close(close_code, reason)


    def _attach_faulted(self, record, session, sequence, payloads = ()):
        """
        Goes on without READY or RESUMED: the events flow if the connection still lives.

        Parameters
        ----------
        record : ``IdentifyRecord | ResumeRecord``
            What to note the result in.

        session : ``Session``
            The session.

        sequence : `int`
            The sequence up to which events were sent.

        payloads : `iterable<bytes>` = `()`, Optional
            Events that go out first.
        """
        self._settle(record, RESULT_FAULTED)
        if self.connection.is_open and (self.connection.session is session):
            self.core.sessions.connect(session, self.connection)
            self.core.send_missed(session, self.connection, sequence, payloads)
        else:
            self._forsake(session)


    def _forsake(self, session):
        """
        Lets a session that never got onto its connection wait for being resumed.

        Parameters
        ----------
        session : ``Session``
            The session.
        """
        if self.core.connections.find_of(session) is None:
            self.core.sessions.disconnect(session)
