"""
The events of a recording: how each kind looks on the wire, how often it comes, and which intent brings it.
"""
__all__ = ('EVENT_KINDS', 'EventFactory', 'INTENTS_RECORDED', 'select_kinds')

from .vocabulary import ACTIVITY_NAMES, WORDS, create_word_weights

# 2026-08-01 in seconds since 1970.
TIMESTAMP_BASE = 1785542400

# Milliseconds since 1970 at which Discord's snowflakes begin (Discord docs, Reference: "Snowflakes").
SNOWFLAKE_EPOCH = 1420070400000

# With it the messages are as long as it takes for the recorded mix to come at 605 bytes of JSON an event on average.
MESSAGE_WORD_COUNT_MEAN = 14.2

# The share of the presence updates that tell of an activity; most are mere changes of the status.
ACTIVITY_SHARE = 0.25

# The people who talk at a time, in all channels of a session together, and how often one of them is replaced by another:
# after 20 messages on average. It decides how far apart the same author, avatar and channel come again, and so what a
# compressor's window is worth: with 64 people that is about 100 events or 60 KB, more than zlib's 32 KB.
SPEAKER_COUNT = 64
SPEAKER_CHANGE_SHARE = 0.05


class EventFactory:
    """
    Creates the data of events.
    
    Attributes
    ----------
    _message_id : `int`
        The identifier of the last message.
    _speakers : `list<tuple<str, str, dict<str, object>>>`
        The people who talk: guild's identifier, channel's identifier, member.
    _timestamp : `float`
        Seconds since 1970.
    _word_weights : `list<float>`
        Cumulative weights of the words.
    population : ``Population``
        Whom the events are about.
    random : `random.Random`
        Source of randomness.
    """
    __slots__ = ('_message_id', '_speakers', '_timestamp', '_word_weights', 'population', 'random')
    
    def __new__(cls, random, population):
        """
        Creates a new event factory.
        
        Parameters
        ----------
        random : `random.Random`
            Source of randomness.
        
        population : ``Population``
            Whom the events are about.
        """
        self = object.__new__(cls)
        self.random = random
        self.population = population
        self._timestamp = float(TIMESTAMP_BASE)
        self._message_id = 0
        self._word_weights = create_word_weights()
        self._speakers = [self._select() for _ in range(SPEAKER_COUNT)]
        return self
    
    
    def _select(self):
        """
        Selects a guild, a channel and a member. Some members are met more often, as people are active unevenly.
        
        Returns
        -------
        guild_id : `str`
        channel_id : `str`
        member : `dict<str, object>`
        """
        random = self.random
        population = self.population
        guild_index = random.randrange(len(population.guilds))
        guild = population.guilds[guild_index]
        members = population.members_by_guild[guild_index]
        return guild['id'], random.choice(guild['channels'])['id'], members[int(len(members) * random.random() ** 2)]
    
    
    def _select_speaker(self):
        """
        Selects one of those who talk; now and then another one begins to.
        
        Returns
        -------
        guild_id : `str`
        channel_id : `str`
        member : `dict<str, object>`
        """
        random = self.random
        self._timestamp += random.random() * 0.1
        index = random.randrange(SPEAKER_COUNT)
        if random.random() < SPEAKER_CHANGE_SHARE:
            self._speakers[index] = self._select()
        
        return self._speakers[index]
    
    
    def create_message(self):
        """
        Creates the data of a `MESSAGE_CREATE`.
        
        Returns
        -------
        data : `dict<str, object>`
        """
        random = self.random
        guild_id, channel_id, member = self._select_speaker()
        member = member.copy()
        user = member.pop('user')
        now = int(self._timestamp * 1000)
        # Worker and increment; a client's nonce is a snowflake too, with neither and from when the user pressed enter.
        message_id = ((now - SNOWFLAKE_EPOCH) << 22) | (random.randrange(32) << 17) | random.randrange(64)
        nonce = (now - SNOWFLAKE_EPOCH - random.randrange(40, 300)) << 22
        self._message_id = message_id
        word_count = 1 + int(random.expovariate(1.0 / MESSAGE_WORD_COUNT_MEAN))
        words = random.choices(WORDS, cum_weights = self._word_weights, k = min(word_count, 200))
        return {
            'type': 0,
            'tts': False,
            'timestamp': f'2026-08-01T12:{now // 60000 % 60:02}:{now // 1000 % 60:02}.{now % 1000:03}000+00:00',
            'pinned': False,
            'nonce': str(nonce),
            'mentions': [],
            'mention_roles': [],
            'mention_everyone': False,
            'member': member,
            'id': str(message_id),
            'flags': 0,
            'embeds': [],
            'edited_timestamp': None,
            'content': ' '.join(words),
            'components': [],
            'channel_type': 0,
            'channel_id': channel_id,
            'author': user,
            'attachments': [],
            'guild_id': guild_id,
        }
    
    
    def create_presence(self):
        """
        Creates the data of a `PRESENCE_UPDATE`.
        
        Returns
        -------
        data : `dict<str, object>`
        """
        random = self.random
        guild_id, channel_id, member = self._select()
        status = random.choices(('online', 'idle', 'dnd', 'offline'), (4, 3, 2, 2))[0]
        platform = random.choice(('desktop', 'mobile', 'web'))
        activities = []
        if status != 'offline' and random.random() < ACTIVITY_SHARE:
            created_at = int(self._timestamp * 1000)
            activities.append({
                'type': 0,
                'timestamps': {'start': created_at - random.randrange(7200000)},
                'name': random.choice(ACTIVITY_NAMES),
                'id': f'{random.getrandbits(60):x}',
                'created_at': created_at,
            })
        
        return {
            'user': {'id': member['user']['id']},
            'status': status,
            'guild_id': guild_id,
            'client_status': {} if status == 'offline' else {platform: status},
            'activities': activities,
        }
    
    
    def create_typing(self):
        """
        Creates the data of a `TYPING_START`.
        
        Returns
        -------
        data : `dict<str, object>`
        """
        guild_id, channel_id, member = self._select_speaker()
        return {
            'user_id': member['user']['id'],
            'timestamp': int(self._timestamp),
            'member': member,
            'channel_id': channel_id,
            'guild_id': guild_id,
        }
    
    
    def create_reaction(self):
        """
        Creates the data of a `MESSAGE_REACTION_ADD`.
        
        Returns
        -------
        data : `dict<str, object>`
        """
        random = self.random
        guild_id, channel_id, member = self._select_speaker()
        return {
            'user_id': member['user']['id'],
            'type': 0,
            'message_id': str(self._message_id),
            'message_author_id': random.choice(self._speakers)[2]['user']['id'],
            'member': member,
            'emoji': {'name': random.choice('❤👍😂🎉🔥'), 'id': None},
            'channel_id': channel_id,
            'burst': False,
            'guild_id': guild_id,
        }
    
    
    def create_member_update(self):
        """
        Creates the data of a `GUILD_MEMBER_UPDATE`.
        
        Returns
        -------
        data : `dict<str, object>`
        """
        guild_id, channel_id, member = self._select_speaker()
        data = member.copy()
        data['nick'] = self.random.choice(WORDS)
        data['guild_id'] = guild_id
        return data
    
    
    def create_voice_state(self):
        """
        Creates the data of a `VOICE_STATE_UPDATE`.
        
        Returns
        -------
        data : `dict<str, object>`
        """
        random = self.random
        guild_id, channel_id, member = self._select_speaker()
        return {
            'member': member,
            'user_id': member['user']['id'],
            'suppress': False,
            'session_id': f'{random.getrandbits(128):032x}',
            'self_video': False,
            'self_mute': random.random() < 0.5,
            'self_deaf': random.random() < 0.2,
            'request_to_speak_timestamp': None,
            'mute': False,
            'guild_id': guild_id,
            'deaf': False,
            'channel_id': None,
        }


