"""Whether a tool call is run, from what is known of it."""

from __future__ import annotations

import json

import pytest

from bridge.ports.runner_events import ToolOutcome
from bridge.ports.tools import Found, ToolState
from bridge.runner.once import Plan, Run, Told, decide, write_result
from bridge.runner.vocabulary import RunTool
from tests.runner.tooling import FakeTool

CALL = RunTool("c1", "book", '{"nights": 2}')
INHERITED = RunTool("c1", "book", '{"nights": 2}', inherited=True)

NEW, BEGUN, FENCED = Found(ToolState.NEW), Found(ToolState.BEGUN), Found(ToolState.FENCED)
DONE = Found(ToolState.DONE, write_result(CALL, "booked"))

RUN = "run"


def tool(*, idempotent: bool = False, needs_journal: bool = False) -> FakeTool:
    made = FakeTool("book")
    made.idempotent, made.needs_journal = idempotent, needs_journal
    return made


def word(plan: Plan) -> str:
    return RUN if isinstance(plan, Run) else plan.outcome.value


@pytest.mark.parametrize("idempotent", [False, True])
@pytest.mark.parametrize("call", [CALL, INHERITED])
def test_what_has_answered_is_not_run_again(call: RunTool, idempotent: bool) -> None:
    """Not even where that did no harm: the answer is there."""
    plan = decide(call, tool(idempotent=idempotent), DONE, begun=True)

    assert plan == Told("booked", ToolOutcome.REMEMBERED)


@pytest.mark.parametrize(
    ("call", "found", "begun", "plain", "idempotent", "needs_journal"),
    [
        # never begun
        (CALL, NEW, False, RUN, RUN, RUN),
        (INHERITED, NEW, False, RUN, RUN, RUN),
        # begun, and nobody knows how it went
        (CALL, BEGUN, False, "outcome_unknown", RUN, "outcome_unknown"),
        (INHERITED, BEGUN, False, "outcome_unknown", RUN, "outcome_unknown"),
        # we know that it was begun, though the journal has lost it
        (CALL, NEW, True, "outcome_unknown", RUN, "outcome_unknown"),
        (INHERITED, NEW, True, "outcome_unknown", RUN, "outcome_unknown"),
        # the journal does not answer: a live call goes on, but takes no risk with old ones
        (CALL, None, False, RUN, RUN, "no_journal"),
        (INHERITED, None, False, "outcome_unknown", RUN, "outcome_unknown"),
        (CALL, None, True, "outcome_unknown", RUN, "outcome_unknown"),
        # the telephone call is somebody else's
        (CALL, FENCED, False, "cancelled", "cancelled", "cancelled"),
        (INHERITED, FENCED, True, "cancelled", "cancelled", "cancelled"),
    ],
)
def test_what_becomes_of_a_call(
    call: RunTool, found: Found | None, begun: bool, plain: str, idempotent: str, needs_journal: str
) -> None:
    """For a tool as it comes, one that may run twice, and one that needs the journal."""
    tools = tool(), tool(idempotent=True), tool(needs_journal=True)

    plans = [word(decide(call, each, found, begun=begun)) for each in tools]

    assert plans == [plain, idempotent, needs_journal]


def test_a_tool_that_needs_the_journal_is_not_run_twice_without_it() -> None:
    """Even one that may run twice: nobody would know of the second time."""
    careful = tool(idempotent=True, needs_journal=True)

    assert word(decide(INHERITED, careful, None, begun=False)) == "outcome_unknown"


def test_the_model_is_told_in_plain_words() -> None:
    """That nobody knows, and that it must not just try again."""
    plan = decide(CALL, tool(), BEGUN, begun=False)

    assert isinstance(plan, Told)
    assert plan.answer["error"]["code"] == "outcome_unknown"
    assert "may have taken effect or not" in plan.answer["error"]["message"]
    assert "Do not simply call the tool again" in plan.answer["error"]["message"]


@pytest.mark.parametrize(
    "other", [RunTool("c1", "book", '{"nights": 3}'), RunTool("c1", "cancel", '{"nights": 2}')]
)
def test_another_call_with_the_same_id_is_another_call(other: RunTool) -> None:
    """Some providers use their ids more than once."""
    assert decide(other, tool(), DONE, begun=False) == Run()


@pytest.mark.parametrize("result", [None, b"", b"{", b"[]", b"7", b'{"name": "book"}', b"\xff"])
def test_a_result_that_cannot_be_read_is_unknown(result: bytes | None) -> None:
    """It was written by another version; the tool has run all the same."""
    found = Found(ToolState.DONE, result)

    assert word(decide(CALL, tool(), found, begun=False)) == "outcome_unknown"


def test_a_result_is_written_whatever_it_says() -> None:
    """Half a character is no reason to forget that a tool has run."""
    written = write_result(RunTool("c1", "book", '"\ud800"'), {"said": "gr\u00fcezi"})

    assert json.loads(written.decode(errors="surrogatepass"))["answer"] == {"said": "gr\u00fcezi"}
