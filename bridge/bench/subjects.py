"""
What is measured: the bridge as it is served, and the relays that it is held against.

Rule: each is a process of its own on a port of its own, with nothing in its environment
but what it needs. Whoever opens one closes it.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from bridge.bench.caller import ACCOUNT
from bridge.config import SETTINGS
from bridge.errors import ConfigError

__all__ = ["LEAN", "PLAIN", "Running", "Subject", "bridge_subject", "free_port", "without_settings"]

READY_SECONDS = 30.0
STOP_SECONDS = 10.0
MAX_CALLS = 10_000
KEY = "bench-" + "k" * 26


@dataclass(frozen=True, slots=True)
class Subject:
    """One way to carry calls. `module` is a relay of ours; without one it is the bridge."""

    name: str
    module: str = ""
    settings: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    workers: int = 1
    speaks: bool = True
    """Whether the model speaks all the time, or never."""

    @property
    def path(self) -> str:
        """Where media streams are opened; "" where a webhook says it."""
        return "/media" if self.module else ""


PLAIN = Subject("plain relay", "plain")
LEAN = Subject("leanest relay", "lean")


def bridge_subject(
    name: str, audio: str, *, redis_url: str = "", workers: int = 1, speaks: bool = True
) -> Subject:
    """The bridge that sends the provider `audio` (g711, pcm16); with a store, if there is one."""
    settings = [("BRIDGE_AUDIO", audio)]
    if redis_url:
        settings += [("REDIS_URL", redis_url), ("BRIDGE_SECRET_KEY", KEY)]
    return Subject(name, settings=tuple(settings), workers=workers, speaks=speaks)


def without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment in which no setting of the bridge's is left."""
    names = {setting.name for setting in SETTINGS}
    return {name: value for name, value in environ.items() if name not in names}


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


class Running:
    """A subject at work: a context manager. What it prints goes into a file in `folder`."""

    def __init__(
        self, subject: Subject, provider: str, environ: Mapping[str, str], folder: Path
    ) -> None:
        self.subject = subject
        self.token = secrets.token_hex(16)
        self.ready_seconds = 0.0
        """From its start until it answered."""
        self._provider = provider
        self._environ = environ
        self._folder = folder
        self._log = folder / f"{subject.name.replace(' ', '-')}.log"
        self._ports = [free_port() for _ in range(subject.workers)]
        self._processes: list[Process] = []

    @property
    def origins(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self._ports]

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    @property
    def measured(self) -> bool:
        """Whether it tells its own metrics."""
        return not self.subject.module

    async def __aenter__(self) -> Self:
        began = time.monotonic()
        try:
            for port in self._ports:
                self._processes.append(await self._start(port))
            for origin in self.origins:
                await self._ready(origin)
        except BaseException:
            await self._stop()
            raise
        self.ready_seconds = time.monotonic() - began
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stop()

    async def metrics(self) -> str:
        """The metrics of the first of its workers; nothing where it is too busy to tell."""
        if not self.measured:
            return ""
        try:
            return await asyncio.to_thread(_get, f"{self.origins[0]}/metrics")
        except OSError:
            return ""

    async def _start(self, port: int) -> Process:
        if self.subject.module:
            module = f"bridge.bench.{self.subject.module}"
            provider = f"ws{self._provider.removeprefix('http')}/v1/realtime?model=bench"
            command = ["-m", module, "--port", str(port), "--provider", provider]
        else:
            command = ["-m", "bridge", "serve", "--host", "127.0.0.1", "--port", str(port)]
        with self._log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                *command,
                env={**self._environ, **self._settings(port)},
                cwd=self._folder,
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _settings(self, port: int) -> Mapping[str, str]:
        if self.subject.module:
            return {}
        return {
            "BRIDGE_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "BRIDGE_PROVIDER": "openai",
            "BRIDGE_MAX_CALLS": str(MAX_CALLS),
            "BRIDGE_DRAIN_SECONDS": "0",
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": f"{self._provider}/v1",
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": self.token,
            **dict(self.subject.settings),
        }

    async def _ready(self, origin: str) -> None:
        until = time.monotonic() + READY_SECONDS
        while not await asyncio.to_thread(_answers, origin):
            over = any(process.returncode is not None for process in self._processes)
            if over or time.monotonic() > until:
                raise ConfigError(f"the {self.subject.name} did not start:\n{self._last_words()}")
            await asyncio.sleep(0.02)

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-5:])

    async def _stop(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


def _answers(origin: str) -> bool:
    try:
        _get(f"{origin}/healthz")
    except HTTPError as answer:
        answer.close()
        return True  # a relay knows no such page
    except (URLError, OSError):
        return False
    return True


def _get(url: str) -> str:
    with urlopen(url, timeout=5) as answer:  # noqa: S310 - a server of our own
        text: str = answer.read().decode()
    return text
