from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from functools import partial

from bridge.functions import threads

_who: ContextVar[str] = ContextVar("_who", default="nobody")


def where() -> str:
    return threading.current_thread().name


async def where_async() -> str:
    return threading.current_thread().name


async def test_functions_have_threads_of_their_own() -> None:
    """A plain function does not run on the loop, nor in the loop's own threads."""
    assert (await threads.run(where)).startswith("agent")


async def test_async_functions_run_on_the_loop() -> None:
    """Whatever shape an async function has, it runs where the call runs."""

    class Asking:
        async def __call__(self) -> str:
            return where()

    here = threading.current_thread().name

    assert await threads.run(where_async) == here
    assert await threads.run(partial(where_async)) == here
    assert await threads.run(Asking()) == here


async def test_functions_that_return_coroutines() -> None:
    """A decorator may hide that a function is async; its result is awaited all the same."""

    def hidden(name: str) -> object:
        async def answer() -> str:
            return name

        return answer()

    assert await threads.run(hidden, "me") == "me"


async def test_context_variables_go_along() -> None:
    """A thread sees the context of the call, so that its logs name it."""
    _who.set("me")

    assert await threads.run(_who.get) == "me"


async def test_threads_that_hang_do_not_stop_the_loops_own() -> None:
    """With every thread of ours stuck, the loop's default threads still look up names."""
    stuck = threading.Event()
    async with asyncio.timeout(30):
        waiting = [asyncio.ensure_future(threads.run(stuck.wait, 30)) for _ in range(80)]
        await asyncio.sleep(0)

        answer = await asyncio.to_thread(where)

        stuck.set()
        await asyncio.gather(*waiting)

    assert not answer.startswith("agent")
