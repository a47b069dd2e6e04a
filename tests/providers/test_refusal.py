"""What a refused handshake means: whose fault, and whether to try again."""

from __future__ import annotations

import ssl
import time
from email.utils import formatdate

import pytest

from bridge.errors import AuthError, Fault
from bridge.providers.refusal import refusal, unanswered, unreachable

HOST = "api.example.com"


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused(status: int) -> None:
    """Is the operator's to mend; trying again changes nothing."""
    error = refusal(HOST, status, {})

    assert isinstance(error, AuthError)
    assert error.fault is Fault.OPERATOR


@pytest.mark.parametrize(
    ("status", "retryable"), [(404, False), (400, False), (429, True), (500, True), (503, True)]
)
def test_what_may_pass(status: int, retryable: bool) -> None:
    """Trouble of the provider's own may pass; a wrong request stays wrong."""
    error = refusal(HOST, status, {})

    assert error.retryable is retryable
    assert str(status) in str(error)
    assert HOST in str(error)


def test_the_providers_own_wish_for_a_pause() -> None:
    """Retry-After in seconds or as a date; anything else is no wish."""
    later = formatdate(time.time() + 60, usegmt=True)

    assert refusal(HOST, 429, {"Retry-After": "7"}).retry_after == 7
    assert refusal(HOST, 503, {"Retry-After": later}).retry_after == pytest.approx(60, abs=5)
    assert refusal(HOST, 429, {"Retry-After": "soon"}).retry_after is None
    assert refusal(HOST, 404, {"Retry-After": "7"}).retry_after is None


def test_a_date_that_is_over_asks_for_no_pause() -> None:
    """Never a negative number of seconds."""
    earlier = formatdate(time.time() - 60, usegmt=True)

    assert refusal(HOST, 429, {"Retry-After": earlier}).retry_after == 0


@pytest.mark.parametrize(
    ("cause", "retryable"),
    [
        (ConnectionRefusedError(111, "Connection refused"), True),
        (OSError(), True),
        (ssl.SSLCertVerificationError("self-signed"), False),
        (UnicodeError("label too long"), False),
    ],
)
def test_a_host_that_is_not_there(cause: OSError | UnicodeError, retryable: bool) -> None:
    """A certificate or a name that is wrong stays wrong; the rest may pass."""
    error = unreachable(HOST, cause)

    assert error.retryable is retryable
    assert HOST in str(error)


def test_a_handshake_without_an_answer() -> None:
    """Nothing came, or something that is no HTTP: another try may do better."""
    for cause in (None, ValueError("no HTTP")):
        error = unanswered(HOST, cause)

        assert error.retryable
        assert HOST in str(error)
