"""The reference says all of what is there, and nothing that is not."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from starlette.routing import Route, WebSocketRoute

import bridge
from bridge.agent.hooks import HookEvent, HookName
from bridge.call.vocabulary import Moment
from bridge.cli import bench, call, demo, dial, doctor, serve
from bridge.config import SETTINGS, Config, environment
from bridge.errors import Ending, Fault
from bridge.ports.client_events import ClientEvent
from bridge.ports.leg import LegCommand, LegEvent
from bridge.ports.model import Memory
from bridge.ports.runner_events import Cause, RunnerEvent, ToolOutcome
from bridge.ports.server_events import Drop, ResponseStatus, ServerEvent
from bridge.runner.handler import EventHandler
from bridge.telemetry.metrics import Metrics
from bridge.web.app import Bridge
from tests.docs.pages import DOCS, ROOT, tables
from tests.docs.settings_page import PAGE, render
from tests.test_house import FLOORS

REFERENCE = DOCS / "reference"
EVENTS = REFERENCE / "events.md"
EVERYWHERE = {"event_id", "response_id", "item_id", "output_index", "content_index"}
AUDIO_PATH = DOCS / "explanation" / "the-audio-path.md"
ENV_EXAMPLE = ROOT / "deploy" / "env.example"

_ENV_LINE = re.compile(r"^(# )?([A-Z_]+)=(.*)$", re.MULTILINE)
_SERIES = ("_total", "_bucket", "_count", "_sum")


def first_column(page: Path) -> set[str]:
    """The names that a reference lists, at the beginning of its tables' rows."""
    return {name.strip("` ") for row in tables(page) for name in row[0].split(",")}


def test_settings_are_up_to_date() -> None:
    """`python -m tests.docs.settings_page` writes the page anew."""
    assert PAGE.read_text() == render()


def test_the_example_of_an_environment_has_every_setting() -> None:
    """Each once; what is commented out shows the default, where there is one to show."""
    found = _ENV_LINE.findall(ENV_EXAMPLE.read_text())
    defaults = {setting.name: setting.default for setting in SETTINGS}
    wrong = [
        name
        for commented, name, value in found
        if commented and defaults[name] not in {"", value} and name != "BRIDGE_INSTRUCTIONS"
    ]

    assert sorted(name for _, name, _ in found) == sorted(defaults)
    assert wrong == []


