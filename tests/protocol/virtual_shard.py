"""
A shard without loop and socket, for the property tests of the session.

``VirtualShard`` does what a shell has to do with the actions of the machine, and nothing else, and keeps what Discord knows
about the shard; what it asserts on the way are rules that hold whatever happens.
"""
__all__ = ('EPSILON', 'VirtualShard')

from hata_gateway_ext.protocol.backoff import ATTEMPT_BUDGET
from hata_gateway_ext.protocol.close_codes import RECOVERY_FATAL, RECOVERY_IDENTIFY, get_recovery
from hata_gateway_ext.protocol.heartbeat import HEARTBEAT_BEAT, HeartbeatClock
from hata_gateway_ext.protocol.rate_limit import SEND_LIMIT, SEND_WINDOW, SendWindow
from hata_gateway_ext.protocol.session import SessionMachine
from hata_gateway_ext.protocol.transitions import (
    ACTION_ABORT, ACTION_CONNECT, ACTION_DROP, ACTION_END, ACTION_END_OFFLINE, ACTION_ENQUEUE, ACTION_HEARTBEAT,
    ACTION_IDENTIFY, ACTION_LEAVE_QUEUE, ACTION_OPEN_SENDS, ACTION_REPORT_NO_CONNECTION, ACTION_REPORT_NO_HELLO,
    ACTION_RESUME, ACTION_SET_READY, INPUT_BROKEN, INPUT_CONNECTED, INPUT_INVALID, INPUT_INVALID_RESUMABLE, INPUT_PERMIT,
    INPUT_READY, INPUT_RESUMED, INPUT_ZOMBIE, STATE_CONNECTING, STATE_GREETING, STATE_IDENTIFYING, STATE_RESUMING
)

# What sums of times may be off by.
EPSILON = 1e-6


