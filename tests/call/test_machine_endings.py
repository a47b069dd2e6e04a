"""How a call ends: silence, last words, faults of the model's, and what the leg tells."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bridge.call.patience import CallRules
from bridge.call.vocabulary import (
    AskResponse,
    CallEvent,
    Finishing,
    Happened,
    ModelFailed,
    ModelReady,
    Moment,
    Over,
    SayAsked,
    TimeIsUp,
    Truncate,
)
from bridge.errors import Ending, Fault
from bridge.ports import leg, phrases
from bridge.ports import runner_events as runner
from bridge.ports import server_events as model
from bridge.ports.model import Memory
from bridge.ports.runner_events import Cause, ToolOutcome
from bridge.ports.server_events import Drop, ResponseStatus
from bridge.ports.store import Cut
from tests.call.scripts import LOST, STARTED, CallScript, deeds, done, moments, played, sound, voice

BAKER = "+14155550100"
AGENT_HUNG_UP = Ending(Fault.NOBODY, "agent_hung_up")
HANG_UP = Finishing(leg.Hangup(), AGENT_HUNG_UP)
TRANSFER = Finishing(leg.Transfer(BAKER), Ending(Fault.NOBODY, "transferred"))
HANG_UP_NOW = Finishing(leg.Hangup(), Ending(Fault.OPERATOR, "hung_up"), after_words=False)
HUNG_UP = Over(AGENT_HUNG_UP, leg.Hangup())
STILL_THERE = AskResponse(phrases.STILL_THERE)
APOLOGY = leg.Hangup(phrases.APOLOGY)
LOST_MODEL = model.Disconnected(Drop.LOST)


def asks_to_hang_up(call_id: str = "c1") -> list[CallEvent]:
    """The model calls the tool, which asks for the end and answers."""
    return [
        runner.ToolStarted(call_id, "hang_up"),
        HANG_UP,
        runner.ToolFinished(call_id, "hang_up", ToolOutcome.ANSWERED, 0.0),
    ]


def hang_up_called(response: str = "r1") -> model.FunctionCallDone:
    return model.FunctionCallDone("c1", "hang_up", "{}", response)


# Silence


def test_a_silent_caller_is_asked_and_then_said_goodbye_to() -> None:
    """Twice asked, then goodbye, heard to its end."""
    call = CallScript()

    assert call.wake() == (15.0, [Happened(Moment.STILL_THERE), STILL_THERE])
    call.answer(16.0, response="r1")
    call.heard(17.0)
    assert call.wake()[0] == 32.0
    call.answer(33.0, response="r2")
    call.heard(34.0)

    at, commands = call.wake()

    assert at == 49.0
    assert deeds(commands) == [AskResponse(phrases.GOODBYE_SILENCE)]

    call.answer(50.0, ms=300, response="r3")
    assert call.over is None

    call.heard(50.3)
    assert call.over == Over(Ending(Fault.CALLER, "silence"), leg.Hangup())


@pytest.mark.parametrize(
    "sign",
    [
        model.SpeechStarted(),
        leg.Digit("#"),
        model.InputTranscriptDelta("Yes"),
        model.InputTranscriptDone("Yes."),
        model.Interrupted(),
    ],
)
def test_a_sign_of_life_begins_the_count_anew(sign: CallEvent) -> None:
    """Whatever the provider tells of it, and not every provider tells of speech."""
    call = CallScript()
    for _ in range(5):
        at, commands = call.wake()
        assert STILL_THERE in commands
        call.at(at + 1.0, sign, model.SpeechStopped())

    assert call.over is None


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ([model.SpeechStarted()], [model.SpeechStopped(), model.AudioCommitted()]),
        ([model.ResponseCreated("r1")], [done()]),
        (
            [runner.ToolStarted("c1", "hours")],
            [runner.ToolFinished("c1", "hours", ToolOutcome.FAILED, 1.0)],
        ),
    ],
)
def test_nobody_is_silent_while_somebody_is_busy(
    begins: list[CallEvent], ends: list[CallEvent]
) -> None:
    """Fifteen seconds count from the end of it."""
    call = CallScript()
    call.at(10.0, *begins)

    early = call.at(15.0, TimeIsUp())
    call.at(20.0, *ends)

    assert early == []
    assert call.call.deadline in (35.0, 38.0)  # an answer to the caller has its own time


def test_a_voice_that_is_heard_is_no_silence() -> None:
    """Twenty seconds were produced at once, and are heard for twenty seconds."""
    call = CallScript()
    call.answer(1.0, ms=20_000)

    assert call.at(16.0, TimeIsUp()) == []

    call.heard(21.0)
    assert call.call.deadline == 36.0


def test_a_noise_is_not_waited_for_for_ever() -> None:
    """Speech that never ends, an answer without a word, marks that never come back."""
    for events in (
        [model.SpeechStarted()],
        [model.ResponseCreated("r1")],
        [model.ResponseCreated("r1"), voice(), done()],
    ):
        call = CallScript()
        call.at(1.0, *events)

        reached = [call.wake()[0] for _ in range(4)]

        assert call.over == Over(Ending(Fault.CALLER, "silence"), leg.Hangup())
        assert reached[-1] < 130.0


def test_an_agent_that_bears_any_silence() -> None:
    call = CallScript(CallRules(silence_seconds=None, longest_seconds=100.0))

    assert call.call.deadline == 100.0


# The longest call


def test_the_longest_call() -> None:
    """The agent says so, and the caller hears it."""
    call = CallScript(CallRules(silence_seconds=None, longest_seconds=60.0))

    at, commands = call.wake()
    call.answer(61.0, ms=200)
    call.heard(61.2)

    assert at == 60.0
    assert deeds(commands) == [AskResponse(phrases.GOODBYE_TIME)]
    assert call.over == Over(Ending(Fault.NOBODY, "longest_call"), leg.Hangup())


def test_the_longest_call_waits_for_a_pause() -> None:
    """Nobody is cut off in the middle of a word."""
    call = CallScript(CallRules(longest_seconds=60.0))
    call.at(58.0, model.SpeechStarted())

    assert call.at(60.0, TimeIsUp()) == []

    call.at(62.0, model.SpeechStopped())
    call.at(63.0, model.ResponseCreated("r1"), voice(1000), done())
    call.heard(64.0)
    assert deeds(call.wake()[1]) == [AskResponse(phrases.GOODBYE_TIME)]


def test_the_longest_call_does_not_wait_for_ever() -> None:
    """Somebody who never pauses has half a minute."""
    call = CallScript(CallRules(silence_seconds=None, longest_seconds=60.0))
    call.at(59.0, model.SpeechStarted())

    at, commands = call.wake()

    assert at == 90.0
    assert deeds(commands) == [AskResponse(phrases.GOODBYE_TIME)]


# Last words


def test_goodbye_in_the_answer_that_hangs_up() -> None:
    """It is said already: the caller hears all of it, and the call is over."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(1000), hang_up_called(), done())

    call.at(1.1, *asks_to_hang_up())
    call.heard(1.9, 1)
    assert call.over is None

    call.heard(2.0)
    assert call.over == HUNG_UP


