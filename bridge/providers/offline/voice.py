"""
What a text sounds like: recorded phrases, the longest first, one behind another.

Rule: pure, but for what it remembers. Words without a recording are those that `missing`
names; whoever has a synthesiser may `learn` them. Without one they are left out, and the
transcript leaves them out too.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from bridge.audio.formats import ULAW_8K, AudioFormat
from bridge.audio.transcode import transcoder
from bridge.providers.offline.clips import Clips
from bridge.providers.offline.wording import Word, pronounced

__all__ = ["Piece", "Vocabulary", "Voice"]

MAX_LEARNT = 500  # phrases: about 4 MB
_TAIL_MS = 5  # more than a resampler holds back


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words and their sound."""

    text: str = field(repr=False)
    audio: bytes = field(repr=False)


class Vocabulary:
    """Recorded phrases, and those that were learnt since; sessions may share one."""

    def __init__(self, clips: Clips) -> None:
        self.clips = clips
        self._learnt: OrderedDict[str, bytes] = OrderedDict()

    def learn(self, phrase: str, audio: bytes) -> None:
        """How `phrase` sounds, in mu-law of 8 kHz; empty: it cannot be said."""
        self._learnt[phrase] = audio
        while len(self._learnt) > MAX_LEARNT:
            self._learnt.popitem(last=False)

    def learnt(self, phrase: str) -> bytes | None:
        return self._learnt.get(phrase)


class Voice:
    """Speaks in `format`."""

    def __init__(self, vocabulary: Vocabulary, format: AudioFormat) -> None:
        self._vocabulary = vocabulary
        self._transcoder = transcoder(ULAW_8K, format)
        self.format = format

    def missing(self, text: str) -> tuple[str, ...]:
        """The phrases of `text` that have no sound yet."""
        phrases = (_sounds(words) for words, known in self._parts(text) if not known)
        return tuple(p for p in phrases if self._vocabulary.learnt(p) is None)

    def knows(self, text: str) -> bool:
        """Whether most words of `text` are recorded."""
        parts = self._parts(text)
        known = sum(len(words) for words, recorded in parts if recorded)
        return 2 * known > sum(len(words) for words, _ in parts)

    def say(self, text: str) -> tuple[Piece, ...]:
        """The sound of `text`, phrase by phrase."""
        self._transcoder.reset()
        said = list(self._said(text))
        pieces = [Piece(words, self._transcoder.feed(audio)) for words, audio in said]
        if pieces and self.format != ULAW_8K:
            tail = self._transcoder.feed(_silence(_TAIL_MS))
            pieces[-1] = Piece(pieces[-1].text, pieces[-1].audio + tail)
        return tuple(pieces)

    def _said(self, text: str) -> Iterator[tuple[str, bytes]]:
        begun = False
        for words, known in self._parts(text):
            audio = self._sound(words, known)
            if not audio:
                continue
            written = " ".join(word.written for word in words if word.written)
            yield (f" {written}" if begun and written else written), audio
            begun = True

    def _sound(self, words: tuple[Word, ...], known: bool) -> bytes:
        pause = words[-1].pause_ms
        if known:
            phrase = tuple(word.sound for word in words)
            audio = self._vocabulary.clips.get(phrase, ending=bool(pause))
        else:
            audio = self._vocabulary.learnt(_sounds(words)) or b""
        return audio + _silence(pause) if audio else b""

    def _parts(self, text: str) -> list[tuple[tuple[Word, ...], bool]]:
        """The text in phrases that are recorded, and runs of words that are not."""
        words = pronounced(text)
        parts: list[tuple[tuple[Word, ...], bool]] = []
        unknown: list[Word] = []
        start = 0
        while start < len(words):
            length = self._vocabulary.clips.longest([word.sound for word in words[start:]])
            if length:
                if unknown:
                    parts.append((tuple(unknown), False))
                    unknown = []
                parts.append((words[start : start + length], True))
            else:
                unknown.append(words[start])
            start += length or 1
        if unknown:
            parts.append((tuple(unknown), False))
        return parts


def _sounds(words: tuple[Word, ...]) -> str:
    return " ".join(word.sound for word in words)


def _silence(duration_ms: int) -> bytes:
    return ULAW_8K.silent(ULAW_8K.size(duration_ms))
