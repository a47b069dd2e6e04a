"""
`bridge bench`: what calls cost on this machine, beside plain relays on the same sockets.

Real `bridge serve` processes carry paced calls between a load and a provider that are
processes of their own. Exit codes: 0 well, 1 the bridge lost calls, 2 it was asked for wrongly.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bridge.bench import table
from bridge.bench.orders import OrderFailed
from bridge.bench.plot import plot
from bridge.bench.rounds import Level, Plan, measure
from bridge.bench.sip import lines as sip_lines
from bridge.bench.sip import measure_sip
from bridge.bench.subjects import LEAN, PLAIN, Subject, bridge_subject
from bridge.config import environment
from bridge.errors import ConfigError

__all__ = ["add_parser", "run"]

WELL, FAILED = 0, 1
LEVELS = "1,10,40,100"
MOST_CALLS = 5_000
PATHS = ("both", "g711", "pcm16")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line of `bridge`."""
    parser = subparsers.add_parser("bench", help="what calls cost here", description=__doc__)
    add = parser.add_argument
    add("--calls", metavar="N,N", default=LEVELS, help=f"calls at once ({LEVELS})")
    add("--seconds", type=float, default=5.0, help="length of a window (5)")
    add("--rounds", type=int, default=3, help="windows of each subject (3)")
    add("--warm-up", type=float, default=1.0, help="seconds before a window (1)")
    add("--path", choices=PATHS, default="both", help="what the provider is sent (both)")
    add(
        "--more",
        action="store_true",
        help="also two workers, calls in which the model is silent, and Redis if REDIS_URL is set",
    )
    add("--sip", action="store_true", help="calls over SIP instead, without relays beside them")
    add("--pin", action="store_true", help="the measured on one processor, the load on the others")
    add("--json", metavar="FILE", type=Path, help="write all figures as JSON")
    add("--plot", metavar="FILE", type=Path, help="draw the cost over the calls, as SVG")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry the command out. The exit code. Raises ConfigError."""
    plan = _plan(args)
    environ = environment(Path.cwd())
    if args.sip:
        return _run_sip(args, plan, environ)
    subjects = _subjects(args.path, environ.get("REDIS_URL", ""), more=args.more)
    for file in filter(None, (args.json, args.plot)):
        _writable(file)
    print(table.machine(), flush=True)

    def keep(levels: Sequence[Level]) -> None:
        if args.json is not None:
            args.json.write_text(table.as_json(levels))
        if args.plot is not None:
            args.plot.write_text(plot(levels))

    with tempfile.TemporaryDirectory(prefix="bridge-bench-") as folder:
        try:
            work = measure(subjects, plan, environ, Path(folder), tell=_tell, keep=keep)
            levels = asyncio.run(work)
        except OrderFailed as exc:
            print(f"bridge bench: {exc}", file=sys.stderr)
            return FAILED
    print(f"\n{table.table(levels)}")
    return FAILED if _lost(levels) else WELL


def _run_sip(args: argparse.Namespace, plan: Plan, environ: Mapping[str, str]) -> int:
    if args.json or args.plot or args.more:
        raise ConfigError("--sip has a table only: no --json, --plot or --more")
    print(table.machine(), flush=True)
    with tempfile.TemporaryDirectory(prefix="bridge-bench-") as folder:
        try:
            levels = asyncio.run(measure_sip(plan, environ, Path(folder), tell=_tell))
        except OrderFailed as exc:
            print(f"bridge bench: {exc}", file=sys.stderr)
            return FAILED
    print(f"\n{sip_lines(levels)}")
    lost = any(window.lost_calls for level in levels for window in level.windows)
    return FAILED if lost else WELL


def _plan(args: argparse.Namespace) -> Plan:
    try:
        levels = sorted({int(each) for each in args.calls.split(",")})
    except ValueError:
        raise ConfigError("--calls: numbers separated by commas, such as 1,10,40") from None
    if not 1 <= levels[0] <= levels[-1] <= MOST_CALLS:
        raise ConfigError(f"--calls: from 1 to {MOST_CALLS}")
    if args.seconds < 1 or args.rounds < 1 or args.warm_up < 0:
        raise ConfigError("a window has at least 1 second, and at least one round is needed")
    return Plan(levels, args.rounds, args.seconds, args.warm_up, args.pin)


def _subjects(path: str, redis_url: str, *, more: bool) -> list[Subject]:
    subjects = [PLAIN]
    if path != "pcm16":
        subjects += [LEAN, bridge_subject("bridge, G.711", "g711")]
    if path != "g711":
        subjects.append(bridge_subject("bridge, PCM16", "pcm16"))
    if more:
        audio = "g711" if path != "pcm16" else "pcm16"
        subjects.append(bridge_subject("bridge, two workers", audio, workers=2))
        subjects.append(bridge_subject("bridge, silent model", audio, speaks=False))
        if redis_url:
            subjects.append(bridge_subject("bridge, Redis", audio, redis_url=redis_url))
    return subjects


def _writable(file: Path) -> None:
    try:
        file.open("ab").close()
    except OSError as exc:
        raise ConfigError(f"{file} cannot be written: {exc.strerror}") from None


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _lost(levels: Sequence[Level]) -> bool:
    """Calls of the bridge's. That a relay is overtaxed is no failure of ours."""
    own = [level for level in levels if not level.subject.module]
    return any(window.lost_calls for level in own for window in level.windows)
