"""
A request as a route gets it.
"""
__all__ = ('RestRequest',)


class RestRequest:
    """
    A request as a route gets it.

    Attributes
    ----------
    application : `None | Application`
        Who asks.

    core : ``Core``
        The local Discord.

    data : `object`
        The decoded body.

    parameters : `dict<str, int | str>`
        Parameters of the path.
    """
    __slots__ = ('application', 'core', 'data', 'parameters')

    def __new__(cls, core, application, parameters, data):
        """
        Creates a request.

        Parameters
        ----------
        core : ``Core``
            The local Discord.

        application : `None | Application`
            Who asks.

        parameters : `dict<str, int | str>`
            Parameters of the path.

        data : `object`
            The decoded body.
        """
        self = object.__new__(cls)
        self.application = application
        self.core = core
        self.data = data
        self.parameters = parameters
        return self
