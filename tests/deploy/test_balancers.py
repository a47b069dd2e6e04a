"""What each of the balancers does by itself, as it is delivered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from tests.deploy.workers import Answer, SmallWorker, ask, small_worker
from tests.fakes.balancer import Balancer, HAProxy, Nginx
from tests.fakes.programs import free_port

HEAD = b"POST /twilio/voice HTTP/1.1\r\nHost: bridge.example\r\nConnection: close\r\n"
WEBHOOK = HEAD + b"Content-Length: 8\r\n\r\nCallSid="

both = pytest.mark.parametrize("kind", [HAProxy, Nginx])


@dataclass
class Before:
    """A balancer before two small workers, and maybe others."""

    balancer: Balancer
    one: SmallWorker
    two: SmallWorker

    async def get(self, path: str) -> tuple[int, str]:
        request = f"GET {path} HTTP/1.1\r\nHost: bridge.example\r\nConnection: close\r\n\r\n"
        return await ask(self.balancer.port, request.encode())

    async def post(self, times: int = 1) -> list[tuple[int, str]]:
        """A webhook, so many times one after the other."""
        return [await ask(self.balancer.port, WEBHOOK) for _ in range(times)]


@dataclass
class Stand:
    """Puts balancers before workers."""

    stack: AsyncExitStack

    async def __call__(self, kind: type[Balancer], *others: str) -> Before:
        one, two = [await self.stack.enter_async_context(small_worker(n)) for n in ("one", "two")]
        # A balancer's start is waited for without giving way, so the workers need a thread.
        balancer = kind(one.address, two.address, *others)
        self.stack.callback(balancer.remove)
        await asyncio.to_thread(balancer.start)
        return Before(balancer, one, two)


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    async with AsyncExitStack() as stack:
        yield Stand(stack)


@both
async def test_the_world_sees_what_is_for_carriers(stand: Stand, kind: type[Balancer]) -> None:
    """However it asks; and whether somebody is there."""
    here = await stand(kind)
    inside = ("/", "/calls", "//calls", "/%63alls", "/metrics", "/readyz", "/healthz/")

    assert {path: (await here.get(path))[0] for path in inside} == dict.fromkeys(inside, 404)
    assert here.one.asked == here.two.asked == []
    assert (await here.get("/healthz"))[0] == 200
    assert (await here.post())[0][0] == 200


async def test_half_a_request_is_cut(stand: Stand) -> None:
    """Whether it is the head that does not come, or the body; after five seconds."""
    halves = (HEAD, WEBHOOK[:-1])
    balancers = [(await stand(kind)).balancer for kind in (HAProxy, Nginx)]
    began = time.monotonic()

    async def patience(balancer: Balancer, half: bytes) -> float:
        await ask(balancer.port, half)
        return time.monotonic() - began

    waited = await asyncio.gather(*(patience(each, half) for each in balancers for half in halves))

    assert all(4 < seconds < 10 for seconds in waited), waited


@both
async def test_a_dead_worker_costs_nothing(stand: Stand, kind: type[Balancer]) -> None:
    """Nobody listens at its address: whoever was to go there goes to another at once."""
    here = await stand(kind, f"127.0.0.1:{free_port()}")
    began = time.monotonic()

    answers = await here.post(times=6)

    assert [status for status, _ in answers] == [200] * 6
    assert time.monotonic() - began < 2


@both
async def test_a_webhook_survives_its_worker(stand: Stand, kind: type[Balancer]) -> None:
    """Killed with the webhook in its hands: another one is asked, body and all."""
    here = await stand(kind)
    here.one.answer = Answer.CLOSE

    answers = await here.post(times=2)

    assert answers == [(200, "two")] * 2
    assert here.one.asked[0] == here.two.asked[0] == b"POST /twilio/voice HTTP/1.1\nCallSid="


async def test_haproxy_gives_no_call_to_whoever_says_404(stand: Stand) -> None:
    """Of those that are ready each gets some, and when there are none, all that live."""
    here = await stand(HAProxy)
    assert isinstance(here.balancer, HAProxy)

    both_ready = {name for _, name in await here.post(times=4)}
    here.one.ready = False
    await seen(here.balancer, "NOLB", "UP")
    one_ready = {name for _, name in await here.post(times=4)}
    here.two.ready = False
    await seen(here.balancer, "NOLB", "NOLB")
    none_ready = {name for _, name in await here.post(times=4)}

    assert both_ready == {"one", "two"}
    assert one_ready == {"two"}
    assert none_ready == {"one", "two"}


async def test_haproxy_leaves_a_worker_that_hangs(stand: Stand) -> None:
    """After a good second the webhook in its hands goes to another one."""
    here = await stand(HAProxy)
    assert isinstance(here.balancer, HAProxy)
    here.one.answer = Answer.NOTHING
    began = time.monotonic()

    [answer] = await here.post()

    assert len(here.one.asked) == 1
    assert answer == (200, "two")
    assert time.monotonic() - began < 5
    await seen(here.balancer, "DOWN", "UP")


async def seen(balancer: HAProxy, *states: str) -> None:
    """Return when the balancer sees its workers so."""
    async with asyncio.timeout(20):
        while await asyncio.to_thread(balancer.states) != states:
            await asyncio.sleep(0.02)
