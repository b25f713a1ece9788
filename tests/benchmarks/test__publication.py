from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.contender import NAME_DECODE, NAME_DEFAULT, NAME_OURS
from benchmarks.contest import ContestResult
from benchmarks.report import build_data, iter_lines

ROOT = Path(__file__).resolve().parents[2]

SVG = '{http://www.w3.org/2000/svg}'


@pytest.fixture
def modules(monkeypatch):
    """The benchmarks are no part of what is installed."""
    monkeypatch.syspath_prepend(str(ROOT))
    return import_module('benchmarks.chart'), import_module('benchmarks.page')


@pytest.fixture
def data():
    result = ContestResult({'zlib-stream': 1000})
    for name, costs in ((NAME_DECODE, (0.003, 0.003)), (NAME_OURS, (0.0036, 0.0038)), (NAME_DEFAULT, (0.02, 0.02))):
        result.results[name] = [{'cpu_seconds': cost, 'event_count': 1000} for cost in costs]
    
    result.failures['discord.py <3'] = 'ended with exit code 1.'
    head = {
        'machine': {'processor': 'a & b', 'processor_count': 2, 'system': 'Linux', 'python': 'CPython 3.11.7', 'libraries': {}},
        'seed': 1,
        'event_count': 1000,
        'average_size': 605.0,
        'rounds': 2,
        'digest': 'beef',
    }
    return build_data({'zlib': result}, head)


def test__create_chart(modules, data):
    """The chart is SVG, its bars are as long as the figures, and each contender is named."""
    chart, page = modules
    root = ElementTree.fromstring(chart.create_chart(data))
    
    widths = [float(element.get('width')) for element in root.iter(f'{SVG}rect')]
    assert len(widths) == 3
    assert widths == sorted(widths)
    assert widths[2] / widths[1] == pytest.approx(0.02 / 0.0037, rel = 0.01)
    texts = [element.text for element in root.iter(f'{SVG}text')]
    for name in (NAME_DECODE, NAME_OURS, NAME_DEFAULT):
        assert name in texts
    
    # Nothing is drawn outside.
    assert max(float(element.get('x')) for element in root.iter(f'{SVG}text')) < float(root.get('width'))
    assert max(float(element.get('y')) for element in root.iter(f'{SVG}text')) < float(root.get('height'))


def test__create_page(modules, data):
    """The page shows each goal for each Python version, and what was not measured as such."""
    chart, page = modules
    other = {**data, 'machine': {**data['machine'], 'python': 'CPython 3.9.18'}}
    text = page.create_page(data, [other, data])
    
    assert '| CPython 3.9.18 | CPython 3.11.7 |' in text
    for goal in data['goals']:
        assert goal['title'] in text
    assert '| 0.19 | 0.18 (0.18): hold | 0.18 (0.18): hold |' in text
    assert text.count('not measured') == 2 * sum(goal['verdict'] == 'not measured' for goal in data['goals'])


def test__iter_lines__failures(data):
    """What failed is said, with the reason."""
    lines = [*iter_lines(data)]
    
    assert any('discord.py <3' in line and 'exit code 1' in line for line in lines)
