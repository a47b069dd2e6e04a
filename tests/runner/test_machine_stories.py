"""What the runner decides, told as stories. The table of single steps is in test_machine."""

from __future__ import annotations

import pytest

from bridge.errors import AuthError, ConnectError, NotConnected, ResumptionRefused, SessionClosed
from bridge.ports import server_events as event
from bridge.ports.client_events import Message
from bridge.ports.model import Memory, ToolResponse
from bridge.ports.phrases import ASK_AGAIN, GO_ON
from bridge.ports.runner_events import Cause, Lost, Resumed, ResumptionFailed
from bridge.ports.server_events import Drop, Severity
from bridge.ports.session import RealtimeConfig, ToolDefinition
from bridge.runner.state import Generating, Idle, PendingResumption
from bridge.runner.vocabulary import (
    Announce,
    Answer,
    Connected,
    Finish,
    MessageAsked,
    Mutate,
    MutationFailed,
    Respond,
    ResponseAsked,
    Resume,
    Settle,
    Tell,
    TimeIsUp,
    UpdateAsked,
    UpdateResult,
)
from tests.runner.scripts import (
    LOST,
    Machine,
    answered,
    applied,
    called,
    cannot,
    created,
    done,
    failed,
    update,
    words,
)

OLD = RealtimeConfig(instruction="old")
NEW = RealtimeConfig(instruction="new")
REPLAYED = Connected(Memory.REPLAYED)
NATIVE = Connected(Memory.NATIVE)

# Rotation: a session that ends is replaced before it does


def test_a_session_is_replaced_before_it_expires() -> None:
    """A minute before the end the first moment in which nobody speaks is taken."""
    machine = Machine.connected(expires_in=3600.0)
    machine.handle(created(), 3530.0)
    at = machine.deadline
    waiting = machine.handle(TimeIsUp(), 3540.0)

    resumed = machine.handle(done(), 3550.0)

    assert at == 3540.0
    assert waiting == []
    assert resumed == [Resume(OLD, None, Cause.ROTATION)]


def test_a_rotation_waits_for_a_good_moment_but_not_beyond_the_end() -> None:
    """Three seconds before the end it happens in the middle of a sentence."""
    machine = Machine.connected(expires_in=3600.0)
    machine.script(created(), TimeIsUp(), now=3540.0)
    at = machine.deadline

    commands = machine.handle(TimeIsUp(), 3597.0)

    assert at == 3597.0
    assert commands == [Resume(OLD, None, Cause.ROTATION)]


def test_a_short_session_is_replaced_in_its_second_half() -> None:
    """Looking for a moment begins at half its life when that is later than a minute early."""
    machine = Machine.connected(expires_in=40.0)

    assert machine.deadline == 20.0


def test_a_server_that_goes_away_is_left_when_nobody_speaks() -> None:
    """GoingAway during an answer: the answer is heard to its end."""
    machine = Machine.connected()
    machine.handle(created(), 100.0)
    told = machine.handle(event.GoingAway(50.0), 101.0)
    at = machine.deadline

    commands = machine.handle(done(), 110.0)

    assert told == []
    assert at == 148.0
    assert commands == [Resume(OLD, None, Cause.ROTATION)]


def test_a_server_that_goes_away_at_once_is_left_at_once() -> None:
    """There is no time to wait, whoever speaks."""
    machine = Machine.connected()
    machine.handle(created(), 100.0)

    commands = machine.handle(event.GoingAway(2.0), 101.0)

    assert commands == [Resume(OLD, None, Cause.ROTATION)]


def test_the_second_announcement_may_only_shorten_the_time() -> None:
    """The earlier end counts."""
    machine = Machine.connected()
    machine.script(created(), event.GoingAway(50.0), event.GoingAway(10.0), now=100.0)
    sooner = machine.deadline
    machine.handle(event.GoingAway(50.0), 101.0)

    assert sooner == 107.0
    assert machine.deadline == 107.0


