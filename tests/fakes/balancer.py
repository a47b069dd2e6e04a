"""
HAProxy and nginx before workers that tests have started, as operators get them.

Each runs with its file from `deploy/`. Only addresses are others: where it listens, who
its workers are, where files lie, and as whom it runs.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.fakes.programs import free_port, program, until, with_us

__all__ = ["Balancer", "HAProxy", "Nginx"]

DEPLOY = Path(__file__).parents[2] / "deploy"
START_SECONDS = 10.0
STOP_SECONDS = 5.0

_SERVER = re.compile(r"^( *server )(?:(\w+) )?([\w.-]+:\d+)(.*)$")


class Balancer(ABC):
    """
    Stands before the workers at these addresses (`127.0.0.1:8080`, or an origin).

    A context manager: it runs for as long as that lasts. `origin` is what carriers are told.
    """

    FILE = ""
    """The configuration, in `deploy/`."""

    def __init__(self, *workers: str) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="tb-"))
        self.port = free_port()
        self.workers = [worker.removeprefix("http://") for worker in workers]
        self.file = self.directory / self.FILE
        self.log = self.directory / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self.remove)
            self.start()
            stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    def start(self) -> None:
        """Return when it serves."""
        self.file.write_text("\n".join(self._configuration()) + "\n")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*with_us(), *self._command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(self._serves, START_SECONDS)

    def kill(self) -> None:
        """As kill -9, and wait until it is gone."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def remove(self) -> None:
        """Stop it, and its directory goes too."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _configuration(self) -> Iterator[str]:
        """The operator's file with a line for each worker, and other addresses."""
        within = False
        for line in (DEPLOY / self.FILE).read_text().splitlines():
            server = _SERVER.match(line)
            if server is None:
                yield self._elsewhere(line)
            elif not within:
                yield from self._servers(server)
            within = server is not None

    def _servers(self, line: re.Match[str]) -> Iterable[str]:
        for number, worker in enumerate(self.workers):
            name = f"w{number} " if line[2] else ""
            yield f"{line[1]}{name}{worker}{line[4]}"

    def _serves(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            pytest.fail(f"{self.FILE}: it has not started: {self.log.read_text()[-1000:]}")
        return self._ready()

    @abstractmethod
    def _elsewhere(self, line: str) -> str:
        """The line with our addresses in place of the operator's."""

    @abstractmethod
    def _command(self) -> Sequence[str]: ...

    @abstractmethod
    def _ready(self) -> bool: ...


class HAProxy(Balancer):
    """`deploy/haproxy.cfg`. It is ready when it has looked at each worker."""

    FILE = "haproxy.cfg"

    def __init__(self, *workers: str) -> None:
        super().__init__(*workers)
        self._operator = free_port()

    @property
    def operator(self) -> str:
        """The origin of what only operators reach."""
        return f"http://127.0.0.1:{self._operator}"

    def states(self, backend: str = "ready") -> tuple[str, ...]:
        """How it thinks that each worker is: `UP`, `NOLB` (404), `DOWN`, or on the way there."""
        return tuple(row["status"] for row in self._workers() if row["pxname"] == backend)

    def calls(self, backend: str = "ready") -> tuple[int, ...]:
        """How many connections each worker has from carriers."""
        return tuple(int(row["scur"]) for row in self._workers() if row["pxname"] == backend)

    def _workers(self) -> list[dict[str, str]]:
        with urllib.request.urlopen(f"{self.operator}/balancer;csv", timeout=5) as page:
            rows = csv.DictReader(page.read().decode().removeprefix("# ").splitlines())
            return [row for row in rows if row["svname"].startswith("w")]

    def _elsewhere(self, line: str) -> str:
        if re.match(r" +(user|group) ", line):
            return ""
        line = line.replace("bind 127.0.0.1:8404", f"bind 127.0.0.1:{self._operator}")
        return line.replace("    bind :80", f"    bind 127.0.0.1:{self.port}")

    def _command(self) -> Sequence[str]:
        return (program("haproxy"), "-db", "-f", str(self.file))

    def _ready(self) -> bool:
        try:
            asked = [row for row in self._workers() if row["pxname"] != "any"]
            return all(row["check_status"] not in ("", "INI") for row in asked)
        except OSError:
            return False


class Nginx(Balancer):
    """`deploy/nginx.conf`. It asks no worker how it is."""

    FILE = "nginx.conf"

    def _elsewhere(self, line: str) -> str:
        line = line.replace("listen 80;", f"listen 127.0.0.1:{self.port};")
        line = line.replace("/var/log/nginx/access.log", str(self.directory / "access.log"))
        return f"http {{ {self._temporary_files()}" if line == "http {" else line

    def _temporary_files(self) -> str:
        kinds = ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")
        return " ".join(f"{kind}_temp_path {self.directory / kind};" for kind in kinds)

    def _command(self) -> Sequence[str]:
        elsewhere = f"daemon off; pid {self.directory / 'nginx.pid'}; error_log stderr;"
        return (program("nginx"), "-c", str(self.file), "-g", elsewhere)

    def _ready(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True
