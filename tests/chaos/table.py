"""A run as a line for people."""

from __future__ import annotations

from tests.chaos.oracle import Verdict, percentile
from tests.chaos.records import Recorded
from tests.chaos.scenarios import Scenario

__all__ = ["HEAD", "line"]

HEAD = (
    "scenario         calls faults resumed | silence p50   p95   p99   max ms    n |"
    " lost wrong asked again | others' gap   lag | turns streams webhooks failed | seconds"
)


def line(scenario: Scenario, recorded: Recorded, verdict: Verdict) -> str:
    """One run; silences and gaps in milliseconds."""
    p50, p95, p99, most = (
        round(percentile(verdict.silences, share) * 1000) for share in (0.5, 0.95, 0.99, 1.0)
    )
    gap, lag = round(max(verdict.gaps, default=0.0) * 1000), round(recorded.lag * 1000)
    return (
        f"{scenario.name:<16} {len(recorded.calls):5} {len(recorded.faults):6}"
        f" {verdict.resumptions:7} | {p50:11} {p95:5} {p99:5} {most:5}"
        f" {len(verdict.silences):7} | {len(verdict.lost):4} {len(verdict.wrong):5}"
        f" {verdict.asked:5} {verdict.again:5} | {gap:11} {lag:5} | {verdict.turns:5}"
        f" {verdict.streams:7} {verdict.webhooks:8} {verdict.webhooks_failed:6}"
        f" | {recorded.seconds:7.0f}"
    )
