"""
The words that a recording is made of. Their number decides how well its messages compress, so they are many and used as
unevenly as people use words.
"""
__all__ = ('ACTIVITY_NAMES', 'ROLE_NAMES', 'USER_NAMES', 'WORDS', 'create_word_weights')

USER_NAMES = (
    'aya', 'alice', 'byakuren', 'chen', 'cirno', 'clownpiece', 'daiyousei', 'eirin', 'flandre', 'futo', 'hatate', 'hina',
    'ichirin', 'iku', 'junko', 'kaguya', 'kanako', 'keine', 'kisume', 'kogasa', 'koishi', 'kokoro', 'kosuzu', 'kyouko',
    'letty', 'lily', 'mamizou', 'marisa', 'medicine', 'meiling', 'miko', 'mokou', 'momiji', 'mystia', 'nazrin', 'nitori',
    'nue', 'okina', 'orin', 'parsee', 'patchouli', 'raiko', 'ran', 'reimu', 'reisen', 'remilia', 'rumia', 'sagume',
    'sakuya', 'sanae', 'satori', 'seiga', 'seija', 'shinmyoumaru', 'shou', 'suika', 'sumireko', 'suwako', 'tenshi', 'tewi',
    'tojiko', 'utsuho', 'wriggle', 'yamame', 'yoshika', 'youmu', 'yuugi', 'yuuka', 'yuyuko',
)

ROLE_NAMES = (
    'Announcements', 'Artists', 'Bots', 'Builders', 'Danmaku', 'Fairies', 'Gardeners', 'General', 'Helpers', 'Kappa',
    'Lunarians', 'Moderators', 'Music', 'Shrine', 'Tengu', 'Voice',
)

ACTIVITY_NAMES = (
    'Apex Legends', 'Celeste', 'Counter-Strike 2', 'Dota 2', 'Elden Ring', 'Factorio', 'Genshin Impact', 'Hollow Knight',
    'League of Legends', 'Minecraft', 'osu!', 'Overwatch 2', 'Rocket League', 'Spotify', 'Stardew Valley', 'Terraria',
    'Touhou Luna Nights', 'VALORANT', 'Visual Studio Code', 'Warframe',
)

# The beginning are the words that make half of any chat; the syllables after it stand for the long tail of names, typos
# and loan words.
COMMON_WORDS = (
    'the i to a and you it is that of in for on my me this just so but have not was be what with like can do are if its '
    'no how get one all at your we they there out know think yeah dont or up when then some from about good really now '
    'got would more lol time want need see go here too he she them who why also had even because make still as did people '
    'only been im will much than way where any could thing has oh day well going say ok take back after first should work '
    'game play use new right very never something someone look please thanks tomorrow today night morning server channel '
    'message bot role stream video music picture spell card shrine garden mansion lake bamboo mountain village moon'
).split()

SYLLABLES = (
    'ka ki ku ke ko sa shi su se so ta chi tsu te to na ni nu ne no ha hi fu he ho ma mi mu me mo ya yu yo ra ri ru re ro '
    'wa an en in on un'
).split()

WORDS = (
    *COMMON_WORDS,
    *(first + second + third for first in SYLLABLES[::2] for second in SYLLABLES[1::3] for third in SYLLABLES[::5]),
)


def create_word_weights():
    """
    Creates the cumulative weights of the words: the n-th is used 1/n times as often as the first (Zipf's law).
    
    Returns
    -------
    cumulative_weights : `list<float>`
    """
    cumulative_weights = []
    total = 0.0
    for index in range(len(WORDS)):
        total += 1.0 / (index + 1)
        cumulative_weights.append(total)
    
    return cumulative_weights
