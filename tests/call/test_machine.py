"""A call from its beginning: greeting, turns, interruptions, keys. Endings have their own file."""

from __future__ import annotations

import pytest

from bridge.audio.formats import ULAW_8K
from bridge.call.machine import Call
from bridge.call.patience import CallRules
from bridge.call.vocabulary import (
    AskResponse,
    CallEvent,
    Finishing,
    Happened,
    Interrupt,
    ModelFailed,
    ModelReady,
    Moment,
    PressAsked,
    SayAsked,
    Tell,
    TimeIsUp,
    Truncate,
    Voice,
)
from bridge.errors import Ending, Fault
from bridge.ports import leg, phrases
from bridge.ports import runner_events as runner
from bridge.ports import server_events as model
from bridge.ports.client_events import Message
from bridge.ports.model import Memory
from bridge.ports.runner_events import Cause, ToolOutcome
from bridge.ports.server_events import Drop, ResponseStatus
from bridge.ports.store import Cut
from tests.call.scripts import (
    STARTED,
    CallScript,
    deeds,
    done,
    marks,
    moments,
    played,
    sound,
    voice,
)

GREETING = CallRules(greeting="Good morning.")
GREET = AskResponse(phrases.greet("Good morning."))
LOST_MODEL = model.Disconnected(Drop.LOST)
RESUMED = runner.Resumed(Cause.DROP, Memory.REPLAYED, 1, 0.3)


def cancelled(response: str = "r1") -> model.ResponseDone:
    return done(response, ResponseStatus.CANCELLED, "turn_detected")


# The beginning


@pytest.mark.parametrize("events", [(STARTED, ModelReady()), (ModelReady(), STARTED)])
def test_the_greeting_comes_at_once(events: tuple[CallEvent, ...]) -> None:
    """As soon as both are there, whoever was first, and not before."""
    call = CallScript(GREETING, begun=False)

    assert deeds(call.at(0.0, events[0])) == []
    assert deeds(call.at(0.2, events[1])) == [GREET]


def test_nobody_is_greeted_twice() -> None:
    """Neither by a second start nor by a new session of the model's."""
    call = CallScript(GREETING)

    commands = call.at(1.0, STARTED, ModelReady(), LOST_MODEL, RESUMED)

    assert deeds(commands) == []


def test_without_a_greeting_the_caller_speaks_first() -> None:
    call = CallScript(begun=False)

    assert deeds(call.at(0.0, STARTED, ModelReady())) == []


def test_a_call_that_was_cut_off_goes_on() -> None:
    """The agent takes up its thread and does not greet again."""
    call = CallScript(GREETING, begun=False)

    commands = call.at(0.0, STARTED, ModelReady(resumed=True, cut=Cut.AGENT))

    assert deeds(commands) == [AskResponse(phrases.GO_ON)]


def test_a_caller_who_was_cut_off_is_asked_again() -> None:
    """They may be waiting for an answer to what nobody heard."""
    call = CallScript(GREETING, begun=False)

    commands = call.at(0.0, STARTED, ModelReady(resumed=True, cut=Cut.CALLER))

    assert deeds(commands) == [Tell(Message("system", phrases.ASK_AGAIN, respond=True))]


def test_a_call_that_was_silent_stays_silent() -> None:
    """Nobody was speaking when the line was lost: there is nothing to say about it."""
    call = CallScript(GREETING, begun=False)

    assert deeds(call.at(0.0, STARTED, ModelReady(resumed=True))) == []


def test_voice_without_a_caller_goes_nowhere() -> None:
    """There is no leg yet that could return the marks."""
    call = CallScript(begun=False)

    assert call.at(0.0, ModelReady(), voice()) == [Happened(Moment.MODEL_READY)]


# The agent speaks


def test_the_voice_passes_with_its_marks() -> None:
    """There is one soon after it begins, and one at the end."""
    call = CallScript()
    call.at(1.0, model.SpeechStarted())
    call.at(2.0, model.SpeechStopped(), model.ResponseCreated("r1"))

    commands = call.at(2.5, voice(150))

    [first] = marks(commands)
    assert commands == [
        leg.Play(sound(100), first),
        leg.Play(sound(50)),
        Happened(Moment.AGENT_SPEAKS, seconds=0.5),
    ]
    assert call.at(2.5, done()) == [leg.Play(b"", call.pending[-1])]
    assert call.at(2.5, model.SpeechStopped()) == []


