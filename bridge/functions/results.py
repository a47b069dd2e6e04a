"""
What a tool returns, as JSON can say it.

Rule: writing a result down stops where it is too long, for every call of this process
waits meanwhile.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import to_jsonable_python

__all__ = ["MAX_SIZE", "NotJsonError", "plain"]

MAX_SIZE = 16 * 1024  # bytes of UTF-8; more would only crowd the model's context

_MARKER = "\n[cut here: the result is longer than 16 KiB]"

# Writes piece by piece, so that one may stop. NaN is no JSON.
_ENCODER = json.JSONEncoder(default=to_jsonable_python, allow_nan=False, ensure_ascii=False)


class NotJsonError(TypeError):
    """The result has something that JSON has no word for."""


def plain(result: Any) -> Any:
    """
    `result` as null, booleans, numbers, texts, lists and dictionaries.

    Dataclasses, pydantic models, dates and the like become what pydantic makes of them. A
    result of more than `MAX_SIZE` bytes becomes a text that ends in a marker. Raises
    NotJsonError.
    """
    if isinstance(result, str):
        text = _utf8(result[: MAX_SIZE + 1])
        return _cut(text) if len(text) > MAX_SIZE else text.decode()
    try:
        written = _write(result)
    except (RecursionError, TypeError, ValueError) as exc:
        raise NotJsonError(f"returned what JSON cannot say, in a {type(result).__name__}") from exc
    return _cut(written) if len(written) > MAX_SIZE else json.loads(written)


def _write(result: Any) -> bytes:
    """JSON, or at least so much of it that it is too long."""
    written = bytearray()
    for piece in _ENCODER.iterencode(result):
        written += _utf8(piece[: MAX_SIZE + 1])
        if len(written) > MAX_SIZE:
            break
    return bytes(written)


def _utf8(text: str) -> bytes:
    return text.encode(errors="replace")  # half a surrogate pair is no text


def _cut(text: bytes) -> str:
    return text[:MAX_SIZE].decode(errors="ignore") + _MARKER
