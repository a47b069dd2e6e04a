"""The figures of a benchmark as people and programs read them."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

from bridge.bench.figures import Spread, percentile
from bridge.bench.rounds import Level
from bridge.kernel import KERNEL

__all__ = ["TARGETS", "as_json", "machine", "ratios", "table"]

TARGETS = (
    ("bridge, G.711", "plain relay", 0.6),
    ("bridge, PCM16", "plain relay", 0.9),
    ("bridge, G.711", "leanest relay", 1.5),
)
"""What a subject may cost, in terms of another one's cost."""

_LIBRARIES = ("uvicorn", "uvloop", "websockets", "starlette", "numpy")
_HEADS = (
    "ms/call-s (least-most)",
    "core",
    "user",
    "calls/core",
    "in p50/95/99",
    "out p50/95/99",
    "dry",
    "KiB/call",
    "lag p99",
    "waited",
    "stolen",
)
_PERCENTILES = (0.5, 0.95, 0.99)


def machine() -> str:
    """Where the figures come from."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    python = f"Python {platform.python_version()}"
    system = f"{platform.system()} {platform.release()}"
    made = "with" if KERNEL is not None else "without"
    return f"{os.cpu_count()} processors, {system}, {python}, {libraries}, {made} compiled steps"


def table(levels: Sequence[Level]) -> str:
    """All of it: a block for each number of calls, then what the subjects cost beside others."""
    blocks = []
    for calls in sorted({level.calls for level in levels}):
        here = [level for level in levels if level.calls == calls]
        title = f"{calls} call{'s' if calls > 1 else ''}"
        rows = [(title, *_HEADS), *((each.subject.name, *_cells(each)) for each in here)]
        blocks.append("\n".join([*_aligned(rows), *_beside(here), *_notes(here)]))
    return "\n\n".join(blocks)


def ratios(levels: Sequence[Level]) -> Iterator[tuple[str, str, float, Spread]]:
    """What each subject of TARGETS costs, in terms of the other, by rounds."""
    by_name = {level.subject.name: level for level in levels}
    for name, other, target in TARGETS:
        both = [by_name.get(name), by_name.get(other)]
        if all(each is not None and not each.saturated for each in both):
            pairs = zip(by_name[name].windows, by_name[other].windows, strict=True)
            yield name, other, target, Spread.of([ours.cpu_ms / its.cpu_ms for ours, its in pairs])


def as_json(levels: Sequence[Level]) -> str:
    """The same for programs. What is not a number is null."""
    words = {
        "machine": machine(),
        "levels": [_words(level) for level in levels],
        "ratios": [
            {"calls": calls, "subject": name, "beside": other, "target": target, **_spread(found)}
            for calls in sorted({level.calls for level in levels})
            for name, other, target, found in ratios([e for e in levels if e.calls == calls])
        ],
    }
    return json.dumps(words, indent=2)


def _cells(level: Level) -> list[str]:
    windows = level.windows
    cost = Spread.of([window.cpu_ms for window in windows])
    lag = Spread.of([window.lag_p99 for window in windows]).median
    return [
        f"{cost.median:.2f} ({cost.least:.2f}-{cost.most:.2f})",
        f"{Spread.of([window.core for window in windows]).median:.0%}",
        f"{Spread.of([window.user_share for window in windows]).median:.0%}",
        f"{1000 / cost.median:.0f}" if cost.median else "-",
        _delays([window.inward for window in windows]),
        _delays([window.outward for window in windows]),
        str(sum(window.underruns for window in windows)),
        _number(level.bytes_a_call / 1024, ".0f"),
        _number(lag, ".0f"),
        f"{Spread.of([window.waited for window in windows]).median:.0%}",
        f"{Spread.of([window.stolen for window in windows]).median:.1%}",
    ]


def _delays(windows: Sequence[Sequence[float]]) -> str:
    return "/".join(_number(delay, ".2f") for delay in _medians(windows))


def _medians(windows: Sequence[Sequence[float]]) -> list[float]:
    """The percentiles of each window's delays: the median of the windows."""
    return [
        Spread.of([percentile(delays, share) for delays in windows]).median
        for share in _PERCENTILES
    ]


