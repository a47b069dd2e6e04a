"""`bridge dial`: the agent calls a telephone on this machine."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from bridge.cli.main import main
from bridge.wire.sip.places import Place, Transport
from tests.carriers.sip.phone import HOST, phone, until

NOBODY = Place(Transport.UDP, HOST, 9)


async def bridge_dial(cwd: Path, *args: str) -> asyncio.subprocess.Process:
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bridge",
        "dial",
        *args,
        cwd=cwd,
        env={**clean, "BRIDGE_PROVIDER": "offline", "BRIDGE_GREETING": "Hello."},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_the_agent_calls_and_speaks(tmp_path: Path) -> None:
    """0 after a call, 1 where nobody answers; what happens is said as it happens."""
    async with phone(NOBODY) as desk, phone(NOBODY, says=b"") as busy:
        first = await bridge_dial(tmp_path, f"sip:desk@{HOST}:{desk.place.port}")
        second = await bridge_dial(tmp_path, f"sip:desk@{HOST}:{busy.place.port}")
        await until(lambda: desk.voice, 60.0)
        desk.hangs_up()
        told, log = await first.communicate()
        refused, _ = await second.communicate()

    assert told.decode().splitlines() == [
        "calling",
        "they have answered",
        "the call is over: hangup",
    ]
    assert refused.decode().splitlines() == ["calling", "the call is over: busy"]
    assert (first.returncode, second.returncode) == (0, 1)
    assert HOST not in log.decode()


@pytest.mark.parametrize("uri", ["desk", "+14155550123", "tel:+14155550123", "sip:"])
def test_whom_to_call_is_a_sip_uri(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One clear line, and 2."""
    monkeypatch.chdir(tmp_path)

    assert main(["dial", uri]) == 2
    assert capsys.readouterr().err == "bridge: URI must be like sip:desk@example.com\n"
