from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest

from bridge.agent.context import CallContext
from bridge.agent.dispatcher import MAX_WAITING, Dispatcher
from bridge.agent.hooks import CallEnded, CallStarted, DigitPressed, Hooks
from bridge.errors import Ending, Fault
from tests.agent.control import a_call


class Heard:
    """A hook that remembers, and waits before each event until it is let through."""

    def __init__(self) -> None:
        self.events: list[object] = []
        self.calls: list[CallContext] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.busy = asyncio.Event()
        self.most_at_once = 0
        self._at_once = 0

    async def __call__(self, event: Any, call: CallContext) -> None:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        self.busy.set()
        await self.gate.wait()
        self.events.append(event)
        self.calls.append(call)
        self._at_once -= 1


def hooks_on(name: str, *each: Any) -> Hooks:
    hooks = Hooks()
    for hook in each:
        hooks.add(name, hook)
    return hooks


def digits(count: int) -> list[DigitPressed]:
    return [DigitPressed(str(index)) for index in range(count)]


async def test_a_hook_is_told_in_order() -> None:
    """Events come in order and one at a time, with the call."""
    hook, call = Heard(), a_call()

    async with Dispatcher(hooks_on("digit", hook), call) as dispatcher:
        for digit in digits(5):
            dispatcher.dispatch(digit)

    assert hook.events == digits(5)
    assert hook.most_at_once == 1
    assert hook.calls[0] is call


async def test_hooks_do_not_wait_for_each_other() -> None:
    """A hook that takes its time keeps no other from hearing."""
    slow, quick = Heard(), Heard()
    slow.gate.clear()

    async with Dispatcher(hooks_on("digit", slow, quick), a_call()) as dispatcher:
        dispatcher.dispatch(DigitPressed("1"))
        dispatcher.dispatch(DigitPressed("2"))
        async with asyncio.timeout(30):
            while len(quick.events) < 2:
                await asyncio.sleep(0)
        heard_meanwhile = list(slow.events)
        slow.gate.set()

    assert heard_meanwhile == []
    assert len(slow.events) == 2


async def test_a_hook_that_was_done_is_woken_again() -> None:
    """Nothing is left behind between one event and a later one."""
    hook = Heard()

    async with Dispatcher(hooks_on("digit", hook), a_call()) as dispatcher:
        for digit in digits(3):
            hook.busy.clear()
            dispatcher.dispatch(digit)
            await hook.busy.wait()
            await asyncio.sleep(0)

    assert hook.events == digits(3)


async def test_a_hook_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    """It is counted and named, its words are not, and the next event comes all the same."""
    failed: list[str] = []
    heard: list[str] = []
    caplog.set_level(logging.INFO)

    def moody(event: DigitPressed, call: CallContext) -> None:
        heard.append(event.digit)
        raise ValueError("hunter2")

    async with Dispatcher(hooks_on("digit", moody), a_call(), failed=failed.append) as dispatcher:
        dispatcher.dispatch(DigitPressed("1"))
        dispatcher.dispatch(DigitPressed("2"))

    assert heard == ["1", "2"]
    assert failed == ["moody", "moody"]
    assert "the hook moody raised ValueError at test_dispatcher.py" in caplog.text
    assert "hunter2" not in caplog.text


async def test_a_hook_that_takes_too_long(caplog: pytest.LogCaptureFixture) -> None:
    """It is given up, and the next event comes all the same."""
    failed: list[str] = []
    hook = Heard()
    hook.gate.clear()

    async with Dispatcher(
        hooks_on("digit", hook), a_call(), failed=failed.append, timeout=0.01
    ) as dispatcher:
        dispatcher.dispatch(DigitPressed("1"))
        async with asyncio.timeout(30):
            while not failed:
                await asyncio.sleep(0.001)
        hook.gate.set()
        dispatcher.dispatch(DigitPressed("2"))

    assert hook.events == [DigitPressed("2")]
    assert "the hook Heard took too long" in caplog.text


async def test_a_hook_that_falls_behind() -> None:
    """So many events wait, and the rest are counted and lost."""
    failed: list[str] = []
    hook = Heard()
    hook.gate.clear()

    async with Dispatcher(hooks_on("digit", hook), a_call(), failed=failed.append) as dispatcher:
        dispatcher.dispatch(DigitPressed("*"))
        await hook.busy.wait()
        for digit in digits(MAX_WAITING + 3):
            dispatcher.dispatch(digit)
        hook.gate.set()

    assert hook.events == [DigitPressed("*"), *digits(MAX_WAITING)]
    assert failed == ["Heard"] * 3


async def test_plain_functions_do_not_block_the_loop() -> None:
    """A hook that is not async runs in a thread."""
    names: list[str] = []

    def note(event: CallStarted, call: CallContext) -> None:
        names.append(threading.current_thread().name)

    async with Dispatcher(hooks_on("call_started", note), a_call()) as dispatcher:
        dispatcher.dispatch(CallStarted())

    assert names[0].startswith("agent")


async def test_the_last_event_is_heard() -> None:
    """Hooks may finish after the call."""
    hook = Heard()
    over = CallEnded(Ending(Fault.CALLER, "hung_up"), 12.0)

    async with Dispatcher(hooks_on("call_ended", hook), a_call()) as dispatcher:
        dispatcher.dispatch(over)

    assert hook.events == [over]


async def test_the_end_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """A hook that does not come to an end is cut short, and named."""
    hook = Heard()
    hook.gate.clear()

    async with asyncio.timeout(30):
        async with Dispatcher(hooks_on("digit", hook), a_call(), grace=0.01) as dispatcher:
            dispatcher.dispatch(DigitPressed("1"))

    assert hook.events == []
    assert "the hook Heard was still at work after the call" in caplog.text


async def test_a_call_that_broke() -> None:
    """What broke a call comes through as it is, and the hooks are not waited for."""
    hook = Heard()
    hook.gate.clear()

    async def broken_call() -> None:
        async with Dispatcher(hooks_on("digit", hook), a_call(), grace=3_600) as dispatcher:
            dispatcher.dispatch(DigitPressed("1"))
            raise LookupError

    async with asyncio.timeout(30):
        with pytest.raises(LookupError):
            await broken_call()

    assert hook.events == []


async def test_after_the_call() -> None:
    """What comes after the end is nobody's."""
    hook = Heard()
    async with Dispatcher(hooks_on("digit", hook), a_call()) as dispatcher:
        pass

    dispatcher.dispatch(DigitPressed("1"))
    await asyncio.sleep(0)

    assert hook.events == []
