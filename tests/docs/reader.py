"""
Somebody who reads a page from top to bottom, and types what it says into a terminal.

A page has a folder of its own. A ```python block that begins with `# name.py` is saved
there as that file, an ```env block as `.env`. Each ```sh block is a terminal of its own,
in that folder. A block whose last command serves (`bridge serve`, `uvicorn`) is left
running, once it answers, until the page is at its end or serves something else. The
documents say port 8080; here it is a free one: PORT is set, and 8080 in a command is it.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tests.docs.pages import Block

__all__ = ["SHELLS", "Reader", "commands"]

SHELLS = ("sh", "bash", "console")

COMMAND_SECONDS = 120.0
READY_SECONDS = 30.0
STOP_SECONDS = 15.0

_FILE = re.compile(r"# ([\w.-]+\.py)\n")
_PORT = re.compile(r"\b8080\b")
_SERVES = re.compile(r"(^|\s)(bridge serve|uvicorn)\b")
_STUDY = """
import sys
from pathlib import Path
names = {"__name__": "page"}
for file in sys.argv[1:]:
    exec(compile(Path(file).read_text(), file, "exec"), names)
"""


def commands(block: Block) -> list[str]:
    """What is to be typed. In a ```console block that is what follows a `$`."""
    lines = block.text.replace("\\\n", "").splitlines()
    if block.language == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return [line for line in lines if line.strip() and not line.startswith("#")]


class Reader:
    """A context manager: what was left running is stopped at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._port = listener.getsockname()[1]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._environ = {"PATH": path, "HOME": str(folder), "PORT": str(self._port)}
        self._log = folder / ".log"
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def save(self, block: Block) -> None:
        """Put a block into the file that it is for, if it is for one."""
        if block.language == "env":
            (self._folder / ".env").write_text(block.text)
        elif named := _FILE.match(block.text):
            (self._folder / named[1]).write_text(block.text)

    def study(self, python: list[Block]) -> None:
        """Run a page's blocks of Python one after the other, as one program."""
        files = []
        for block in python:
            file = self._folder / f".line-{block.line}"
            file.write_text(block.text)
            files.append(str(file))
        self._run([sys.executable, "-c", _STUDY, *files])

    def type(self, block: Block) -> None:
        """Type a block's commands, and wait until they are done or serve."""
        typed = [_PORT.sub(str(self._port), command) for command in commands(block)]
        shell = ["bash", "-euo", "pipefail", "-c", "\n".join(typed)]
        if _SERVES.search(typed[-1]):
            self._serve(shell)
        else:
            self._run(shell)

    def _run(self, command: list[str]) -> None:
        with self._begin(command, subprocess.PIPE) as process:
            try:
                printed, _ = process.communicate(timeout=COMMAND_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        said = printed.decode(errors="replace")
        assert process.returncode == 0, f"{command[-1]}\n{said}{self._logged()}"

    def _begin(self, command: list[str], output: int | IO[bytes]) -> subprocess.Popen[bytes]:
        """In a session of its own, so that whatever it starts can be stopped with it."""
        return subprocess.Popen(
            command,
            cwd=self._folder,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _serve(self, command: list[str]) -> None:
        self._stop()
        with self._log.open("wb") as log:
            self._server = self._begin(command, log)
        until = time.monotonic() + READY_SECONDS
        while not self._answers():
            assert self._server.poll() is None, self._logged()
            assert time.monotonic() < until, self._logged()
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self._port}/healthz", timeout=1).close()
        except urllib.error.HTTPError as answer:
            answer.close()
            return True  # a bridge that is mounted somewhere else
        except (urllib.error.URLError, OSError):
            return False
        return True

    def _stop(self) -> None:
        server, self._server = self._server, None
        if server is None or server.poll() is not None:
            return
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        assert "Traceback" not in self._logged(), self._logged()

    def _logged(self) -> str:
        return self._log.read_text() if self._log.exists() else ""
