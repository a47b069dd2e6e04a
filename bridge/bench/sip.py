"""
What calls over SIP cost: `bridge serve` between telephones and a provider, all processes of
their own.

Rule: as with media streams, what is counted is the bridge's process alone. How even its
packets are is what the kernel notes where they arrive; how late the load was is told too.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bridge.bench.figures import Spread, percentile
from bridge.bench.orders import Obedient
from bridge.bench.process import pin, usage
from bridge.bench.rounds import RAMP_A_SECOND, Plan, Tell
from bridge.bench.subjects import Running, Subject, free_port, without_settings

__all__ = ["SipLevel", "SipWindow", "lines", "measure_sip"]

PACKETS_A_SECOND = 50


@dataclass(frozen=True, slots=True)
class SipWindow:
    """The figures of one window."""

    cpu_ms: float
    """Of the bridge, for each second of each call."""
    core: float
    """Of one core, 0 to 1."""
    lost_calls: int
    heard: float
    """Of the packets that telephones should have heard, the share that came."""
    behind_ms: tuple[float, float]
    """How much later than its call's promptest a packet came: median and 99th percentile."""
    late_ms: float
    """How late the load itself was: 99th percentile."""


@dataclass(frozen=True, slots=True)
class SipLevel:
    """So many calls at once, in some windows."""

    calls: int
    windows: Sequence[SipWindow]


async def measure_sip(
    plan: Plan, environ: Mapping[str, str], folder: Path, *, tell: Tell
) -> list[SipLevel]:
    """Level by level. Raises as `bridge.bench.rounds.measure` does."""
    clean = without_settings(environ)
    port = free_port()
    python = [sys.executable, "-m"]
    fake_command = [*python, "bridge.bench.fake", "--port", str(port)]
    levels: list[SipLevel] = []
    async with AsyncExitStack() as stack:
        load = Obedient([*python, "bridge.bench.telephones"], clean)
        await stack.enter_async_context(load)
        fake = await stack.enter_async_context(Obedient(fake_command, clean))
        await fake.order("listen", speaks=True)
        if plan.pin:
            pin([load.pid, fake.pid], first=False)
        for calls in plan.levels:
            sip_port = free_port()
            provider = f"http://127.0.0.1:{port}"
            async with Running(_subject(sip_port), provider, clean, folder) as running:
                windows = []
                if plan.pin:
                    pin(running.pids, first=True)
                for number in range(plan.rounds):
                    window = await _window(running, load, sip_port, calls, plan)
                    windows.append(window)
                    tell(
                        f"{calls} calls, round {number + 1}: bridge, SIP takes "
                        f"{window.cpu_ms:.2f} ms a call and second"
                    )
            levels.append(SipLevel(calls, windows))
    return levels


def lines(levels: Sequence[SipLevel]) -> str:
    """The figures as people read them."""
    head = "calls  ms/call-s (least-most)  core  lost  heard  behind p50/p99 ms  load late p99 ms"
    return "\n".join([head, *map(_line, levels)])


def _subject(port: int) -> Subject:
    settings = {
        "BRIDGE_AUDIO": "g711",
        "BRIDGE_SIP_LISTEN": f"udp://127.0.0.1:{port}",
        "BRIDGE_SIP_PEERS": "127.0.0.1/32",
        "BRIDGE_SIP_RTP_PORTS": "16384-31999",
    }
    return Subject("bridge, SIP", settings=tuple(settings.items()))


async def _window(running: Running, load: Obedient, port: int, calls: int, plan: Plan) -> SipWindow:
    placed = await load.order("connect", port=port, calls=calls, over=calls / RAMP_A_SECOND)
    await asyncio.sleep(plan.warm_up)
    await load.order("begin")
    before = usage(running.pids)
    await asyncio.sleep(plan.seconds)
    used = (usage(running.pids) - before).cpu
    report = await load.order("report")
    await load.order("hang_up")
    behind, expected = report["behind_ms"], calls * plan.seconds * PACKETS_A_SECOND
    return SipWindow(
        1000 * used / (calls * plan.seconds),
        used / plan.seconds,
        calls - placed + report["lost"],
        min(report["packets"] / expected, 1.0),
        (percentile(behind, 0.5), percentile(behind, 0.99)),
        percentile(report["late_ms"], 0.99),
    )


def _line(level: SipLevel) -> str:
    cost = Spread.of([window.cpu_ms for window in level.windows])
    core = statistics.median(window.core for window in level.windows)
    heard = min(window.heard for window in level.windows)
    lost = sum(window.lost_calls for window in level.windows)
    middle = statistics.median(window.behind_ms[0] for window in level.windows)
    worst = statistics.median(window.behind_ms[1] for window in level.windows)
    late = statistics.median(window.late_ms for window in level.windows)
    return (
        f"{level.calls:5}  {cost.median:6.2f} ({cost.least:.2f}-{cost.most:.2f})  {core:12.0%}  "
        f"{lost:4}  {heard:5.0%}  {middle:9.1f} / {worst:.1f}  {late:12.1f}"
    )
