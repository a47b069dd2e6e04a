"""
`bridge call URL [AUDIO ...]`: place a simulated call to a voice webhook and report on it.

Exit codes: 0 the call went well, 1 it did not, 2 it was asked for wrongly.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from bridge.errors import ConfigError
from bridge.simulator import caller, report, utterances
from bridge.simulator.carrier import ACCOUNT_SID, FROM, TO, SimulatedCarrier
from bridge.simulator.journal import Moment
from bridge.simulator.network import is_local, trusting
from bridge.simulator.report import CallReport
from bridge.wire.twilio.frames import DIGITS

__all__ = ["add_parser", "run"]

WELL, FAILED, ASKED_WRONGLY, INTERRUPTED = 0, 1, 2, 130
GREETING_SECONDS = 4.0  # how long the caller waits for a greeting before speaking first
PATIENCE_SECONDS = 20.0
MAX_CALL_SECONDS = 600.0

_DESCRIPTION = """\
Place a call to a voice webhook as Twilio would, speak to whoever answers, and report what
the caller heard and how fast. Requests are signed when TWILIO_AUTH_TOKEN is set."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line of `bridge`."""
    parser = subparsers.add_parser(
        "call", help="place a simulated call to a voice webhook", description=_DESCRIPTION
    )
    add = parser.add_argument
    recordings = ", ".join(utterances.names())
    add("url", metavar="URL", help="the voice webhook, such as http://127.0.0.1:8080/twilio/voice")
    add(
        "audio",
        metavar="AUDIO",
        nargs="*",
        default=["question"],
        help=f"what the caller says, one after the other: WAV files, or {recordings}",
    )
    add("--interrupt", action="store_true", help="speak over the agent's last answer")
    add("--press", metavar="DIGITS", default="", help="keys to press before speaking: 0-9*#A-D")
    add("--json", action="store_true", help="print the report as JSON and nothing else")
    add("--out", metavar="FILE", type=Path, help="write the call as a stereo WAV")
    add(
        "--public-url",
        metavar="ORIGIN",
        help="the origin by which the bridge knows itself, if URL is another one "
        "(default for a URL on this machine: BRIDGE_PUBLIC_URL)",
    )
    add("--ca-file", metavar="FILE", type=Path, help="trust these authorities (PEM) as well")
    add("--from", dest="from_", metavar="NUMBER", default=FROM, help="who calls")
    add("--to", metavar="NUMBER", default=TO, help="who is called")
    add(
        "--patience",
        metavar="SECONDS",
        type=float,
        default=PATIENCE_SECONDS,
        help="how long the caller waits for each answer (default: %(default)g)",
    )
    add(
        "--max-seconds",
        metavar="SECONDS",
        type=float,
        default=MAX_CALL_SECONDS,
        help="how long the call may last (default: %(default)g)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, environ: Mapping[str, str] | None = None) -> int:
    """Carry the command out. The exit code."""
    try:
        script = _script(args)
        carrier = _carrier(args, os.environ if environ is None else environ)
        _writable(args.out)
        done = asyncio.run(carrier.place(script, None if args.json else _show))
    except ConfigError as exc:
        print(f"bridge call: {exc}", file=sys.stderr)
        return ASKED_WRONGLY
    except KeyboardInterrupt:
        return INTERRUPTED
    if args.out is not None:
        done.write_wav(args.out)
    return _tell(done, as_json=args.json)


def _script(args: argparse.Namespace) -> caller.Script:
    if set(args.press) - DIGITS:
        raise ConfigError("a key is one of 0-9, *, #, A, B, C and D")
    if args.patience <= 0 or args.max_seconds <= 0:
        raise ConfigError("a number of seconds must be more than 0")
    steps: list[caller.Step] = [caller.WaitForAgent(timeout=min(GREETING_SECONDS, args.patience))]
    if args.press:
        steps.append(caller.Press(args.press))
    answer = caller.WaitForAgent(timeout=args.patience)
    for audio in args.audio:
        steps += [caller.Say(_audio(audio), Path(audio).stem), answer]
    if args.interrupt:
        words = utterances.recorded("interruption")
        # The last answer is not waited for to its end: it is spoken over.
        steps[-1] = caller.Interrupt(words, timeout=args.patience, name="interruption")
        steps.append(answer)
    return caller.Script(*steps, caller.HangUp())


def _audio(name: str) -> bytes:
    if name in utterances.names():
        return utterances.recorded(name)
    try:
        return utterances.load(name)
    except ConfigError as exc:
        raise ConfigError(f"{name}: {exc}") from None


def _carrier(args: argparse.Namespace, environ: Mapping[str, str]) -> SimulatedCarrier:
    url, origins = _public(args.url, args.public_url, environ)
    return SimulatedCarrier(
        url,
        auth_token=environ.get("TWILIO_AUTH_TOKEN") or None,
        account_sid=environ.get("TWILIO_ACCOUNT_SID") or ACCOUNT_SID,
        from_=args.from_,
        to=args.to,
        origins=origins,
        tls=None if args.ca_file is None else trusting(args.ca_file),
        max_seconds=args.max_seconds,
    )


def _public(url: str, public: str | None, environ: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The webhook's URL as the bridge knows it, and where that is really to be found."""
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"{url}: this is not an http(s) URL")
    local, parts = is_local(url), urlsplit(url)
    real = f"{parts.scheme}://{parts.netloc}"
    if public is None and local:
        public = environ.get("BRIDGE_PUBLIC_URL")
    if not public:
        # A stream's URL is wss, even where a bridge on this machine has no certificate.
        return url, {f"https://{parts.netloc}": real} if local else {}
    public = public.rstrip("/")
    return public + url.removeprefix(real), {public: real}


def _writable(out: Path | None) -> None:
    if out is None:
        return
    try:
        out.open("ab").close()
    except OSError as exc:
        raise ConfigError(f"{out}: it cannot be written: {exc.strerror}") from None


def _show(moment: Moment) -> None:
    if report.shown(moment):
        print(report.line(moment), flush=True)


def _tell(done: CallReport, *, as_json: bool) -> int:
    print(done.to_json() if as_json else f"\n{done.summary()}")
    if not done.problems:
        return WELL
    print(f"bridge call: {done.problems[0]}", file=sys.stderr)
    return FAILED
