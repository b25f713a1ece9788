"""
The session machine, the identify queue, the heartbeat clock and the send window of several shards together, driven by
any sequence of server messages, losses, users' wishes and times, on a virtual clock.

``Shards`` checks after each step the rules that hold whatever happens; ``VirtualShard`` checks those of a single shard.
"""
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hata_gateway_ext.protocol.close_codes import CLOSE_CODES, RECOVERY_IDENTIFY, get_recovery
from hata_gateway_ext.protocol.heartbeat import STALL_TOLERANCE
from hata_gateway_ext.protocol.identify import IDENTIFY_INTERVAL, IdentifyLimiter, SESSION_START_WINDOW
from hata_gateway_ext.protocol.rate_limit import SEND_WINDOW, SEND_WINDOW_MARGIN
from hata_gateway_ext.protocol.transitions import (
    INPUT_ABORT, INPUT_BROKEN, INPUT_CLOSE, INPUT_CONNECT_FAILED, INPUT_NEAR, INPUT_OFFLINE, INPUT_RECONNECT,
    INPUT_START, INPUT_SUSPEND, INPUT_TERMINATE, STATE_AWAITING_PERMIT, STATE_CONNECTING, STATE_FAILED,
    STATE_GREETING, STATE_IDENTIFYING, STATE_QUEUED, STATE_READY, STATE_RESUMING, STATE_STOPPED, STATE_WAITING
)

from .virtual_shard import EPSILON, VirtualShard

SHARD_COUNT = 5

BEATING = (STATE_AWAITING_PERMIT, STATE_IDENTIFYING, STATE_RESUMING, STATE_READY)
CONNECTED = (STATE_GREETING, *BEATING)
DOWN = (STATE_STOPPED, STATE_FAILED)

SHARD_IDS = st.integers(0, SHARD_COUNT - 1)
JITTERS = st.floats(0.0, 1.0, exclude_max = True)
INTERVALS = st.sampled_from((0.5, 5.0, 15.0, 41.25))
CODES = st.one_of(
    st.sampled_from((None, 1000, 1001, 1006, 4000, 4999)),
    st.sampled_from([code for code in CLOSE_CODES if get_recovery(code) == RECOVERY_IDENTIFY]),
    st.sampled_from([*CLOSE_CODES]),
)

# Seconds that each state may last: no HELLO in 20 s, no READY in 60 s, no RESUMED in 20 s.
TIMEOUTS = {STATE_CONNECTING: 30.0, STATE_GREETING: 20.0, STATE_IDENTIFYING: 60.0, STATE_RESUMING: 20.0}

# Seconds of silence after a heartbeat.
SILENCE_MAXIMUM = 15.0


