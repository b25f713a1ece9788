"""
Writes the page of the documentation from what was measured. Its words are here, its figures are not.
"""
__all__ = ('create_page',)

from .contender import NAME_DECODE, NAME_DEFAULT, NAME_FRAMES, NAME_INFLATE, NAME_OURS
from .report import format_figure, iter_cost_rows

INTRODUCTION = '''\
# Benchmarks

What receiving an event costs, measured. This page is written by `python -m benchmarks --publish`; the figures behind it
are in [benchmarks.json](benchmarks.json).

![Processor time an event costs](benchmarks.svg)
'''

METHOD = '''\
## What is measured

- **The same bytes for everyone.** A recording is built from a seed: 45 % `MESSAGE_CREATE`, 40 % `PRESENCE_UPDATE`, 15 %
  `TYPING_START`, by 64 people at a time out of a thousand. A server process of its own sends it as prepared WebSocket
  frames, compressed once for the whole connection, as fast as the client reads. Its processor time is not counted, and it
  runs on another processor.
- **Cost** is the processor time of the whole receiving process, system calls included, from the first to the last event,
  divided by the events. Each round uses a fresh process for each contender, and another one begins each round. Ratios are
  taken round by round.
- **Gateway alone**: each library's own point of dispatch is replaced by a function that counts. That is the entries of
  `PARSERS` for hata, the event manager for hikari, the connection's table of parsers for discord.py. What is left is the
  socket, frames, inflating, JSON, and the session.
- **The floor** is `inflate` and `inflate + orjson` over exactly the same messages in a bare loop: no socket, no frames, no
  event loop.
- **Nobody listens**: the same stream, with hata's own parser of an event that nobody listens to, which does nothing, in
  the place of each. `inflate + frames` takes the messages out of the received bytes with two reads each, inflates them and
  does nothing else: there is no cheaper way in Python.
- **Bot**: hata's own parsers and caches, four guilds of 250 members, and one handler of messages that counts.
- **TLS** verifies the certificate for real with hata_gateway_ext; hata's default verifies none.
- **Memory** is the difference of resident memory between 65 connected idle shards and one, divided by 64. Both gateways
  inflate zlib-stream there, so the inflater's window is in both figures.
- **The longest stall** is by how much a timer of one millisecond on the bot's event loop was late at most, while 100,000
  events arrive at once. The order of the messages is checked, and heartbeats are timed by the server. This is not processor
  time: it counts whatever else the machine does, and on a busy one it was several times as long, with either gateway.
- **Growth**: the same events over 1, 16 and 256 shards, and payloads of 64 B to 4 MiB. Larger payloads are compared in
  units of inflating and decoding them, since that itself does not cost the same per byte at every size. For this one the
  floor has hata in its memory as well: large payloads set off garbage collection, which takes its time by what is there.

The bytes on the wire depend on what Discord does as well: the server compresses zlib-stream at level 6, and zstd-stream
as Discord described its own settings (level 6, a window of 256 KB).
'''

REPEAT = '''\
## Repeat it

```sh
pip install -e '.[benchmark]'
python -m benchmarks             # everything, about a quarter of an hour; exit code 0 only if every goal holds
python -m benchmarks --only zlib --rounds 3
python -m benchmarks --quiet 10  # waits for a machine that has nothing else to do, and repeats what was disturbed
python -m benchmarks --publish   # writes this page, its chart and its figures
```

It takes the intents of your own bot if you wish:

```sh
python -m benchmarks --intents 512
```

The machine should have two processors and nothing else to do. Compare ratios, not microseconds: those are the machine's.
'''


def _iter_goals(runs):
    """
    Iterates over the lines of the table of goals.
    
    This function is an iterable generator.
    
    Parameters
    ----------
    runs : `list<dict<str, object>>`
        What was measured, one for each Python version.
    
    Yields
    ------
    line : `str`
    """
    yield '## Goals'
    yield ''
    yield f'| what | at most | {" | ".join(run["machine"]["python"] for run in runs)} |'
    yield f'| --- | ---: |{" --- |" * len(runs)}'
    for goals in zip(*(run['goals'] for run in runs)):
        goal = goals[0]
        unit = f' {goal["unit"]}' if goal['unit'] else ''
        cells = ' | '.join(_format_goal(goal, unit) for goal in goals)
        yield f'| {goal["title"]} | {goal["limit"]:g}{unit} | {cells} |'
    yield ''
    yield GOALS_NOTE


GOALS_NOTE = '''\
Ratios are medians over the rounds, and these are judged. In brackets stand the ratios of the fastest rounds: on a machine
that is shared, they are nearer to what a machine of one's own would show.
'''


