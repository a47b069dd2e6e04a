"""The tool calls that wait for an answer, and what may be answered."""

from __future__ import annotations

import itertools
import logging

import pytest

from bridge.ports.model import ToolResponse
from bridge.wire.gemini.calls import ToolCalls


def waiting_for(*calls: tuple[str, str]) -> ToolCalls:
    waiting = ToolCalls(itertools.count(1))
    for call_id, name in calls:
        waiting.begin(call_id, name)
    return waiting


def test_the_model_waits_until_every_call_is_answered() -> None:
    calls = waiting_for(("c-1", "hours"), ("c-2", "hours"))

    before = bool(calls)
    calls.answers([ToolResponse("c-1", 7)])
    between = bool(calls)
    calls.answers([ToolResponse("c-2", 7)])

    assert (before, between, bool(calls)) == (True, True, False)


def test_the_name_is_the_calls_own() -> None:
    """Whatever the one who answers calls it."""
    answers = waiting_for(("c-1", "hours")).answers([ToolResponse("c-1", {"at": 7}, "ours")])

    assert answers == [{"id": "c-1", "name": "hours", "response": {"at": 7}}]


@pytest.mark.parametrize("output", ["seven", 7, 7.5, None, True, [1, 2]])
def test_what_is_no_object_becomes_one(output: object) -> None:
    """D30."""
    (answer,) = waiting_for(("c-1", "hours")).answers([ToolResponse("c-1", output)])

    assert answer["response"] == {"result": output}


def test_a_call_that_was_taken_back_is_not_answered() -> None:
    calls = waiting_for(("c-1", "hours"))
    calls.cancel(["c-1", "unheard-of"])

    assert not calls
    assert calls.answers([ToolResponse("c-1", 7)]) == []


def test_an_answer_that_was_left_out_is_told_without_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        waiting_for().answers([ToolResponse("c-1", "a secret")])

    assert "not sent" in caplog.text
    assert "secret" not in caplog.text


def test_a_call_without_an_id_is_answered_without_one() -> None:
    calls = waiting_for()
    call_id = calls.begin("", "hours")

    assert call_id == "call_1"
    assert calls.answers([ToolResponse(call_id, 7)]) == [
        {"name": "hours", "response": {"result": 7}}
    ]
