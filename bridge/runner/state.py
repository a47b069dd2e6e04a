"""What a runner is doing, in four words."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.ports.session import RealtimeConfig

__all__ = ["ExecutingTool", "Generating", "Idle", "PendingResumption", "RunnerState"]


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing is under way; a resumption would cut nothing off."""


@dataclass(frozen=True, slots=True)
class Generating:
    """The model is answering, or has been asked to."""


@dataclass(frozen=True, slots=True)
class ExecutingTool:
    """A tool call of the model's has no answer yet."""


@dataclass(frozen=True, slots=True)
class PendingResumption:
    """A new session is to take over, with this configuration, as soon as that cuts nothing off."""

    config: RealtimeConfig
    bridge_message: str | None = field(default=None, repr=False)
    attempts: int = 0


RunnerState = Idle | Generating | ExecutingTool | PendingResumption
