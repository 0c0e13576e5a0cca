"""The queueing model of the SQS trigger: how batches fill, how long a delivery waits, and what it can carry.

What was measured here, or is assumed, stands in `Measured`, one figure a line; the rest is arithmetic.
`benchmarks/capacity_check.py` holds it against the local stack.
"""

from dataclasses import dataclass, field
from math import ceil, sqrt

VCPU_MEMORY_MB = 1769
"""Memory at which Lambda gives a whole virtual processor ("Configure Lambda function memory")."""

PAYLOAD_BYTES = 6_000_000
"""The size at which Lambda stops gathering ("Using Lambda with Amazon SQS")."""

REQUEST_EVENTS, REQUEST_BYTES = 100, 1_000_000
"""What one PutAuditEvents request takes."""


@dataclass(frozen=True)
class Measured:
    """CPU in seconds of one whole processor, from the benchmarks beside this file; sizes in bytes."""

    receive_cpu: float = 0.0016
    """A warm invocation of receive: benchmarks/cold_start.py."""
    invocation_cpu: float = 0.002
    """An invocation of forward with next to no events: the same."""
    event_cpu: float = 100e-6
    """An event in forward, its part of the request included: benchmarks/forward.py."""
    cold_start_cpu: float = 0.21
    """Init and first invocation: benchmarks/cold_start.py."""
    record_bytes: int = 1_300
    """What envelope and Lambda's record add to a body in forward's event: 475 and 530, and quotes that are escaped."""
    log_bytes: int = 1_600
    """A webhook's: 600 for receive's two lines, measured; 1,000 for Lambda's own and the access log, estimated."""
    forward_log_bytes: int = 1_000
    """An invocation's of forward: 460 measured, the rest Lambda's own."""
    put_seconds: float = 0.08
    """An answer of PutAuditEvents. Assumed: nobody measured it yet."""
    send_seconds: float = 0.01
    """An answer of SendMessage. Assumed."""


@dataclass(frozen=True)
class Load:
    """What arrives. `body_bytes` is a delivery's body on the queue, `event_bytes` an event in a request."""

    deliveries_per_second: float
    events_per_delivery: float = 1
    body_bytes: int = 2_000
    event_bytes: int = 2_000


@dataclass(frozen=True)
class Trigger:
    """The settings of template.yaml. `pollers` gather batches side by side: Lambda begins with five connections."""

    batch_size: int = 500
    window_seconds: float = 5
    maximum_concurrency: int = 2
    memory_mb: int = 1024
    timeout_seconds: float = 60
    parallel_requests: int = 20
    requests_per_second: float = 100
    pollers: int = 5

    @property
    def processor(self) -> float:
        """The share of a processor; Python uses no more than one."""
        return min(1.0, self.memory_mb / VCPU_MEMORY_MB)

    @property
    def visibility_timeout(self) -> float:
        """The least that Lambda asks for: six timeouts and the window."""
        return 6 * self.timeout_seconds + self.window_seconds


@dataclass(frozen=True)
class Flow:
    """What a load makes of a trigger, in the long run. Times in seconds."""

    load: Load
    trigger: Trigger
    measured: Measured = field(default_factory=Measured)

    @property
    def largest_fill(self) -> float:
        """Deliveries that an invocation takes at most: the batch size, or Lambda's 6 MB."""
        record = self.load.body_bytes + self.measured.record_bytes
        return max(1.0, min(self.trigger.batch_size, PAYLOAD_BYTES // record))

    @property
    def fill(self) -> float:
        """Deliveries an invocation. The first one opens the window, and what comes while it is open joins it.

        Where the forwarders cannot keep up, a backlog fills every batch.
        """
        gathered = 1 + self.load.deliveries_per_second / self.trigger.pollers * self.trigger.window_seconds
        fill = min(self.largest_fill, gathered)
        return fill if self.utilization_at(fill) < 1 else self.largest_fill

    @property
    def events(self) -> float:
        """Events an invocation."""
        return self.fill * self.load.events_per_delivery

    def requests_at(self, fill: float) -> float:
        """Requests that so many deliveries make, on average: full ones, and a last one that seldom is."""
        events = fill * self.load.events_per_delivery
        full = events / min(REQUEST_EVENTS, REQUEST_BYTES // self.load.event_bytes)
        return full if full.is_integer() else max(1.0, full + 0.5)

    @property
    def events_per_request(self) -> float:
        return self.events / self.requests_at(self.fill)

    @property
    def invocations_per_second(self) -> float:
        return self.load.deliveries_per_second / self.fill

    def service_at(self, fill: float) -> float:
        """How long an invocation with so many deliveries takes.

        Its CPU on its share of a processor; then its requests, begun at this forwarder's part of the rate and under way
        together; then the last answer. Of several portions CPU and requests overlap, so this is an upper bound.
        """
        events, requests = fill * self.load.events_per_delivery, self.requests_at(fill)
        cpu = self.measured.invocation_cpu + events * self.measured.event_cpu
        pace = self.trigger.requests_per_second / self.trigger.maximum_concurrency
        rounds = ceil(requests / self.trigger.parallel_requests)
        return cpu / self.trigger.processor + (requests - 1) / pace + rounds * self.measured.put_seconds

    @property
    def service(self) -> float:
        return self.service_at(self.fill)

    def utilization_at(self, fill: float) -> float:
        busy = self.load.deliveries_per_second / fill * self.service_at(fill)
        return busy / self.trigger.maximum_concurrency

    @property
    def utilization(self) -> float:
        """The share of the forwarders' time that the load takes; from 1 on the queue grows."""
        return self.utilization_at(self.fill)

    @property
    def most_events_per_second(self) -> float:
        """What the trigger can deliver with full batches. The rate of requests bounds it within `service_at`."""
        full = self.largest_fill * self.load.events_per_delivery
        return self.trigger.maximum_concurrency * full / self.service_at(self.largest_fill)

    @property
    def gather(self) -> float:
        """How long a batch is gathered: until the window ends or it is full."""
        if self.utilization >= 1:
            return 0.0
        per_poller = self.load.deliveries_per_second / self.trigger.pollers
        return min(self.trigger.window_seconds, (self.largest_fill - 1) / per_poller)

    @property
    def mean_gather(self) -> float:
        """How long a delivery waits in its batch: the first one all the time, the others half of it on average."""
        return self.gather * (self.fill + 1) / (2 * self.fill)

    @property
    def queueing(self) -> float:
        """The mean wait for a free forwarder: an M/M/c queue after Sakasegawa, halved, as service varies little."""
        load, servers = self.utilization, self.trigger.maximum_concurrency
        if load >= 1:
            return float("inf")
        waiting: float = load ** (sqrt(2 * (servers + 1)) - 1) / (servers * (1 - load)) / 2
        return waiting * self.service

    @property
    def receive(self) -> float:
        """From POST to 2xx, warm, without API Gateway's own time and the network."""
        return self.measured.receive_cpu / self.trigger.processor + self.measured.send_seconds

    @property
    def mean_latency(self) -> float:
        """From POST until CloudTrail has the event. What CloudTrail takes to make it queryable comes on top."""
        return self.receive + self.mean_gather + self.queueing + self.service

    @property
    def receive_concurrency(self) -> float:
        return self.load.deliveries_per_second * self.receive
