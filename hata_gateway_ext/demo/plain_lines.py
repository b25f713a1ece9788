"""
Shows trials as plain lines, for files, pipes and continuous integration.
"""
__all__ = ('PlainLines',)

from time import monotonic

from scarletio import RichAttributeErrorBaseType

from .summary import GATEWAY_TITLES, SHARD_COLUMNS, build_table


# Seconds between two lines about the counts.
INTERVAL = 5.0


class PlainLines(RichAttributeErrorBaseType):
    """
    Shows trials as plain lines.
    
    Attributes
    ----------
    _shown_at : `float`
        When the counts were shown last.
    """
    __slots__ = ('_shown_at',)
    
    def __new__(cls):
        """
        Creates it.
        """
        self = object.__new__(cls)
        self._shown_at = monotonic()
        return self
    
    
    def __repr__(self):
        """Returns its representation."""
        return f'<{type(self).__name__}>'
    
    
    def __enter__(self):
        """Starts to show."""
        return self
    
    
    def __exit__(self, exception_type, exception_value, exception_traceback):
        """Ends."""
        return False
    
    
    def log(self, line):
        """
        Shows what happens.
        
        Parameters
        ----------
        line : `str`
            The line.
        """
        print(line, flush = True)
    
    
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
        Shows the counts, now and then.
        
        Parameters
        ----------
        outcomes : `list<Outcome>`
            What came out so far.
        """
        now = monotonic()
        if now - self._shown_at < INTERVAL:
            return
        
        self._shown_at = now
        for outcome in outcomes:
            self.log(
                f'{outcome.seconds:7.2f} s  {GATEWAY_TITLES[outcome.gateway]}: sent {outcome.sum("sent")}, seen '
                f'{outcome.sum("seen")}, lost {outcome.sum("lost")}, doubled {outcome.sum("doubled")}, disordered '
                f'{outcome.sum("disordered")}, resumes {outcome.sum("resumes")}, identifies {outcome.sum("identifies")}, '
                f'ready {sum(shard.state == "ready" for shard in outcome.shards)} of {len(outcome.shards)}'
            )
    
    
    def finish(self, outcomes):
        """
        Shows what came out, shard by shard.
        
        Parameters
        ----------
        outcomes : `list<Outcome>`
            What came out.
        """
        for outcome in outcomes:
            rows = [[title for title, _ in SHARD_COLUMNS]]
            rows.extend([format_value(shard) for _, format_value in SHARD_COLUMNS] for shard in outcome.shards)
            self.log('')
            self.log(GATEWAY_TITLES[outcome.gateway])
            for line in build_table(rows):
                self.log(line)
        
        self.log('')
