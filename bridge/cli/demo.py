"""
`bridge demo`: a whole telephone call on this machine, with no account, key or server.

A bridge with the offline agent listens on loopback, a simulated carrier places a call to
it with recorded speech, and what happens is printed while it happens.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn

from bridge.agent.agent import Agent
from bridge.cli.crash import crash_demo
from bridge.cli.demo_agent import bakery, tell
from bridge.config import Config
from bridge.errors import ConfigError
from bridge.simulator import caller, utterances
from bridge.simulator.carrier import ACCOUNT_SID, SimulatedCarrier
from bridge.simulator.journal import Moment
from bridge.simulator.report import CallReport, line, shown
from bridge.web.app import Bridge
from bridge.web.server import make_server

__all__ = ["add_parser", "run"]

WELL, FAILED = 0, 1
READY_SECONDS = 10.0


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line of `bridge`."""
    parser = subparsers.add_parser(
        "demo", help="a whole call on this machine, with no account", description=__doc__
    )
    parser.add_argument(
        "--out", metavar="FILE", type=Path, default=Path("call.wav"), help="stereo WAV (call.wav)"
    )
    parser.add_argument(
        "--crash", action="store_true", help="two workers, one of which is killed in mid-sentence"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON only")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry the command out. The exit code."""
    teller = _Teller(quiet=args.json)
    crash = asyncio.run(crash_demo(teller.say, teller.moment)) if args.crash else None
    report = asyncio.run(_demo(teller)) if crash is None else crash.report
    try:
        report.write_wav(args.out)
    except OSError as exc:
        raise ConfigError(f"{args.out} cannot be written: {exc.strerror}") from None
    if args.json:
        print(report.to_json() if crash is None else crash.to_json())
    else:
        print()
        print(report.summary() if crash is None else crash.summary())
        print(f"the call is in {args.out}: the caller on the left, the agent on the right")
    return FAILED if (crash or report).problems else WELL


async def _demo(teller: _Teller) -> CallReport:
    agent = bakery()
    token = secrets.token_hex(16)
    async with _serving(agent, token) as origin:
        tell(agent, teller.inside)
        teller.say(f"a bridge with the offline agent answers at {origin}")
        carrier = SimulatedCarrier(
            webhook_url=f"{origin}/twilio/voice", auth_token=token, noise=True
        )
        return await carrier.place(_script(), teller.moment)


def _script() -> caller.Script:
    """A caller who asks, changes their mind in mid-answer, and says thanks."""
    return caller.Script(
        caller.WaitForAgent(),
        caller.Say(utterances.recorded("question"), "question"),
        caller.Interrupt(utterances.recorded("interruption"), name="interruption"),
        caller.WaitForAgent(),
        caller.Say(utterances.recorded("thanks"), "thanks"),
        caller.WaitForAgent(),
        caller.Wait(10.0),  # the agent hangs up
    )


@asynccontextmanager
async def _serving(agent: Agent, token: str) -> AsyncIterator[str]:
    """A bridge on a free port of this machine; gives its origin."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        origin = f"http://127.0.0.1:{port}"
        config = Config.from_environ(
            {
                "BRIDGE_PROVIDER": "offline",
                "BRIDGE_PUBLIC_URL": origin,
                "PORT": str(port),
                "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
                "TWILIO_AUTH_TOKEN": token,
            }
        )
        server = make_server(Bridge(agent, config), "127.0.0.1", port)
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="bridge")
        try:
            await _ready(server, serving)
            yield origin
        finally:
            server.should_exit = True
            await serving


async def _ready(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while not server.started:
            if serving.done():
                await serving
                raise ConfigError("the bridge could not start")
            await asyncio.sleep(0.01)


class _Teller:
    """Prints what the carrier sees and what the agent does, as it happens."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def say(self, text: str) -> None:
        if not self._quiet:
            print(text, flush=True)

    def moment(self, moment: Moment) -> None:
        if shown(moment):
            self.say(line(moment))

    def inside(self, text: str) -> None:
        self.say(f"             bridge        {text}")