def test_a_rotation_that_fails_leaves_the_old_session_and_tries_once_more() -> None:
    """Three attempts, each later than the one before; another when the end is near."""
    machine = Machine.connected(expires_in=3600.0)
    machine.handle(TimeIsUp(), 3540.0)
    machine.handle(failed(), 3541.0)
    second_at = machine.deadline
    machine.handle(TimeIsUp(), 3541.2)
    machine.handle(failed(), 3542.0)
    third_at = machine.deadline
    machine.handle(TimeIsUp(), 3542.8)

    commands = machine.handle(failed(), 3543.0)
    again_at = machine.deadline
    again = machine.handle(TimeIsUp(), 3597.0)

    assert (second_at, third_at) == (3541.2, 3542.8)
    assert words(commands) == "failed for good"
    assert machine.state == PendingResumption(OLD)
    assert again_at == 3597.0
    assert again == [Resume(OLD, None, Cause.ROTATION)]


def test_even_an_urgent_rotation_does_not_hammer() -> None:
    """After the last good moment there is still a pause between two attempts."""
    machine = Machine.connected()
    machine.handle(event.GoingAway(0.0), 100.0)

    commands = machine.handle(failed(), 100.5)

    assert words(commands) == "failed"
    assert machine.deadline == 100.7


def test_a_live_update_does_not_wait_for_a_rotation() -> None:
    """While the rotation looks for its moment, the session that is there is changed."""
    machine = Machine.connected()
    machine.script(created(), event.GoingAway(50.0), now=100.0)

    commands = machine.handle(update(), 101.0)
    queued = machine.handle(cannot(), 102.0)

    assert commands == [Mutate(NEW)]
    assert queued == [Settle((1,), UpdateResult.QUEUED)]


def test_a_rotation_waits_until_a_change_under_way_is_known() -> None:
    """Never two changes of the session at once, and no alarm that rings in vain."""
    machine = Machine.connected()
    machine.handle(update(), 100.0)

    told = machine.handle(event.GoingAway(0.0), 100.0)
    at = machine.deadline
    commands = machine.handle(cannot(), 101.0)

    assert told == []
    assert at is None
    assert commands == [Resume(NEW, None, Cause.ROTATION)]


# Good moments


@pytest.mark.parametrize("overlaps", [True, False])
def test_a_turn_that_is_just_over_is_not_cut_off(overlaps: bool) -> None:
    """In the second after the caller's turn the provider begins to answer: not now."""
    machine = Machine.connected(overlaps_sessions=overlaps)
    machine.handle(event.SpeechStarted(), 100.0)
    machine.handle(event.GoingAway(50.0), 100.5)

    stopped = machine.handle(event.SpeechStopped(), 101.0)
    at = machine.deadline
    answers = machine.handle(created(), 101.4)
    commands = machine.handle(done(), 105.0)

    assert (stopped, answers) == ([], [])
    assert at == 102.0
    assert words(commands) == "resume"


def test_a_turn_that_nobody_answers_holds_nothing_up() -> None:
    """When the second has passed, the moment is good."""
    machine = Machine.connected()
    machine.script(event.SpeechStarted(), event.GoingAway(50.0), now=100.0)
    machine.handle(event.SpeechStopped(), 101.0)

    assert words(machine.handle(TimeIsUp(), 102.0)) == "resume"


def test_the_end_of_speech_may_be_told_by_the_committed_audio() -> None:
    """Or by its being forgotten: a provider that tells no SpeechStopped blocks nothing."""
    committed = Machine.connected()
    committed.script(event.SpeechStarted(), event.AudioCommitted("u1"), now=100.0)
    cleared = Machine.connected()
    cleared.script(event.SpeechStarted(), event.AudioCleared(), now=100.0)

    assert words(committed.handle(event.GoingAway(50.0), 102.0)) == "resume"
    assert words(cleared.handle(event.GoingAway(50.0), 100.0)) == "resume"


def test_a_caller_of_whom_only_the_words_are_told_is_not_cut_off() -> None:
    """Without a voice detector the transcript says that somebody is speaking."""
    machine = Machine.connected()
    machine.handle(event.InputTranscriptDelta("I would", "u1"), 100.0)

    early = machine.handle(event.GoingAway(50.0), 100.5)
    machine.handle(event.InputTranscriptDelta(" like", "u1"), 100.9)
    at = machine.deadline

    assert early == []
    assert at == 101.9
    assert words(machine.handle(TimeIsUp(), 101.9)) == "resume"


