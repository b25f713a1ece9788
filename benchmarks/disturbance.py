"""
Tells whether something else was running while something was measured.

Processor time is not free of what else happens: whoever shares a processor also shares its caches, and on a virtual machine
time that the host takes away is counted as the guest's. So a measurement that was disturbed can be made again.
"""
__all__ = ('DISTURBANCE_LIMIT', 'DisturbanceMeter', 'REPEAT_LIMIT', 'is_available', 'wait_for_quiet')

import os
from time import monotonic, sleep

# Share of one processor that others may take. Below, figures were not seen to change.
DISTURBANCE_LIMIT = 0.1

# How often a disturbed measurement is made again at most. The least disturbed one counts.
REPEAT_LIMIT = 6

# Where Linux tells what the processors do, in ticks: user, nice, system, idle, iowait, irq, softirq, steal, ...
STATUS_PATH = '/proc/stat'
INDEX_IDLE = 3
INDEX_WAIT = 4
INDEX_STEAL = 7

# Seconds over which it is looked whether the machine is quiet, and between two looks.
LOOK_DURATION = 0.25


def is_available():
    """
    Returns whether the system tells what is needed.
    
    Returns
    -------
    is_available : `bool`
    """
    return os.path.exists(STATUS_PATH)


def get_busy_duration():
    """
    Returns how long the processors were busy so far, all of them together, or were taken away by a host.
    
    Returns
    -------
    duration : `float`
        Seconds.
    """
    with open(STATUS_PATH) as file:
        fields = [int(field) for field in file.readline().split()[1 : 2 + INDEX_STEAL]]
    
    return (sum(fields) - fields[INDEX_IDLE] - fields[INDEX_WAIT]) / os.sysconf('SC_CLK_TCK')


def get_process_duration(process_id):
    """
    Returns how long a process ran so far.
    
    Parameters
    ----------
    process_id : `int`
        The process.
    
    Returns
    -------
    duration : `float`
        Seconds.
    """
    with open(f'/proc/{process_id}/stat') as file:
        # The name may contain anything; what follows it does not.
        fields = file.read().rpartition(')')[2].split()
    
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


class DisturbanceMeter:
    """
    Measures what other processes do meanwhile.
    
    Attributes
    ----------
    _busy_duration : `float`
        How long the processors were busy at the beginning.
    _own_duration : `float`
        How long we, our ended children and the server ran at the beginning.
    _server_process_id : `int`
        The server's process.
    _started_at : `float`
        The beginning.
    """
    __slots__ = ('_busy_duration', '_own_duration', '_server_process_id', '_started_at')
    
    def __new__(cls, server_process_id):
        """
        Begins to measure.
        
        Parameters
        ----------
        server_process_id : `int`
            The server's process.
        """
        self = object.__new__(cls)
        self._server_process_id = server_process_id
        self._busy_duration = get_busy_duration()
        self._own_duration = self._get_own_duration()
        self._started_at = monotonic()
        return self
    
    
    def __repr__(self):
        """Returns the meter's representation."""
        return f'<{type(self).__name__} server_process_id = {self._server_process_id!r}>'
    
    
    def _get_own_duration(self):
        """
        Returns how long we, our ended children and the server ran so far.
        
        Returns
        -------
        duration : `float`
            Seconds.
        """
        return sum(os.times()[:4]) + get_process_duration(self._server_process_id)
    
    
    def get_share(self):
        """
        Returns how much of a processor others took. To be called once the receiver has ended.
        
        Returns
        -------
        share : `float`
        """
        duration = monotonic() - self._started_at
        others = (get_busy_duration() - self._busy_duration) - (self._get_own_duration() - self._own_duration)
        return max(others, 0.0) / duration


def wait_for_quiet(timeout):
    """
    Waits until nothing else is running.
    
    Parameters
    ----------
    timeout : `float`
        Seconds to wait at most.
    """
    deadline = monotonic() + timeout
    while monotonic() < deadline:
        started_at = monotonic()
        busy_duration = get_busy_duration() - sum(os.times()[:4])
        sleep(LOOK_DURATION)
        others = get_busy_duration() - sum(os.times()[:4]) - busy_duration
        if others <= DISTURBANCE_LIMIT * (monotonic() - started_at):
            return
