"""
The command line: `bridge serve`, `demo`, `call` and `doctor`.

Exit codes: 0 well, 1 it ran and failed, 2 it was asked wrongly (one clear line, no traceback).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

from bridge.cli import call, demo, doctor, serve
from bridge.errors import ConfigError

__all__ = ["main"]

ASKED_WRONGLY = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. The exit code."""
    args = _parser().parse_args(argv)
    try:
        code: int = args.run(args)
    except ConfigError as exc:
        for problem in str(exc).splitlines():
            print(f"bridge: {problem}", file=sys.stderr)
        return ASKED_WRONGLY
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bridge", description="Puts a realtime speech model on the telephone."
    )
    parser.add_argument("--version", action="version", version=version("telephony-bridge"))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (serve, demo, call, doctor):
        command.add_parser(commands)
    return parser
