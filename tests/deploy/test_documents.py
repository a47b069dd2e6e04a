"""What the pages about running a bridge name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge.telemetry.metrics import Metrics
from tests.docs.pages import DOCS, blocks, tables
from tests.fakes.balancer import DEPLOY

RECOVERY = DOCS / "howto" / "read-the-recovery-metrics.md"
BALANCER = DOCS / "howto" / "deploy-behind-a-load-balancer.md"

_SERIES = re.compile(r"(?:_total|_bucket|_sum|_count)$")


def metrics() -> set[str]:
    """Names without what Prometheus adds for the kind."""
    text = Metrics().render()[0].decode()
    found: list[str] = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
    return {_SERIES.sub("", name) for name in found}


def test_every_query_asks_for_metrics_that_exist() -> None:
    """In blocks and in tables."""
    queries = [block.text for block in blocks(RECOVERY, "promql")]
    queries += [cell for row in tables(RECOVERY, "Alarms") for cell in row]
    named = {name for text in queries for name in re.findall(r"\b(?:bridge|process)_\w+", text)}

    assert len(named) > 8
    assert {_SERIES.sub("", name) for name in named} <= metrics()


@pytest.mark.parametrize("setting", [row[0] for row in tables(BALANCER, "2. The balancer")])
def test_the_lines_that_are_explained_are_delivered(setting: str) -> None:
    """Each as it stands."""
    delivered = (DEPLOY / "haproxy.cfg").read_text()

    for words in setting.split("`, `"):
        assert words.strip("` ") in delivered


def test_every_file_is_in_the_list() -> None:
    """And none that is not there."""
    rows = [row[0] for row in tables(DEPLOY / "README.md")]
    listed = {name.rstrip("/") for name in rows[: rows.index("env.example") + 1]} - {"file"}
    there = {path.name for path in DEPLOY.iterdir()} - {"README.md"}

    assert listed == {*there, "../Procfile"}
    assert Path(DEPLOY / "../Procfile").exists()
