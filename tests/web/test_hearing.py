"""A listener is told in its own context, and what it does wrong stays with its socket."""

from __future__ import annotations

import logging
import weakref

import pytest

from bridge.telemetry.logs import current_call, in_call
from bridge.web.hearing import Hearing, Message


class Listener:
    """Remembers what it was told, and for which call; `breaks` when it is told to."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Message | int]] = []
        self.breaks = False

    def hear(self, what: Message | int) -> None:
        self.told.append((current_call(), what))
        if self.breaks:
            raise ValueError("a bug")


def test_it_is_told_in_the_context_in_which_it_was_attached() -> None:
    """Whoever reads the socket knows nothing of calls."""
    listener, hearing = Listener(), Hearing(lambda: None)
    with in_call("CA1"):
        hearing.attach(listener.hear, listener.hear)
    hearing.message("one")
    hearing.over(1000)

    assert listener.told == [("CA1", "one"), ("CA1", 1000)]


def test_it_is_known_whether_anybody_listens() -> None:
    nobody, somebody = Hearing(lambda: None), Hearing(lambda: None)
    somebody.attach(Listener().hear, Listener().hear)

    assert [nobody.attached, somebody.attached] == [False, True]


def test_whoever_attaches_later_is_told_from_then_on() -> None:
    first, second, hearing = Listener(), Listener(), Hearing(lambda: None)
    hearing.attach(first.hear, first.hear)
    hearing.message("one")
    with in_call("CA2"):
        hearing.attach(second.hear, second.hear)
    hearing.message(b"two")

    assert first.told == [("", "one")]
    assert second.told == [("CA2", b"two")]


def test_a_fault_in_a_message_ends_the_socket(caplog: pytest.LogCaptureFixture) -> None:
    """And is told with all that helps to find it."""
    failed: list[bool] = []
    listener, hearing = Listener(), Hearing(lambda: failed.append(True))
    hearing.attach(listener.hear, listener.hear)
    listener.breaks = True
    with caplog.at_level(logging.ERROR):
        hearing.message("one")

    assert failed == [True]
    assert "a bug" in caplog.text


def test_a_fault_at_the_end_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    failed: list[bool] = []
    listener, hearing = Listener(), Hearing(lambda: failed.append(True))
    hearing.attach(listener.hear, listener.hear)
    listener.breaks = True
    with caplog.at_level(logging.ERROR):
        hearing.over(1000)

    assert failed == []
    assert "a bug" in caplog.text


def test_nobody_is_told_anything_of_what_is_over() -> None:
    """And whoever was told before is let go of."""
    listener, failed = Listener(), Listener()
    told, gone = listener.told, weakref.ref(listener)
    hearing = Hearing(lambda: failed.hear("failed"))
    hearing.attach(listener.hear, listener.hear)
    hearing.over(1000)
    hearing.over(1006)
    hearing.message("late")
    del listener

    assert [what for _, what in told] == [1000]
    assert gone() is None
    assert failed.told == []