def test_the_token_of_the_answer_just_given_is_waited_for() -> None:
    """It holds that answer; without it the new session would know less."""
    machine = Machine.connected(token="t0")
    machine.script(created(), event.ResumptionToken(None), event.GoingAway(50.0), now=100.0)

    told = machine.handle(done(), 101.0)
    commands = machine.handle(event.ResumptionToken("t1"), 101.3)

    assert told == []
    assert commands == [Resume(OLD, "t1", Cause.ROTATION)]


def test_a_token_that_does_not_come_is_not_waited_for_for_long() -> None:
    """Two seconds; the history has to do then."""
    machine = Machine.connected(token="t0")
    machine.script(created(), event.ResumptionToken(None), event.GoingAway(50.0), now=100.0)
    machine.handle(done(), 101.0)

    assert machine.deadline == 103.0
    assert machine.handle(TimeIsUp(), 103.0) == [Resume(OLD, None, Cause.ROTATION)]


def test_nothing_comes_between_a_tools_answer_and_the_models() -> None:
    """A model that goes on by itself is left to go on."""
    machine = Machine.connected(responds_to_tools=True, overlaps_sessions=False)
    machine.script(called(), update(), cannot(), now=100.0)

    sent = machine.handle(answered(), 101.0)
    going_on = machine.handle(created(), 101.5)
    commands = machine.handle(done(), 103.0)

    assert words(sent) == "answer c1"
    assert going_on == []
    assert words(commands) == "resume"


def test_nothing_comes_between_a_tools_answer_and_the_response_to_it() -> None:
    """A model that has to be asked is asked before anything else."""
    machine = Machine.connected()
    machine.script(created(), called(), done(), update(), cannot(), now=100.0)

    commands = machine.handle(answered(), 101.0)

    assert words(commands) == "answer c1, respond"


def test_a_model_that_never_goes_on_holds_nothing_up() -> None:
    """Ten seconds after it was expected nobody waits for it any more."""
    machine = Machine.connected(responds_to_tools=True)
    machine.script(called(), update(), cannot(), answered(), now=100.0)

    assert machine.deadline == 110.0
    assert words(machine.handle(TimeIsUp(), 110.0)) == "resume"


# Updates


def test_updates_that_come_together_are_one() -> None:
    """While one is under way the others become the next; everybody is told."""
    machine = Machine.connected()
    first = machine.handle(update("one", ticket=1), 100.0)
    machine.script(update("two", ticket=2), update("three", ticket=3), now=100.1)

    second = machine.handle(applied(), 100.2)
    last = machine.handle(applied(), 100.3)

    assert first == [Mutate(RealtimeConfig(instruction="one"))]
    assert second == [
        Settle((1,), UpdateResult.APPLIED),
        Mutate(RealtimeConfig(instruction="three")),
    ]
    assert last == [Settle((2, 3), UpdateResult.APPLIED)]


def test_the_last_of_the_queued_updates_wins() -> None:
    """One resumption carries them all: the newest word for each field."""
    machine = Machine.connected()
    machine.script(created(), update("one", ticket=1), cannot(), now=100.0)
    voice = UpdateAsked(RealtimeConfig(voice="sage"), ticket=2)
    machine.script(voice, update("three", ticket=3), now=100.1)

    commands = machine.handle(done(), 101.0)

    config = RealtimeConfig(instruction="three", voice="sage")
    assert commands == [Resume(config, None, Cause.UPDATE)]
    assert machine.state == PendingResumption(config)


def test_only_what_changes_is_sent() -> None:
    """The provider has the rest."""
    config = RealtimeConfig(instruction="old", voice="sage", temperature=0.8)
    machine = Machine.connected(config=config)

    commands = machine.handle(update(), 100.0)

    assert commands == [Mutate(NEW)]
    assert machine.config == config.merge(NEW)


def test_a_bridge_message_is_told_once_the_change_is_in_force() -> None:
    """Not before, and to the live session."""
    machine = Machine.connected()
    asked = machine.handle(update(bridge="You are in the shop now."), 100.0)

    commands = machine.handle(applied(), 100.2)

    assert words(asked) == "mutate"
    assert commands == [
        Settle((1,), UpdateResult.APPLIED),
        Tell(Message("user", "You are in the shop now.")),
    ]


