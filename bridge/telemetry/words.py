"""Values of labels, of which there must never be too many."""

from __future__ import annotations

import re

__all__ = ["MAX_WORDS", "OTHER", "Words"]

MAX_WORDS = 100  # for each label
OTHER = "other"

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,63}")
_DIGITS = re.compile(r"\d{5}")  # in a row: an id or a telephone number


class Words:
    """Knows the words that each label has had; for what is no word, or one too many, "other"."""

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {}

    def __call__(self, label: str, word: str) -> str:
        known = self._known.setdefault(label, set())
        if word in known:
            return word
        if len(known) >= MAX_WORDS or not _WORD.fullmatch(word) or _DIGITS.search(word):
            return OTHER
        known.add(str(word))
        return word
