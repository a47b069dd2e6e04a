"""Who is told of something once nobody listens any more."""

from __future__ import annotations

from collections.abc import Callable

from bridge.nobody import nobody


def test_it_stands_in_for_any_listener() -> None:
    listeners: list[Callable[..., None]] = [nobody, lambda *told: None]

    assert [listen() for listen in listeners] == [None, None]
    assert [listen(b"audio", 1000) for listen in listeners] == [None, None]
