"""Stream tokens: signed, short, soon over, and good for one call."""

from __future__ import annotations

import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import CarrierProtocolError
from bridge.wire import ticket
from bridge.wire.ticket import Reason, Ticket

NOW = 1_800_000_000.0
KEY, OLD_KEY = b"new key", b"old key"
NONCE = bytes(range(ticket.NONCE_SIZE))
TICKET = Ticket("CA" + "a" * 32, "AC" + "b" * 32, fence=1_800_000_000_123, expires_at=NOW + 120)


def refusal(token: str, keys: list[bytes], now: float = NOW) -> str:
    with pytest.raises(CarrierProtocolError) as refused:
        ticket.read(token, keys, now)
    return str(refused.value)


def test_what_was_issued_is_read() -> None:
    token = ticket.issue(TICKET, [KEY], NONCE)

    assert ticket.read(token, [KEY], NOW) == TICKET


def test_two_tokens_for_one_ticket_differ() -> None:
    """The nonce keeps a token from being guessed from another."""
    other = ticket.issue(TICKET, [KEY], NONCE[::-1])

    assert ticket.issue(TICKET, [KEY], NONCE) != other
    assert ticket.read(other, [KEY], NOW) == TICKET


def test_an_older_key_is_still_good_while_keys_rotate() -> None:
    """New tokens are signed with the first key; all keys can read."""
    old = ticket.issue(TICKET, [OLD_KEY], NONCE)
    new = ticket.issue(TICKET, [KEY, OLD_KEY], NONCE)

    assert ticket.read(old, [KEY, OLD_KEY], NOW) == TICKET
    assert ticket.read(new, [KEY], NOW) == TICKET
    assert refusal(old, [KEY]) == Reason.FORGED


def test_a_token_expires_after_the_leeway() -> None:
    """Two workers' clocks may be a minute apart."""
    token = ticket.issue(TICKET, [KEY], NONCE)
    end = TICKET.expires_at + ticket.LEEWAY_SECONDS

    assert ticket.read(token, [KEY], end) == TICKET
    assert refusal(token, [KEY], end + 0.001) == Reason.EXPIRED


@pytest.mark.parametrize("place", range(0, 176, 7))
def test_a_changed_letter_is_never_accepted(place: int) -> None:
    token = ticket.issue(TICKET, [KEY], NONCE)
    changed = "A" if token[place] != "A" else "B"

    assert refusal(token[:place] + changed + token[place + 1 :], [KEY]) in set(Reason)


@pytest.mark.parametrize("token", ["", "A", "not a token", "=" * 8, "A" * 500, "ä" * 80, "\ud800"])
def test_what_is_no_token_is_malformed(token: str) -> None:
    assert refusal(token, [KEY]) == Reason.MALFORMED


def test_without_keys_no_token_is_good() -> None:
    """A blank key would be one that everybody has."""
    token = ticket.issue(TICKET, [KEY], NONCE)

    assert refusal(token, []) == Reason.FORGED
    assert refusal(token, [b""]) == Reason.FORGED


@pytest.mark.parametrize("keys", [[], [b""], [KEY, b""]])
def test_nothing_is_issued_without_a_key(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="key"):
        ticket.issue(TICKET, keys, NONCE)


@pytest.mark.parametrize("broken", [Ticket("", "AC", 1, NOW), Ticket("CA", "", 1, NOW)])
def test_a_token_that_is_bound_to_no_call_is_not_issued(broken: Ticket) -> None:
    with pytest.raises(ValueError, match="call"):
        ticket.issue(broken, [KEY], NONCE)


def test_ids_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        ticket.issue(Ticket("C" * 200, "A" * 57, 1, NOW), [KEY], NONCE)


def test_the_longest_token_fits_into_a_parameter() -> None:
    """Twilio carries less than 500 characters of a parameter's name and value."""
    longest = Ticket("C" * 128, "A" * 128, fence=2**63, expires_at=NOW)
    token = ticket.issue(longest, [KEY], NONCE)

    assert len(token) == ticket.MAX_TOKEN_LENGTH
    assert ticket.read(token, [KEY], NOW) == longest


def test_the_signature_is_this_purposes_own() -> None:
    """What the same secret signed for another purpose is no token."""
    token = ticket.issue(TICKET, [KEY], NONCE)
    body = base64.urlsafe_b64decode(token)[:-32]
    elsewhere = body + hmac.digest(KEY, body, "sha256")

    assert refusal(base64.urlsafe_b64encode(elsewhere).decode(), [KEY]) == Reason.FORGED


@given(st.text(max_size=600))
def test_whatever_comes_only_a_reason_leaves(token: str) -> None:
    assert refusal(token, [KEY]) in set(Reason)


@given(st.binary(max_size=320))
def test_bytes_of_all_kinds_are_refused(data: bytes) -> None:
    token = base64.urlsafe_b64encode(data).decode()

    assert refusal(token, [KEY]) in set(Reason)
