"""`bridge serve [TARGET]`: answers the telephone."""

from __future__ import annotations

import argparse
import logging
import secrets
import sys
from dataclasses import replace
from pathlib import Path

from bridge.agent.agent import Agent
from bridge.cli.target import load_agent
from bridge.config import Config, Secret, environment
from bridge.errors import ConfigError
from bridge.telemetry import logs
from bridge.web.app import Bridge
from bridge.web.server import make_server

__all__ = ["add_parser", "run"]

_log = logging.getLogger(__name__)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line of `bridge`."""
    parser = subparsers.add_parser("serve", help="answer the telephone", description=__doc__)
    parser.add_argument(
        "target",
        metavar="TARGET",
        nargs="?",
        help="module:attribute of an Agent; without it the agent comes from the environment",
    )
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on (all)")  # noqa: S104
    parser.add_argument("--port", type=int, help="port to listen on (PORT, or 8080)")
    parser.add_argument("--workers", type=int, help="worker processes (WEB_CONCURRENCY, or 1)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal says stop. Raises ConfigError where the settings do not do."""
    config = _config(args)
    agent = load_agent(args.target) if args.target else Agent.from_config(config)
    logs.configure(config.log_level, config.log_format)
    for hint in config.hints:
        _log.warning("%s", hint)
    config = _with_admin_token(config)
    server = make_server(Bridge(agent, config), args.host, config.port)
    _log.info(
        "answering as %s with %s; the voice webhook is %s/twilio/voice",
        agent.name,
        config.provider,
        config.public_url or f"http://127.0.0.1:{config.port}",
    )
    try:
        server.run()
    except SystemExit:  # uvicorn's way to say that it could not begin; the log says why
        return 1
    return 0


def _config(args: argparse.Namespace) -> Config:
    environ = environment(Path.cwd())
    if args.port is not None:
        environ["PORT"] = str(args.port)
    if args.workers is not None:
        environ["WEB_CONCURRENCY"] = str(args.workers)
    config = Config.from_environ(environ)
    config.check_serving()
    if config.workers > 1:
        raise ConfigError(
            "WEB_CONCURRENCY: one process is one worker; start several of them behind a load "
            "balancer, with the same REDIS_URL and BRIDGE_SECRET_KEY"
        )
    return config


def _with_admin_token(config: Config) -> Config:
    """On a terminal the operator's API opens for this run, with a token of its own."""
    if config.admin_token is not None or not sys.stderr.isatty():
        return config
    token = secrets.token_urlsafe(24)
    print(f"operator's API for this run: Authorization: Bearer {token}", file=sys.stderr)
    return replace(config, admin_token=Secret(token))
