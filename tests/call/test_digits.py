"""Keys, gathered into entries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.call.digits import MAX_DIGITS, PAUSE, Digits

KEYS = st.lists(
    st.tuples(st.sampled_from("0123456789ABCD*#"), st.floats(0.1, 5.0)), min_size=1, max_size=80
)


def test_a_pause_completes_an_entry() -> None:
    """Counted from the last key."""
    digits = Digits()
    deadlines = [digits.deadline]

    assert digits.press("4", 1.0) is None
    assert digits.press("2", 2.0) is None
    deadlines.append(digits.deadline)
    assert digits.pause(3.4) is None

    assert digits.pause(3.5) == "42"
    deadlines.append(digits.deadline)
    assert digits.pause(9.0) is None
    assert deadlines == [None, 2.0 + PAUSE, None]


def test_the_hash_key_completes_an_entry() -> None:
    digits = Digits()
    digits.press("4", 1.0)

    assert digits.press("#", 1.1) == "4#"
    assert digits.press("*", 1.2) is None
    assert digits.pause(9.0) == "*"


def test_an_entry_is_complete_when_it_is_long() -> None:
    digits = Digits()

    entries = [digits.press("7", float(number)) for number in range(MAX_DIGITS)]

    assert entries == [None] * (MAX_DIGITS - 1) + ["7" * MAX_DIGITS]


def test_keys_that_a_network_held_back_come_at_once() -> None:
    """They were pressed one after the other, and none of them is lost."""
    digits = Digits()
    for key in "123456":
        digits.press(key, 1.0)

    assert digits.pause(1.0 + PAUSE) == "123456"
    assert digits.ignored == 0


def test_a_flood_of_keys() -> None:
    """What no finger can press is counted, and no more."""
    digits = Digits()

    entries = [digits.press("1", number / 1000) for number in range(10_000)]

    assert len([entry for entry in entries if entry is not None]) <= 5
    assert digits.ignored == pytest.approx(10_000 - 132, abs=2)


def test_an_entry_that_nobody_wants() -> None:
    digits = Digits()
    digits.press("1", 1.0)

    digits.forget()

    assert digits.deadline is None
    assert digits.pause(9.0) is None


@given(KEYS)
def test_every_key_is_entered_once_and_in_order(keys: list[tuple[str, float]]) -> None:
    """However they are spaced, if a person can press them so."""
    digits, now, entered = Digits(), 0.0, ""
    for key, after in keys:
        due = digits.deadline
        now += after
        if due is not None and due <= now:
            entered += digits.pause(due) or ""
        entered += digits.press(key, now) or ""
    entered += digits.pause(now + PAUSE) or ""

    assert entered == "".join(key for key, _ in keys)
