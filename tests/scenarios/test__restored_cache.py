"""
The cache of a bot that is killed and restored while its guilds change is that of a bot that never restarted.
"""
from random import Random
from signal import SIGKILL, SIGTERM

from hata_gateway_ext.local_discord import LocalDiscord


SHARDS = 2
GUILDS = 6

# More than are written at once: the guilds are written in parts.
MEMBERS = 150

EVENTS_PER_ROUND = 150
ROUNDS = 4

SEED = 20261124

JOINED_AT = '2024-02-03T04:05:06.789000+00:00'


class ChangingGuild:
    """
    What the events of a guild are made of.
    """
    def __init__(self, data):
        self.id = int(data['id'])
        self.channel_ids = [channel['id'] for channel in data['channels'] if channel['type'] == 0]
        self.voice_channel_id = next(channel['id'] for channel in data['channels'] if channel['type'] == 2)
        self.role_ids = [role['id'] for role in data['roles'] if role['id'] != data['id']]
        self.user_ids = [member['user']['id'] for member in data['members'] if not member['user']['bot']]
        self.emoji_ids = []
        # Ids that no generated object has: of a few minutes after the guild's.
        self.last_id = self.id + (1 << 40)
    
    
    def make_id(self):
        self.last_id += 1
        return str(self.last_id)
    
    
    def make_user(self, user_id, random):
        return {
            'id': user_id, 'username': f'user_{user_id}', 'discriminator': '0', 'avatar': None,
            'global_name': f'User {random.randrange(1000)}',
        }
    
    
    def make_member(self, user_id, random):
        return {
            'user': self.make_user(user_id, random), 'nick': f'Nick {random.randrange(1000)}', 'joined_at': JOINED_AT,
            'roles': random.sample(self.role_ids, min(len(self.role_ids), random.randrange(3))), 'deaf': False,
            'mute': False, 'pending': False, 'flags': 0, 'premium_since': random.choice((None, JOINED_AT)),
        }
    
    
    def make_channel(self, channel_id, random):
        return {
            'id': channel_id, 'type': 0, 'name': f'channel-{random.randrange(1000)}', 'position': random.randrange(20),
            'topic': 'A topic.', 'nsfw': False, 'parent_id': None, 'rate_limit_per_user': 0, 'flags': 0,
            'permission_overwrites': [
                {'id': role_id, 'type': 0, 'allow': '1024', 'deny': '0'} for role_id in random.sample(self.role_ids, 1)
            ],
        }
    
    
    def make_role(self, role_id, random):
        return {
            'id': role_id, 'name': f'Role {random.randrange(1000)}', 'color': random.randrange(1 << 24), 'hoist': False,
            'managed': False, 'mentionable': True, 'permissions': str(random.randrange(1 << 30)), 'flags': 0,
            'position': random.randrange(1, 20),
        }
    
    
    def make_event(self, random):
        """Makes an event, as Discord would send it after those before. Returns its name and its data."""
        kind = random.choice((
            'member_add', 'member_add', 'member_remove', 'member_update', 'member_update', 'role_create', 'role_update',
            'role_delete', 'channel_create', 'channel_update', 'channel_delete', 'emojis', 'voice_join', 'voice_leave',
        ))
        
        if kind == 'member_add':
            user_id = self.make_id()
            self.user_ids.append(user_id)
            return 'GUILD_MEMBER_ADD', self.make_member(user_id, random)
        
        if kind == 'member_remove':
            user_id = self.user_ids.pop(random.randrange(len(self.user_ids)))
            return 'GUILD_MEMBER_REMOVE', {'user': self.make_user(user_id, random)}
        
        if kind == 'member_update':
            return 'GUILD_MEMBER_UPDATE', self.make_member(random.choice(self.user_ids), random)
        
        if kind in ('role_create', 'role_update'):
            if kind == 'role_create':
                role_id = self.make_id()
                self.role_ids.append(role_id)
            else:
                role_id = random.choice(self.role_ids)
            return f'GUILD_{kind.upper()}', {'role': self.make_role(role_id, random)}
        
        if (kind == 'role_delete') and (len(self.role_ids) > 3):
            return 'GUILD_ROLE_DELETE', {'role_id': self.role_ids.pop(random.randrange(len(self.role_ids)))}
        
        if (kind == 'channel_delete') and (len(self.channel_ids) > 3):
            # The first one is where messages go to.
            channel_id = self.channel_ids.pop(random.randrange(1, len(self.channel_ids)))
            return 'CHANNEL_DELETE', self.make_channel(channel_id, random)
        
        if kind == 'channel_update':
            return 'CHANNEL_UPDATE', self.make_channel(random.choice(self.channel_ids), random)
        
        if kind == 'emojis':
            self.emoji_ids = [*self.emoji_ids[-3:], self.make_id()]
            return 'GUILD_EMOJIS_UPDATE', {'emojis': [
                {
                    'id': emoji_id, 'name': f'emoji_{random.randrange(1000)}', 'roles': [], 'require_colons': True,
                    'managed': False, 'animated': False, 'available': True,
                } for emoji_id in self.emoji_ids
            ]}
        
        if kind in ('voice_join', 'voice_leave'):
            user_id = random.choice(self.user_ids[:10])
            return 'VOICE_STATE_UPDATE', {
                'user_id': user_id, 'channel_id': self.voice_channel_id if kind == 'voice_join' else None,
                'session_id': 'a', 'deaf': False, 'mute': False, 'self_deaf': random.random() < 0.5, 'self_mute': False,
                'self_video': False, 'suppress': False, 'member': self.make_member(user_id, random),
            }
        
        channel_id = self.make_id()
        self.channel_ids.append(channel_id)
        return 'CHANNEL_CREATE', self.make_channel(channel_id, random)


