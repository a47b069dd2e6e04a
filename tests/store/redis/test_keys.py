"""What lies in Redis has names, and those of one call belong together."""

from __future__ import annotations

from dataclasses import astuple

from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from bridge.store.redis.keys import SHARDS, WORKERS, Keys, index_key, rescue_key, shard_of

IDS = st.text(min_size=1)


@given(IDS)
def test_all_keys_of_a_call_are_in_one_slot(call_id: str) -> None:
    """Whatever a carrier puts into its ids."""
    slots = {key_slot(key.encode()) for key in astuple(Keys.of(call_id))}

    assert len(slots) == 1


@given(IDS, IDS)
def test_no_two_calls_share_a_key(one: str, other: str) -> None:
    keys = {*astuple(Keys.of(one)), *astuple(Keys.of(other))}

    assert len(keys) == (5 if one == other else 10)


def test_names_are_stable() -> None:
    """Workers of two versions share them while one replaces the other."""
    assert Keys.of("CA1").call == "tb:{CA1}:call"
    assert Keys.of("CA1").claimed == ("tb:{CA1}:call", "tb:{CA1}:log")


def test_the_list_of_calls_is_spread() -> None:
    """Over all of its parts, always in the same way."""
    shards = [shard_of(f"CA{number}") for number in range(1_000)]

    assert set(shards) == set(range(SHARDS))
    assert shards == [shard_of(f"CA{number}") for number in range(1_000)]
    assert index_key(3) == "tb:calls:3"


def test_all_that_is_of_a_call_lies_together() -> None:
    """What a cluster keeps in one slot has the same braces, also who rescues the call."""
    call = Keys.of("CA}1").call

    assert rescue_key("CA}1").partition(":rescue")[0] == call.partition(":call")[0]
    assert len({key[: key.index("}")] for key in WORKERS}) == 1