def test_a_bridge_message_is_the_new_sessions_first() -> None:
    """A later update without one does not take it away."""
    machine = Machine.connected()
    machine.script(created(), update(bridge="Welcome them.", respond=True), cannot(), now=100.0)
    machine.script(update("newer", ticket=2), done(), now=101.0)

    commands = machine.handle(REPLAYED, 102.0)

    assert words(commands) == "resumed, tell"
    assert commands[-1] == Tell(Message("user", "Welcome them.", respond=True))
    assert machine.state == Generating()


def test_a_refused_update_is_undone() -> None:
    """What is wanted is what is in force, and what was asked since."""
    machine = Machine.connected()
    machine.script(update("bad", ticket=1), now=100.0)
    machine.script(UpdateAsked(RealtimeConfig(voice="sage"), ticket=2), now=100.0)
    error = ConnectError("unknown field")

    commands = machine.handle(MutationFailed(error), 100.5)

    assert commands == [
        Settle((1,), UpdateResult.REJECTED, error),
        Mutate(RealtimeConfig(voice="sage")),
    ]
    assert machine.config == OLD.merge(RealtimeConfig(voice="sage"))


def test_an_update_that_is_lost_with_its_session_comes_with_the_next() -> None:
    """Whoever asked is told when the next session has it."""
    machine = Machine.connected()
    machine.handle(update(), 100.0)

    lost = machine.handle(LOST, 100.1)
    late = machine.handle(MutationFailed(SessionClosed("gone")), 100.2)
    commands = machine.handle(REPLAYED, 101.0)

    assert lost == [Resume(NEW, None, Cause.DROP)]
    assert late == []
    assert Settle((1,), UpdateResult.APPLIED) in commands


@pytest.mark.parametrize("error", [SessionClosed("gone"), NotConnected("gone")])
def test_an_update_that_meets_a_closed_session_is_not_refused(error: SessionClosed) -> None:
    """Even when we hear of the update before we hear of the end of the session."""
    machine = Machine.connected()
    machine.handle(update(), 100.0)

    commands = machine.handle(MutationFailed(error), 100.1)
    lost = machine.handle(LOST, 100.2)

    assert commands == [Resume(NEW, None, Cause.DROP)]
    assert lost == []


def test_an_update_during_a_resumption_waits_for_its_end() -> None:
    """It is applied to the new session; nothing is lost and nothing overtakes."""
    machine = Machine.connected()
    machine.script(update("one", ticket=1), cannot(), now=100.0)
    waiting = machine.handle(update("two", ticket=2), 100.1)

    commands = machine.handle(REPLAYED, 101.0)

    assert waiting == []
    assert words(commands) == "resumed, applied, mutate"
    assert machine.config.instruction == "two"


def test_a_provider_that_ends_the_session_over_an_update_is_asked_for_the_old_one() -> None:
    """An update never costs the call."""
    machine = Machine.connected()
    machine.handle(update(), 100.0)

    commands = machine.handle(event.Disconnected(Drop.REFUSED), 100.5)

    assert words(commands) == "rejected, resume"
    assert commands[-1] == Resume(OLD, None, Cause.DROP)


def test_an_update_that_no_session_takes_is_given_up_for_what_was_in_force() -> None:
    """Where the old session had to be closed first, the old configuration is asked for again."""
    machine = Machine.connected(overlaps_sessions=False)
    machine.script(update(), cannot(), now=100.0)
    error = ConnectError("invalid argument", retryable=False)

    commands = machine.handle(failed(error), 100.5)

    assert commands == [
        Announce(ResumptionFailed(Cause.UPDATE, 1, "invalid argument", final=True)),
        Settle((1,), UpdateResult.REJECTED, error),
        Resume(OLD, None, Cause.DROP),
    ]


def test_a_refused_account_is_not_asked_again() -> None:
    """No configuration helps against that."""
    machine = Machine.connected(overlaps_sessions=False)
    machine.script(update(), cannot(), now=100.0)

    commands = machine.handle(failed(AuthError("no quota")), 100.5)

    assert words(commands) == "failed for good, rejected, finish"


def test_before_the_first_session_everything_waits_for_it() -> None:
    """An update, a message and a wish are carried out in this order once it is there."""
    machine = Machine(OLD)
    waiting = machine.script(
        update(), MessageAsked(Message("user", "hello")), ResponseAsked("greet"), now=0.0
    )

    commands = machine.handle(Connected(), 1.0)

    assert waiting == []
    assert commands == [Mutate(NEW), Tell(Message("user", "hello")), Respond("greet")]