def test_the_example_of_an_environment_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it stands, and with everything that is commented out."""
    for name in (setting.name for setting in SETTINGS):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".env").write_text(ENV_EXAMPLE.read_text())
    everything = {name: value for _, name, value in _ENV_LINE.findall(ENV_EXAMPLE.read_text())}

    Config.from_environ(environment(tmp_path)).check_serving()
    Config.from_environ(everything).check_serving()


def sections() -> dict[str, str]:
    """The parts of the page of commands, by the command."""
    text = (REFERENCE / "cli.md").read_text()
    parts = re.split(r"^## `bridge (\w+)`$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def parsers() -> dict[str, argparse.ArgumentParser]:
    commands = argparse.ArgumentParser().add_subparsers()
    for command in (serve, demo, call, dial, doctor, bench):
        command.add_parser(commands)
    return dict(commands.choices)


def test_every_command_and_option_is_explained() -> None:
    """And no other ones."""
    explained = {
        name: set(re.findall(r"`(--[\w-]+|[A-Z]{3,6})`", text)) for name, text in sections().items()
    }
    there = {name: set(_arguments(parser)) for name, parser in parsers().items()}

    assert explained.keys() == there.keys()
    for name, arguments in there.items():
        assert {each for each in explained[name] if each.startswith("--")} <= arguments, name
        assert arguments <= explained[name], name


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if not isinstance(action, argparse._HelpAction):
            yield action.option_strings[-1] if action.option_strings else str(action.metavar)


async def test_every_route_is_in_the_reference() -> None:
    """With its method."""
    page = (REFERENCE / "http.md").read_text()
    application = Bridge(None, Config.from_environ({"BRIDGE_INSECURE": "1"}))

    async with application.lifespan():
        routes = [route for each in application._app.router.routes for route in _named(each)]

    assert len(routes) >= 11
    assert [route for route in routes if f"`{route}`" not in page] == []


def _named(route: object) -> Iterator[str]:
    """Method and path. A WebSocket is asked for with GET."""
    assert isinstance(route, Route | WebSocketRoute)
    methods = (route.methods or set()) if isinstance(route, Route) else {"GET"}
    yield from (f"{method} {route.path}" for method in methods - {"HEAD"})


def test_every_word_of_a_timeline_is_explained() -> None:
    assert {moment.value for moment in Moment} <= first_column(REFERENCE / "http.md")


@pytest.mark.parametrize(
    ("heading", "union"),
    [
        ("Client events", ClientEvent),
        ("Server events", ServerEvent),
        ("Runner events", RunnerEvent),
        ("Leg events and commands", LegEvent),
    ],
)
def test_every_event_is_explained(heading: str, union: object) -> None:
    """The first column of a table has it."""
    own = {row[0] for row in tables(EVENTS, heading)}
    of_sessions = {event.__name__ for event in get_args(ServerEvent)}
    there = {event.__name__ for event in get_args(union)}

    assert there - own <= (of_sessions if union is RunnerEvent else set())


@pytest.mark.parametrize(
    ("heading", "union"), [("Client events", ClientEvent), ("Server events", ServerEvent)]
)
def test_every_field_of_an_event_is_explained(heading: str, union: object) -> None:
    """In the second column, but for those that stand everywhere."""
    rows = {row[0]: set(re.findall(r"\w+", row[1])) for row in tables(EVENTS, heading)}
    fields = {event.__name__: set(event.__dataclass_fields__) for event in get_args(union)}

    missing = {name: fields[name] - rows[name] - EVERYWHERE for name in fields}
    assert {name: left for name, left in missing.items() if left} == {}


def test_words_in_events_are_explained() -> None:
    text = EVENTS.read_text()
    commands = [command.__name__ for command in get_args(LegCommand)]
    words = [*Cause, *Drop, *Memory, *ResponseStatus, *ToolOutcome, *commands]

    assert [word for word in words if f"`{word}`" not in text] == []


def test_every_hook_is_explained() -> None:
    rows = {row[0]: row[1] for row in tables(EVENTS, "Hooks")}

    assert {hook.value for hook in HookName} <= rows.keys()
    assert {event.__name__ for event in get_args(HookEvent)} <= set(rows.values())


def test_every_method_of_the_event_handler_is_explained() -> None:
    """With its parameters."""
    shown = {row[0] for row in tables(EVENTS, "Event handler")}
    methods = inspect.getmembers(EventHandler, inspect.isfunction)
    there = {
        f"{name}({', '.join(list(inspect.signature(method).parameters)[1:])})"
        for name, method in methods
        if name.startswith("on_")
    }

    assert there <= shown


def endings() -> Iterator[tuple[str, str]]:
    """Fault and reason of every Ending that is made in the code; "" for a fault from elsewhere."""
    for path in (ROOT / "bridge").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == Ending.__name__:
                yield _ending(*node.args[:2])


def _ending(fault: ast.expr, reason: ast.expr) -> tuple[str, str]:
    assert isinstance(reason, ast.Constant), ast.unparse(reason)
    return (fault.attr.lower() if isinstance(fault, ast.Attribute) else ""), str(reason.value)


def test_every_ending_is_explained() -> None:
    """And none that is not there."""
    rows = {(row[0].replace("`", ""), row[1]) for row in tables(REFERENCE / "endings.md")}
    explained = {reason: fault for fault, reason in rows if fault != "fault"}
    made = set(endings())

    assert set(explained) == {reason for _, reason in made}
    assert [each for each in made if each[0] not in explained[each[1]]] == []
    text = (REFERENCE / "endings.md").read_text()
    assert [fault for fault in Fault if f"`{fault}`" not in text] == []


def metrics() -> set[str]:
    """The names on the page that Prometheus is given, without those of a histogram's parts."""
    text = Metrics().render()[0].decode()
    found = re.findall(r"^# TYPE (\S+) (\w+)$", text, re.MULTILINE)
    return {name for name, _ in found}


def test_every_metric_is_explained() -> None:
    """And none that is not there."""
    listed = first_column(REFERENCE / "metrics.md")
    named = {name for name in listed if name.startswith(("bridge_", "process_"))}

    assert named == metrics()


def test_every_public_name_is_explained() -> None:
    """And none that is not there."""
    listed = first_column(REFERENCE / "python.md") - {"name"}
    text = (REFERENCE / "python.md").read_text()

    assert [name for name in bridge.__all__ if f"`{name}`" not in text] == []
    assert listed <= set(bridge.__all__)


@pytest.mark.parametrize("row", list(tables(AUDIO_PATH)))
def test_the_audio_path_goes_through_functions_that_exist(row: list[str]) -> None:
    """File and function of every step."""
    if len(row) < 4 or not row[1].endswith(".py"):
        return
    names = set(_defined(ast.parse((ROOT / row[1]).read_text())))

    assert row[2] in names


def _defined(tree: ast.AST, within: str = "") -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield node.name
            yield from _defined(node, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield within + node.name


def test_every_room_is_in_the_description_of_the_house() -> None:
    listed = first_column(DOCS / "explanation" / "the-house.md")

    assert set().union(*FLOORS) <= listed


def test_every_library_is_accounted_for() -> None:
    """What pyproject.toml asks for is in the decision about libraries, and nothing else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[^\w-]", each, maxsplit=1)[0] for each in project["dependencies"]}
    listed = first_column(DOCS / "decisions" / "0005-libraries.md") - {"library"}

    assert listed == wanted


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.name)
def test_modules_that_are_named_exist(page: Path) -> None:
    """A path in backquotes is one of the project's."""
    named = re.findall(r"`((?:bridge|tests|docs|deploy)/[\w./-]+)`", page.read_text())
    inner = re.findall(
        r"`((?:agent|audio|call|runner|web|wire|wiring|providers)/[\w/]+\.py)`", page.read_text()
    )

    assert [name for name in named if not (ROOT / name).exists()] == []
    assert [name for name in inner if not (ROOT / "bridge" / name).exists()] == []
