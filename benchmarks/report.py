"""
What is printed and written about a run.
"""
__all__ = ('build_data', 'iter_lines')

from .contender import NAME_DEFAULT, NAME_OURS
from .goals import get_shard_memory, judge

# Contests of which the cost per event is shown, with their titles.
COST_TITLES = {
    'zlib': 'Gateway alone, zlib-stream',
    'zstd': 'Gateway alone, zstd-stream',
    'tls': 'Gateway alone, zlib-stream over TLS',
    'skip_zlib': 'Nobody listens, zlib-stream',
    'skip_zstd': 'Nobody listens, zstd-stream',
    'bot': 'Bot with hata\'s own parsers and a message handler, zlib-stream',
    'stall': '100,000 events at once, zlib-stream',
    'stall_default': '100,000 events at once, hata default',
    'shards_1': '1 shard',
    'shards_16': '16 shards',
    'shards_256': '256 shards',
    'size_64': 'Payloads of 64 B',
    'size_1024': 'Payloads of 1 KiB',
    'size_16384': 'Payloads of 16 KiB',
    'size_262144': 'Payloads of 256 KiB',
    'size_4194304': 'Payloads of 4 MiB',
}


def format_figure(value):
    """
    Formats a figure with three significant digits.
    
    Parameters
    ----------
    value : `float`
        The figure.
    
    Returns
    -------
    text : `str`
    """
    if abs(value) >= 100.0:
        return f'{value:.0f}'
    
    if abs(value) >= 10.0:
        return f'{value:.1f}'
    
    return f'{value:.2f}'


def build_data(results, head):
    """
    Builds what is written as JSON.
    
    Parameters
    ----------
    results : `dict<str, ContestResult>`
        The contests' results.
    head : `dict<str, object>`
        What is known about the run: machine, seed, ...
    
    Returns
    -------
    data : `dict<str, object>`
    """
    contests = {}
    for key, result in results.items():
        contests[key] = {
            'title': COST_TITLES.get(key, key),
            'costs': {
                name: result.get_costs(name).to_data() for name in result.results if key in COST_TITLES
            },
            'results': result.results,
            'failures': result.failures,
            'wire_sizes': result.wire_sizes,
        }
    
    shard_memory = {
        name: get_shard_memory(results, name) for name in (NAME_DEFAULT, NAME_OURS, f'{NAME_OURS} zstd')
    }
    return {
        **head,
        'contests': contests,
        'shard_memory': {name: value for name, value in shard_memory.items() if (value is not None)},
        'goals': [goal_result.to_data() for goal_result in judge(results)],
    }


def iter_cost_rows(contest):
    """
    Iterates over the contenders of a contest, the cheapest first.
    
    This function is an iterable generator.
    
    Parameters
    ----------
    contest : `dict<str, object>`
        A contest as ``build_data`` builds it.
    
    Yields
    ------
    row : `tuple<str, dict<str, object>, None | float>`
        Name, cost, and how many times that of ours.
    """
    costs = contest['costs']
    ours = costs.get(NAME_OURS, None)
    for name, cost in sorted(costs.items(), key = lambda item: item[1]['median']):
        yield name, cost, (None if ours is None else cost['median'] / ours['median'])


def iter_lines(data):
    """
    Iterates over the lines to print.
    
    This function is an iterable generator.
    
    Parameters
    ----------
    data : `dict<str, object>`
        What ``build_data`` returned.
    
    Yields
    ------
    line : `str`
    """
    machine = data['machine']
    yield f'{machine["processor"]}, {machine["processor_count"]} processors, {machine["system"]}, {machine["python"]}'
    yield ', '.join(f'{name} {version}' for name, version in machine['libraries'].items())
    yield (
        f'seed {data["seed"]}, {data["event_count"]} events of {data["average_size"]:.0f} bytes on average, '
        f'{data["rounds"]} rounds'
    )
    
    for contest in data['contests'].values():
        if contest['costs']:
            yield ''
            yield f'{contest["title"]}: µs of processor time an event, median (minimum to maximum), times ours'
            for name, cost, ratio in iter_cost_rows(contest):
                yield (
                    f'  {name:<18} {format_figure(cost["median"]):>8}  '
                    f'({format_figure(cost["minimum"])} to {format_figure(cost["maximum"])})'
                    + ('' if ratio is None else f'  {ratio:.2f}')
                )
        
        for name, reason in contest['failures'].items():
            yield f'  {name:<18} failed: {reason}'
    
    if data['shard_memory']:
        yield ''
        yield 'Memory of one connected idle shard, KiB'
        for name, memory in data['shard_memory'].items():
            yield f'  {name:<22} {format_figure(memory):>8}'
    
    yield ''
    yield 'Goals'
    for goal in data['goals']:
        measured = goal['measured']
        fastest = goal['fastest']
        yield (
            f'  {goal["title"]:<52} {"-" if measured is None else format_figure(measured):>8} '
            f'(at most {goal["limit"]:g}{" " if goal["unit"] else ""}{goal["unit"]}): {goal["verdict"]}'
            + ('' if fastest is None else f'; fastest rounds {format_figure(fastest)}')
        )
