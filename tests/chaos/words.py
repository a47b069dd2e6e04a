"""
What is said in numbers, as the bridge sees it: words of transcripts.

Rule: pure. "caller 12 turn 7" is answered "a07.01 a07.02 ... a07.24", a word for each
100 ms of the agent's voice, so that words and time can be compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = [
    "ANSWER_WORDS",
    "UNCLEAR",
    "WORD_SECONDS",
    "Said",
    "Turn",
    "answer",
    "answer_words",
    "read_answer",
    "read_turn",
    "turn_words",
    "turns",
]

ANSWER_WORDS = 24
WORD_SECONDS = 0.1
UNCLEAR = "mumbling"

_TURN = re.compile(r"caller (\d+) turn (\d+)")
_WORD = re.compile(r"a(\d+)\.(\d+)")

Said = tuple[str, str]
"""Who ("user" or "agent"), and the words."""


@dataclass(slots=True)
class Turn:
    """A turn as it is remembered: how often the caller said it, and the words of the answer."""

    caller: int
    number: int
    said: int
    answer: list[int]


def turn_words(caller: int, turn: int) -> str:
    return f"caller {caller} turn {turn}"


def read_turn(words: str) -> tuple[int, int] | None:
    """Caller and turn."""
    found = _TURN.fullmatch(words)
    return None if found is None else (int(found[1]), int(found[2]))


def answer(turn: int, first: int = 1) -> str:
    """The answer to a turn, from its `first` word on."""
    return " ".join(f"a{turn:02}.{number:02}" for number in range(first, ANSWER_WORDS + 1))


def read_answer(words: str) -> tuple[int, list[int]] | None:
    """The turn that is answered, and the numbers of the words; None for anything else."""
    found = _WORD.findall(words)
    if not found:
        return None
    numbers = {int(turn) for turn, _ in found}
    if len(numbers) != 1:
        raise ValueError(f"an answer to several turns: {words}")
    return numbers.pop(), [int(number) for _, number in found]


def answer_words(said: Iterable[Said], turn: int) -> list[int]:
    """All words of the answer to a turn that are remembered, in their order."""
    numbers: list[int] = []
    for who, words in said:
        read = read_answer(words) if who == "agent" else None
        if read is not None and read[0] == turn:
            numbers += read[1]
    return numbers


def turns(said: Sequence[Said]) -> list[Turn]:
    """What is remembered, turn by turn in its order; a turn said again at once is one turn."""
    found: list[Turn] = []
    for who, words in said:
        read = read_turn(words) if who == "user" else None
        answered = read_answer(words) if who == "agent" else None
        if read is not None:
            caller, number = read
            if found and found[-1].number == number:
                found[-1].said += 1
            else:
                found.append(Turn(caller, number, 1, []))
        elif answered is not None:
            number, numbers = answered
            # The rest of an answer may come when the caller has begun the next turn.
            turn = next((each for each in reversed(found) if each.number == number), None)
            if turn is None:
                found.append(Turn(-1, number, 0, numbers))
            else:
                turn.answer += numbers
    return found
