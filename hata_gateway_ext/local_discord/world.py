"""
The world that a local Discord shows: users, guilds and messages, generated and the same in each run.
"""
__all__ = ('World',)

from datetime import datetime as DateTime, timezone as TimeZone

from .guild_data import VOICE_CHANNEL_INDEX, build_guild_data
from .payloads import encode_json
from .snowflakes import (
    MessageIdGenerator, get_channel_id, get_guild_id, get_guild_index, get_role_id, get_sound_id, get_user_id
)
from .user_data import build_bot_data, build_member_data, build_user_data

# The index of the bot among the users, far from that of any member. A client id is read from the token, so this is only
# the default.
BOT_USER_INDEX = 2 ** 30

MESSAGE_TYPE_DEFAULT = 0


class World:
    """
    Users, guilds and messages.

    Attributes
    ----------
    options : ``LocalDiscordOptions``
        How many guilds with how many members there are.

    _encoded_guilds : `dict<(int, int, int), bytes>`
        Encoded guild data by bot id, guild id and count of members.

    _message_ids : ``MessageIdGenerator``
        Ids of messages.
    """
    __slots__ = ('_encoded_guilds', '_message_ids', 'options')

    def __new__(cls, options):
        """
        Creates a world.

        Parameters
        ----------
        options : ``LocalDiscordOptions``
            How many guilds with how many members there are.
        """
        self = object.__new__(cls)
        self._encoded_guilds = {}
        self._message_ids = MessageIdGenerator()
        self.options = options
        return self


    def __repr__(self):
        """Returns the representation of the world."""
        return (
            f'<{type(self).__name__} guilds = {self.options.guilds!r}, members_per_guild = '
            f'{self.options.members_per_guild!r}>'
        )


    @property
    def default_bot_id(self):
        """
        Returns the id of the bot if its token does not tell another.

        Returns
        -------
        user_id : `int`
        """
        return get_user_id(BOT_USER_INDEX)


    @property
    def guild_ids(self):
        """
        Returns the ids of the guilds.

        Returns
        -------
        guild_ids : `list<int>`
        """
        return [get_guild_id(index) for index in range(self.options.guilds)]


    def has_guild(self, guild_id):
        """
        Returns whether there is such a guild.

        Parameters
        ----------
        guild_id : `int`
            The guild's id.

        Returns
        -------
        has_guild : `bool`
        """
        index = get_guild_index(guild_id)
        return (0 <= index < self.options.guilds) and (get_guild_id(index) == guild_id)


    def get_guild_ids_of(self, shard_id, shard_count):
        """
        Returns the ids of a shard's guilds.

        Parameters
        ----------
        shard_id : `int`
            The shard's id.

        shard_count : `int`
            Count of shards.

        Returns
        -------
        guild_ids : `list<int>`
        """
        return [guild_id for guild_id in self.guild_ids if (guild_id >> 22) % shard_count == shard_id]


    def find_guild_id_of(self, shard_id, shard_count):
        """
        Returns the first guild of a shard.

        Parameters
        ----------
        shard_id : `int`
            The shard's id.

        shard_count : `int`
            Count of shards.

        Returns
        -------
        guild_id : `int`
            `0` if it has none.
        """
        for index in range(self.options.guilds):
            guild_id = get_guild_id(index)
            if (guild_id >> 22) % shard_count == shard_id:
                return guild_id

        return 0


    def get_text_channel_id(self, guild_id):
        """
        Returns the channel of a guild where messages go to.

        Parameters
        ----------
        guild_id : `int`
            The guild's id.

        Returns
        -------
        channel_id : `int`
        """
        return get_channel_id(get_guild_index(guild_id), 0)


    def get_voice_channel_id(self, guild_id):
        """
        Returns the voice channel of a guild.

        Parameters
        ----------
        guild_id : `int`
            The guild's id.

        Returns
        -------
        channel_id : `int`
        """
        return get_channel_id(get_guild_index(guild_id), VOICE_CHANNEL_INDEX)


    def get_guild_id_of_channel(self, channel_id):
        """
        Returns the guild of a channel.

        Parameters
        ----------
        channel_id : `int`
            The channel's id.

        Returns
        -------
        guild_id : `int`
            `0` if there is no such guild.
        """
        guild_id = get_guild_id(get_guild_index(channel_id))
        return guild_id if self.has_guild(guild_id) else 0


    def get_member_ids(self, guild_id):
        """
        Returns the ids of a guild's members, without the bot.

        Parameters
        ----------
        guild_id : `int`
            The guild's id.

        Returns
        -------
        user_ids : `list<int>`
        """
        count = self.options.members_per_guild
        start = get_guild_index(guild_id) * count
        return [get_user_id(index) for index in range(start, start + count)]


    def build_member_datas(self, guild_id, bot_id):
        """
        Builds the data of a guild's members, the bot as last.

        Parameters
        ----------
        guild_id : `int`
            The guild's id.

        bot_id : `int`
            The bot's id.

        Returns
        -------
        member_datas : `list<dict<str, object>>`
        """
        guild_index = get_guild_index(guild_id)
        start = guild_index * self.options.members_per_guild

        member_datas = [
            build_member_data(build_user_data(user_id, index))
            for index, user_id in enumerate(self.get_member_ids(guild_id), start)
        ]
        member_datas.append(build_member_data(build_bot_data(bot_id), (get_role_id(guild_index, 1),)))
        return member_datas


    def build_soundboard_sounds(self, guild_id):
        """
        Builds the data of a guild's soundboard sounds: it has one.

        Parameters
        ----------
        guild_id : `int`
            The guild's id.

        Returns
        -------
        datas : `list<dict<str, object>>`
        """
        return [{
            'name': 'quack',
            'sound_id': str(get_sound_id(get_guild_index(guild_id), 0)),
            'volume': 1.0,
            'emoji_id': None,
            'emoji_name': None,
            'guild_id': str(guild_id),
            'available': True,
        }]


    def encode_guild(self, guild_id, bot_id):
        """
        Builds a guild's data and encodes it.

        Parameters
        ----------
        guild_id : `int`
            The guild's id.

        bot_id : `int`
            The bot's id.

        Returns
        -------
        data : `bytes`
        """
        key = (bot_id, guild_id, self.options.members_per_guild)
        data = self._encoded_guilds.get(key, None)
        if data is None:
            member_datas = self.build_member_datas(guild_id, bot_id)
            data = encode_json(build_guild_data(
                get_guild_index(guild_id), member_datas, self.get_member_ids(guild_id)[0], len(member_datas)
            ))
            self._encoded_guilds[key] = data

        return data


    def generate_id(self):
        """
        Generates an id for anything that is new.

        Returns
        -------
        entity_id : `int`
        """
        return self._message_ids.generate()


    def build_message(self, channel_id, guild_id, content, author_data = None):
        """
        Builds a new message's data.

        Parameters
        ----------
        channel_id : `int`
            The channel's id.

        guild_id : `int`
            The guild's id. `0` for a private channel.

        content : `str`
            The message's content.

        author_data : `None | dict<str, object>` = `None`, Optional
            Who sent it. The guild's first member by default.

        Returns
        -------
        data : `dict<str, object>`
        """
        if author_data is None:
            index = get_guild_index(guild_id) * self.options.members_per_guild if guild_id else 0
            author_data = build_user_data(get_user_id(index), index)

        data = {
            'id': str(self.generate_id()),
            'type': MESSAGE_TYPE_DEFAULT,
            'channel_id': str(channel_id),
            'author': author_data,
            'content': content,
            'timestamp': DateTime.now(TimeZone.utc).isoformat(timespec = 'microseconds'),
            'edited_timestamp': None,
            'attachments': [],
            'components': [],
            'embeds': [],
            'flags': 0,
            'mention_everyone': False,
            'mention_roles': [],
            'mentions': [],
            'nonce': None,
            'pinned': False,
            'tts': False,
        }

        if guild_id:
            data['guild_id'] = str(guild_id)
            data['member'] = build_member_data()

        return data
