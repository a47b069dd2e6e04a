"""What a call's machine is told besides its leg's and its runner's events, and what it asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bridge.errors import Ending, Fault
from bridge.ports.client_events import Message
from bridge.ports.leg import LegCommand, LegEvent, Verdict
from bridge.ports.runner_events import RunnerEvent
from bridge.ports.store import Cut

__all__ = [
    "AskResponse",
    "CallCommand",
    "CallEvent",
    "Finishing",
    "Happened",
    "Interrupt",
    "ModelFailed",
    "ModelReady",
    "Moment",
    "Over",
    "PressAsked",
    "SayAsked",
    "Tell",
    "TimeIsUp",
    "Truncate",
    "Voice",
    "Wish",
]

# Events


@dataclass(frozen=True, slots=True)
class ModelReady:
    """
    A session with the model is there.

    `resumed`: the call has a past on another leg or worker, which was lost while `cut` spoke.
    """

    resumed: bool = False
    cut: Cut = Cut.NOBODY


@dataclass(frozen=True, slots=True)
class ModelFailed:
    """No session with the model can be had; `reason` is one sentence for people."""

    reason: str
    fault: Fault = Fault.PROVIDER


@dataclass(slots=True, unsafe_hash=True)  # not frozen, which takes longer to make
class Voice:
    """A piece of the agent's voice, already in the leg's format."""

    item_id: str
    response_id: str
    audio: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finishing:
    """
    Somebody wants the call to end in `verdict`: the agent, the operator or a worker.

    `after_words`: only after the agent has said its last words and the caller heard them.
    """

    verdict: Verdict
    ending: Ending
    after_words: bool = True


@dataclass(frozen=True, slots=True)
class SayAsked:
    """The agent is to speak, by this instruction."""

    instructions: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PressAsked:
    """The agent is to press keys for the other end."""

    keys: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TimeIsUp:
    """The machine's deadline has passed."""


Wish = Finishing | SayAsked | PressAsked
"""What somebody wants of a call, who is neither of its ends."""

CallEvent = LegEvent | RunnerEvent | ModelReady | ModelFailed | Voice | Wish | TimeIsUp

# Commands


@dataclass(frozen=True, slots=True)
class AskResponse:
    """Ask the model to speak."""

    instructions: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Ask the model to stop speaking."""


@dataclass(frozen=True, slots=True)
class Truncate:
    """Tell the model how much of an item was heard."""

    item_id: str
    heard_ms: int


@dataclass(frozen=True, slots=True)
class Tell:
    """Put a message into the model's conversation."""

    message: Message


class Moment(StrEnum):
    """What a call's timeline tells."""

    ANSWERED = "answered"
    MODEL_READY = "model_ready"
    CALLER_SPEAKS = "caller_speaks"
    CALLER_SILENT = "caller_silent"
    AGENT_SPEAKS = "agent_speaks"
    AGENT_HEARD = "agent_heard"
    INTERRUPTED = "interrupted"
    RESPONSE_FAILED = "response_failed"
    KEYS = "keys"
    PRESSED = "pressed"
    TOOL = "tool"
    TOOL_DONE = "tool_done"
    STILL_THERE = "still_there"
    MODEL_LOST = "model_lost"
    RESUMED = "resumed"
    CLOSING = "closing"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Happened:
    """
    A line of the call's timeline. `detail` holds no word that was said.

    `seconds` measures what the moment is about: from the end of the caller's turn to
    AGENT_SPEAKS, of the agent's voice heard until INTERRUPTED, of a tool's run, of a
    resumption's silence.
    """

    what: Moment
    detail: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Over:
    """The call is over on this worker. `lost`: the caller may come back on another leg."""

    ending: Ending
    verdict: Verdict | None = None
    lost: bool = False
    cut: Cut = Cut.NOBODY
    """Who was speaking when the leg was lost."""


CallCommand = LegCommand | AskResponse | Interrupt | Truncate | Tell | Happened | Over
