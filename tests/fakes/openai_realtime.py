"""
A strict fake of OpenAI's Realtime API, for tests and, as a process of its own, for load.

It refuses what the real one refuses, validates what it hears and what it says by the
official types, hears the caller speak by energy, and plays scripts:

    script = Script(answers=[Say("Hello."), Call("hours", {"day": "Monday"})])
    async with FakeOpenAI(script) as fake:
        model = OpenAIRealtimeModel("key", base_url=fake.url)

As a process it prints its base URL and serves until it is stopped:

    python -m tests.fakes.openai_realtime --port 9000 --seconds 3 --pace 0.02
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib

from tests.fakes.openai.schema import Problem
from tests.fakes.openai.script import (
    Call,
    Drop,
    Fail,
    Hang,
    Raise,
    Say,
    Script,
    Stall,
    Step,
)
from tests.fakes.openai.server import FakeOpenAI
from tests.fakes.openai.session import FakeSession
from tests.fakes.openai.sound import tone

__all__ = [
    "Call",
    "Drop",
    "Fail",
    "FakeOpenAI",
    "FakeSession",
    "Hang",
    "Problem",
    "Raise",
    "Say",
    "Script",
    "Stall",
    "Step",
    "tone",
]


async def _serve(arguments: argparse.Namespace) -> None:
    say = Say(arguments.text, seconds=arguments.seconds, pace=arguments.pace)
    fake = FakeOpenAI(
        Script(otherwise=say),
        host=arguments.host,
        port=arguments.port,
        tolerant=True,
        record=False,
    )
    async with fake:
        print(fake.url, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--text", default=Say().text, help="what every response says")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each response is")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds between 100 ms of audio")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
