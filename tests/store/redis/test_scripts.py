"""
The scripts against a real Redis, in any order of things: workers that die or come late,
answers that get lost, messages that arrive twice, and a Redis that forgets.

The ledger below says in plain Python what each script has to answer. What must never happen,
whatever the ledger says, is asserted by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from bridge.store.redis import scripts
from bridge.store.redis.keys import Keys
from bridge.store.redis.scripts import SCRIPTS, Script
from tests.docs.pages import DOCS, tables
from tests.fakes.redis_server import RedisServer

TICK = 1_000  # ms between two things that happen
SKEW = 500  # ms that Redis's clock is ahead of the workers'
LEASE, TTL, WINDOW = 5_000, 60_000, 30_000  # ms
START = 4_000_000_000_000  # ms: clocks of the workers, all ahead of Redis's

CALLS = count(1)


@dataclass(frozen=True)
class Told:
    """What was said of the call, as a record would have it."""

    turns: tuple[str, ...] = ()
    gone: int = 0
    """Turns that have fallen off the front."""

    @property
    def items(self) -> dict[str, str]:
        return {str(number): turn for number, turn in enumerate(self.turns, self.gone)}


@dataclass
class Holder:
    """A worker with a leg of the call, as far as it knows."""

    epoch: int
    """Which leg of the call this is; the protocol never sees it."""
    token: int
    claim_id: str
    fence: int
    told: Told = Told()
    number: int = 0
    kept: tuple[int, Told] | None = None
    released: bool = False
    lost: bool = False


@dataclass(frozen=True)
class Write:
    """A save on its way to Redis."""

    holder: Holder
    number: int
    told: Told
    base: tuple[int, Told] | None
    state: str = "live"

    def args(self) -> list[str | int]:
        before = self.base[1].items if self.base else {}
        changed = [
            part
            for number, turn in self.told.items.items()
            if before.get(number) != turn
            for part in (number, turn)
        ]
        base: str | int = self.base[0] if self.base else ""
        shape = (self.told.gone, len(self.told.turns))
        who: list[str | int] = [self.holder.fence, self.holder.claim_id, "w"]
        what: list[str | int] = [self.number, base, self.state, LEASE, TTL, *shape]
        return [*who, *what, 1, "r:x", f"after {self.number}", *changed]


@dataclass(frozen=True)
class Ask:
    """A claim on its way to Redis."""

    holder: Holder
    clock: int


@dataclass(frozen=True)
class Ledger:
    """What lies in Redis. `epoch` is the latest leg that Redis has heard of."""

    fence: int | None = None
    claim_id: str = ""
    state: str = "new"
    number: int = 0
    told: Told = Told()
    known: bool = False
    field_r: str = ""
    epoch: int = 0

    def claim(self, ask: Ask) -> tuple[str, Ledger]:
        holder = ask.holder
        if self.state == "ended":
            return "ENDED", self
        if self.claim_id == holder.claim_id:
            return "OK", self
        if (self.fence or 0) > holder.token:
            return "STALE", self
        fence = max((self.fence or 0) + 1, holder.token + 1, ask.clock)
        taken = replace(
            self, fence=fence, claim_id=holder.claim_id, state="live", number=0, epoch=holder.epoch
        )
        return "OK", taken

    def save(self, write: Write) -> tuple[str, Ledger]:
        holder, mine = write.holder, self.claim_id == write.holder.claim_id
        if self.fence is not None and not mine and self.fence >= holder.fence:
            return "FENCED", self
        if self.state == "ended":
            return "ENDED", self
        if mine and write.number <= self.number:
            return "OLD", self
        if mine and (self.state, write.state) == ("waiting", "live"):
            return "FENCED", self
        if write.base is not None and not (mine and write.base[0] == self.number):
            return "MISSING", self
        fence = max(self.fence or 0, holder.fence)
        return "OK", Ledger(
            *(fence, holder.claim_id, write.state, write.number, write.told, True),
            f"after {write.number}",
            max(self.epoch, holder.epoch),
        )

    def end(self, holder: Holder | None) -> tuple[str, Ledger]:
        if self.state == "ended":
            return "OK", self
        theirs = holder is not None and self.claim_id != holder.claim_id
        if holder is not None and theirs and (self.fence or 0) >= holder.fence:
            return "FENCED", self
        return "OK", replace(
            self, fence=self.fence or 0, state="ended", told=Told(), known=False, field_r=""
        )


BACK = st.sampled_from([0, 0, 0, 0, 1, 2])
OFTEN = st.sampled_from([True, True, True, False])
SELDOM = st.sampled_from([False, False, False, True])
_Thing = TypeVar("_Thing")

SETTINGS = settings(
    max_examples=250,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class Protocol(RuleBasedStateMachine):
    """One call, any number of legs. `back` counts from the latest of its kind."""

    redis: ClassVar[Redis]
    raw: ClassVar[Redis]

    def __init__(self) -> None:
        super().__init__()
        self.keys = Keys.of(f"CA{next(CALLS)}")
        self.ledger = Ledger()
        self.past: list[tuple[Ledger, dict[str, bytes]]] = [(Ledger(), {})]
        """What lay in Redis after each thing that happened."""
        self.clock = START
        self.epochs = 0
        self.fences: dict[int, int] = {}
        """Fence -> the leg that has it."""
        self.tokens = [0]
        self.holders: list[Holder] = []
        self.messages: list[Write | Ask] = []

    # What happens

    @rule()
    def expected(self) -> None:
        told = Told(("hello",))
        answer = self.run_script(
            scripts.EXPECT, self.keys.claimed, (TTL, 1, "r:x", "expected", "0", "hello")
        )
        if self.ledger.known or self.ledger.state != "new":
            assert answer == ["KNOWN"]
            return
        assert answer == ["OK"]
        fence = self.ledger.fence or 0
        self.ledger = replace(
            self.ledger, fence=fence, known=True, told=told, field_r="expected", number=0
        )

    @rule(back=BACK, leg_ended=st.booleans(), down=SELDOM, twice=SELDOM, lost=SELDOM)
    def claimed(self, back: int, leg_ended: bool, down: bool, twice: bool, lost: bool) -> None:
        """
        The carrier asks for a ticket, and a leg comes with this one or one of before. The
        answer to its claim may get lost, and then the clock has to do.
        """
        self.asked(leg_ended, down)
        holder = self.new_holder(latest(self.tokens, back))
        answer = self.deliver_claim(Ask(holder, self.clock + SKEW))
        if twice:
            assert self.deliver_claim(Ask(holder, self.clock + TICK)) == answer
        if answer != "OK":
            self.epochs -= 1
            return
        assert self.ledger.fence is not None
        if not lost:
            holder.fence, holder.told = self.ledger.fence, self.ledger.told
        self.holders.append(holder)

    @rule(down=st.booleans(), late=st.booleans())
    def taken(self, down: bool, late: bool) -> None:
        """A leg comes while Redis does not answer; its claim may arrive one day."""
        self.asked(leg_ended=False, down=down)
        if self.ledger.state != "ended":
            holder = self.new_holder(self.tokens[-1])
            self.holders.append(holder)
            if late:
                self.messages.append(Ask(holder, self.clock + SKEW))

    @precondition(lambda self: self.holders)
    @rule(
        back=BACK,
        turns=st.text("xyz", min_size=1, max_size=3),
        cut=st.sampled_from([0, 0, 1, 2]),
        gone=st.sampled_from([0, 0, 0, 1]),
        at_once=OFTEN,
        answered=OFTEN,
    )
    def spoken(
        self, back: int, turns: str, cut: int, gone: int, at_once: bool, answered: bool
    ) -> None:
        """Something is said, or was never heard, or is too long ago; each goes to Redis."""
        holder = latest(self.holders, back)
        for turn in turns:
            before = holder.told.turns[: len(holder.told.turns) - cut]
            gone = min(gone, len(before))
            holder.told = Told((*before[gone:], turn), holder.told.gone + gone)
            self.write(holder, "live", at_once, answered)
            self.remember()

    @precondition(lambda self: self.holders)
    @rule(back=BACK, at_once=OFTEN)
    def released(self, back: int, at_once: bool) -> None:
        """Its leg is gone. The last thing that it writes."""
        self.write(latest(self.holders, back), "waiting", at_once, answered=True)

    @precondition(lambda self: self.messages)
    @rule(back=st.integers(0, 5), answered=st.booleans())
    def delivered(self, back: int, answered: bool) -> None:
        """In any order, any number of times; the answer may get lost."""
        match latest(self.messages, back):
            case Ask() as ask:
                self.deliver_claim(ask)
            case Write() as write:
                self.deliver_write(write, answered)

    @precondition(lambda self: self.holders)
    @rule(back=BACK, by_carrier=SELDOM, really=SELDOM)
    def ended(self, back: int, by_carrier: bool, really: bool) -> None:
        holder = latest(self.holders, back)
        newest = holder.epoch == self.epochs
        if newest and not really:
            return
        who = None if by_carrier and really else holder
        claim = ("", "") if who is None else (who.fence, who.claim_id)
        expected, after = self.ledger.end(who)
        keys = self.keys
        answer = self.run_script(
            scripts.END,
            (keys.call, keys.log, keys.mail, keys.seen, keys.tools),
            (*claim, "verdict", TTL),
        )
        assert answer == [expected]
        if who is not None and after is not self.ledger:
            assert holder.epoch >= self.ledger.epoch, "a leg of before has ended the call"
        self.ledger = after

    @rule(behind=st.integers(1, 6), everything=SELDOM)
    def failed_over(self, behind: int, everything: bool) -> None:
        """To a replica that is some writes behind, or to nothing."""
        self.redis.delete(*self.keys.claimed)
        self.ledger, dumps = (Ledger(), {}) if everything else latest(self.past, behind)
        for key, dump in dumps.items():
            self.raw.restore(key, TTL, dump)

    # What is always so

    @invariant()
    def redis_has_what_the_ledger_says(self) -> None:
        self.remember()
        ledger = self.ledger
        call, log = (self.redis.hgetall(key) for key in self.keys.claimed)
        if ledger.fence is None:
            assert call == {}
            return
        assert int(call["fence"]) == ledger.fence
        assert call["state"] == ledger.state
        assert call.get("claim", "") == ledger.claim_id
        assert call.get("r:x", "") == ledger.field_r
        assert log == ledger.told.items
        assert 0 < self.redis.pttl(self.keys.call) <= TTL
        assert not log or 0 < self.redis.pttl(self.keys.log) <= TTL

    # How it is done

    def remember(self) -> None:
        dumps = {key: self.raw.dump(key) for key in self.keys.claimed}
        if self.past[-1][0] is not self.ledger:
            self.past.append((self.ledger, {key: dump for key, dump in dumps.items() if dump}))

    def new_holder(self, token: int) -> Holder:
        self.epochs += 1
        self.clock += TICK
        fence = max(token + 1, self.clock)
        return Holder(self.epochs, token, f"claim {self.epochs}-{self.clock}", fence)

    def asked(self, leg_ended: bool, down: bool) -> None:
        """A new ticket. Without Redis it says that nobody has held the call."""
        if down:
            self.tokens.append(0)
            return
        args = (int(leg_ended), WINDOW, TTL)
        state, fence, _, _ = self.run_script(scripts.STANDING, (self.keys.call,), args)
        assert state == self.ledger.state
        assert int(fence) == (self.ledger.fence or 0)
        if leg_ended and self.ledger.fence is None:
            self.ledger = replace(self.ledger, fence=0)
        self.tokens.append(int(fence))

    def write(self, holder: Holder, state: str, at_once: bool, answered: bool) -> None:
        if holder.lost or holder.released:
            return
        holder.number += 1
        holder.released = state == "waiting"
        message = Write(holder, holder.number, holder.told, holder.kept, state)
        self.messages.append(message)
        if at_once:
            self.deliver_write(message, answered)
            if holder.kept is None and answered:
                self.again(holder, state)

    def again(self, holder: Holder, state: str) -> None:
        """It was told that Redis misses something, or never wrote all of it."""
        if not holder.lost:
            holder.number += 1
            whole = Write(holder, holder.number, holder.told, None, state)
            self.deliver_write(whole, answered=True)

    def deliver_claim(self, ask: Ask) -> str:
        holder = ask.holder
        expected, after = self.ledger.claim(ask)
        args = (holder.token, holder.claim_id, "w", ask.clock, LEASE, TTL, WINDOW)
        answer = self.run_script(scripts.CLAIM, self.keys.claimed, args)
        assert answer[0] == expected
        if expected == "OK":
            assert int(answer[1]) == after.fence
            assert after.fence is not None
            assert self.fences.setdefault(after.fence, holder.epoch) == holder.epoch
            if after is not self.ledger:
                assert holder.epoch >= self.ledger.epoch, "a claim of before has come through"
                assert after.fence > (self.ledger.fence or 0)
            log = dict(zip(answer[3][::2], answer[3][1::2], strict=True))
            assert log == after.told.items
        self.ledger = after
        return expected

    def deliver_write(self, write: Write, answered: bool) -> None:
        holder = write.holder
        expected, after = self.ledger.save(write)
        keys = (self.keys.call, self.keys.log, self.keys.mail)
        answer = self.run_script(scripts.SAVE, keys, write.args())[0]
        assert answer == expected
        newest = holder.epoch == self.epochs and not holder.released
        match answer:
            case "OK":
                assert holder.epoch >= self.ledger.epoch, "a write of a leg of before"
                assert after.told == write.told, "not what its writer knew"
                if answered and (holder.kept is None or holder.kept[0] < write.number):
                    holder.kept = write.number, write.told
            case "MISSING" if answered:
                holder.kept = None
            case "FENCED":
                assert not newest, "the newest leg was refused"
                holder.lost = holder.lost or answered
            case _:
                pass
        self.ledger = after

    def run_script(self, script: Script, keys: Any, args: Any) -> Any:
        self.clock += TICK
        return self.redis.eval(script.text, len(keys), *keys, *args)


def latest(things: list[_Thing], back: int) -> _Thing:
    return things[-1 - back % len(things)]


@pytest.fixture
def connected(server: RedisServer) -> Iterator[None]:
    with server.client(decode=True) as Protocol.redis, server.client() as Protocol.raw:
        yield


@pytest.mark.usefixtures("connected")
def test_whatever_happens_in_whatever_order() -> None:
    run_state_machine_as_test(Protocol, settings=SETTINGS)


def test_scripts_are_known_by_their_digest(server: RedisServer) -> None:
    """What Redis calls a script is what we call it."""
    for script in SCRIPTS.values():
        assert server.raw("SCRIPT", "LOAD", script.text) == script.sha.encode()


def test_scripts_differ() -> None:
    assert len({script.sha for script in SCRIPTS.values()}) == len(SCRIPTS)


def test_the_reference_names_them_all() -> None:
    named = {
        name
        for row in tables(DOCS / "reference" / "redis.md", "Scripts")
        for name in re.findall(r"[a-z][a-z ]+", row[0])
    }

    assert named == {"script", *SCRIPTS}
