"""
The turns of a conversation: Gemini names nothing and says no beginning, and still every
response that begins ends exactly once.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridge.ports import server_events as event
from bridge.ports.server_events import ResponseStatus, ServerEvent
from tests.wire.gemini.told import PCM, Told, voice


def test_a_turn_has_a_beginning_a_middle_and_one_end() -> None:
    """Gemini names nothing and says no beginning: responses and items are given names (D3)."""
    told = Told()

    heard = told.content(inputTranscription={"text": "Are you open?"})
    begun = told.content(modelTurn=voice())
    said = told.content(outputTranscription={"text": "Yes, "})
    more = told.content(modelTurn=voice(), outputTranscription={"text": "we are."})
    produced = told.content(generationComplete=True)
    done = told.content(turnComplete=True)

    assert heard == [event.InputTranscriptDelta("Are you open?", "item_1")]
    assert begun == [
        event.InputTranscriptDone("Are you open?", "item_1"),
        event.ResponseCreated("resp_2"),
        event.AudioDelta("item_2", PCM, "resp_2"),
    ]
    assert said == [event.TranscriptDelta("item_2", "Yes, ", "resp_2")]
    assert more == [
        event.AudioDelta("item_2", PCM, "resp_2"),
        event.TranscriptDelta("item_2", "we are.", "resp_2"),
    ]
    assert produced == [event.AudioDone("item_2", "resp_2")]
    assert done == [
        event.TranscriptDone("item_2", "Yes, we are.", "resp_2"),
        event.ResponseDone("resp_2", ResponseStatus.COMPLETED),
    ]


def test_an_interruption_cuts_the_turn_once() -> None:
    """`interrupted` is the barge-in; the turnComplete behind it ends nothing more."""
    told = Told()
    told.content(modelTurn=voice(), outputTranscription={"text": "Well, "})

    cut = told.content(interrupted=True)
    late = told.content(outputTranscription={"text": "never heard"})
    end = told.content(turnComplete=True)

    assert cut == [
        event.Interrupted("resp_1"),
        event.AudioDone("item_1", "resp_1"),
        event.TranscriptDone("item_1", "Well, ", "resp_1"),
        event.ResponseDone("resp_1", ResponseStatus.CANCELLED, "interrupted"),
    ]
    assert late == []
    assert end == []


def test_an_interruption_may_come_when_all_is_produced() -> None:
    """The server still thinks that it is playing, and so may our caller's telephone be."""
    told = Told()
    told.content(modelTurn=voice(), generationComplete=True, turnComplete=True)

    assert told.content(interrupted=True) == [event.Interrupted("resp_1")]
    assert told.content(turnComplete=True) == []
    assert told.content(modelTurn=voice())[0] == event.ResponseCreated("resp_2")


def test_what_the_caller_says_over_the_model_stays_one_transcript() -> None:
    told = Told()
    told.content(modelTurn=voice())
    told.content(inputTranscription={"text": "No, "})
    told.content(interrupted=True)
    told.content(turnComplete=True)
    told.content(inputTranscription={"text": "wait."})

    events = told.content(modelTurn=voice())

    assert event.InputTranscriptDone("No, wait.", "item_2") in events


def test_a_late_transcript_of_the_caller_is_done_with_the_turn() -> None:
    told = Told()
    told.content(modelTurn=voice())
    told.content(inputTranscription={"text": "Hello?"})

    events = told.content(turnComplete=True)

    assert events[0] == event.InputTranscriptDone("Hello?", "item_2")


def test_a_finished_transcript_says_so() -> None:
    events = Told().content(inputTranscription={"text": "Bye.", "finished": True})

    assert events == [
        event.InputTranscriptDelta("Bye.", "item_1"),
        event.InputTranscriptDone("Bye.", "item_1"),
    ]


def test_a_transcript_before_its_audio_waits_for_it() -> None:
    """It begins no response, so that a straggler leaves none open."""
    told = Told()

    early = told.content(outputTranscription={"text": "Yes."})
    begun = told.content(modelTurn=voice())

    assert early == []
    assert begun[:2] == [
        event.ResponseCreated("resp_1"),
        event.TranscriptDelta("item_1", "Yes.", "resp_1"),
    ]


