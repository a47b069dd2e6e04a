"""A picture of what calls cost, as SVG: no library draws a few lines better."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from bridge.bench.figures import Spread
from bridge.bench.rounds import Level

__all__ = ["plot"]

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 60, 170, 30, 50
COLOURS = ("#888888", "#2a9d8f", "#1d4ed8", "#d97706", "#7c3aed", "#be123c", "#0f766e")


def plot(levels: Sequence[Level]) -> str:
    """Milliseconds of CPU time a call and second, over calls at once (logarithmic)."""
    lines = _lines(levels)
    counts = sorted({level.calls for level in levels})
    top = 1.1 * max(spread.most for points in lines.values() for _, spread in points)
    body = [*_axes(counts, top)]
    for number, (name, points) in enumerate(lines.items()):
        places = [(_x(calls, counts), spread) for calls, spread in points]
        body += _line(places, COLOURS[number % len(COLOURS)], top)
        body += _legend(name, COLOURS[number % len(COLOURS)], number)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            *body,
            "</svg>\n",
        ]
    )


def _lines(levels: Sequence[Level]) -> dict[str, list[tuple[int, Spread]]]:
    lines: dict[str, list[tuple[int, Spread]]] = {}
    for level in sorted(levels, key=lambda level: level.calls):
        spread = Spread.of([window.cpu_ms for window in level.windows])
        lines.setdefault(level.subject.name, []).append((level.calls, spread))
    return lines


def _axes(counts: Sequence[int], top: float) -> Iterator[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    yield f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="black"/>'
    for calls in counts:
        x = _x(calls, counts)
        yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{calls}</text>'
    for value in _ticks(top):
        y = _y(value, top)
        yield f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#dddddd"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
    middle = (LEFT + right) / 2
    yield f'<text x="{middle}" y="{HEIGHT - 12}" text-anchor="middle">calls at once</text>'
    yield f'<text x="{LEFT}" y="18">CPU ms a call and second</text>'


def _line(places: Sequence[tuple[float, Spread]], colour: str, top: float) -> Iterator[str]:
    """Medians, and a bar from the least to the most at each of them."""
    path = " ".join(f"{x:.1f},{_y(spread.median, top):.1f}" for x, spread in places)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for x, spread in places:
        least, most = _y(spread.least, top), _y(spread.most, top)
        yield f'<path d="M{x:.1f} {least:.1f}V{most:.1f}" stroke="{colour}"/>'
        middle = _y(spread.median, top)
        yield f'<circle cx="{x:.1f}" cy="{middle:.1f}" r="3" fill="{colour}"/>'


def _legend(name: str, colour: str, number: int) -> Iterator[str]:
    x, y = WIDTH - RIGHT + 16, TOP + 20 * number
    yield f'<rect x="{x}" y="{y}" width="12" height="12" fill="{colour}"/>'
    yield f'<text x="{x + 18}" y="{y + 10}">{escape(name)}</text>'


def _x(calls: int, counts: Sequence[int]) -> float:
    low, high = math.log(counts[0]), math.log(counts[-1])
    share = (math.log(calls) - low) / (high - low) if high > low else 0.5
    return LEFT + 10 + share * (WIDTH - LEFT - RIGHT - 20)


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)


def _ticks(top: float) -> Iterator[float]:
    """Round numbers up to `top`, at most ten of them."""
    step = float(10 ** math.floor(math.log10(top)))
    for finer in (step / 5, step / 2):
        if top / finer <= 10:
            step = finer
            break
    value = 0.0
    while value <= top:
        yield round(value, 6)
        value += step
