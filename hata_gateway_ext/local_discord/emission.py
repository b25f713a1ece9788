"""
Events that a local Discord sends on request. Every method may be called from any thread.
"""
__all__ = ('Emission',)

from .ledger import format_number
from .payloads import encode_json
from .stream import Stream
from .traffic import Traffic


class Emission:
    """
    Base of ``LocalDiscord`` with the events that it sends.
    """
    __slots__ = ()

    def emit(self, name, data, *, shard_id = None, guild_id = None, application_id = None):
        """
        Dispatches an event into every session, connected or not, that the parameters select.

        Parameters
        ----------
        name : `str`
            The event's name.

        data : `object`
            The event's data.

        shard_id : `None | int` = `None`, Optional (Keyword only)
            Only into sessions of that shard.

        guild_id : `None | int` = `None`, Optional (Keyword only)
            Only into sessions of the guild's shard.

        application_id : `None | int` = `None`, Optional (Keyword only)
            Only into sessions of that application.

        Returns
        -------
        count : `int`
            Count of sessions.
        """
        return self.emit_many(name, (data,), shard_id = shard_id, guild_id = guild_id, application_id = application_id)


    def emit_many(self, name, datas, *, shard_id = None, guild_id = None, application_id = None):
        """
        Dispatches many events at once. See ``.emit``.

        Parameters
        ----------
        name : `str`
            The events' name.

        datas : `iterable<object>`
            The events' data.

        shard_id : `None | int` = `None`, Optional (Keyword only)
            Only into sessions of that shard.

        guild_id : `None | int` = `None`, Optional (Keyword only)
            Only into sessions of the guild's shard.

        application_id : `None | int` = `None`, Optional (Keyword only)
            Only into sessions of that application.

        Returns
        -------
        count : `int`
            Count of sessions.
        """
        encoded = [encode_json(data) for data in datas]

        def dispatch():
            core = self.core
            count = 0
            for data in encoded:
                # A fault may end sessions at any of them.
                sessions = core.sessions.select(
                    shard_id = shard_id, guild_id = guild_id, application_id = application_id
                )
                count = core.dispatch(name, data, sessions)

            return count


        return self.call(dispatch)


    def send_message(self, channel_id = None, content = None, *, guild_id = None, shard_id = None):
        """
        Sends a message of a guild's member, by default a numbered one.

        Parameters
        ----------
        channel_id : `None | int` = `None`, Optional
            The channel. The first text channel of the guild by default.

        content : `None | str` = `None`, Optional
            The content. `#` and the message's number by default; only then it counts in the ledger.

        guild_id : `None | int` = `None`, Optional (Keyword only)
            The guild. By default the channel's, or the shard's first one.

        shard_id : `None | int` = `None`, Optional (Keyword only)
            A shard whose guild is taken if none is given, shard 0 by default.

        Returns
        -------
        data : `dict<str, object>`
            The message's data, with its number as `number`. `None` there if it has none.

        Raises
        ------
        ValueError
            - If there is no such guild, or the shard has none.
        """
        return self.call(self._send_message, channel_id, content, guild_id, shard_id)


    def _send_message(self, channel_id, content, guild_id, shard_id):
        """
        Sends a message, on the loop of the local Discord. See ``.send_message``.

        Parameters
        ----------
        channel_id : `None | int`
        content : `None | str`
        guild_id : `None | int`
        shard_id : `None | int`

        Returns
        -------
        data : `dict<str, object>`
        """
        core = self.core
        world = core.world

        if guild_id is None:
            if channel_id is None:
                guild_id = self._get_guild_id_of_shard(0 if shard_id is None else shard_id)
            else:
                guild_id = world.get_guild_id_of_channel(channel_id)

        if not world.has_guild(guild_id):
            raise ValueError(
                f'There is no such guild or channel, got guild_id = {guild_id!r}, channel_id = {channel_id!r}.'
            )

        if channel_id is None:
            channel_id = world.get_text_channel_id(guild_id)

        number = None
        sessions = core.sessions.select(guild_id = guild_id)
        if content is None:
            number = core.ledger.next_number
            core.ledger.add(tuple(sessions))
            content = format_number(number)

        data = world.build_message(channel_id, guild_id, content)
        core.dispatch('MESSAGE_CREATE', encode_json(data), sessions)
        data['number'] = number
        return data


    def _get_guild_id_of_shard(self, shard_id):
        """
        Returns the first guild of a shard.

        Parameters
        ----------
        shard_id : `int`
            The shard.

        Returns
        -------
        guild_id : `int`
        """
        core = self.core
        sessions = core.sessions.select(shard_id = shard_id)
        shard_count = sessions[-1].shard_count if sessions else core.options.shards
        guild_id = core.world.find_guild_id_of(shard_id, shard_count)
        if not guild_id:
            raise ValueError(
                f'Shard {shard_id!r} of {shard_count!r} has no guild: there are {core.options.guilds!r} guilds, see '
                f'`guilds`.'
            )

        return guild_id


    def send_messages(self, count, *, guild_id = None, shard_id = None):
        """
        Sends numbered messages.

        Parameters
        ----------
        count : `int`
            How many.

        guild_id : `None | int` = `None`, Optional (Keyword only)
            The guild.

        shard_id : `None | int` = `None`, Optional (Keyword only)
            A shard whose guild is taken if none is given, shard 0 by default.

        Returns
        -------
        numbers : `range`
            Their numbers.
        """
        def send():
            first = self.core.ledger.next_number
            for _ in range(count):
                self._send_message(None, None, guild_id, shard_id)

            return range(first, first + count)


        return self.call(send)


    def start_traffic(self, rate, *, shard_id = None):
        """
        Starts to send numbered messages steadily.

        Parameters
        ----------
        rate : `float`
            How many a second into each shard that has a session.

        shard_id : `None | int` = `None`, Optional (Keyword only)
            Only into that shard.

        Returns
        -------
        traffic : ``Traffic``
            To be stopped by its `.stop()`.
        """
        return self.call(Traffic, self, rate, shard_id)


    def stream(self, shard_id, payloads, *, preface = None, rate = None, start = True):
        """
        Prepares a stream into the sessions of a shard: measurements read it. Connections that get READY from then on are
        sent it behind READY and the guilds. A shard has one stream; another one takes its place.

        Parameters
        ----------
        shard_id : `int`
            The shard.

        payloads : `iterable<bytes>`
            Whole payloads, as JSON, with their own sequences. They are not kept for a replay.

        preface : `None | iterable<bytes>` = `None`, Optional (Keyword only)
            READY, and what follows it, to be sent instead of the local Discord's own. `session_id`,
            `resume_gateway_url` and `shard` of READY are filled in.

        rate : `None | float` = `None`, Optional (Keyword only)
            Payloads a second. `None`: a flood, that is compressed and framed before it goes out.

        start : `bool` = `True`, Optional (Keyword only)
            Whether payloads go out as soon as READY and the guilds did. With `False` they wait for `.start()`.

        Returns
        -------
        stream : ``Stream``
        """
        stream = Stream(self, shard_id, payloads, preface, rate, start)

        def put():
            old_stream = self.core.streams.get(shard_id, None)
            if (old_stream is not None):
                old_stream.stop()

            self.core.streams[shard_id] = stream


        self.call(put)
        return stream
