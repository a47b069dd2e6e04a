from __future__ import annotations

from prometheus_client import CollectorRegistry

from bridge.telemetry.flow import Flow, FlowCollector


def test_counts_are_read_when_they_are_scraped() -> None:
    """Adding to an attribute is all that a frame costs, and the next scrape sees it."""
    flow = Flow()
    registry = CollectorRegistry()
    registry.register(FlowCollector({"twilio": flow}))

    def value(name: str, direction: str) -> float | None:
        return registry.get_sample_value(name, {"peer": "twilio", "direction": direction})

    assert value("bridge_frames_total", "in") == 0
    flow.frames_in += 2
    flow.frames_out += 1
    flow.audio_in += 0.04
    flow.audio_out += 0.02
    flow.dropped_in += 0.1
    flow.dropped_out += 0.2

    assert value("bridge_frames_total", "in") == 2
    assert value("bridge_frames_total", "out") == 1
    assert value("bridge_audio_seconds_total", "in") == 0.04
    assert value("bridge_audio_seconds_total", "out") == 0.02
    assert value("bridge_audio_dropped_seconds_total", "in") == 0.1
    assert value("bridge_audio_dropped_seconds_total", "out") == 0.2