# Drops and the budget


def test_a_lost_session_is_followed_at_once_by_another() -> None:
    """With the newest token, and it is said how long there was none."""
    machine = Machine.connected(token="t0")
    machine.script(event.ResumptionToken("t1"), event.ResumptionToken("t2"), now=50.0)

    lost = machine.handle(LOST, 100.0)
    commands = machine.handle(NATIVE, 100.7)

    assert lost == [Resume(OLD, "t2", Cause.DROP)]
    [announced] = commands
    assert isinstance(announced, Announce)
    assert isinstance(announced.event, Resumed)
    assert announced.event.seconds == pytest.approx(0.7)
    assert machine.state == Idle()


def test_the_budget_is_three_attempts() -> None:
    """Each later than the one before; then the provider counts as gone."""
    machine = Machine.connected()
    machine.handle(LOST, 100.0)
    machine.handle(failed(), 101.0)
    second = machine.handle(TimeIsUp(), 101.2)
    machine.handle(failed(), 102.0)
    third = machine.handle(TimeIsUp(), 102.8)

    commands = machine.handle(failed(ConnectError("no route")), 103.0)

    assert (words(second), words(third)) == ("resume", "resume")
    assert words(commands) == "failed for good, finish"
    assert commands[-1] == Finish(
        Lost(Drop.LOST, "no new session after 3 attempts: no route", attempts=3)
    )
    assert machine.handle(created(), 104.0) == []
    assert machine.deadline is None
    assert machine.state == Idle()


def test_an_update_in_a_gap_is_queued_and_has_a_budget_of_its_own() -> None:
    """If no session takes it, there are three more attempts without it."""
    machine = Machine.connected()
    machine.script(LOST, failed(), now=100.0)
    queued = machine.handle(update(), 100.1)
    machine.script(TimeIsUp(), failed(), now=100.2)
    machine.script(TimeIsUp(), failed(), now=100.4)
    machine.handle(TimeIsUp(), 101.2)

    commands = machine.handle(failed(), 101.3)

    assert words(queued) == "queued"
    assert words(commands) == "failed for good, resume"
    assert commands[-1] == Resume(OLD, None, Cause.DROP)


def test_sessions_that_die_young_use_up_the_budget() -> None:
    """Connecting works, living does not: not for ever."""
    machine = Machine.connected()
    now, waits = 20.0, []
    for _ in range(4):
        lost_at = now
        commands = machine.handle(LOST, now)
        if not commands:
            assert machine.deadline is not None
            now = machine.deadline
            commands = machine.handle(TimeIsUp(), now)
        assert words(commands) == "resume"
        waits.append(round(now - lost_at, 3))
        machine.handle(REPLAYED, now)
        now += 1.0

    commands = machine.handle(LOST, now)

    assert waits == [0.0, 0.0, 0.2, 0.8]
    assert commands == [Finish(Lost(Drop.LOST, "every new session was lost at once"))]


def test_a_session_that_lived_fills_the_budget_again() -> None:
    """Ten seconds are a life."""
    machine = Machine.connected()
    now = 0.0
    for _ in range(10):
        now += 10.0
        assert words(machine.handle(LOST, now)) == "resume"
        machine.handle(REPLAYED, now)

    assert machine.state == Idle()


def test_a_refused_token_is_not_tried_again() -> None:
    """The next attempt follows at once, with the history alone."""
    machine = Machine.connected(token="t0")
    first = machine.handle(LOST, 100.0)

    commands = machine.handle(failed(ResumptionRefused("expired")), 100.5)

    assert first == [Resume(OLD, "t0", Cause.DROP)]
    assert commands[-1] == Resume(OLD, None, Cause.DROP)
    assert machine.token is None


def test_what_cannot_be_resumed_just_now_is_not_resumed_with_an_older_token() -> None:
    """It would lose something; the history does not."""
    machine = Machine.connected(token="t0")
    machine.script(created(), event.ResumptionToken(None), now=100.0)

    assert machine.handle(LOST, 101.0) == [Resume(OLD, None, Cause.DROP)]


