"""
The protocol of `bridge/store/redis/scripts.py` as a game, in which every move is tried.

Two workers, a carrier that has one stream per call at a time, and a Redis with a replica that
is behind. Workers die, or lose their stream without noticing; writes and claims arrive late,
twice, or unanswered; Redis fails over, or does not answer when somebody asks it for a claim.
What was said of the call is a set of turns, as bits: a writer's record has those that it
knows of. The clock ticks with each claim.

    python -m tests.store.redis.protocol_model      tries the larger sizes, for some minutes

`find_fault` looks for the shortest way to what must never happen:

- TWICE     two streams hold the same fence
- BACK      a write of an older stream is taken in after a newer stream's claim
- REFUSED   the newest stream is told that somebody else holds the call
- FORGOTTEN a claim reads less than was taken in before, without a failover in between
- HOLE      what lies in Redis is not what its writer knew
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Design", "Size", "find_fault"]


@dataclass(frozen=True)
class Design:
    """The protocol as it is, and what it would be without one of its rules."""

    based: bool = True
    """A change names the write that it builds on."""
    claim_first: bool = True
    """Whose claim is stored may write, whatever fence it was given."""
    joined: bool = True
    """Who took the call without Redis adds to what lies there, and does not overwrite it."""
    clocked: bool = True
    """Who takes the call without Redis has a fence from the clock, not the next number."""


@dataclass(frozen=True)
class Size:
    """How much may happen in one game."""

    streams: int
    turns: int
    under_way: int
    """Messages to Redis at a time."""
    failovers: int = 0
    outages: int = 0
    """Claims that Redis does not answer."""
    saves: int = 3
    """Of one stream."""
    ahead: int = 5
    """Ticks that Redis's clock is ahead of the workers'."""


class Stored(NamedTuple):
    """What lies in Redis. A claim's id is its stream's number; `heard` is the newest of them."""

    fence: int = 0
    claim: int = 0
    number: int = 0
    turns: int = 0
    heard: int = 0
    taken_in: int = 0


class Holder(NamedTuple):
    """A worker's end of a stream. `base`: the last write that it knows to be stored."""

    stream: int
    fence: int
    knows: int
    number: int = 0
    base: int = 0
    stored: int = 0
    whole: bool = True
    read: bool = True


class Save(NamedTuple):
    worker: int
    stream: int
    fence: int
    number: int
    base: int
    turns: int
    whole: bool
    read: bool
    knows: int


class Ask(NamedTuple):
    """A claim that nobody waits for any more."""

    stream: int
    token: int
    clock: int


Workers = tuple[Holder | None, Holder | None]


class State(NamedTuple):
    carrier: tuple[str, int, int] = ("asks", 0, 0)
    """asks | has a token, this one | streams, to this worker, as this stream."""
    holders: Workers = (None, None)
    dead: int | None = None
    redis: Stored = Stored()
    replica: Stored = Stored()
    mail: tuple[Save | Ask, ...] = ()
    said: int = 0
    clock: int = 1
    fences: tuple[tuple[int, int], ...] = ()
    """Which stream was given which fence."""
    failovers: int = 0
    outages: int = 0
    rolled_back: bool = False

    @property
    def newest(self) -> int:
        return max((stream for stream, _ in self.fences), default=0)


Move = tuple[str, State]
FORBIDDEN = "!"
"""A move that begins with this is what must never happen."""


def claimed(redis: Stored, ask: Ask, size: Size) -> tuple[int, Stored]:
    """What the script `claim` does: the fence, 0 if there is none."""
    if redis.claim == ask.stream:
        return redis.fence, redis
    if redis.fence > ask.token:
        return 0, redis
    fence = max(redis.fence + 1, ask.token + 1, ask.clock + size.ahead)
    heard = max(redis.heard, ask.stream)
    return fence, Stored(fence, ask.stream, 0, redis.turns, heard, redis.taken_in)


def saved(redis: Stored, save: Save, design: Design) -> tuple[str, Stored]:
    """What the script `save` does."""
    mine = redis.claim == save.stream
    if redis.fence >= save.fence and not mine and redis.claim:
        return "FENCED", redis
    if redis.fence > save.fence and not design.claim_first:
        return "FENCED", redis
    if mine and save.number <= redis.number:
        return "OLD", redis
    if not save.whole and not (mine and (not design.based or save.base == redis.number)):
        return "MISSING", redis
    keeps = not save.whole or (not save.read and design.joined)
    turns = save.turns | (redis.turns if keeps else 0)
    heard, fence = max(redis.heard, save.stream), max(redis.fence, save.fence)
    return "OK", Stored(fence, save.stream, save.number, turns, heard, redis.taken_in | turns)