def test_goodbye_is_produced_to_its_end() -> None:
    """The tool ran while the model was still speaking."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(100), *asks_to_hang_up())
    call.heard(1.1)
    assert call.over is None

    more = call.at(1.2, voice(100), done())
    call.heard(1.3)

    assert sound(100) in played(more)
    assert call.over == HUNG_UP


def test_goodbye_in_the_next_answer() -> None:
    """The model hangs up first and says goodbye when the tool has answered."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), hang_up_called(), done(), *asks_to_hang_up())
    assert call.over is None

    call.answer(2.0, response="r2")
    assert call.over is None

    call.heard(2.5)
    assert call.over == HUNG_UP


def test_a_long_goodbye() -> None:
    """However long it takes, it is not cut as long as it goes on; at last there is an end."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), hang_up_called(), done(), *asks_to_hang_up())
    call.at(8.0, model.ResponseCreated("r2"), voice(1000, response="r2"))

    for second in range(9, 69):
        call.heard(float(second))
        if call.over is not None:
            break
        call.at(float(second), voice(1000, response="r2"), TimeIsUp())

    assert call.over == HUNG_UP
    assert second == 61


def test_a_long_answer_was_queued_when_the_call_is_to_end() -> None:
    """Two minutes of opening hours and a goodbye: all of it is heard."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(120_000), hang_up_called(), done())
    call.at(1.0, *asks_to_hang_up())

    for second in range(2, 121):
        call.heard(float(second), 1)
        call.at(float(second), TimeIsUp())
        assert call.over is None

    call.heard(121.0)
    assert call.over == HUNG_UP