def test_the_providers_own_wish_to_wait_is_honoured_up_to_a_second() -> None:
    """A caller does not wait a minute."""
    machine = Machine.connected()
    machine.handle(LOST, 100.0)
    machine.handle(failed(ConnectError("busy", retry_after=60.0)), 100.0)

    assert machine.deadline == 101.0


def test_a_drop_during_a_resumption_needs_no_second_one() -> None:
    """The new session is on its way already. If it does not come, the drop has its own budget."""
    machine = Machine.connected()
    machine.script(update(), cannot(), now=100.0)
    dropped = machine.handle(LOST, 100.5)

    commands = machine.handle(REPLAYED, 101.0)

    assert dropped == []
    assert Announce(Resumed(Cause.DROP, Memory.REPLAYED, 1, 0.5)) in commands


def test_a_fatal_error_ends_it_in_the_providers_own_word() -> None:
    """A key that is refused is refused to the next session too."""
    machine = Machine.connected()
    info = event.ErrorInfo("insufficient_quota", "who knows what", "quota")

    commands = machine.handle(event.Error(info, Severity.FATAL), 100.0)

    assert commands == [Finish(Lost(Drop.REFUSED, "the provider refused: quota"))]


def test_an_update_under_way_is_rejected_when_all_is_lost() -> None:
    """And so is one that waits behind it."""
    machine = Machine.connected()
    machine.script(update(ticket=1), update("newer", ticket=2), now=100.0)
    info = event.ErrorInfo("insufficient_quota", "who knows what")

    [settled, finish] = machine.handle(event.Error(info, Severity.FATAL), 100.1)

    assert isinstance(settled, Settle)
    assert (settled.tickets, settled.result) == ((1, 2), UpdateResult.REJECTED)
    assert isinstance(finish, Finish)


# One response at a time


def test_one_response_follows_all_answers_of_a_turn() -> None:
    """The answers go out together when the model has finished calling."""
    machine = Machine.connected()
    machine.script(created(), called("c1"), called("c2"), now=100.0)
    early = machine.script(answered("c2", "b"), answered("c1", "a"), now=100.2)

    commands = machine.handle(done(), 100.5)

    assert early == []
    assert commands == [
        Answer((ToolResponse("c2", "b", "look"), ToolResponse("c1", "a", "look"))),
        Respond(),
    ]


def test_a_tool_that_outlives_the_response_is_waited_for() -> None:
    """Nothing is sent until the last one has answered."""
    machine = Machine.connected()
    machine.script(created(), called("c1"), called("c2"), answered("c1"), done(), now=100.0)

    assert words(machine.handle(answered("c2"), 104.0)) == "answer c1+c2, respond"


def test_no_response_is_asked_for_while_the_caller_speaks() -> None:
    """The provider answers the caller by itself and knows the tools' answers by then."""
    machine = Machine.connected()
    machine.script(created(), called(), done(), event.SpeechStarted(), now=100.0)
    sent = machine.handle(answered(), 101.0)
    machine.handle(event.SpeechStopped(), 102.0)

    machine.handle(created("r2"), 102.4)
    commands = machine.handle(done("r2"), 105.0)

    assert words(sent) == "answer c1"
    assert commands == []


def test_a_wish_is_carried_out_when_the_provider_does_not_begin_by_itself() -> None:
    """A second after the caller's turn."""
    machine = Machine.connected()
    machine.script(event.SpeechStarted(), ResponseAsked("go"), now=100.0)
    machine.handle(event.SpeechStopped(), 101.0)

    assert machine.deadline == 102.0
    assert machine.handle(TimeIsUp(), 102.0) == [Respond("go")]


def test_a_quick_tool_is_not_slowed_down_by_the_callers_last_turn() -> None:
    """The turn was answered: there is nothing to wait for."""
    machine = Machine.connected()
    machine.script(event.SpeechStarted(), event.SpeechStopped(), now=100.0)
    machine.script(created(), called(), done(), now=100.3)

    assert words(machine.handle(answered(), 100.4)) == "answer c1, respond"


def test_a_response_that_lost_a_race_is_asked_for_again() -> None:
    """The provider began by itself and refused ours; ours comes after, word for word."""
    machine = Machine.connected()
    asked = machine.handle(ResponseAsked("greet"), 100.0)
    machine.script(created("r1"), _refused(), now=100.2)

    commands = machine.handle(done("r1"), 103.0)

    assert asked == [Respond("greet")]
    assert commands == [Respond("greet")]


