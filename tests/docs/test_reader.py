"""Whoever reads the documents notices what does not work."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from tests.docs.pages import Block
from tests.docs.reader import Reader, commands


def sh(text: str) -> Block:
    return Block("sh", text, line=1)


def test_commands_are_what_is_typed() -> None:
    """In a console what follows the prompt, elsewhere all but comments; lines may be joined."""
    console = Block("console", "$ echo one \\\n  two\none two\n", line=1)

    assert commands(console) == ["echo one   two"]
    assert commands(sh("# first\necho one\n\necho two\n")) == ["echo one", "echo two"]


@pytest.mark.parametrize("text", ["false\ntrue\n", "false | true\n", "echo $NOT_SET\n"])
def test_a_command_that_fails_is_noticed(text: str, tmp_path: Path) -> None:
    """Wherever in the block it stands."""
    with Reader(tmp_path) as reader, pytest.raises(AssertionError, match=r"fals|NOT_SET"):
        reader.type(sh(text))


def test_what_a_page_saves_is_there_for_its_commands(tmp_path: Path) -> None:
    """Python under the name in its first line, settings as `.env`."""
    with Reader(tmp_path) as reader:
        reader.save(Block("python", "# said.py\nWORD = 'hello'\n", line=1))
        reader.save(Block("env", "BRIDGE_VOICE=marin\n", line=5))

        reader.type(sh("test -f .env\npython -c 'import said; assert said.WORD == \"hello\"'\n"))


def test_python_that_raises_is_noticed(tmp_path: Path) -> None:
    """A later block has the names of an earlier one."""
    first, second = Block("python", "a = 1\n", line=1), Block("python", "assert a == 2\n", line=9)

    with Reader(tmp_path) as reader, pytest.raises(AssertionError, match="line-9"):
        reader.study([first, second])


def test_a_server_that_does_not_start_is_noticed(tmp_path: Path) -> None:
    """With what it says: here that settings are missing."""
    with Reader(tmp_path) as reader, pytest.raises(AssertionError, match="BRIDGE_PUBLIC_URL"):
        reader.type(sh("bridge serve\n"))


def test_a_server_runs_until_the_page_is_read(tmp_path: Path) -> None:
    """On a port of its own, which later commands of the page call 8080."""
    with Reader(tmp_path) as reader:
        reader.type(sh("BRIDGE_INSECURE=1 bridge serve\n"))
        reader.type(sh("echo $PORT > port\necho http://127.0.0.1:8080/healthz > url\n"))
        port, url = ((tmp_path / name).read_text().strip() for name in ("port", "url"))
        with urllib.request.urlopen(url, timeout=5) as answer:
            health = answer.read()

    assert health == b"alive\n"
    assert url == f"http://127.0.0.1:{port}/healthz"
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=1)
