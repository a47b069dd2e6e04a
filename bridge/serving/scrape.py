"""
`GET /metrics` for all workers under one supervisor.

A scrape reaches any one of them. That one asks the others for their own pages, over Unix
sockets in a directory of the supervisor's, and gives every sample the label `worker`. They
are not added up: a sum falls when a worker is replaced, and whoever computes rates from it
takes what is left for new. The label is the worker's number, of which there are never many.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["Scrape", "merged"]

ASK_SECONDS = 1.0  # for the others to answer; whoever does not is left out

Page = Callable[[], bytes]

_SAMPLE = re.compile(r"([^{ ]+)(?:\{(.*)\})? (\S+)")
_log = logging.getLogger(__name__)


class Scrape:
    """
    The pages of all workers. `own` renders this one's.

    `open` and `close` begin and end answering the others; nothing fails for its sake.
    """

    def __init__(self, own: Page, number: int, directory: Path) -> None:
        self._own = own
        self._directory = directory
        self._path = directory / f"{number}.sock"
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._path.unlink(missing_ok=True)  # of one that had this number and was killed
        try:
            self._server = await asyncio.start_unix_server(self._answer, self._path)
        except OSError as exc:
            _log.warning("this worker's metrics cannot be asked for: %s", exc.strerror)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
        # The last one also takes the directory along, if the supervisor cannot any more.
        with suppress(OSError):
            self._directory.rmdir()

    async def page(self) -> bytes:
        """The samples of all workers."""
        others = [path for path in self._directory.glob("*.sock") if path != self._path]
        pages = await asyncio.gather(*map(_ask, others))
        named = {path.stem: page for path, page in zip(others, pages, strict=True) if page}
        return merged({**named, self._path.stem: self._own()})

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._own())
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _ask(path: Path) -> bytes:
    try:
        async with asyncio.timeout(ASK_SECONDS):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                return await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return b""


def merged(pages: dict[str, bytes]) -> bytes:
    """One page of several, by the worker's name: what belongs to one metric stands together."""
    families: dict[str, tuple[list[str], list[str]]] = {}
    for worker in sorted(pages):
        for head, samples in _families(pages[worker].decode().splitlines()):
            _, gathered = families.setdefault(head[0], (head, []))
            gathered.extend(_labelled(sample, worker) for sample in samples)
    lines = (line for head, samples in families.values() for line in (*head, *samples))
    return ("\n".join(lines) + "\n").encode()


def _families(lines: Iterable[str]) -> Iterable[tuple[list[str], list[str]]]:
    """The comments above each metric, and its samples."""
    head: list[str] = []
    samples: list[str] = []
    for line in lines:
        if line.startswith("#"):
            if samples or line.startswith("# HELP"):
                if head:
                    yield head, samples
                head, samples = [], []
            head.append(line)
        elif line:
            samples.append(line)
    if head:
        yield head, samples


def _labelled(sample: str, worker: str) -> str:
    found = _SAMPLE.fullmatch(sample)
    assert found is not None, sample
    name, labels, value = found.groups()
    more = f'worker="{worker}"'
    return f"{name}{{{labels},{more}}} {value}" if labels else f"{name}{{{more}}} {value}"
