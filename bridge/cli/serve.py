"""`bridge serve [TARGET]`: answers the telephone."""

from __future__ import annotations

import argparse
import logging
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bridge.agent.agent import Agent
from bridge.cli.target import load_agent
from bridge.config import Config, Secret, environment, inherited
from bridge.serving import worker
from bridge.serving.fleet import Start
from bridge.serving.listeners import listen
from bridge.serving.supervisor import Supervisor
from bridge.telemetry import logs
from bridge.web.app import Bridge

__all__ = ["add_parser", "run"]

FAILED = 1  # exit code: it could not begin

_HOME = Path(__file__).parents[2]
"""Where this program lies."""
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
    # How a supervisor starts its workers; see `worker.Post`.
    parser.add_argument("--post", nargs=3, help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal says stop. Raises ConfigError where the settings do not do."""
    config = _config(args)
    if args.post is not None:
        return _serve(args, config)
    if config.workers == 1:
        return _serve(args, _with_admin_token(config))
    return _supervise(args, config)


def _serve(args: argparse.Namespace, config: Config) -> int:
    agent = load_agent(args.target) if args.target else Agent.from_config(config)
    bridge = Bridge(agent, config)
    logs.configure(config.log_level, config.log_format)
    if args.post is None:
        _give_hints(config)
    _log.info("answering as %s with %s", agent.name, config.provider)
    if config.serves_twilio:
        origin = config.public_url or f"http://127.0.0.1:{config.port}"
        _log.info("the voice webhook is %s/twilio/voice", origin)
    try:
        if args.post is None:
            worker.serve(bridge, args.host, config.port)
        else:
            channel, number, directory = args.post
            worker.serve_at(worker.Post(int(channel), int(number), Path(directory)), bridge)
    except SystemExit:  # uvicorn's way to say that it could not begin; the log says why
        return FAILED
    return 0


def _supervise(args: argparse.Namespace, config: Config) -> int:
    logs.configure(config.log_level, config.log_format)
    _give_hints(config)
    try:
        listeners = listen(args.host, config.port)
    except OSError as exc:
        _log.error("%s", exc.strerror)
        return FAILED
    port = listeners[0].getsockname()[1]
    _log.info("%d workers answer on port %d", config.workers, port)
    made = _with_admin_token(config)
    token = None if made is config else made.admin_token
    environ = inherited(**({} if token is None else {"BRIDGE_ADMIN_TOKEN": token.reveal()}))
    directory = Path(tempfile.mkdtemp(prefix="bridge-"))
    options = ["--host", args.host, "--port", str(port), "--workers", str(config.workers)]
    command = [*([args.target] if args.target else []), *options]
    try:
        start = _starter(command, directory, environ)
        return Supervisor(listeners, config.workers, start).run()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _starter(command: list[str], directory: Path, environ: Mapping[str, str]) -> Start:
    """Workers are this program, started again."""
    # What lies in the working directory must not be taken for this program.
    python = [sys.executable, *([] if Path.cwd() == _HOME else ["-P"]), "-m", "bridge", "serve"]

    def start(number: int, channel: socket.socket) -> subprocess.Popen[bytes]:
        post = ["--post", str(channel.fileno()), str(number), str(directory)]
        return subprocess.Popen(  # noqa: S603 - this program again, and no shell
            [*python, *command, *post],
            env=environ,
            stdin=subprocess.DEVNULL,
            pass_fds=[channel.fileno()],
            process_group=0,  # so that Ctrl-C reaches the supervisor only
        )

    return start


def _config(args: argparse.Namespace) -> Config:
    environ = environment(Path.cwd())
    if args.port is not None:
        environ["PORT"] = str(args.port)
    if args.workers is not None:
        environ["WEB_CONCURRENCY"] = str(args.workers)
    config = Config.from_environ(environ)
    config.check_serving()
    return config


def _give_hints(config: Config) -> None:
    for hint in config.hints:
        _log.warning("%s", hint)


def _with_admin_token(config: Config) -> Config:
    """On a terminal the operator's API opens for this run, with a token of its own."""
    if config.admin_token is not None or not sys.stderr.isatty():
        return config
    token = secrets.token_urlsafe(24)
    print(f"operator's API for this run: Authorization: Bearer {token}", file=sys.stderr)
    return replace(config, admin_token=Secret(token))
