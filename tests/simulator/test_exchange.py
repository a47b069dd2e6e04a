"""Orders for calls in progress."""

from __future__ import annotations

from bridge.simulator.exchange import Exchange

CALL = "CA1"


class FakeCall:
    """Remembers what it was ordered to do."""

    def __init__(self, status: str) -> None:
        self.status = status
        self.ordered: list[str] = []

    def redirect(self, url: str, method: str) -> None:
        self.ordered.append(f"{method} {url}")

    def hang_up(self) -> None:
        self.ordered.append("hang up")


def test_a_call_in_progress_takes_orders() -> None:
    exchange, call = Exchange(), FakeCall("in-progress")
    exchange.begin(CALL, call)

    assert exchange.redirect(CALL, "https://b.example/next", "POST")
    assert exchange.hang_up(CALL)
    assert call.ordered == ["POST https://b.example/next", "hang up"]
    assert list(exchange) == [CALL]


def test_a_call_that_rings_takes_none() -> None:
    """Nor does one that nobody knows."""
    exchange, call = Exchange(), FakeCall("ringing")
    exchange.begin(CALL, call)

    assert not exchange.redirect(CALL, "https://b.example/next", "POST")
    assert not exchange.hang_up("CA2")
    assert call.ordered == []
    assert (exchange.status(CALL), exchange.status("CA2")) == ("ringing", None)


def test_a_call_that_is_over_is_remembered() -> None:
    exchange, call = Exchange(), FakeCall("in-progress")
    exchange.begin(CALL, call)
    exchange.end(CALL)

    assert exchange.status(CALL) == "completed"
    assert not exchange.redirect(CALL, "https://b.example/next", "POST")
