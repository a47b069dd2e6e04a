"""A tool that acted on the world is not run twice."""

from __future__ import annotations

from bridge.ports import leg
from bridge.ports.store import Claim
from bridge.store.redis.journal import Found, ToolState
from bridge.store.redis.store import RedisStore
from tests.store.contract import claimed


async def test_a_tool_runs_once(store: RedisStore) -> None:
    """Its result is there for whoever holds the call next."""
    first = await claimed(store, "CA1")
    assert await store.tools.begin(first, "t1") == Found(ToolState.NEW)
    await store.tools.done(first, "t1", b"seven to six")

    second = await claimed(store, "CA1")

    assert await store.tools.begin(second, "t1") == Found(ToolState.DONE, b"seven to six")
    assert await store.tools.begin(second, "t2") == Found(ToolState.NEW)


async def test_nobody_knows_how_it_went(store: RedisStore) -> None:
    """The worker died while the tool was running."""
    await store.tools.begin(await claimed(store, "CA1"), "t1")

    second = await claimed(store, "CA1")

    assert await store.tools.begin(second, "t1") == Found(ToolState.BEGUN)
    assert await store.tools.begin(second, "t1") == Found(ToolState.BEGUN)


async def test_the_answer_was_lost(store: RedisStore) -> None:
    """Whoever asks again has not run it yet."""
    claim = await claimed(store, "CA1")
    await store.tools.begin(claim, "t1")

    assert await store.tools.begin(claim, "t1") == Found(ToolState.NEW)


async def test_the_call_has_moved_on(store: RedisStore) -> None:
    """A tool is not begun for a call of somebody else's; but a result is a result."""
    older = await claimed(store, "CA1")
    await store.tools.begin(older, "t1")
    newer = await claimed(store, "CA1")

    assert await store.tools.begin(older, "t2") == Found(ToolState.FENCED)
    await store.tools.done(older, "t1", b"late")
    assert await store.tools.begin(newer, "t1") == Found(ToolState.DONE, b"late")


async def test_the_call_is_over(store: RedisStore) -> None:
    claim = await claimed(store, "CA1")
    await store.end("CA1", leg.Hangup())

    assert await store.tools.begin(claim, "t1") == Found(ToolState.FENCED)
    await store.tools.done(claim, "t1", b"late")


async def test_a_call_that_is_not_stored(store: RedisStore) -> None:
    """Redis was away when it came in, or has lost it: it has no journal, and goes on."""
    claim = Claim("CA1", 7, "local", None)

    assert await store.tools.begin(claim, "t1") == Found(ToolState.NEW)
    await store.tools.done(claim, "t1", b"result")


def test_what_was_found_does_not_show_its_result() -> None:
    assert "secret" not in repr(Found(ToolState.DONE, b"secret"))
