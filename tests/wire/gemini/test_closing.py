"""Close codes: an end that a new session can mend, and one that it would meet again."""

from __future__ import annotations

import pytest

from bridge.errors import AuthError, ConnectError, Fault, ResumptionRefused
from bridge.ports.server_events import Disconnected, Drop
from bridge.wire.gemini.closing import read_close, refusal

DEADLINE = "Deadline expired before operation could complete."
NO_MODEL = "models/gemini-9 is not found for API version v1beta, or is not supported for bidi"
QUOTA = "You exceeded your current quota, please check your plan and billing details."


@pytest.mark.parametrize(
    ("code", "reason", "was_going", "drop"),
    [
        (1006, "", False, Drop.LOST),
        (1000, "", False, Drop.LOST),
        (1000, "", True, Drop.EXPIRED),
        (1001, "", True, Drop.EXPIRED),
        (1011, DEADLINE, False, Drop.EXPIRED),
        (1011, "Internal error encountered.", False, Drop.LOST),
        (1007, "Request contains an invalid argument.", False, Drop.LOST),
        (1008, "Operation is not implemented, or supported, or enabled.", False, Drop.LOST),
        (1008, NO_MODEL, False, Drop.REFUSED),
        (1008, QUOTA, False, Drop.REFUSED),
        (1011, QUOTA, True, Drop.REFUSED),
        (1007, "API key not valid. Please pass a valid API key.", False, Drop.REFUSED),
    ],
)
def test_a_close_code_tells_why(code: int, reason: str, was_going: bool, drop: Drop) -> None:
    end = read_close(code, reason, was_going=was_going)

    assert (end.drop, end.code) == (drop, code)
    assert end.fault is (Fault.OPERATOR if drop is Drop.REFUSED else Fault.PROVIDER)


@pytest.mark.parametrize(
    "secret",
    [
        "AIzaSyD-abcdefghijklmnopqrstuvwxyz01234",
        "123e4567-e89b-12d3-a456-426614174000",
        "CihoNGM2bXJ5ZGRpNHJlcXdlcXdlcXdlcXdl",
    ],
)
def test_no_key_and_no_handle_gets_through(secret: str) -> None:
    """A reason is shown in logs, whatever it repeats (D32)."""
    detail = read_close(1008, f"session not found: {secret}.", was_going=False).detail

    assert detail == "session not found: …."


def test_a_models_name_stays_readable() -> None:
    assert read_close(1008, NO_MODEL, was_going=False).detail == NO_MODEL


@pytest.mark.parametrize(
    ("code", "reason", "resuming", "error", "retryable"),
    [
        (1008, "session not found", True, ResumptionRefused, True),
        (1007, "Request contains an invalid argument.", True, ResumptionRefused, True),
        (1011, "Internal error encountered.", True, ResumptionRefused, True),
        (1006, "", True, ConnectError, True),
        (1007, "Request contains an invalid argument.", False, ConnectError, False),
        (1008, NO_MODEL, False, ConnectError, False),
        (1008, NO_MODEL, True, ConnectError, False),
        (1011, "Internal error encountered.", False, ConnectError, True),
        (1011, QUOTA, True, AuthError, False),
        (1007, "API key not valid. Please pass a valid API key.", False, AuthError, False),
    ],
)
def test_an_end_before_the_beginning_is_an_error(
    code: int, reason: str, resuming: bool, error: type[ConnectError], retryable: bool
) -> None:
    end: Disconnected = read_close(code, reason, was_going=False)

    made = refusal(end, resuming=resuming)

    assert type(made) is error
    assert made.retryable is retryable
