"""`bridge doctor`: each finding says what was seen and what to do."""

from __future__ import annotations

import argparse

import pytest

from bridge.cli.doctor import Finding, Health, examine
from bridge.config import Config
from tests.fakes.openai_realtime import FakeOpenAI, Script
from tests.fakes.programs import free_port
from tests.fakes.redis_server import RedisServer


async def findings(**environ: str) -> dict[str, Finding]:
    config = Config.from_environ(environ)
    return {finding.what: finding async for finding in examine(config)}


async def test_an_empty_environment() -> None:
    """Everything that is missing is named, with the setting that mends it."""
    found = await findings()

    assert found["settings"].health is Health.ILL
    assert "TWILIO_AUTH_TOKEN" in found["settings"].text
    assert found["public URL"].health is Health.ILL
    assert found["number"].health is Health.ILL
    assert found["provider"].health is Health.WEAK


async def test_a_key_that_works() -> None:
    """The provider is really dialled."""
    async with FakeOpenAI(Script()) as fake:
        found = await findings(OPENAI_API_KEY="sk-test", OPENAI_BASE_URL=fake.url)

    assert found["provider"].health is Health.WELL


async def test_a_key_that_is_refused() -> None:
    """It is the operator's fault, and the key is not in the text."""
    async with FakeOpenAI(Script(refuse=401)) as fake:
        found = await findings(OPENAI_API_KEY="sk-wrong", OPENAI_BASE_URL=fake.url)

    assert found["provider"].health is Health.ILL
    assert "operator" in found["provider"].text
    assert "sk-wrong" not in found["provider"].text


async def test_redis_that_answers() -> None:
    """It is really asked."""
    with RedisServer() as redis:
        found = await findings(REDIS_URL=redis.url, BRIDGE_SECRET_KEY="k" * 32)

    assert found["Redis"].health is Health.WELL


async def test_redis_that_is_not_there() -> None:
    """It is the store's fault, and the password is not in the text."""
    url = f"redis://user:hunter2@127.0.0.1:{free_port()}/0"
    found = await findings(REDIS_URL=url, BRIDGE_SECRET_KEY="k" * 32)

    assert found["Redis"].health is Health.ILL
    assert "hunter2" not in found["Redis"].text


async def test_without_redis() -> None:
    """It can be done without, and what that means is said."""
    found = await findings()

    assert found["Redis"].health is Health.WEAK


async def test_a_public_url_where_nobody_answers() -> None:
    """Within bounded time."""
    found = await findings(BRIDGE_PUBLIC_URL="http://127.0.0.1:9")

    assert found["public URL"].health is Health.ILL
    assert "cannot be reached" in found["public URL"].text


def test_the_exit_code_tells(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """1 when something is ill; the findings are printed as they come."""
    from bridge.cli.doctor import run

    monkeypatch.chdir(str(tmp_path))
    for name in ("TWILIO_AUTH_TOKEN", "BRIDGE_PUBLIC_URL", "OPENAI_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)

    code = run(argparse.Namespace(json=False))

    assert code == 1
    assert "error" in capsys.readouterr().out
