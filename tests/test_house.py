"""The drawing of the house, held against its lines."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent / "bridge"
TESTS = Path(__file__).parent

FLOORS = (
    {"cli"},
    {"bench", "serving"},
    {"web"},
    {"wiring"},
    {"carriers", "providers", "store", "simulator"},
    {"agent", "call", "runner", "wire"},
    {"functions", "telemetry"},
    {"ports"},
    {"audio"},
    {"config"},
    {"alarm", "errors", "kernel"},
    {"nobody"},
)
"""Highest first. A room imports from itself and from the floors below it."""

WAITERS = {
    "agent": {"dispatcher"},
    "functions": {"threads"},
    "call": {"conductor", "switchboard"},
    "runner": {
        "engine",
        "function_tool",
        "handler",
        "inbox",
        "journalled",
        "link",
        "outbox",
        "runner",
        "tickets",
        "tools",
        "waiting",
    },
    "telemetry": {"lag"},
    "config": {"environment"},
}
"""Below the adapters' floor, only these modules may wait; all others decide or translate."""

COMPILED = "bridge._kernel"

PURE_ROOMS = ("agent", "functions", "call", "runner", "wire", "audio", "ports", "config", "errors")
WAITING = {"asyncio", "socket", "ssl", "time", "select", "selectors", "subprocess", "threading"}


def modules() -> list[Path]:
    return sorted(HOUSE.rglob("*.py"))


def room_of(module: str) -> str | None:
    """The room of `bridge.room.thing`; None for what is no module of the house, or is compiled."""
    parts = module.split(".")
    ours = parts[0] == "bridge" and len(parts) > 1 and module != COMPILED
    return parts[1] if ours else None


def imports(path: Path) -> Iterator[str]:
    """Every module that this one imports when it runs (not for the type checker alone)."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            if node.module == "bridge":
                yield from (f"bridge.{alias.name}" for alias in node.names)


def floor_of(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def own_room(path: Path) -> str:
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(HOUSE)))
def test_imports_go_down(path: Path) -> None:
    """A room imports from itself and from the floors below it."""
    room = own_room(path)
    if room in ("__init__", "__main__"):
        return

    strays = [
        module
        for module in imports(path)
        if (other := room_of(module)) is not None
        and other != room
        and floor_of(other) <= floor_of(room)
    ]

    assert strays == []


def test_one_module_alone_asks_for_what_is_compiled() -> None:
    """So that everybody else finds out in one way whether it is there."""
    asking = [path.name for path in modules() if COMPILED in imports(path)]

    assert asking == ["kernel.py"]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(HOUSE)))
def test_who_decides_does_not_wait(path: Path) -> None:
    """No clock, no socket and no event loop on the deciding floors."""
    room = own_room(path)
    if room not in PURE_ROOMS or path.stem in WAITERS.get(room, set()):
        return

    waits = [module for module in imports(path) if module.split(".")[0] in WAITING]

    assert waits == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(HOUSE)))
def test_every_module_has_its_test(path: Path) -> None:
    """`bridge/room/thing.py` is tested by `tests/room/test_thing.py`."""
    relative = path.relative_to(HOUSE)
    if path.name in ("__init__.py", "__main__.py") or not has_behaviour(path):
        return

    twin = TESTS / relative.parent / f"test_{relative.name}"

    assert twin.exists(), f"no {twin.relative_to(TESTS.parent)}"


def has_behaviour(path: Path) -> bool:
    """Whether there is a function with a body that does something."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = ast.walk(ast.parse(path.read_text()))
    return any(does_something(node) for node in nodes if isinstance(node, functions))


def does_something(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return not all(
        isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
        for line in function.body
    )


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(HOUSE)))
def test_a_module_opens_with_what_it_is(path: Path) -> None:
    """A docstring comes first."""
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(HOUSE)))
def test_no_file_that_everything_goes_into(path: Path) -> None:
    """A module that grows longer holds two things."""
    assert not has_behaviour(path) or len(path.read_text().splitlines()) <= 360


def test_the_environment_is_read_once() -> None:
    """Only where the program starts."""
    readers = {
        str(path.relative_to(HOUSE))
        for path in modules()
        if "os.environ" in path.read_text() or "os.getenv" in path.read_text()
    }

    assert readers <= {"config/environment.py", "cli/call.py"}


def test_every_room_is_in_the_drawing() -> None:
    """A new room has a floor."""
    rooms = {
        path.name.removesuffix(".py") for path in HOUSE.iterdir() if path.suffix in ("", ".py")
    }
    rooms -= {"__init__", "__main__", "__pycache__"}

    assert rooms == set().union(*FLOORS)
