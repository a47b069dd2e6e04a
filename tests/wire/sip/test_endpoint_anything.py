"""
Whatever arrives, in whatever order: what always holds at an endpoint.

`SIP_EXAMPLES` in the environment says how many examples are tried; a few dozen find most.
"""

from __future__ import annotations

import os
from collections import defaultdict

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.wire.sip import actions
from bridge.wire.sip.faults import SipProtocolError
from bridge.wire.sip.framing import Broken, Framer, Whole
from bridge.wire.sip.messages import Body, Message, Request, Response
from bridge.wire.sip.reader import read
from tests.wire.sip.network import End, Fate, Network
from tests.wire.sip.scripts import ANSWER, CALLER, OFFER, Caller, endpoint, response_to, sent

EXAMPLES = int(os.environ.get("SIP_EXAMPLES", "40"))
FOREVER = 4000.0  # seconds: two session intervals and all timers

DELAYS = st.sampled_from([0.001, 0.02, 0.3, 0.6, 3.0])
FATES: st.SearchStrategy[Fate] = st.one_of(
    st.just(()), st.tuples(DELAYS), st.tuples(DELAYS), st.tuples(DELAYS, DELAYS)
)
WISHES = st.sampled_from(["hangup", "offer", "transfer", "reject", "ring", "dial", "answer"])
STEPS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 1.0, 5.0, 40.0]), st.booleans(), WISHES), max_size=8
)


def wishes(network: Network, end: End, wish: str) -> None:
    """One side wants something of its newest call."""
    now, bridge = network.now, end.endpoint
    if wish == "dial":
        other = network.bob if end is network.alice else network.alice
        call, happened = bridge.dial(other.plan, None, now)
        end.calls.append(call)
        network.does(end, happened)
        return
    call = end.calls[-1] if end.calls else "none"
    match wish:
        case "hangup":
            network.does(end, bridge.hangup(call, now))
        case "offer":
            network.does(end, bridge.offer(call, Body(b"v=0 hold\r\n"), now))
        case "transfer":
            network.does(end, bridge.transfer(call, "sip:carol@example.com", now))
        case "reject":
            network.does(end, bridge.reject(call, 488, now))
        case "ring":
            network.does(end, bridge.ring(call, now))
        case _:
            network.does(end, bridge.answer(call, ANSWER, now))


def check(end: End) -> None:
    """Every call that was told of ended once, and nothing was told of it after that."""
    told: dict[str, list[str]] = defaultdict(list)
    for fact in end.facts:
        if (call := getattr(fact, "call", None)) is not None:
            told[call].append(type(fact).__name__)
    for call in end.calls:
        assert told[call].count("Ended") == 1
        assert told[call][-1] == "Ended"
        assert told[call].count("Established") <= 1
    assert not any(names for call, names in told.items() if call not in end.calls)
    assert_one_final_answer(end.sends)
    assert end.endpoint.calls == []
    assert end.endpoint.deadline is None


def assert_one_final_answer(sends: list[Message]) -> None:
    finals: dict[tuple[str, str], set[int]] = defaultdict(set)
    for message in sends:
        if isinstance(message, Response) and message.final:
            finals[message.via.branch, message.cseq.method].add(message.status)
    for answers in finals.values():
        # A copy that is seconds late may come when its transaction is forgotten (timers J and L):
        # then it is of a call that nobody knows, of one that is here already, or out of order in
        # one that goes on (RFC 3261, 12.2.2).
        if len(answers) > 1:
            answers -= {481, 482, 500}
    assert all(len(answers) == 1 for answers in finals.values())


RINGS_TWICE: list[Fate] = [*[()] * 6, (0.001, 0.001), (0.001,), (0.001,), ()]
"""Most is lost, and of what tells that it rings a copy comes when the call was cancelled."""


LATE: list[Fate] = [(0.001, 0.001), (), (), (), (3.0,), (), (), (), (), (0.001,), (), (0.02,)]
"""A REFER's last copy comes when its answer is forgotten, and the call goes on."""


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(FATES, min_size=1, max_size=12), STEPS, st.booleans())
@example(RINGS_TWICE, [(0.0, True, "hangup")], False)
@example(LATE, [(5.0, True, "offer"), (0.0, False, "transfer")], False)
def test_every_call_ends_once(
    fates: list[Fate], steps: list[tuple[float, bool, str]], refuses: bool
) -> None:
    """Losses, copies and delays; holds, transfers, hanging up from both sides at once."""
    network = Network(fates)
    network.bob.refuses = refuses
    wishes(network, network.alice, "dial")
    for pause, at_alice, wish in steps:
        network.run(pause)
        wishes(network, network.alice if at_alice else network.bob, wish)
    network.run(60.0)
    for end in (network.alice, network.bob):
        for call in end.endpoint.calls:
            network.does(end, end.endpoint.hangup(call, network.now))
    network.run(FOREVER)

    check(network.alice)
    check(network.bob)


