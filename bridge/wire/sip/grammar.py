"""
The grammar that SIP's headers share (RFC 3261 section 25): tokens, quoted strings,
parameters, lists. Texts go in and out as they were sent; whatever does not fit is a
SipProtocolError.
"""

from __future__ import annotations

import re

from bridge.wire.sip.faults import Reason, SipProtocolError

__all__ = [
    "Parameters",
    "is_token",
    "number",
    "parameter",
    "quote",
    "read_parameters",
    "split",
    "unquote",
    "write_parameters",
]

Parameters = tuple[tuple[str, str | None], ...]
"""In the order in which they came. Names are lower case, values raw (quotes and all)."""

_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LONGEST_NUMBER = 10  # digits: 2**32 - 1, the largest number that a header holds


def is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


def number(text: str, reason: Reason, largest: int = 2**32 - 1) -> int:
    """A count in plain ASCII digits."""
    if not (text.isascii() and text.isdigit()) or len(text.lstrip("0")) > _LONGEST_NUMBER:
        raise SipProtocolError(reason)
    value = int(text)
    if value > largest:
        raise SipProtocolError(reason)
    return value


def split(text: str, separator: str, reason: Reason) -> list[str]:
    """The trimmed parts between separators that stand in no quotes and no <brackets>."""
    if not any(character in text for character in (separator, '"', "<")):
        return [text.strip()]
    parts: list[str] = []
    start = 0
    quoted = bracketed = escaped = False
    for index, character in enumerate(text):
        if escaped:
            escaped = False
        elif quoted:
            escaped = character == "\\"
            quoted = character != '"'
        elif character == '"':
            quoted = True
        elif character == "<":
            bracketed = True
        elif character == ">":
            bracketed = False
        elif character == separator and not bracketed:
            parts.append(text[start:index].strip())
            start = index + 1
    if quoted or bracketed:
        raise SipProtocolError(reason)
    parts.append(text[start:].strip())
    return parts


def read_parameters(text: str, reason: Reason) -> Parameters:
    """Parameters as `;name=value;flag`, or nothing at all."""
    if not text.strip():
        return ()
    empty, *parts = split(text, ";", reason)
    if empty:
        raise SipProtocolError(reason)
    read: list[tuple[str, str | None]] = []
    for part in parts:
        name, equals, value = part.partition("=")
        name, value = name.strip().lower(), value.strip()
        if not is_token(name) or (equals and not value) or name in dict(read):
            raise SipProtocolError(reason)
        read.append((name, value if equals else None))
    return tuple(read)


def write_parameters(parameters: Parameters) -> str:
    return "".join(
        f";{name}" if value is None else f";{name}={value}" for name, value in parameters
    )


def parameter(parameters: Parameters, name: str) -> str | None:
    """The value; "" for a flag; None if it is not there."""
    for known, value in parameters:
        if known == name:
            return value or ""
    return None


def quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote(text: str) -> str:
    """What a quoted string says; any other text as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return _ESCAPED.sub(r"\1", text[1:-1])
