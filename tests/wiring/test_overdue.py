"""Answers that come late, or never."""

from __future__ import annotations

import pytest

from bridge.call.vocabulary import Moment
from bridge.wiring.overdue import SLOW_SECONDS, Overdue

LATE = 10.0 + SLOW_SECONDS + 0.01


def asked() -> Overdue:
    """A caller has fallen silent at 10 seconds."""
    overdue = Overdue()
    overdue.note(Moment.CALLER_SPEAKS, 9.0)
    overdue.note(Moment.CALLER_SILENT, 10.0)
    return overdue


def test_an_answer_in_time() -> None:
    overdue = asked()

    assert not overdue.note(Moment.AGENT_SPEAKS, 10.0 + SLOW_SECONDS)
    assert not overdue.note(Moment.OVER, 60.0)


def test_an_answer_that_comes_late_is_late_once() -> None:
    overdue = asked()

    assert overdue.note(Moment.AGENT_SPEAKS, LATE)
    assert not overdue.note(Moment.AGENT_SPEAKS, LATE + 5.0)


@pytest.mark.parametrize("end", [Moment.CALLER_SPEAKS, Moment.STILL_THERE, Moment.OVER])
def test_an_answer_that_never_comes(end: Moment) -> None:
    """The caller says something else, or hangs up."""
    assert asked().note(end, LATE)


def test_a_session_that_is_lost_meanwhile_is_no_excuse() -> None:
    overdue = asked()
    overdue.note(Moment.MODEL_LOST, 10.5)
    overdue.note(Moment.RESUMED, 12.0)

    assert overdue.note(Moment.AGENT_SPEAKS, LATE)


def test_a_tool_takes_its_time() -> None:
    """That is its own affair."""
    overdue = asked()
    overdue.note(Moment.TOOL, 10.4)
    overdue.note(Moment.TOOL_DONE, 18.0)

    assert not overdue.note(Moment.AGENT_SPEAKS, 19.0)


def test_a_greeting_answers_nobody() -> None:
    assert not Overdue().note(Moment.AGENT_SPEAKS, 30.0)
