"""
What every journey needs: a bridge behind a real server, and a carrier that calls it.

The bridge is known to its carrier by a public https origin, as in real life; where that
leads is the carrier's affair.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import httpx
import uvicorn

from bridge.agent.agent import Agent
from bridge.config import Config
from bridge.ports.session import VadConfig
from bridge.simulator import utterances
from bridge.simulator.caller import Script, Step
from bridge.simulator.carrier import ACCOUNT_SID, SimulatedCarrier
from bridge.simulator.journal import MomentListener
from bridge.simulator.report import CallReport
from bridge.web.app import Bridge
from bridge.web.server import make_server
from bridge.wiring.service import Service
from tests.fakes.gemini_live import FakeGemini
from tests.fakes.openai_realtime import FakeOpenAI
from tests.fakes.programs import free_port

__all__ = [
    "ADMIN",
    "FALLBACK",
    "INSTRUCTIONS",
    "PATIENT",
    "PUBLIC",
    "QUICK",
    "TOKEN",
    "Stage",
    "alive",
    "bridge_process",
    "gemini",
    "on_stage",
    "openai",
    "speech",
    "supervised_process",
    "until",
]

PUBLIC = "https://bridge.example"
TOKEN = "0123456789abcdef0123456789abcdef"
ADMIN = "the-operators-own-token"
FALLBACK = "+14155550199"
INSTRUCTIONS = "You answer the telephone of a bakery."
PATIENT = VadConfig(silence_duration_ms=700)
"""Bears the pauses within the recorded utterances."""
QUICK = VadConfig(silence_duration_ms=200)
"""For callers who say a word and wait."""
ROOT = Path(__file__).parent.parent.parent

_T = TypeVar("_T")


def openai(fake: FakeOpenAI, **settings: str) -> dict[str, str]:
    """Settings for a bridge to the fake of OpenAI's."""
    return {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": fake.url, **settings}


def gemini(fake: FakeGemini, **settings: str) -> dict[str, str]:
    """Settings for a bridge to the fake of Google's."""
    return {"GEMINI_API_KEY": "test-key", "GOOGLE_GEMINI_BASE_URL": fake.url, **settings}


def speech(name: str) -> bytes:
    """A recorded utterance, mu-law."""
    return utterances.recorded(name)


@dataclass(slots=True)
class Stage:
    """A bridge at work. `origin` is where it really is."""

    origin: str
    carrier: SimulatedCarrier
    bridge: Bridge | None = None
    process: asyncio.subprocess.Process | None = None

    @property
    def service(self) -> Service:
        assert self.bridge is not None
        return self.bridge.service

    async def place(self, *steps: Step, listener: MomentListener | None = None) -> CallReport:
        """Call and do these things."""
        return await self.carrier.place(Script(*steps), listener)

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request of the operator's."""
        headers = {"Authorization": f"Bearer {ADMIN}"}
        async with httpx.AsyncClient(base_url=self.origin, headers=headers) as client:
            return await client.request(method, path, **options)

    async def metric(self, name: str, *labels: str) -> float:
        """The sum of a metric's samples that have all these labels (`reason="binary"`)."""
        text = (await self.ask("GET", "/metrics")).text
        samples = [line for line in text.splitlines() if line.startswith((f"{name}{{", f"{name} "))]
        wanted = [line for line in samples if all(label in line for label in labels)]
        return sum(float(line.rpartition(" ")[2]) for line in wanted)

    def stop(self, sent: signal.Signals = signal.SIGTERM) -> None:
        assert self.process is not None
        self.process.send_signal(sent)

    @property
    def workers(self) -> frozenset[int]:
        """The process ids of a supervisor's workers at this moment, ready or not."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found = children.read_text().split() if children.exists() else ()
        return frozenset(int(pid) for pid in found if alive(int(pid)))

    async def ready(self) -> frozenset[str]:
        """The numbers of the workers that answer for themselves (the label `worker`)."""
        text = (await self.ask("GET", "/metrics")).text
        return frozenset(re.findall(r'^process_open_fds\{worker="(\d+)"\}', text, re.MULTILINE))


@asynccontextmanager
async def on_stage(
    agent: Agent,
    settings: Mapping[str, str],
    *,
    make: Callable[[Agent, Config], Bridge] = Bridge,
    **carrier: Any,
) -> AsyncIterator[Stage]:
    """A bridge in this process, behind a uvicorn of its own. All of it is gone afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        bridge = make(agent, Config.from_environ(_settings(port, settings)))
        server = make_server(bridge, "127.0.0.1", port)
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="server")
        try:
            await _started(server, serving)
            yield Stage(f"http://127.0.0.1:{port}", _carrier(port, carrier), bridge)
        finally:
            server.should_exit = True
            await serving


