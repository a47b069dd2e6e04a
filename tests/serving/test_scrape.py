"""The metrics of all workers under one supervisor."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bridge.ports.model import Memory
from bridge.ports.runner_events import Cause
from bridge.serving.scrape import ASK_SECONDS, Scrape, merged
from bridge.telemetry.metrics import Metrics

ONE = b"""# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{carrier="twilio"} 3.0
# HELP lag_seconds Lag.
# TYPE lag_seconds histogram
lag_seconds_bucket{le="0.1"} 1.0
lag_seconds_bucket{le="+Inf"} 2.0
# HELP open_fds Descriptors.
# TYPE open_fds gauge
open_fds 7.0
"""
OTHER = b"""# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{carrier="twilio"} 4.0
calls_total{carrier="a } b"} 1.0
# HELP open_fds Descriptors.
# TYPE open_fds gauge
open_fds 8.0
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    """A short path, for those of Unix sockets must be."""
    with tempfile.TemporaryDirectory(prefix="tb-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def test_samples_stand_together_and_name_their_worker() -> None:
    assert merged({"1": OTHER, "0": ONE}) == (
        b"# HELP calls_total Calls.\n"
        b"# TYPE calls_total counter\n"
        b'calls_total{carrier="twilio",worker="0"} 3.0\n'
        b'calls_total{carrier="twilio",worker="1"} 4.0\n'
        b'calls_total{carrier="a } b",worker="1"} 1.0\n'
        b"# HELP lag_seconds Lag.\n"
        b"# TYPE lag_seconds histogram\n"
        b'lag_seconds_bucket{le="0.1",worker="0"} 1.0\n'
        b'lag_seconds_bucket{le="+Inf",worker="0"} 2.0\n'
        b"# HELP open_fds Descriptors.\n"
        b"# TYPE open_fds gauge\n"
        b'open_fds{worker="0"} 7.0\n'
        b'open_fds{worker="1"} 8.0\n'
    )


def test_what_comes_out_is_a_page_again() -> None:
    """Every sample of every metric of ours, by somebody else's reading."""
    metrics = Metrics()
    metrics.call_started("twilio")
    metrics.resumed(Cause.DROP, Memory.REPLAYED, 0.4)
    page = metrics.render()[0]

    alone = samples(page)
    together = samples(merged({"0": page, "1": page}))

    assert len(together) == 2 * len(alone)
    assert {name for name, _ in together} == {name for name, _ in alone}
    assert all("worker" in labels for _, labels in together)


def samples(page: bytes) -> list[tuple[str, str]]:
    families = text_string_to_metric_families(page.decode())
    return [(each.name, str(each.labels)) for family in families for each in family.samples]


async def test_whoever_is_asked_knows_all(directory: Path) -> None:
    one, other = Scrape(lambda: ONE, 0, directory), Scrape(lambda: OTHER, 1, directory)
    await one.open()
    await other.open()
    pages = [await one.page(), await other.page()]
    await one.close()
    await other.close()

    assert pages == [merged({"0": ONE, "1": OTHER})] * 2
    assert not directory.exists(), "the last one takes it along"


async def test_who_does_not_answer_is_left_out(directory: Path) -> None:
    """One hangs, another one was killed and its socket lies there still."""
    one = Scrape(lambda: ONE, 0, directory)
    await one.open()
    with socket.socket(socket.AF_UNIX) as hanging, socket.socket(socket.AF_UNIX) as dead:
        hanging.bind(str(directory / "1.sock"))
        hanging.listen()
        dead.bind(str(directory / "2.sock"))
        began = time.monotonic()
        page = await one.page()
        took = time.monotonic() - began
    await one.close()

    assert page == merged({"0": ONE})
    assert took >= ASK_SECONDS


async def test_who_follows_a_killed_one_takes_its_place(directory: Path) -> None:
    """It has the number, and the socket's path."""
    (directory / "0.sock").touch()
    one = Scrape(lambda: ONE, 0, directory)
    await one.open()
    reader, writer = await asyncio.open_unix_connection(directory / "0.sock")
    page = await reader.read()
    writer.close()
    await one.close()

    assert page == ONE


async def test_without_a_directory_it_knows_itself(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Metrics are not worth a worker."""
    lost = Scrape(lambda: ONE, 0, directory / "gone")
    await lost.open()
    page = await lost.page()
    await lost.close()

    assert page == merged({"0": ONE})
    assert "cannot be asked" in caplog.text
