"""The image: what can be known of it without building it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import tomllib
from pathlib import Path

from tests.deploy.commands import served
from tests.deploy.workers import small_worker
from tests.fakes.programs import free_port

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "Dockerfile"


def instructions(word: str) -> list[str]:
    """The arguments of every instruction of this kind, in their order."""
    lines = [line for line in FILE.read_text().splitlines() if not line.startswith("#")]
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = (line.partition(" ") for line in text.splitlines() if line)
    return [argument.strip() for name, _, argument in found if name == word]


def command(argument: str) -> list[str]:
    """The words of an instruction in its exec form: ValueError for any other form."""
    words: list[str] = json.loads(argument)
    assert all(isinstance(each, str) for each in words)
    return words


def copied() -> list[str]:
    """What comes from the repository."""
    copies = [argument.split() for argument in instructions("COPY")]
    return [source for words in copies if "--from" not in words[0] for source in words[:-1]]


def test_what_is_copied_is_there() -> None:
    """And what the package says about itself is among it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]}
    found = project["tool"]["setuptools"]["packages"]["find"]["include"]
    packages = {pattern.removesuffix("*") for pattern in found}

    assert [source for source in copied() if not (ROOT / source).exists()] == []
    assert needed | packages == set(copied())


def test_nothing_else_gets_to_the_builder() -> None:
    """No secrets, no history: everything is ignored but what is copied."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]

    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(copied())


def test_it_is_small_and_of_a_known_version() -> None:
    """Both stages are of one Debian; the last one is slim, without a compiler and a source."""
    bases = [base.partition(" AS ")[0] for base in instructions("FROM")]

    [build, last] = bases
    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", last)
    assert build == last.replace("-slim", "")
    assert "apt-get" not in FILE.read_text()
    assert instructions("COPY")[-1].startswith("--from=build ")


def test_it_is_nobody_special() -> None:
    """A number, so that Kubernetes can see that it is not root."""
    assert [int(user) > 0 for user in instructions("USER")] == [True]


def test_no_setting_is_in_it_but_how_it_logs() -> None:
    words = " ".join(instructions("ENV") + instructions("ARG"))

    assert re.findall(r"\b(?:BRIDGE|TWILIO|OPENAI|GEMINI|GOOGLE|REDIS)_\w+", words) == [
        "BRIDGE_LOG_FORMAT"
    ]


def test_signals_reach_the_bridge() -> None:
    """No shell stands between, and the command is one that the bridge knows."""
    [entry], [arguments] = instructions("ENTRYPOINT"), instructions("CMD")

    assert command(entry) == ["bridge"]
    assert served(command(entry) + command(arguments)).target is None


async def test_the_health_check_tells_life_from_death() -> None:
    """By its exit code; the port is the one that the bridge listens on."""
    [check] = instructions("HEALTHCHECK")
    words = command(check.partition("CMD ")[2])

    async with small_worker("one") as worker:
        alive = await exit_code(words, worker.address.rpartition(":")[2])
    dead = await exit_code(words, str(free_port()))

    assert words[0] == "python"
    assert (alive, dead) == (0, 1)


async def exit_code(words: list[str], port: str) -> int:
    environ = {**os.environ, "PORT": port}
    nothing = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words[1:], env=environ, stderr=nothing
    )
    return await process.wait()
