"""
The gateway of one shard, as hata's client sees it.
"""
__all__ = ('DurableGatewayClientShard',)

from hata.discord.gateway.client_base import DiscordGatewayClientBase
from hata.discord.gateway.constants import LATENCY_DEFAULT
from scarletio import copy_docs, to_json

from ..errors import PayloadTooLargeError
from ..protocol.operations import PAYLOAD_SIZE_LIMIT, UNGATED_OPERATIONS, build_voice_state_payload
from .base import DurableGatewayClientBase
from .driver import SessionDriver
from .statistics import take_shard_statistics


class ShardsById:
    """
    The `.gateways` of a single shard: hata looks shards up by their id, whatever number this one has.
    """
    __slots__ = ('_shard',)
    
    def __new__(cls, shard):
        """
        Creates the `.gateways` of a shard.
        
        Parameters
        ----------
        shard : ``DurableGatewayClientShard``
            The shard.
        """
        self = object.__new__(cls)
        self._shard = shard
        return self
    
    
    def __repr__(self):
        return repr((self._shard,))
    
    
    def __len__(self):
        return 1
    
    
    def __iter__(self):
        yield self._shard
    
    
    def __getitem__(self, shard_id):
        """
        Returns the shard.
        
        Raises
        ------
        IndexError
            - If `shard_id` is another shard's.
        """
        shard = self._shard
        if shard_id != shard.shard_id:
            raise IndexError(shard_id)
        
        return shard


def serialize_payload(data):
    """
    Turns a payload into JSON.
    
    Parameters
    ----------
    data : `object`
        The payload.
    
    Returns
    -------
    payload : `str`
    
    Raises
    ------
    PayloadTooLargeError
        - If it is over 4096 bytes. Discord would close the connection.
    """
    payload = to_json(data)
    size = len(payload.encode('utf-8', 'surrogatepass'))
    if size > PAYLOAD_SIZE_LIMIT:
        raise PayloadTooLargeError(size, PAYLOAD_SIZE_LIMIT)
    
    return payload


