"""A conversation is told again item by item, as the official types want it."""

from __future__ import annotations

from bridge.ports.conversation import AgentSaid, CallerSaid, HistoryItem, Note, ToolUsed
from bridge.ports.model import ToolResponse
from bridge.wire.openai.history import write_answer, write_history
from tests.fakes.openai.schema import client_problem


def test_a_conversation_is_told_in_order() -> None:
    """What the caller said goes in, what was heard of the agent comes out, calls are pairs."""
    history: list[HistoryItem] = [
        CallerSaid("When do you open?"),
        ToolUsed("call_1", "hours", '{"day": "Monday"}', '"seven"'),
        AgentSaid("At seven."),
        Note("The oven is broken."),
    ]

    items = write_history(history)

    assert items == [
        {
            "id": "told_0",
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "When do you open?"}],
        },
        {
            "id": "told_1",
            "type": "function_call",
            "call_id": "call_1",
            "name": "hours",
            "arguments": '{"day": "Monday"}',
        },
        {
            "id": "told_2",
            "type": "function_call_output",
            "call_id": "call_1",
            "output": '"seven"',
        },
        {
            "id": "told_3",
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "At seven."}],
        },
        {
            "id": "told_4",
            "type": "message",
            "role": "system",
            "content": [{"type": "input_text", "text": "The oven is broken."}],
        },
    ]
    for item in items:
        assert client_problem({"type": "conversation.item.create", "item": item}) is None


def test_what_was_never_heard_is_not_told() -> None:
    """An empty text is no item."""
    assert write_history([AgentSaid(""), CallerSaid("")]) == []


def test_answers_are_texts_or_json() -> None:
    """A text goes as it is; everything else as JSON that a model can read."""
    text = write_answer(ToolResponse("c", "grüß dich"))
    words = write_answer(ToolResponse("c", {"tür": [1, None]}))

    assert text == {"type": "function_call_output", "call_id": "c", "output": "grüß dich"}
    assert words["output"] == '{"tür": [1, null]}'
