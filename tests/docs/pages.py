"""The documents as their readers find them: pages, links between them, blocks in fences."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DOCS", "ROOT", "Block", "anchors", "blocks", "links", "name_of", "pages", "tables"]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+)$", re.MULTILINE)
_NOT_IN_ANCHOR = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two fences, in this language, from this line of the page on."""

    language: str
    text: str
    line: int


def pages() -> list[Path]:
    """Every page that is written for people."""
    alone = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return [*alone, *sorted(DOCS.rglob("*.md")), *sorted((ROOT / "deploy").rglob("*.md"))]


def name_of(page: Path) -> str:
    """The page's path within the project."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[Block]:
    """The page's blocks in these languages, all of them where none is named."""
    text = page.read_text()
    found = (
        Block(fence[2], textwrap.dedent(fence[3]), text.count("\n", 0, fence.start()) + 2)
        for fence in _FENCE.finditer(text)
    )
    return [block for block in found if not languages or block.language in languages]


def links(page: Path) -> Iterator[str]:
    """What the page points to, outside its blocks."""
    yield from _LINK.findall(_prose(page))


def anchors(page: Path) -> set[str]:
    """The anchors of the page's headings, as GitHub makes them."""
    titles = (title.strip().lower().replace("`", "") for title in _HEADING.findall(_prose(page)))
    return {_NOT_IN_ANCHOR.sub("", title).replace(" ", "-") for title in titles}


def tables(page: Path, heading: str = "") -> Iterator[list[str]]:
    """The cells of every row of the tables below a heading (of all), without backquotes."""
    text = _prose(page)
    if heading:
        text = re.split(r"^#{1,6} +", text.split(f"# {heading}\n", 1)[1], flags=re.MULTILINE)[0]
    for line in text.splitlines():
        if line.startswith("|") and not line.startswith("|-"):
            yield [cell.strip().strip("`") for cell in line.strip("|").split("|")]


def _prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text())