def test_extended_thinking_ends_its_turn_when_it_is_idle() -> None:
    told = Told()
    told.content(modelTurn=voice())

    chunk = told.content(turnComplete=True, interactionStatus="IN_PROGRESS")
    more = told.content(modelTurn=voice())
    done = told.content(turnComplete=True, interactionStatus="IDLE")

    assert chunk == []
    assert more == [event.AudioDelta("item_1", PCM, "resp_1")]
    assert done[-1] == event.ResponseDone("resp_1")


def test_an_empty_turn_is_a_response_only_when_one_was_asked_for() -> None:
    told = Told()
    unasked = told.content(turnComplete=True)
    told.turn.ask()
    asked = told.content(turnComplete=True)

    assert unasked == []
    assert asked == [event.ResponseCreated("resp_1"), event.ResponseDone("resp_1")]


def test_a_turn_that_failed_says_why() -> None:
    events = Told().content(turnComplete=True, turnCompleteReason="RESPONSE_REJECTED")

    assert events == [
        event.ResponseCreated("resp_1"),
        event.ResponseDone("resp_1", ResponseStatus.FAILED, "RESPONSE_REJECTED"),
    ]


def test_stopping_by_our_wish_silences_the_rest_of_the_turn() -> None:
    """Whatever the server still sends of it; the next turn is heard again."""
    told = Told()
    told.content(modelTurn=voice(), outputTranscription={"text": "Once upon"})

    cut = told.turn.cut()
    rest = told.content(modelTurn=voice(), outputTranscription={"text": " a time"})
    end = told.content(generationComplete=True, turnComplete=True)
    next_turn = told.content(modelTurn=voice())

    assert cut == [
        event.Interrupted("resp_1"),
        event.AudioDone("item_1", "resp_1"),
        event.TranscriptDone("item_1", "Once upon", "resp_1"),
        event.ResponseDone("resp_1", ResponseStatus.CANCELLED, "client_cancelled"),
    ]
    assert rest == []
    assert end == []
    assert next_turn[0] == event.ResponseCreated("resp_2")


def test_a_server_that_obeys_the_wish_is_not_told_twice() -> None:
    told = Told()
    told.content(modelTurn=voice())
    told.turn.cut()

    assert told.content(interrupted=True) == []
    assert told.content(turnComplete=True) == []
    assert told.content(modelTurn=voice())[0] == event.ResponseCreated("resp_2")


def test_with_nothing_to_stop_nothing_is_told() -> None:
    told = Told()

    assert told.turn.cut() == []
    assert told.content(modelTurn=voice())[0] == event.ResponseCreated("resp_1")


CONTENT = st.fixed_dictionaries(
    {},
    optional={
        "modelTurn": st.just(voice()),
        "outputTranscription": st.sampled_from([{"text": "a"}, {"text": ""}]),
        "inputTranscription": st.sampled_from([{"text": "b"}, {"text": "c", "finished": True}]),
        "interrupted": st.just(True),
        "generationComplete": st.just(True),
        "turnComplete": st.just(True),
        "interactionStatus": st.sampled_from(["IN_PROGRESS", "IDLE"]),
    },
)


@given(st.lists(st.one_of(CONTENT, st.sampled_from(["ask", "cut", "call"])), max_size=12))
def test_whatever_comes_every_response_ends_once(happened: list[Any]) -> None:
    """And whatever is said in between bears its name."""
    told = Told()
    events: list[ServerEvent] = []
    for what in happened:
        match what:
            case "ask":
                told.turn.ask()
            case "cut":
                events += told.turn.cut()
            case "call":
                events += told.read(toolCall={"functionCalls": [{"id": "c", "name": "f"}]})
            case content:
                events += told.content(**content)

    open_response = ""
    for heard in events:
        match heard:
            case event.ResponseCreated(response_id):
                assert not open_response
                open_response = response_id
            case event.ResponseDone(response_id):
                assert response_id == open_response
                open_response = ""
            case (
                event.AudioDelta(response_id=response_id)
                | event.AudioDone(response_id=response_id)
                | event.TranscriptDelta(response_id=response_id)
                | event.TranscriptDone(response_id=response_id)
                | event.FunctionCallDone(response_id=response_id)
            ):
                assert response_id == open_response
    assert told.turn.open == bool(open_response)
