"""
Faults of gateway connections on request. Every method may be called from any thread.
"""
__all__ = ('FaultControl',)

from ..protocol.operations import HEARTBEAT

from .fault import Fault
from .line_actions import Close, Cut, Silence
from .payload_actions import Invalidate, Reconnect, SendPayload
from .payloads import encode_envelope
from .stages import STAGES, STAGE_NOW


class FaultControl:
    """
    Base of ``LocalDiscord`` with the faults of connections.
    """
    __slots__ = ()

    def fault(
        self, action, *, at = STAGE_NOW, shard_id = None, times = 1, duration = None, after = 0, every = 1,
        passes = None,
    ):
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

        every : `int` = `1`, Optional (Keyword only)
            Only each so manieth of the further passes is struck: a replay with holes is
            `fault(Skip(), at = 'replay', every = 3, times = None)`.

        passes : `None | iterable<int>` = `None`, Optional (Keyword only)
            Only these passes of the stage are struck, counted from 1 on each connection.

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

        if every < 1:
            raise ValueError(f'`every` can be at least 1, got {every!r}.')

        return self.call(self._fault, action, at, shard_id, times, duration, after, every, passes)


    def _fault(self, action, at, shard_id, times, duration, after, every, passes):
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
        every : `int`
        passes : `None | iterable<int>`

        Returns
        -------
        fault : ``Fault``
        """
        core = self.core
        fault = Fault(
            action, at, shard_id, times, None if duration is None else core.now() + duration, after, every, passes,
            self._heal_fault,
        )

        if at == STAGE_NOW:
            fault.strike_all(core.connections.select(shard_id))
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
