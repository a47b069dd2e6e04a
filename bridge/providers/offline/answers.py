"""A tool's answer as a sentence that can be said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["aloud", "failed"]

FAILED = "I am sorry. That did not work."
_WRAPPERS = frozenset({"result", "output", "answer"})
_MAX_ITEMS = 10


def aloud(output: Any) -> str:
    """What JSON can say, in words. A mapping with an `error` is an apology."""
    if isinstance(output, str):
        output = _parsed(output)
    if failed(output):
        return FAILED
    if isinstance(output, Mapping) and len(output) == 1 and next(iter(output)) in _WRAPPERS:
        return aloud(next(iter(output.values())))
    said = _said(output)
    return said if said.endswith((".", "!", "?")) else f"{said}."


def failed(output: Any) -> bool:
    """Whether the tool says that it could not answer."""
    return isinstance(output, Mapping) and bool(output.get("error"))


def _parsed(text: str) -> Any:
    """A mapping or a list that was written down as JSON is read; other text is itself."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _said(value: Any) -> str:
    match value:
        case None | "":
            return "Done"
        case bool():
            return "Yes" if value else "No"
        case str():
            return value.strip()
        case Mapping():
            pairs = list(value.items())[:_MAX_ITEMS]
            return ", ".join(f"{str(key).replace('_', ' ')} {_said(item)}" for key, item in pairs)
        case Sequence():
            return ", ".join(_said(item) for item in value[:_MAX_ITEMS]) or "Nothing"
        case _:
            return str(value)
