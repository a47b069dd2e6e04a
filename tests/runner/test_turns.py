"""The tool calls of the model's turn."""

from __future__ import annotations

from bridge.ports.model import ToolResponse
from bridge.runner.turns import ToolTurn


def turn_with(*call_ids: str) -> ToolTurn:
    turn = ToolTurn()
    for call_id in call_ids:
        assert turn.begin(call_id, "look")
    return turn


def test_a_turn_is_answered_when_none_is_missing() -> None:
    """The answers are given away together, once."""
    turn = turn_with("c1", "c2")
    turn.answer("c2", "b")
    half = turn.answered
    turn.answer("c1", "a")

    assert not half
    assert turn.answered
    assert not turn.open
    assert turn.take() == (ToolResponse("c2", "b", "look"), ToolResponse("c1", "a", "look"))
    assert turn.take() == ()
    assert not turn.answered


def test_a_call_that_is_told_twice_is_one_call() -> None:
    """Before its answer and after it."""
    turn = turn_with("c1")
    again = turn.begin("c1", "look")
    turn.answer("c1", 1)

    assert not again
    assert not turn.begin("c1", "look")


def test_an_answer_that_nobody_asked_for_is_none() -> None:
    """And neither is a second one."""
    turn = turn_with("c1")

    assert not turn.answer("c9", 1)
    assert turn.answer("c1", 1)
    assert not turn.answer("c1", 2)


def test_calls_that_are_taken_back_are_not_answered() -> None:
    """Those still open are named, in the order in which they were taken back."""
    turn = turn_with("c1", "c2", "c3", "c4")
    turn.answer("c2", 1)

    gone = turn.cancel(["c3", "c2", "c1", "c9"])

    assert gone == ["c3", "c1"]
    assert not turn.answer("c1", 1)
    assert turn.answer("c4", 4)
    assert turn.take() == (ToolResponse("c4", 4, "look"),)


def test_the_answers_of_orphans_are_kept_apart() -> None:
    """Those given before the session went, and those given after."""
    turn = turn_with("c1", "c2")
    turn.answer("c1", 1)
    turn.orphan()
    open_after = turn.open
    turn.answer("c2", 2)

    assert not open_after
    assert not turn.answered
    assert turn.take_late() == (ToolResponse("c1", 1, "look"), ToolResponse("c2", 2, "look"))
    assert turn.take_late() == ()


def test_an_orphan_that_is_called_again_has_a_session_again() -> None:
    """It is not begun twice, and its answer goes the ordinary way."""
    turn = turn_with("c1")
    turn.orphan()

    assert not turn.begin("c1", "look")
    assert turn.open
    turn.answer("c1", 1)
    assert turn.take() == (ToolResponse("c1", 1, "look"),)


def test_a_call_of_an_earlier_runner_is_an_orphan() -> None:
    """Its answer is told apart; a session that asks for it as well is not run twice."""
    turn = ToolTurn()
    turn.inherit("c1", "look")
    turn.inherit("c2", "look")

    assert not turn.open
    assert not turn.begin("c2", "look")
    turn.answer("c1", 1)
    turn.answer("c2", 2)
    assert turn.take_late() == (ToolResponse("c1", 1, "look"),)
    assert turn.take() == (ToolResponse("c2", 2, "look"),)
