"""
Runs trials side by side, and shows them while they run.
"""
__all__ = ('show_trials',)

import asyncio


# Seconds between two looks.
INTERVAL = 0.25


async def show_trials(trials, view):
    """
    Runs trials side by side, and shows them while they run. If one fails for a reason of its own, or this is cancelled, all are
    ended, and their bots are gone when this returns.
    
    This function is a coroutine.
    
    Parameters
    ----------
    trials : `list<Trial>`
        The trials.
    view : ``LiveTable | PlainLines``
        Shows them.
    
    Returns
    -------
    outcomes : `list<Outcome>`
    """
    tasks = [asyncio.ensure_future(trial.run()) for trial in trials]
    try:
        with view:
            while True:
                done, pending = await asyncio.wait(tasks, timeout = INTERVAL, return_when = asyncio.FIRST_EXCEPTION)
                if (not pending) or any(task.exception() is not None for task in done):
                    break
                
                view.update([trial.get_outcome() for trial in trials])
            
            outcomes = [task.result() for task in tasks if task.done()]
            view.finish(outcomes)
            return outcomes
    
    finally:
        for task in tasks:
            task.cancel()
        
        await asyncio.gather(*tasks, return_exceptions = True)
