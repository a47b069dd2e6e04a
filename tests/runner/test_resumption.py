"""How often and how soon a resumption is tried. Times are seconds."""

from __future__ import annotations

import pytest

from bridge.errors import (
    AuthError,
    ConnectError,
    RealtimeError,
    ResumptionRefused,
    SessionClosed,
    UnsupportedConfig,
)
from bridge.ports.runner_events import Cause
from bridge.ports.session import RealtimeConfig
from bridge.runner.resumption import Pending, delay_after, delay_before, worth_retrying


def no_jitter() -> float:
    return 0.0


def test_delays_grow_and_then_stay() -> None:
    """None before the first attempt."""
    assert [delay_before(attempt, no_jitter) for attempt in range(4)] == [0.0, 0.2, 0.8, 0.8]


def test_jitter_makes_a_delay_longer_by_up_to_a_quarter() -> None:
    """A fleet does not redial in step."""
    assert delay_before(2, lambda: 1.0) == 1.0
    assert delay_before(0, lambda: 1.0) == 0.0


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (ConnectError("busy"), 0.2),
        (ConnectError("busy", retry_after=0.1), 0.2),
        (ConnectError("busy", retry_after=0.6), 0.6),
        (ConnectError("busy", retry_after=30.0), 1.0),
        (ResumptionRefused("old"), 0.0),
        (SessionClosed("gone"), 0.2),
    ],
)
def test_the_providers_wish_counts_for_a_second_at_most(
    error: RealtimeError, seconds: float
) -> None:
    """A refused token needs no pause: the next attempt is another one."""
    assert delay_after(error, 1, no_jitter) == seconds


@pytest.mark.parametrize(
    ("error", "worth"),
    [
        (ConnectError("busy"), True),
        (ResumptionRefused("old"), True),
        (SessionClosed("gone"), True),
        (ConnectError("no", retryable=False), False),
        (AuthError("key"), False),
        (UnsupportedConfig("voice"), False),
    ],
)
def test_what_cannot_help_is_not_tried(error: RealtimeError, worth: bool) -> None:
    """An account or a configuration does not mend itself."""
    assert worth_retrying(error, 1) is worth


def test_three_attempts_are_enough() -> None:
    """Whatever the error."""
    assert worth_retrying(ConnectError("busy"), 2)
    assert not worth_retrying(ConnectError("busy"), 3)


def test_a_failed_resumption_is_still_the_same_one() -> None:
    """One attempt more, and not before its time."""
    pending = Pending(RealtimeConfig(voice="sage"), Cause.UPDATE, "hello", must_by=9.0)

    failed = pending.failed(ConnectError("busy"), 5.0, no_jitter)

    assert failed == Pending(
        RealtimeConfig(voice="sage"), Cause.UPDATE, "hello", False, 1, 5.2, 9.0
    )


def test_what_the_model_will_be_told_is_in_no_log() -> None:
    """A bridge message may be about the caller."""
    assert "hello" not in repr(Pending(RealtimeConfig(), Cause.UPDATE, "hello"))
