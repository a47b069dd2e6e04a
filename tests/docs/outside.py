"""Commands of the documents that need more than this machine, each with the reason."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["OUTSIDE"]

OUTSIDE: Mapping[str, str] = {
    "make demo": "CI runs it: it makes a virtual environment and installs into it",
    "make test": "CI runs it: it is this test run",
    ". .venv/bin/activate": "needs the virtual environment that make demo makes",
    "bridge doctor": "asks a provider and Twilio, with a real account",
}
"""Whole commands, as they stand."""
