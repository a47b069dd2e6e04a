"""
Sentences that the bridge itself has for a model or for a caller.

Rule: what a model is told is an instruction in English, whatever language it speaks; it
finds its own words. What a caller hears without a model is short and can be replaced.
"""

from __future__ import annotations

__all__ = [
    "APOLOGY",
    "ASK_AGAIN",
    "GOODBYE_SILENCE",
    "GOODBYE_TIME",
    "GO_ON",
    "STILL_THERE",
    "TOO_BUSY",
    "greet",
    "read_say",
    "say",
]

# To a model

GO_ON = (
    "Your last answer was cut off by a fault of the line. Take up the thread where it stopped: "
    "do not greet again and do not repeat what was already said."
)
ASK_AGAIN = (
    "A fault of the line swallowed part of what the caller was just saying. "
    "If something is missing, ask them to say it again."
)
STILL_THERE = "The caller has been silent for a while. Ask briefly whether they are still there."
GOODBYE_SILENCE = "The caller does not answer any more. Say goodbye in one short sentence."
GOODBYE_TIME = (
    "This call has reached its longest duration. Say so kindly and say goodbye in one sentence."
)

_SAY = "Say exactly this and nothing else: "


def say(text: str) -> str:
    """An instruction to speak a text as it is."""
    return f"{_SAY}{text}"


def greet(greeting: str) -> str:
    """An instruction to begin the call with this greeting."""
    return f"The caller has just picked up. {_SAY}{greeting}"


def read_say(instructions: str) -> str | None:
    """The text in an instruction that `say` or `greet` made, None in any other."""
    _, found, text = instructions.partition(_SAY)
    return text if found else None


# To a caller

APOLOGY = "We are sorry, our assistant cannot be reached at the moment."
TOO_BUSY = "We are sorry, all our lines are busy at the moment. Please call again in a few minutes."
