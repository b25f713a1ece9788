"""
Draws the chart of the documentation: horizontal bars, as SVG, without a library.
"""
__all__ = ('create_chart',)

from xml.sax.saxutils import escape

from .contender import NAME_DEFAULT, NAME_OURS
from .report import iter_cost_rows

# Contests of the chart.
CHARTED = ('zlib', 'zstd', 'bot')

# Pixels.
WIDTH = 760
LABEL_WIDTH = 150
FIGURE_WIDTH = 150
BAR_HEIGHT = 20
BAR_GAP = 7
TITLE_HEIGHT = 34
MARGIN = 16

FONT = 'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"'

# Both are read well on white and on black, as the documentation has both.
COLOR_TEXT = '#808080'
COLOR_OURS = '#d6366c'
COLOR_DEFAULT = '#7a6ff0'
COLOR_OTHER = '#8f9bb3'
COLOR_FLOOR = '#b9c1d0'


def _get_color(name):
    """
    Returns a contender's color.
    
    Parameters
    ----------
    name : `str`
        The contender's name.
    
    Returns
    -------
    color : `str`
    """
    if name == NAME_OURS:
        return COLOR_OURS
    
    if name == NAME_DEFAULT:
        return COLOR_DEFAULT
    
    return COLOR_FLOOR if name.startswith('inflate') else COLOR_OTHER


def _iter_contest(contest, top, scale):
    """
    Iterates over the elements of a contest.
    
    This function is an iterable generator.
    
    Parameters
    ----------
    contest : `dict<str, object>`
        The contest.
    top : `int`
        Where it begins.
    scale : `float`
        Pixels of a microsecond.
    
    Yields
    ------
    element : `str`
    """
    yield (
        f'<text x="{MARGIN}" y="{top + 20}" font-size="15" font-weight="600" fill="{COLOR_TEXT}">'
        f'{escape(contest["title"])}</text>'
    )
    y = top + TITLE_HEIGHT
    for name, cost, ratio in iter_cost_rows(contest):
        start = MARGIN + LABEL_WIDTH
        width = max(cost['median'] * scale, 1.0)
        low = start + cost['minimum'] * scale
        high = start + cost['maximum'] * scale
        middle = y + BAR_HEIGHT / 2
        label = f'{cost["median"]:.1f} µs'
        if (ratio is not None) and (name != NAME_OURS):
            label += f' ({ratio:.2f} ×)'
        
        yield (
            f'<text x="{start - 8}" y="{middle + 4.5:.1f}" font-size="13" text-anchor="end" fill="{COLOR_TEXT}">'
            f'{escape(name)}</text>'
        )
        yield (
            f'<rect x="{start}" y="{y}" width="{width:.1f}" height="{BAR_HEIGHT}" rx="3" fill="{_get_color(name)}"/>'
        )
        # From the fastest to the slowest round.
        yield (
            f'<path d="M{low:.1f} {middle:.1f}H{high:.1f}M{low:.1f} {middle - 4:.1f}v8M{high:.1f} {middle - 4:.1f}v8" '
            f'stroke="{COLOR_TEXT}" stroke-width="1.2" fill="none"/>'
        )
        yield (
            f'<text x="{max(start + width, high) + 8:.1f}" y="{middle + 4.5:.1f}" font-size="13" fill="{COLOR_TEXT}">'
            f'{label}</text>'
        )
        y += BAR_HEIGHT + BAR_GAP


def create_chart(data):
    """
    Draws the chart.
    
    Parameters
    ----------
    data : `dict<str, object>`
        What was measured.
    
    Returns
    -------
    svg : `str`
    """
    contests = [data['contests'][key] for key in CHARTED if key in data['contests']]
    longest = max((cost['maximum'] for contest in contests for cost in contest['costs'].values()), default = 1.0)
    scale = (WIDTH - 2 * MARGIN - LABEL_WIDTH - FIGURE_WIDTH) / longest
    
    elements = []
    top = MARGIN
    for contest in contests:
        elements.extend(_iter_contest(contest, top, scale))
        top += TITLE_HEIGHT + (BAR_HEIGHT + BAR_GAP) * len(contest['costs']) + MARGIN
    
    caption = (
        'µs of processor time an event: median, fastest and slowest round; in brackets: times hata_gateway_ext. '
        'Shorter is better.'
    )
    elements.append(f'<text x="{MARGIN}" y="{top + 6}" font-size="12" fill="{COLOR_TEXT}">{escape(caption)}</text>')
    height = top + 6 + MARGIN
    
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
            f'role="img" aria-label="Processor time an event costs" {FONT}>'
        ),
        *elements,
        '</svg>',
        '',
    ]
    return '\n'.join(lines)
