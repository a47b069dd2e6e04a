"""Whether a pause is one in which a session can be replaced. Times are seconds."""

from __future__ import annotations

from bridge.runner.lull import SENTENCE, TOKEN_WAIT, Lull


def test_a_pause_is_long_enough_when_nothing_is_awaited() -> None:
    """The ordinary case."""
    lull = Lull()
    lull.answered(5.0)

    assert lull.until == 0.0


def test_every_word_of_the_callers_makes_it_longer() -> None:
    """Until a second without any."""
    lull = Lull()
    lull.caller_said(1.0)
    lull.caller_said(1.5)

    assert lull.until == 1.5 + SENTENCE


def test_an_answer_ends_the_callers_turn() -> None:
    """Its words may be told late."""
    lull = Lull()
    lull.caller_said(1.0)
    lull.answered(1.2)

    assert lull.until == 0.0


def test_the_token_for_an_answer_is_waited_for() -> None:
    """When the provider has said that the one before will not do."""
    lull = Lull()
    lull.token(there=False)
    during = lull.until
    lull.answered(5.0)
    after = lull.until
    lull.token(there=True)

    assert during == 0.0
    assert after == 5.0 + TOKEN_WAIT
    assert lull.until == 0.0


def test_a_token_that_did_not_come_is_waited_for_again_after_the_next_answer() -> None:
    """Each answer may bring it."""
    lull = Lull()
    lull.token(there=False)
    lull.answered(5.0)
    lull.answered(20.0)

    assert lull.until == 20.0 + TOKEN_WAIT


def test_a_session_that_is_gone_is_not_waited_for() -> None:
    """Nor is its token."""
    lull = Lull()
    lull.token(there=False)
    lull.answered(5.0)
    lull.caller_said(5.5)
    lull.forget()
    lull.answered(9.0)

    assert lull.until == 0.0
