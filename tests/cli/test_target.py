"""`module:attribute` leads to the user's agent, or to one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.cli.target import load_agent
from bridge.errors import ConfigError

BAKERY = """
from bridge import Agent
agent = Agent("You answer for a bakery.", name="bakery")
oven = "hot"
"""


def test_an_agent_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the directory from which the command is run is found."""
    (tmp_path / "bakery_here.py").write_text(BAKERY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    agent = load_agent("bakery_here:agent")

    assert agent.name == "bakery"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("bakery", "module:attribute"),
        (":agent", "module:attribute"),
        ("no_such_bakery:agent", "no module no_such_bakery"),
        ("bakery_there:oven", "no Agent called oven"),
        ("bakery_there:baker", "no Agent called baker"),
    ],
)
def test_what_is_not_an_agent(
    target: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line says what was not found."""
    (tmp_path / "bakery_there.py").write_text(BAKERY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ConfigError, match=said):
        load_agent(target)


def test_an_import_that_fails_inside_is_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module that exists and lacks another one shows that one's name, traceback and all."""
    (tmp_path / "bakery_broken.py").write_text("import no_such_library")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        load_agent("bakery_broken:agent")
