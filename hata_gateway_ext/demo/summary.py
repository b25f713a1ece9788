"""
How it ended, in words.
"""
__all__ = ('build_summary', 'build_table', 'format_latency')

from .bot_settings import GATEWAY_DEFAULT, GATEWAY_OURS


GATEWAY_TITLES = {
    GATEWAY_OURS: 'hata_gateway_ext',
    GATEWAY_DEFAULT: 'hata\'s default gateway',
}

# The columns of a shard: title, and how the value is shown.
SHARD_COLUMNS = (
    ('shard', lambda shard: str(shard.shard_id)),
    ('state', lambda shard: shard.state),
    ('latency', lambda shard: format_latency(shard.latency)),
    ('sequence', lambda shard: '-' if shard.sequence is None else str(shard.sequence)),
    ('sent', lambda shard: str(shard.sent)),
    ('seen', lambda shard: str(shard.seen)),
    ('lost', lambda shard: str(shard.lost)),
    ('doubled', lambda shard: str(shard.doubled)),
    ('disordered', lambda shard: str(shard.disordered)),
    ('resumes', lambda shard: str(shard.resumes)),
    ('identifies', lambda shard: str(shard.identifies)),
)

# The rows of a summary: title, and how the value is found.
SUMMARY_ROWS = (
    ('connections broken', lambda outcome: outcome.struck),
    ('events sent', lambda outcome: outcome.sum('sent')),
    ('events seen', lambda outcome: outcome.sum('seen')),
    ('events lost', lambda outcome: outcome.sum('lost')),
    ('events doubled', lambda outcome: outcome.sum('doubled')),
    ('events out of order', lambda outcome: outcome.sum('disordered')),
    ('resumes', lambda outcome: outcome.sum('resumes')),
    ('identifies', lambda outcome: outcome.sum('identifies')),
)


def format_latency(latency):
    """
    Formats a latency.
    
    Parameters
    ----------
    latency : `None | float`
        The latency in seconds.
    
    Returns
    -------
    text : `str`
    """
    return '-' if latency is None else f'{latency * 1000.0:.1f} ms'


def build_table(rows):
    """
    Builds a table of plain text: the first column to the left, the others to the right.
    
    Parameters
    ----------
    rows : `list<list<str>>`
        The rows, the titles first.
    
    Returns
    -------
    lines : `list<str>`
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [
        '  '.join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]).rstrip()
        for row in rows
    ]


def build_verdict(outcome):
    """
    Builds the verdict on a gateway.
    
    Parameters
    ----------
    outcome : ``Outcome``
        What came out.
    
    Returns
    -------
    verdict : `str`
    """
    title = GATEWAY_TITLES[outcome.gateway]
    if (outcome.failure is not None):
        return f'{title}: {outcome.failure}.'
    
    if outcome.is_clean:
        return f'{title}: every event was seen once and in order.'
    
    parts = []
    for name, text in (('lost', 'lost'), ('doubled', 'doubled'), ('disordered', 'out of order')):
        count = outcome.sum(name)
        if count:
            parts.append(f'{count} {text}')
    
    if outcome.unknown:
        parts.append(f'{outcome.unknown} never sent')
    
    return f'{title}: of {outcome.sum("sent")} events {", ".join(parts) or "none was seen"}.'


def build_summary(outcomes):
    """
    Builds the summary of what was run, side by side.
    
    Parameters
    ----------
    outcomes : `list<Outcome>`
        What came out, of one gateway or of more.
    
    Returns
    -------
    lines : `list<str>`
    """
    rows = [['', *(GATEWAY_TITLES[outcome.gateway] for outcome in outcomes)]]
    for title, get_value in SUMMARY_ROWS:
        rows.append([title, *(str(get_value(outcome)) for outcome in outcomes)])
    
    for title, name in (
        ('events repeated after a kill', 'repeated'),
    ):
        if any(outcome.kills for outcome in outcomes):
            rows.append([title, *(str(outcome.sum(name)) for outcome in outcomes)])
    
    for title, name in (
        ('events never sent', 'unknown'),
        ('restarts of the bot', 'restarts'),
        ('of these by kill -9', 'kills'),
        ('errors reported', 'errors'),
    ):
        values = [getattr(outcome, name) for outcome in outcomes]
        if any(values):
            rows.append([title, *map(str, values)])
    
    return [*build_table(rows), '', *map(build_verdict, outcomes)]
