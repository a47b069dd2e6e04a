"""A tool call is told once, whole, and only if the model finished it."""

from __future__ import annotations

import json
from typing import Any

from bridge.ports import server_events as event
from bridge.wire.openai.server import ServerReader
from tests.wire.openai.examples import CALL, CALL_PLACE, DONE, Frame


def calls(*frames: Frame) -> list[event.FunctionCallDone]:
    """The calls that a reader makes of these frames."""
    reader = ServerReader()
    events = [each for frame in frames for each in reader.read(json.dumps(frame))]
    assert not [each for each in events if isinstance(each, event.BadFrame)]
    return [each for each in events if isinstance(each, event.FunctionCallDone)]


def added(call: Frame = CALL) -> Frame:
    item = {**call, "arguments": "", "status": "in_progress"}
    return {"type": "response.output_item.added", "response_id": "r", "item": item}


def arguments_done(**fields: Any) -> Frame:
    return {"type": "response.function_call_arguments.done", **CALL_PLACE, **fields}


def item_done(call: Frame = CALL) -> Frame:
    return {"type": "response.output_item.done", "response_id": "r", "item": call}


def response_done(*items: Frame) -> Frame:
    return {"type": "response.done", "response": {**DONE, "output": list(items)}}


def test_a_call_is_told_once() -> None:
    """However often the server names it."""
    done = arguments_done(name="hours", arguments='{"day": 1}')

    told = calls(added(), done, item_done(), response_done(CALL))

    assert [(each.name, each.arguments) for each in told] == [("hours", '{"day": 1}')]


def test_a_call_whose_name_was_left_out() -> None:
    """The item knew it before."""
    told = calls(added(), arguments_done(arguments='{"day": 1}'))

    assert [each.name for each in told] == ["hours"]


def test_a_call_that_only_its_item_knows() -> None:
    """Neither announced nor named: the finished item has it all."""
    told = calls(arguments_done(arguments="{}"), item_done())

    assert told == [event.FunctionCallDone("c", "hours", '{"day": 1}', "r", "i", 0, "")]


def test_a_call_that_only_the_response_knows() -> None:
    """Told before the response is done, so that the turn is not over yet."""
    reader = ServerReader()
    events = reader.read(json.dumps(response_done(CALL)))

    assert [type(each).__name__ for each in events] == ["FunctionCallDone", "ResponseDone"]


def test_a_call_that_was_cut_off() -> None:
    """The server says "done" of arguments that an interruption cut; that is no call."""
    cut = {**CALL, "status": "incomplete", "arguments": '{"da'}

    told = calls(
        added(), arguments_done(name="hours", arguments='{"da'), item_done(cut), response_done(cut)
    )

    assert told == []


def test_a_call_with_nonsense_for_arguments() -> None:
    """The model did write it, so it is a call, and it will be told what is wrong with it."""
    nonsense = {**CALL, "arguments": "[not json"}
    done = arguments_done(name="hours", arguments="[not json")

    told = calls(added(), done, item_done(nonsense))

    assert [each.arguments for each in told] == ["[not json"]


def test_parallel_calls() -> None:
    """Each is told."""
    other = {**CALL, "id": "j", "call_id": "d", "name": "menu"}

    told = calls(added(), added(other), item_done(), item_done(other))

    assert [(each.call_id, each.name) for each in told] == [("c", "hours"), ("d", "menu")]
