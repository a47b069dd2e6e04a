"""
`bridge doctor`: looks at everything that a call needs and says what to mend.

Each check says whose it is, what it saw, and what to do. Nothing is changed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import aiohttp

from bridge.carriers.twilio_rest import TwilioRest
from bridge.config import Config, ProviderName, environment
from bridge.errors import BridgeError, ConfigError
from bridge.ports.session import RealtimeConfig
from bridge.wiring.models import model_of
from bridge.wiring.stores import store_of

__all__ = ["Finding", "Health", "add_parser", "examine", "run"]

TIMEOUT = 10.0  # seconds for one check


class Health(StrEnum):
    WELL = "ok"
    WEAK = "warning"
    ILL = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` was looked at, how it is, and what to do about it."""

    what: str
    health: Health
    text: str


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line of `bridge`."""
    parser = subparsers.add_parser(
        "doctor", help="check the settings and everything around", description=__doc__
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON only")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry the command out. The exit code."""
    config = Config.from_environ(environment(Path.cwd()))
    return asyncio.run(_report(config, as_json=args.json))


async def _report(config: Config, *, as_json: bool) -> int:
    findings = []
    async for finding in examine(config):
        findings.append(finding)
        if not as_json:
            print(f"{finding.health:8} {finding.what:12} {finding.text}", flush=True)
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    return 1 if any(finding.health is Health.ILL for finding in findings) else 0


async def examine(config: Config) -> AsyncIterator[Finding]:
    """All checks, one after the other, each in bounded time."""
    checks: dict[str, Callable[[Config], Awaitable[Finding]]] = {
        "settings": _settings,
        "public URL": _public_url,
        "Redis": _redis,
        "provider": _provider,
        "number": _numbers,
    }
    for what, check in checks.items():
        try:
            async with asyncio.timeout(TIMEOUT):
                yield await check(config)
        except TimeoutError:
            yield Finding(what, Health.ILL, f"no answer within {TIMEOUT:g} s")
        except BridgeError as exc:
            yield Finding(what, Health.ILL, f"{exc} (fault: {exc.fault})")


async def _settings(config: Config) -> Finding:
    try:
        config.check_serving()
    except ConfigError as exc:
        return Finding("settings", Health.ILL, "; ".join(str(exc).splitlines()))
    if config.hints:
        return Finding("settings", Health.WEAK, "; ".join(config.hints))
    return Finding("settings", Health.WELL, "complete")


async def _public_url(config: Config) -> Finding:
    if not config.public_url:
        return Finding("public URL", Health.ILL, "set BRIDGE_PUBLIC_URL")
    url = f"{config.public_url}/healthz"
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            body = await answer.text()
    except aiohttp.ClientError as exc:
        why = type(exc).__name__
        return Finding("public URL", Health.ILL, f"{url} cannot be reached from here: {why}")
    if answer.status != 200 or body != "alive\n":
        advice = "something else answers there; is the bridge running behind it?"
        return Finding("public URL", Health.ILL, f"{url} answers {answer.status}: {advice}")
    return Finding("public URL", Health.WELL, f"the bridge answers at {config.public_url}")


async def _redis(config: Config) -> Finding:
    if config.redis_url is None:
        text = "REDIS_URL is not set: a worker's calls end with it, and there can be one only"
        return Finding("Redis", Health.WEAK, text)
    store = store_of(config, asyncio.get_running_loop().time)
    try:
        await store.standing("doctor")
    finally:
        await store.close()
    return Finding("Redis", Health.WELL, "it answers")


async def _provider(config: Config) -> Finding:
    model = model_of(config)
    session = await model.connect(RealtimeConfig(instruction="Say nothing."))
    await session.close()
    name = f"{model.provider} {model.model_id}"
    if config.provider is ProviderName.OFFLINE:
        text = f"{name}: set OPENAI_API_KEY or GEMINI_API_KEY for an agent that understands"
        return Finding("provider", Health.WEAK, text)
    return Finding("provider", Health.WELL, f"{name} accepts the key and is ready")


async def _numbers(config: Config) -> Finding:
    twilio = config.twilio
    if not twilio.account_sid or not twilio.auth_tokens:
        text = "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"
        return Finding("number", Health.ILL, text)
    wanted = f"{config.public_url}/twilio/voice"
    token = twilio.auth_tokens[0].reveal()
    async with TwilioRest(twilio.account_sid, token, twilio.api_base_url) as rest:
        numbers = await rest.incoming_numbers()
    ours = [number for number in numbers if number.voice_url.split("#")[0] == wanted]
    if not ours:
        text = f"none of {len(numbers)} numbers has the voice webhook {wanted}; set it in Console"
        return Finding("number", Health.ILL, text)
    return Finding("number", Health.WELL, f"{len(ours)} of {len(numbers)} numbers call {wanted}")