class VirtualShard:
    """
    A shard without loop and socket, and what Discord knows about it.
    
    Attributes
    ----------
    connects : `int`
        How many connections were tried so far.
    failed_connects : `list<float>`
        When connections were tried since READY, RESUMED or the user's last wish.
    handled : `None | int`
        The sequence of the last event that a parser was given.
    known_session_id : `None | str`
        The session that the shard may, and has to, resume.
    position : `None | int`
        The sequence of the last event that Discord sent over the current connection.
    """
    def __init__(self, world, shard_id):
        self.world = world
        self.shard_id = shard_id
        self.machine = SessionMachine()
        self.clock = None
        self.connects = 0
        self.failed_connects = []
        self.handled = None
        self.has_permit = False
        self.has_connection = False
        self.interval = 0.0
        self.is_open = False
        self.jitter = 0.0
        self.known_session_id = None
        self.last_received_at = 0.0
        self.position = None
        self.postponed_until = 0.0
        self.sent_at = []
        self.ticket = None
        self.window = None
    
    
    # ---- what a shell does ----
    
    def receive(self, input_):
        self.perform(self.machine.receive(input_, self.world.now, self.jitter))
    
    
    def perform(self, actions):
        for action in actions or ():
            self.ACTIONS[action](self)
    
    
    def connect(self):
        assert not self.has_connection
        assert self.clock is None
        now = self.world.now
        self.has_connection = True
        self.connects += 1
        # 60 attempts, and one for each second that passed: whatever a server or a user does.
        assert self.connects <= ATTEMPT_BUDGET + now + EPSILON
        
        self.failed_connects.append(now)
        # An outage of five minutes costs at most 15 attempts.
        assert sum(1 for connected_at in self.failed_connects if connected_at > now - 300.0) <= 15
        
        self.window = SendWindow()
        self.sent_at = []
    
    
    def give_up(self):
        self.has_connection = False
        self.is_open = False
        self.clock = None
        self.position = None
    
    
    def start_heartbeat(self):
        now = self.world.now
        self.last_received_at = now
        self.postponed_until = 0.0
        self.clock = HeartbeatClock(now, self.interval, self.jitter)
        self.window.set_heartbeat_interval(self.interval)
    
    
    def enqueue(self):
        assert self.ticket is None
        self.ticket = self.world.limiter.enqueue(self.shard_id, self)
    
    
    def leave_queue(self):
        if (self.ticket is not None):
            self.world.limiter.withdraw(self.ticket)
            self.ticket = None
    
    
    def set_ready(self):
        assert self.ticket is not None
        self.world.limiter.set_ready(self.ticket)
    
    
    def permit(self):
        self.ticket = None
        self.has_permit = True
        self.receive(INPUT_PERMIT)
        # A permit is used at once.
        assert not self.has_permit
    
    
    def identify(self):
        assert self.has_permit
        self.has_permit = False
        # A session that lives is resumed.
        assert self.known_session_id is None
        self.world.identified(self.shard_id)
        self.send(True)
    
    
    def resume(self):
        session = self.machine.session
        assert session.session_id is not None
        assert session.session_id == self.known_session_id
        assert session.sequence == self.handled
        # Discord replays what comes after it.
        self.position = session.sequence
        self.send(True)
    
    
    def open_sends(self):
        self.is_open = True
        self.failed_connects = []
    
    
    def send(self, reserved):
        """
        Sends a payload, if the send window permits it.
        """
        now = self.world.now
        if not self.window.take(now, reserved):
            return False
        
        self.sent_at.append(now)
        assert sum(1 for sent_at in self.sent_at if sent_at > now - SEND_WINDOW) <= SEND_LIMIT
        return True
    
    
    def say(self):
        """What is only said, or is about the run."""
    
    
    ACTIONS = {
        ACTION_ABORT: give_up,
        ACTION_CONNECT: connect,
        ACTION_DROP: give_up,
        ACTION_END: give_up,
        ACTION_END_OFFLINE: say,
        ACTION_ENQUEUE: enqueue,
        ACTION_HEARTBEAT: start_heartbeat,
        ACTION_IDENTIFY: identify,
        ACTION_LEAVE_QUEUE: leave_queue,
        ACTION_REPORT_NO_CONNECTION: say,
        ACTION_REPORT_NO_HELLO: say,
        ACTION_OPEN_SENDS: open_sends,
        ACTION_RESUME: resume,
        ACTION_SET_READY: set_ready,
    }
    
    # ---- time ----
    
    def get_wake_up_at(self):
        wake_up_at = self.machine.get_wake_up_at(self.world.now)
        if (self.clock is not None):
            beat_at = self.clock.get_wake_up_at(self.last_received_at)
            if (wake_up_at is None) or (beat_at < wake_up_at):
                wake_up_at = beat_at
        
        return wake_up_at
    
    
    def wake_up(self):
        now = self.world.now
        wake_up_at = self.machine.get_wake_up_at(now)
        if (wake_up_at is not None) and (wake_up_at <= now):
            self.perform(self.machine.wake_up(now, self.jitter, False))
        
        if (self.clock is not None) and (self.clock.get_wake_up_at(self.last_received_at) <= now):
            action = self.clock.check(now, self.last_received_at)
            if action == HEARTBEAT_BEAT:
                if self.send(True):
                    self.clock.beat_sent(now, self.last_received_at, True)
                else:
                    self.postponed_until = self.window.get_next_permit_at(now, True)
                    self.clock.postpone(self.postponed_until)
            
            elif (action is not None):
                self.receive(INPUT_ZOMBIE)
    
    # ---- what Discord does ----
    
    def cooperate(self):
        """
        Discord does what the shard waits for.
        """
        state = self.machine.state
        if state == STATE_CONNECTING:
            self.receive(INPUT_CONNECTED)
        elif state == STATE_GREETING:
            self.hello(41.25)
        elif state == STATE_IDENTIFYING:
            self.ready()
        elif state == STATE_RESUMING:
            self.dispatch()
            self.resumed()
        
        if (self.clock is not None):
            self.acknowledge()
    
    
    def hello(self, interval):
        self.last_received_at = self.world.now
        if self.machine.state == STATE_GREETING:
            self.interval = interval
            self.perform(self.machine.hello(self.world.now, self.jitter))
    
    
    def ready(self):
        self.last_received_at = self.world.now
        if self.machine.state != STATE_IDENTIFYING:
            self.receive(INPUT_BROKEN)
            return
        
        session = self.machine.session
        assert not session.is_resumable()
        session.session_id = self.known_session_id = self.world.create_session_id()
        session.resume_gateway_url = 'wss://gateway-seija.discord.test'
        session.sequence = self.position = self.handled = 1
        self.receive(INPUT_READY)
    
    
    def resumed(self):
        self.last_received_at = self.world.now
        self.receive(INPUT_RESUMED)
    
    
    def dispatch(self):
        """
        An event comes and is handled.
        """
        self.last_received_at = self.world.now
        if self.position is None:
            # Nothing is dispatched on a connection that has no session.
            return
        
        self.position += 1
        # None twice, none left out.
        assert self.position == self.handled + 1
        self.machine.session.sequence = self.handled = self.position
    
    
    def acknowledge(self):
        self.last_received_at = self.world.now
        if (self.clock is not None):
            self.clock.acknowledged(self.world.now)
    
    
    def request_heartbeat(self):
        self.last_received_at = self.world.now
        if (self.clock is not None) and self.send(True):
            self.clock.beat_sent(self.world.now, self.last_received_at, False)
    
    
    def invalidate(self, resumable):
        if (not resumable) or (self.machine.state == STATE_IDENTIFYING):
            self.known_session_id = None
        
        self.receive(INPUT_INVALID_RESUMABLE if resumable else INPUT_INVALID)
    
    
    def close(self, code):
        recovery = get_recovery(code)
        # What is closed before HELLO says nothing about a session.
        if (recovery == RECOVERY_FATAL) or (recovery == RECOVERY_IDENTIFY and self.machine.state != STATE_GREETING):
            self.known_session_id = None
        
        self.perform(self.machine.closed(code, self.world.now, self.jitter))
    
    
    def is_in(self, *states):
        return self.machine.state in states
