"""
What can be asked of a local Discord. Every property and method may be used from any thread.
"""
__all__ = ('Inspection',)

from .application import parse_token
from .listener import LISTENER_API

API_PATH = '/api/v10'


class Inspection:
    """
    Base of ``LocalDiscord`` with what can be asked.
    """
    __slots__ = ()

    # where it is


    @property
    def token(self):
        """
        Returns the bot's token.

        Returns
        -------
        token : `str`
        """
        return self.core.token


    @property
    def api_endpoint(self):
        """
        Returns what `HATA_API_ENDPOINT` has to be.

        Returns
        -------
        url : `str`
        """
        return self.discord_endpoint + API_PATH


    @property
    def discord_endpoint(self):
        """
        Returns what `HATA_DISCORD_ENDPOINT` has to be.

        Returns
        -------
        url : `str`
        """
        return self.core.listeners[LISTENER_API].get_url('http')


    @property
    def gateway_url(self):
        """
        Returns the url that `/gateway/bot` tells.

        Returns
        -------
        url : `str`
        """
        return self.core.get_gateway_url()


    def resume_gateway_url(self, shard_id):
        """
        Returns the url that READY tells to resume on.

        Parameters
        ----------
        shard_id : `int`
            The shard.

        Returns
        -------
        url : `str`
        """
        return self.core.get_resume_gateway_url(shard_id)


    @property
    def environment(self):
        """
        Returns the environment variables with which an unchanged hata bot runs on it.

        Returns
        -------
        environment : `dict<str, str>`
        """
        return {
            'HATA_API_ENDPOINT': self.api_endpoint,
            'HATA_DISCORD_ENDPOINT': self.discord_endpoint,
        }


    # what is in it


    @property
    def options(self):
        """
        Returns the options. They may be changed while it runs.

        Returns
        -------
        options : ``LocalDiscordOptions``
        """
        return self.core.options


    @property
    def recording(self):
        """
        Returns what clients did. From other threads iterate over it by ``.ask``.

        Returns
        -------
        recording : ``Recording``
        """
        return self.core.recording


    @property
    def ledger(self):
        """
        Returns the numbered messages.

        Returns
        -------
        ledger : ``Ledger``
        """
        return self.core.ledger


    @property
    def world(self):
        """
        Returns the generated world.

        Returns
        -------
        world : ``World``
        """
        return self.core.world


    @property
    def application_id(self):
        """
        Returns the bot's id.

        Returns
        -------
        application_id : `int`
        """
        return parse_token(self.core.token) or self.core.world.default_bot_id


    @property
    def applications(self):
        """
        Returns the applications that logged in, or could.

        Returns
        -------
        applications : ``tuple<Application>``
        """
        return self.call(lambda: tuple(self.core.applications))


    @property
    def sessions(self):
        """
        Returns the sessions that can be used.

        Returns
        -------
        sessions : ``tuple<Session>``
        """
        return self.call(lambda: tuple(self.core.sessions))


    @property
    def connections(self):
        """
        Returns the open connections.

        Returns
        -------
        connections : ``tuple<Connection>``
        """
        return self.call(lambda: tuple(self.core.connections.select()))


    def session(self, shard_id = 0):
        """
        Returns the newest session of a shard that can be used.

        Parameters
        ----------
        shard_id : `int` = `0`, Optional
            The shard.

        Returns
        -------
        session : `None | Session`
        """
        sessions = self.call(lambda: self.core.sessions.select(shard_id = shard_id))
        return sessions[-1] if sessions else None


    def connection(self, shard_id = 0):
        """
        Returns the newest open connection of a shard.

        Parameters
        ----------
        shard_id : `int` = `0`, Optional
            The shard.

        Returns
        -------
        connection : `None | Connection`
        """
        connections = self.call(self.core.connections.select, shard_id)
        return connections[-1] if connections else None


    def ask(self, function):
        """
        Asks the recording on the loop of the local Discord, so that it does not change meanwhile.

        Parameters
        ----------
        function : `callable`
            Gets the ``Recording``.

        Returns
        -------
        result : `object`
            What the function returned.
        """
        return self.call(function, self.core.recording)
