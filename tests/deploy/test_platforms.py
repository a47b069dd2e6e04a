"""Platforms that read a Procfile, and the example of an environment."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from bridge.config import Config
from tests.deploy.commands import served
from tests.deploy.durations import LONGEST_AFTER_DRAIN
from tests.fakes.balancer import DEPLOY

ROOT = Path(__file__).parents[2]
PROCFILE_SECONDS = 30  # from SIGTERM to SIGKILL, at Heroku


def test_the_procfile_serves() -> None:
    """The port and the number of workers come from the platform, by PORT and WEB_CONCURRENCY."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    processes = dict(line.split(": ", 1) for line in lines)

    told = served(shlex.split(processes["web"]))

    assert processes.keys() == {"web"}
    assert (told.port, told.workers) == (None, None)


def test_a_platform_gives_time_enough() -> None:
    """With the settings as they are when nobody sets them."""
    usual = Config.from_environ({})

    assert usual.drain_seconds + LONGEST_AFTER_DRAIN < PROCFILE_SECONDS


def test_every_setting_of_the_example_is_explained() -> None:
    """Each paragraph with settings begins with a sentence about them."""
    paragraphs = (DEPLOY / "env.example").read_text().split("\n\n")
    setting = re.compile(r"^(# )?[A-Z_]+=", re.MULTILINE)
    with_settings = [each for each in paragraphs if setting.search(each)]

    assert len(with_settings) > 4
    assert [each for each in with_settings if setting.match(each)] == []