def _format_goal(goal, unit):
    """
    Formats what was measured for a goal.
    
    Parameters
    ----------
    goal : `dict<str, object>`
        The goal.
    unit : `str`
        What to put behind the figure.
    
    Returns
    -------
    cell : `str`
    """
    measured = goal['measured']
    if measured is None:
        return goal['verdict']
    
    verdict = goal['verdict']
    fastest = goal['fastest']
    note = '' if fastest is None else f' ({format_figure(fastest)})'
    return f'{format_figure(measured)}{unit}{note}: {verdict if verdict == "hold" else f"**{verdict}**"}'


def _iter_notes(data):
    """
    Iterates over the lines that put the goals into proportion.
    
    This function is an iterable generator.
    
    Parameters
    ----------
    data : `dict<str, object>`
        What was measured.
    
    Yields
    ------
    line : `str`
    """
    contest = data['contests'].get('zlib', None)
    if contest is None:
        return
    
    costs = contest['costs']
    try:
        floor = costs[NAME_DECODE]['median']
        ours = costs[NAME_OURS]['median']
        default = costs[NAME_DEFAULT]['median']
    except KeyError:
        return
    
    shares = ''.join(
        f', {floor / costs[name]["median"]:.2f} of {name}' for name in ('hikari', 'discord.py') if name in costs
    )
    yield (
        f'How to read it: on zlib-stream, inflating and decoding alone take {format_figure(floor)} µs an event here, which '
        f'is {floor / default:.2f} of what hata\'s default takes in all{shares}. What a gateway adds to this floor is '
        f'{format_figure(default - floor)} µs with hata\'s default, and {format_figure(ours - floor)} µs with '
        f'{NAME_OURS}: {(ours - floor) / (default - floor):.2f} of it. The faster the interpreter runs the default\'s '
        f'Python code, the nearer every ratio to it is to that of the floor, below which no gateway can be.'
    )
    yield ''
    
    beyond = []
    least = []
    for name in ('zlib', 'zstd'):
        contest = data['contests'].get(f'skip_{name}', None)
        if contest is None:
            continue
        
        costs = contest['costs']
        if (NAME_OURS in costs) and (NAME_INFLATE in costs) and (NAME_FRAMES in costs):
            inflate = costs[NAME_INFLATE]['median']
            beyond.append(f'{format_figure(costs[NAME_OURS]["median"] - inflate)} µs ({name}-stream)')
            least.append(f'{costs[NAME_FRAMES]["median"] / inflate:.2f}')
    
    if beyond:
        yield (
            f'Where nobody listens, what is left beyond inflating is the socket, the frame, the look at the envelope and the '
            f'sequence: {" and ".join(beyond)} an event. No event is decoded there. Taking the frames out of the received '
            f'bytes alone makes it {" and ".join(least)} times inflating.'
        )
        yield ''


def _iter_contest(contest):
    """
    Iterates over the lines of a contest's table.
    
    This function is an iterable generator.
    
    Parameters
    ----------
    contest : `dict<str, object>`
        The contest.
    
    Yields
    ------
    line : `str`
    """
    yield f'### {contest["title"]}'
    yield ''
    yield f'| | µs an event, median | fastest to slowest round | times {NAME_OURS} |'
    yield '| --- | ---: | ---: | ---: |'
    for name, cost, ratio in iter_cost_rows(contest):
        yield (
            f'| {name} | {format_figure(cost["median"])} '
            f'| {format_figure(cost["minimum"])} to {format_figure(cost["maximum"])} '
            f'| {"–" if ratio is None else format_figure(ratio)} |'
        )
    yield ''


def create_page(data, runs):
    """
    Writes the page.
    
    Parameters
    ----------
    data : `dict<str, object>`
        The run whose figures are shown.
    runs : `list<dict<str, object>>`
        All runs, one for each Python version.
    
    Returns
    -------
    page : `str`
    """
    machine = data['machine']
    libraries = ', '.join(f'{name} {version}' for name, version in machine['libraries'].items())
    lines = [INTRODUCTION]
    lines.extend(_iter_goals(runs))
    lines.extend(_iter_notes(data))
    lines.append(
        f'The figures below were measured on {machine["processor"]}, {machine["processor_count"]} processors, {machine["system"]}, '
        f'{machine["python"]}; {libraries}.'
    )
    lines.append(
        f'Seed {data["seed"]}, {data["event_count"]:,} events of {data["average_size"]:.0f} bytes of JSON on average, '
        f'{data["rounds"]} rounds. SHA-256 of the recording: `{data["digest"]}`.'
    )
    lines.append('')
    lines.append(METHOD)
    lines.append('## Figures')
    lines.append('')
    for contest in data['contests'].values():
        if contest['costs']:
            lines.extend(_iter_contest(contest))
    
    if data['shard_memory']:
        lines.append('### Memory of one connected idle shard')
        lines.append('')
        lines.append('| | KiB |')
        lines.append('| --- | ---: |')
        lines.extend(f'| {name} | {format_figure(memory)} |' for name, memory in data['shard_memory'].items())
        lines.append('')
    
    lines.append(REPEAT)
    return '\n'.join(lines)