def moves(state: State, design: Design, size: Size) -> Iterator[Move]:
    """Everything that may happen next."""
    match state.carrier:
        case ("asks", _, _):
            yield "the carrier asks", state._replace(carrier=("token", state.redis.fence, 0))
        case ("token", token, _) if state.newest < size.streams:
            for worker in (0, 1):
                if worker != state.dead:
                    yield from claims(state, worker, token, design, size)
        case _:
            if state.newest < size.streams:
                yield "a stream is cut, unnoticed", state._replace(carrier=("asks", 0, 0))
    for worker, holder in enumerate(state.holders):
        if holder is not None:
            yield from writes(state, worker, holder, size)
        if state.dead is None:
            yield f"worker {worker} dies", died(state, worker)
    for place in range(len(state.mail)):
        yield from arrivals(state, place, design, size)
    if state.failovers < size.failovers and state.replica != state.redis:
        yield "the replica catches up", state._replace(replica=state.redis)
        yield (
            "Redis fails over",
            state._replace(redis=state.replica, failovers=state.failovers + 1, rolled_back=True),
        )


def claims(state: State, worker: int, token: int, design: Design, size: Size) -> Iterator[Move]:
    """A stream begins at this worker."""
    stream, redis = state.newest + 1, state.redis
    ask = Ask(stream, token, state.clock)
    fence, after = claimed(redis, ask, size)
    if not fence:
        yield "a claim is refused", state._replace(carrier=("asks", 0, 0))
    else:
        if redis.taken_in & ~redis.turns and not state.rolled_back:
            yield f"{FORBIDDEN}FORGOTTEN", state
        holder = Holder(stream, fence, after.turns)
        yield from begun(state._replace(redis=after), worker, holder, "claims")
    if state.outages < size.outages:
        alone = max(token + 1, state.clock) if design.clocked else token + 1
        missed = state._replace(outages=state.outages + 1)
        holder = Holder(stream, alone, 0, read=False)
        yield from begun(missed, worker, holder, "takes the call alone")
        if len(state.mail) < size.under_way:
            late = missed._replace(mail=posted(state.mail, ask))
            yield from begun(late, worker, holder, "takes the call alone, its claim being late")


def begun(state: State, worker: int, holder: Holder, how: str) -> Iterator[Move]:
    if any(fence == holder.fence for _, fence in state.fences):
        yield f"{FORBIDDEN}TWICE", state
    yield (
        f"worker {worker} {how}: stream {holder.stream}, fence {holder.fence}",
        state._replace(
            carrier=("streams", worker, holder.stream),
            holders=put(state.holders, worker, holder),
            clock=state.clock + 1,
            fences=(*state.fences, (holder.stream, holder.fence)),
        ),
    )


def writes(state: State, worker: int, holder: Holder, size: Size) -> Iterator[Move]:
    """Something is said, or nothing; what is known goes to Redis."""
    if len(state.mail) >= size.under_way:
        return
    streams = state.carrier == ("streams", worker, holder.stream)
    if streams and state.said < size.turns:
        knows = holder.knows | 1 << state.said
        sent = written(state, worker, holder, knows)
        yield f"worker {worker} hears turn {state.said}", sent._replace(said=state.said + 1)
    if holder.number < size.saves:
        yield f"worker {worker} saves", written(state, worker, holder, holder.knows)


def written(state: State, worker: int, holder: Holder, knows: int) -> State:
    number = holder.number + 1
    turns = knows if holder.whole else knows & ~holder.stored
    save = Save(
        *(worker, holder.stream, holder.fence, number, holder.base, turns),
        *(holder.whole, holder.read, knows),
    )
    holder = holder._replace(number=number, knows=knows)
    return state._replace(holders=put(state.holders, worker, holder), mail=posted(state.mail, save))


