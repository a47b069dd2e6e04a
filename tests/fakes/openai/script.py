"""What a fake model does, written down beforehand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Call", "Drop", "Fail", "Hang", "Raise", "Say", "Script", "Stall", "Step"]


@dataclass(frozen=True, slots=True)
class Say:
    """An audio message: `text` as transcript, a tone of `seconds`, or `audio` (PCM16, 24 kHz)."""

    text: str = "Good day, how can I help you?"
    seconds: float = 1.0
    hertz: float = 440.0
    audio: bytes | None = field(default=None, repr=False)
    pace: float = 0.0
    """Seconds between deltas of 100 ms; 0 sends all of them in one burst."""


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; several in one answer are parallel calls."""

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict)
    call_id: str = ""

    @property
    def arguments_json(self) -> str:
        if isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(self.arguments)


@dataclass(frozen=True, slots=True)
class Fail:
    """The response ends as failed."""

    code: str = "rate_limit_exceeded"
    type: str = "invalid_request_error"
    message: str = "Try again."


@dataclass(frozen=True, slots=True)
class Raise:
    """An `error` event, out of the blue."""

    code: str | None
    type: str = "invalid_request_error"
    message: str = "Something is wrong."


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection ends with this close code; 1006 breaks it without a close frame."""

    code: int = 1011
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stall:
    """Half open from here on: nothing is read, nothing sent, no ping answered."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Nothing more comes of this response, unless it is cancelled."""


Step = Say | Call | Fail | Raise | Drop | Stall | Hang


@dataclass(slots=True)
class Script:
    """One session's part. Every field has a default that behaves well."""

    answers: Sequence[Sequence[Step] | Step] = ()
    """What each response does, in order; afterwards each does `otherwise`."""
    otherwise: Sequence[Step] | Step = field(default_factory=Say)
    transcripts: Sequence[str] = ()
    """What the caller is understood to say, turn by turn; afterwards "Hello."."""
    transcription_delay: float = 0.0
    refuse: int | None = None
    """The HTTP status with which the handshake is refused."""
    retry_after: int | None = None
    created_delay: float | None = 0.0
    """Seconds until `session.created`; None: it never comes."""
    updated_delay: float | None = 0.0
    """Seconds until each `session.updated`; None: none comes."""
    refuse_updates: Sequence[Raise | None] = ()
    """For each `session.update` in turn: the error it meets instead."""
    refuse_items: Sequence[Raise | None] = ()
    """The same for each `conversation.item.create`."""
    name_refused: bool = True
    """Whether errors carry the id of the client's event, as they should."""
    expires_in: int = 3_600
    """Seconds until `expires_at` as it is told; whether it happens is `end_after`'s."""
    end_after: float | None = None
    """Seconds until the session expires, with its error and close code 1001."""
    beta_names: bool = False
    """Speak of events by their names of the beta protocol. Those are not validated."""
    omit_call_names: bool = False
    """Leave the name out of `response.function_call_arguments.done`, as some servers do."""
