"""What is measured, started and stopped as real processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.bench.process import usage
from bridge.bench.subjects import (
    LEAN,
    Running,
    Subject,
    bridge_subject,
    free_port,
    without_settings,
)
from bridge.errors import ConfigError

PROVIDER = "http://127.0.0.1:9"


def test_no_setting_is_inherited() -> None:
    """Somebody's key or Redis has no business in a benchmark."""
    clean = without_settings({"PATH": "/bin", "REDIS_URL": "redis://x", "OPENAI_API_KEY": "k"})

    assert clean == {"PATH": "/bin"}


def test_a_subject_does_not_tell_its_settings() -> None:
    """A Redis URL may have a password."""
    assert "secret" not in repr(bridge_subject("x", "g711", redis_url="redis://:secret@host"))


async def test_a_relay_runs_until_it_is_left(tmp_path: Path) -> None:
    """One process, which answers; afterwards it is gone."""
    async with Running(LEAN, PROVIDER, os.environ, tmp_path) as running:
        pids = running.pids
        assert usage(pids).rss > 0
        assert running.ready_seconds > 0
        assert await running.metrics() == ""

    assert len(pids) == 1
    assert not Path(f"/proc/{pids[0]}").exists()


async def test_what_cannot_start_says_why(tmp_path: Path) -> None:
    """Its last words are in the error."""
    broken = Subject("nothing", "no_such_module")

    with pytest.raises(ConfigError, match="No module named"):
        async with Running(broken, PROVIDER, os.environ, tmp_path):
            pass


def test_ports_are_free() -> None:
    """And not the same each time."""
    assert len({free_port() for _ in range(5)}) > 1
