"""Everything that a run needs: Redis, a provider, workers and a carrier, all of them real."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bridge.simulator.carrier import ACCOUNT_SID, SimulatedCarrier
from bridge.simulator.exchange import Exchange
from tests.chaos.caller import NumberedCaller
from tests.chaos.fleet import ADMIN, FRONTS, ROOT, Fleet
from tests.chaos.records import SessionFacts
from tests.fakes.redis_server import RedisServer, Watch
from tests.fakes.twilio_rest import FakeTwilioRest

__all__ = ["Needs", "Provider", "Stage", "on_stage"]

PUBLIC = "https://bridge.example"
TOKEN = "0123456789abcdef0123456789abcdef"
DRAIN_SECONDS = 20
KEEPING = ("--appendonly", "yes", "--appendfsync", "everysec")


@dataclass(frozen=True, slots=True)
class Needs:
    """
    What stands on the stage. `redis` is plain, kept (its data survive it) or watched, `front`
    is haproxy or supervisor.
    """

    provider: str = "openai"
    workers: int = 2
    redis: str = "plain"
    front: str = "haproxy"


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """Its sessions, the client's mistakes, and how late it came itself."""

    sessions: list[SessionFacts]
    problems: list[str]
    stalls: list[float]
    lag: float


class Provider:
    """The fake provider's process."""

    def __init__(self, process: Process, url: str, records: Path) -> None:
        self.url = url
        self._process = process
        self._records = records

    def drop(self, share: float, seed: int) -> None:
        """Break the sockets of this share of the sessions."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"drop {share} {seed}\n".encode())

    async def finish(self) -> ProviderFacts:
        """End it, and what it has to tell."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        told = json.loads(self._records.read_text())
        sessions = [SessionFacts.read(each) for each in told["sessions"]]
        return ProviderFacts(sessions, told["problems"], told["stalls"], told["lag"])


@dataclass(slots=True)
class Stage:
    """All of it. `redis` is the server that workers write to, `watch` if there are Sentinels."""

    redis: RedisServer
    fleet: Fleet
    provider: Provider
    carrier: SimulatedCarrier
    watch: Watch | None = None
    callers: list[NumberedCaller] = field(default_factory=list)


@asynccontextmanager
async def on_stage(needs: Needs) -> AsyncIterator[Stage]:
    """A stage; all of it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tb-") as name, _redis(needs.redis) as (redis, watch):
        directory = Path(name)
        exchange = Exchange()
        async with (
            _provider(needs.provider, directory) as provider,
            FakeTwilioRest(ACCOUNT_SID, TOKEN, exchange) as rest,
        ):
            settings = _settings(needs.provider, provider.url, redis, watch)
            settings["TWILIO_API_BASE_URL"] = rest.origin
            async with FRONTS[needs.front](needs.workers, settings, directory) as fleet:
                yield Stage(redis, fleet, provider, _carrier(fleet.origin, exchange), watch)


@contextmanager
def _redis(kind: str) -> Iterator[tuple[RedisServer, Watch | None]]:
    if kind == "watched":
        with Watch() as watch:
            yield watch.primary, watch
    else:
        with RedisServer(*(KEEPING if kind == "kept" else ())) as redis:
            yield redis, None


@asynccontextmanager
async def _provider(kind: str, directory: Path) -> AsyncIterator[Provider]:
    records = directory / "provider.json"
    command = (sys.executable, "-m", "tests.chaos.provider", kind, str(records))
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=PIPE, stdout=PIPE)
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        yield Provider(process, url, records)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _settings(provider: str, url: str, redis: RedisServer, watch: Watch | None) -> dict[str, str]:
    keys = {
        "openai": {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": url},
        "gemini": {"GEMINI_API_KEY": "test-key", "GOOGLE_GEMINI_BASE_URL": url},
    }
    return {
        **keys[provider],
        "REDIS_URL": redis.url if watch is None else watch.url,
        "BRIDGE_SECRET_KEY": "k" * 32,
        "BRIDGE_PUBLIC_URL": PUBLIC,
        "BRIDGE_ADMIN_TOKEN": ADMIN,
        "BRIDGE_DRAIN_SECONDS": str(DRAIN_SECONDS),
        "BRIDGE_LOG_LEVEL": "WARNING",
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "BRIDGE_MAX_CALLS": "100",
    }


def _carrier(origin: str, exchange: Exchange) -> SimulatedCarrier:
    return SimulatedCarrier(
        f"{PUBLIC}/twilio/voice",
        origins={PUBLIC: origin},
        auth_token=TOKEN,
        max_seconds=900.0,
        words_per_second=50.0,
        exchange=exchange,
    )
