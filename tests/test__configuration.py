import math

import pytest

from hata_gateway_ext import configuration as configuration_module
from hata_gateway_ext.configuration import OPTION_ENABLED, OPTIONS, GatewayConfiguration, is_enabled
from hata_gateway_ext.option import Option, parse_bool, validate_bool
from hata_gateway_ext.stores import MemoryStore


def _get_option(keyword):
    return next(option for option in OPTIONS if option.keyword == keyword)


def test__OPTIONS__are_unique():
    """No two rows share a keyword, a variable or an attribute."""
    options = (*OPTIONS, OPTION_ENABLED)
    for attribute_name in ('attribute_name', 'keyword', 'variable'):
        values = [getattr(option, attribute_name) for option in options]
        assert len(values) == len(set(values))


@pytest.mark.parametrize('option', OPTIONS, ids = lambda option: option.keyword)
def test__OPTIONS__default_is_accepted(option):
    """Each default passes the validation that what a user gives has to pass."""
    assert option.validate(option.default) == option.default


@pytest.mark.parametrize('option', OPTIONS, ids = lambda option: option.keyword)
def test__OPTIONS__names_follow_one_rule(option):
    """`gateway_x` is `HATA_GATEWAY_EXT_X` and `.x`, so that who knows one knows all three."""
    assert option.keyword == f'gateway_{option.attribute_name}'
    assert option.variable == f'HATA_GATEWAY_EXT_{option.attribute_name.upper()}'


def test__GatewayConfiguration__has_a_slot_for_each_option():
    """A row of the table is an attribute, and there is no other place to put one."""
    configuration = GatewayConfiguration()
    
    assert set(GatewayConfiguration.__slots__) == {option.attribute_name for option in OPTIONS}
    assert not hasattr(configuration, '__dict__')


def test__GatewayConfiguration__from_options__defaults():
    """With nothing given every option has its default."""
    configuration = GatewayConfiguration.from_options({}, {})
    
    for option in OPTIONS:
        assert getattr(configuration, option.attribute_name) == option.default
    
    assert configuration.compression == 'auto'
    assert configuration.verify_tls is True
    assert configuration.offline_timeout is None


def test__GatewayConfiguration__from_options__precedence():
    """A keyword beats the variable, and the variable beats the default."""
    environment = {
        'HATA_GATEWAY_EXT_COMPRESSION': 'none',
        'HATA_GATEWAY_EXT_OFFLINE_TIMEOUT': '12.5',
        'HATA_GATEWAY_EXT_VERIFY_TLS': 'false',
    }
    
    configuration = GatewayConfiguration.from_options({}, environment)
    assert configuration.compression == 'none'
    assert configuration.offline_timeout == 12.5
    assert configuration.verify_tls is False
    
    configuration = GatewayConfiguration.from_options(
        {'gateway_compression': 'zlib-stream', 'gateway_offline_timeout': None, 'gateway_verify_tls': True}, environment
    )
    assert configuration.compression == 'zlib-stream'
    assert configuration.offline_timeout is None
    assert configuration.verify_tls is True


def test__GatewayConfiguration__from_options__keyword_beats_wrong_variable():
    """A variable that is not used is not judged."""
    configuration = GatewayConfiguration.from_options(
        {'gateway_verify_tls': False}, {'HATA_GATEWAY_EXT_VERIFY_TLS': 'perhaps'}
    )
    assert configuration.verify_tls is False


def test__GatewayConfiguration__from_options__reads_the_process_environment(monkeypatch):
    """Without an environment given the process's is read, as it is at that time."""
    monkeypatch.setenv('HATA_GATEWAY_EXT_OFFLINE_TIMEOUT', '3')
    assert GatewayConfiguration.from_options({}).offline_timeout == 3.0
    
    monkeypatch.setenv('HATA_GATEWAY_EXT_OFFLINE_TIMEOUT', '4')
    assert GatewayConfiguration.from_options({}).offline_timeout == 4.0


@pytest.mark.parametrize('text', ('', ' ', '\t'))
def test__GatewayConfiguration__from_options__empty_variable(text):
    """A variable that is set to nothing counts as not set."""
    environment = {option.variable: text for option in (*OPTIONS, OPTION_ENABLED)}
    
    configuration = GatewayConfiguration.from_options({}, environment)
    
    for option in OPTIONS:
        assert getattr(configuration, option.attribute_name) == option.default
    assert is_enabled(environment) is True


