"""A tool that acted on the world does not act twice: not in one session, not after another's."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bridge.errors import ConfigError
from bridge.ports import client_events as client
from bridge.ports.conversation import CallerSaid, ToolAsked, ToolUsed
from bridge.ports.model import Memory, ToolCall
from bridge.ports.runner_events import ToolFinished, ToolOutcome, ToolStarted
from bridge.ports.server_events import FunctionCallDone, ToolCallCancelled
from bridge.runner.config import RunnerConfig
from bridge.runner.once import write_result
from bridge.runner.runner import RealtimeRunner
from bridge.runner.vocabulary import RunTool
from tests.fakes.model import Answers, FakeModel, turns
from tests.runner.stage import Stage, created, done
from tests.runner.tooling import FakeJournal, FakeTool, HeldTool

ASKED = ToolAsked("c1", "look", "{}")
BOOKED = write_result(RunTool("c1", "look", "{}"), "booked")
HISTORY = (CallerSaid("A double room, please."),)


def answers(stage: Stage) -> list[Any]:
    """What the session was told of tool calls of its own."""
    told = [each for each in stage.session.said if isinstance(each, Answers)]
    return [response.output for each in told for response in each.responses]


def messages(stage: Stage) -> list[str]:
    return [each.text for each in stage.session.said if isinstance(each, client.Message)]


def outcomes(stage: Stage) -> list[ToolOutcome]:
    return [finished.outcome for finished in stage.all_heard(ToolFinished)]


def code(output: Any) -> str:
    told = json.loads(output) if isinstance(output, str) else output
    return str(told["error"]["code"])


class Beside(FakeTool):
    """A tool that may not run twice."""

    def __init__(self) -> None:
        super().__init__()
        self.idempotent = False


# One session


async def test_it_is_written_down_before_and_after() -> None:
    """And the answer is told when it is safe."""
    journal = FakeJournal()
    at_work: list[str] = []

    async def act(call: ToolCall) -> str:
        at_work.extend(journal.told)
        return "booked"

    async with Stage(tools=[FakeTool(act=act)], journal=journal) as stage:
        await stage.call("look")

        assert answers(stage) == ["booked"]
    assert at_work == ["begin c1"]
    assert journal.told == ["begin c1", "done c1"]
    assert journal.results == {"c1": BOOKED}


async def test_a_call_that_is_told_again_is_answered_again() -> None:
    """The model hears what the tool has said; the conversation has it once."""
    tool = Beside()
    async with Stage(tools=[tool], journal=FakeJournal()) as stage:
        await stage.call("look")
        stage.session.emit(done("r1"))
        stage.session.emit(created("r2"), FunctionCallDone("c1", "look", "{}", "r2"), done("r2"))
        await turns()

        assert answers(stage) == [{"called": "look"}, {"called": "look"}]
        assert len(stage.runner.history) == 1
    assert len(tool.calls) == 1
    assert outcomes(stage) == [ToolOutcome.ANSWERED, ToolOutcome.REMEMBERED]


async def test_a_call_that_was_taken_back_and_comes_again_is_not_run_again() -> None:
    """It had begun, and nobody knows how far it came."""
    tool = HeldTool()
    tool.idempotent = False
    async with Stage(tools=[tool], journal=FakeJournal()) as stage:
        stage.session.emit(FunctionCallDone("c1", "look", "{}"))
        await turns()
        stage.session.emit(ToolCallCancelled(("c1",)))
        await turns()
        stage.session.emit(FunctionCallDone("c1", "look", "{}"))
        await turns()

        [told] = answers(stage)
    assert code(told) == "outcome_unknown"
    assert len(tool.calls) == 1
    assert outcomes(stage) == [ToolOutcome.CANCELLED, ToolOutcome.OUTCOME_UNKNOWN]


@pytest.mark.parametrize("hangs", [False, True])
async def test_tools_run_while_the_journal_does_not_answer(hangs: bool) -> None:
    """A live call goes before the journal."""
    journal = FakeJournal()
    if hangs:
        journal.gate = asyncio.Event()
    else:
        journal.down = True
    tool = Beside()
    async with Stage(tools=[tool], journal=journal) as stage:
        async with asyncio.timeout(5):
            await stage.call("look")
            await stage.session.until(lambda session: bool(answers(stage)))

    assert len(tool.calls) == 1


async def test_a_tool_that_needs_the_journal_waits_for_better_times() -> None:
    """The model is told that it did not run."""
    journal, tool = FakeJournal(), Beside()
    tool.needs_journal = True
    async with Stage(tools=[tool], journal=journal) as stage:
        journal.down = True
        await stage.call("look")
        [told] = answers(stage)
        stage.session.emit(done("r1"))
        journal.down = False
        stage.session.emit(FunctionCallDone("c2", "look", "{}", "r2"), done("r2"))
        await turns()

        assert answers(stage)[1:] == [{"called": "look"}]
    assert code(told) == "not_run"
    assert outcomes(stage) == [ToolOutcome.NO_JOURNAL, ToolOutcome.ANSWERED]


def test_a_tool_that_needs_the_journal_needs_one() -> None:
    """Said when the runner is made."""
    tool = Beside()
    tool.needs_journal = True

    with pytest.raises(ConfigError, match="look needs a journal"):
        RealtimeRunner(FakeModel(), tools=[tool])


async def test_a_call_that_is_no_longer_ours_runs_no_tool() -> None:
    """And tells its model nothing: somebody else goes on with it."""
    journal, tool = FakeJournal(), FakeTool()
    journal.fenced = True
    async with Stage(tools=[tool], journal=journal) as stage:
        await stage.call("look")

        assert answers(stage) == []
        assert stage.runner.unanswered == (ASKED,)
    assert tool.calls == []


# What a runner leaves to the next one


async def test_what_is_unanswered_is_told() -> None:
    """With what is known of it: whether it was begun. A call that is answered is history."""
    tool = HeldTool()
    async with Stage(
        tools=[tool], journal=FakeJournal(), options=RunnerConfig(max_concurrent_tools=1)
    ) as stage:
        await stage.call("look", "look")
        both = stage.runner.unanswered
        tool.gate.set()
        await turns()

        assert stage.runner.unanswered == ()
        assert len(stage.runner.history) == 2
    assert both == (ToolAsked("c1", "look", "{}", begun=True), ToolAsked("c2", "look", "{}"))


async def test_what_was_cut_off_by_the_end_is_left_over() -> None:
    tool = HeldTool()
    async with Stage(tools=[tool], journal=FakeJournal()) as stage:
        await stage.call("look")

    assert stage.runner.unanswered == (ToolAsked("c1", "look", "{}", begun=True),)


# What a runner makes of what it finds


async def test_a_result_that_nobody_heard_is_told() -> None:
    """The new session knows it from the conversation, as if it had been there."""
    tool = Beside()
    async with Stage(
        tools=[tool], journal=FakeJournal(c1=BOOKED), history=HISTORY, unanswered=(ASKED,)
    ) as stage:
        history = stage.session.resumption.history

        assert stage.session.said == [client.ResponseCreate()]
    assert history == (*HISTORY, ToolUsed("c1", "look", "{}", '"booked"'))
    assert tool.calls == []
    assert outcomes(stage) == [ToolOutcome.REMEMBERED]


async def test_what_was_begun_is_unknown() -> None:
    """The model is told so, and asked to go on."""
    journal, tool = FakeJournal(), Beside()
    journal.earlier = {"c1"}
    async with Stage(tools=[tool], journal=journal, history=HISTORY, unanswered=(ASKED,)) as stage:
        used = stage.session.resumption.history[-1]

        assert stage.session.said == [client.ResponseCreate()]
    assert isinstance(used, ToolUsed)
    assert code(used.output) == "outcome_unknown"
    assert tool.calls == []
    assert outcomes(stage) == [ToolOutcome.OUTCOME_UNKNOWN]


async def test_what_may_run_twice_runs_again() -> None:
    """Under the same id. Nobody waits for it; its answer is told when it comes."""
    journal, tool = FakeJournal(), HeldTool()
    journal.earlier = {"c1"}
    async with Stage(tools=[tool], journal=journal, history=HISTORY, unanswered=(ASKED,)) as stage:
        before = stage.session.said
        tool.gate.set()
        await turns()

        [told] = messages(stage)
        assert stage.session.said[-1] == client.ResponseCreate()
    assert before == []
    assert told == 'The tool look answered meanwhile: {"call": "c1"}'
    assert [call.call_id for call in tool.calls] == ["c1"]
    assert journal.told == ["begin c1", "done c1"]


async def test_what_was_never_begun_runs_now() -> None:
    """The worker died before it came to that."""
    tool = Beside()
    async with Stage(
        tools=[tool], journal=FakeJournal(), history=HISTORY, unanswered=(ASKED,)
    ) as stage:
        await turns()

        assert stage.session.said[-1] == client.ResponseCreate()
    assert len(tool.calls) == 1
    assert outcomes(stage) == [ToolOutcome.ANSWERED]


async def test_what_was_begun_for_all_the_last_one_knew_is_not_new() -> None:
    """Though the journal was lost meanwhile, or did not answer then."""
    tool = Beside()
    asked = ToolAsked("c1", "look", "{}", begun=True)
    async with Stage(tools=[tool], journal=FakeJournal(), unanswered=(asked,)) as stage:
        await turns()

    assert tool.calls == []
    assert outcomes(stage) == [ToolOutcome.OUTCOME_UNKNOWN]


@pytest.mark.parametrize("journal", [None, FakeJournal()])
async def test_without_an_answer_of_the_journal_nothing_is_run_again(
    journal: FakeJournal | None,
) -> None:
    """Only it could tell whether the tool was begun."""
    if journal is not None:
        journal.down = True
    tool = Beside()
    async with Stage(tools=[tool], journal=journal, unanswered=(ASKED,)) as stage:
        await turns()

    assert tool.calls == []
    assert outcomes(stage) == [ToolOutcome.OUTCOME_UNKNOWN]


async def test_a_session_that_the_provider_resumed_is_told_in_words() -> None:
    """Its memory ends before the call, or it would have a token that does not."""
    model = FakeModel(memory=Memory.NATIVE)
    async with Stage(
        model,
        tools=[Beside()],
        journal=FakeJournal(c1=BOOKED),
        history=HISTORY,
        unanswered=(ASKED,),
        token="a token",
    ) as stage:
        assert messages(stage) == ['The tool look answered meanwhile: "booked"']
        assert stage.session.said[-1] == client.ResponseCreate()


async def test_a_session_that_asks_again_for_what_was_asked_before() -> None:
    """Some providers tell a resumed session their own old events anew: the answer is there."""
    tool = Beside()
    async with Stage(
        FakeModel(memory=Memory.NATIVE),
        tools=[tool],
        journal=FakeJournal(c1=BOOKED),
        unanswered=(ASKED,),
        token="a token",
    ) as stage:
        stage.session.emit(FunctionCallDone("c1", "look", "{}", "r1"), done("r1"))
        await turns()

        assert answers(stage) == ["booked"]
        assert len(stage.runner.history) == 1
    assert tool.calls == []


async def test_a_call_that_runs_again_is_not_run_twice_when_it_is_asked_for_again() -> None:
    """It becomes the session's own, and is answered as one."""
    journal, tool = FakeJournal(), HeldTool()
    journal.earlier = {"c1"}
    async with Stage(tools=[tool], journal=journal, unanswered=(ASKED,)) as stage:
        stage.session.emit(FunctionCallDone("c1", "look", "{}", "r1"), done("r1"))
        await turns()
        tool.gate.set()
        await turns()

        assert answers(stage) == [{"call": "c1"}]
        assert messages(stage) == []
    assert len(tool.calls) == 1