def test_a_refusal_that_comes_first_is_not_answered_with_another_request() -> None:
    """The response that is in the way will be told of in a moment."""
    machine = Machine.connected()
    machine.handle(ResponseAsked("greet"), 100.0)
    refused = machine.handle(_refused(), 100.2)
    began = machine.handle(created("r1"), 100.3)

    assert refused == []
    assert began == []
    assert machine.state == Generating()


def test_a_response_that_never_comes_is_given_up() -> None:
    """Ten seconds; then others may ask."""
    machine = Machine.connected()
    machine.handle(ResponseAsked(), 100.0)
    machine.handle(ResponseAsked("again"), 101.0)

    assert machine.deadline == 110.0
    assert machine.handle(TimeIsUp(), 110.0) == [Respond("again")]


def test_a_wish_with_words_is_not_lost_to_one_without() -> None:
    """The tool's answer needs a response, and the farewell is one."""
    machine = Machine.connected()
    machine.script(created(), called(), ResponseAsked("say goodbye"), now=100.0)
    machine.handle(answered(), 100.1)

    commands = machine.handle(done(), 101.0)

    assert words(commands) == "answer c1, respond"
    assert commands[-1] == Respond("say goodbye")


def test_a_message_to_answer_waits_for_its_turn() -> None:
    """It is told at once and answered when the model has finished."""
    machine = Machine.connected()
    machine.handle(created(), 100.0)
    told = machine.handle(MessageAsked(Message("user", "1 2 3", respond=True)), 100.5)

    commands = machine.handle(done(), 102.0)

    assert told == [Tell(Message("user", "1 2 3"))]
    assert commands == [Respond()]


def test_a_message_in_a_gap_is_told_to_the_next_session() -> None:
    """In order, and before the model is asked to speak."""
    machine = Machine.connected()
    machine.handle(LOST, 100.0)
    messages = [Message("user", "one"), Message("system", "two")]
    waiting = machine.script(*(MessageAsked(message) for message in messages), now=100.1)
    machine.handle(ResponseAsked("go"), 100.1)

    commands = machine.handle(REPLAYED, 101.0)

    assert waiting == []
    assert words(commands) == "resumed, tell, tell, respond"


# From one session to the next


def test_an_answer_that_was_cut_off_goes_on() -> None:
    """The new session takes up the thread."""
    machine = Machine.connected()
    machine.handle(created(), 100.0)
    machine.handle(LOST, 101.0)

    assert machine.handle(REPLAYED, 101.5)[-1] == Respond(GO_ON)


def test_an_answer_that_was_asked_for_and_did_not_begin_is_asked_for_again() -> None:
    """In the same words; nothing was cut off."""
    machine = Machine.connected()
    machine.handle(ResponseAsked("greet"), 100.0)
    machine.handle(LOST, 100.1)

    assert machine.handle(REPLAYED, 101.0)[-1] == Respond("greet")


def test_a_caller_who_was_cut_off_is_asked_to_say_it_again() -> None:
    """Told, not spoken, while the caller may still be speaking; then the model asks by itself."""
    machine = Machine.connected()
    machine.handle(event.SpeechStarted(), 100.0)
    machine.handle(LOST, 101.0)

    commands = machine.handle(REPLAYED, 101.5)
    machine.handle(event.SpeechStarted(), 101.8)
    while_speaking = machine.handle(TimeIsUp(), 103.0)
    machine.handle(event.SpeechStopped(), 104.0)
    answered = machine.handle(event.ResponseCreated("r1"), 104.2)

    assert commands[-1] == Tell(Message("system", ASK_AGAIN), remember=False)
    assert while_speaking == answered == []
    assert machine.handle(event.ResponseDone("r1"), 106.0) == []


def test_a_caller_who_had_just_finished_is_asked_to_say_it_again() -> None:
    """No session will ever notice that: after a second without a word the model asks."""
    machine = Machine.connected()
    machine.handle(event.SpeechStarted(), 100.0)
    machine.handle(LOST, 101.0)
    machine.handle(REPLAYED, 101.5)

    assert machine.handle(TimeIsUp(), 102.4) == []
    assert machine.handle(TimeIsUp(), 102.5) == [Respond(ASK_AGAIN)]


