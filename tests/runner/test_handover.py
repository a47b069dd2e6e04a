"""What a new session has to hear when it follows another that was cut off."""

from __future__ import annotations

import pytest

from bridge.ports.client_events import Message
from bridge.ports.model import Memory, ToolResponse
from bridge.ports.phrases import ASK_AGAIN, GO_ON
from bridge.runner.handover import Handover, late_answer
from bridge.runner.responses import Responses
from bridge.runner.vocabulary import ResponseAsked, Tell

ANSWER = ToolResponse("c1", {"open": "seven"}, "hours")


def cut(responses: Responses) -> Handover:
    handover = Handover()
    handover.cut(responses)
    return handover


def test_silence_hands_nothing_over() -> None:
    """A session that was lost while nobody spoke is followed without a word."""
    handover = cut(Responses())

    assert handover.words(Memory.REPLAYED) == []
    assert handover.wish() is None


def test_an_answer_in_the_middle_is_taken_up() -> None:
    """The model is asked to go on."""
    responses = Responses()
    responses.created("r1")

    assert cut(responses).wish() == ResponseAsked(GO_ON)


def test_a_caller_in_the_middle_has_to_be_asked_again() -> None:
    """Told to the model, which answers when the caller has finished."""
    responses = Responses()
    responses.created("r1")
    responses.speech_started()
    handover = cut(responses)

    assert handover.words(Memory.NATIVE) == [Tell(Message("system", ASK_AGAIN), remember=False)]
    assert handover.wish() is None


def test_a_caller_who_has_just_finished_is_owed_an_answer() -> None:
    """Nobody will speak if the model does not."""
    responses = Responses()
    responses.speech_started()
    responses.speech_stopped(0.0)
    handover = cut(responses)

    assert handover.words(Memory.REPLAYED) == []
    assert handover.wish() == ResponseAsked(ASK_AGAIN)


@pytest.mark.parametrize("memory", [Memory.NONE, Memory.NATIVE])
def test_answers_are_told_to_a_session_that_was_not_told_the_history(memory: Memory) -> None:
    """In words, for it knows no such call."""
    handover = cut(Responses())
    handover.answered([ANSWER])

    assert handover.words(memory) == [late_answer(ANSWER)]
    assert handover.wish() == ResponseAsked()


def test_answers_are_in_the_history() -> None:
    """They are not told twice, and the model speaks all the same."""
    handover = cut(Responses())
    handover.answered([ANSWER])

    assert handover.words(Memory.REPLAYED) == []
    assert handover.wish() == ResponseAsked()


def test_a_late_answer_is_json_and_not_remembered_twice() -> None:
    """The conversation has it as a tool's answer already."""
    told = late_answer(ANSWER)

    assert told.message == Message("system", 'The tool hours answered meanwhile: {"open": "seven"}')
    assert not told.remember
