"""
The local Discord under its own faults: a peer that resumes by the rules gets every numbered message once and in order.
"""
from random import Random

import pytest

from hata_gateway_ext.local_discord import Close, Cut, Delay, Invalidate, LocalDiscord, Reconnect, parse_number

ACTIONS = (Cut(), Cut(False), Close(4000), Close(None), Close(4009), Invalidate(True), Reconnect(), Delay(0.002))
STAGES = ('hello', 'hello_sent', 'resume', 'replay', 'resumed', 'resumed_sent', 'dispatch')

ROUNDS = 60


class Follower:
    """Follows one session over its connections."""
    def __init__(self, connect, discord, compression):
        self.connect = connect
        self.discord = discord
        self.compression = compression
        self.numbers = []
        self.peer = None
        self.session_id = None
        self.sequence = None
        self.resume_gateway_url = None


    async def reconnect(self):
        """Connects again, and resumes if there is something to resume."""
        self.peer = await self.connect(self.discord, self.compression, self.resume_gateway_url)


    async def step(self):
        """Handles a payload. Returns its event name."""
        payload = await self.peer.receive()
        operation = payload['op']
        if operation == 10:
            if self.session_id is None:
                await self.peer.identify()
            else:
                await self.peer.resume(self.session_id, self.sequence)

        elif (operation == 7) or (operation == 9):
            assert payload['d'] is not False
            self.peer.abort()
            await self.reconnect()

        elif operation == 0:
            self.sequence = payload['s']
            if payload['t'] == 'READY':
                self.session_id = payload['d']['session_id']
                self.resume_gateway_url = payload['d']['resume_gateway_url']

            elif payload['t'] == 'MESSAGE_CREATE':
                self.numbers.append(parse_number(payload['d']['content']))

            return payload['t']


    async def follow_until(self, number):
        """Handles everything up to a numbered message."""
        while (not self.numbers) or (self.numbers[-1] < number):
            try:
                await self.step()
            except Exception as exception:
                # Only the end of the connection is expected here.
                if type(exception).__name__ != 'PeerClosed':
                    raise

                self.peer.abort()
                await self.reconnect()


@pytest.mark.parametrize(('seed', 'compression'), ((1, 'none'), (2, 'zlib-stream'), (3, 'zstd-stream')))
async def test__accounting__resuming_by_the_rules_loses_nothing(connect, seed, compression):
    """Faults of any kind at any stage, one after the other and together, under traffic."""
    random = Random(seed)
    async with LocalDiscord(guilds = 1, identify_interval = 0.0) as discord:
        follower = Follower(connect, discord, compression)
        await follower.reconnect()
        while (await follower.step()) != 'GUILD_CREATE':
            pass

        for _ in range(ROUNDS):
            for _ in range(random.randrange(3)):
                discord.fault(random.choice(ACTIONS), at = random.choice(STAGES), after = random.randrange(4))

            discord.send_messages(random.randrange(6))
            if random.random() < 0.7:
                discord.fault(random.choice(ACTIONS[:-1]))

            numbers = discord.send_messages(random.randrange(1, 6))
            await follower.follow_until(numbers[-1])

        account = discord.ledger.account(follower.numbers)
        assert account.is_clean, account
        assert account.sent == account.seen > ROUNDS
        assert discord.recording.identify_count() == 1
        assert discord.recording.resumed_count() > 10


async def test__accounting__without_resuming_events_are_lost(connect):
    """A peer that identifies anew loses what happened in between, and the account tells."""
    async with LocalDiscord(guilds = 1, identify_interval = 0.0) as discord:
        numbers = []
        for _ in range(2):
            peer = await connect(discord)
            await peer.start(guild_count = 1)
            discord.send_message()
            numbers.append(parse_number((await peer.expect_event('MESSAGE_CREATE'))['content']))
            peer.abort()
            await discord.wait_for(lambda recording: not discord.connections)
            discord.send_message()

        account = discord.ledger.account(numbers)
        assert (account.sent, account.seen, account.lost) == (4, 2, (1, 3))