def _beside(levels: Sequence[Level]) -> Iterator[str]:
    for name, other, target, found in ratios(levels):
        verdict = "met" if found.median <= target else "missed"
        yield (
            f"  {name} / {other}: {found.median:.2f} ({found.least:.2f}-{found.most:.2f}), "
            f"target {target:g}: {verdict}"
        )


def _notes(levels: Sequence[Level]) -> Iterator[str]:
    windows = [window for level in levels for window in level.windows]
    late = max((window.late_p99 for window in windows), default=0.0)
    core = max((window.harness_core for window in windows), default=0.0)
    yield f"  the load took {core:.0%} of a core at most, and was {late:.1f} ms late (p99)"
    for level in levels:
        webhook = Spread.of([w.webhook for w in level.windows]).median
        first = Spread.of([w.first_audio for w in level.windows]).median
        told = "" if math.isnan(webhook) else f", webhook answered in {webhook:.1f} ms"
        heard = "" if math.isnan(first) else f", first audio after {first:.0f} ms"
        yield f"  {level.subject.name}: ready in {level.ready_seconds:.2f} s{told}{heard}"
    for level in levels:
        if level.saturated:
            yield f"  {level.subject.name}: could not keep up; what it costs is more than that"
        lost = sum(window.lost_calls for window in level.windows)
        carried = min(window.carried for window in level.windows)
        if lost or carried < 0.99:
            yield f"  {level.subject.name}: {lost} calls lost, {carried:.1%} of the audio in time"


def _words(level: Level) -> dict[str, Any]:
    windows = level.windows
    return {
        "subject": level.subject.name,
        "calls": level.calls,
        "windows": len(windows),
        "cpu_ms_per_call_second": _spread(Spread.of([window.cpu_ms for window in windows])),
        "user_share": _spread(Spread.of([window.user_share for window in windows])),
        "core": _spread(Spread.of([window.core for window in windows])),
        "waited": _spread(Spread.of([window.waited for window in windows])),
        "stolen": _spread(Spread.of([window.stolen for window in windows])),
        "saturated": level.saturated,
        "delay_in_ms": _percentiles([window.inward for window in windows]),
        "delay_out_ms": _percentiles([window.outward for window in windows]),
        "underruns": sum(window.underruns for window in windows),
        "lost_calls": sum(window.lost_calls for window in windows),
        "carried": _spread(Spread.of([window.carried for window in windows])),
        "bytes_per_call": _null(level.bytes_a_call),
        "bytes_with_one_call": level.lonely_rss,
        "loop_lag_p99_ms": _spread(Spread.of([window.lag_p99 for window in windows])),
        "first_audio_ms": _spread(Spread.of([window.first_audio for window in windows])),
        "webhook_ms": _spread(Spread.of([window.webhook for window in windows])),
        "ready_seconds": level.ready_seconds,
        "load_core": _spread(Spread.of([window.harness_core for window in windows])),
        "load_late_p99_ms": _spread(Spread.of([window.late_p99 for window in windows])),
    }


def _percentiles(windows: Sequence[Sequence[float]]) -> dict[str, float | None]:
    named = zip(_PERCENTILES, _medians(windows), strict=True)
    return {f"p{share * 100:.0f}": _null(delay) for share, delay in named}


def _spread(spread: Spread) -> dict[str, float | None]:
    return {
        "median": _null(spread.median),
        "least": _null(spread.least),
        "most": _null(spread.most),
    }


def _null(number: float) -> float | None:
    return round(number, 4) if math.isfinite(number) else None


def _number(number: float, format: str) -> str:
    return "-" if math.isnan(number) else f"{number:{format}}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *cells]).rstrip()