def test_the_timeline_tells_when_all_was_heard() -> None:
    """Not at each mark, but at the last."""
    call = CallScript()
    call.answer(1.0, ms=300)

    assert moments(call.heard(1.1, 1)) == []
    assert moments(call.heard(1.3)) == [Moment.AGENT_HEARD]


def test_an_answer_that_begins_over_the_caller_is_heard() -> None:
    """It was asked for before the caller began; if they mean to interrupt, they still can."""
    call = CallScript()
    call.at(1.0, model.SpeechStarted(), model.ResponseCreated("r1"))

    assert sound(100) in played(call.at(1.1, voice()))


def test_audio_after_the_end_of_its_answer_is_heard() -> None:
    """Nobody has interrupted: late words are words."""
    call = CallScript()
    call.answer(1.0)

    late = call.at(1.1, voice(item="item of r1"))

    assert sound(100) in played(late)


def test_an_answer_that_nobody_announced_is_heard() -> None:
    call = CallScript()

    assert sound(100) in played(call.at(1.0, voice(response="r7")))


# The caller interrupts


def test_caller_interrupts() -> None:
    """Speech over the agent's voice clears it first, then tells how much was heard."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(1000))
    call.heard(1.1, 1)

    commands = call.at(1.45, model.SpeechStarted())

    assert commands == [
        Happened(Moment.CALLER_SPEAKS),
        leg.Clear(),
        Truncate("i1", 450),
        Happened(Moment.INTERRUPTED, seconds=0.45),
    ]


def test_nothing_of_an_interrupted_answer_is_played() -> None:
    """Neither what still comes nor what comes after its end; the next answer is."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(1000))
    call.at(1.5, model.SpeechStarted())

    late = call.at(1.6, voice(), model.Interrupted("r1"), voice(), cancelled(), voice())
    next_one = call.at(3.0, model.ResponseCreated("r2"), voice(response="r2"))

    assert deeds(late) == []
    assert sound(100) in played(next_one)


def test_an_answer_interrupted_before_its_first_word_stays_unsaid() -> None:
    """The caller spoke when it was created and had no voice yet."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"))

    assert deeds(call.at(1.1, model.SpeechStarted(), voice(), cancelled(), voice())) == []


def test_an_answer_that_is_complete_is_interrupted_as_well() -> None:
    """Models produce faster than people listen; late audio of it does not come back."""
    call = CallScript()
    call.answer(1.0, ms=5000)
    call.heard(2.1, 2)

    commands = call.at(2.5, model.SpeechStarted())
    late = call.at(2.6, voice(item="item of r1"))

    assert deeds(commands) == [leg.Clear(), Truncate("item of r1", 1500)]
    assert deeds(late) == []


def test_several_items_are_cut_at_once() -> None:
    """The one that is heard at its place, those behind it before they began."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(300, item="i1"), voice(300, item="i2"), done())
    call.at(1.0, model.ResponseCreated("r2"), voice(300, response="r2", item="i3"))
    call.heard(1.1, 1)

    commands = call.at(1.4, model.SpeechStarted())

    assert deeds(commands) == [leg.Clear(), Truncate("i2", 100), Truncate("i3", 0)]


def test_interrupted_without_a_word_of_the_callers_speech() -> None:
    """Some providers only say that the model was interrupted."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(1000))

    commands = call.at(1.25, model.Interrupted("r1"), cancelled(), voice())

    assert deeds(commands) == [leg.Clear(), Truncate("i1", 100)]


def test_interrupted_after_all_was_produced() -> None:
    """The provider knows that its voice is still playing."""
    call = CallScript()
    call.answer(1.0, ms=2000)

    commands = call.at(1.05, model.Interrupted("r1"))

    assert deeds(commands) == [leg.Clear(), Truncate("item of r1", 50)]


def test_a_late_interruption_does_not_touch_the_next_answer() -> None:
    call = CallScript()
    call.answer(1.0)
    call.at(1.5, model.ResponseCreated("r2"), voice(response="r2"))

    assert deeds(call.at(1.6, model.Interrupted("r1"))) == []


def test_an_interruption_in_a_gap_of_the_voice() -> None:
    """Nothing is queued, so there is nothing to clear; but more was to come."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(100))
    call.heard(1.1)

    commands = call.at(1.5, model.SpeechStarted())

    assert commands == [
        Happened(Moment.CALLER_SPEAKS),
        Truncate("i1", 100),
        Happened(Moment.INTERRUPTED, seconds=0.1),
    ]