@pytest.mark.parametrize(
    ('text', 'expected_output'),
    (
        ('true', True), ('True', True), ('1', True), (' true ', True),
        ('false', False), ('FALSE', False), ('0', False), (' 0', False),
    )
)
def test__GatewayConfiguration__from_options__boolean_variables(text, expected_output):
    """Booleans are written as for hata's own variables."""
    configuration = GatewayConfiguration.from_options({}, {'HATA_GATEWAY_EXT_VERIFY_TLS': text})
    assert configuration.verify_tls is expected_output
    assert is_enabled({'HATA_GATEWAY_EXT_ENABLED': text}) is expected_output


@pytest.mark.parametrize(
    ('text', 'expected_output'),
    (('none', None), ('None', None), ('5', 5.0), ('0.25', 0.25), ('1e3', 1000.0)),
)
def test__GatewayConfiguration__from_options__optional_duration_variables(text, expected_output):
    """Seconds are numbers, and `none` turns the option off."""
    configuration = GatewayConfiguration.from_options({}, {'HATA_GATEWAY_EXT_OFFLINE_TIMEOUT': text})
    assert configuration.offline_timeout == expected_output


def test__GatewayConfiguration__from_options__duration_is_float():
    """An `int` is accepted and kept as `float`."""
    offline_timeout = GatewayConfiguration(gateway_offline_timeout = 6).offline_timeout
    assert offline_timeout == 6.0
    assert type(offline_timeout) is float


@pytest.mark.parametrize(
    ('keyword', 'value', 'exception_type'),
    (
        ('gateway_compression', None, TypeError),
        ('gateway_compression', True, TypeError),
        ('gateway_compression', b'none', TypeError),
        ('gateway_compression', 'zlib', ValueError),
        ('gateway_compression', 'ZLIB-STREAM', ValueError),
        ('gateway_compression', '', ValueError),
        ('gateway_verify_tls', None, TypeError),
        ('gateway_verify_tls', 1, TypeError),
        ('gateway_verify_tls', 0, TypeError),
        ('gateway_verify_tls', 'false', TypeError),
        ('gateway_offline_timeout', True, TypeError),
        ('gateway_offline_timeout', False, TypeError),
        ('gateway_offline_timeout', '5', TypeError),
        ('gateway_offline_timeout', 5j, TypeError),
        ('gateway_offline_timeout', [5], TypeError),
        ('gateway_offline_timeout', 0, ValueError),
        ('gateway_offline_timeout', 0.0, ValueError),
        ('gateway_offline_timeout', -1.0, ValueError),
        ('gateway_offline_timeout', math.nan, ValueError),
        ('gateway_offline_timeout', math.inf, ValueError),
        ('gateway_offline_timeout', -math.inf, ValueError),
        ('gateway_offline_timeout', 10 ** 400, ValueError),
    ),
)
def test__GatewayConfiguration__from_options__wrong_keyword(keyword, value, exception_type):
    """A wrong value is refused by an error that names the keyword, what was given and what is accepted."""
    with pytest.raises(exception_type) as exception_info:
        GatewayConfiguration.from_options({keyword: value}, {})
    
    message = str(exception_info.value)
    assert f'`{keyword}`' in message
    assert type(value).__name__ in message
    assert _get_option(keyword).accepted in message
    assert type(exception_info.value) is exception_type
    if len(repr(value)) < 30:
        assert repr(value) in message


@pytest.mark.parametrize(
    ('variable', 'text'),
    (
        ('HATA_GATEWAY_EXT_COMPRESSION', 'gzip'),
        ('HATA_GATEWAY_EXT_VERIFY_TLS', 'yes'),
        ('HATA_GATEWAY_EXT_VERIFY_TLS', '2'),
        ('HATA_GATEWAY_EXT_OFFLINE_TIMEOUT', 'soon'),
        ('HATA_GATEWAY_EXT_OFFLINE_TIMEOUT', '0'),
        ('HATA_GATEWAY_EXT_OFFLINE_TIMEOUT', '-5'),
        ('HATA_GATEWAY_EXT_OFFLINE_TIMEOUT', 'nan'),
        ('HATA_GATEWAY_EXT_OFFLINE_TIMEOUT', 'inf'),
        ('HATA_GATEWAY_EXT_OFFLINE_TIMEOUT', '1e999'),
    ),
)
def test__GatewayConfiguration__from_options__wrong_variable(variable, text):
    """A wrong variable is refused by an error that names the variable, what was given and what is accepted."""
    with pytest.raises(ValueError) as exception_info:
        GatewayConfiguration.from_options({}, {variable: text})
    
    message = str(exception_info.value)
    option = next(option for option in OPTIONS if option.variable == variable)
    assert f'`{variable}`' in message
    assert repr(text) in message
    assert option.accepted in message


