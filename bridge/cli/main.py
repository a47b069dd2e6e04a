"""
The command line: `bridge serve`, `demo`, `call`, `dial`, `doctor` and `bench`.

Exit codes: 0 well, 1 it ran and failed, 2 it was asked wrongly (one clear line, no traceback).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version

from bridge.errors import ConfigError

__all__ = ["main"]

ASKED_WRONGLY = 2
COMMANDS = ("serve", "demo", "call", "dial", "doctor", "bench")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. The exit code."""
    given = sys.argv[1:] if argv is None else argv
    args = _parser(given).parse_args(given)
    try:
        code: int = args.run(args)
    except ConfigError as exc:
        for problem in str(exc).splitlines():
            print(f"bridge: {problem}", file=sys.stderr)
        return ASKED_WRONGLY
    except KeyboardInterrupt:
        return 130
    return code


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """Knows the command that is given, else all of them: each brings libraries of its own."""
    wanted = [name for name in given[:1] if name in COMMANDS] or COMMANDS
    parser = argparse.ArgumentParser(
        prog="bridge", description="Puts a realtime speech model on the telephone."
    )
    parser.add_argument("--version", action="version", version=version("telephony-bridge"))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in wanted:
        import_module(f"bridge.cli.{name}").add_parser(commands)
    return parser