class Shards(RuleBasedStateMachine):
    """
    Several shards of one application.
    """
    @initialize(max_concurrency = st.sampled_from((1, 2, 3, 16)), is_up = st.sampled_from((True, True, False)))
    def begin(self, max_concurrency, is_up):
        self.now = 0.0
        self.limiter = IdentifyLimiter(max_concurrency)
        self.identifies = []
        self.allowance = None
        self.allowance_until = 0.0
        self.session_count = 0
        self.shards = [VirtualShard(self, shard_id) for shard_id in range(SHARD_COUNT)]
        for shard in self.shards:
            shard.receive(INPUT_START)
        
        self.advance(0.0)
        if is_up:
            self.run_until_ready()
    
    
    def create_session_id(self):
        self.session_count += 1
        return f'session {self.session_count}'
    
    
    def identified(self, shard_id):
        max_concurrency = self.limiter.max_concurrency
        for other_shard_id, identified_at in self.identifies:
            if self.now - identified_at < IDENTIFY_INTERVAL:
                assert other_shard_id % max_concurrency != shard_id % max_concurrency
        
        self.identifies.append((shard_id, self.now))
        
        if (self.allowance is not None):
            if self.now >= self.allowance_until:
                # A new window began; ours begins with the first look at it, so at least as late.
                self.allowance = self.limiter.total
                self.allowance_until = self.now + SESSION_START_WINDOW
            
            self.allowance -= 1
            assert self.allowance >= 0
    
    
    def advance(self, duration):
        """
        Lets time pass, and does what is due on the way.
        """
        until = self.now + duration
        rounds_without_progress = 0
        
        while True:
            for ticket in self.limiter.grant(self.now):
                ticket.waiter.permit()
            
            for ticket in self.limiter.get_near(self.now):
                ticket.waiter.receive(INPUT_NEAR)
            
            for shard in self.shards:
                self.check_silence(shard)
            
            wake_ups = [shard.get_wake_up_at() for shard in self.shards]
            wake_ups.append(self.limiter.get_wake_up_at(self.now))
            wake_up_at = min((wake_up_at for wake_up_at in wake_ups if wake_up_at is not None), default = None)
            if (wake_up_at is None) or (wake_up_at > until):
                break
            
            rounds_without_progress = 0 if wake_up_at > self.now else rounds_without_progress + 1
            assert rounds_without_progress <= 10 * SHARD_COUNT, 'A timer spins.'
            self.now = max(self.now, wake_up_at)
            
            for shard in self.shards:
                wake_up_at = shard.get_wake_up_at()
                if (wake_up_at is not None) and (wake_up_at <= self.now):
                    shard.wake_up()
        
        self.now = until
    
    
    def check_silence(self, shard):
        """
        A line is never silent for longer than one interval and `min(interval, 15 s)`. If the peer exhausts the whole
        send window by asking for heartbeats, the interval begins when the next one can be sent.
        """
        if (shard.clock is None):
            return
        
        begins_at = max(shard.last_received_at + shard.interval, shard.postponed_until)
        assert self.now <= begins_at + min(shard.interval, SILENCE_MAXIMUM) + STALL_TOLERANCE + EPSILON
    
    # ---- time ----
    
    @rule(duration = st.sampled_from((0.0, 0.01, 0.5, 3.0, 5.0, 21.0, 59.9)))
    def sleep(self, duration):
        self.advance(duration)
    
    
    @rule(duration = st.floats(0.0, 120.0))
    def sleep_long(self, duration):
        self.advance(duration)
    
    # ---- what goes well ----
    
    @rule()
    def cooperate_with_all(self):
        for shard in self.shards:
            shard.cooperate()
        
        self.advance(0.0)
    
    
    @rule(rounds = st.integers(1, 8))
    def bring_up(self, rounds):
        for _ in range(rounds):
            self.cooperate_with_all()
            self.advance(2.0)
    
    
    @rule(shard_id = SHARD_IDS, steps = st.integers(1, 4))
    def cooperate(self, shard_id, steps):
        for _ in range(steps):
            self.shards[shard_id].cooperate()
            self.advance(0.0)
    
    
    @rule(shard_id = SHARD_IDS, amount = st.integers(1, 150))
    def dispatch(self, shard_id, amount):
        shard = self.shards[shard_id]
        if shard.is_in(*CONNECTED):
            for _ in range(amount):
                shard.dispatch()
    
    
    @rule(shard_id = SHARD_IDS)
    def acknowledge(self, shard_id):
        if self.shards[shard_id].is_in(*CONNECTED):
            self.shards[shard_id].acknowledge()
    
    
    @rule(shard_id = SHARD_IDS, amount = st.integers(1, 150))
    def send(self, shard_id, amount):
        shard = self.shards[shard_id]
        if shard.is_open:
            for _ in range(amount):
                shard.send(False)
    
    # ---- what may come at any moment ----
    
    @rule(shard_id = SHARD_IDS, interval = INTERVALS, jitter = JITTERS)
    def hello(self, shard_id, interval, jitter):
        shard = self.shards[shard_id]
        shard.jitter = jitter
        if shard.is_in(*CONNECTED):
            shard.hello(interval)
            self.advance(0.0)
    
    
    @rule(shard_id = SHARD_IDS)
    def ready(self, shard_id):
        if self.shards[shard_id].is_in(*CONNECTED):
            self.shards[shard_id].ready()
    
    
    @rule(shard_id = SHARD_IDS)
    def resumed(self, shard_id):
        if self.shards[shard_id].is_in(*CONNECTED):
            self.shards[shard_id].resumed()
    
    
    @rule(shard_id = SHARD_IDS, amount = st.sampled_from((1, 3, 130)))
    def request_heartbeat(self, shard_id, amount):
        if self.shards[shard_id].is_in(*CONNECTED):
            for _ in range(amount):
                self.shards[shard_id].request_heartbeat()
    
    
    @rule(shard_id = SHARD_IDS, jitter = JITTERS)
    def reconnect(self, shard_id, jitter):
        shard = self.shards[shard_id]
        shard.jitter = jitter
        if shard.is_in(*CONNECTED):
            shard.receive(INPUT_RECONNECT)
    
    
    @rule(shard_id = SHARD_IDS, resumable = st.booleans(), jitter = JITTERS)
    def invalidate(self, shard_id, resumable, jitter):
        shard = self.shards[shard_id]
        shard.jitter = jitter
        if shard.is_in(*CONNECTED):
            shard.invalidate(resumable)
    
    
    @rule(shard_id = SHARD_IDS, code = CODES, jitter = JITTERS)
    def close(self, shard_id, code, jitter):
        shard = self.shards[shard_id]
        shard.jitter = jitter
        if shard.is_in(*CONNECTED):
            shard.close(code)
    
    
    @rule(resumable = st.sampled_from((True, False, None)))
    def invalidate_all(self, resumable):
        """All shards are lost together: their sessions are kept, invalidated, or just cut."""
        for shard in self.shards:
            if shard.is_in(*CONNECTED):
                if resumable is None:
                    shard.close(None)
                else:
                    shard.invalidate(resumable)
    
    
    @rule(shard_id = SHARD_IDS)
    def lose_an_event(self, shard_id):
        """An event is on its way, or received and not handled, when the connection is lost: it has to come again."""
        shard = self.shards[shard_id]
        if shard.is_in(STATE_RESUMING, STATE_READY):
            shard.position += 1
            shard.close(None)
    
    
    @rule(shard_id = SHARD_IDS)
    def send_nonsense(self, shard_id):
        if self.shards[shard_id].is_in(*CONNECTED):
            self.shards[shard_id].receive(INPUT_BROKEN)
    
    
    @rule(shard_id = SHARD_IDS, is_lost = st.booleans(), steps = st.integers(0, 3), jitter = JITTERS)
    def go_silent(self, shard_id, is_lost, steps, jitter):
        """Discord falls silent at any step: whatever is waited for, the shard gives it up at the deadline it named."""
        shard = self.shards[shard_id]
        shard.jitter = jitter
        if is_lost and shard.is_in(*CONNECTED):
            shard.close(None)
            self.advance(max(shard.machine.deadline - self.now, 0.0))
        
        for _ in range(steps):
            shard.cooperate()
        
        self.advance(0.0)
        state = shard.machine.state
        if state in TIMEOUTS:
            failures = shard.machine.backoff.failures
            deadline = shard.machine.deadline
            # It is believed at the second look.
            self.advance(deadline - self.now + STALL_TOLERANCE + EPSILON)
            assert shard.machine.backoff.failures > failures
            assert (not shard.is_in(state)) or (shard.machine.deadline > deadline)
    
    
    @rule(shard_id = SHARD_IDS, retry_after = st.sampled_from((0.0, 0.0, 7.0, 1e9)), jitter = JITTERS)
    def refuse_connection(self, shard_id, retry_after, jitter):
        shard = self.shards[shard_id]
        shard.jitter = jitter
        if shard.is_in(STATE_CONNECTING):
            # The attempt is over without a connection.
            shard.give_up()
            shard.perform(shard.machine.connect_failed(retry_after, self.now, jitter))
    
    
    @rule(shard_id = SHARD_IDS, jitter = JITTERS)
    def outage(self, shard_id, jitter):
        """Nobody can be reached for five minutes."""
        shard = self.shards[shard_id]
        shard.jitter = jitter
        until = self.now + 300.0
        while self.now < until:
            if shard.is_in(*CONNECTED):
                shard.close(None)
            elif shard.is_in(STATE_CONNECTING):
                shard.give_up()
                shard.receive(INPUT_CONNECT_FAILED)
            
            wake_up_at = shard.get_wake_up_at()
            self.advance(until - self.now if wake_up_at is None else min(wake_up_at, until) - self.now)
    
    
    @rule(shard_id = SHARD_IDS, amount = st.integers(1, 100))
    def accept_and_drop(self, shard_id, amount):
        """Discord resumes the shard, and drops it again and again."""
        shard = self.shards[shard_id]
        for _ in range(amount):
            if shard.is_in(STATE_READY):
                shard.close(None)
            
            if shard.is_in(STATE_WAITING):
                self.advance(max(shard.machine.deadline - self.now, 0.0))
            
            for _ in range(3):
                shard.cooperate()
    
    
    @rule(
        total = st.integers(1, 9), remaining = st.integers(0, 5), reset_after = st.sampled_from((0.0, 30.0, 600.0)),
        max_concurrency = st.sampled_from((0, 1, 2, 3, 16)),
    )
    def set_session_start_limit(self, total, remaining, reset_after, max_concurrency):
        self.limiter.set_session_start_limit(total, remaining, self.now + reset_after, max_concurrency)
        self.allowance = remaining
        self.allowance_until = self.now + reset_after
        self.advance(0.0)
    
    # ---- what the user may want at any moment ----
    
    @rule(shard_id = SHARD_IDS, input_ = st.sampled_from((INPUT_CLOSE, INPUT_SUSPEND, INPUT_ABORT, INPUT_OFFLINE)))
    def stop(self, shard_id, input_):
        shard = self.shards[shard_id]
        if input_ == INPUT_CLOSE:
            shard.known_session_id = None
        
        shard.receive(input_)
        if input_ == INPUT_OFFLINE and shard.is_in(*BEATING):
            # Who heard HELLO is not offline.
            return
        
        assert shard.is_in(STATE_STOPPED, STATE_FAILED)
        if input_ == INPUT_CLOSE:
            assert shard.is_in(STATE_STOPPED)
            assert not shard.machine.session.is_resumable()
    
    
    @rule()
    def start(self):
        for shard in self.shards:
            if shard.is_in(*DOWN):
                shard.failed_connects = []
                shard.receive(INPUT_START)
        
        self.advance(0.0)
    
    
    @rule(shard_id = SHARD_IDS)
    def terminate(self, shard_id):
        self.shards[shard_id].receive(INPUT_TERMINATE)
    
    # ---- what always holds ----
    
    @invariant()
    def check_deadlines(self):
        """Whoever waits for the peer, or for the clock, has a deadline or a heartbeat; who does not run has neither."""
        for shard in getattr(self, 'shards', ()):
            machine = shard.machine
            state = machine.state
            
            if state in TIMEOUTS:
                assert self.now <= machine.deadline <= self.now + TIMEOUTS[state]
            elif state == STATE_WAITING:
                assert machine.deadline >= 0.0
            else:
                assert machine.deadline is None
            
            assert (shard.clock is not None) is (state in BEATING)
            assert shard.has_connection is (state == STATE_CONNECTING or state in CONNECTED)
            assert shard.is_open is (state == STATE_READY)
    
    
    @invariant()
    def check_sessions(self):
        """A session is there as long as it lives, and no longer; its sequence is that of the last handled event."""
        for shard in getattr(self, 'shards', ()):
            session = shard.machine.session
            assert session.session_id == shard.known_session_id
            assert session.is_resumable() is (shard.known_session_id is not None)
            if session.is_resumable():
                assert session.sequence == shard.handled
    
    
    @invariant()
    def check_queue(self):
        """In the identify queue stands who will identify, and nobody else; none of them twice."""
        if not hasattr(self, 'shards'):
            return
        
        waiting = [shard for shard in self.shards if shard.ticket is not None]
        assert self.limiter.get_waiting_count() == len(waiting)
        for shard in self.shards:
            if shard.is_in(STATE_QUEUED, STATE_AWAITING_PERMIT):
                assert shard in waiting
            elif not shard.is_in(STATE_CONNECTING, STATE_GREETING):
                assert shard not in waiting
            
            if shard in waiting:
                assert not shard.machine.session.is_resumable()
                assert shard.ticket.ready is shard.is_in(STATE_AWAITING_PERMIT)
    
    
    def teardown(self):
        """Whatever happened: once Discord does what it should, every shard gets ready, and resumes after a loss."""
        if not hasattr(self, 'shards'):
            return
        
        self.limiter.set_session_start_limit(1000, 1000, self.now + SESSION_START_WINDOW, 0)
        self.allowance = None
        self.start()
        self.run_until_ready()
        
        identify_count = len(self.identifies)
        for shard in self.shards:
            shard.close(None)
        
        self.run_until_ready()
        assert len(self.identifies) == identify_count
        
        for shard in self.shards:
            shard.known_session_id = None
            shard.receive(INPUT_CLOSE)
            assert shard.is_in(STATE_STOPPED)
        
        self.advance(1000.0)
        assert all(shard.is_in(STATE_STOPPED) for shard in self.shards)
        assert self.limiter.get_waiting_count() == 0
    
    
    def run_until_ready(self):
        # The longest wait: what a server asked for at most (300 s), and whatever the attempts before have used up.
        give_up_at = self.now + 300.0 + SEND_WINDOW + SEND_WINDOW_MARGIN + sum(shard.connects for shard in self.shards)
        while not all(shard.is_in(STATE_READY) for shard in self.shards):
            assert self.now < give_up_at
            for shard in self.shards:
                shard.cooperate()
            
            self.advance(1.0)


TestShards = Shards.TestCase
TestShards.settings = settings(max_examples = 120, stateful_step_count = 50, deadline = None, database = None)