def test_goodbye_never_comes() -> None:
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), hang_up_called(), done(), *asks_to_hang_up())

    at, _ = call.wake()

    assert at == 9.0
    assert call.over == HUNG_UP


def test_an_answer_that_ends_with_the_tool_is_not_the_last() -> None:
    """It has said nothing yet: the goodbye follows when the tool has answered."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), hang_up_called(), *asks_to_hang_up(), done())
    assert call.over is None

    call.answer(2.0, response="r2")
    call.heard(2.5)
    assert call.over == HUNG_UP


def test_a_goodbye_that_calls_a_tool_besides() -> None:
    """It is said, and whatever the tool's answer leads to is not waited for."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), hang_up_called(), done(), *asks_to_hang_up())

    call.at(2.0, model.ResponseCreated("r2"), voice(response="r2"), hang_up_called(), done("r2"))
    call.heard(2.1)

    assert call.over == HUNG_UP


def test_an_answer_without_a_word_is_the_last() -> None:
    """There is nothing to wait for after it."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), hang_up_called(), done(), *asks_to_hang_up())

    call.at(2.0, model.ResponseCreated("r2"), done("r2"))

    assert call.over == HUNG_UP


def test_marks_of_the_goodbye_never_come_back() -> None:
    """The call ends a little after they should have."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(1000), hang_up_called(), done())
    call.at(1.0, *asks_to_hang_up())

    at, _ = call.wake()

    assert at == 7.0
    assert call.over == HUNG_UP


@pytest.mark.parametrize(
    "event", [model.SpeechStarted(), model.Interrupted("r1"), leg.Digit("1"), LOST_MODEL]
)
def test_nothing_cuts_the_goodbye(event: CallEvent) -> None:
    """The caller says goodbye too, as a rule at the same time."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(1000), hang_up_called(), done())
    call.at(1.1, *asks_to_hang_up())

    commands = call.at(1.2, event)
    call.heard(2.0)

    assert deeds(commands) == []
    assert call.over == HUNG_UP


def test_after_the_goodbye_the_agent_is_silent() -> None:
    """What the tool's answer makes the model say, nobody hears, and it delays nothing."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(1000), hang_up_called(), done())
    call.at(1.1, *asks_to_hang_up())

    commands = call.at(1.2, model.ResponseCreated("r2"), voice(response="r2"), voice(response="r9"))
    call.heard(2.0)

    assert deeds(commands) == []
    assert call.over == HUNG_UP


def test_what_was_said_before_the_caller_spoke_is_no_goodbye() -> None:
    """The agent has spoken, then the caller; last words are still to come."""
    call = CallScript()
    call.answer(1.0)
    call.at(2.0, model.SpeechStarted(), *asks_to_hang_up())

    assert call.over is None


def test_words_that_were_asked_for_come_before_the_end() -> None:
    """A hook has the agent say something and hangs up: both happen."""
    call = CallScript()
    call.answer(1.0)
    call.heard(2.0)

    call.at(3.0, SayAsked("Say: we are closing."), HANG_UP)
    assert call.over is None

    call.answer(4.0, response="r2")
    call.heard(5.0)
    assert call.over == HUNG_UP


def test_nothing_is_being_said_and_nothing_is_to_come() -> None:
    call = CallScript()

    call.at(1.0, HANG_UP)

    assert call.over == HUNG_UP


def test_a_transfer_waits_for_the_words_too() -> None:
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(100), done(), TRANSFER)
    assert call.over is None

    call.heard(1.1)
    assert call.over == Over(TRANSFER.ending, leg.Transfer(BAKER))