# Name, intent (Discord docs, Gateway: "List of Intents"), share, creator. The first three are the recorded mix; the others
# only come if the user asks for their intents, rarely, as they do on Discord.
EVENT_KINDS = (
    ('MESSAGE_CREATE', 1 << 9, 45, EventFactory.create_message),
    ('PRESENCE_UPDATE', 1 << 8, 40, EventFactory.create_presence),
    ('TYPING_START', 1 << 11, 15, EventFactory.create_typing),
    ('MESSAGE_REACTION_ADD', 1 << 10, 6, EventFactory.create_reaction),
    ('GUILD_MEMBER_UPDATE', 1 << 1, 3, EventFactory.create_member_update),
    ('VOICE_STATE_UPDATE', 1 << 7, 3, EventFactory.create_voice_state),
)

# GUILD_PRESENCES, GUILD_MESSAGES and GUILD_MESSAGE_TYPING
INTENTS_RECORDED = (1 << 8) | (1 << 9) | (1 << 11)


def select_kinds(intents):
    """
    Returns the kinds of events that come with the given intents.
    
    Parameters
    ----------
    intents : `int`
        Intents as a bit mask.
    
    Returns
    -------
    kinds : `list<tuple<str, int, int, FunctionType>>`
    
    Raises
    ------
    ValueError
        - None of the kinds that can be recorded comes with the given intents.
    """
    kinds = [kind for kind in EVENT_KINDS if kind[1] & intents]
    if not kinds:
        known = ', '.join(f'{kind[1]} ({kind[0]})' for kind in EVENT_KINDS)
        raise ValueError(f'No event can be recorded for intents {intents!r}; accepted are combinations of: {known}.')
    
    return kinds