def test__is_enabled__wrong_variable():
    """The switch is judged as the other variables are."""
    with pytest.raises(ValueError, match = 'HATA_GATEWAY_EXT_ENABLED'):
        is_enabled({'HATA_GATEWAY_EXT_ENABLED': 'off'})


def test__GatewayConfiguration__from_options__unknown_keyword():
    """A keyword that is no option of ours is refused, not dropped."""
    with pytest.raises(TypeError) as exception_info:
        GatewayConfiguration.from_options({'gateway_compresion': 'none'}, {})
    
    assert 'gateway_compresion' in str(exception_info.value)
    assert 'gateway_compression' in str(exception_info.value)


def test__GatewayConfiguration__from_options__long_value_is_cut():
    """Only the beginning and the end of a long value are shown."""
    with pytest.raises(ValueError) as exception_info:
        GatewayConfiguration(gateway_compression = 'a' * 30 + 'MIDDLE' + 'b' * 100000)
    
    message = str(exception_info.value)
    assert 'MIDDLE' not in message
    assert len(message) < 300


def test__GatewayConfiguration__from_options__value_with_broken_representation():
    """What cannot be represented is still refused by our error."""
    class Broken:
        def __repr__(self):
            raise RuntimeError('hey mister')
    
    with pytest.raises(TypeError, match = 'gateway_compression'):
        GatewayConfiguration(gateway_compression = Broken())


def test__GatewayConfiguration__zstd_without_library(monkeypatch):
    """Asking for what is not installed is refused by an error that names the package; `'auto'` takes what there is."""
    monkeypatch.setattr(configuration_module, 'is_available', lambda name: name != 'zstd-stream')
    
    with pytest.raises(ValueError, match = r'backports\.zstd'):
        GatewayConfiguration(gateway_compression = 'zstd-stream')
    
    with pytest.raises(ValueError, match = r'HATA_GATEWAY_EXT_COMPRESSION.*backports\.zstd'):
        GatewayConfiguration.from_options({}, {'HATA_GATEWAY_EXT_COMPRESSION': 'zstd-stream'})
    
    assert GatewayConfiguration().resolved_compression == 'zlib-stream'


def test__GatewayConfiguration__zstd_with_library(monkeypatch):
    """With the library installed zstd can be asked for, and is what `'auto'` takes."""
    monkeypatch.setattr(configuration_module, 'is_available', lambda name: True)
    
    assert GatewayConfiguration(gateway_compression = 'zstd-stream').resolved_compression == 'zstd-stream'
    assert GatewayConfiguration().resolved_compression == 'zstd-stream'


@pytest.mark.parametrize('compression', ('zlib-stream', 'none'))
def test__GatewayConfiguration__resolved_compression(compression):
    """A compression that is named is the one that is used."""
    assert GatewayConfiguration(gateway_compression = compression).resolved_compression == compression


def test__GatewayConfiguration__repr():
    """The representation shows each option."""
    representation = repr(GatewayConfiguration(gateway_compression = 'none', gateway_offline_timeout = 2.5))
    
    assert representation.startswith('<GatewayConfiguration ')
    assert 'compression = \'none\'' in representation
    assert 'offline_timeout = 2.5' in representation
    assert 'verify_tls = True' in representation


SECRET = 'redis://reimu:hakurei@127.0.0.1'


def _refuse_secret(value):
    raise ValueError('its scheme is unknown')


def _parse_secret(text):
    raise ValueError(f'I show it all: {text}')


