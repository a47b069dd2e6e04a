"""
The model's voice as OpenAI usually writes it, read without a JSON parser.

Rule: what is read here is exactly what the parser would have read. Another order of the
fields, another field or anything escaped is no mistake: it is left to the parser.
"""

from __future__ import annotations

import binascii
import functools
import re

from bridge.kernel import compiled

__all__ = ["Fields", "read_voice"]

_TEXT = r'"([^"\\\x00-\x1f]*)"'
_NUMBER = "(0|[1-9][0-9]{0,8})"
_FIELDS = {
    "event_id": _TEXT,
    "response_id": _TEXT,
    "item_id": _TEXT,
    "output_index": _NUMBER,
    "content_index": _NUMBER,
}
_END = '"}'


Fields = tuple[str, bytes, str, int, int, str]
"""Those of an AudioDelta: item, audio, response, output, content, event."""


def _read_voice_here(message: str, kinds: tuple[str, ...]) -> Fields | None:
    """`read_voice` in Python."""
    head = _head(kinds).match(message)
    if head is None or not message.endswith(_END):
        return None
    try:
        # Strict, so that what is decoded cannot hold a quotation mark either.
        audio = binascii.a2b_base64(message[head.end() : -len(_END)], strict_mode=True)
    except ValueError:
        return None
    event_id, response_id, item_id, output, content = head.groups()
    return item_id, audio, response_id, int(output), int(content), event_id


@functools.cache
def _head(kinds: tuple[str, ...]) -> re.Pattern[str]:
    """All before the base64, with single spaces or without."""
    names = "|".join(map(re.escape, kinds))
    fields = [f'"{name}": ?{value}' for name, value in _FIELDS.items()]
    return re.compile(", ?".join([rf'\{{"type": ?"(?:{names})"', *fields, '"delta": ?"']))


read_voice = compiled("read_voice", _read_voice_here)
"""The fields of a delta that is called one of the kinds; None for whatever else it is."""
