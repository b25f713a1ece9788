"""
Writes what the documentation shows of the tables of the code, so that the two cannot disagree.

A page marks the place with `<!-- generated: NAME -->` and `<!-- generated: end -->`; what is between them is replaced.

    python docs/generate.py             write
    python docs/generate.py --check     write nothing, exit with 1 if anything would change
"""
from argparse import ArgumentParser
from pathlib import Path
from re import DOTALL, compile as re_compile

from hata_gateway_ext.configuration import OPTION_ENABLED, OPTIONS
from hata_gateway_ext.protocol.close_codes import CLOSE_CODES
from hata_gateway_ext.protocol.session import STATE_TIMEOUTS
from hata_gateway_ext.protocol.transitions import INPUT_LOST, INPUT_SUSPEND, STATES, STATE_STOPPED, TRANSITIONS


ROOT = Path(__file__).resolve().parent.parent

SECTION_RP = re_compile(r'(<!-- generated: (?!end )([\w\-]+) -->\n).*?(<!-- generated: end -->)', DOTALL)


def generate_options():
    """
    Generates the table of options.
    
    Returns
    -------
    text : `str`
    """
    lines = [
        '| keyword | variable | values, the default first | what it does |',
        '| --- | --- | --- | --- |',
    ]
    for option in (*OPTIONS, OPTION_ENABLED):
        keyword = '' if option.keyword is None else f'`{option.keyword}`'
        # A bar would end the cell.
        accepted = option.accepted.replace('|', '\\|')
        lines.append(f'| {keyword} | `{option.variable}` | {accepted} | {option.description} |')
    
    return '\n'.join(lines)


def generate_close_codes():
    """
    Generates the table of close codes.
    
    Returns
    -------
    text : `str`
    """
    lines = [
        '| close code | name | what the gateway does | what you can do |',
        '| --- | --- | --- | --- |',
    ]
    for close_code in CLOSE_CODES.values():
        recovery = close_code.recovery
        if close_code.reported:
            recovery = f'{recovery}, and report'
        
        lines.append(f'| {close_code.code} | {close_code.name} | {recovery} | {close_code.advice or ""} |')
    
    lines.append('| any other, or none | | resume | |')
    return '\n'.join(lines)


def generate_transitions():
    """
    Generates the table of the session's transitions.
    
    Returns
    -------
    text : `str`
    """
    lines = [
        '| state | input | next state | actions |',
        '| --- | --- | --- | --- |',
    ]
    for (state, input_), (next_state, actions) in TRANSITIONS.items():
        lines.append(f'| {state} | {input_} | {next_state} | {", ".join(actions)} |')
    
    return '\n'.join(lines)


def generate_session_diagram():
    """
    Generates the diagram of the session's states. Inputs that lead the same way share an arrow; what leads the same way from
    each running, or from each connected state, is one arrow from a box that stands for all of them.
    
    Returns
    -------
    text : `str`
    """
    sources = {}
    for (state, input_), (next_state, _) in TRANSITIONS.items():
        if state != next_state:
            sources.setdefault((input_, next_state), []).append(state)
    
    groups = {
        'any running state': [state for state in STATES if (state, INPUT_SUSPEND) in TRANSITIONS],
        'any connected state': [state for state in STATES if (state, INPUT_LOST) in TRANSITIONS],
    }
    
    arrows = {}
    for (input_, next_state), states in sources.items():
        for group, members in groups.items():
            if {*members} <= {*states}:
                states = [group, *(state for state in states if state not in members)]
        
        for state in states:
            arrows.setdefault((state, next_state), []).append(input_)
    
    lines = ['```mermaid', 'stateDiagram-v2']
    for state in (*STATES, *groups):
        lines.append(f'    state "{state}" as {_get_identifier(state)}')
    
    lines.append(f'    [*] --> {_get_identifier(STATE_STOPPED)}')
    for (state, next_state), inputs in arrows.items():
        # A colon would end the label.
        label = ' / '.join(inputs).replace(':', '')
        lines.append(f'    {_get_identifier(state)} --> {_get_identifier(next_state)} : {label}')
    
    lines.append('```')
    return '\n'.join(lines)


def generate_session_deadlines():
    """
    Generates the table of how long a state of the session may last.
    
    Returns
    -------
    text : `str`
    """
    lines = [
        '| state | seconds |',
        '| --- | --- |',
    ]
    for state, timeout in STATE_TIMEOUTS.items():
        lines.append(f'| {state} | {timeout:.0f} |')
    
    return '\n'.join(lines)


def _get_identifier(state):
    """
    Returns the name of a state as a diagram may have it.
    
    Parameters
    ----------
    state : `str`
        The state.
    
    Returns
    -------
    identifier : `str`
    """
    return state.replace(' ', '_')


GENERATORS = {
    'close-codes': generate_close_codes,
    'options': generate_options,
    'session-deadlines': generate_session_deadlines,
    'session-diagram': generate_session_diagram,
    'transitions': generate_transitions,
}


def render(text):
    """
    Renders a page anew.
    
    Parameters
    ----------
    text : `str`
        The page.
    
    Returns
    -------
    text : `str`
    
    Raises
    ------
    KeyError
        - If the page asks for what there is no generator for.
    """
    return SECTION_RP.sub(lambda match: f'{match[1]}\n{GENERATORS[match[2]]()}\n\n{match[3]}', text)


def main():
    """
    Renders every page.
    
    Returns
    -------
    exit_code : `int`
    """
    parser = ArgumentParser(description = 'Write what the documentation shows of the tables of the code.')
    parser.add_argument('--check', action = 'store_true', help = 'Only say what is not up to date.')
    check = parser.parse_args().check
    
    exit_code = 0
    for path in (ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))):
        text = path.read_text(encoding = 'utf-8')
        rendered = render(text)
        if rendered == text:
            continue
        
        if check:
            print(f'{path.relative_to(ROOT)} is not up to date: run python docs/generate.py')
            exit_code = 1
        else:
            path.write_text(rendered, encoding = 'utf-8')
            print(f'{path.relative_to(ROOT)} written')
    
    return exit_code


if __name__ == '__main__':
    raise SystemExit(main())
