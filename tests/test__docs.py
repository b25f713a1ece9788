"""
Holds what the documentation can be held to without building it. `tox -e docs` builds it, and fails on a broken link.
"""
import os
import subprocess
import sys
from pathlib import Path
from re import DOTALL, compile as re_compile

import pytest

import hata_gateway_ext


ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / 'docs'

LINK_RP = re_compile(r'\]\((?!https?://|#)([^)#\s]+)')

BLOCK_RP = re_compile(r'```py\n(.*?)```', DOTALL)

# Those that the build of the documentation does not read.
PAGES_OUTSIDE = ('README.md', 'CHANGELOG.md')


def test__docs__tables_are_up_to_date():
    """What is made from the tables of the code says what they say."""
    process = subprocess.run(
        [sys.executable, str(DOCS / 'generate.py'), '--check'],
        # The same package as the tests, installed or not.
        env = {**os.environ, 'PYTHONPATH': str(Path(hata_gateway_ext.__file__).parent.parent)},
        stdout = subprocess.PIPE,
        stderr = subprocess.STDOUT,
        text = True,
    )
    assert process.returncode == 0, process.stdout


@pytest.mark.parametrize('name', PAGES_OUTSIDE)
def test__docs__links_lead_somewhere(name):
    """What a page outside of `docs/` links to is there."""
    targets = LINK_RP.findall((ROOT / name).read_text(encoding = 'utf-8'))
    assert [target for target in targets if not (ROOT / target).exists()] == []


@pytest.mark.parametrize('path', (ROOT / 'README.md', DOCS / 'index.md', DOCS / 'getting_started.md'))
def test__docs__shows_the_example(path):
    """The bot that the documentation begins with is the example that the tests run."""
    shown = BLOCK_RP.search(path.read_text(encoding = 'utf-8'))[1]
    
    example = (ROOT / 'examples' / 'bot.py').read_text(encoding = 'utf-8').split('"""\n')[2]
    for written, said in (('from os import environ', ''), ('environ[\'TOKEN\']', 'TOKEN'), (', flush = True', '')):
        assert written in example
        example = example.replace(written, said)
    
    assert shown.split() == example.split()
