"""
What can be done with a local Discord while it runs. Every method may be called from any thread.
"""
__all__ = ('Control',)

from .actions import Close, Cut, Invalidate, Reconnect, SendPayload, Silence
from .application import parse_token
from .faults import STAGES, STAGE_NOW, Fault
from .ledger import format_number
from .listener import LISTENER_NAMES
from .payloads import encode_envelope, encode_json
from .rest_faults import RestFault
from .traffic import Traffic

from ..protocol.operations import HEARTBEAT


class Control:
    """
    Base of ``LocalDiscord`` with everything that is done while it runs.
    """
    __slots__ = ()

    # what there is


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
        return self.call(lambda: tuple(self.core.applications.values()))


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
        return self.call(lambda: tuple(self.core.select_connections()))


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
        connections = self.call(self.core.select_connections, shard_id)
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


    # events


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
            raise ValueError(f'There is no such guild or channel, got guild_id = {guild_id!r}, channel_id = {channel_id!r}.')

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
                f'Shard {shard_id!r} of {shard_count!r} has no guild: there are {core.options.guilds!r} guilds, see `guilds`.'
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


    # faults


    def fault(self, action, *, at = STAGE_NOW, shard_id = None, times = 1, duration = None, after = 0):
        """
        Scripts a fault. See the package's docstring for stages and actions.

        Parameters
        ----------
        action : ``ActionBase``
            What happens.

        at : `str` = `'now'`, Optional (Keyword only)
            The stage.

        shard_id : `None | int` = `None`, Optional (Keyword only)
            Only on connections of that shard.

        times : `None | int` = `1`, Optional (Keyword only)
            How often it strikes. `None`: until it is healed. At once it strikes each open connection once.

        duration : `None | float` = `None`, Optional (Keyword only)
            Seconds after which it is healed.

        after : `int` = `0`, Optional (Keyword only)
            How many passes of the stage go by unharmed on each connection.

        Returns
        -------
        fault : ``Fault``

        Raises
        ------
        ValueError
            - If there is no such stage, or the action means nothing there.
        """
        if at not in STAGES:
            raise ValueError(f'`at` can be any of {", ".join(STAGES)}, got {at!r}.')

        if not action.is_possible_at(at):
            raise ValueError(f'{action!r} means nothing at {at!r}.')

        return self.call(self._fault, action, at, shard_id, times, duration, after)


    def _fault(self, action, at, shard_id, times, duration, after):
        """
        Scripts a fault, on the loop of the local Discord. See ``.fault``.

        Parameters
        ----------
        action : ``ActionBase``
        at : `str`
        shard_id : `None | int`
        times : `None | int`
        duration : `None | float`
        after : `int`

        Returns
        -------
        fault : ``Fault``
        """
        core = self.core
        fault = Fault(
            action, at, shard_id, times, None if duration is None else core.now() + duration, after, self._heal_fault
        )

        if at == STAGE_NOW:
            fault.strike_all(core.select_connections(shard_id))
            core.recording.changed()

        core.script.add(fault)

        if (duration is not None):
            core.call_later(duration, core.script.heal, fault)

        return fault


    def _heal_fault(self, fault):
        """
        Ends a fault.

        Parameters
        ----------
        fault : ``Fault``
            The fault.
        """
        self.call(self.core.script.heal, fault)


    def heal(self):
        """
        Ends every fault, those of REST as well. Listeners that were taken down stay so.
        """
        def heal_all():
            self.core.script.heal_all()
            self.core.rest.faults.heal_all()


        self.call(heal_all)


    def cut(self, shard_id = None, reset = True):
        """
        Cuts open connections.

        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Only of that shard.

        reset : `bool` = `True`, Optional
            Whether with RST. With FIN otherwise.

        Returns
        -------
        fault : ``Fault``
            With its `.count` of connections.
        """
        return self.fault(Cut(reset), shard_id = shard_id)


    def close(self, shard_id = None, code = 4000):
        """
        Closes open connections with a close frame.

        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Only of that shard.

        code : `None | int` = `4000`, Optional
            Close code. `None`: none.

        Returns
        -------
        fault : ``Fault``
            With its `.count` of connections.
        """
        return self.fault(Close(code), shard_id = shard_id)


    def reconnect(self, shard_id = None):
        """
        Sends op 7.

        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Only to that shard.

        Returns
        -------
        fault : ``Fault``
            With its `.count` of connections.
        """
        return self.fault(Reconnect(), shard_id = shard_id)


    def invalidate(self, shard_id = None, resumable = False):
        """
        Sends op 9.

        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Only to that shard.

        resumable : `bool` = `False`, Optional
            Whether the session can be resumed.

        Returns
        -------
        fault : ``Fault``
            With its `.count` of connections.
        """
        return self.fault(Invalidate(resumable), shard_id = shard_id)


    def silence(self, shard_id = None, read = False):
        """
        Lets open connections fall silent, until the returned fault is healed.

        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Only of that shard.

        read : `bool` = `False`, Optional
            Whether what the client sends is still read.

        Returns
        -------
        fault : ``Fault``
            With its `.count` of connections.
        """
        return self.fault(Silence(read), shard_id = shard_id)


    def request_heartbeat(self, shard_id = None):
        """
        Sends op 1.

        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Only to that shard.

        Returns
        -------
        fault : ``Fault``
            With its `.count` of connections.
        """
        return self.fault(SendPayload(encode_envelope(HEARTBEAT, b'null')), shard_id = shard_id)


    def end_sessions(self, shard_id = None):
        """
        Forgets sessions, without telling anyone: their resume gets op 9 false.

        Parameters
        ----------
        shard_id : `None | int` = `None`, Optional
            Only of that shard.

        Returns
        -------
        count : `int`
            Count of sessions.
        """
        def end():
            sessions = self.core.sessions.select(shard_id = shard_id)
            for session in sessions:
                self.core.sessions.end(session, 'invalidated')

            return len(sessions)


        return self.call(end)


    def rest_fault(
        self, path = '', *, method = None, status = None, headers = None, body = None, hang = False, delay = 0.0, times = 1,
        duration = None,
    ):
        """
        Scripts a fault of REST.

        Parameters
        ----------
        path : `str` = `''`, Optional
            What the path, without `/api/v10`, starts with.

        method : `None | str` = `None`, Optional (Keyword only)
            Only requests of that method.

        status : `None | int` = `None`, Optional (Keyword only)
            The status to answer with. `None`: the right one.

        headers : `None | dict<str, str>` = `None`, Optional (Keyword only)
            Further headers of the answer.

        body : `None | bytes | str` = `None`, Optional (Keyword only)
            Body to answer with.

        hang : `bool` = `False`, Optional (Keyword only)
            Whether it is not answered until healed.

        delay : `float` = `0.0`, Optional (Keyword only)
            Seconds for which the answer waits.

        times : `None | int` = `1`, Optional (Keyword only)
            How often it strikes. `None`: until it is healed.

        duration : `None | float` = `None`, Optional (Keyword only)
            Seconds after which it is healed.

        Returns
        -------
        fault : ``RestFault``
        """
        core = self.core

        def add():
            fault = RestFault(
                path, method, status, headers, body, hang, delay, times,
                None if duration is None else core.now() + duration, heal,
            )
            core.rest.faults.add(fault)
            if (duration is not None):
                core.call_later(duration, core.rest.faults.heal, fault)

            return fault


        def heal(fault):
            self.call(core.rest.faults.heal, fault)


        return self.call(add)


    # outages


    def stop_listening(self, *names, cut = True):
        """
        Takes listeners down: connecting to them is refused.

        Parameters
        ----------
        *names : `str`
            `'api'`, `'gateway'`, `'resume'`. All if none is given.

        cut : `bool` = `True`, Optional (Keyword only)
            Whether the connections that came over them are cut as well.
        """
        listeners = [self.core.listeners[name] for name in names or LISTENER_NAMES]

        def take_down():
            for listener in listeners:
                listener.take_down()
                if cut:
                    for connection in list(self.core.connections):
                        if connection.record.listener == listener.name:
                            connection.cut(True)

                    listener.abort_requests()

            self.core.recording.changed()


        self.call(take_down)


    def start_listening(self, *names):
        """
        Brings listeners back, on the same ports.

        Parameters
        ----------
        *names : `str`
            `'api'`, `'gateway'`, `'resume'`. All if none is given.
        """
        listeners = [self.core.listeners[name] for name in names or LISTENER_NAMES]

        def bring_back():
            for listener in listeners:
                listener.open(self.core.loop)


        self.call(bring_back)
