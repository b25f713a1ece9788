"""
The gateway of a client with several shards, as hata's client sees it.
"""
__all__ = ('DurableGatewayClientSharder',)

from hata import DiscordGatewayException, InvalidToken, KOKORO
from hata.discord.gateway.client_base import DiscordGatewayClientBase
from hata.discord.gateway.constants import LATENCY_DEFAULT
from scarletio import Task, TaskGroup, copy_docs

from .base import DurableGatewayClientBase
from .shard import DurableGatewayClientShard, serialize_payload
from .statistics import GatewayStatistics


class DurableGatewayClientSharder(DurableGatewayClientBase):
    """
    The gateway of a client with several shards. Each shard lives for itself.
    
    Attributes
    ----------
    client : ``Client``
        The owner client of the gateway.
    context : ``GatewayContext``
        What the shards of the client share.
    gateways : `tuple<DurableGatewayClientShard>`
        The shards, by id.
    """
    __slots__ = ('client', 'context', 'gateways')
    
    def __new__(cls, client, shard_count, context):
        """
        Creates the gateway of a sharded client.
        
        Parameters
        ----------
        client : ``Client``
            The owner client of the gateway.
        shard_count : `int`
            How many shards there are, at least 1.
        context : ``GatewayContext``
            What the shards of the client share.
        """
        self = DurableGatewayClientBase.__new__(cls)
        self.client = client
        self.context = context
        self.gateways = tuple(
            DurableGatewayClientShard(client, shard_id, context) for shard_id in range(shard_count)
        )
        return self
    
    
    @copy_docs(DiscordGatewayClientBase._put_repr_parts_into)
    def _put_repr_parts_into(self, repr_parts):
        repr_parts.append(' client = ')
        repr_parts.append(repr(self.client.full_name))
        repr_parts.append(', shard_count = ')
        repr_parts.append(repr(len(self.gateways)))
        
        states = {}
        for gateway in self.gateways:
            state = gateway.driver.machine.state
            states[state] = states.get(state, 0) + 1
        
        repr_parts.append(', state = ')
        if len(states) == 1:
            repr_parts.append(repr(next(iter(states))))
        else:
            repr_parts.append(repr(', '.join(f'{count} {state}' for state, count in states.items())))
        
        latency = self.latency
        if latency != LATENCY_DEFAULT:
            repr_parts.append(', latency = ')
            repr_parts.append(format(latency, '.3f'))
    
    
    async def run(self):
        """
        Keeps every shard connected, and its events coming, until the gateway is stopped. What one shard suffers stays with
        that shard, until Discord refuses it for good: that ends all of them.
        
        This method is a coroutine.
        
        Returns
        -------
        outcome : `bool`
            `False` when the client or the gateway was stopped. `True` when no shard could make a connection for as long as
            the option `gateway_offline_timeout` allows; the sessions are kept, and the client launches the gateway again.
        
        Raises
        ------
        RuntimeError
            - If the gateway runs already.
        InvalidToken
            - If Discord does not accept the token.
        DiscordGatewayException
            - If Discord does not accept the intents, a shard or the version of the API.
            - If Discord asks for more shards.
        """
        return await self._run_kept(self._run_shards)
    
    
    async def _run_shards(self):
        """
        Keeps every shard connected. See ``.run``.
        
        This method is a coroutine.
        
        Returns
        -------
        outcome : `bool`
        """
        task_group = TaskGroup(KOKORO)
        shards_by_task = {task_group.create_task(gateway.run_driver()): gateway for gateway in self.gateways}
        
        try:
            while shards_by_task:
                task = await task_group.wait_first_and_pop()
                gateway = shards_by_task.pop(task)
                
                if not task.get_result():
                    # Stopped. That of others may still be on its way.
                    continue
                
                if not any(other.driver.machine.is_connected() for other in self.gateways):
                    await self._wait_closing(gateway.driver.suspend_offline() for gateway in self.gateways)
                    return True
                
                # The others are connected: the internet is there, so this shard goes on trying.
                shards_by_task[task_group.create_task(gateway.run_driver())] = gateway
            
            return False
        
        except (DiscordGatewayException, InvalidToken):
            # One shard was refused for good.
            await self._end_sessions()
            raise
        
        except:
            # The run was cancelled.
            self.abort()
            raise
        
        finally:
            task_group.cancel_all()
    
    
    @property
    @copy_docs(DiscordGatewayClientBase.latency)
    def latency(self):
        latencies = [gateway.latency for gateway in self.gateways]
        latencies = [latency for latency in latencies if latency != LATENCY_DEFAULT]
        if latencies:
            return sum(latencies) / len(latencies)
        
        return LATENCY_DEFAULT
    
    
    async def terminate(self):
        """
        Stops the heartbeat of every shard, and closes its web socket with close code `4000`. A running gateway then
        reconnects and resumes.
        
        This method is a coroutine. It returns when the old connections are closed, after two seconds at most.
        """
        await self._wait_closing([gateway.driver.terminate() for gateway in self.gateways])
    
    
    def abort(self):
        """
        Stops every shard at once, without waiting for anything. The sessions are kept as they are.
        """
        self._stopped = True
        for gateway in self.gateways:
            gateway.abort()
    
    
    async def send_as_json(self, data):
        """
        Sends the data as JSON to Discord, on every shard. See ``DurableGatewayClientShard.send_as_json``.
        
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
        payload = serialize_payload(data)
        tasks = [Task(KOKORO, gateway._send_payload(data, payload)) for gateway in self.gateways]
        task_group = TaskGroup(KOKORO, tasks)
        try:
            await task_group.wait_all()
        finally:
            # Who does not wait any more does not send any more, as with a single shard.
            task_group.cancel_all()
    
    
    async def beat(self):
        """
        Sends one heartbeat on every shard that has a connection that said HELLO.
        
        This method is a coroutine.
        """
        for gateway in self.gateways:
            await gateway.beat()
    
    
    @copy_docs(DiscordGatewayClientBase.change_voice_state)
    async def change_voice_state(self, guild_id, channel_id, *, self_deaf = False, self_mute = False):
        await self.get_gateway(guild_id).change_voice_state(
            guild_id, channel_id, self_deaf = self_deaf, self_mute = self_mute
        )
    
    
    @copy_docs(DiscordGatewayClientBase.get_gateway)
    def get_gateway(self, guild_id):
        gateways = self.gateways
        # Discord docs, Gateway: "Sharding".
        return gateways[(guild_id >> 22) % len(gateways)]
    
    # ---- ours ----
    
    def get_statistics(self):
        """
        Returns what the shards have done so far.
        
        Returns
        -------
        statistics : ``GatewayStatistics``
        """
        return GatewayStatistics(tuple(gateway.get_statistics() for gateway in self.gateways))