@asynccontextmanager
async def bridge_process(
    target: str, settings: Mapping[str, str], log: Path, **carrier: Any
) -> AsyncIterator[Stage]:
    """`bridge serve TARGET` as a process of its own, whose log goes into a file."""
    port = free_port()
    command = (sys.executable, "-m", "bridge", "serve", target, "--host", "127.0.0.1")
    with log.open("wb") as lines:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **_settings(port, settings)},
            stdout=lines,
            stderr=lines,
        )
    stage = Stage(f"http://127.0.0.1:{port}", _carrier(port, carrier), process=process)
    try:
        await _answers(stage)
        yield stage
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def supervised_process(
    target: str, settings: Mapping[str, str], log: Path, *, workers: int = 2, **carrier: Any
) -> AsyncIterator[Stage]:
    """
    `bridge serve TARGET --workers N`, once all workers are ready; needs REDIS_URL and a key.

        settings = openai(fake, REDIS_URL=redis.url, BRIDGE_SECRET_KEY="k" * 32)
        async with supervised_process(BAKERY, settings, tmp_path / "log", workers=3) as stage:
            os.kill(random.choice(tuple(stage.workers)), signal.SIGKILL)

    `stage.process` is the supervisor, and `stage.stop(...)` a signal to it; `stage.workers` are
    its workers' process ids, of which new ones appear as others die; `await stage.ready()`
    tells how many of them answer. Metrics have one more label, `worker`, and `stage.metric`
    adds them up. Nothing is left in the end.
    """
    with TemporaryDirectory(prefix="tb-", ignore_cleanup_errors=True) as room:
        usual = {"WEB_CONCURRENCY": str(workers), "TMPDIR": room}
        async with bridge_process(target, {**usual, **settings}, log, **carrier) as stage:
            try:
                async with asyncio.timeout(45):
                    while len(await stage.ready()) < workers:
                        await asyncio.sleep(0.05)
                yield stage
            finally:
                await _kill_all(stage)


async def _kill_all(stage: Stage) -> None:
    left = stage.workers
    assert stage.process is not None
    if stage.process.returncode is None:
        stage.process.kill()
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    await until(lambda: not any(map(alive, left)))


def alive(pid: int) -> bool:
    """Whether there is such a process, and it is more than its exit code."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


async def until(condition: Callable[[], _T], seconds: float = 20.0) -> _T:
    """Wait until this is true, or raise TimeoutError: for what tells nobody that it happened."""
    async with asyncio.timeout(seconds):
        while not (found := condition()):
            await asyncio.sleep(0.005)
        return found


def _settings(port: int, settings: Mapping[str, str]) -> dict[str, str]:
    usual = {
        "PORT": str(port),
        "BRIDGE_PUBLIC_URL": PUBLIC,
        "BRIDGE_ADMIN_TOKEN": ADMIN,
        "BRIDGE_DRAIN_SECONDS": "0",
        # Carrier, provider and other tests are on the same core: nobody is to measure that.
        "BRIDGE_MAX_CALLS": "100",
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": TOKEN,
    }
    return {**usual, **settings}


def _carrier(port: int, options: Mapping[str, Any]) -> SimulatedCarrier:
    usual = {
        "webhook_url": f"{PUBLIC}/twilio/voice",
        "origins": {PUBLIC: f"http://127.0.0.1:{port}"},
        "auth_token": TOKEN,
        "max_seconds": 60.0,
        "words_per_second": 50.0,
    }
    return SimulatedCarrier(**{**usual, **options})


async def _started(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    while not server.started:
        if serving.done():
            await serving
            raise RuntimeError("the bridge did not start")
        await asyncio.sleep(0.005)


async def _answers(stage: Stage) -> None:
    assert stage.process is not None
    async with asyncio.timeout(45):
        while stage.process.returncode is None:
            try:
                if (await stage.ask("GET", "/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
    raise RuntimeError("the bridge did not start")
