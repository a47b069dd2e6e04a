"""What has been said in a session so far, as the caller heard it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.audio.formats import PCM16_24K
from bridge.ports import server_events as event
from bridge.ports.client_events import Message
from bridge.ports.conversation import AgentSaid, CallerSaid, Note, ToolAsked, ToolUsed
from bridge.ports.server_events import ServerEvent
from bridge.runner.conversation import MAX_ITEMS, Conversation

SECOND = PCM16_24K.bytes_per_second


def conversation(*events: ServerEvent) -> Conversation:
    one = Conversation()
    one.voice_is(PCM16_24K)
    for happened in events:
        one.note(happened)
    return one


def said(text: str, *, seconds: float = 0.0, item_id: str = "a1") -> list[ServerEvent]:
    """An item of the agent's: its voice, and its words in two pieces and as a whole."""
    half = len(text) // 2
    return [
        event.AudioDelta(item_id, bytes(int(seconds * SECOND))),
        event.TranscriptDelta(item_id, text[:half]),
        event.TranscriptDelta(item_id, text[half:]),
        event.TranscriptDone(item_id, text),
    ]


def heard_caller(text: str, item_id: str = "u1") -> list[ServerEvent]:
    return [event.AudioCommitted(item_id), event.InputTranscriptDone(text, item_id)]


def test_turns_are_told_oldest_first() -> None:
    """Both sides, and the words once however often they come."""
    one = conversation(*said("Good morning."), *heard_caller("Hello."), *said("Yes?", item_id="a2"))

    assert one.history() == (AgentSaid("Good morning."), CallerSaid("Hello."), AgentSaid("Yes?"))


def test_a_late_transcript_keeps_its_place() -> None:
    """The caller spoke before the answer, whenever it was written down."""
    one = conversation(event.SpeechStarted(item_id="u1"), *said("Seven to six."))
    one.note(event.InputTranscriptDone("When are you open?", "u1"))

    assert one.history() == (CallerSaid("When are you open?"), AgentSaid("Seven to six."))


def test_transcripts_without_an_item_are_turns_of_their_own() -> None:
    """In the order in which they come."""
    one = conversation(event.InputTranscriptDone("One."), event.InputTranscriptDone("Two."))

    assert one.history() == (CallerSaid("One."), CallerSaid("Two."))


def test_turns_without_words_are_left_out() -> None:
    """A cough, or speech that nobody transcribed."""
    one = conversation(event.SpeechStarted(item_id="u1"), *said(" "), *heard_caller("", "u2"))

    assert one.history() == ()


def test_text_answers_are_words_too() -> None:
    """Deltas, or the whole text."""
    one = conversation(event.TextDelta("a1", "Hel"), event.TextDelta("a1", "lo"))
    one.note(event.TextDone("a2", "You"))

    assert one.history() == (AgentSaid("Hello"), AgentSaid("You"))


@pytest.mark.parametrize(
    ("heard_ms", "heard"),
    [
        (0, ()),
        (50, ()),
        (100, (AgentSaid("We"),)),
        (500, (AgentSaid("We open at"),)),
        (850, (AgentSaid("We open at seven"),)),
        (1000, (AgentSaid("We open at seven today"),)),
        (5000, (AgentSaid("We open at seven today"),)),
    ],
)
def test_what_was_cut_off_was_not_heard(heard_ms: int, heard: tuple[AgentSaid, ...]) -> None:
    """Words count when they were heard whole."""
    one = conversation(*said("We open at seven today", seconds=1.0))
    one.truncate("a1", heard_ms)

    assert one.history() == heard


def test_words_that_come_after_the_cut_are_cut_too() -> None:
    """The provider goes on telling what it has generated, and then the whole of it."""
    one = conversation(event.AudioDelta("a1", bytes(SECOND)), event.TranscriptDelta("a1", "One "))
    one.truncate("a1", 500)
    for happened in (
        event.TranscriptDelta("a1", "two three"),
        event.AudioDelta("a1", bytes(SECOND)),
        event.TranscriptDone("a1", "One two three four."),
    ):
        one.note(happened)

    assert one.history() == (AgentSaid("One"),)


def test_the_smallest_of_two_cuts_counts() -> None:
    """What was not heard cannot be heard later."""
    one = conversation(*said("We open at seven today", seconds=1.0))
    one.truncate("a1", 500)
    one.truncate("a1", 900)

    assert one.history() == (AgentSaid("We open at"),)


