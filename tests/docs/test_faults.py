"""The table of faults names tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.docs.pages import DOCS, ROOT, tables

PAGE = DOCS / "explanation" / "faults.md"
TEST = re.compile(r"`?(tests/[\w/]+\.py)::(\w+)`?")
ROWS = [row for row in tables(PAGE) if row[0] != "what happens"]


@cache
def names_in(path: str) -> frozenset[str]:
    """The names of the tests in a file, those of a contract included."""
    tree = ast.parse((ROOT / path).read_text())
    found = (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return frozenset(node.name for node in found if node.name.startswith("test_"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_fault_is_proved(row: list[str]) -> None:
    """Three columns, and in the last one nothing but tests that are there."""
    happens, does, proofs = row
    named = TEST.findall(proofs)

    assert happens
    assert does
    assert named
    assert TEST.sub("", proofs).strip(", ") == ""
    assert [test for path, test in named if test not in names_in(path)] == []


def test_there_are_faults() -> None:
    assert len(ROWS) > 50
