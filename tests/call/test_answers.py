"""Which of the model's answers the caller may hear."""

from __future__ import annotations

import pytest

from bridge.call.answers import MAX_ANSWERS, MAX_FAILED, SIGN_OF_LIFE, Answers
from bridge.call.vocabulary import AskResponse
from bridge.ports import phrases
from bridge.ports.server_events import ResponseStatus

COMPLETED, CANCELLED = ResponseStatus.COMPLETED, ResponseStatus.CANCELLED
FAILED, INCOMPLETE = ResponseStatus.FAILED, ResponseStatus.INCOMPLETE


def begun(*response_ids: str) -> Answers:
    answers = Answers()
    for response_id in response_ids:
        answers.begin(response_id, 0.0)
    return answers


@pytest.mark.parametrize("response_id", ["r1", ""])
def test_an_answer_is_heard_until_it_is_refused(response_id: str) -> None:
    """After its end as well, and never again after the refusal."""
    answers = begun(response_id)
    assert answers.hear(response_id, 0.0)

    answers.end(response_id, COMPLETED)
    assert answers.hear(response_id, 0.0)

    answers.refuse()
    assert not answers.hear(response_id, 0.0)
    assert not answers.hear("", 0.0)


@pytest.mark.parametrize("response_id", ["r1", ""])
def test_one_that_begins_is_a_new_one(response_id: str) -> None:
    """Though it bears the id of one that was refused."""
    answers = begun(response_id)
    answers.refuse()

    answers.begin(response_id, 1.0)

    assert answers.hear(response_id, 1.0)
    assert answers.generating


def test_all_that_has_begun_is_refused() -> None:
    """The older answer may still be playing, and something of it on its way."""
    answers = begun("r1", "r2")

    answers.refuse()

    assert not answers.hear("r1", 0.0)
    assert not answers.hear("r2", 0.0)


def test_an_answer_that_nobody_announced_begins_with_its_voice() -> None:
    answers = Answers()

    assert answers.hear("r1", 0.0)
    assert answers.generating


def test_after_muting_nothing_new_is_heard() -> None:
    """What has begun before is."""
    answers = begun("r1")

    answers.mute()
    answers.begin("r2", 1.0)

    assert answers.hear("r1", 1.0)
    assert not answers.hear("r2", 1.0)
    assert not answers.hear("r3", 1.0)
    assert not answers.generating


def test_a_session_goes_and_ids_begin_anew() -> None:
    answers = begun("r1")
    answers.refuse()

    answers.lose()

    assert not answers.generating
    assert answers.hear("r1", 0.0)


def test_only_so_many_are_remembered() -> None:
    answers = begun(*(f"r{number}" for number in range(MAX_ANSWERS + 1)))

    answers.refuse()

    assert not answers.hear("r1", 0.0)


def test_an_id_that_comes_again_is_the_newest() -> None:
    answers = begun(*(f"r{number}" for number in range(MAX_ANSWERS)), "r0", "r99")

    answers.refuse()

    assert not answers.hear("r0", 0.0)


@pytest.mark.parametrize("said", ["r2", ""])
def test_the_end_of_the_latest(said: str) -> None:
    """A provider without ids can only mean the latest."""
    answers = begun("r1", "r2")

    assert not answers.end("r1", COMPLETED)
    assert answers.generating

    assert answers.end(said, COMPLETED)
    assert not answers.generating


def test_an_answer_without_a_sign_of_life_is_dead() -> None:
    """Each piece of its voice is one."""
    answers = begun("r1")
    assert answers.busy_until == SIGN_OF_LIFE

    answers.hear("r1", 3.0)
    assert answers.busy_until == 3.0 + SIGN_OF_LIFE

    answers.end("r1", COMPLETED)
    assert answers.busy_until == float("-inf")


def test_the_first_word_of_an_answer() -> None:
    """Told once, and not by what comes late of another."""
    answers = begun("r1", "r2")

    told = [answers.speak("r1"), answers.speak("r2"), answers.speak("r2"), answers.speak("")]

    assert told == [False, True, False, False]


def test_whether_all_is_said() -> None:
    """With a voice, without an interruption, and nothing else asked for."""
    answers = begun("r1")
    assert (answers.said, answers.half_said) == (False, False)

    answers.speak("r1")
    assert (answers.said, answers.half_said) == (True, True)

    answers.ask("More.")
    assert (answers.said, answers.half_said) == (False, True)

    answers.begin("r2", 0.0)
    answers.speak("r2")
    answers.refuse()
    assert (answers.said, answers.half_said) == (False, False)


def test_what_was_asked_for_is_expected() -> None:
    """Until it begins, and then until it ends."""
    answers = Answers()
    expected = [answers.expected]

    asked = answers.ask("Say hello.")
    expected.append(answers.expected)
    answers.begin("r1", 0.0)
    expected.append(answers.expected)
    answers.end("r1", COMPLETED)
    expected.append(answers.expected)

    assert asked == AskResponse("Say hello.")
    assert expected == [False, True, True, False]


def test_asking_again() -> None:
    """With the same words, as long as nothing was heard."""
    answers = Answers()
    assert answers.ask_again() == AskResponse(None)

    answers.ask("Say hello.")
    answers.begin("r1", 0.0)
    assert answers.ask_again() == AskResponse("Say hello.")

    answers.speak("r1")
    assert answers.ask_again() == AskResponse(phrases.GO_ON)


@pytest.mark.parametrize("between", [COMPLETED, INCOMPLETE, CANCELLED])
def test_failures_in_a_row(between: ResponseStatus) -> None:
    """One that succeeds breaks the row; one that the caller interrupted proves nothing."""
    answers = Answers()
    statuses = [FAILED] * (MAX_FAILED - 1) + [between, FAILED]
    for number, status in enumerate(statuses):
        answers.begin(f"r{number}", 0.0)
        answers.end(f"r{number}", status)

    assert (answers.ask_again() is None) is (between is CANCELLED)