async def test_a_first_session_that_comes_late_hears_the_same() -> None:
    """A token that is refused costs no answer."""
    gate = asyncio.Event()
    model = FakeModel([gate])
    stage = Stage(model, tools=[Beside()], journal=FakeJournal(c1=BOOKED), unanswered=(ASKED,))
    connecting = asyncio.create_task(stage.runner.connect())
    await turns()
    gate.set()
    await connecting
    async with stage:
        assert stage.session.said == [client.ResponseCreate()]


async def test_whoever_answers_calls_themselves_may_do_so_late() -> None:
    """Tools that the runner does not execute are still asked for."""
    options = RunnerConfig(auto_execute_tools=False)
    async with Stage(unanswered=(ASKED,), options=options) as stage:
        stage.runner._engine.answered("c1", "booked")
        await turns()

        assert messages(stage) == ['The tool look answered meanwhile: "booked"']
        assert stage.runner.history == (ToolUsed("c1", "look", "{}", '"booked"'),)
    assert stage.all_heard(ToolStarted) == []


async def test_it_is_looked_up_once() -> None:
    """A runner that is closed and connects again has nothing left to look up."""
    journal = FakeJournal(c1=BOOKED)
    stage = Stage(tools=[Beside()], journal=journal, unanswered=(ASKED,), listen=False)
    async with stage:
        await stage.runner.close()
        await stage.runner.connect()
        await turns()

    assert journal.told == ["begin c1"]
