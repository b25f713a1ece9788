"""
Trouble on request that is not of a single connection: listeners that are down, REST that fails, sessions that are
forgotten.

Every method may be called from any thread.
"""
__all__ = ('Outages',)

from .listener import LISTENER_NAMES
from .rest_faults import RestFault


class Outages:
    """
    Base of ``LocalDiscord`` with the outages.
    """
    __slots__ = ()

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
                    for connection in self.core.connections:
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
        self, path = '', *, method = None, status = None, headers = None, body = None, hang = False, delay = 0.0,
        times = 1, duration = None,
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
