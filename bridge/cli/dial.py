"""
`bridge dial URI [TARGET]`: the agent calls somebody over SIP.

Exit codes: 0 there was a call and it went well, 1 there was none or it failed, 2 it was asked
for wrongly.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
from dataclasses import replace
from pathlib import Path

from bridge.agent.agent import Agent
from bridge.cli.target import load_agent
from bridge.config import Config, SipPlace, SipSettings, environment
from bridge.errors import CarrierError, ConfigError, Ending, Fault
from bridge.telemetry import logs
from bridge.wire.sip.faults import SipProtocolError
from bridge.wire.sip.uris import Uri
from bridge.wiring.compose import compose, plan
from bridge.wiring.sip import SipFront

__all__ = ["add_parser", "run"]

WELL, FAILED = 0, 1
EVERYWHERE = "0.0.0.0"  # noqa: S104 - whom we call answers to where we call from
DISCARD = 9  # a port to which nothing is sent: the way there is all that is asked for


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line of `bridge`."""
    parser = subparsers.add_parser("dial", help="call somebody over SIP", description=__doc__)
    parser.add_argument("uri", metavar="URI", help="whom to call, such as sip:desk@example.com")
    parser.add_argument(
        "target",
        metavar="TARGET",
        nargs="?",
        help="module:attribute of an Agent; without it the agent comes from the environment",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry the command out. The exit code."""
    config = Config.from_environ(environment(Path.cwd()))
    host = _host_of(args.uri)
    agent = load_agent(args.target) if args.target else Agent.from_config(config)
    logs.configure(config.log_level, config.log_format)
    try:
        ending, talked = asyncio.run(_dial(config, agent, args.uri, host))
    except CarrierError as exc:
        print(f"bridge dial: {exc}", file=sys.stderr)
        return FAILED
    print(f"the call is over: {ending.reason}")
    well = talked and ending.fault in (Fault.NOBODY, Fault.CALLER)
    return WELL if well else FAILED


async def _dial(config: Config, agent: Agent, uri: str, host: str) -> tuple[Ending, bool]:
    """Why the call is over, and whether there was one."""
    service = compose(plan(config, agent))
    settings = _settings(config.sip)
    front = SipFront(service, settings, address=await _address_towards(settings, host))
    talked = False

    def answered() -> None:
        nonlocal talked
        talked = True
        print("they have answered", flush=True)

    try:
        # Calls still go to whoever is registered.
        await front.open(register=False)
        print("calling", flush=True)
        async with service.at_work():
            ending = await front.dial(uri, answered)
    finally:
        await front.close()
        await service.close()
    return ending, talked


def _settings(settings: SipSettings) -> SipSettings:
    """Beside a `bridge serve` on the same machine, and open to nobody."""
    listen = (SipPlace("udp", EVERYWHERE, 0),)
    return replace(settings, listen=listen, peers=(), accounts={})


def _host_of(uri: str) -> str:
    try:
        read = Uri.read(uri)
    except SipProtocolError:
        read = Uri("", "", "")
    if not read.is_sip or not read.host:
        raise ConfigError("URI must be like sip:desk@example.com")
    return read.host


async def _address_towards(settings: SipSettings, host: str) -> str:
    """Our address on the way to a host; raises CarrierError."""
    if settings.public_host is not None:
        return settings.public_host
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, DISCARD, family=socket.AF_INET)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            way.connect(found[0][4])
            return str(way.getsockname()[0])
    except OSError as exc:
        raise CarrierError(f"the host of the URI cannot be reached: {exc.strerror}") from None
