"""Commands as they stand in the files of platforms, read by the program's own parser."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from bridge.cli import serve

__all__ = ["served"]


def served(words: Sequence[str]) -> argparse.Namespace:
    """What `bridge serve …` is told. SystemExit for what it would not take."""
    assert words[0].rpartition("/")[2] == "bridge"
    parser = argparse.ArgumentParser()
    serve.add_parser(parser.add_subparsers(required=True))
    return parser.parse_args(words[1:])
