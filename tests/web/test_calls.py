"""The operator's API: who may, and what it answers to what is wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bridge.errors import Ending
from bridge.store.memory import MemoryStore
from tests.web.apps import ADMIN, CALL, App, an_app
from tests.wiring.parts import FakeLeg, MoodyStore, record, until

MINE = {"Authorization": f"Bearer {ADMIN}"}
ROUTES = [
    ("GET", "/calls"),
    ("GET", f"/calls/{CALL}"),
    ("DELETE", f"/calls/{CALL}"),
    ("POST", f"/calls/{CALL}/session"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_a_token_it_is_closed_to_everybody(method: str, path: str) -> None:
    """Loopback included: behind a proxy every stranger looks local."""
    async with an_app(BRIDGE_ADMIN_TOKEN="") as app:
        answer = await app.client.request(method, path, headers={"Authorization": "Bearer "})

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "closed"


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("given", [None, "Bearer", "Bearer wrong", ADMIN, f"Basic {ADMIN}", "ü"])
async def test_who_does_not_know_the_token_is_sent_away(
    method: str, path: str, given: str | None
) -> None:
    headers = {} if given is None else {"Authorization": given.encode("latin-1")}
    async with an_app() as app:
        answer = await app.client.request(method, path, headers=headers)  # type: ignore[arg-type]

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_nobody_calls() -> None:
    async with an_app() as app:
        answer = await app.client.get("/calls", headers={"authorization": f"bearer {ADMIN}"})

    assert (answer.status_code, answer.json()) == (200, {"calls": []})


@pytest.mark.parametrize(("method", "path"), ROUTES[1:])
async def test_a_call_that_is_not_there(method: str, path: str) -> None:
    async with an_app() as app:
        answer = await app.client.request(method, path, headers=MINE, json={"voice": "marin"})

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "unknown_call"


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "bad_request"),
        (b"\xff", 400, "bad_request"),
        (b"[" * 100_000, 400, "bad_request"),
        (b"[]", 400, "bad_request"),
        (b'{"voices": "marin"}', 400, "bad_request"),
        (b" " * 300_000, 413, "too_long"),
    ],
)
async def test_a_change_that_cannot_be_read(content: bytes, status: int, code: str) -> None:
    async with an_app() as app:
        path = f"/calls/{CALL}/session"
        answer = await app.client.post(path, headers=MINE, content=content)

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code


async def test_a_store_that_does_not_answer() -> None:
    """The operator is told so, and not that there are no calls."""
    store = MoodyStore(MemoryStore(asyncio.get_running_loop().time))
    async with an_app(store=store) as app:
        store.down = True
        answer = await app.client.get("/calls", headers=MINE)

    assert answer.status_code == 503
    assert answer.json() == {"error": {"code": "store", "message": "the store is down"}}


async def test_a_live_call_is_shown_changed_and_ended() -> None:
    async with an_app() as app:
        caller, attending = await a_live_call(app)
        listed = (await app.client.get("/calls", headers=MINE)).json()["calls"]
        shown = (await app.client.get(f"/calls/{CALL}", headers=MINE)).json()
        changed = await change(app, {"instructions": "Be brief."})
        ended = await app.client.delete(f"/calls/{CALL}", headers=MINE)
        await asyncio.wait_for(attending, 5)

        assert app.model.session.mutations[0].instruction == "Be brief."
        line = 'bridge_calls_ended_total{carrier="test",fault="operator",reason="hung_up"} 1.0'
        assert app.counted(line)

    assert [call["call"] for call in listed] == [CALL]
    assert listed[0].keys() == {"call", "carrier", "state", "worker", "started_at"}
    assert listed[0]["started_at"].endswith("Z")
    assert [line["what"] for line in shown["timeline"]] == ["model_ready", "answered"]
    assert (changed.status_code, changed.json()) == (202, {"call": CALL, "result": "applied"})
    assert ended.status_code == 204
    assert len(caller.done) == 1


async def change(app: App, body: dict[str, Any]) -> Any:
    return await app.client.post(f"/calls/{CALL}/session", headers=MINE, json=body)


async def a_live_call(app: App) -> tuple[FakeLeg, asyncio.Task[Ending]]:
    service, caller = app.service, FakeLeg()
    claim = await service.claim(CALL, 0)
    assert claim is not None
    attending = asyncio.create_task(service.attend(caller, claim, record(service)))
    await app.model.sessions_made(1)
    await until(lambda: caller.attached)
    call = service.switchboard.find(CALL)
    assert call is not None
    await until(lambda: list(call.timeline))
    caller.starts()
    return caller, attending
