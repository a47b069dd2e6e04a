"""What is sealed opens in its own place, with its own key, and nowhere else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import ConfigError, StoreError
from bridge.store.sealing import NONCE_SIZE, Seal

OLD, NEW = b"the old key of the operator", b"the new key of the operator"


@given(st.binary(max_size=2_000))
def test_what_is_sealed_opens(text: bytes) -> None:
    """In the same place, with the same key."""
    seal = Seal([NEW])

    assert seal.open(seal.seal(text, "CA1", "log:3"), "CA1", "log:3") == text


def test_no_nonce_is_used_twice() -> None:
    """Not in many threads at once either: two texts under one nonce would give each other away."""
    seal = Seal([NEW])
    with ThreadPoolExecutor(4) as threads:
        sealed = list(threads.map(lambda _: seal.seal(b"", "CA1", "ck"), range(1_000)))

    assert len({text[2 : 2 + NONCE_SIZE] for text in sealed}) == 1_000


def test_it_does_not_show_and_never_repeats() -> None:
    """The text is not in it, and the same text is sealed differently each time."""
    seal = Seal([NEW])

    first = seal.seal(b"my card number", "CA1", "ck")
    second = seal.seal(b"my card number", "CA1", "ck")

    assert b"card" not in first
    assert first != second


@pytest.mark.parametrize(("call", "field"), [("CA2", "ck"), ("CA1", "log:1")])
def test_a_copy_elsewhere_does_not_open(call: str, field: str) -> None:
    """Whoever can write the store cannot move a record to another call or field."""
    seal = Seal([NEW])
    sealed = seal.seal(b"words", "CA1", "ck")

    with pytest.raises(StoreError, match="does not open"):
        seal.open(sealed, call, field)


def test_keys_rotate() -> None:
    """The first key seals; what the old one sealed still opens while it is in the list."""
    before, during, after = Seal([OLD]), Seal([NEW, OLD]), Seal([NEW])
    sealed = before.seal(b"words", "CA1", "ck")

    assert during.open(sealed, "CA1", "ck") == b"words"
    assert after.open(during.seal(b"words", "CA1", "ck"), "CA1", "ck") == b"words"
    with pytest.raises(StoreError):
        after.open(sealed, "CA1", "ck")


@given(st.binary(max_size=80))
def test_what_was_never_sealed_is_refused(noise: bytes) -> None:
    """Whatever lies in the store, the answer is a StoreError."""
    with pytest.raises(StoreError):
        Seal([NEW]).open(noise, "CA1", "ck")


@given(st.integers(0, 60), st.integers(1, 255))
def test_one_changed_bit_is_noticed(position: int, change: int) -> None:
    """Damage and forgery alike."""
    seal = Seal([NEW])
    sealed = bytearray(seal.seal(b"some words of a caller's, and more", "CA1", "ck"))
    sealed[position % len(sealed)] ^= change

    with pytest.raises(StoreError):
        seal.open(bytes(sealed), "CA1", "ck")


def test_without_a_key_nothing_is_sealed() -> None:
    """The operator is told which setting is missing."""
    with pytest.raises(ConfigError, match="BRIDGE_SECRET_KEY"):
        Seal([])
