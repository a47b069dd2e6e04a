"""What the documents promise can be done: their commands run, their links lead somewhere."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from bridge.config import SETTINGS, Config
from tests.docs.outside import OUTSIDE
from tests.docs.pages import Block, anchors, blocks, links, name_of, pages
from tests.docs.reader import SHELLS, Reader, commands

MACHINE = re.compile(r"(?<![\w.])/(?:work|tmp|root|home|Users|mnt)/")
READERS = 3
OPEN = ("http://", "https://")

every_page = pytest.mark.parametrize("page", pages(), ids=name_of)


def to_be_typed(page: Path) -> list[Block]:
    """The page's commands that need no more than this machine."""
    return [block for block in blocks(page, *SHELLS) if not set(commands(block)) <= set(OUTSIDE)]


def lacks_a_program(page: Path) -> bool:
    """Debian's smallest installation has no curl."""
    typed = "".join(block.text for block in to_be_typed(page))
    return "curl" in typed and shutil.which("curl") is None


PAGES = [page for page in pages() if to_be_typed(page)]


def with_python() -> list[Path]:
    return [page for page in pages() if blocks(page, "python")]


@pytest.fixture(scope="module")
def readers(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mapping[Path, Future[None]]]:
    """Somebody at each page. Calls take their time, so several read at once."""
    with ThreadPoolExecutor(READERS) as pool:
        yield {
            page: pool.submit(read, page, tmp_path_factory.mktemp("page"))
            for page in PAGES
            if not lacks_a_program(page)
        }
        pool.shutdown(cancel_futures=True)  # of what nobody asked for


def read(page: Path, folder: Path) -> None:
    with Reader(folder) as reader:
        for block in blocks(page, "python", "env", *SHELLS):
            if block.language not in SHELLS:
                reader.save(block)
            elif block in to_be_typed(page):
                reader.type(block)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_does_what_it_says(page: Path, readers: Mapping[Path, Future[None]]) -> None:
    """Typed as they stand, from top to bottom, all of them end well or serve."""
    if page not in readers:
        pytest.fail("these pages need curl: apt-get install curl")

    readers[page].result()


@pytest.mark.parametrize("page", with_python(), ids=name_of)
def test_every_piece_of_python_runs(page: Path, tmp_path: Path) -> None:
    """One after the other, each with the names of those before it."""
    python = blocks(page, "python")

    with Reader(tmp_path) as reader:
        for block in python:
            reader.save(block)
        reader.study(python)


@every_page
def test_what_needs_the_world_stands_alone(page: Path) -> None:
    """A command that cannot be run here is in no block with one that can."""
    for block in blocks(page, *SHELLS):
        outside = [command in OUTSIDE for command in commands(block)]

        assert all(outside) or not any(outside), block


def test_no_reason_is_left_over() -> None:
    """Whatever is not run is still in a document."""
    typed = {
        each for page in pages() for block in blocks(page, *SHELLS) for each in commands(block)
    }

    assert set(OUTSIDE) <= typed
    assert all(OUTSIDE.values())


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file that is there, and to a heading that it has."""
    for link in links(page):
        if link.startswith(OPEN):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page

        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@every_page
def test_no_page_names_a_place_on_somebodys_machine(page: Path) -> None:
    """Paths are the project's own."""
    assert MACHINE.search(page.read_text()) is None


@every_page
def test_json_is_json(page: Path) -> None:
    """What is shown as JSON can be read as JSON."""
    for block in blocks(page, "json"):
        json.loads(block.text)


@every_page
def test_settings_that_are_shown_exist(page: Path) -> None:
    """Each is in the table of settings, and all of them together are taken."""
    known = {setting.name for setting in SETTINGS}
    for block in blocks(page, "env"):
        shown = dict(line.split("=", 1) for line in block.text.splitlines())

        assert set(shown) <= known
        Config.from_environ(shown)


def test_every_block_says_what_it_is() -> None:
    """A fence without a language is a block that nobody checks."""
    nameless = [(name_of(page), b.line) for page in pages() for b in blocks(page) if not b.language]

    assert nameless == []
