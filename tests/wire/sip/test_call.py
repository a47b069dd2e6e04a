"""One call between two bridges, over a network that may lose things."""

from __future__ import annotations

from random import Random

import pytest

from bridge.wire.sip import actions
from bridge.wire.sip.messages import Body
from tests.wire.sip.network import End, Fate, Network
from tests.wire.sip.scripts import ANSWER

HOLD = Body(b"v=0 hold\r\n")


def dial(network: Network) -> str:
    call, happened = network.alice.endpoint.dial(network.bob.plan, None, network.now)
    network.does(network.alice, happened)
    network.run(5.0)
    return call


def names(end: End) -> list[str]:
    return [type(fact).__name__ for fact in end.facts]


def last(end: End) -> str:
    ended = end.facts[-1]
    assert isinstance(ended, actions.Ended)
    return ended.ending.reason


def test_both_ends_of_a_call() -> None:
    network = Network()
    call = dial(network)
    network.does(network.alice, network.alice.endpoint.hangup(call, network.now))
    network.run(60.0)

    assert names(network.alice) == ["Ringing", "Established", "Ended"]
    assert names(network.bob) == ["Offered", "Established", "Ended"]
    assert (last(network.alice), last(network.bob)) == ("finished", "hangup")
    assert network.alice.facts[1] == actions.Established(call, ANSWER)
    assert network.alice.endpoint.deadline is network.bob.endpoint.deadline is None


def bad_network(seed: int) -> Network:
    """A third of all messages is lost, some come twice or late; the same for the same seed."""
    choices: list[Fate] = [(), (), (0.01,), (0.01,), (0.7,), (0.01, 0.3)]
    dice = Random(seed)
    return Network([dice.choice(choices) for _ in range(499)])


@pytest.mark.parametrize("seed", range(6))
def test_losses_and_copies_cost_time_only(seed: int) -> None:
    """One call is established, by one pair of 200 and ACK."""
    network = bad_network(seed)
    call = dial(network)
    network.run(30.0)
    network.does(network.bob, network.bob.endpoint.hangup(network.bob.calls[0], network.now))
    network.run(4000.0)

    assert names(network.alice).count("Established") == 1
    assert names(network.bob).count("Established") == 1
    assert names(network.alice)[-1] == names(network.bob)[-1] == "Ended"
    assert call not in network.alice.endpoint.calls


def test_both_hang_up_at_once() -> None:
    network = Network()
    call = dial(network)
    network.does(network.alice, network.alice.endpoint.hangup(call, network.now))
    network.does(network.bob, network.bob.endpoint.hangup(network.bob.calls[0], network.now))
    network.run(60.0)

    assert (last(network.alice), last(network.bob)) == ("finished", "finished")
    assert network.alice.endpoint.calls == network.bob.endpoint.calls == []


def test_both_offer_at_once() -> None:
    """491 for both; they try again after pauses that differ, and both are answered."""
    network = Network()
    call = dial(network)
    network.does(network.alice, network.alice.endpoint.offer(call, HOLD, network.now))
    network.does(network.bob, network.bob.endpoint.offer(network.bob.calls[0], HOLD, network.now))
    network.run(10.0)

    assert "OfferAnswered" in names(network.alice)
    assert "OfferAnswered" in names(network.bob)


def test_a_long_call_is_refreshed() -> None:
    """For hours, by the caller's UPDATE, and nobody is told."""
    network = Network()
    call = dial(network)
    network.run(4 * 3600.0)

    assert network.alice.endpoint.calls == [call]
    assert names(network.alice) == ["Ringing", "Established"]
    assert names(network.bob) == ["Offered", "Established"]


def test_a_peer_that_vanishes() -> None:
    """Whoever refreshes finds out by asking, whoever does not by not being asked."""
    network = Network([(0.01,)] * 6 + [()] * 10_000)
    dial(network)
    network.run(3000.0)

    assert (last(network.alice), last(network.bob)) == ("lost", "session_expired")


def test_a_call_that_is_refused() -> None:
    network = Network()
    network.bob.refuses = True
    dial(network)
    network.run(60.0)

    assert (last(network.alice), last(network.bob)) == ("busy", "rejected")
    assert network.alice.endpoint.deadline is network.bob.endpoint.deadline is None
