"""
The offline agent's voice: sentences put together from recorded phrases.

Rule: pure but for the recordings, which are read once. Of the phrases that were recorded
the longest that fits is taken; numbers are spelt out; a word without a recording is left out.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

__all__ = ["say"]

PROMPTS = Path(__file__).parent / "prompts"
PAUSE = b"\xff" * 1_200  # 150 ms between sentences
LONGEST_PHRASE = 12  # words

_ENDS = ".!?;"
_WORD = re.compile(r"[a-z']+|\d+|[.!?;,*#]")
_KEYS = {"*": ["star"], "#": ["pound"]}
_ONES = tuple(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "  # noqa: SIM905
    "fifteen sixteen seventeen eighteen nineteen".split()
)
_TENS = tuple("twenty thirty forty fifty sixty seventy eighty ninety".split())  # noqa: SIM905


def say(text: str) -> bytes:
    """The text as mu-law at 8 kHz."""
    words = _words(text)
    spoken: list[bytes] = []
    while words:
        size, clip = _longest(words)
        spoken.append(clip)
        del words[:size]
    return b"".join(spoken)


def _longest(words: list[str]) -> tuple[int, bytes]:
    """How many words the longest recording takes, and the recording."""
    if words[0] in _ENDS:
        return 1, PAUSE
    for size in range(min(LONGEST_PHRASE, len(words)), 0, -1):
        last = words[size : size + 1]
        name = "-".join(words[:size])
        clip = (_clip(f"{name}.end") if not last or last[0] in _ENDS else None) or _clip(name)
        if clip is not None:
            return size, clip
    return 1, b""


def _words(text: str) -> list[str]:
    words: list[str] = []
    for word in _WORD.findall(text.lower()):
        if word.isdigit():
            words += _number(word)
        elif word != ",":
            words += _KEYS.get(word, [word.replace("'", "")])
    return words


def _number(digits: str) -> list[str]:
    value = int(digits)
    if value < len(_ONES) and str(value) == digits:
        return [_ONES[value]]
    if value < 100 and str(value) == digits:
        tens = [_TENS[value // 10 - 2]]
        return tens + ([_ONES[value % 10]] if value % 10 else [])
    return [_ONES[int(digit)] for digit in digits]


@cache
def _clip(name: str) -> bytes | None:
    path = PROMPTS / f"{name}.ulaw"
    return path.read_bytes() if path.is_file() else None