def test_speech_into_silence_interrupts_nothing() -> None:
    """The agent has said all, and the caller has heard it."""
    call = CallScript()
    call.answer(1.0)
    call.heard(1.5)

    assert call.at(2.0, model.SpeechStarted()) == [Happened(Moment.CALLER_SPEAKS)]


def test_marks_that_come_back_by_a_clear_count_for_nothing() -> None:
    """They come while the next answer is on its way already."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(1000))
    cleared = len(call.pending)
    call.at(1.1, model.SpeechStarted(), cancelled())
    call.at(1.2, model.ResponseCreated("r2"), voice(500, response="r2", item="i2"))

    call.heard(1.25, cleared)
    commands = call.at(1.25, model.SpeechStarted())

    assert deeds(commands) == [leg.Clear(), Truncate("i2", 50)]


def test_an_agent_that_cannot_be_interrupted() -> None:
    call = CallScript(CallRules(interruptible=False))
    call.at(1.0, model.ResponseCreated("r1"), voice(1000))

    commands = call.at(1.1, model.SpeechStarted(), leg.Digit("1"), voice(20))

    assert deeds(commands) == [leg.Play(sound(20))]


def test_answers_without_ids() -> None:
    """A provider need not name its answers: each that begins is a new one."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated(""), voice(1000, response=""))

    cut = call.at(1.1, model.SpeechStarted(), voice(response=""), done(""), voice(response=""))
    next_one = call.at(2.0, model.ResponseCreated(""), voice(response=""))

    assert deeds(cut) == [leg.Clear(), Truncate("i1", 100)]
    assert sound(100) in played(next_one)


def test_voice_without_the_id_of_its_answer() -> None:
    """It belongs to the latest."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(response=""))

    assert deeds(call.at(1.05, model.SpeechStarted(), voice(response=""))) == [
        leg.Clear(),
        Truncate("i1", 50),
    ]


# A new session in the middle of the call


def test_ids_begin_anew_with_a_session() -> None:
    """What was interrupted in the old session does not silence its namesake in the new one."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(1000))
    call.at(1.5, model.SpeechStarted())
    call.at(1.6, LOST_MODEL, RESUMED)

    commands = call.at(2.0, model.ResponseCreated("r1"), voice(300))
    cut = call.at(2.1, model.SpeechStarted())

    assert sound(100) in played(commands)
    assert deeds(cut) == [leg.Clear(), Truncate("i1", 100)]


def test_a_session_that_is_replaced_while_it_lives() -> None:
    """Nobody tells that the old one is gone, and ids begin anew all the same."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(1000), model.SpeechStarted(), RESUMED)

    assert sound(100) in played(call.at(2.0, voice(300)))
    assert deeds(call.at(2.1, model.SpeechStarted())) == [leg.Clear(), Truncate("i1", 100)]


def test_the_voice_of_a_lost_session_is_heard_to_its_end() -> None:
    """What is queued was said; the new session goes on behind it."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(300))

    lost = call.at(1.1, LOST_MODEL, RESUMED)
    call.at(1.2, model.ResponseCreated("r1"), voice(100))
    call.heard(1.3, 2)
    cut = call.at(1.3, model.SpeechStarted())

    assert moments(lost) == [Moment.MODEL_LOST, Moment.RESUMED]
    assert played(lost) == [b""]
    assert deeds(cut) == [leg.Clear(), Truncate("i1", 0)]


