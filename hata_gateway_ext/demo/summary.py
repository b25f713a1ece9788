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
    ('last broken by', lambda shard: shard.trouble),
)

# The rows of a summary: title, how the value is found, and whether it is shown even if it is 0 for all.
SUMMARY_ROWS = (
    ('connections broken', lambda outcome: outcome.struck, False),
    ('restarts of the bot', lambda outcome: outcome.restarts, False),
    ('of these by kill -9', lambda outcome: outcome.kills, False),
    ('events sent', lambda outcome: outcome.sum('sent'), True),
    ('events seen', lambda outcome: outcome.sum('seen'), True),
    ('events lost', lambda outcome: outcome.sum('lost'), True),
    ('events doubled', lambda outcome: outcome.sum('doubled'), True),
    ('events out of order', lambda outcome: outcome.sum('disordered'), True),
    ('events repeated after a kill', lambda outcome: outcome.sum('repeated'), False),
    ('events seen, but never sent', lambda outcome: outcome.unknown, False),
    ('resumes', lambda outcome: outcome.sum('resumes'), True),
    ('identifies', lambda outcome: outcome.sum('identifies'), True),
    ('errors reported', lambda outcome: outcome.errors, False),
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
        return f'{title}: every event was seen{" at least" if outcome.kills else ""} once and in order.'
    
    parts = []
    for name, text in (('lost', 'lost'), ('doubled', 'doubled'), ('disordered', 'out of order')):
        count = outcome.sum(name)
        if count:
            parts.append(f'{count} {text}')
    
    if outcome.has_needless_identifies:
        parts.append(f'{outcome.sum("identifies")} identifies for {len(outcome.shards)} shards')
    
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
    for title, get_value, is_always_shown in SUMMARY_ROWS:
        values = [get_value(outcome) for outcome in outcomes]
        if is_always_shown or any(values):
            rows.append([title, *map(str, values)])
    
    return [*build_table(rows), '', *map(build_verdict, outcomes)]
