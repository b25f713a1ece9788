"""
The applications that a local Discord serves, by token.
"""
__all__ = ('ApplicationTable',)

from .application import Application, parse_token

# Discord docs, Gateway: "Session Start Limit": at the limit the token is reset, and every session of it ends.
CLOSE_AUTHENTICATION_FAILED = 4004


class ApplicationTable:
    """
    The applications of a local Discord.

    Attributes
    ----------
    core : ``Core``
        The local Discord.

    _by_token : ``dict<str, Application>``
        The applications by token.
    """
    __slots__ = ('_by_token', 'core')

    def __new__(cls, core):
        """
        Creates an empty table.

        Parameters
        ----------
        core : ``Core``
            The local Discord.
        """
        self = object.__new__(cls)
        self._by_token = {}
        self.core = core
        return self


    def __repr__(self):
        """Returns the representation of the table. Without tokens."""
        return f'<{type(self).__name__} {list(self._by_token.values())!r}>'


    def __iter__(self):
        """Iterates over the applications."""
        return iter(list(self._by_token.values()))


    def add(self, token):
        """
        Adds an application.

        Parameters
        ----------
        token : `str`
            Its token.

        Returns
        -------
        application : ``Application``
        """
        options = self.core.options
        remaining = options.session_start_remaining
        application = Application(
            parse_token(token) or self.core.world.default_bot_id,
            token,
            options.session_start_total if remaining is None else remaining,
            self.core.now() + options.session_start_reset_after,
        )
        self._by_token[token] = application
        return application


    def get(self, token):
        """
        Returns the application of a token.

        Parameters
        ----------
        token : `object`
            What the client gave.

        Returns
        -------
        application : `None | Application`
            `None` if the token is wrong.
        """
        if not isinstance(token, str):
            return None

        # IDENTIFY may have the prefix of the authorization header.
        if token.startswith('Bot '):
            token = token[4:]

        application = self._by_token.get(token, None)
        if application is None:
            if self.core.options.accept_any_token and parse_token(token):
                application = self.add(token)

        elif application.is_token_reset:
            application = None

        return application


    def take_session_start(self, application):
        """
        Uses one of the application's session starts. If there is none left, its token is reset.

        Parameters
        ----------
        application : ``Application``
            The application.

        Returns
        -------
        taken : `bool`
        """
        options = self.core.options
        application.refresh_session_starts(
            self.core.now(), options.session_start_total, options.session_start_reset_after
        )
        if application.session_start_remaining > 0:
            application.session_start_remaining -= 1
            return True

        application.is_token_reset = True
        for session in self.core.sessions.select(application_id = application.application_id):
            self.core.sessions.end(session, 'token')

        for connection in self.core.connections:
            if (connection.application is application) or (connection.application is None):
                connection.close(CLOSE_AUTHENTICATION_FAILED, 'Authentication failed.')

        return False
