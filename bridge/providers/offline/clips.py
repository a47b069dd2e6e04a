"""
The recorded phrases of the agent's, by their words.

A file of `prompts/` is one phrase in mu-law of 8 kHz and is called after its words, with
hyphens between them. Where there is a second one with `.end`, the voice falls in it as at
the end of a sentence. A folder of the same kind may replace or extend it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

__all__ = ["Clips", "recorded"]

PROMPTS = Path(__file__).parent / "prompts"
_SUFFIX, _END = ".ulaw", ".end"

Phrase = tuple[str, ...]


class Clips:
    """Phrases that can be said."""

    def __init__(self, phrases: Mapping[Phrase, bytes], endings: Mapping[Phrase, bytes]) -> None:
        self._phrases = phrases
        self._endings = endings
        self._longest = max(map(len, phrases), default=0)

    @classmethod
    def load(cls, folder: Path) -> Clips:
        """Every recording of a folder. Raises OSError."""
        phrases: dict[Phrase, bytes] = {}
        endings: dict[Phrase, bytes] = {}
        for file in folder.glob(f"*{_SUFFIX}"):
            name = file.name.removesuffix(_SUFFIX)
            kind = endings if name.endswith(_END) else phrases
            kind[tuple(name.removesuffix(_END).split("-"))] = file.read_bytes()
        return cls(phrases, endings)

    def longest(self, words: Sequence[str]) -> int:
        """How many words at the beginning of `words` are one phrase; 0: not even the first."""
        for length in range(min(self._longest, len(words)), 0, -1):
            if tuple(words[:length]) in self._phrases:
                return length
        return 0

    def get(self, phrase: Phrase, *, ending: bool) -> bytes:
        """A phrase that `longest` has found, in mu-law."""
        if ending and phrase in self._endings:
            return self._endings[phrase]
        return self._phrases[phrase]


@cache
def recorded() -> Clips:
    """The recordings that come with the package, read once."""
    return Clips.load(PROMPTS)