class DurableGatewayClientShard(DurableGatewayClientBase):
    """
    The gateway of one shard. It resumes its session after every loss that allows it, and loses no event.
    
    Attributes
    ----------
    client : ``Client``
        The owner client of the gateway.
    context : ``GatewayContext``
        What the shards of the client share.
    driver : ``SessionDriver``
        Drives the session.
    shard_id : `int`
        The shard's identifier; `0` if the client is not sharded.
    """
    __slots__ = ('client', 'context', 'driver', 'shard_id')
    
    def __new__(cls, client, shard_id, context):
        """
        Creates the gateway of a shard.
        
        Parameters
        ----------
        client : ``Client``
            The owner client of the gateway.
        shard_id : `int`
            The shard's identifier.
        context : ``GatewayContext``
            What the shards of the client share.
        """
        self = DurableGatewayClientBase.__new__(cls)
        self.client = client
        self.context = context
        self.shard_id = shard_id
        self.driver = SessionDriver(self, client, shard_id, context)
        return self
    
    
    @copy_docs(DiscordGatewayClientBase._put_repr_parts_into)
    def _put_repr_parts_into(self, repr_parts):
        repr_parts.append(' client = ')
        repr_parts.append(repr(self.client.full_name))
        repr_parts.append(', shard_id = ')
        repr_parts.append(repr(self.shard_id))
        repr_parts.append(', state = ')
        repr_parts.append(repr(self.driver.machine.state))
        
        latency = self.latency
        if latency != LATENCY_DEFAULT:
            repr_parts.append(', latency = ')
            repr_parts.append(format(latency, '.3f'))
    
    # ---- attributes of hata's own gateway ----
    
    @property
    def gateways(self):
        """
        The shard itself, to be looked up by its id.
        
        Returns
        -------
        gateways : ``ShardsById``
        """
        return ShardsById(self)
    
    
    @property
    def kokoro(self):
        """
        The heart of the shard. `None` until it was connected first.
        
        Returns
        -------
        kokoro : ``None | Kokoro``
        """
        return self.driver.kokoro
    
    
    @property
    def rate_limit_handler(self):
        """
        The send queue of the shard. Awaiting it waits for a permit.
        
        Returns
        -------
        rate_limit_handler : ``SendQueue``
        """
        return self.driver.send_queue
    
    
    @property
    def resume_gateway_url(self):
        """
        Where the session is resumed. `None` if there is none.
        
        Returns
        -------
        resume_gateway_url : `None | str`
        """
        return self.driver.machine.session.resume_gateway_url
    
    
    @property
    def sequence(self):
        """
        The sequence of the last event that was dispatched. `None` before the first.
        
        Returns
        -------
        sequence : `None | int`
        """
        return self.driver.machine.session.sequence
    
    
    @property
    def session_id(self):
        """
        The identifier of the session. `None` if there is none.
        
        Returns
        -------
        session_id : `None | str`
        """
        return self.driver.machine.session.session_id
    
    
    @property
    def web_socket(self):
        """
        The web socket of the current connection. `None` if there is none.
        
        Returns
        -------
        web_socket : ``None | GatewayWebSocket``
        """
        connection = self.driver.connection
        if connection is None:
            return None
        
        return connection.web_socket
    
    # ---- hata's contract ----
    
    async def run(self, waiter = None):
        """
        Keeps the shard connected, and its events coming, until it is stopped. Reconnects by itself.
        
        This method is a coroutine.
        
        Parameters
        ----------
        waiter : `None | Future<bool>` = `None`, Optional
            Its result is set to `True` when READY or RESUMED is reached first, and to `False` if the run ended before.
        
        Returns
        -------
        outcome : `bool`
            `False` when the client or the gateway was stopped. `True` when no connection could be made for as long as the
            option `gateway_offline_timeout` allows; the session is kept, and the client launches the gateway again.
        
        Raises
        ------
        RuntimeError
            - If the gateway runs already.
        InvalidToken
            - If Discord does not accept the token.
        DiscordGatewayException
            - If Discord does not accept the intents, the shard or the version of the API.
            - If Discord asks for more shards.
        """
        async def run():
            return await self.run_driver(waiter)
        
        try:
            return await self._run_kept(run)
        finally:
            if (waiter is not None):
                waiter.set_result_if_pending(False)
    
    
    async def run_driver(self, waiter = None):
        """
        Drives the session, without anything that concerns the gateway as a whole. See ``.run``.
        
        This method is a coroutine.
        
        Parameters
        ----------
        waiter : `None | Future<bool>` = `None`, Optional
            Its result is set to `True` when READY or RESUMED is reached first, and to `False` if the run ended before.
        
        Returns
        -------
        outcome : `bool`
        """
        if not self.client.running:
            if (waiter is not None):
                waiter.set_result_if_pending(False)
            return False
        
        return await self.driver.run(waiter)
    
    
    @property
    @copy_docs(DiscordGatewayClientBase.latency)
    def latency(self):
        kokoro = self.driver.kokoro
        if kokoro is None:
            return LATENCY_DEFAULT
        
        return kokoro.latency
    
    
    async def terminate(self):
        """
        Stops the heartbeat, and closes the web socket with close code `4000`. A running gateway then reconnects and resumes,
        without waiting for the old connection.
        
        This method is a coroutine. It returns when the old connection is closed, after two seconds at most.
        """
        closing_task = self.driver.terminate()
        if (closing_task is not None):
            await closing_task
    
    
    def abort(self):
        """
        Stops the gateway at once, without waiting for anything. The session is kept as it is.
        """
        self._stopped = True
        self.driver.abort()
    
    
    async def send_as_json(self, data):
        """
        Sends the data as JSON to Discord.
        
        While the connection is down, or before READY or RESUMED, it waits for up to 60 seconds, and is then dropped. If more
        than Discord accepts is sent, it waits as long as it takes, first in, first out. Returns at once if the gateway does
        not run, or if it is down while the client is being stopped: what voice clients say then must not hold that up. Never
        raises because of a missing or closed web socket.
        
        This method is a coroutine.
        
        Parameters
        ----------
        data : `object`
            The data to send.
        
        Raises
        ------
        PayloadTooLargeError
            - If the JSON of `data` is over 4096 bytes.
        """
        await self._send_payload(data, serialize_payload(data))
    
    
    async def _send_payload(self, data, payload):
        """
        Sends a payload that is JSON already.
        
        This method is a coroutine.
        
        Parameters
        ----------
        data : `object`
            The data.
        payload : `str`
            Its JSON.
        """
        send_queue = self.driver.send_queue
        if isinstance(data, dict) and (data.get('op', None) in UNGATED_OPERATIONS):
            send_queue.send_reserved(payload)
        
        elif send_queue.is_open or self.client.running:
            await send_queue.send(payload)
    
    
    async def beat(self):
        """
        Sends one heartbeat, if there is a connection that said HELLO.
        
        This method is a coroutine.
        """
        kokoro = self.driver.kokoro
        if (kokoro is not None):
            kokoro.beat_now()
    
    
    @copy_docs(DiscordGatewayClientBase.change_voice_state)
    async def change_voice_state(self, guild_id, channel_id, *, self_deaf = False, self_mute = False):
        await self.send_as_json(build_voice_state_payload(guild_id, channel_id, self_deaf, self_mute))
    
    
    @copy_docs(DiscordGatewayClientBase.get_gateway)
    def get_gateway(self, guild_id):
        return self
    
    # ---- ours ----
    
    def get_statistics(self):
        """
        Returns what the shard has done so far.
        
        Returns
        -------
        statistics : ``ShardStatistics``
        """
        return take_shard_statistics(self.driver)