@pytest.mark.parametrize(
    ('parse', 'options', 'environment'),
    (
        (str, {'gateway_secret': SECRET}, {}),
        (str, {}, {'HATA_GATEWAY_EXT_SECRET': SECRET}),
        (_parse_secret, {}, {'HATA_GATEWAY_EXT_SECRET': SECRET}),
    ),
)
def test__Option__secret_is_not_shown(parse, options, environment):
    """An option that may hold a password shows nothing of it: not in the message, not in a chained exception."""
    option = Option(
        keyword = 'gateway_secret',
        variable = 'HATA_GATEWAY_EXT_SECRET',
        attribute_name = 'secret',
        default = None,
        validate = _refuse_secret,
        parse = parse,
        accepted = 'nothing at all',
        description = 'Of tests.',
        secret = True,
    )
    
    with pytest.raises(ValueError) as exception_info:
        option.resolve(options, environment)
    
    message = str(exception_info.value)
    assert 'hakurei' not in message
    assert 'reimu' not in message
    assert 'nothing at all' in message
    assert exception_info.value.__cause__ is None
    assert exception_info.value.__suppress_context__


def test__GatewayConfiguration__repr__secret_is_not_shown(monkeypatch):
    """A secret option is not in the configuration's representation."""
    monkeypatch.setattr(_get_option('gateway_compression'), 'secret', True)
    
    representation = repr(GatewayConfiguration(gateway_compression = 'zlib-stream'))
    assert 'compression = ...' in representation
    assert 'zlib' not in representation


def test__GatewayConfiguration__store__url():
    """A url becomes a store, and is in no representation: it may hold a password."""
    configuration = GatewayConfiguration(gateway_store = 'redis://:secret-word@127.0.0.1/3')
    assert type(configuration.store).__name__ == 'RedisStore'
    assert 'store = ...' in repr(configuration)
    assert 'secret' not in repr(configuration)
    
    environment = {'HATA_GATEWAY_EXT_STORE': 'sqlite:///seija.sqlite'}
    assert type(GatewayConfiguration.from_options({}, environment).store).__name__ == 'SQLiteStore'
    assert GatewayConfiguration.from_options({}, {'HATA_GATEWAY_EXT_STORE': 'None'}).store is None


def test__GatewayConfiguration__store__object():
    """A store of the user's is used as it is."""
    store = MemoryStore()
    assert GatewayConfiguration(gateway_store = store).store is store


@pytest.mark.parametrize(('value', 'error_type'), [
    ('redis://:secret-word@127.0.0.1/?cake=1', ValueError), ('postgres://:secret-word@127.0.0.1', ValueError),
    ('', ValueError), (b'redis://:secret-word@127.0.0.1', TypeError), (['secret-word'], TypeError),
])
def test__GatewayConfiguration__store__refused(value, error_type):
    """What no store can be made of is refused by name, and not shown."""
    with pytest.raises(error_type, match = '`gateway_store` accepts None, .sqlite:///') as error:
        GatewayConfiguration(gateway_store = value)
    
    assert 'secret' not in str(error.value)


def test__GatewayConfiguration__suspend_needs_a_store():
    """Sessions that nobody could resume are not kept."""
    with pytest.raises(ValueError, match = 'needs `gateway_store`'):
        GatewayConfiguration(gateway_shutdown = 'suspend')
    
    store = MemoryStore()
    assert GatewayConfiguration(gateway_shutdown = 'suspend', gateway_store = store).shutdown == 'suspend'


@pytest.mark.parametrize(('keyword', 'value', 'error_type'), [
    ('gateway_shutdown', 'kill', ValueError), ('gateway_shutdown', 1, TypeError),
    ('gateway_checkpoint_interval', 0, ValueError), ('gateway_checkpoint_interval', True, TypeError),
    ('gateway_checkpoint_cache', 1, TypeError),
])
def test__GatewayConfiguration__kept_sessions__refused(keyword, value, error_type):
    """Wrong values of the options about kept sessions are refused by name."""
    with pytest.raises(error_type, match = keyword):
        GatewayConfiguration(**{keyword: value})


def test__Option__repr():
    """An option's representation names it."""
    option = Option(
        keyword = 'gateway_switch',
        variable = 'HATA_GATEWAY_EXT_SWITCH',
        attribute_name = 'switch',
        default = False,
        validate = validate_bool,
        parse = parse_bool,
        accepted = 'False, True',
        description = 'Of tests.',
    )
    assert 'gateway_switch' in repr(option)
    assert 'HATA_GATEWAY_EXT_SWITCH' in repr(option)
