from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from bridge.errors import Ending, Fault
from bridge.ports.model import Memory
from bridge.ports.runner_events import Cause, ToolOutcome
from bridge.ports.server_events import Drop
from bridge.telemetry.metrics import Metrics


class Page:
    """A page as Prometheus would read it."""

    def __init__(self, metrics: Metrics) -> None:
        body, _ = metrics.render()
        self._samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(body.decode())
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float | None:
        return self._samples.get((name, frozenset(labels.items())))


def test_a_call() -> None:
    """A call is started, live and ended, by whose doing and why."""
    metrics = Metrics()
    metrics.call_started("twilio")
    metrics.call_started("twilio")
    metrics.call_ended("twilio", Ending(Fault.CALLER, "hung_up", "The caller hung up."))
    metrics.call_refused("twilio", "full")

    page = Page(metrics)

    assert page("bridge_calls_started_total", carrier="twilio") == 2
    assert page("bridge_calls_live", carrier="twilio") == 1
    assert page("bridge_calls_ended_total", carrier="twilio", fault="caller", reason="hung_up") == 1
    assert page("bridge_calls_refused_total", carrier="twilio", reason="full") == 1


def test_no_call_is_a_figure_too() -> None:
    """What scales by the calls in progress needs the series before the first of them."""
    metrics = Metrics()
    before = Page(metrics)("bridge_calls_live", carrier="twilio")
    metrics.calls_may_come("twilio")

    assert before is None
    assert Page(metrics)("bridge_calls_live", carrier="twilio") == 0


def test_audio() -> None:
    """What flows is counted by peer and direction, and what was bad or interrupted."""
    metrics = Metrics()
    metrics.flow("twilio").frames_in += 1
    metrics.flow("twilio").frames_in += 1
    metrics.flow("openai").dropped_in += 0.5
    metrics.bad_frame("twilio", "not_json")
    metrics.barge_in(0.004)
    metrics.responded("openai", 0.4)

    page = Page(metrics)

    assert page("bridge_frames_total", peer="twilio", direction="in") == 2
    assert page("bridge_audio_dropped_seconds_total", peer="openai", direction="in") == 0.5
    assert page("bridge_bad_frames_total", peer="twilio", reason="not_json") == 1
    assert page("bridge_barge_ins_total") == 1
    assert page("bridge_barge_in_clear_seconds_bucket", le="0.005") == 1
    assert page("bridge_barge_in_clear_seconds_bucket", le="0.002") == 0
    assert page("bridge_response_latency_seconds_bucket", provider="openai", le="0.5") == 1
    assert page("bridge_response_latency_seconds_bucket", provider="openai", le="0.3") == 0


def test_an_agent() -> None:
    """Tools are counted by outcome and timed; names that a model made up share one."""
    metrics = Metrics()
    metrics.tool_called("hours", ToolOutcome.ANSWERED, 0.2)
    metrics.tool_called("hours", ToolOutcome.TIMED_OUT, 8.0)
    metrics.tool_called("made_up", ToolOutcome.UNKNOWN_TOOL, 0.0)
    metrics.hook_failed("note_it")

    page = Page(metrics)

    assert page("bridge_tool_calls_total", tool="hours", outcome="answered") == 1
    assert page("bridge_tool_calls_total", tool="hours", outcome="timed_out") == 1
    assert page("bridge_tool_calls_total", tool="unknown", outcome="unknown_tool") == 1
    assert page("bridge_tool_seconds_sum", tool="hours") == 8.2
    assert page("bridge_hook_errors_total", hook="note_it") == 1


def test_a_provider() -> None:
    """Sessions are counted as they come, go and are taken over, with the silence between."""
    metrics = Metrics()
    metrics.provider_connected("openai", "connected", 0.3)
    metrics.provider_connected("openai", "timed_out", 5.0)
    metrics.provider_dropped("openai", Drop.LOST)
    metrics.resumption_failed(Cause.DROP)
    metrics.resumed(Cause.DROP, Memory.REPLAYED, 0.45)

    page = Page(metrics)

    assert page("bridge_provider_connects_total", provider="openai", outcome="connected") == 1
    assert page("bridge_provider_connects_total", provider="openai", outcome="timed_out") == 1
    assert page("bridge_provider_connect_seconds_count", provider="openai") == 2
    assert page("bridge_provider_drops_total", provider="openai", cause="lost") == 1
    assert page("bridge_resumptions_total", cause="drop", outcome="failed") == 1
    assert page("bridge_resumptions_total", cause="drop", outcome="replayed") == 1
    assert page("bridge_resumption_silence_seconds_sum", cause="drop") == 0.45


def test_a_process() -> None:
    """The event loop's lag and the store are measured, and the process itself."""
    metrics = Metrics()
    metrics.loop_lagged(0.015)
    metrics.store_used("save", "done", 0.002)
    metrics.journal_used("written")

    page = Page(metrics)

    assert page("bridge_event_loop_lag_seconds_bucket", le="0.02") == 1
    assert page("bridge_store_operations_total", operation="save", outcome="done") == 1
    assert page("bridge_store_seconds_count", operation="save") == 1
    assert page("bridge_journal_records_total", outcome="written") == 1
    assert page("process_resident_memory_bytes")


def test_packets_and_what_was_made_of_them() -> None:
    """How callers' audio came over RTP."""
    metrics = Metrics()
    metrics.rtp_came("sip", "lost", 3)
    metrics.rtp_mended("sip", "concealed", 0.06)
    metrics.rtp_jittered("sip", 0.004)

    page = Page(metrics)

    assert page("bridge_rtp_packets_total", carrier="sip", outcome="lost") == 3
    assert page("bridge_rtp_mended_seconds_total", carrier="sip", how="concealed") == 0.06
    assert page("bridge_rtp_jitter_seconds_bucket", carrier="sip", le="0.005") == 1


def test_workers_and_what_they_lost() -> None:
    """How many live, how many died, and what became of their calls."""
    metrics = Metrics()
    metrics.workers_seen(alive=3, gone=1)
    metrics.workers_seen(alive=2, gone=0)
    metrics.rescued("reaper", "redirected")

    page = Page(metrics)

    assert page("bridge_workers", state="alive") == 2
    assert page("bridge_workers", state="gone") == 0
    assert page("bridge_rescues_total", layer="reaper", outcome="redirected") == 1


def test_the_page() -> None:
    """It is the text format, with our names, and without the moments of creation."""
    body, kind = Metrics().render()

    assert kind.startswith("text/plain; version=")
    assert b"_created" not in body
    families = {family.name for family in text_string_to_metric_families(body.decode())}
    assert all(name.startswith(("bridge_", "process_")) for name in families)


def test_nothing_is_shared() -> None:
    """Two of them in one process do not know each other."""
    first, second = Metrics(), Metrics()
    first.call_started("twilio")

    assert Page(first)("bridge_calls_started_total", carrier="twilio") == 1
    assert Page(second)("bridge_calls_started_total", carrier="twilio") is None


def test_labels_hold_no_ids() -> None:
    """What somebody else made up stays out of the labels."""
    metrics = Metrics()
    metrics.bad_frame("twilio", "CA0123456789abcdef")
    metrics.tool_called("+14155550100", ToolOutcome.ANSWERED, 0.1)

    body, _ = metrics.render()

    assert b"0123456789" not in body
    assert b"4155550100" not in body
    assert Page(metrics)("bridge_bad_frames_total", peer="twilio", reason="other") == 1
