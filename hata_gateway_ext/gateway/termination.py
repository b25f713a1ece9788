"""
SIGTERM as an interruption: it is how systemd, Docker and Kubernetes ask a process to end, and hata's
`wait_for_interruption` knows only the one of the keyboard.
"""
__all__ = ('interrupt_on_termination',)

from signal import SIGTERM, SIG_DFL, SIG_IGN, getsignal, signal
from threading import current_thread, main_thread


def _interrupt(signal_number, frame):
    """
    Called in the main thread when the signal comes.
    
    Parameters
    ----------
    signal_number : `int`
        The number of the signal.
    frame : `None | FrameType`
        What the main thread was at.
    
    Raises
    ------
    KeyboardInterrupt
    """
    # A second one must not interrupt what the first one began.
    signal(SIGTERM, SIG_IGN)
    raise KeyboardInterrupt


def interrupt_on_termination():
    """
    Makes SIGTERM raise `KeyboardInterrupt` in the main thread, once, if nobody has chosen yet what it does. Does nothing
    outside of the main thread, where Python does not allow it.
    
    Returns
    -------
    installed : `bool`
    """
    if (current_thread() is not main_thread()) or (getsignal(SIGTERM) is not SIG_DFL):
        return False
    
    signal(SIGTERM, _interrupt)
    return True