def test_the_first_wish_counts() -> None:
    """A call that is being transferred is not hung up on by the next tool."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(100), done(), TRANSFER, HANG_UP)

    call.heard(1.1)

    assert call.over is not None
    assert call.over.verdict == leg.Transfer(BAKER)


@pytest.mark.parametrize("before", [[], [HANG_UP]])
def test_the_operator_ends_it_now(before: Sequence[CallEvent]) -> None:
    """In the middle of a word, and of last words as well."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(1000), *before)

    commands = call.at(1.1, HANG_UP_NOW)

    assert deeds(commands) == [leg.Clear(), Over(HANG_UP_NOW.ending, leg.Hangup())]


def test_a_call_that_closes_takes_no_orders() -> None:
    """Neither keys nor words for the agent."""
    call = CallScript()
    call.at(1.0, leg.Digit("1"), model.ResponseCreated("r1"), voice(3000), HANG_UP)

    commands = call.at(1.5, leg.Digit("2"), SayAsked("Say hello."))
    commands += call.at(3.0, TimeIsUp())

    assert deeds(commands) == []


# The model is gone


def test_no_model_can_be_had() -> None:
    """Never dead air: an apology, at once."""
    call = CallScript(begun=False)
    call.at(0.0, STARTED)

    call.at(1.0, ModelFailed("no route", Fault.PROVIDER))

    assert call.over == Over(Ending(Fault.PROVIDER, "model_unreachable", "no route"), APOLOGY)


def test_no_model_can_be_had_and_there_is_somebody_else() -> None:
    """The fallback number takes the call."""
    call = CallScript(CallRules(fallback=BAKER), begun=False)
    call.at(0.0, STARTED)

    call.at(1.0, ModelFailed("no route", Fault.OPERATOR))

    assert call.over == Over(
        Ending(Fault.OPERATOR, "model_unreachable", "no route"),
        leg.Transfer(BAKER, phrases.APOLOGY),
    )


def test_no_model_can_be_had_before_the_caller_is_there() -> None:
    """The apology needs somebody to hear it."""
    call = CallScript(begun=False)
    call.at(0.0, ModelFailed("no route"))
    assert call.over is None
    assert call.call.deadline is None

    call.at(30.0, STARTED)
    assert call.over == Over(Ending(Fault.PROVIDER, "model_unreachable", "no route"), APOLOGY)


def test_the_model_does_not_come() -> None:
    """A caller listens to nothing for six seconds, and no longer."""
    call = CallScript(begun=False)
    call.at(0.0, STARTED)

    at, _ = call.wake()

    assert at == 6.0
    assert call.over is not None
    assert (call.over.ending.reason, call.over.verdict) == ("model_unreachable", APOLOGY)


def test_a_model_that_comes_late_is_welcome() -> None:
    call = CallScript(CallRules(greeting="Hello."), begun=False)
    call.at(0.0, STARTED)

    commands = call.at(5.0, ModelReady())

    assert deeds(commands) == [AskResponse(phrases.greet("Hello."))]
    assert call.call.deadline == 20.0


def test_a_model_that_was_there_first_is_not_missed() -> None:
    call = CallScript(begun=False)

    call.at(0.0, ModelReady(), STARTED)

    assert call.call.deadline == 15.0


def test_the_session_is_lost_and_no_other_comes() -> None:
    """The six seconds begin when the caller has heard what was there."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(4000), LOST_MODEL)

    assert call.call.deadline == 11.0

    call.heard(5.0)
    call.wake()
    assert call.over is not None
    assert call.over.verdict == APOLOGY


def test_the_session_is_lost_and_another_comes() -> None:
    call = CallScript()
    call.at(1.0, LOST_MODEL)

    call.at(5.0, runner.Resumed(Cause.DROP, Memory.NATIVE, 2, 4.0))

    assert call.call.deadline == 20.0
    assert deeds(call.wake()[1]) == [STILL_THERE]


def test_the_model_is_lost_for_good() -> None:
    """What it has said is heard, and then comes the apology."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(500))

    call.at(1.1, LOST_MODEL, runner.Finished(runner.Lost(Drop.LOST, "gone", 3)))
    assert call.over is None

    call.heard(1.5)
    assert call.over == Over(Ending(Fault.PROVIDER, "model_lost", "gone"), APOLOGY)


