"""
A text as it is said: numbers, times and signs in words, and where the voice pauses.

Rule: pure. English only, and no more of it than tools' answers need.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

__all__ = ["Word", "cardinal", "pronounced"]

COMMA_MS, SENTENCE_MS = 120, 280

_SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ("", "", *["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"])
_LARGEST = 1_000_000  # from here on, a number is said digit by digit
_SIGNS = {"%": "percent", "&": "and", "+": "plus", "=": "is", "#": "pound", "*": "star"}
_MONEY = {"$": "dollars", "€": "euros", "£": "pounds"}

_HALF_OF_DAY = re.compile(r"(?<=\d)\s*([ap])\.?m\b\.?", re.IGNORECASE)
_RANGE = re.compile(r"(?<=\d)\s*[-\u2013]\s*(?=\d)")
_PRICE = re.compile(r"([$€£])\s?(\d+(?:[.,]\d+)*)")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}\b)")
_TOKEN = re.compile(
    r"(?P<time>\d{1,2}:\d{2})|(?P<number>\d+(?:\.\d+)?)|(?P<sign>[%&+=#*])"
    r"|(?P<word>[^\W\d_]+(?:['\u2019][^\W\d_]+)*)|(?P<minus>-(?=\d))"
    r"|(?P<stop>[.!?;:](?=\s|$)|\n)|(?P<comma>,)"
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it sounds, and how it was written: "" for all but the first of several."""

    sound: str
    written: str
    pause_ms: int = 0
    """Of silence behind it."""


def pronounced(text: str) -> tuple[Word, ...]:
    """The words of `text` in lower case, without any sign."""
    plain = _GROUPED.sub("", _RANGE.sub(" to ", _HALF_OF_DAY.sub(r" \1 m ", text)))
    plain = _PRICE.sub(lambda price: f"{price[2]} {_MONEY[price[1]]}", plain)
    words: list[Word] = []
    for token in _TOKEN.finditer(plain):
        kind, written = token.lastgroup, token.group()
        if kind in ("stop", "comma"):
            _pause(words, written.strip(), SENTENCE_MS if kind == "stop" else COMMA_MS)
            continue
        for index, sound in enumerate(_sounds(kind, written)):
            words.append(Word(sound, "" if index else written))
    return tuple(words)


def cardinal(number: int) -> str:
    """A number in words; what is too long is read digit by digit."""
    return " ".join(_cardinal(number))


def _pause(words: list[Word], sign: str, pause_ms: int) -> None:
    """Behind the last word; the sign stands where that word was written."""
    if not words:
        return
    words[-1] = replace(words[-1], pause_ms=pause_ms)
    at = max(index for index, word in enumerate(words) if word.written)
    words[at] = replace(words[at], written=words[at].written + sign)


def _sounds(kind: str | None, written: str) -> Iterator[str]:
    match kind:
        case "time":
            yield from _time(*map(int, written.split(":")))
        case "number":
            yield from _number(written)
        case "sign":
            yield _SIGNS[written]
        case "minus":
            yield "minus"
        case _:
            yield written.lower().replace("'", "").replace("\u2019", "")


def _time(hour: int, minute: int) -> Iterator[str]:
    yield from _cardinal(hour)
    if minute == 0:
        yield "oclock"
    else:
        if minute < len(_TENS):
            yield "oh"
        yield from _cardinal(minute)


def _number(written: str) -> Iterator[str]:
    whole, _, fraction = written.partition(".")
    if len(whole) > 1 and whole.startswith("0"):
        yield from _digits(whole)
    else:
        yield from _cardinal(int(whole))
    if fraction:
        yield "point"
        yield from _digits(fraction)


def _cardinal(number: int) -> Iterator[str]:
    if number >= _LARGEST:
        yield from _digits(str(number))
    elif number >= 1000:
        yield from _cardinal(number // 1000)
        yield "thousand"
        if number % 1000:
            yield from _cardinal(number % 1000)
    elif number >= 100:
        yield _SMALL[number // 100]
        yield "hundred"
        if number % 100:
            yield from _cardinal(number % 100)
    elif number >= len(_SMALL):
        yield _TENS[number // 10]
        if number % 10:
            yield _SMALL[number % 10]
    else:
        yield _SMALL[number]


def _digits(digits: str) -> Iterator[str]:
    return (_SMALL[int(digit)] for digit in digits)
