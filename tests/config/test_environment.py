from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.config.environment import environment, inherited
from bridge.errors import ConfigError


def test_without_a_file(tmp_path: Path) -> None:
    """Where there is no .env file, the process's own variables are all."""
    assert environment(tmp_path) == dict(os.environ)


def test_with_a_file(tmp_path: Path) -> None:
    """The file adds what the process does not have, and changes nothing that it has."""
    name = next(iter(os.environ))
    (tmp_path / ".env").write_text(
        f"{name}=other\n# a comment\nA_KEY='with # and $HOME ${{HOME}}'\nEMPTY=\nALONE\n",
        encoding="utf-8",
    )

    variables = environment(tmp_path)

    assert variables[name] == os.environ[name]
    assert variables["A_KEY"] == "with # and $HOME ${HOME}"
    assert variables["EMPTY"] == ""
    assert "ALONE" not in variables
    assert "A_KEY" not in os.environ


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A file that is no text is an error that names it."""
    (tmp_path / ".env").write_bytes(b"A=\xff\xfe\n")

    with pytest.raises(ConfigError, match=r"\.env: cannot be read"):
        environment(tmp_path)


def test_what_another_process_inherits() -> None:
    """The process's own variables and what is given; a file it reads itself, when it begins."""
    assert inherited(MORE="1") == {**os.environ, "MORE": "1"}
