"""Errors and close codes say whether to shrug, to try again, or to give up."""

from __future__ import annotations

import pytest

from bridge.errors import Fault
from bridge.ports.server_events import Drop, ErrorInfo, Severity
from bridge.wire.openai.faults import is_fatal, is_passing, read_close, severity_of

REQUEST = "invalid_request_error"


@pytest.mark.parametrize(
    ("error", "severity"),
    [
        (ErrorInfo(REQUEST, "", "response_cancel_not_active"), Severity.HARMLESS),
        (ErrorInfo(REQUEST, "", "item_truncate_invalid_item_id"), Severity.HARMLESS),
        (ErrorInfo(REQUEST, "", "input_audio_buffer_commit_empty"), Severity.HARMLESS),
        (ErrorInfo(REQUEST, "", "item_create_duplicate_item_id"), Severity.HARMLESS),
        (
            ErrorInfo(
                REQUEST, "Audio content of 400ms is already shorter than 900ms", "invalid_value"
            ),
            Severity.HARMLESS,
        ),
        (ErrorInfo(REQUEST, "", "invalid_value"), Severity.RETRY),
        (ErrorInfo(REQUEST, "", "conversation_already_has_active_response"), Severity.RETRY),
        (ErrorInfo("server_error", "", ""), Severity.RETRY),
        (ErrorInfo(REQUEST, "", "session_expired"), Severity.RETRY),
        (ErrorInfo(REQUEST, "", "invalid_api_key"), Severity.FATAL),
        (ErrorInfo("insufficient_quota", "", ""), Severity.FATAL),
    ],
)
def test_severity(error: ErrorInfo, severity: Severity) -> None:
    """By code or by type, whichever names the cause."""
    assert severity_of(error) is severity


@pytest.mark.parametrize(
    ("code", "reason", "seen", "drop"),
    [
        (1001, "Your session hit the maximum duration of 60 minutes.", "", Drop.EXPIRED),
        (1000, "", "session_expired", Drop.EXPIRED),
        (1000, "", "", Drop.LOST),
        (1006, "the connection broke", "", Drop.LOST),
        (1011, "", "", Drop.LOST),
        (3000, "invalid_request_error.invalid_api_key", "", Drop.REFUSED),
        (1000, "", "insufficient_quota", Drop.REFUSED),
    ],
)
def test_close_codes(code: int, reason: str, seen: str, drop: Drop) -> None:
    """1000 and 1001 are no good ends when we did not ask for them."""
    end = read_close(code, reason, frozenset({seen} - {""}))

    assert end.drop is drop
    assert end.code == code
    assert end.fault is (Fault.OPERATOR if drop is Drop.REFUSED else Fault.PROVIDER)


def test_a_reason_is_not_repeated() -> None:
    """It may quote a key. Our own reasons, with 1006, are ours to repeat."""
    end = read_close(1008, "session_expired for sk-SECRET1234 of somebody")

    assert end.detail == "session_expired"
    assert read_close(1006, "keepalive ping timeout").detail == "keepalive ping timeout"


def test_codes_at_the_door() -> None:
    """What an account must mend, and what a moment mends."""
    assert is_fatal("insufficient_quota")
    assert not is_fatal("invalid_value")
    assert is_passing("rate_limit_exceeded")
    assert not is_passing("invalid_value")
