"""
What can be seen of a trial, while it runs and at its end.
"""
__all__ = ('observe_trial',)

from .outcome import Outcome, ShardOutcome
from .shape import SHARD_COUNT_MAXIMUM


def describe_numbers(numbers):
    """
    Describes numbers of a shard by their ranges.
    
    Parameters
    ----------
    numbers : `list<int>`
        The numbers, in order.
    
    Returns
    -------
    description : `str`
    """
    ranges = []
    for number in numbers:
        # The numbers between two of a shard are those of the other shards.
        if ranges and (number - ranges[-1][1] <= SHARD_COUNT_MAXIMUM):
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    
    return f'{len(numbers)}: {", ".join([f"{first} - {last}" for first, last in ranges])}'


def get_notes(trial):
    """
    Returns what helps to find out what went wrong.
    
    Parameters
    ----------
    trial : ``Trial``
        The trial, which is over.
    
    Returns
    -------
    notes : `list<str>`
    """
    notes = []
    for shard_id, shard in enumerate(trial.account.shards):
        numbers = shard.lost_numbers
        if numbers:
            notes.append(f'shard {shard_id} lost {describe_numbers(numbers)}')
    
    return [*notes, *trial.bot.errors, *trial.bot.output]


def observe_shard(trial, shard_id):
    """
    Returns what can be seen of a shard.
    
    Parameters
    ----------
    trial : ``Trial``
        The trial.
    shard_id : `int`
        The shard.
    
    Returns
    -------
    outcome : ``ShardOutcome``
    """
    shard = trial.account.shards[shard_id]
    recording = trial.discord.recording
    
    reports = trial.bot.shards
    if shard_id < len(reports):
        report = reports[shard_id]
        state = report.state if trial.is_alive else 'stopped'
        latency = report.latency
        sequence = report.sequence
    else:
        state = 'starting'
        latency = None
        sequence = None
    
    return ShardOutcome(
        shard_id = shard_id,
        state = state,
        latency = latency,
        sequence = sequence,
        sent = shard.sent,
        seen = shard.seen,
        lost = shard.lost,
        doubled = shard.doubled,
        disordered = shard.disordered,
        repeated = shard.repeated,
        resumes = recording.resumed_count(shard_id),
        identifies = recording.identify_count(shard_id),
        trouble = trial.breaker.troubles[shard_id],
    )


def observe_trial(trial):
    """
    Returns what came out of a trial, so far.
    
    Parameters
    ----------
    trial : ``Trial``
        The trial.
    
    Returns
    -------
    outcome : ``Outcome``
    """
    return Outcome(
        gateway = trial.gateway,
        shards = tuple(observe_shard(trial, shard_id) for shard_id in range(trial.shape.shard_count)),
        seconds = trial.duration,
        struck = trial.breaker.struck,
        restarts = trial.restarts,
        kills = trial.kills,
        unknown = trial.account.unknown,
        errors = trial.bot.error_count,
        identify_limit = trial.identify_limit,
        notes = tuple(get_notes(trial)) if trial.is_over else (),
        failure = trial.failure,
    )
