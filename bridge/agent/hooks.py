"""
What happens in a call, as the author of an agent may hear of it.

Every event is a fact in the past. Words, numbers and digits stay out of `repr`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bridge.errors import ConfigError, Ending
from bridge.ports.conversation import AgentSaid, CallerSaid
from bridge.ports.runner_events import ToolOutcome

__all__ = [
    "AgentSaid",
    "CallEnded",
    "CallStarted",
    "CallerSaid",
    "DigitPressed",
    "Hook",
    "HookEvent",
    "HookName",
    "Hooks",
    "Interrupted",
    "SessionResumed",
    "ToolCalled",
    "Transferred",
]


@dataclass(frozen=True, slots=True)
class CallStarted:
    """The caller is there and the agent is ready."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call is over. The last event of a call."""

    ending: Ending
    seconds: float
    """How long it lasted."""


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """The caller pressed a key: 0-9, *, # or A-D."""

    digit: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The caller spoke over the agent and heard this much of what it was saying."""

    heard_ms: int


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """A tool call is over, `seconds` after it began."""

    name: str
    outcome: ToolOutcome
    seconds: float


@dataclass(frozen=True, slots=True)
class Transferred:
    """The caller is being connected to one of the agent's transfer targets."""

    target_name: str


@dataclass(frozen=True, slots=True)
class SessionResumed:
    """A new session with the model took over, `seconds` after the old one was lost."""

    seconds: float


HookEvent = (
    CallStarted
    | CallEnded
    | CallerSaid
    | AgentSaid
    | DigitPressed
    | Interrupted
    | ToolCalled
    | Transferred
    | SessionResumed
)
Hook = Callable[..., Any]
"""A function, sync or async, of an event and the call's CallContext."""


class HookName(StrEnum):
    """What an agent's author writes in `@agent.on(…)`."""

    CALL_STARTED = "call_started"
    CALL_ENDED = "call_ended"
    CALLER_SAID = "caller_said"
    AGENT_SAID = "agent_said"
    DIGIT = "digit"
    INTERRUPTED = "interrupted"
    TOOL_CALLED = "tool_called"
    TRANSFERRED = "transferred"
    SESSION_RESUMED = "session_resumed"


_EVENTS: Mapping[HookName, type[HookEvent]] = {
    HookName.CALL_STARTED: CallStarted,
    HookName.CALL_ENDED: CallEnded,
    HookName.CALLER_SAID: CallerSaid,
    HookName.AGENT_SAID: AgentSaid,
    HookName.DIGIT: DigitPressed,
    HookName.INTERRUPTED: Interrupted,
    HookName.TOOL_CALLED: ToolCalled,
    HookName.TRANSFERRED: Transferred,
    HookName.SESSION_RESUMED: SessionResumed,
}


class Hooks:
    """An agent's hooks, by the event that they are for."""

    def __init__(self) -> None:
        self._hooks: dict[type[HookEvent], list[Hook]] = {}

    def add(self, name: str, hook: Hook) -> None:
        """Raises ConfigError for an event that does not exist or a hook that cannot take it."""
        if name not in _EVENTS:
            raise ConfigError(f"there is no event {name!r}; there are: {', '.join(_EVENTS)}")
        try:
            inspect.signature(hook).bind(None, None)
        except TypeError:
            called = getattr(hook, "__name__", "hook")
            raise ConfigError(
                f"hook {called!r}: is called with the event and the call, as in "
                f"`async def {called}(event, call)`"
            ) from None
        self._hooks.setdefault(_EVENTS[HookName(name)], []).append(hook)

    def of(self, event: HookEvent) -> tuple[Hook, ...]:
        """The hooks for `event`, in the order in which they were added."""
        return tuple(self._hooks.get(type(event), ()))
