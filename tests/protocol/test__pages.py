"""
The pages of the documentation that say what the protocol's tables say.
"""
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from re import MULTILINE, compile as re_compile

import pytest

from hata_gateway_ext.protocol.close_codes import CLOSE_CODES
from hata_gateway_ext.protocol.transitions import INPUT_LOST, INPUT_SUSPEND, STATES, TRANSITIONS

DOCUMENTATION = Path(__file__).resolve().parents[2] / 'docs'

STATE_RP = re_compile(r'^    state "([^"]+)" as (\w+)$', MULTILINE)
ARROW_RP = re_compile(r'^    (\w+) --> (\w+) : (.+)$', MULTILINE)


def _read(name):
    return (DOCUMENTATION / name).read_text(encoding = 'utf-8')


def _load_generate():
    specification = spec_from_file_location('hata_gateway_ext_docs_generate', DOCUMENTATION / 'generate.py')
    module = module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize('name', ('protocol.md', 'sessions.md'))
def test__page__is_up_to_date(name):
    """What is generated is what the tables say today; if not, run `python docs/generate.py`."""
    text = _read(name)
    
    assert '<!-- generated:' in text
    assert _load_generate().render(text) == text


def test__sessions_page__diagram():
    """The diagram has an arrow for each row of the table that changes the state, and no other one."""
    text = _read('sessions.md')
    states = {identifier: state for state, identifier in STATE_RP.findall(text)}
    groups = {
        'any running state': [state for state in STATES if (state, INPUT_SUSPEND) in TRANSITIONS],
        'any connected state': [state for state in STATES if (state, INPUT_LOST) in TRANSITIONS],
    }
    
    drawn = []
    for source, target, label in ARROW_RP.findall(text):
        for input_ in label.split(' / '):
            for state in groups.get(states[source], (states[source],)):
                drawn.append((state, input_, states[target]))
    
    rows = [
        (state, input_, next_state) for (state, input_), (next_state, _) in TRANSITIONS.items() if state != next_state
    ]
    assert sorted(drawn) == sorted(rows)


def test__sessions_page__members_of_the_boxes():
    """The page names the states that the boxes of the diagram stand for."""
    text = ' '.join(_read('sessions.md').split())
    connected = [state for state in STATES if (state, INPUT_LOST) in TRANSITIONS]
    running = [state for state in STATES if (state, INPUT_SUSPEND) in TRANSITIONS]
    others = [state for state in running if state not in connected]
    
    assert f'Connected are: {", ".join(connected[:-1])} and {connected[-1]}.' in text
    assert f'Running are these, {", ".join(others[:-1])} and {others[-1]}.' in text


def test__protocol_page__close_codes():
    """Each close code is on the page, with what is done about it."""
    text = _read('protocol.md')
    
    for close_code in CLOSE_CODES.values():
        assert f'| {close_code.code} | {close_code.name} | {close_code.recovery}' in text
