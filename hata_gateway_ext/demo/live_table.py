"""
Shows trials as a table that lives, in a terminal.
"""
__all__ = ('LiveTable',)

from collections import deque

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text
from scarletio import RichAttributeErrorBaseType

from .summary import GATEWAY_TITLES, SHARD_COLUMNS


# Lines about what happened last, below the tables.
LINE_BOUND = 6

# What must be 0, and is shown in red if it is not.
FAULT_COLUMNS = frozenset(('lost', 'doubled', 'disordered'))

# For how many characters there is always room, so that the table does not jump.
COLUMN_WIDTHS = {'latency': 8, 'sequence': 8, 'sent': 5, 'seen': 5}

# How wide a terminal has to be for what is not shown in every one; for states in full; and for room between the columns.
COLUMN_SCREENS = {'disordered': 100, 'last broken by': 140}
STATE_SCREEN = 100
SPACE_SCREEN = 120

# Characters of a state: cut short, and in full.
STATE_WIDTH_SHORT = 10
STATE_WIDTH_LONG = 15

LEFT_COLUMNS = frozenset(('state', 'last broken by'))


class LiveTable(RichAttributeErrorBaseType):
    """
    Shows trials as a table that lives.
    
    Attributes
    ----------
    _lines : `deque<str>`
        What happened last.
    _live : `rich.live.Live`
        What draws.
    """
    __slots__ = ('_lines', '_live')
    
    def __new__(cls, console):
        """
        Creates it.
        
        Parameters
        ----------
        console : `rich.console.Console`
            Where to draw.
        """
        self = object.__new__(cls)
        self._lines = deque(maxlen = LINE_BOUND)
        self._live = Live(console = console, auto_refresh = False)
        return self
    
    
    def __repr__(self):
        """Returns its representation."""
        return f'<{type(self).__name__}>'
    
    
    def __enter__(self):
        """Starts to draw."""
        self._live.start()
        return self
    
    
    def __exit__(self, exception_type, exception_value, exception_traceback):
        """Leaves what was drawn last."""
        self._live.stop()
        return False
    
    
    def log(self, line):
        """
        Shows what happens.
        
        Parameters
        ----------
        line : `str`
            The line.
        """
        self._lines.append(line)
    
    
    def ignore(self, line):
        """
        Does not show what happens: what a second trial does is the same.
        
        Parameters
        ----------
        line : `str`
            The line.
        """
    
    
    def update(self, outcomes):
        """
        Draws.
        
        Parameters
        ----------
        outcomes : `list<Outcome>`
            What came out so far.
        """
        width = self._live.console.width
        tables = [build_table(outcome, width) for outcome in outcomes]
        self._live.update(Group(*tables, Text('\n'.join(self._lines), style = 'dim')), refresh = True)
    
    
    def finish(self, outcomes):
        """
        Draws what came out.
        
        Parameters
        ----------
        outcomes : `list<Outcome>`
            What came out.
        """
        self._lines.clear()
        self.update(outcomes)


def get_style(title, text):
    """
    Returns in which colour a cell is shown.
    
    Parameters
    ----------
    title : `str`
        The title of its column.
    text : `str`
        What is in it.
    
    Returns
    -------
    style : `str`
    """
    if title in FAULT_COLUMNS:
        return 'green' if text == '0' else 'bold red'
    
    if title == 'state':
        return 'green' if text == 'ready' else 'yellow'
    
    return ''


def build_table(outcome, width):
    """
    Builds the table of a trial.
    
    Parameters
    ----------
    outcome : ``Outcome``
        What came out so far.
    width : `int`
        How wide the terminal is, in characters.
    
    Returns
    -------
    table : `rich.table.Table`
    """
    columns = [column for column in SHARD_COLUMNS if width >= COLUMN_SCREENS.get(column[0], 0)]
    table = Table(
        box = None,
        header_style = 'underline',
        padding = (0, 1 if width < SPACE_SCREEN else 2, 0, 0),
        pad_edge = False,
        title = (
            f'{GATEWAY_TITLES[outcome.gateway]}: {outcome.seconds:.0f} s, '
            f'{f"{outcome.restarts} restarts" if outcome.restarts else f"{outcome.struck} connections broken"}'
        ),
        title_justify = 'left',
    )
    for title, _ in columns:
        if title == 'state':
            column_width = STATE_WIDTH_SHORT if width < STATE_SCREEN else STATE_WIDTH_LONG
        else:
            column_width = None
        
        table.add_column(
            title, justify = 'left' if title in LEFT_COLUMNS else 'right', min_width = COLUMN_WIDTHS.get(title, None),
            no_wrap = True, width = column_width,
        )
    
    for shard in outcome.shards:
        texts = [(title, format_value(shard)) for title, format_value in columns]
        table.add_row(*[Text(text, style = get_style(title, text)) for title, text in texts])
    
    return table
