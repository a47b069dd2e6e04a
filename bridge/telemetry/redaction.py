"""
The last net: what must not be in a log, taken out of a finished line.

Nothing here is a reason to log a number or a key; it is there for the day when somebody
does, and for the texts of other people's exceptions.
"""

from __future__ import annotations

import re

__all__ = ["redact"]

_RULES = (
    # E.164, plain or as people write it: +14155550100, +1 (415) 555-0100, %2B14155550100.
    (re.compile(r"(?:\+|%2B)\d(?:[ ().-]{0,2}\d){6,14}", re.IGNORECASE), "[number]"),
    (re.compile(r"(?<![\w/])(sips?:|tel:)[^\s@<>\"']+", re.IGNORECASE), r"\1[number]"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE), r"\1 [secret]"),
    (re.compile(r"\b(?:sk|ek)[-_][\w-]{8,}"), "[secret]"),
    (re.compile(r"\bAIza[\w-]{10,}"), "[secret]"),
    (
        re.compile(r"([?&](?:api[-_]?key|key|(?:access[-_]?)?token)=)[^&\s\"']+", re.IGNORECASE),
        r"\1[secret]",
    ),
    (re.compile(r"(://)[^\s/@]+@"), r"\1[secret]@"),
)


def redact(text: str) -> str:
    """`text` without telephone numbers, SIP users, keys, bearer tokens and URLs' passwords."""
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text
