"""
An option: where its value comes from, and what is said when it is wrong.

The options themselves are in `configuration.py`. What turns a text into a value (`parse_...`) and what judges a value
(`validate_...`) is apart, because a keyword needs only the latter.
"""
__all__ = (
    'Option', 'parse_bool', 'parse_optional_duration', 'parse_optional_text', 'validate_bool', 'validate_optional_duration'
)

from math import isfinite
from reprlib import Repr

from scarletio import RichAttributeErrorBaseType


# The texts that hata's own environment variables know as booleans; compared casefolded, as hata does.
TEXTS_TRUE = frozenset(('true', '1'))
TEXTS_FALSE = frozenset(('false', '0'))

# How a variable says `None`.
TEXT_NONE = 'none'

# An error shows what was given so that a typo is recognised; a longer value is cut, because it is no typo of an accepted
# one, and may be something that does not belong in a log.
GIVEN_LENGTH_MAX = 40


def _represent_given(value):
    """
    Represents a refused value, cut to a length that fits in an error message.
    
    Parameters
    ----------
    value : `object`
        The refused value.
    
    Returns
    -------
    representation : `str`
    """
    representer = Repr()
    representer.maxstring = representer.maxother = representer.maxlong = GIVEN_LENGTH_MAX
    return representer.repr(value)


def validate_bool(value):
    """
    Accepts `True` and `False`.
    
    Parameters
    ----------
    value : `object`
        The value to validate.
    
    Returns
    -------
    value : `bool`
    
    Raises
    ------
    TypeError
        - If `value` is not `bool`.
    """
    if not isinstance(value, bool):
        raise TypeError
    
    return value


def parse_bool(text):
    """
    Parses a boolean as hata does for its own variables.
    
    Parameters
    ----------
    text : `str`
        Stripped text of an environment variable.
    
    Returns
    -------
    value : `bool`
    
    Raises
    ------
    ValueError
        - If `text` is no boolean.
    """
    text = text.casefold()
    if text in TEXTS_TRUE:
        return True
    
    if text in TEXTS_FALSE:
        return False
    
    raise ValueError


def validate_optional_duration(value):
    """
    Accepts `None` and a finite number of seconds above 0.
    
    Parameters
    ----------
    value : `object`
        The value to validate.
    
    Returns
    -------
    value : `None | float`
    
    Raises
    ------
    TypeError
        - If `value` is neither `None`, nor `int`, nor `float`. `bool` is not accepted as a number.
    ValueError
        - If `value` is not above 0 or not finite.
    """
    if value is None:
        return None
    
    if isinstance(value, bool) or (not isinstance(value, (int, float))):
        raise TypeError
    
    try:
        value = float(value)
    except OverflowError as exception:
        # An `int` beyond what a `float` holds.
        raise ValueError from exception
    
    if (not isfinite(value)) or (value <= 0.0):
        raise ValueError
    
    return value


def parse_optional_duration(text):
    """
    Parses an optional number of seconds.
    
    Parameters
    ----------
    text : `str`
        Stripped text of an environment variable.
    
    Returns
    -------
    value : `None | float`
    
    Raises
    ------
    ValueError
        - If `text` is neither `none` nor a number.
    """
    if text.casefold() == TEXT_NONE:
        return None
    
    return float(text)


def parse_optional_text(text):
    """
    Parses an optional text.
    
    Parameters
    ----------
    text : `str`
        Stripped text of an environment variable.
    
    Returns
    -------
    value : `None | str`
    """
    return None if text.casefold() == TEXT_NONE else text


class Option(RichAttributeErrorBaseType):
    """
    A row of the table: one thing that a user can choose.
    
    Attributes
    ----------
    accepted : `str`
        The accepted values in words, for the documentation and for errors. The default comes first.
    attribute_name : `str`
        The name of the attribute of ``GatewayConfiguration`` that holds the value.
    default : `object`
        The value when neither the keyword nor the variable is given.
    description : `str`
        What the option does, for the documentation; markdown.
    keyword : `None | str`
        The keyword parameter of hata's `Client`. `None` if it can be chosen only by the operator.
    parse : `FunctionType`
        Turns the text of the variable into what `.validate` accepts. Raises `ValueError`.
    secret : `bool`
        Whether the value may hold a secret (a password in an url). Such a value is never shown.
    validate : `FunctionType`
        Returns the value to keep. Raises `TypeError` or `ValueError`; their text, if any, is the reason.
    variable : `str`
        The environment variable.
    """
    __slots__ = (
        'accepted', 'attribute_name', 'default', 'description', 'keyword', 'parse', 'secret', 'validate', 'variable'
    )
    
    def __new__(
        cls, *, keyword, variable, attribute_name, default, validate, parse, accepted, description, secret = False
    ):
        """
        Creates a new option. The keyword parameters are the attributes.
        """
        self = object.__new__(cls)
        self.accepted = accepted
        self.attribute_name = attribute_name
        self.default = default
        self.description = description
        self.keyword = keyword
        self.parse = parse
        self.secret = secret
        self.validate = validate
        self.variable = variable
        return self
    
    
    def __repr__(self):
        """Returns the option's representation."""
        return f'<{type(self).__name__} keyword = {self.keyword!r}, variable = {self.variable!r}>'
    
    
    def resolve(self, options, environment):
        """
        Chooses between the keyword, the variable and the default.
        
        Parameters
        ----------
        options : `dict<str, object>`
            The given keyword parameters.
        environment : `Mapping<str, str>`
            The environment variables.
        
        Returns
        -------
        value : `object`
        
        Raises
        ------
        TypeError
            - If the keyword's type is not accepted.
        ValueError
            - If the keyword's or the variable's value is not accepted.
        """
        keyword = self.keyword
        if (keyword is not None) and (keyword in options):
            return self._validate_named(f'`{keyword}`', options[keyword], options[keyword])
        
        text = environment.get(self.variable, '').strip()
        if not text:
            return self.default
        
        name = f'environment variable `{self.variable}`'
        try:
            value = self.parse(text)
        except ValueError:
            # Python's own parsers repeat the text in their message, which must not be shown if it may be a secret.
            raise ValueError(self._get_refusal(name, text, None)) from None
        
        return self._validate_named(name, value, text)
    
    
    def _validate_named(self, name, value, given):
        """
        Validates a value and names where it came from if it is wrong.
        
        Parameters
        ----------
        name : `str`
            How the user knows the option: by keyword or by variable.
        value : `object`
            The value to validate.
        given : `object`
            What the user gave.
        
        Returns
        -------
        value : `object`
        
        Raises
        ------
        TypeError
            - If the value's type is not accepted.
        ValueError
            - If the value is not accepted.
        """
        # The cause is not chained: it adds nothing to the message.
        try:
            return self.validate(value)
        except TypeError as exception:
            raise TypeError(self._get_refusal(name, given, exception)) from None
        except ValueError as exception:
            raise ValueError(self._get_refusal(name, given, exception)) from None
    
    
    def _get_refusal(self, name, given, exception):
        """
        Builds the message of an error.
        
        Parameters
        ----------
        name : `str`
            How the user knows the option.
        given : `object`
            What the user gave.
        exception : `None | TypeError | ValueError`
            What a validator raised, with the reason if it has one.
        
        Returns
        -------
        message : `str`
        """
        given_representation = '(not shown)' if self.secret else _represent_given(given)
        message = f'{name} accepts {self.accepted}; got {type(given).__name__}: {given_representation}.'
        
        if (exception is not None) and exception.args:
            message = f'{message} {exception}.'
        
        return message
