"""What the platform asks."""

from __future__ import annotations

from tests.web.apps import an_app


async def test_alive_is_alive() -> None:
    async with an_app() as app:
        answer = await app.client.get("/healthz")

    assert (answer.status_code, answer.text) == (200, "alive\n")


async def test_ready_is_who_welcomes_calls() -> None:
    """Else 404 with the reason, and never 503, which would cut the calls in progress."""
    async with an_app(BRIDGE_MAX_CALLS="1") as app:
        welcome = await app.client.get("/readyz")
        app.service.switchboard.draining = True
        draining = await app.client.get("/readyz")

    assert (welcome.status_code, welcome.json()["ready"]) == (200, True)
    assert (draining.status_code, draining.json()["reason"]) == (404, "draining")


async def test_metrics_are_brought_up_to_date_and_rendered() -> None:
    async with an_app() as app:
        counted: list[str] = []
        with app.service.tallies.keep(lambda: counted.append("now")):
            answer = await app.client.get("/metrics")
            assert counted == ["now"]

    assert answer.headers["content-type"].startswith("text/plain")
    assert "# TYPE bridge_calls_live gauge" in answer.text
