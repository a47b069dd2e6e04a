"""What is said, called and asked for within a session. Times are seconds."""

from __future__ import annotations

from bridge.ports import server_events as event
from bridge.ports.client_events import Message
from bridge.ports.model import Memory
from bridge.ports.phrases import GO_ON
from bridge.runner.dialogue import MAX_MESSAGES, Dialogue
from bridge.runner.vocabulary import Respond, ResponseAsked, Tell, ToolAnswered
from tests.runner.scripts import called, created, done, words


def dialogue(*, auto_execute_tools: bool = True, responds_to_tools: bool = False) -> Dialogue:
    return Dialogue(auto_execute_tools=auto_execute_tools, responds_to_tools=responds_to_tools)


def test_a_call_is_run_or_left_to_the_owner() -> None:
    """Either way the turn waits for its answer."""
    runs, tells = dialogue(), dialogue(auto_execute_tools=False)

    assert words(runs.note(called(), 0.0)) == "run c1"
    assert tells.note(called(), 0.0) == []
    assert runs.executing
    assert tells.executing


def test_answers_wait_for_the_end_of_the_response_that_called() -> None:
    """Where the model has to be asked; one that goes on by itself is told at once."""
    asks, goes_on = dialogue(), dialogue(responds_to_tools=True)
    for one in (asks, goes_on):
        one.note(created(), 0.0)
        one.note(called(), 0.0)
        one.answered(ToolAnswered("c1", 1))

    assert asks.answers(1.0) == []
    assert words(goes_on.answers(1.0)) == "answer c1"
    asks.note(done(), 1.0)
    assert words(asks.answers(1.0) + asks.say(1.0)) == "answer c1, respond"


def test_a_pause_is_when_nothing_would_be_cut_off() -> None:
    """Not with a call without an answer, an answer not sent, or a wish not carried out."""
    one = dialogue()
    silent = one.pause_at
    one.note(called(), 0.0)
    calling = one.pause_at
    one.answered(ToolAnswered("c1", 1))
    unsent = one.pause_at
    one.answers(0.0)
    unasked = one.pause_at
    one.say(0.0)
    asked = one.pause_at
    one.note(created(), 0.0)
    one.note(done(), 0.0)

    assert silent == 0.0
    assert (calling, unsent, unasked, asked) == (float("inf"),) * 4
    assert one.pause_at == 0.0


def test_the_caller_is_heard_in_many_ways() -> None:
    """A voice, a committed turn, words."""
    one = dialogue()
    one.note(event.SpeechStarted(), 0.0)
    speaking = one.pause_at
    one.note(event.AudioCommitted("u1"), 1.0)
    committed = one.pause_at
    one.tick(2.0)
    one.note(event.InputTranscriptDelta("hello", "u1"), 2.0)

    assert speaking == committed == float("inf")
    assert one.pause_at == 3.0


def test_messages_are_told_in_order_and_before_the_model_speaks() -> None:
    """A bridge message comes first."""
    one = dialogue()
    one.want(ResponseAsked("go"))
    one.tell(Message("user", "two"))
    one.tell(Message("user", "one"), first=True)

    assert one.say(0.0) == [
        Tell(Message("user", "one")),
        Tell(Message("user", "two")),
        Respond("go"),
    ]


def test_of_two_messages_to_answer_the_first_asks_for_both() -> None:
    """The second is known before the answer begins."""
    one = dialogue()
    one.tell(Message("user", "one", respond=True))
    one.tell(Message("user", "two", respond=True))

    assert one.say(0.0) == [
        Tell(Message("user", "one", respond=True)),
        Tell(Message("user", "two")),
    ]


def test_what_waits_for_a_session_is_bounded() -> None:
    """The oldest message goes first."""
    one = dialogue()
    for number in range(MAX_MESSAGES + 2):
        one.tell(Message("user", str(number)))

    told = one.say(0.0)

    assert len(told) == MAX_MESSAGES
    assert told[0] == Tell(Message("user", "2"))


def test_what_a_session_leaves_undone_is_handed_over() -> None:
    """The cut answer, and the answers that nobody heard."""
    one = dialogue()
    one.note(created(), 0.0)
    one.note(called(), 0.0)
    one.cut()
    one.answered(ToolAnswered("c1", 1))
    one.pack()

    told = one.take_over(Memory.NATIVE, 101.0)

    assert words(told) == "tell"
    assert one.say(1.0) == [Respond(GO_ON)]
    assert not one.executing
