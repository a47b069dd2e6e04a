"""Records become sealed fields and items, and records again."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import StoreError
from bridge.ports import leg
from bridge.ports.conversation import AgentSaid, CallerSaid
from bridge.ports.session import RealtimeConfig, SessionUpdateConfig, ToolDefinition
from bridge.ports.store import CallRecord, Cut, PendingChange
from bridge.store.redis.mapping import Kept, Sealed, first_number, joined
from bridge.store.sealing import Seal
from tests.store.contract import FULL

SEALED = Sealed(Seal([b"a key of the operator's"]))
RECORD = replace(FULL, call_id="CA1")


def bytes_of(flat: list[str | bytes]) -> list[bytes]:
    return [part.encode() if isinstance(part, str) else part for part in flat]


def kept_as(record: CallRecord, *, first: int = 0) -> tuple[list[bytes], list[bytes]]:
    """What lies in the two hashes once the whole record is written."""
    count = str(len(record.history))
    extra: list[str | bytes] = ["known", "1", "first", str(first), "count", count]
    return (
        bytes_of([*SEALED.fields(record), *extra]),
        bytes_of(SEALED.items(record, first, None)),
    )


def read(record: CallRecord) -> CallRecord | None:
    return SEALED.read("CA1", *kept_as(record))


@pytest.mark.parametrize("record", [RECORD, CallRecord("CA1")])
def test_a_record_is_read_as_it_was(record: CallRecord) -> None:
    """With something in every field, and with nothing in any."""
    assert read(record) == record


def test_every_field_has_its_place() -> None:
    """One that is added to the record is stored, without a line in the store."""
    names = SEALED.fields(RECORD)[::2]

    apart = {"call_id", "history"}
    assert names == [f"r:{field.name}" for field in fields(CallRecord) if field.name not in apart]


def test_a_change_of_the_session() -> None:
    """What an operator asked for is a configuration like any other."""
    change = SessionUpdateConfig(
        instruction="Speak of bread.", tools=(ToolDefinition("hours"),), extra={"a": {"b": [1]}}
    )
    found = read(replace(RECORD, pending=PendingChange(change, "Hello.", 3)))

    assert found is not None
    assert found.pending is not None
    assert found.pending.change == RealtimeConfig(**change.named())
    assert (found.pending.bridge_message, found.pending.attempts) == ("Hello.", 3)


@pytest.mark.parametrize("words", ["half a smile: \ud83d", "\x00", "Grüezi 🥐", ""])
def test_any_words(words: str) -> None:
    """Models cut their words in odd places; no call is forgotten for that."""
    record = replace(
        RECORD,
        history=(CallerSaid(words), AgentSaid(words)),
        parameters={"said": words},
        pending=PendingChange(RealtimeConfig(instruction=words), words),
    )

    assert read(record) == record


def test_only_what_has_changed() -> None:
    """Fields by what they hold, items by their number."""
    turns = tuple(CallerSaid(f"{number}") for number in range(5))
    before = replace(RECORD, history=turns)
    after = replace(before, cut=Cut.AGENT, history=(*turns[:4], AgentSaid("4"), AgentSaid("5")))
    kept = Kept(7, before, first=3)

    assert SEALED.fields(after, before)[::2] == ["r:cut"]
    assert SEALED.items(after, 3, kept)[::2] == ["7", "8"]
    assert SEALED.items(before, 3, kept) == []


def test_items_that_fall_off_the_front() -> None:
    """The others keep their numbers, and are not written again."""
    turns = tuple(CallerSaid(f"{number}") for number in range(100))
    kept = Kept(1, replace(RECORD, history=turns), first=10)
    later = (*turns[3:], CallerSaid("100"))

    first = first_number(later, kept)

    assert first == 13
    assert SEALED.items(replace(RECORD, history=later), first, kept)[::2] == ["110"]


@pytest.mark.parametrize(
    ("before", "after"), [((), ()), ((), ("a",)), (("a",), ()), (("a", "b"), ("c",))]
)
def test_numbers_where_nothing_is_the_same(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    """They begin where they began."""
    kept = Kept(1, replace(RECORD, history=tuple(map(CallerSaid, before))), first=5)

    assert first_number(tuple(map(CallerSaid, after)), kept) == 5
    assert first_number(tuple(map(CallerSaid, after)), None) == 0


def test_there_is_no_record() -> None:
    """A call may be held by somebody who has not written yet."""
    assert SEALED.read("CA1", [b"state", b"live", b"fence", b"7"], []) is None


def test_a_hole_in_a_conversation() -> None:
    """A wrong record is worse than none."""
    call, log = kept_as(RECORD)

    with pytest.raises(StoreError, match="missing"):
        SEALED.read("CA1", call, log[2:])


@pytest.mark.parametrize("place", ["call", "log"])
def test_what_was_sealed_elsewhere_does_not_open(place: str) -> None:
    """In another call, or in another field of this one."""
    call, log = kept_as(RECORD)
    with pytest.raises(StoreError, match="does not open"):
        SEALED.read("CA2", call, log)

    swapped = call if place == "call" else log
    swapped[1], swapped[3] = swapped[3], swapped[1]
    with pytest.raises(StoreError, match="does not open"):
        SEALED.read("CA1", call, log)


def test_what_is_not_understood_is_an_error() -> None:
    """It is said in which field, and not what is in it."""
    call, log = kept_as(RECORD)
    at = call.index(b"r:parameters") + 1
    call[at] = SEALED.text("CA1", b'["hunter2"]', "r:parameters")

    with pytest.raises(StoreError, match="the stored parameters of a call") as refusal:
        SEALED.read("CA1", call, log)

    assert "hunter2" not in str(refusal.value)


def test_a_configuration_that_is_no_json() -> None:
    """It cannot be written, and that is a StoreError, too."""
    record = replace(RECORD, config=RealtimeConfig(extra={"a": object()}))

    with pytest.raises(StoreError, match="cannot be written"):
        SEALED.fields(record)


@given(st.sampled_from([leg.Hangup(), leg.Hangup("Bye."), leg.Transfer("+14155550100", "Hm.")]))
def test_verdicts(verdict: leg.Verdict) -> None:
    sealed = SEALED.verdict("CA1", verdict)

    assert SEALED.read_verdict("CA1", sealed) == verdict
    with pytest.raises(StoreError):
        SEALED.read_verdict("CA2", sealed)


@given(st.binary())
def test_texts(text: bytes) -> None:
    sealed = SEALED.text("CA1", text, "mail:1")

    assert SEALED.read_text("CA1", sealed, "mail:1") == text
    with pytest.raises(StoreError):
        SEALED.read_text("CA1", sealed, "mail:2")


def test_two_parts_of_one_call() -> None:
    """What was said before comes before; of the rest the later one knows better."""
    earlier = replace(RECORD, history=(CallerSaid("Hello."),), parameters={"a": "1", "b": "1"})
    later = CallRecord(
        "CA1",
        carrier="twilio",
        parameters={"b": "2"},
        started_at=2e9,
        resume_token="new",
        history=(CallerSaid("Are you there?"),),
        cut=Cut.AGENT,
    )

    whole = joined(earlier, later)

    assert whole.history == (CallerSaid("Hello."), CallerSaid("Are you there?"))
    assert whole.parameters == {"a": "1", "b": "2"}
    assert (whole.caller, whole.called, whole.agent) == (RECORD.caller, RECORD.called, "baker")
    assert (whole.started_at, whole.pending) == (RECORD.started_at, RECORD.pending)
    assert (whole.resume_token, whole.config, whole.cut) == ("new", None, Cut.AGENT)


def test_a_holder_who_was_told_in_another_way() -> None:
    """What was said is not said twice for that."""
    earlier = replace(RECORD, history=(CallerSaid("Hello."), AgentSaid("Yes?")))
    later = replace(RECORD, history=(*earlier.history, CallerSaid("Are you open?")))

    assert joined(earlier, later) == later
