"""
Workers that die and come back, and what stands before them.

A `Fleet` is whatever runs some workers behind one origin: HAProxy before processes of our
own, or `bridge serve --workers N` with its own supervisor.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

import httpx

from tests.fakes.balancer import HAProxy
from tests.fakes.programs import free_port

__all__ = ["ADMIN", "FRONTS", "Fleet", "balanced", "supervised"]

ROOT = Path(__file__).parents[2]
ADMIN = "the-operators-own-token"
AGENT = "tests.chaos.agents:numbers"
START_SECONDS = 60.0
RESTART_SECONDS = 1.0  # as deploy/bridge.service has it
STOP_SECONDS = 40.0


class Fleet(Protocol):
    """Workers are numbered from 0. Whoever is gone is started again at once."""

    @property
    def origin(self) -> str:
        """Where carriers find it."""

    @property
    def count(self) -> int: ...

    def signal(self, worker: int, sent: signal.Signals) -> None: ...

    async def gone(self, worker: int) -> None:
        """Return when this worker's process, which was told to end, has ended."""

    async def complete(self) -> None:
        """Return when every worker welcomes calls, and calls are sent to it."""

    def complaints(self) -> list[str]:
        """What the logs of the workers say that must not be said."""


class _Worker:
    """`bridge serve` as a process on a port that stays, whatever becomes of the process."""

    def __init__(self, settings: Mapping[str, str], log: Path) -> None:
        self.port = free_port()
        self.log = log
        self._settings = {**settings, "PORT": str(self.port), "PATH": os.environ["PATH"]}
        self._process: Process | None = None
        self._watching: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        await self._spawn()
        self._watching = asyncio.create_task(self._watch(), name="watch a worker")

    def signal(self, sent: signal.Signals) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._ended.clear()
            self._process.send_signal(sent)

    async def gone(self) -> None:
        async with asyncio.timeout(STOP_SECONDS):
            await self._ended.wait()

    async def ready(self) -> None:
        await _ready(f"http://{self.address}")

    async def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _spawn(self) -> None:
        command = (sys.executable, "-m", "bridge", "serve", AGENT, "--host", "127.0.0.1")
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, env=self._settings, stdout=log, stderr=log
            )

    async def _watch(self) -> None:
        while True:
            assert self._process is not None
            await self._process.wait()
            self._ended.set()
            await asyncio.sleep(RESTART_SECONDS)
            await self._spawn()


class _Balanced:
    """Processes behind HAProxy."""

    def __init__(self, proxy: HAProxy, workers: list[_Worker]) -> None:
        self._proxy = proxy
        self._workers = workers

    @property
    def origin(self) -> str:
        return self._proxy.origin

    @property
    def count(self) -> int:
        return len(self._workers)

    def signal(self, worker: int, sent: signal.Signals) -> None:
        self._workers[worker].signal(sent)

    async def gone(self, worker: int) -> None:
        await self._workers[worker].gone()

    async def complete(self) -> None:
        # HAProxy may not have noticed yet that somebody is away.
        await asyncio.gather(*(worker.ready() for worker in self._workers))
        async with asyncio.timeout(START_SECONDS):
            while set(await asyncio.to_thread(self._proxy.states)) != {"UP"}:
                await asyncio.sleep(0.1)

    def complaints(self) -> list[str]:
        return complaints_in([worker.log for worker in self._workers])


@asynccontextmanager
async def balanced(
    count: int, settings: Mapping[str, str], directory: Path
) -> AsyncIterator[Fleet]:
    """So many workers behind HAProxy. All of it is gone afterwards."""
    workers = [_Worker(settings, directory / f"worker-{number}.log") for number in range(count)]
    try:
        for worker in workers:
            await worker.start()
        await asyncio.gather(*(worker.ready() for worker in workers))
        proxy = HAProxy(*(worker.address for worker in workers))
        try:
            await asyncio.to_thread(proxy.start)
            yield _Balanced(proxy, workers)
        finally:
            proxy.remove()
    finally:
        await asyncio.gather(*(worker.stop() for worker in workers))


class _Supervised:
    """`bridge serve --workers N`: one process, whose children are the workers."""

    def __init__(self, count: int, settings: Mapping[str, str], log: Path) -> None:
        self.count = count
        self.log = log
        self._port = free_port()
        self._settings = {**settings, "PORT": str(self._port), "PATH": os.environ["PATH"]}
        self._process: Process | None = None
        self._told: dict[int, int] = {}

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        options = ("--host", "127.0.0.1", "--workers", str(self.count))
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bridge", "serve", AGENT, *options),
                cwd=ROOT,
                env=self._settings,
                stdout=log,
                stderr=log,
            )
        await _ready(self.origin)
        await self.complete()

    def signal(self, worker: int, sent: signal.Signals) -> None:
        """The eldest are the first: who was replaced comes last."""
        pids = self._workers()
        # Whoever is to go on again is the one that was stopped.
        pid = self._told.get(worker) if sent is signal.SIGCONT else None
        pid = pids[0] if pid is None else pid
        self._told[worker] = pid
        with suppress(ProcessLookupError):
            os.kill(pid, sent)

    async def gone(self, worker: int) -> None:
        async with asyncio.timeout(STOP_SECONDS):
            while self._told[worker] in self._workers():
                await asyncio.sleep(0.05)

    async def complete(self) -> None:
        """All of them are in the metrics, which any of them collects from those at work."""
        headers = {"Authorization": f"Bearer {ADMIN}"}
        async with asyncio.timeout(START_SECONDS), httpx.AsyncClient(headers=headers) as client:
            while True:
                await asyncio.sleep(0.2)
                try:
                    page = (await client.get(f"{self.origin}/metrics", timeout=2.0)).text
                except httpx.TransportError:
                    continue
                if all(f'worker="{number}"' in page for number in range(self.count)):
                    return

    def complaints(self) -> list[str]:
        return complaints_in([self.log])

    async def stop(self) -> None:
        if self._process is None:
            return
        workers = self._workers()
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        for pid in workers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _workers(self) -> list[int]:
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return sorted(int(pid) for pid in children.read_text().split())


@asynccontextmanager
async def supervised(
    count: int, settings: Mapping[str, str], directory: Path
) -> AsyncIterator[Fleet]:
    """So many workers of one `bridge serve`. All of it is gone afterwards."""
    fleet = _Supervised(count, settings, directory / "supervisor.log")
    try:
        await fleet.start()
        yield fleet
    finally:
        await fleet.stop()


FRONTS: Mapping[
    str, Callable[[int, Mapping[str, str], Path], AbstractAsyncContextManager[Fleet]]
] = {"haproxy": balanced, "supervisor": supervised}


async def _ready(origin: str) -> None:
    """Until it welcomes calls."""
    async with asyncio.timeout(START_SECONDS), httpx.AsyncClient(timeout=2.0) as client:
        while True:
            try:
                if (await client.get(f"{origin}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


def complaints_in(logs: list[Path]) -> list[str]:
    """Faults of the bridge's own: each traceback, by its last line."""
    found = []
    for log in logs:
        lines = iter(log.read_text(errors="replace").splitlines())
        for line in lines:
            if line.startswith(("Traceback", "  + Exception Group Traceback")):
                last = next((each for each in lines if each and not each.startswith(" ")), "?")
                found.append(f"{log.name}: {last}")
    return found
