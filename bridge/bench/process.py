"""
What the operating system knows of a process: its time on the processor, its memory.

Linux, proc(5): /proc/PID/stat, /proc/PID/task/TID/schedstat, /proc/PID/status, /proc/stat.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.errors import ConfigError

__all__ = [
    "Usage",
    "pin",
    "read_rss",
    "read_schedstat",
    "read_stat",
    "read_stolen",
    "stolen",
    "usage",
]

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one or several processes: seconds on a processor so far, bytes in memory now."""

    cpu: float
    """Exact where the kernel counts nanoseconds, else `user + system`."""
    user: float
    system: float
    waited: float
    """Ready to run, but others were on the processor."""
    rss: int

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.cpu + other.cpu,
            self.user + other.user,
            self.system + other.system,
            self.waited + other.waited,
            self.rss + other.rss,
        )

    def __sub__(self, other: Usage) -> Usage:
        """What was used since; the memory is today's."""
        user, system = self.user - other.user, self.system - other.system
        waited = self.waited - other.waited
        return Usage(self.cpu - other.cpu, user, system, waited, self.rss)


def usage(pids: Iterable[int], proc: Path = PROC) -> Usage:
    """Of all of them together. ConfigError where there is no /proc or no such process."""
    total = Usage(0.0, 0.0, 0.0, 0.0, 0)
    try:
        for pid in pids:
            total += _usage(proc / str(pid))
    except FileNotFoundError as exc:
        raise ConfigError(f"{exc.filename}: not there; a benchmark needs Linux") from None
    return total


def stolen(proc: Path = PROC) -> float:
    """
    Seconds so far, of all processors, for which a virtual machine wanted to run and its host let
    others run. Nobody in the machine can tell them from time in which it worked.
    """
    return read_stolen((proc / "stat").read_text(), os.sysconf("SC_CLK_TCK"))


def read_stolen(text: str, ticks: int) -> float:
    """The same, from the machine's own `stat`."""
    return int(text.split(maxsplit=9)[8]) / ticks


def read_stat(text: str, ticks: int) -> tuple[float, float]:
    """Seconds in user and in system mode of a process and its threads, from its `stat`."""
    # The name in parentheses may have spaces and parentheses itself.
    fields = text.rpartition(")")[2].split()
    return int(fields[11]) / ticks, int(fields[12]) / ticks


def read_schedstat(text: str) -> tuple[float, float]:
    """Seconds that a thread has run, and that it was ready but had to wait."""
    ran, waited, _ = text.split()
    return int(ran) / 1e9, int(waited) / 1e9


def read_rss(text: str) -> int:
    """Bytes of memory that are resident, from `status`."""
    for line in text.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def _usage(process: Path) -> Usage:
    user, system = read_stat((process / "stat").read_text(), os.sysconf("SC_CLK_TCK"))
    threads = [each / "schedstat" for each in (process / "task").iterdir()]
    exact = [read_schedstat(each.read_text()) for each in threads if each.exists()]
    cpu = sum(ran for ran, _ in exact) or user + system
    rss = read_rss((process / "status").read_text())
    return Usage(cpu, user, system, sum(waited for _, waited in exact), rss)


def pin(pids: Sequence[int], *, first: bool) -> None:
    """Keep processes on the first processor, or on all others, if there are any."""
    processors = sorted(os.sched_getaffinity(0))
    for pid in pids:
        os.sched_setaffinity(pid, processors[:1] if first else processors[1:] or processors)
