"""How often and how soon a resumption is tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

from bridge.errors import ConnectError, RealtimeError, ResumptionRefused, UnsupportedConfig
from bridge.ports.runner_events import Cause
from bridge.ports.session import RealtimeConfig
from bridge.runner.state import PendingResumption

__all__ = ["MAX_ATTEMPTS", "Pending", "delay_after", "delay_before", "worth_retrying"]

MAX_ATTEMPTS = 3
DELAYS = (0.0, 0.2, 0.8)  # seconds before the first, second and third attempt
JITTER = 0.25  # of a delay, so that a fleet does not redial in step
LONGEST_WISH = 1.0  # seconds of the provider's own Retry-After that we honour


@dataclass(frozen=True, slots=True)
class Pending:
    """The one resumption that is to happen: which configuration, when, and for what cause."""

    config: RealtimeConfig
    cause: Cause
    bridge_message: str | None = field(default=None, repr=False)
    respond: bool = False
    attempts: int = 0
    not_before: float = 0.0
    """Seconds; an attempt before this would come too soon."""
    must_by: float = float("inf")
    """Seconds; by then it happens even in the middle of a sentence."""

    @classmethod
    def inherited(cls, unapplied: PendingResumption) -> Self:
        """What an earlier runner of the same conversation was asked for, and has not done."""
        message, attempts = unapplied.bridge_message, unapplied.attempts
        return cls(unapplied.config, Cause.UPDATE, message, attempts=attempts)

    def failed(self, error: RealtimeError, now: float, jitter: Callable[[], float]) -> Pending:
        """This resumption after one more failed attempt."""
        attempts = self.attempts + 1
        not_before = now + delay_after(error, attempts, jitter)
        return replace(self, attempts=attempts, not_before=not_before)


def delay_after(error: RealtimeError, attempts: int, jitter: Callable[[], float]) -> float:
    """Seconds to wait for the next attempt after `attempts` that failed, the last with `error`."""
    if isinstance(error, ResumptionRefused):
        return 0.0  # the next attempt is another one: without the token
    wait = delay_before(attempts, jitter)
    if isinstance(error, ConnectError) and error.retry_after is not None:
        wait = max(wait, min(error.retry_after, LONGEST_WISH))
    return wait


def delay_before(attempt: int, jitter: Callable[[], float]) -> float:
    """Seconds to wait before attempt number `attempt`, from 0; `jitter` gives 0 to 1."""
    return DELAYS[min(attempt, len(DELAYS) - 1)] * (1 + JITTER * jitter())


def worth_retrying(error: RealtimeError, attempts: int) -> bool:
    """Whether another attempt may help, after `attempts` that failed."""
    if isinstance(error, UnsupportedConfig):
        return False
    if isinstance(error, ConnectError) and not error.retryable:
        return False
    return attempts < MAX_ATTEMPTS