def arrivals(state: State, place: int, design: Design, size: Size) -> Iterator[Move]:
    """A message reaches Redis, and its answer the sender or nobody; it may come again."""
    message, redis = state.mail[place], state.redis
    rest = state.mail[:place] + state.mail[place + 1 :]
    if isinstance(message, Ask):
        fence, after = claimed(redis, message, size)
        others = {given for stream, given in state.fences if stream != message.stream}
        if after != redis and (message.stream < redis.heard or fence in others):
            yield f"{FORBIDDEN}BACK", state
        yield "a late claim arrives", state._replace(redis=after, mail=rest)
        return
    answer, after = saved(redis, message, design)
    yield from faults(state, message, answer, after)
    arrived = state._replace(redis=after, mail=rest)
    if answer == "OK" and message.stream == state.newest and not after.taken_in & ~after.turns:
        arrived = arrived._replace(rolled_back=False)
    what = f"write {message.number} of stream {message.stream}: {answer}"
    yield f"{what}, unanswered", arrived
    yield what, arrived._replace(holders=answered(state, message, answer, after))
    if answer == "OK" and len(state.mail) < size.under_way:
        yield f"{what}, and it will come again", arrived._replace(mail=state.mail)


def faults(state: State, save: Save, answer: str, after: Stored) -> Iterator[Move]:
    redis = state.redis
    expected = save.knows | (redis.turns if save.whole and not save.read else 0)
    if answer == "OK" and save.stream < redis.heard:
        yield f"{FORBIDDEN}BACK", state
    if answer == "OK" and after.turns != expected:
        yield f"{FORBIDDEN}HOLE", state
    if answer == "FENCED" and save.stream == state.newest:
        yield f"{FORBIDDEN}REFUSED", state


def answered(state: State, save: Save, answer: str, after: Stored) -> Workers:
    """The sender hears of it, if it is still there."""
    holder = state.holders[save.worker]
    if holder is None or holder.stream != save.stream:
        return state.holders
    match answer:
        case "OK" if save.number > holder.base:
            holder = holder._replace(
                knows=holder.knows | after.turns,
                base=save.number,
                stored=after.turns,
                whole=False,
                read=True,
            )
        case "MISSING":
            holder = holder._replace(stored=0, whole=True)
        case "FENCED" if state.carrier != ("streams", save.worker, save.stream):
            return put(state.holders, save.worker, None)
        case _:
            pass
    return put(state.holders, save.worker, holder)


def died(state: State, worker: int) -> State:
    streams = state.carrier[:2] == ("streams", worker)
    return state._replace(
        carrier=("asks", 0, 0) if streams else state.carrier,
        holders=put(state.holders, worker, None),
        dead=worker,
    )


def put(holders: Workers, worker: int, holder: Holder | None) -> Workers:
    return (holder, holders[1]) if worker == 0 else (holders[0], holder)


def posted(mail: tuple[Save | Ask, ...], message: Save | Ask) -> tuple[Save | Ask, ...]:
    return tuple(sorted((*mail, message), key=lambda one: (len(one), one)))


def find_fault(design: Design, size: Size) -> tuple[list[str], int]:
    """The shortest way to a fault, [] if there is none, and how many states were looked at."""
    begin = State()
    seen: dict[int, tuple[int, str] | None] = {hash(begin): None}
    queue = deque([begin])
    while queue:
        state = queue.popleft()
        for move, after in moves(state, design, size):
            if move.startswith(FORBIDDEN):
                return [*_way(seen, hash(state)), move[1:]], len(seen)
            if (key := hash(after)) not in seen:
                seen[key] = hash(state), move
                queue.append(after)
    return [], len(seen)


def _way(seen: dict[int, tuple[int, str] | None], key: int) -> list[str]:
    way = []
    while (step := seen[key]) is not None:
        key, move = step
        way.append(move)
    return way[::-1]


def main() -> None:
    sizes = [
        Size(3, 2, 1),
        Size(3, 1, 1, failovers=1),
        Size(2, 2, 1, failovers=2),
        Size(3, 2, 1, outages=1),
        Size(2, 2, 2, outages=1),
        # Where a claim is lost and the next one is not answered, clocks decide.
        Size(2, 2, 1, failovers=1, outages=1, ahead=0),
    ]
    for size in sizes:
        began = time.monotonic()
        way, states = find_fault(Design(), size)
        verdict = " -> ".join(way) or "no fault"
        print(f"{size}: {verdict}, {states} states, {time.monotonic() - began:.0f} s")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
