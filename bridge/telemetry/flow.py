"""
Counts of what flows, one frame at a time.

Rule: counting a frame is adding to an attribute; all else happens when it is scraped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

__all__ = ["Flow", "FlowCollector"]


@dataclass(slots=True)
class Flow:
    """
    What came from a peer and went to it. Its adapters add to the attributes themselves.

    To be used from the event loop's thread only.
    """

    frames_in: int = 0
    frames_out: int = 0
    audio_in: float = 0.0
    """Seconds of audio that came."""
    audio_out: float = 0.0
    dropped_in: float = 0.0
    """Seconds of audio that came and were thrown away, because nobody took them in time."""
    dropped_out: float = 0.0


class FlowCollector(Collector):
    """Turns flows into metrics when they are scraped."""

    def __init__(self, flows: Mapping[str, Flow]) -> None:
        self._flows = flows

    def collect(self) -> Iterator[Metric]:
        frames = _family("bridge_frames", "Frames with audio.")
        audio = _family("bridge_audio_seconds", "Seconds of audio.")
        dropped = _family("bridge_audio_dropped_seconds", "Seconds of audio thrown away.")
        for peer, flow in self._flows.items():
            _add(frames, peer, flow.frames_in, flow.frames_out)
            _add(audio, peer, flow.audio_in, flow.audio_out)
            _add(dropped, peer, flow.dropped_in, flow.dropped_out)
        yield from (frames, audio, dropped)


def _family(name: str, meaning: str) -> CounterMetricFamily:
    return CounterMetricFamily(name, meaning, labels=["peer", "direction"])


def _add(family: CounterMetricFamily, peer: str, came: float, went: float) -> None:
    family.add_metric([peer, "in"], came)
    family.add_metric([peer, "out"], went)