def emit_events(discord, guilds, random):
    """Changes guilds, and sends messages in between."""
    for _ in range(EVENTS_PER_ROUND):
        guild = random.choice(guilds)
        name, data = guild.make_event(random)
        discord.emit(name, {**data, 'guild_id': str(guild.id)}, guild_id = guild.id)
    
    for shard_id in range(SHARDS):
        discord.send_message(shard_id = shard_id)


def get_differences(guilds, other_guilds):
    """Returns in what two dumps of guilds differ."""
    return [
        (guild_id, key) for guild_id in {*guilds, *other_guilds}
        for key in {*guilds.get(guild_id, {}), *other_guilds.get(guild_id, {})}
        if guilds.get(guild_id, {}).get(key, None) != other_guilds.get(guild_id, {}).get(key, None)
    ]


def test__restored_cache(start_kept_bot, tmp_path):
    """
    A bot is killed and suspended in turn, while members, roles, channels, emojis and voice states come, change and go, also
    while it is down. In the end each field of each guild is that of a bot that was there all the time.
    """
    random = Random(SEED)
    options = {
        'told_store': f'sqlite:///{tmp_path}/sessions.sqlite', 'gateway_shutdown': 'suspend',
        'gateway_checkpoint_interval': 0.2,
    }
    with LocalDiscord(
        shards = SHARDS, max_concurrency = SHARDS, identify_interval = 0.0, guilds = GUILDS, members_per_guild = MEMBERS,
        replay_bound = 200_000,
    ) as discord:
        control = start_kept_bot(discord, 'control')
        control.wait_for('ready')
        guilds = [ChangingGuild(data) for data in control.dump().values()]
        assert len(guilds) == GUILDS
        
        bot = start_kept_bot(discord, **options)
        for _ in range(SHARDS):
            bot.wait_for('checkpoint')
        
        for round_ in range(ROUNDS):
            emit_events(discord, guilds, random)
            if round_ % 2:
                # A checkpoint of changed guilds, and changes after it.
                bot.wait_for('checkpoint')
                emit_events(discord, guilds, random)
            
            bot.end(SIGTERM if round_ == 2 else SIGKILL)
            emit_events(discord, guilds, random)
            bot = start_kept_bot(discord, **options)
            bot.wait_for('ready')
        
        emit_events(discord, guilds, random)
        last = [discord.send_message(shard_id = shard_id)['number'] for shard_id in range(SHARDS)]
        bot.wait_handled(last)
        control.wait_handled(last)
        
        expected = control.dump()
        assert {len(data['members']) for data in expected.values()} != {MEMBERS + 1}
        assert get_differences(bot.dump(), expected) == []
        assert discord.recording.identify_count() == SHARDS * 2
        assert not bot.errors and not control.errors