def test_a_session_lost_while_the_caller_spoke() -> None:
    """Nobody will tell that they have stopped, and the line is not busy for ever."""
    call = CallScript()
    call.at(1.0, model.SpeechStarted(), LOST_MODEL, RESUMED)

    assert call.call.deadline == 1.0 + 15.0


# Keys


def test_keys_make_an_entry_that_a_pause_completes() -> None:
    call = CallScript()
    call.at(1.0, leg.Digit("4"))
    call.at(1.3, leg.Digit("2"))

    assert call.call.deadline == pytest.approx(2.8)
    assert call.wake()[1] == [
        Happened(Moment.KEYS, "2 keys"),
        Tell(Message("user", "The caller pressed 4 2.", respond=True)),
    ]


def test_a_key_that_completes_an_entry() -> None:
    call = CallScript()
    call.at(1.0, leg.Digit("4"))

    commands = call.at(1.2, leg.Digit("#"))

    assert deeds(commands) == [Tell(Message("user", "The caller pressed 4 #.", respond=True))]


def test_a_very_long_entry_is_complete() -> None:
    call = CallScript()

    commands = call.at(1.0, *[leg.Digit("7")] * 32)

    assert moments(commands) == [Moment.KEYS]


def test_a_key_interrupts_the_agent() -> None:
    """The provider hears no tone, so the model has to be told to stop."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(1000))

    commands = call.at(1.2, leg.Digit("1"))
    late = call.at(1.25, voice(), model.Interrupted("r1"), cancelled())

    assert deeds(commands) == [leg.Clear(), Truncate("i1", 100), Interrupt()]
    assert deeds(late) == []


def test_a_key_into_an_answer_that_is_complete() -> None:
    """There is no answer under way that could be stopped."""
    call = CallScript()
    call.answer(1.0)

    assert deeds(call.at(1.0, leg.Digit("1"))) == [leg.Clear(), Truncate("item of r1", 0)]


def test_a_key_before_the_first_word_of_an_answer() -> None:
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"))

    assert deeds(call.at(1.1, leg.Digit("1"), voice())) == [Interrupt()]


# Failures


def test_an_answer_that_fails_is_asked_for_again() -> None:
    """With the same words: a greeting that failed is still a greeting."""
    call = CallScript(GREETING)
    call.at(0.1, model.ResponseCreated("r1"))

    commands = call.at(0.2, done("r1", ResponseStatus.FAILED, "server_error"))

    assert commands == [Happened(Moment.RESPONSE_FAILED, "server_error"), GREET]


def test_an_answer_that_fails_half_said_is_not_begun_anew() -> None:
    """The caller would hear two greetings."""
    call = CallScript(GREETING)
    call.at(0.1, model.ResponseCreated("r1"), voice())

    commands = call.at(0.2, done("r1", ResponseStatus.FAILED))

    assert deeds(commands) == [AskResponse(phrases.GO_ON)]


def test_one_answer_that_succeeds_begins_the_count_anew() -> None:
    call = CallScript()
    for round_ in range(4):
        failed, fine = f"failed {round_}", f"fine {round_}"
        call.at(1.0, model.ResponseCreated(failed), done(failed, ResponseStatus.FAILED))
        call.at(1.0, model.ResponseCreated(failed), done(failed, ResponseStatus.FAILED))
        call.at(1.0, model.ResponseCreated(fine), done(fine))

    assert call.over is None
    assert moments(call.at(2.0, voice())) == [Moment.AGENT_SPEAKS]


def test_the_end_of_an_older_answer_is_no_end_of_the_latest() -> None:
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), model.ResponseCreated("r2"))

    assert call.at(1.1, done("r1", ResponseStatus.FAILED)) == []


# The timeline, and what others want to know


def test_tools_are_told() -> None:
    call = CallScript()

    commands = call.at(
        1.0,
        runner.ToolStarted("c1", "hours"),
        runner.ToolFinished("c1", "hours", ToolOutcome.ANSWERED, 0.2),
    )

    assert commands == [
        Happened(Moment.TOOL, "hours"),
        Happened(Moment.TOOL_DONE, "hours answered", 0.2),
    ]


def test_providers_that_only_tell_that_a_turn_was_committed() -> None:
    """It is the end of the speech, and told once."""
    call = CallScript()
    call.at(1.0, model.SpeechStarted())

    assert moments(call.at(2.0, model.AudioCommitted())) == [Moment.CALLER_SILENT]
    assert moments(call.at(2.0, model.AudioCommitted())) == []


def test_speech_that_was_forgotten_is_over() -> None:
    call = CallScript()
    call.at(1.0, model.SpeechStarted(), model.AudioCleared())

    assert call.call.cut is Cut.NOBODY


def test_the_end_of_a_speech_that_never_began() -> None:
    """It may belong to a session that is gone."""
    assert CallScript().at(1.0, model.SpeechStopped()) == []


def test_the_agent_says_what_it_is_asked_to() -> None:
    assert deeds(CallScript().at(1.0, SayAsked("Say hello."))) == [AskResponse("Say hello.")]


def test_the_agent_presses_keys() -> None:
    """The timeline counts them; a call that is about to end is left in peace."""
    call = CallScript()
    pressed = call.at(1.0, PressAsked("42#"))
    call.at(2.0, Finishing(leg.Hangup(), Ending(Fault.NOBODY, "agent_hung_up")))

    assert pressed == [Happened(Moment.PRESSED, "3 keys"), leg.Press("42#")]
    assert call.at(2.1, PressAsked("1")) == []


@pytest.mark.parametrize(
    ("events", "cut"),
    [
        ([], Cut.NOBODY),
        ([model.SpeechStarted()], Cut.CALLER),
        ([model.SpeechStarted(), model.SpeechStopped()], Cut.CALLER),
        ([model.SpeechStarted(), model.SpeechStopped(), model.ResponseCreated("r1")], Cut.AGENT),
        ([model.ResponseCreated("r1"), voice(), done()], Cut.AGENT),
        ([model.ResponseCreated("r1"), model.SpeechStarted(), model.AudioCleared()], Cut.NOBODY),
        ([runner.ToolStarted("c1", "hours")], Cut.AGENT),
        ([SayAsked("Say hello.")], Cut.AGENT),
    ],
)
def test_who_would_be_cut_off(events: list[CallEvent], cut: Cut) -> None:
    """Who speaks, and who waits for an answer."""
    call = CallScript()
    call.at(1.0, *events)

    assert call.call.cut is cut


def test_the_model_hears_the_caller_until_the_call_closes() -> None:
    """A caller who says goodbye too would make the model stop in mid-word."""
    call = Call(CallRules(), ULAW_8K, 0.0)

    assert not call.deaf

    call.handle(ModelFailed("no"), 0.0)

    assert call.deaf


def test_what_nobody_decides_about() -> None:
    call = CallScript()

    assert call.at(1.0, leg.Heard(sound(20)), model.RateLimitsUpdated(()), TimeIsUp()) == []
    assert call.at(1.0, leg.Played("0:99"), Voice("i1", "r1", b"")) == []


def test_a_leg_that_ends_before_anybody_spoke() -> None:
    call = CallScript(begun=False)

    call.at(0.0, leg.Ended(Ending(Fault.CALLER, "hangup")))

    assert call.over is not None
    assert call.over.ending.reason == "hangup"


@pytest.mark.parametrize(
    "events",
    [
        [model.SpeechStarted()],
        [model.SpeechStarted(), model.SpeechStopped()],
        [model.ResponseCreated("r1")],
        [model.ResponseCreated("r1"), voice(), done()],
        [runner.ToolStarted("c1", "hours")],
        [leg.Digit("4")],
        [Finishing(leg.Hangup(), Ending(Fault.NOBODY, "agent_hung_up"))],
    ],
)
def test_what_is_no_boundary_of_a_turn(events: list[CallEvent]) -> None:
    call = CallScript()
    assert call.call.at_boundary
    call.at(1.0, *events)

    assert not call.call.at_boundary


def test_before_caller_and_model_have_met_there_is_no_turn() -> None:
    call = CallScript(begun=False)
    call.at(0.0, STARTED)
    assert not call.call.begun
    assert not call.call.at_boundary

    call.at(0.1, ModelReady())

    assert call.call.begun
