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

# For how many characters there is always room.
COLUMN_WIDTHS = {'state': 15, 'latency': 9, 'sequence': 8}


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
        tables = [build_table(outcome) for outcome in outcomes]
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


def build_table(outcome):
    """
    Builds the table of a trial.
    
    Parameters
    ----------
    outcome : ``Outcome``
        What came out so far.
    
    Returns
    -------
    table : `rich.table.Table`
    """
    restarts = f', {outcome.restarts} restarts' if outcome.restarts else ''
    table = Table(
        title = (
            f'{GATEWAY_TITLES[outcome.gateway]}: {outcome.seconds:.0f} s, {outcome.struck} connections broken{restarts}'
        ),
        title_justify = 'left',
    )
    for title, _ in SHARD_COLUMNS:
        table.add_column(
            title, justify = 'left' if title == 'state' else 'right', min_width = COLUMN_WIDTHS.get(title, None), no_wrap = True
        )
    
    table.add_column('last broken by', no_wrap = True)
    
    for shard in outcome.shards:
        cells = []
        for title, format_value in SHARD_COLUMNS:
            text = format_value(shard)
            if title in FAULT_COLUMNS:
                style = 'green' if text == '0' else 'bold red'
            elif title == 'state':
                style = 'green' if text == 'ready' else 'yellow'
            else:
                style = ''
            
            cells.append(Text(text, style = style))
        
        table.add_row(*cells, shard.trouble)
    
    return table
