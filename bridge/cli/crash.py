"""
`bridge demo --crash`: a worker is killed in mid-sentence, and the call goes on.

Two workers (`bridge serve`, each a process of its own) share a Redis that is started for
the occasion. The simulated carrier calls one of them; while its agent speaks it is killed
with SIGKILL, and the carrier asks the other one what comes next, as a load balancer would
see to. There the agent takes up the thread, and proves that it remembers the call.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge.config import inherited
from bridge.errors import ConfigError
from bridge.simulator import caller, utterances
from bridge.simulator.carrier import ACCOUNT_SID, SimulatedCarrier
from bridge.simulator.journal import Moment
from bridge.simulator.report import CallReport
from bridge.simulator.voice import is_voice

__all__ = ["Crash", "crash_demo"]

AGENT = "bridge.cli.crash_agent:agent"
PUBLIC_URL = "https://bridge.example"
READY_SECONDS = 20.0
FRAME_SIZE, FRAME_SECONDS = 160, 0.02  # mu-law
INTO_THE_SENTENCE = 1.5  # seconds
CUT_SENTENCE = "On Saturday"
"""How the sentence begins in whose middle the worker is killed."""
CODE = "47"
CODE_TOLD = "Your code is 4, 7."


@dataclass(frozen=True, slots=True)
class Crash:
    """What came of it. `silence_seconds`: from the broken stream to the agent's next sound."""

    report: CallReport
    silence_seconds: float | None
    remembered: bool

    @property
    def problems(self) -> tuple[str, ...]:
        """A line each; empty if all is well."""
        lines = list(self.report.problems)
        if self.silence_seconds is None:
            lines.append("nobody spoke after the crash")
        if not self.remembered:
            lines.append("the agent has forgotten what it was told before the crash")
        return tuple(lines)

    def summary(self) -> str:
        """The figures alone, for people."""
        silence = "-" if self.silence_seconds is None else f"{self.silence_seconds * 1000:.0f} ms"
        memory = "complete" if self.remembered else "lost"
        ours = self.problems[len(self.report.problems) :]
        return "\n".join(
            [
                self.report.summary(),
                f"crash          {silence} of silence, memory {memory}",
                *(f"problem        {problem}" for problem in ours),
            ]
        )

    def to_json(self) -> str:
        """The report, and what concerns the crash."""
        facts = {"silence_seconds": self.silence_seconds, "remembered": self.remembered}
        problems = {"problems": self.problems}
        return json.dumps(self.report.to_dict() | facts | problems, indent=2)


async def crash_demo(say: Callable[[str], None], see: Callable[[Moment], None]) -> Crash:
    """
    Play it. `say` is given lines for people, `see` what the carrier sees, as it happens.

    Raises ConfigError where there is no redis-server.
    """
    async with AsyncExitStack() as stack:
        room = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bridge-")))
        redis_url = await stack.enter_async_context(_redis(room))
        token = secrets.token_hex(16)
        settings = {
            "BRIDGE_PROVIDER": "offline",
            "BRIDGE_PUBLIC_URL": PUBLIC_URL,
            "BRIDGE_SECRET_KEY": secrets.token_hex(16),
            "BRIDGE_LOG_LEVEL": "ERROR",
            "BRIDGE_JOURNAL_DIR": str(room / "journal"),
            "REDIS_URL": redis_url,
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": token,
        }
        scene = _Scene(say)
        workers = [
            await stack.enter_async_context(_worker(name, room, settings, scene.hears))
            for name in ("worker one", "worker two")
        ]
        say(f"Redis and two workers: {', '.join(f'{w.name} is {w.process.pid}' for w in workers)}")
        carrier = SimulatedCarrier(
            webhook_url=f"{PUBLIC_URL}/twilio/voice",
            auth_token=token,
            noise=True,
            origins=(origins := {PUBLIC_URL: workers[0].origin}),
        )
        killing = asyncio.create_task(scene.kill(workers, origins), name="kill")
        try:
            report = await carrier.place(_script(), see)
        finally:
            killing.cancel()
            await asyncio.gather(killing, return_exceptions=True)
    return Crash(report, _silence(report), scene.remembered)


def _script() -> caller.Script:
    """A caller who leaves a code, asks something, and wants the code back after the crash."""
    return caller.Script(
        caller.Wait(2.0),
        caller.Press(f"8{CODE}#"),
        caller.WaitForAgent(),
        caller.Say(utterances.recorded("question"), "question"),
        caller.WaitForAgent(1.5),
        caller.Press("7#"),
        caller.WaitForAgent(1.5),
        caller.HangUp(),
    )


@dataclass(frozen=True, slots=True)
class _Worker:
    name: str
    origin: str
    process: asyncio.subprocess.Process


class _Scene:
    """What the workers tell, and the deed itself."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._time_has_come = asyncio.Event()
        self._killed = False
        self.remembered = False
        """Whether the agent could tell the code after the crash."""

    def hears(self, worker: str, line: str) -> None:
        """A worker tells what happens in it."""
        self._say(f"             {worker}    {line}")
        if CUT_SENTENCE in line:
            self._time_has_come.set()
        if self._killed and CODE_TOLD in line:
            self.remembered = True

    async def kill(self, workers: list[_Worker], origins: dict[str, str]) -> None:
        """In the middle of the sentence, without a warning."""
        await self._time_has_come.wait()
        await asyncio.sleep(INTO_THE_SENTENCE)
        victim, other = workers
        origins[PUBLIC_URL] = other.origin
        self._killed = True
        victim.process.send_signal(signal.SIGKILL)
        self._say(f"             kill -9 {victim.process.pid}: {victim.name} is dead")


def _silence(report: CallReport) -> float | None:
    """What the caller heard between the broken stream and the agent's next sound: nothing."""
    if len(report.streams) < 2:
        return None
    lost_at = report.streams[0].ended_at
    # The frame in which it broke, and the next, may still have the old stream's last sound.
    after = int(lost_at / FRAME_SECONDS) + 2
    frames = range(after, len(report.heard) // FRAME_SIZE)
    voiced = (at for at in frames if is_voice(report.heard[at * FRAME_SIZE :][:FRAME_SIZE]))
    first = next(voiced, None)
    return None if first is None else max(first * FRAME_SECONDS - lost_at, 0.0)


@asynccontextmanager
async def _redis(room: Path) -> AsyncIterator[str]:
    """A Redis on a socket in `room`; gives its URL."""
    program = shutil.which("redis-server")
    if program is None:
        raise ConfigError("redis-server is not installed: apt-get install redis-server")
    path = room / "redis.sock"
    options = ("--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(room))
    nothing = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(program, *options, stdout=nothing)
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not path.exists():  # noqa: ASYNC110 - a file tells nobody that it is there
                await asyncio.sleep(0.01)
        yield f"unix://{path}"
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def _worker(
    name: str, room: Path, settings: dict[str, str], hears: Callable[[str, str], None]
) -> AsyncIterator[_Worker]:
    """`bridge serve` on a free port of this machine, without anybody's .env file."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "serve", AGENT, "--host", "127.0.0.1"),
        *("--port", str(port)),
        env=inherited(**settings),
        cwd=room,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    telling = asyncio.create_task(_tell(process.stdout, name, hears), name="tell")
    try:
        await _answers(port, process)
        yield _Worker(name, f"http://127.0.0.1:{port}", process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await telling


async def _tell(lines: asyncio.StreamReader, name: str, hears: Callable[[str, str], None]) -> None:
    async for line in lines:
        hears(name, line.decode(errors="replace").rstrip())


async def _answers(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return
    raise ConfigError("a worker could not start")
