"""The configuration as it is and as it should be."""

from __future__ import annotations

from bridge.ports.session import RealtimeConfig, ToolDefinition
from bridge.runner.updates import Updates
from bridge.runner.vocabulary import UpdateAsked

BASE = RealtimeConfig(instruction="old", voice="sage", extra={"a": {"x": 1}})


def ask(updates: Updates, ticket: int, change: RealtimeConfig, bridge: str | None = None) -> None:
    updates.ask(UpdateAsked(change, bridge, ticket=ticket))


def test_what_is_asked_is_desired_at_once() -> None:
    """And applied when the provider has confirmed it."""
    updates = Updates(BASE)
    ask(updates, 1, RealtimeConfig(instruction="new"))
    before = updates.applied
    updates.begin()
    change, tickets = updates.confirmed()

    assert before == BASE
    assert change.change == RealtimeConfig(instruction="new")
    assert tickets == (1,)
    assert updates.applied == updates.desired == BASE.with_instruction("new")
    assert updates.settled


def test_what_waits_is_one_change() -> None:
    """The newest word for each field, and everybody's ticket."""
    updates = Updates(BASE)
    ask(updates, 1, RealtimeConfig(instruction="one", voice="ash"))
    ask(updates, 2, RealtimeConfig(instruction="two"))

    begun = updates.begin()

    assert begun.change == RealtimeConfig(instruction="two", voice="ash")
    assert not updates.waiting
    assert updates.confirmed()[1] == (1, 2)


def test_extra_is_merged_key_by_key() -> None:
    """What another asked for in `extra` is not wiped out."""
    updates = Updates(BASE)
    ask(updates, 1, RealtimeConfig(extra={"a": {"y": 2}}))
    ask(updates, 2, RealtimeConfig(extra={"b": 3}))

    assert updates.desired.extra == {"a": {"x": 1, "y": 2}, "b": 3}
    assert updates.begin().change.extra == {"a": {"y": 2}, "b": 3}


def test_a_rejected_change_is_not_desired_any_more() -> None:
    """What waits on top of it still is."""
    updates = Updates(BASE)
    ask(updates, 1, RealtimeConfig(instruction="bad", voice="bad"))
    updates.begin()
    ask(updates, 2, RealtimeConfig(voice="ash"))
    tickets = updates.rejected()

    assert tickets == (1,)
    assert updates.desired == BASE.with_voice("ash")
    assert updates.begin().change == RealtimeConfig(voice="ash")


def test_a_resumption_takes_everything_that_is_not_applied() -> None:
    """What was under way and what waited, with the tickets of both."""
    updates = Updates(BASE)
    ask(updates, 1, RealtimeConfig(instruction="one"), "first")
    updates.begin()
    ask(updates, 2, RealtimeConfig(voice="ash"))
    update, tickets = updates.absorb()

    assert update is not None
    assert update.change == RealtimeConfig(instruction="one", voice="ash")
    assert update.bridge_message == "first"
    assert tickets == (1, 2)
    assert updates.under_way is None
    assert not updates.waiting
    assert updates.absorb() == (None, ())


def test_the_newer_bridge_message_wins() -> None:
    """And without one the older stays."""
    updates = Updates(BASE)
    ask(updates, 1, RealtimeConfig(instruction="one"), "first")
    ask(updates, 2, RealtimeConfig(instruction="two"), "second")
    ask(updates, 3, RealtimeConfig(instruction="three"))

    assert updates.begin().bridge_message == "second"


def test_a_new_session_has_what_it_was_given() -> None:
    """Not what was asked for while it came up."""
    updates = Updates(BASE)
    given = updates.desired
    ask(updates, 1, RealtimeConfig(instruction="later"))
    updates.resumed(given)

    assert updates.applied == BASE
    assert not updates.settled
    assert updates.waiting


def test_the_tools_of_now_come_before_those_to_come() -> None:
    """A session may call what it knows, and what it may know already."""
    old, new = ToolDefinition("old"), ToolDefinition("new")
    updates = Updates(RealtimeConfig(tools=(old,)))
    ask(updates, 1, RealtimeConfig(tools=(new,)))

    assert updates.offered == (old, new)
    assert Updates(RealtimeConfig()).offered == ()
