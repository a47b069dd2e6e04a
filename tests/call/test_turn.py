"""The caller's turn: speech, and the wait for an answer."""

from __future__ import annotations

from bridge.call.turn import ANSWER_SECONDS, LONGEST_SPEECH, CallerTurn


def test_a_turn() -> None:
    """From the first word to the first word of the answer."""
    turn = CallerTurn()
    turn.begins(1.0)
    assert (turn.speaking, turn.unanswered) == (True, False)
    assert turn.busy_until == 1.0 + LONGEST_SPEECH

    turn.ends(3.0)
    assert (turn.speaking, turn.unanswered) == (False, True)
    assert turn.busy_until == 3.0 + ANSWER_SECONDS

    assert turn.answered(3.5) == 0.5
    assert (turn.speaking, turn.unanswered) == (False, False)
    assert turn.busy_until == float("-inf")


def test_an_answer_to_nothing() -> None:
    """A greeting, or the second piece of an answer."""
    assert CallerTurn().answered(1.0) is None


def test_a_caller_who_goes_on() -> None:
    """The wait begins anew with the end of what they add."""
    turn = CallerTurn()
    turn.begins(1.0)
    turn.ends(2.0)

    turn.begins(2.5)
    assert not turn.unanswered

    turn.ends(4.0)
    assert turn.answered(5.0) == 1.0


def test_whoever_would_tell_of_the_end_is_gone() -> None:
    turn = CallerTurn()
    turn.begins(1.0)

    turn.forget()

    assert not turn.speaking
