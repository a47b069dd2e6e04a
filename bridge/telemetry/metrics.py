"""
What is counted and measured, as Prometheus reads it (text exposition format).

Rule: no label holds an id, a number or a word of a caller's, and no label takes more
than `MAX_WORDS` values. What is counted for each frame is a plain attribute of a `Flow`,
and is looked at only when somebody scrapes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bridge.errors import Ending
from bridge.ports.model import Memory
from bridge.ports.runner_events import Cause, ToolOutcome
from bridge.ports.server_events import Drop
from bridge.ports.store import Left
from bridge.telemetry.flow import Flow, FlowCollector
from bridge.telemetry.words import Words

__all__ = ["Metrics"]

# Buckets in seconds.
_HEARING = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
_WORKING = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_LAGGING = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)
_CLEARING = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)


class Metrics:
    """All metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._words = Words()
        self._flows: dict[str, Flow] = {}
        self._registry.register(FlowCollector(self._flows))
        ProcessCollector(registry=self._registry)
        self._make_calls()
        self._make_agent()
        self._make_provider()
        self._make_process()
        self._make_fleet()
        self._make_rtp()

    def _make_calls(self) -> None:
        self._started = self._counter("calls_started", "Calls taken.", "carrier")
        self._ended = self._counter(
            "calls_ended", "Calls that are over, by whose doing.", "carrier", "fault", "reason"
        )
        self._refused = self._counter("calls_refused", "Calls not taken.", "carrier", "reason")
        self._live = Gauge(
            "bridge_calls_live", "Calls in progress.", ["carrier"], registry=self._registry
        )
        self._bad_frames = self._counter(
            "bad_frames", "Frames that were thrown away.", "peer", "reason"
        )
        self._barge_ins = self._counter("barge_ins", "Times a caller spoke over the agent.")
        self._clearing = self._histogram(
            "barge_in_clear_seconds", "From the caller's voice to the carrier's clear.", _CLEARING
        )
        self._response = self._histogram(
            "response_latency_seconds",
            "From the end of the caller's turn to the agent's first audio at the carrier.",
            _HEARING,
            "provider",
        )

        self._slow = self._counter(
            "slow_answers", "Turns of callers that were answered late or never.", "provider"
        )

    def _make_agent(self) -> None:
        self._tool_calls = self._counter("tool_calls", "Tool calls.", "tool", "outcome")
        self._tool_seconds = self._histogram(
            "tool_seconds", "How long tools ran.", _WORKING, "tool"
        )
        self._hook_errors = self._counter("hook_errors", "Hooks that failed.", "hook")

    def _make_provider(self) -> None:
        self._connects = self._counter(
            "provider_connects", "Sessions asked for.", "provider", "outcome"
        )
        self._connecting = self._histogram(
            "provider_connect_seconds",
            "Until a session was there or refused.",
            _WORKING,
            "provider",
        )
        self._drops = self._counter("provider_drops", "Sessions that ended.", "provider", "cause")
        self._resumptions = self._counter(
            "resumptions",
            "Sessions that took over from another, on the same leg or a new one.",
            "cause",
            "outcome",
        )
        self._silence = self._histogram(
            "resumption_silence_seconds", "How long no session was there.", _HEARING, "cause"
        )

    def _make_process(self) -> None:
        self._lag = self._histogram(
            "event_loop_lag_seconds", "How late the event loop woke a timer.", _LAGGING
        )
        self._store = self._counter(
            "store_operations", "What the store was asked.", "operation", "outcome"
        )
        self._store_seconds = self._histogram(
            "store_seconds", "How long the store took.", _LAGGING, "operation"
        )
        self._journal = self._counter(
            "journal_records", "What became of records in the local journal.", "outcome"
        )

    def _make_rtp(self) -> None:
        self._rtp_packets = self._counter(
            "rtp_packets", "Audio packets of callers.", "carrier", "outcome"
        )
        self._rtp_seconds = self._counter(
            "rtp_mended_seconds", "Audio that was made up or left out.", "carrier", "how"
        )
        self._rtp_jitter = self._histogram(
            "rtp_jitter_seconds", "Jitter of a call's packets, at its end.", _LAGGING, "carrier"
        )

    def _make_fleet(self) -> None:
        self._rescues = self._counter(
            "rescues", "Calls that somebody else lost.", "layer", "outcome"
        )
        self._workers = Gauge(
            "bridge_workers", "Workers, as this one sees them.", ["state"], registry=self._registry
        )

    def flow(self, peer: str) -> Flow:
        """Where a carrier's or provider's adapter counts its frames; always the same one."""
        return self._flows.setdefault(self._words("peer", peer), Flow())

    def calls_may_come(self, carrier: str) -> None:
        """There are no calls yet, and that is a figure too: what scales by it has to see it."""
        self._live.labels(self._words("carrier", carrier))

    def call_started(self, carrier: str) -> None:
        carrier = self._words("carrier", carrier)
        self._started.labels(carrier).inc()
        self._live.labels(carrier).inc()

    def call_ended(self, carrier: str, ending: Ending) -> None:
        carrier = self._words("carrier", carrier)
        self._ended.labels(carrier, ending.fault, self._words("reason", ending.reason)).inc()
        self._live.labels(carrier).dec()

    def call_refused(self, carrier: str, reason: str) -> None:
        self._count(self._refused, carrier=carrier, reason=reason)

    def bad_frame(self, peer: str, reason: str, count: int = 1) -> None:
        words = self._words("peer", peer), self._words("reason", reason)
        self._bad_frames.labels(*words).inc(count)

    def barge_in(self, clear_seconds: float) -> None:
        """`clear_seconds`: from the event that the caller speaks to the clear on the socket."""
        self._barge_ins.inc()
        self._clearing.observe(clear_seconds)

    def responded(self, provider: str, seconds: float) -> None:
        """From the end of the caller's turn to the first audio handed to the carrier."""
        self._response.labels(self._words("provider", provider)).observe(seconds)

    def answered_late(self, provider: str) -> None:
        """A caller waited for too long for an answer, or in vain."""
        self._count(self._slow, provider=provider)

    def tool_called(self, tool: str, outcome: ToolOutcome, seconds: float) -> None:
        """Names of tools that a model made up are counted as "unknown"."""
        name = "unknown" if outcome is ToolOutcome.UNKNOWN_TOOL else tool
        self._count(self._tool_calls, tool=name, outcome=outcome)
        self._tool_seconds.labels(self._words("tool", name)).observe(seconds)

    def hook_failed(self, hook: str) -> None:
        self._count(self._hook_errors, hook=hook)

    def provider_connected(self, provider: str, outcome: str, seconds: float) -> None:
        """`outcome`: connected, refused, timed_out …; `seconds` until then."""
        self._count(self._connects, provider=provider, outcome=outcome)
        self._connecting.labels(self._words("provider", provider)).observe(seconds)

    def provider_dropped(self, provider: str, cause: Drop) -> None:
        self._count(self._drops, provider=provider, cause=cause)

    def resumed(self, cause: Cause | Left, memory: Memory, silence_seconds: float) -> None:
        """
        A new session took over after `silence_seconds`, and remembers so much. `Left`: with a
        new leg, which has waited for it so long.
        """
        self._count(self._resumptions, cause=cause, outcome=memory)
        self._silence.labels(cause).observe(silence_seconds)

    def resumption_failed(self, cause: Cause | Left) -> None:
        """One attempt failed; there may be others."""
        self._count(self._resumptions, cause=cause, outcome="failed")

    def loop_lagged(self, seconds: float) -> None:
        self._lag.observe(seconds)

    def store_used(self, operation: str, outcome: str, seconds: float) -> None:
        self._count(self._store, operation=operation, outcome=outcome)
        self._store_seconds.labels(self._words("operation", operation)).observe(seconds)

    def journal_used(self, outcome: str) -> None:
        """A record was written, failed to be, was recovered or is unreadable. From any thread."""
        self._count(self._journal, outcome=outcome)

    def rtp_came(self, carrier: str, outcome: str, packets: float) -> None:
        """`outcome`: received, or how packets were lost or refused."""
        words = self._words("carrier", carrier), self._words("outcome", outcome)
        self._rtp_packets.labels(*words).inc(packets)

    def rtp_mended(self, carrier: str, how: str, seconds: float) -> None:
        """`how`: concealed (made up), stretched or skipped."""
        words = self._words("carrier", carrier), self._words("how", how)
        self._rtp_seconds.labels(*words).inc(seconds)

    def rtp_jittered(self, carrier: str, seconds: float) -> None:
        self._rtp_jitter.labels(self._words("carrier", carrier)).observe(seconds)

    def rescued(self, layer: str, outcome: str) -> None:
        """A call that nobody carried was looked at; `layer`: by whose alarm."""
        self._count(self._rescues, layer=layer, outcome=outcome)

    def workers_seen(self, alive: int, gone: int) -> None:
        """`gone`: those that died lately."""
        self._workers.labels("alive").set(alive)
        self._workers.labels("gone").set(gone)

    def render(self) -> tuple[bytes, str]:
        """The body of `GET /metrics` and its content type."""
        return generate_latest(_WithoutCreated(self._registry)), CONTENT_TYPE_LATEST

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"bridge_{name}", meaning, labels, registry=self._registry)

    def _histogram(
        self, name: str, meaning: str, buckets: Iterable[float], *labels: str
    ) -> Histogram:
        return Histogram(
            f"bridge_{name}", meaning, labels, buckets=tuple(buckets), registry=self._registry
        )

    def _count(self, counter: Counter, **labels: str) -> None:
        words = {label: self._words(label, word) for label, word in labels.items()}
        counter.labels(**words).inc()


class _WithoutCreated(Collector):
    """A registry without the moment at which each series began, which only doubles the page."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [each for each in metric.samples if not each.name.endswith("_created")]
            yield metric
