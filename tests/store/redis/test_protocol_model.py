"""The protocol holds whatever happens, and each of its rules is needed."""

from __future__ import annotations

import pytest

from tests.store.redis.protocol_model import Design, Size, find_fault


@pytest.mark.parametrize(
    "size",
    [Size(3, 1, 1), Size(2, 1, 1, failovers=1), Size(3, 1, 1, outages=1)],
    ids=["workers die", "Redis fails over", "Redis does not answer"],
)
def test_it_holds(size: Size) -> None:
    """In every order of what may happen in a game of this size."""
    way, states = find_fault(Design(), size)

    assert way == []
    assert states > 10_000


@pytest.mark.parametrize(
    ("design", "size", "fault"),
    [
        (Design(based=False), Size(2, 2, 1, failovers=1), "HOLE"),
        (Design(claim_first=False), Size(2, 1, 2, outages=1), "REFUSED"),
        (Design(joined=False), Size(2, 2, 1, outages=1), "HOLE"),
        (Design(clocked=False), Size(2, 1, 1, outages=2), "TWICE"),
    ],
    ids=["changes build on nothing", "fences go first", "the past is lost", "the next number"],
)
def test_each_rule_is_needed(design: Design, size: Size, fault: str) -> None:
    """Without it there is a way to what must never happen."""
    way, _ = find_fault(design, size)

    assert way[-1:] == [fault]
