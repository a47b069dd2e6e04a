"""
What the provider's model knows and says: it answers turns by their number.

Rule: pure. What it says follows from what it was told and what it heard, so that a memory
with a hole makes it say the wrong thing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.chaos import codes, words
from tests.chaos.words import Said

__all__ = ["Mind", "Reply"]

SHORT_SECONDS = 0.4  # of a greeting, and of a question


@dataclass(frozen=True, slots=True)
class Reply:
    """`code` is the tone that is heard for so many seconds."""

    text: str
    code: int
    seconds: float

    @property
    def paced(self) -> bool:
        """Every second answer comes as it is spoken, the others in a burst."""
        return self.code % 2 == 1 and self.code > codes.PARDON


@dataclass(slots=True)
class Mind:
    """One session's memory: what it was `told` when it began, and what it `lived`, with times."""

    told: list[Said] = field(default_factory=list)
    lived: list[tuple[float, str, str]] = field(default_factory=list)
    _speaking: bool = False

    @property
    def memory(self) -> list[Said]:
        return [*self.told, *((who, what) for _, who, what in self.lived)]

    def hear(self, understood: tuple[int, int] | None, now: float) -> tuple[str, Reply]:
        """The caller has spoken: the transcript and the answer."""
        self._speaking = False
        if understood is None:
            self.lived.append((now, "user", words.UNCLEAR))
            return words.UNCLEAR, _pardon()
        text = words.turn_words(*understood)
        self.lived.append((now, "user", text))
        return text, _answer(understood[1])

    def asked(self) -> Reply:
        """Somebody wants it to speak: to greet, or to take up the thread."""
        known = words.turns(self.memory)
        if not known:
            return _pardon() if self.memory else Reply("Hello.", codes.GREETING, SHORT_SECONDS)
        last = known[-1]
        if len(last.answer) >= words.ANSWER_WORDS:
            return _pardon()
        return _answer(last.number, first=max(last.answer, default=0) + 1)

    def tell(self, said: Iterable[Said], now: float) -> None:
        """It is told this, before the conversation or within it."""
        if self.lived:
            self.lived += [(now, *each) for each in said]
        else:
            self.told += said

    def says(self, piece: str, now: float) -> None:
        """A piece of an answer, which goes on until it `pauses`."""
        if self._speaking and self.lived:
            at, who, text = self.lived[-1]
            self.lived[-1] = (at, who, text + piece)
        else:
            self.lived.append((now, "agent", piece))
            self._speaking = True

    def pauses(self) -> None:
        """What is said from now on is another answer."""
        self._speaking = False

    def said(self, text: str, now: float) -> None:
        """So much was said of an answer."""
        if text.strip():
            self.lived.append((now, "agent", text.strip()))

    def truncate(self, text: str, heard_ms: float) -> None:
        """Of this text, which was said lately, only so much was heard."""
        heard = text.split()[: round(heard_ms / 1000 / words.WORD_SECONDS)]
        for number in range(len(self.lived) - 1, -1, -1):
            at, who, said = self.lived[number]
            if (who, said) == ("agent", text.strip()):
                self.lived[number] = (at, who, " ".join(heard))
                return


def _answer(turn: int, first: int = 1) -> Reply:
    text = words.answer(turn, first)
    count = max(words.ANSWER_WORDS - first + 1, 0)
    return Reply(text, codes.code_of_turn(turn), count * words.WORD_SECONDS)


def _pardon() -> Reply:
    return Reply("Pardon?", codes.PARDON, SHORT_SECONDS)
