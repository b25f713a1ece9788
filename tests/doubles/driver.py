"""
A real driver among doubles: its machine only keeps the inputs, and nothing is connected.
"""
__all__ = ('build_driver',)

from types import SimpleNamespace

from hata_gateway_ext.gateway.driver import SessionDriver
from hata_gateway_ext.protocol.session import Session, SessionMachine

from .reports import RecordingReports


class RecordingMachine(SessionMachine):
    """
    Keeps the inputs in `.inputs`, and stays in the state that a test gave it.
    """
    __slots__ = ('inputs',)
    
    def __new__(cls, session, state):
        self = SessionMachine.__new__(cls, session)
        self.inputs = []
        self.state = state
        return self
    
    
    def receive(self, input_, now, jitter, retry_after = 0.0):
        self.inputs.append(input_)


class RecordingDispatcher:
    """
    Keeps what is dispatched, and takes the sequence over as the real one does.
    """
    def __init__(self, machine):
        self.machine = machine
        self.dispatched = []
        self.on_dispatch = None
        self.replay_filter = 'set'
    
    
    def dispatch(self, name, sequence, data):
        self.dispatched.append((name, sequence, data))
        self.machine.session.sequence = sequence
        if self.on_dispatch is not None:
            self.on_dispatch()
    
    
    def set_replay_filter(self, replay_filter):
        self.replay_filter = replay_filter


class CountingKokoro:
    """
    A heart that counts.
    """
    def __init__(self):
        self.answers = 0
        self.beats = 0
    
    
    def answered(self):
        self.answers += 1
    
    
    def beat_now(self):
        self.beats += 1


def build_driver(state, is_secure = True, sequence = None):
    """
    Builds a driver in a state, with a session if a sequence is given; and with a connection and a heart.
    """
    context = SimpleNamespace(
        configuration = SimpleNamespace(offline_timeout = None),
        discovery = None,
        identify_queue = None,
        reports = RecordingReports(),
    )
    driver = SessionDriver(None, None, 4, context)
    driver.machine = RecordingMachine(Session(None if sequence is None else 'secret session', None, sequence), state)
    driver.kokoro = CountingKokoro()
    driver.connection = SimpleNamespace(dispatcher = RecordingDispatcher(driver.machine), is_secure = is_secure)
    return driver
