"""
A docstring as a tool's description: its prose, and a line for each argument.

Google's "Args:", numpy's underlined "Parameters" and Sphinx's ":param name:" are read.
What the other sections say (returns, raises, examples) is for people, not for the model.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["Docstring"]

_ARGUMENTS = {"args", "arguments", "keyword args", "other parameters", "parameters", "params"}
_OTHERS = {
    *("attributes", "example", "examples", "note", "notes", "raises", "references"),
    *("return", "returns", "see also", "todo", "warning", "warnings", "yield", "yields"),
}
_FIELDS = "fields"

_UNDERLINE = re.compile(r"-{3,}\s*$")
_FIELD = re.compile(r":\w+[^:]*:")
_SPHINX = re.compile(r":(?:param|parameter|arg|argument)\s+(?:[^:]*\s)?\*{0,2}(\w+)\s*:\s*(.*)")
_GOOGLE = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)")
_NUMPY = re.compile(r"\*{0,2}(\w+)\s*(?::.*)?()$")


@dataclass(frozen=True, slots=True)
class Docstring:
    """What a docstring says: `text` in one line, `arguments` by their names."""

    text: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, docstring: str | None) -> Docstring:
        """Read a docstring in any of the three styles; None reads as an empty one."""
        prose: list[str] = []
        arguments: dict[str, str] = {}
        for title, lines in _sections(inspect.cleandoc(docstring or "").splitlines()):
            if not title:
                prose += lines
            elif title in _ARGUMENTS:
                arguments |= _entries(lines, _NUMPY if _underlined(lines) else _GOOGLE)
            elif title == _FIELDS:
                arguments |= _entries(lines, _SPHINX)
        return cls(_flowing(prose), arguments)


def _sections(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The title ("" for the prose) and the lines of each section."""
    title, section = "", list[str]()
    for index, line in enumerate(lines):
        found = _title(line, lines[index + 1] if index + 1 < len(lines) else "")
        if found and found != title:
            yield title, section
            title, section = found, []
        if not found or found == _FIELDS:
            section.append(line)
    yield title, section


def _title(line: str, following: str) -> str:
    if _FIELD.match(line):
        return _FIELDS
    word = line.rstrip().removesuffix(":").lower()
    if word not in _ARGUMENTS | _OTHERS:
        return ""
    return word if line.rstrip().endswith(":") or _UNDERLINE.match(following) else ""


def _underlined(lines: list[str]) -> bool:
    return bool(lines) and _UNDERLINE.match(lines[0]) is not None


def _entries(lines: list[str], pattern: re.Pattern[str]) -> dict[str, str]:
    """Each entry begins at the margin; what is indented below it goes on with it."""
    entries: dict[str, list[str]] = {}
    current: list[str] = []
    for line in textwrap.dedent("\n".join(lines)).splitlines():
        if line[:1].isspace():
            current.append(line)
        elif line:
            current = []
            if begun := pattern.match(line):
                entries[begun[1]] = current
                current.append(begun[2])
    return {name: _flowing(text) for name, text in entries.items()}


def _flowing(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())
