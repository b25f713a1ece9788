import os
import sys
from importlib import invalidate_caches
from importlib.metadata import PackageNotFoundError

import hata.ext
import pytest

from hata_gateway_ext.cli import main
from hata_gateway_ext.cli.doctor import (
    check_compression, check_distributions, check_environment, check_extras, check_hook, check_python,
    check_trust_store, get_installed_version, get_lower_bounds,
    iterate_findings
)
from hata_gateway_ext.configuration import OPTION_ENABLED, OPTIONS
from hata_gateway_ext.protocol.inflaters import is_available


def _get_levels(findings):
    return {finding.subject: finding.level for finding in findings}


@pytest.mark.parametrize(
    ('python_version', 'expected_level'),
    (
        ((3, 8, 18), 'error'),
        ((3, 9, 0), 'ok'),
        ((3, 11, 9), 'ok'),
        ((3, 12, 0), 'error'),
        ((4, 0, 0), 'error'),
    ),
)
def test__check_python(python_version, expected_level):
    """Only the versions that hata supports pass, and the refusal names the version."""
    findings = [*check_python(python_version, 'CPython')]
    
    assert [finding.level for finding in findings] == [expected_level]
    assert '.'.join(map(str, python_version)) in findings[0].text


def test__get_lower_bounds():
    """Reads both spellings of requirements, and leaves extras out."""
    assert get_lower_bounds([
        'hata >=1.3.90',
        'scarletio (>=1.0.91)',
        'backports.zstd >=1.0 ; platform_python_implementation == "CPython"',
        'chardet',
        'aiohttp >=3.9 ; extra == \'local\'',
    ]) == {'hata': '1.3.90', 'scarletio': '1.0.91', 'backports.zstd': '1.0'}


def test__check_distributions():
    """Too old and missing are told apart, and what can be done without is no error."""
    versions = {'hata': '1.3.100', 'scarletio': '1.0.9'}
    
    def get_version(name):
        try:
            return versions[name]
        except KeyError:
            raise PackageNotFoundError(name) from None
    
    findings = [*check_distributions({'hata': '1.3.90', 'scarletio': '1.0.91', 'orjson': '3.9'}, get_version)]
    assert _get_levels(findings) == {'hata': 'ok', 'scarletio': 'error', 'orjson': 'warning'}
    
    findings = [*check_distributions({'hata': '1.3.101rc1'}, get_version)]
    assert _get_levels(findings) == {'hata': 'ok'}
    
    versions.clear()
    findings = [*check_distributions({'hata': '1.3.90'}, get_version)]
    assert _get_levels(findings) == {'hata': 'error'}
    assert 'pip install' in findings[0].text


@pytest.mark.parametrize('name', ('hata', 'pytest-asyncio'))
def test__get_installed_version(name):
    """A distribution is found by its name as it is written."""
    assert get_installed_version(name)[0].isdecimal()


@pytest.mark.skipif(not is_available('zstd-stream'), reason = 'backports.zstd is not installed.')
def test__get_installed_version__dot():
    """A dot in the name is found on each Python."""
    assert get_installed_version('backports.zstd')[0].isdecimal()


def test__get_installed_version__missing():
    """What is not installed is said to be so."""
    with pytest.raises(PackageNotFoundError):
        get_installed_version('hata-of-another-world')


def test__check_compression():
    """What is reported for zstd is what the gateway would use."""
    levels = _get_levels(check_compression())
    assert levels == {'zlib-stream': 'ok', 'zstd-stream': 'ok' if is_available('zstd-stream') else 'warning'}


def test__check_trust_store__of_this_machine(monkeypatch):
    """With nothing set there is one finding about the system's store."""
    monkeypatch.delenv('SSL_CERT_FILE', raising = False)
    monkeypatch.delenv('SSL_CERT_DIR', raising = False)
    
    findings = [*check_trust_store(os.environ)]
    assert len(findings) == 1


@pytest.mark.parametrize('variable', ('SSL_CERT_FILE', 'SSL_CERT_DIR'))
def test__check_trust_store__missing_path(variable, tmp_path):
    """A variable that points nowhere is an error that names it: OpenSSL would say nothing and trust nobody."""
    findings = [*check_trust_store({variable: str(tmp_path / 'nowhere')})]
    
    assert [finding.level for finding in findings] == ['error']
    assert variable in findings[0].text


def test__check_trust_store__empty(monkeypatch, tmp_path):
    """A store without authorities is an error."""
    certificate_file = tmp_path / 'empty.pem'
    certificate_file.write_text('')
    monkeypatch.setenv('SSL_CERT_FILE', str(certificate_file))
    monkeypatch.setenv('SSL_CERT_DIR', str(tmp_path))
    certificate_file.unlink()
    
    findings = [*check_trust_store({})]
    
    assert [finding.level for finding in findings] == ['error']
    assert 'SSL_CERT_FILE' in findings[0].text


