"""
Stores block; the loop does not.
"""
from threading import Event, current_thread

import pytest
from hata import KOKORO
from scarletio import Task, TaskGroup

from hata_gateway_ext.persistence.store_thread import StoreThread
from hata_gateway_ext.stores import StoreError, StoreUnavailableError


@pytest.fixture
def thread():
    thread = StoreThread()
    yield thread
    thread.stop()


def call(thread, function, *positional_parameters, **keyword_parameters):
    return KOKORO.run(thread.call(function, *positional_parameters, **keyword_parameters), 10.0)


def test__StoreThread__call(thread):
    """A call returns what the function returns, and runs in another thread than the loop's, always the same."""
    assert call(thread, divmod, 7, 2) == (3, 1)
    threads = {call(thread, current_thread) for _ in range(5)}
    assert len(threads) == 1
    assert KOKORO not in threads and current_thread() not in threads
    assert threads.pop().daemon


def test__StoreThread__call__store_error(thread):
    """An error of the store comes out as it is, and the next call works."""
    def fail():
        raise StoreUnavailableError('The disk is full.')
    
    with pytest.raises(StoreUnavailableError, match = 'The disk is full.'):
        call(thread, fail)
    
    assert call(thread, int) == 0


def test__StoreThread__call__other_error(thread):
    """Any other error becomes one of a store, without its message: it may hold what is stored."""
    def fail():
        raise ValueError('secret')
    
    with pytest.raises(StoreError, match = 'ValueError') as error:
        call(thread, fail)
    
    assert 'secret' not in str(error.value)
    assert call(thread, int) == 0


def test__StoreThread__call__in_order(thread):
    """Calls are made one after the other, in the order in which they were asked for, while the loop goes on."""
    called = []
    
    async def call_many():
        await TaskGroup(KOKORO, [Task(KOKORO, thread.call(called.append, index)) for index in range(50)]).wait_all()
    
    KOKORO.run(call_many(), 10.0)
    assert called == [*range(50)]


def test__StoreThread__call__hanging(thread):
    """
    A call that hangs is given up after a time, and those after it at once, until it ends; nobody else waits for it.
    """
    begun = Event()
    released = Event()
    ended = Event()
    
    def hang():
        begun.set()
        released.wait()
        ended.set()
    
    with pytest.raises(StoreUnavailableError, match = 'did not answer'):
        call(thread, hang, timeout = 0.05)
    
    assert begun.is_set()
    with pytest.raises(StoreUnavailableError, match = 'still does not answer'):
        call(thread, int)
    
    released.set()
    assert ended.wait(10.0)
    
    # The end of the call gets to the loop a moment later.
    async def call_until_it_works():
        while True:
            try:
                return await thread.call(int)
            except StoreUnavailableError:
                await thread_is_free()
    
    async def thread_is_free():
        await KOKORO.run_in_executor(int)
    
    assert KOKORO.run(call_until_it_works(), 10.0) == 0


def test__StoreThread__stop(thread):
    """A stopped thread does what it was asked for and ends; the next call starts another one."""
    first = call(thread, current_thread)
    thread.stop()
    thread.stop()
    first.join(10.0)
    assert not first.is_alive()
    assert call(thread, current_thread) is not first
