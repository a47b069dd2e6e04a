"""How long silence is borne, and by whom it is broken."""

from __future__ import annotations

from bridge.call.patience import LEEWAY, MODEL_SECONDS, CallRules, Patience, Reminder

NOBODY = float("-inf")


def patience(rules: CallRules | None = None) -> Patience:
    """In a call that has been quiet since 0."""
    waiting = Patience(rules or CallRules(longest_seconds=1_000.0), 0.0)
    waiting.busy(NOBODY, 0.0)
    return waiting


def reminders(waiting: Patience, count: int) -> list[tuple[float, Reminder | None]]:
    """The next reminders, if nobody stirs."""
    told: list[tuple[float, Reminder | None]] = []
    for _ in range(count):
        at = waiting.deadline
        told.append((at, waiting.due(at)))
    return told


def test_asked_twice_then_goodbye() -> None:
    assert reminders(patience(), 3) == [
        (15.0, Reminder.STILL_THERE),
        (30.0, Reminder.STILL_THERE),
        (45.0, Reminder.GOODBYE_SILENCE),
    ]


def test_nothing_is_due_before_its_time() -> None:
    """A timer may come a little early."""
    waiting = patience()

    assert waiting.due(14.999) is None
    assert waiting.deadline == 15.0


def test_other_rules() -> None:
    rules = CallRules(silence_seconds=5.0, silence_prompts=0, longest_seconds=7.0)

    assert patience(rules).due(5.0) is Reminder.GOODBYE_SILENCE


def test_a_caller_who_stirs_is_asked_as_often_again() -> None:
    waiting = patience()
    reminders(waiting, 2)

    waiting.caller_stirred(31.0)

    assert reminders(waiting, 1) == [(46.0, Reminder.STILL_THERE)]


def test_silence_counts_from_the_end_of_what_was_said() -> None:
    """From its real end if that is told, and from its expected end if not."""
    waiting = patience()
    waiting.busy(20.0, 10.0)
    assert waiting.deadline == 35.0

    waiting.busy(NOBODY, 12.0)
    assert waiting.deadline == 27.0

    waiting.busy(NOBODY, 13.0)
    assert waiting.deadline == 27.0


def test_the_longest_call_ends_in_a_pause() -> None:
    waiting = patience(CallRules(silence_seconds=None, longest_seconds=60.0))
    assert waiting.deadline == 60.0

    waiting.busy(70.0, 59.0)
    assert waiting.due(60.0) is None
    assert waiting.deadline == 70.0

    waiting.busy(NOBODY, 65.0)
    assert waiting.due(65.0) is Reminder.GOODBYE_TIME
    assert waiting.deadline == float("inf")


def test_the_longest_call_ends_without_a_pause() -> None:
    waiting = patience(CallRules(longest_seconds=60.0))

    waiting.busy(float("inf"), 59.0)

    assert reminders(waiting, 1) == [(60.0 + LEEWAY, Reminder.GOODBYE_TIME)]


def test_a_model_that_is_missing() -> None:
    """It is waited for, and nobody is asked whether they are there."""
    waiting = patience(CallRules(silence_seconds=2.0, longest_seconds=5.0))

    waiting.model_missing(3.0)

    assert reminders(waiting, 1) == [(3.0 + MODEL_SECONDS, Reminder.MODEL_MISSING)]


def test_a_model_that_comes() -> None:
    """The silence was ours, and the caller's begins now."""
    waiting = patience()
    waiting.model_missing(3.0)

    waiting.model_there(9.0)

    assert reminders(waiting, 1) == [(24.0, Reminder.STILL_THERE)]
