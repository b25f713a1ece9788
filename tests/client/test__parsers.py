"""
Which parsers do nothing.
"""
from functools import partial as partial_func

import pytest
from hata.discord.events.core import PARSER_SETTINGS

from hata_gateway_ext.client.parsers import INERT_PARSERS, INERT_PARSERS_MAX, is_inert, learn_parser


def inert_pass(client, data):
    pass


def inert_documented(client, data):
    """Only words."""


def inert_return(client, data):
    return None


def inert_default(client, data = None):
    return


def active_argument(client, data):
    return data


def active_constant(client, data):
    return 5


def active_ellipsis(client, data):
    return ...


def active_call(client, data):
    print(data)


def active_raise(client, data):
    raise ValueError


def active_few_parameters(client):
    pass


def active_many_parameters(client, data, more):
    pass


def active_keyword(client, data, *, more):
    pass


def active_generator(client, data):
    return
    yield


async def active_coroutine(client, data):
    pass


async def active_asynchronous_generator(client, data):
    return
    yield


class ActiveCallable:
    """A callable object."""
    def __call__(self, client, data):
        pass
    
    
    def method(self, client, data):
        pass


class UnhashableCallable(ActiveCallable):
    """A callable object that is no key."""
    __hash__ = None


@pytest.mark.parametrize('parser', (inert_pass, inert_documented, inert_return, inert_default, lambda client, data: None))
def test__is_inert__inert(parser):
    """A function whose code only returns `None` does nothing."""
    assert is_inert(parser)


@pytest.mark.parametrize(
    'parser',
    (
        active_argument, active_constant, active_ellipsis, active_call, active_raise, active_few_parameters,
        active_many_parameters, active_keyword, active_generator, active_coroutine, active_asynchronous_generator,
        ActiveCallable(), ActiveCallable().method, partial_func(inert_pass), print, ActiveCallable, lambda client, data: 5,
    ),
)
def test__is_inert__active(parser):
    """Whatever else a parser is: it is called."""
    assert not is_inert(parser)


def test__is_inert__hata():
    """
    Of hata's optimized parsers some do nothing, of those that call an event handler none: each is told by its code, which
    is one `RETURN` of nothing or more.
    """
    settings = set(PARSER_SETTINGS.values())
    inert_count = sum(is_inert(setting.parser_opt_sc) for setting in settings)
    
    assert inert_count > 30
    assert inert_count < len(settings)
    assert is_inert(PARSER_SETTINGS['TYPING_START'].parser_opt_sc)
    assert not is_inert(PARSER_SETTINGS['TYPING_START'].parser_cal_sc)
    assert not is_inert(PARSER_SETTINGS['MESSAGE_CREATE'].parser_opt_sc)
    assert not is_inert(PARSER_SETTINGS['READY'].parser_opt_sc)


@pytest.fixture
def inert_parsers():
    """Gives what was learnt back as it was."""
    parsers = INERT_PARSERS.copy()
    INERT_PARSERS.clear()
    yield INERT_PARSERS
    INERT_PARSERS.clear()
    INERT_PARSERS.update(parsers)


def test__learn_parser(inert_parsers):
    """What was found out is remembered."""
    assert learn_parser(inert_pass) is True
    assert learn_parser(active_call) is False
    assert inert_parsers == {inert_pass: True, active_call: False}


def test__learn_parser__no_hash(inert_parsers):
    """A callable that cannot be a key is active, and is not remembered."""
    assert learn_parser(UnhashableCallable()) is False
    assert not inert_parsers


def test__learn_parser__bounded(inert_parsers):
    """A bot that makes new parsers all the time does not grow what is remembered."""
    for _ in range(INERT_PARSERS_MAX * 2 + 10):
        learn_parser(lambda client, data: None)
        assert len(inert_parsers) <= INERT_PARSERS_MAX
