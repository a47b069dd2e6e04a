"""Last words: how long they are waited for."""

from __future__ import annotations

from bridge.call.closing import BEGIN_SECONDS, LONGEST_SECONDS, Closing
from bridge.call.vocabulary import Finishing
from bridge.errors import Ending, Fault
from bridge.ports import leg

WISH = Finishing(leg.Hangup(), Ending(Fault.NOBODY, "agent_hung_up"))
NEVER = float("-inf")


def closing(*, expected: bool, heard_by: float = NEVER) -> Closing:
    return Closing(WISH, 10.0, expected=expected, heard_by=heard_by)


def test_words_that_were_said_are_heard() -> None:
    """As long as the agent is speaking, and no longer."""
    last = closing(expected=False)
    last.busy(12.0)
    assert not last.over(11.9)

    last.busy(12.5)
    assert not last.over(12.4)

    last.busy(NEVER)
    assert last.over(12.4)


def test_words_that_are_expected_have_time_to_begin() -> None:
    last = closing(expected=True)

    assert last.listening
    assert last.deadline == 10.0 + BEGIN_SECONDS
    assert not last.over(17.9)
    assert last.over(18.0)


def test_words_that_have_begun_are_not_cut_off() -> None:
    last = closing(expected=True)

    last.busy(30.0)

    assert not last.over(29.0)
    assert last.over(30.0)


def test_once_they_are_said_nobody_listens_for_others() -> None:
    last = closing(expected=True)

    last.answered()

    assert not last.listening
    assert last.over(10.0)


def test_endless_words_have_an_end() -> None:
    """Besides what was queued before."""
    last = closing(expected=True, heard_by=40.0)

    last.busy(float("inf"))

    assert last.deadline == 40.0 + LONGEST_SECONDS
