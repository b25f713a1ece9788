"""
What several rounds of the same say together.
"""
__all__ = ('Summary', 'get_paired_ratio')

from statistics import median


class Summary:
    """
    A figure over several rounds.
    
    Attributes
    ----------
    values : `list<float>`
        One for each round.
    """
    __slots__ = ('values',)
    
    def __new__(cls, values):
        """
        Creates a new summary.
        
        Parameters
        ----------
        values : `iterable<float>`
            One for each round.
        
        Raises
        ------
        ValueError
            - There is none.
        """
        values = [*values]
        if not values:
            raise ValueError('There is nothing to sum up.')
        
        self = object.__new__(cls)
        self.values = values
        return self
    
    
    def __repr__(self):
        """Returns the summary's representation."""
        return f'<{type(self).__name__} median = {self.median!r}, count = {len(self.values)!r}>'
    
    
    @property
    def median(self):
        """
        The figure to quote.
        
        Returns
        -------
        median : `float`
        """
        return median(self.values)
    
    
    @property
    def spread(self):
        """
        How far the rounds are apart.
        
        Returns
        -------
        minimum : `float`
        maximum : `float`
        """
        return min(self.values), max(self.values)
    
    
    def to_data(self):
        """
        Returns what is written to files.
        
        Returns
        -------
        data : `dict<str, object>`
        """
        minimum, maximum = self.spread
        return {'median': self.median, 'minimum': minimum, 'maximum': maximum, 'values': self.values}


def get_paired_ratio(numerator, denominator):
    """
    Returns the ratio of two figures round by round: what made one round slow for both cancels out.
    
    Parameters
    ----------
    numerator : ``Summary``
        The figure above the line.
    denominator : ``Summary``
        The figure below.
    
    Returns
    -------
    summary : ``Summary``
    """
    return Summary(above / below for above, below in zip(numerator.values, denominator.values))