def test_a_runner_that_its_owner_closed_is_no_loss() -> None:
    call = CallScript()

    call.at(1.0, runner.Finished(runner.Closed()))

    assert call.over is None


def test_the_model_is_lost_while_its_goodbye_is_awaited() -> None:
    """It will not come: what was wished happens at once."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), hang_up_called(), done(), *asks_to_hang_up())

    call.at(2.0, LOST_MODEL, runner.Finished(runner.Lost(Drop.LOST, "gone")))

    assert call.over == HUNG_UP


def test_three_answers_fail() -> None:
    """In a row, although the caller may have heard the beginnings of them."""
    call = CallScript(CallRules(fallback=BAKER))
    for response in ("r1", "r2", "r3"):
        assert call.over is None
        call.at(1.0, model.ResponseCreated(response), done(response, ResponseStatus.FAILED))

    assert call.over is not None
    assert call.over.ending.reason == "responses_failed"
    assert call.over.verdict == leg.Transfer(BAKER, phrases.APOLOGY)


def test_a_goodbye_that_fails() -> None:
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), hang_up_called(), done(), *asks_to_hang_up())

    call.at(2.0, model.ResponseCreated("r2"), done("r2", ResponseStatus.FAILED))

    assert call.over == HUNG_UP


def test_a_goodbye_that_is_cancelled_may_still_come() -> None:
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), hang_up_called(), done(), *asks_to_hang_up())

    call.at(2.0, model.ResponseCreated("r2"), done("r2", ResponseStatus.CANCELLED))
    assert call.over is None

    call.answer(3.0, response="r3")
    call.heard(3.5)
    assert call.over == HUNG_UP


# The leg ends


def test_the_caller_hangs_up() -> None:
    """What was not heard is told, for the record."""
    call = CallScript()
    call.at(1.0, model.ResponseCreated("r1"), voice(500))
    hung_up = Ending(Fault.CALLER, "hangup")

    commands = call.at(1.05, leg.Ended(hung_up))

    assert deeds(commands) == [Truncate("i1", 50), Over(hung_up, cut=Cut.AGENT)]
    assert moments(commands) == [Moment.OVER]


def test_the_leg_is_lost_while_the_agent_speaks() -> None:
    call = CallScript()
    call.answer(1.0, ms=300)
    call.heard(1.1, 1)

    commands = call.at(1.2, LOST)

    assert deeds(commands) == [
        Truncate("item of r1", 200),
        Over(LOST.ending, lost=True, cut=Cut.AGENT),
    ]


def test_the_leg_is_lost_while_the_caller_speaks() -> None:
    call = CallScript()
    call.at(1.0, model.SpeechStarted())

    assert deeds(call.at(1.2, LOST)) == [Over(LOST.ending, lost=True, cut=Cut.CALLER)]


def test_the_leg_is_lost_during_the_last_words() -> None:
    """The carrier asks what comes next, and that was decided."""
    call = CallScript()
    call.answer(1.0)
    call.at(1.1, TRANSFER, LOST)

    assert call.over == Over(TRANSFER.ending, leg.Transfer(BAKER))


def test_somebody_else_holds_a_call_that_closes() -> None:
    """Then it is theirs to end."""
    call = CallScript()
    call.answer(1.0)
    superseded = Ending(Fault.NOBODY, "superseded")

    call.at(1.1, TRANSFER, leg.Ended(superseded, lost=True))

    assert call.over == Over(superseded, lost=True, cut=Cut.AGENT)


def test_nothing_happens_after_the_end() -> None:
    call = CallScript()
    call.at(1.0, HANG_UP_NOW)

    commands = call.at(1.1, STARTED, voice(), leg.Digit("#"), LOST, HANG_UP_NOW, TimeIsUp())

    assert commands == []
    assert call.call.deadline is None