def test_a_caller_who_just_finished_gets_an_answer() -> None:
    """Whoever waits in silence would wait for ever: no voice will trigger it."""
    machine = Machine.connected()
    machine.script(event.SpeechStarted(), event.SpeechStopped(), now=100.0)
    machine.handle(LOST, 100.5)

    assert machine.handle(REPLAYED, 101.0)[-1] == Respond(ASK_AGAIN)


def test_a_tool_of_a_lost_session_answers_in_the_next() -> None:
    """As a message, since the new session never called it; then the model speaks."""
    machine = Machine.connected()
    machine.script(created(), called(), done(), now=100.0)
    machine.handle(LOST, 100.5)
    machine.handle(REPLAYED, 101.0)

    commands = machine.handle(answered(output={"sunny": True}), 102.0)

    text = 'The tool look answered meanwhile: {"sunny": true}'
    assert commands == [Tell(Message("system", text), remember=False), Respond()]


@pytest.mark.parametrize(
    ("memory", "told"),
    [(Memory.REPLAYED, "resumed, respond"), (Memory.NATIVE, "resumed, tell, respond")],
)
def test_a_tool_that_answers_in_the_gap_is_told_where_the_history_does_not(
    memory: Memory, told: str
) -> None:
    """A session that was told the history has the answer already."""
    machine = Machine.connected()
    machine.script(created(), called(), done(), LOST, failed(), answered(), now=100.0)
    machine.handle(TimeIsUp(), 100.2)

    assert words(machine.handle(Connected(memory), 101.0)) == told


def test_a_tool_that_answers_while_the_next_session_comes_up_is_told() -> None:
    """The history that it was told was older."""
    machine = Machine.connected()
    machine.script(created(), called(), done(), LOST, answered(), now=100.0)

    assert words(machine.handle(REPLAYED, 101.0)) == "resumed, tell, respond"


def test_answers_are_not_sent_to_a_session_that_is_about_to_go() -> None:
    """What its successor does not know of is told to it in words."""
    machine = Machine.connected()
    machine.script(update(), cannot(), called(), now=100.0)

    waiting = machine.handle(answered(), 100.5)
    commands = machine.handle(REPLAYED, 101.0)

    assert waiting == []
    assert words(commands) == "resumed, applied, tell, respond"


def test_answers_are_sent_after_all_when_the_successor_does_not_come() -> None:
    """The old session is still the one that asked."""
    machine = Machine.connected()
    machine.script(update(), cannot(), called(), answered(), now=100.0)

    assert words(machine.handle(failed(), 101.0)) == "failed, queued, answer c1, respond"


def test_a_call_that_the_resumed_session_repeats_is_not_run_twice() -> None:
    """It is still at work, and its answer goes to the session that asks now."""
    machine = Machine.connected()
    machine.script(called(), LOST, NATIVE, now=100.0)

    repeated = machine.handle(called(), 100.5)

    assert repeated == []
    assert words(machine.handle(answered(), 101.0)) == "answer c1, respond"


def test_a_session_that_must_be_closed_first_is_not_used_any_more() -> None:
    """Where sessions do not overlap, the old one ends with the resumption's beginning."""
    machine = Machine.connected(overlaps_sessions=False)
    machine.script(update(), cannot(), now=100.0)

    waiting = machine.script(
        ResponseAsked(), MessageAsked(Message("user", "hello")), update("newer"), now=100.1
    )

    assert waiting == []
    assert words(machine.handle(NATIVE, 103.0)) == "resumed, applied, mutate, tell, respond"


def test_tools_may_be_called_as_long_as_the_session_knows_them() -> None:
    """And as soon as it may know them; one that was taken away is known no longer."""
    old, new = ToolDefinition("old"), ToolDefinition("new")
    machine = Machine.connected(config=RealtimeConfig(tools=(old,)))
    machine.handle(UpdateAsked(RealtimeConfig(tools=(new,))), 100.0)
    meanwhile = machine.offered

    machine.handle(applied(), 100.5)

    assert meanwhile == (old, new)
    assert set(machine.offered) == {new}


def _refused() -> event.ServerEvent:
    return event.Error(event.ErrorInfo("t", "m"), Severity.HARMLESS, refused_response=True)