def test_a_script_without_spaces_is_cut_between_its_signs() -> None:
    """There is no word to go back to."""
    text = "我们从早上七点营业到晚上六点周末休息欢迎您随时光临谢谢您的来电再见" * 2
    one = conversation(*said(text, seconds=2.0))
    one.truncate("a1", 1500)

    assert one.history() == (AgentSaid(text[: len(text) * 3 // 4]),)


def test_a_cut_of_something_unknown_is_none() -> None:
    """An item of an older session, or of the caller's, or one without a voice."""
    one = conversation(*heard_caller("Hello."), event.TextDone("a2", "Hi."))
    one.truncate("u1", 0)
    one.truncate("a9", 0)
    one.truncate("a2", 0)

    assert one.history() == (CallerSaid("Hello."), AgentSaid("Hi."))


def test_tools_are_told_with_their_answers() -> None:
    """Where they answered; a call without an answer is not told."""
    one = conversation(
        event.FunctionCallDone("c1", "look", '{"a": 1}'),
        event.FunctionCallDone("c2", "look", "{}"),
    )
    one.answered("c1", '"found"')
    one.answered("c1", '"again"')
    one.answered("c9", '"nobody asked"')

    assert one.history() == (ToolUsed("c1", "look", '{"a": 1}', '"found"'),)


def test_a_call_that_was_taken_back_is_not_told() -> None:
    """Whatever it answers."""
    one = conversation(event.FunctionCallDone("c1", "look", "{}"), event.ToolCallCancelled(("c1",)))
    one.answered("c1", '"found"')

    assert one.history() == ()


def test_messages_are_told_as_whose_they_are() -> None:
    """User, assistant, and everybody else's as notes."""
    one = conversation()
    for role in ("user", "assistant", "system"):
        one.told(Message(role, role))

    assert one.history() == (CallerSaid("user"), AgentSaid("assistant"), Note("system"))


def test_a_conversation_begins_where_another_stopped() -> None:
    """The history of an earlier runner comes first."""
    before = (CallerSaid("Hello."), ToolUsed("c1", "look", "{}", "1"), Note("vip"))
    one = Conversation(before)
    one.voice_is(PCM16_24K)
    for happened in said("Yes?"):
        one.note(happened)

    assert one.history() == (*before, AgentSaid("Yes?"))


def test_a_conversation_is_bounded() -> None:
    """Its oldest part goes first."""
    one = conversation()
    for number in range(MAX_ITEMS + 10):
        one.told(Message("user", str(number)))

    assert len(one.history()) == MAX_ITEMS
    assert one.history()[0] == CallerSaid("10")


def test_what_is_being_heard_just_now() -> None:
    """A snapshot in mid-sentence has the words heard so far, and changes nothing."""
    conversation = Conversation()
    conversation.voice_is(PCM16_24K)
    conversation.note(event.AudioDelta("i1", bytes(96_000)))
    conversation.note(event.TranscriptDelta("i1", "From seven to six every day."))

    now = conversation.history({"i1": 1_000.0})

    assert now == (AgentSaid("From seven to"),)
    assert conversation.history() == (AgentSaid("From seven to six every day."),)


IDS = st.sampled_from(["a1", "a1", "a1", "a2", "u1", ""])
WORDS = st.sampled_from(["", " ", "Seven.", "From seven to six every day."])
HAPPENINGS = st.one_of(
    st.builds(event.AudioDelta, IDS, st.just(bytes(SECOND))),
    st.builds(event.TranscriptDelta, IDS, WORDS),
    st.builds(event.TranscriptDone, IDS, WORDS),
    st.builds(event.AudioCommitted, IDS),
    st.builds(event.InputTranscriptDone, WORDS, IDS),
    st.builds(event.FunctionCallDone, IDS, st.just("look"), st.just("{}")),
    st.tuples(st.sampled_from(["truncate", "truncate", "answered"]), IDS, st.integers(1, 2)),
)
ASKED = st.dictionaries(IDS, st.floats(0, 4_000), max_size=2)


@given(st.lists(st.tuples(HAPPENINGS, ASKED), max_size=12))
@example([(("truncate", "a1", 2), {}), (event.AudioDelta("a1", bytes(SECOND)), {})])
def test_how_often_it_is_asked_changes_nothing(
    moments: list[tuple[ServerEvent | tuple[str, str, int], dict[str, float]]],
) -> None:
    """What was told before is not told anew: each answer is that of one who is never asked."""
    begun = said("seven" * 20, seconds=3.0)  # which is cut at any sign
    asked = conversation(*begun)
    asked.history()
    for count, (happened, heard) in enumerate(moments, 1):
        happen(asked, happened)
        fresh, other = conversation(*begun), conversation(*begun)
        for earlier, _ in moments[:count]:
            happen(fresh, earlier)
            happen(other, earlier)

        assert asked.history(heard) == fresh.history(heard)
        assert asked.history() == other.history()


def happen(conversation: Conversation, happened: ServerEvent | tuple[str, str, int]) -> None:
    match happened:
        case ("truncate", item_id, seconds):
            conversation.truncate(item_id, seconds * 1_000)
        case ("answered", call_id, number):
            conversation.answered(call_id, str(number))
        case tuple():
            raise AssertionError
        case _:
            conversation.note(happened)


def test_calls_without_an_answer() -> None:
    """Those of this session and of those before it; whoever runs tools knows which were begun."""
    one = Conversation(unanswered=(ToolAsked("c0", "look", "{}"),))
    for number in (1, 2, 3):
        one.note(event.FunctionCallDone(f"c{number}", "book", '{"n": 1}'))
    one.answered("c1", "1")
    one.note(event.ToolCallCancelled(("c3",)))

    unanswered = one.unanswered(lambda call_id: call_id == "c2")

    assert unanswered == (
        ToolAsked("c0", "look", "{}"),
        ToolAsked("c2", "book", '{"n": 1}', begun=True),
    )
    assert one.history() == (ToolUsed("c1", "book", '{"n": 1}', "1"),)


def test_an_answer_that_is_told_twice_is_remembered_once() -> None:
    """A provider would not know what to make of two answers to one call."""
    one = Conversation()
    for _ in range(2):
        one.note(event.FunctionCallDone("c1", "look", "{}"))
        one.answered("c1", "1")

    assert one.history() == (ToolUsed("c1", "look", "{}", "1"),)
