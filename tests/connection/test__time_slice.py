"""
The budget that the web sockets of an event loop share. Time is the test's own.
"""
from threading import Event

import pytest
from hata import KOKORO

from hata_gateway_ext.connection.time_slice import SLICE_LENGTH, TURN_LENGTH_MIN, TimeSlice, get_time_slice


class Loop:
    """A loop whose rounds are the test's."""
    def __init__(self):
        self.timers = []
    
    
    def call_at(self, when, callback, *arguments):
        self.timers.append((when, callback, arguments))
        return self.timers[-1]
    
    
    def run_round(self):
        """Runs the timers that were there when the round began."""
        timers = self.timers
        self.timers = []
        for _, callback, arguments in timers:
            callback(*arguments)


class Reader:
    """Has some work to do, and takes a fixed time for each piece of it, as a web socket does."""
    def __init__(self, world, name, work, piece_length):
        self.world = world
        self.name = name
        self.work = work
        self.piece_length = piece_length
        self.turns = []
    
    
    def read_on(self):
        world = self.world
        time_slice = world.time_slice
        deadline = time_slice.begin(world.now)
        done = 0
        while self.work:
            self.work -= 1
            done += 1
            world.now += self.piece_length
            if world.now >= deadline:
                break
        
        time_slice.end()
        self.turns.append((world.round, done))
        if self.work:
            time_slice.stand_in_line(self)


class World:
    """A time slice with its loop and its clock."""
    def __init__(self):
        self.now = 100.0
        self.round = 0
        self.loop = Loop()
        self.time_slice = TimeSlice(self.loop, clock = lambda: self.now)
    
    
    def run(self):
        """Runs rounds until nobody stands in line. Returns how much time each took."""
        lengths = []
        while self.loop.timers:
            assert len(self.loop.timers) == 1, 'There is one timer for all.'
            began_at = self.now
            self.round += 1
            self.loop.run_round()
            lengths.append(self.now - began_at)
        
        return lengths


def test__TimeSlice__one():
    """One that has much to do gets a slice in each round, and does all of it."""
    world = World()
    reader = Reader(world, 'a', 1000, SLICE_LENGTH / 10)
    world.time_slice.stand_in_line(reader)
    lengths = world.run()
    
    assert reader.work == 0
    assert max(lengths) <= SLICE_LENGTH * 1.11
    assert len(lengths) <= 101


@pytest.mark.parametrize('count', (2, 16, 256))
def test__TimeSlice__many(count):
    """Many share the slice: a round takes as long as for one, all get their turns, and nobody is forgotten."""
    world = World()
    readers = [Reader(world, index, 40, SLICE_LENGTH / 100) for index in range(count)]
    for reader in readers:
        world.time_slice.stand_in_line(reader)
    
    lengths = world.run()
    assert all(reader.work == 0 for reader in readers)
    assert max(lengths) <= SLICE_LENGTH + TURN_LENGTH_MIN + SLICE_LENGTH / 50
    
    # Nobody has a second turn before everyone had the first.
    first_rounds = [reader.turns[0][0] for reader in readers]
    second_rounds = [reader.turns[1][0] for reader in readers if len(reader.turns) > 1]
    if second_rounds:
        assert max(first_rounds) <= min(second_rounds)


def test__TimeSlice__slow_piece():
    """What takes longer than the slice is done once a round, so others get theirs in between."""
    world = World()
    slow = Reader(world, 'slow', 5, SLICE_LENGTH * 10)
    quick = Reader(world, 'quick', 5, SLICE_LENGTH / 1000)
    world.time_slice.stand_in_line(slow)
    world.time_slice.stand_in_line(quick)
    world.run()
    
    assert slow.work == quick.work == 0
    assert [done for _, done in slow.turns] == [1] * 5
    assert quick.turns[0][0] <= 2


def test__TimeSlice__used_up_by_reads():
    """Reads that are handled at once draw on the same budget: when it is used up the deadline is over at once."""
    world = World()
    time_slice = world.time_slice
    for _ in range(10):
        assert time_slice.begin(world.now) > world.now
        world.now += SLICE_LENGTH / 10 + 1e-9
        time_slice.end()
    
    assert time_slice.begin(world.now) <= world.now
    time_slice.end()
    
    # Who has to wait gets the next round, which has a budget of its own.
    reader = Reader(world, 'a', 1, SLICE_LENGTH / 10)
    time_slice.stand_in_line(reader)
    world.run()
    assert reader.work == 0
    assert time_slice.begin(world.now) > world.now


def test__TimeSlice__leave_line():
    """Who leaves the line gets no turn, whether or not it stands there, and whoever makes it leave."""
    world = World()
    time_slice = world.time_slice
    reader_0 = Reader(world, 0, 1, 0.0)
    reader_2 = Reader(world, 2, 1, 0.0)
    
    class Leaver:
        def read_on(self):
            time_slice.leave_line(reader_2)
    
    time_slice.leave_line(reader_0)
    for reader in (reader_0, Leaver(), reader_2):
        time_slice.stand_in_line(reader)
    
    time_slice.leave_line(reader_0)
    world.run()
    assert reader_0.turns == []
    assert reader_2.turns == []


def test__TimeSlice__one_that_raises():
    """Who raises does not take the others' turns."""
    world = World()
    
    class Raiser:
        def read_on(self):
            raise ZeroDivisionError
    
    reader = Reader(world, 'a', 1, 0.0)
    world.time_slice.stand_in_line(Raiser())
    world.time_slice.stand_in_line(reader)
    with pytest.raises(ZeroDivisionError):
        world.loop.run_round()
    
    world.run()
    assert reader.work == 0


def test__TimeSlice__repr():
    """The representation tells how many wait."""
    world = World()
    world.time_slice.stand_in_line(Reader(world, 'a', 1, 0.0))
    assert repr(world.time_slice) == '<TimeSlice waiting = 1>'


def test__get_time_slice():
    """A loop has one time slice."""
    assert get_time_slice(KOKORO) is get_time_slice(KOKORO)


def test__TimeSlice__rounds_of_the_loop(raw):
    """On hata's loop a further turn comes in a further round: a timer that is due by then runs in between."""
    order = []
    
    class Ticker:
        def __init__(self):
            self.left = 3
        
        
        def read_on(self):
            order.append('turn')
            KOKORO.call_after(0.0, order.append, 'timer')
            self.left -= 1
            if self.left:
                time_slice.stand_in_line(self)
            else:
                KOKORO.call_after(0.0, done.set)
    
    done = Event()
    time_slice = TimeSlice(KOKORO)
    raw.run_on_loop(lambda: time_slice.stand_in_line(Ticker()))
    assert done.wait(raw.TIMEOUT)
    assert order == ['turn', 'timer'] * 3
