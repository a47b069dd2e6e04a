"""The door to a caller: what a leg tells us, and what it can be told. No carrier's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bridge.audio.formats import AudioFormat
from bridge.errors import Ending

__all__ = [
    "Clear",
    "Digit",
    "Ended",
    "Finish",
    "Hangup",
    "Hear",
    "Heard",
    "Leg",
    "LegCommand",
    "LegEvent",
    "LegListener",
    "Play",
    "Played",
    "Press",
    "Started",
    "Transfer",
    "Verdict",
]


@dataclass(frozen=True, slots=True)
class Started:
    """The caller is there and can hear us."""

    call_id: str
    """The carrier's own id of the call."""
    format: AudioFormat
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the carrier or the one who sent the call passed along."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The caller said this, in the leg's format."""

    audio: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Digit:
    """The caller pressed a key: 0-9, *, # or A-D."""

    digit: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Played:
    """The carrier is past this mark: all audio before it was heard, or was cleared."""

    mark: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event of a leg. `lost`: the connection broke, the caller may still be there."""

    ending: Ending
    lost: bool = False


LegEvent = Started | Heard | Digit | Played | Ended
LegListener = Callable[[LegEvent], None]
Hear = Callable[[bytes], None]
"""Is given what the caller says, in the leg's format."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """Hang up, after the carrier has spoken `words` (None: in silence)."""

    words: str | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """Connect the caller to `target` (E.164 or sip: URI), after the carrier has spoken `words`."""

    target: str = field(repr=False)
    words: str | None = None


Verdict = Hangup | Transfer


@dataclass(slots=True, unsafe_hash=True)  # not frozen, which takes longer to make
class Play:
    """
    Audio for the caller in the leg's format, any length, queued behind what is there.

    With a `mark`, we are told (Played) when all of it has been heard.
    """

    audio: bytes = field(repr=False)
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class Press:
    """Press these keys (0-9, *, #, A-D) for the other end: a machine that asks for them."""

    keys: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Clear:
    """Forget all that is queued. The marks in it come back at once."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Let go of the caller; what becomes of the call is the verdict's."""

    verdict: Verdict


LegCommand = Play | Press | Clear | Finish


class Leg(Protocol):
    """One caller's connection. Neither verb waits."""

    frames_in: int
    """How many pieces of audio came from the caller so far."""

    def attach(self, listener: LegListener, hear: Hear | None = None) -> None:
        """
        Call `listener` with each event, in the loop turn in which it arrives. With `hear` the
        caller's audio goes there, and not to the listener as Heard: fifty times a second no
        event has to be made, handed on and told from others.
        """

    def do(self, command: LegCommand) -> None:
        """Carry out a command; after Ended, quietly nothing."""
