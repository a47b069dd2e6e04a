"""Every error says whose fault it was."""

from __future__ import annotations

import inspect

import pytest

from bridge import errors
from bridge.errors import BridgeError, Fault

TREE = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, BridgeError)
]


@pytest.mark.parametrize("kind", TREE)
def test_every_error_has_a_culprit(kind: type[BridgeError]) -> None:
    """Below the root nobody is left to blame by default but ourselves."""
    assert isinstance(kind.fault, Fault)


def test_a_refused_key_is_the_operators_to_mend() -> None:
    """And no attempt is worth repeating."""
    error = errors.AuthError("the key was refused")

    assert error.fault is Fault.OPERATOR
    assert not error.retryable


def test_a_connection_may_be_tried_again() -> None:
    """Unless the provider says otherwise; its own wish for a pause is kept."""
    assert errors.ConnectError("busy", retry_after=0.5).retryable
    assert errors.ConnectError("busy", retry_after=0.5).retry_after == 0.5
    assert not errors.ConnectError("no such model", retryable=False).retryable


def test_a_providers_error_shows_its_code() -> None:
    """The code is for programs, the text for people."""
    error = errors.ServerError("cannot_update_voice", "the voice is fixed")

    assert error.code == "cannot_update_voice"
    assert str(error) == "cannot_update_voice: the voice is fixed"
    assert str(errors.ServerError("", "something")) == "something"