MESSAGES = st.sampled_from(
    ["INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "INFO", "NOTIFY", "OPTIONS", "REFER", "PRACK"]
)
BODIES = st.sampled_from([None, OFFER, Body(b"Signal=5\r\n", "application/dtmf-relay")])


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(
        st.tuples(
            MESSAGES, BODIES, st.integers(1, 4), st.integers(1, 6), st.booleans(), st.booleans()
        ),
        max_size=15,
    )
)
def test_any_order_of_requests(
    script: list[tuple[str, Body | None, int, int, bool, bool]],
) -> None:
    """Whatever a caller sends, each request has one final answer and the call one end."""
    caller = Caller(endpoint())
    happened: list[actions.Action] = []
    for method, body, number, branch, tagged, answering in script:
        caller.to_tag = (caller.call or None) if tagged else None
        one = caller.request(method, (), body, number=number, branch=f"z9hG4bK{method}{branch}")
        happened += caller.says(one)
        for fact in happened:
            caller.call = fact.call if isinstance(fact, actions.Offered) else caller.call
        if answering:
            happened += caller.bridge.answer(caller.call, ANSWER, caller.now)
        happened += caller.waits(0.3)
    for call in caller.bridge.calls:
        happened += caller.bridge.hangup(call, caller.now)
    happened += caller.waits(FOREVER)

    offered = [fact.call for fact in happened if isinstance(fact, actions.Offered)]
    assert sorted(offered) == sorted(
        fact.call for fact in happened if isinstance(fact, actions.Ended)
    )
    assert caller.bridge.deadline is None


def samples() -> list[bytes]:
    caller = Caller(endpoint())
    invite = caller.request("INVITE", (("Session-Expires", "1800;refresher=uac"),), OFFER)
    ask = caller.request("OPTIONS", (("Route", "<sip:p.example.com;lr>"),))
    answer = response_to(invite, 200, (("Record-Route", "<sip:p.example.com;lr>"),), ANSWER, "x")
    digest = 'Digest username="a", realm="b", nonce="c", uri="d", response="e"'
    return [
        invite.render(),
        ask.render(),
        answer.render(),
        caller.request("REGISTER", (("Authorization", digest),)).render(),
        caller.request("NOTIFY", (("Event", "refer"),), Body(b"SIP/2.0 200 OK\r\n")).render(),
    ]


PIECES = st.one_of(
    st.binary(max_size=6),
    st.sampled_from(
        [
            b"\r\n",
            b"\r\n ",
            b"\r",
            b"\x00",
            b",",
            b";",
            b'"',
            b"<",
            b">",
            b":",
            b"=",
            b"SIP/2.0",
            b"@",
        ]
    ),
    st.sampled_from([b"Via", b"\r\nVia: ", b"\r\nContent-Length: 3", b"99999999999", b"-1", b"%"]),
)
MUTATIONS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), PIECES), min_size=1, max_size=6)


def mutate(data: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
    for where, cut, piece in changes:
        at = int(where * len(data))
        data = data[:at] + piece + data[at + cut :]
    return data


@settings(max_examples=5 * EXAMPLES, deadline=None)
@given(st.sampled_from(samples()), MUTATIONS)
def test_mutated_messages_are_answered_once_or_not_at_all(
    sample: bytes, changes: list[tuple[float, int, bytes]]
) -> None:
    """Nothing is raised, and no message has two final answers or answers a response."""
    caller = Caller(endpoint())
    caller.talks()

    happened = caller.bridge.receive(mutate(sample, changes), CALLER, 1.0)

    finals = [one for one in sent(happened) if isinstance(one, Response) and one.final]
    assert len(finals) <= 1
    for one in finals:
        if one.status not in (400, 505):  # these repeat a request's headers, broken or lacking
            assert read(one.render()) == one
    assert caller.waits(60.0) is not None


@settings(max_examples=5 * EXAMPLES, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.builds(mutate, st.sampled_from(samples()), MUTATIONS)))
def test_what_is_read_is_written_and_read_again(data: bytes) -> None:
    """Round trip; and nothing but our own error for all the rest."""
    try:
        message = read(data)
    except SipProtocolError:
        return

    assert isinstance(message, Request | Response)
    assert read(message.render()) == message


@settings(max_examples=5 * EXAMPLES, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from(samples()), st.binary(max_size=30)), max_size=4),
    st.lists(st.integers(1, 400), min_size=1, max_size=5),
)
def test_streams_cut_anywhere(parts: list[bytes], sizes: list[int]) -> None:
    """The same frames whatever the pieces were, and nothing after the stream broke."""
    stream = b"".join(parts)
    whole = Framer().feed(stream)
    framer, frames, at, turn = Framer(), [], 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        frames += framer.feed(stream[at : at + size])
        at, turn = at + size, turn + 1

    assert frames == whole
    assert all(not isinstance(frame, Broken) for frame in frames[:-1])
    if all(part in samples() for part in parts):
        assert [one.data for one in frames if isinstance(one, Whole)] == parts
