"""Whether the model may be asked to speak. Times are seconds."""

from __future__ import annotations

from bridge.runner.responses import ANSWER_TIMEOUT, VAD_GRACE, Responses
from bridge.runner.vocabulary import Respond, ResponseAsked


def asked(instructions: str | None = None, *, now: float = 0.0) -> Responses:
    """A model that was just asked to speak."""
    responses = Responses()
    responses.want(ResponseAsked(instructions))
    assert responses.due(now) == Respond(instructions)
    return responses


def test_a_wish_is_carried_out_at_once_when_nobody_speaks() -> None:
    """And only once."""
    responses = asked("greet")

    assert responses.due(0.1) is None
    assert responses.busy
    assert not responses.settled


def test_the_response_that_was_asked_for_begins_and_ends() -> None:
    """Busy from the request to the end."""
    responses = asked()
    responses.created("r1")
    responses.done("r1")

    assert not responses.busy
    assert responses.settled


def test_the_end_of_another_response_ends_nothing() -> None:
    """A late ResponseDone of the one before must not free the turn."""
    responses = Responses()
    responses.created("r2")
    responses.done("r1")

    assert responses.active == "r2"


def test_an_end_without_a_name_ends_what_is_there() -> None:
    """And a response without a name is ended by any end."""
    named, unnamed = Responses(), Responses()
    named.created("r1")
    unnamed.created("")
    named.done("")
    unnamed.done("r7")

    assert named.active is None
    assert unnamed.active is None


def test_a_response_of_the_providers_own_settles_a_wish_that_waits() -> None:
    """It knows all that the wish was about."""
    responses = Responses()
    responses.speech_started()
    responses.want(ResponseAsked())
    responses.speech_stopped(1.0)
    responses.created("r1")
    responses.done("r1")

    assert responses.settled


def test_the_caller_is_not_interrupted() -> None:
    """A wish waits for the end of speech, and then for the provider to begin by itself."""
    responses = Responses()
    responses.speech_started()
    responses.want(ResponseAsked())
    while_speaking = responses.due(5.0)
    responses.speech_stopped(6.0)
    just_after = responses.due(6.0)
    responses.tick(6.0 + VAD_GRACE)

    assert while_speaking is None
    assert just_after is None
    assert responses.due(6.0 + VAD_GRACE) == Respond()


def test_the_deadline_is_the_next_thing_to_give_up() -> None:
    """Nothing when nothing is awaited; never a time that has been ticked past."""
    responses = Responses()
    nothing = responses.deadline
    responses.speech_started()
    responses.speech_stopped(2.0)
    after_speech = responses.deadline
    responses.tick(2.0 + VAD_GRACE)
    past = responses.deadline
    responses.want(ResponseAsked())
    responses.due(4.0)

    assert nothing is None
    assert after_speech == 2.0 + VAD_GRACE
    assert past is None
    assert responses.deadline == 4.0 + ANSWER_TIMEOUT


def test_what_does_not_come_is_given_up() -> None:
    """The model is free again."""
    responses = asked(now=1.0)
    responses.tick(1.0 + ANSWER_TIMEOUT)

    assert responses.settled


def test_a_refused_wish_keeps_its_words() -> None:
    """Whether the refusal comes before the other response is told of, or after."""
    before, after = asked("greet"), asked("greet")
    before.refused(0.1)
    after.created("other")
    after.refused(0.1)
    after.done("other")

    assert before.due(0.1) is None
    before.tick(0.1 + VAD_GRACE)
    assert before.due(0.1 + VAD_GRACE) == Respond("greet")
    assert after.due(3.0) == Respond("greet")


def test_the_newest_words_win_and_no_words_are_no_news() -> None:
    """A plain wish adds nothing to one with instructions."""
    responses = Responses()
    responses.want(ResponseAsked("one"))
    responses.want(ResponseAsked("two"))
    responses.want(ResponseAsked())

    assert responses.due(0.0) == Respond("two")


def test_a_turn_is_claimed_once() -> None:
    """By a message that asks for its answer itself; a second one has to wait."""
    responses = Responses()

    assert responses.claim(0.0)
    assert not responses.claim(0.0)
    assert responses.busy


def test_a_turn_is_not_claimed_before_an_older_wish() -> None:
    """The wish will ask for both."""
    responses = Responses()
    responses.want(ResponseAsked())

    assert not responses.claim(0.0)


def test_a_model_that_goes_on_by_itself_is_expected() -> None:
    """Nothing is asked, and still the model is busy; one that is busy already stays so."""
    responses, active = Responses(), Responses()
    responses.expect(0.0)
    active.created("r1")
    active.expect(0.0)
    active.done("r1")

    assert responses.busy
    assert not active.busy


def test_wishes_outlive_the_session_and_so_does_the_one_it_owed() -> None:
    """What it was doing goes with it."""
    owed, waiting, active = asked("greet"), Responses(), Responses()
    owed.forget()
    waiting.speech_started()
    waiting.want(ResponseAsked("bye"))
    waiting.forget()
    active.created("r1")
    active.forget()

    assert owed.due(0.0) == Respond("greet")
    assert waiting.due(0.0) == Respond("bye")
    assert active.settled


def test_what_was_committed_ends_speech_only_where_there_was_any() -> None:
    """A turn that is committed by hand is answered without delay."""
    spoken, by_hand = Responses(), Responses()
    spoken.speech_started()
    spoken.committed(1.0)
    by_hand.committed(1.0)

    assert spoken.answer_due
    assert not spoken.speaking
    assert not by_hand.answer_due


def test_what_was_cleared_will_not_be_answered() -> None:
    """Nobody speaks any more, and no answer is due."""
    responses = Responses()
    responses.speech_started()
    responses.cleared()

    assert responses.settled