def test__check_environment():
    """Wrong values are errors, unknown names are warnings, and other people's variables are not looked at."""
    findings = [*check_environment({
        'HATA_API_ENDPOINT': 'http://127.0.0.1',
        'HATA_GATEWAY_EXT_COMPRESSION': 'none',
        'HATA_GATEWAY_EXT_COMPRESION': 'none',
        'HATA_GATEWAY_EXT_ENABLED': 'false',
        'HATA_GATEWAY_EXT_OFFLINE_TIMEOUT': 'soon',
    })]
    
    assert _get_levels(findings) == {
        'HATA_GATEWAY_EXT_COMPRESSION': 'ok',
        'HATA_GATEWAY_EXT_COMPRESION': 'warning',
        'HATA_GATEWAY_EXT_ENABLED': 'warning',
        'HATA_GATEWAY_EXT_OFFLINE_TIMEOUT': 'error',
    }


@pytest.mark.parametrize('option', (*OPTIONS, OPTION_ENABLED), ids = lambda option: option.variable)
def test__check_environment__knows_each_option(option):
    """No option of the table is called unknown."""
    findings = [*check_environment({option.variable: ''})]
    assert [finding.level for finding in findings] == ['ok']


def test__check_environment__do_not_fit_together():
    """Options that need each other are a warning: the other one may be given by the bot's code."""
    findings = [*check_environment({'HATA_GATEWAY_EXT_SHUTDOWN': 'suspend'})]
    
    assert _get_levels(findings) == {'HATA_GATEWAY_EXT_SHUTDOWN': 'ok', 'options': 'warning'}
    assert 'gateway_store' in findings[-1].text


def test__check_environment__store_url():
    """What may hold a password is not shown, accepted or refused."""
    for url in ('redis://reimu:hakurei@127.0.0.1:1', 'nowhere://reimu:hakurei@127.0.0.1:1'):
        finding, = check_environment({'HATA_GATEWAY_EXT_STORE': url})
        assert 'hakurei' not in finding.text
        assert 'reimu' not in finding.text


def test__check_environment__secret(monkeypatch):
    """The value of a secret option is not shown."""
    option = OPTIONS[0]
    monkeypatch.setattr(option, 'secret', True)
    
    findings = [*check_environment({option.variable: 'none'})]
    
    assert [finding.level for finding in findings] == ['ok']
    assert 'none' not in findings[0].text


def test__check_hook__somebody_else(monkeypatch, tmp_path):
    """A module of that name which is not ours is an error that says where it is."""
    package_path = tmp_path / 'gateway_ext'
    package_path.mkdir()
    (package_path / '__init__.py').write_text('')
    invalidate_caches()
    
    monkeypatch.delitem(sys.modules, 'hata.ext.gateway_ext', raising = False)
    monkeypatch.setattr(hata.ext, '__path__', [str(tmp_path), *hata.ext.__path__])
    try:
        findings = [*check_hook()]
    finally:
        # So that the real one is found by whoever looks next.
        sys.modules.pop('hata.ext.gateway_ext', None)
        hata.ext.__dict__.pop('gateway_ext', None)
    
    assert [finding.level for finding in findings] == ['error']
    assert str(package_path) in findings[0].text


def test__check_extras():
    """What is missing of the extras is no error, and the command that installs it is said."""
    findings = [*check_extras(lambda name: name == 'aiohttp')]
    
    assert {finding.level for finding in findings} == {'ok'}
    texts = {finding.subject: finding.text for finding in findings}
    assert texts['extra local'] == 'installed'
    assert 'hata_gateway_ext[redis]' in texts['extra redis']


def test__iterate_findings__covers_everything():
    """Every check is run."""
    subjects = {finding.subject for finding in iterate_findings({'HATA_GATEWAY_EXT_COMPRESSION': 'none'})}
    
    assert subjects >= {
        'python', 'hata_gateway_ext', 'zlib-stream', 'zstd-stream', 'trust store', 'extension',
        'HATA_GATEWAY_EXT_COMPRESSION', 'extra local',
    }


def test__main__doctor__error(monkeypatch, capsys):
    """The exit code is 1 when there is an error, and the error is printed."""
    monkeypatch.setenv('HATA_GATEWAY_EXT_COMPRESSION', 'gzip')
    
    assert main(['doctor']) == 1
    
    output = capsys.readouterr().out
    assert 'HATA_GATEWAY_EXT_COMPRESSION' in output
    assert 'gzip' in output
