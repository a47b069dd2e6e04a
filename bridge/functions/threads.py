"""
Threads for the functions of an agent's author that are not async.

Rule: they have threads of their own. The event loop's default ones also look up host
names, and a tool that hangs there would keep every other call from reaching its provider.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

__all__ = ["run"]

MAX_THREADS = 64

_POOL = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="agent")


async def run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """
    Call `function` and wait for its result: on the loop if it is async, else in a thread.

    When this is cancelled, a thread runs on to its end and its result is lost.
    """
    if not _is_async(function):
        work = partial(contextvars.copy_context().run, function, *args, **kwargs)
        result = await asyncio.get_running_loop().run_in_executor(_POOL, work)
    else:
        result = function(*args, **kwargs)
    # A plain function may have returned a coroutine, e.g. from inside a decorator.
    return await result if inspect.isawaitable(result) else result


def _is_async(function: Callable[..., Any]) -> bool:
    while isinstance(function, partial):
        function = function.func
    call = getattr(function, "__call__", None)  # noqa: B004 - objects may be async as well
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)
