"""
One goal, and whether it is met.
"""
__all__ = ('Goal', 'GoalResult')


class Goal:
    """
    A goal.
    
    Attributes
    ----------
    limit : `float`
        At most.
    measure : `FunctionType`
        Returns the figure from the results, or `None` if it was not measured.
    measure_fastest : `None | FunctionType`
        Returns the same of the fastest rounds alone, for those to whom the spread says that the machine was noisy.
    title : `str`
        What is measured.
    unit : `str`
        What the figure is in; empty for ratios.
    """
    __slots__ = ('limit', 'measure', 'measure_fastest', 'title', 'unit')
    
    def __new__(cls, title, limit, measure, unit = '', measure_fastest = None):
        """
        Creates a new goal.
        
        Parameters
        ----------
        title : `str`
            What is measured.
        limit : `float`
            At most.
        measure : `FunctionType`
            Returns the figure from the results, or `None` if it was not measured.
        unit : `str` = `''`, Optional
            What the figure is in.
        measure_fastest : `None | FunctionType` = `None`, Optional
            Returns the same of the fastest rounds alone.
        """
        self = object.__new__(cls)
        self.limit = limit
        self.measure = measure
        self.measure_fastest = measure_fastest
        self.title = title
        self.unit = unit
        return self
    
    
    def __repr__(self):
        """Returns the goal's representation."""
        return f'<{type(self).__name__} title = {self.title!r}, limit = {self.limit!r}>'


class GoalResult:
    """
    Whether a goal is met.
    
    Attributes
    ----------
    fastest : `None | float`
        The figure of the fastest rounds.
    goal : ``Goal``
        The goal.
    measured : `None | float`
        The figure.
    """
    __slots__ = ('fastest', 'goal', 'measured')
    
    def __new__(cls, goal, measured, fastest = None):
        """
        Creates a new result.
        
        Parameters
        ----------
        goal : ``Goal``
            The goal.
        measured : `None | float`
            The figure.
        fastest : `None | float` = `None`, Optional
            The figure of the fastest rounds.
        """
        self = object.__new__(cls)
        self.fastest = fastest
        self.goal = goal
        self.measured = measured
        return self
    
    
    def __repr__(self):
        """Returns the result's representation."""
        return f'<{type(self).__name__} goal = {self.goal!r}, measured = {self.measured!r}>'
    
    
    @property
    def verdict(self):
        """
        Whether the goal is met.
        
        Returns
        -------
        verdict : `str`
        """
        measured = self.measured
        if measured is None:
            return 'not measured'
        
        return 'hold' if measured <= self.goal.limit else 'falls short'
    
    
    def to_data(self):
        """
        Returns what is written to files.
        
        Returns
        -------
        data : `dict<str, object>`
        """
        goal = self.goal
        return {
            'title': goal.title, 'limit': goal.limit, 'measured': self.measured, 'fastest': self.fastest,
            'unit': goal.unit, 'verdict': self.verdict,
        }
