"""The leanest relay carries calls."""

from __future__ import annotations

from bridge.bench.lean import CallerSide
from tests.bench.relays import calls_through, listening, provider


async def test_calls_go_through() -> None:
    """All frames, in both directions, in order; each end knows which call it was."""
    async with (
        provider() as (fake, port),
        listening(lambda: CallerSide("127.0.0.1", port)) as at,
    ):
        load, heard = await calls_through(at, fake, 3)

    assert sorted(heard["sessions"]) == sorted(load["calls"]) == [0, 1, 2]
    for number, call in load["calls"].items():
        session = heard["sessions"][number]
        assert session["heard"] == [160 * (n + 1) for n in range(len(session["heard"]))]
        assert 16 <= len(session["heard"]) <= len(call["sent_at"])
        assert call["heard"] == [800 * (n + 1) for n in range(len(call["heard"]))]
