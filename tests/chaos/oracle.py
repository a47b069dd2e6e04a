"""
Judges a run: no call lost, no turn lost, repeated or skipped, and how long it was silent.

Rule: pure. It compares three independent records: what the caller said and heard, what the
carrier saw, and what each session of the provider's was told and lived through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from tests.chaos import codes, words
from tests.chaos.records import CallFacts, Fault, Recorded, SessionFacts

__all__ = ["Floor", "Verdict", "floor", "judge", "percentile"]

MEMORY_SECONDS = 1.5  # after which a turn that the provider has heard is not forgotten any more
MORE_THAN_HEARD = 2  # words: the caller's ear is exact to some 60 ms for each break
COMPLETE_SECONDS = 0.95 * words.ANSWER_WORDS * words.WORD_SECONDS  # of an answer that was heard
NEAR = 0.3  # seconds around an answer in which a lost leg or session excuses a gap


class Floor(StrEnum):
    """Whose turn it is to speak, as the caller sees it."""

    AGENT = "agent"
    """An answer has begun and is not complete."""
    DUE = "due"
    """The caller has spoken, and no answer has begun."""
    CALLER = "caller"
    NOBODY = "nobody"


@dataclass(slots=True)
class Verdict:
    """What was found. All is well when the first four are empty."""

    lost: list[str] = field(default_factory=list)
    """Calls that did not end as their callers wanted."""
    wrong: list[str] = field(default_factory=list)
    """Turns and words that are missing, too many or somebody else's."""
    violations: list[str] = field(default_factory=list)
    """Of the carrier's protocol or the provider's."""
    broken: list[str] = field(default_factory=list)
    """Anything else that must not be."""
    silences: list[float] = field(default_factory=list)
    """Seconds for which callers to whom words were owed heard nothing, for each fault."""
    gaps: list[float] = field(default_factory=list)
    """
    Seconds of silence in the middle of answers whose leg and session no fault has touched,
    and that were not held up by the caller's or the provider's own process.
    """
    turns: int = 0
    streams: int = 0
    resumptions: int = 0
    webhooks: int = 0
    webhooks_failed: int = 0
    asked: int = 0
    """Times that a caller was asked to say something again."""
    again: int = 0
    """Times that a caller said something again without being asked: nobody answered."""

    @property
    def complaints(self) -> list[str]:
        """Everything that must not be."""
        return [*self.lost, *self.wrong, *self.violations, *self.broken]


def judge(recorded: Recorded) -> Verdict:
    """Whatever is to be found in the records of a run."""
    verdict = Verdict(violations=list(recorded.problems), broken=list(recorded.broken))
    sessions = sorted(recorded.sessions, key=lambda session: session.opened_at)
    for session in sessions:
        if len(session.callers) > 1:
            verdict.wrong.append(f"a session knows several callers: {sorted(session.callers)}")
    for call in recorded.calls:
        mine = [session for session in sessions if session.callers == {call.number}]
        _judge_call(call, mine, recorded, verdict)
    return verdict


def floor(call: CallFacts, at: float) -> Floor:
    """Whose turn it was in this moment."""
    spoken = [each for each in call.spoken if each.start <= at]
    if not spoken:
        return Floor.NOBODY
    last = spoken[-1]
    if not last.end or at < last.end:
        return Floor.CALLER
    began = next(each.start for each in spoken if each.turn == last.turn)
    heard = _heard(call, last.turn, began, at)
    if heard == 0:
        return Floor.DUE
    return Floor.AGENT if heard < COMPLETE_SECONDS else Floor.NOBODY


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies; 0 where there is none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def _judge_call(
    call: CallFacts, sessions: Sequence[SessionFacts], recorded: Recorded, verdict: Verdict
) -> None:
    name = f"call {call.number}"
    if call.ended != "caller-hung-up":
        verdict.lost.append(f"{name}: {call.ended} {call.why}".strip())
    if call.unfinished:
        verdict.wrong.append(f"{name}: turn {call.spoken[-1].turn} was never answered")
    verdict.violations += [f"{name}: {text}" for text in call.violations]
    verdict.wrong += [f"{name}: {text}" for text in _wrong_memory(call, sessions, recorded.faults)]
    verdict.turns += call.answered
    verdict.streams += len(call.streams)
    verdict.webhooks += call.webhooks
    verdict.webhooks_failed += call.webhooks_failed
    verdict.resumptions += max(len(call.streams), len(sessions), 1) - 1
    faults = _interruptions(call, sessions)
    verdict.silences += _silences(call, faults)
    verdict.gaps += _gaps(call, (*faults, *recorded.stalls))
    for first, second in pairwise(call.spoken):
        if first.turn == second.turn:
            pardon = any(
                run.code == codes.PARDON and first.start < run.start < second.start
                for run in call.runs
            )
            verdict.asked += pardon
            verdict.again += not pardon


# Memory


def _wrong_memory(
    call: CallFacts, sessions: Sequence[SessionFacts], faults: Sequence[Fault]
) -> Iterator[str]:
    if not sessions:
        if call.answered:
            yield "no session knows it"
        return
    for number, session in enumerate(sessions):
        where = f"session {number + 1} of {len(sessions)}"
        heard_at = _heard_at(call, sessions[:number], session)
        for problem in _wrong_beginning(call, session, heard_at):
            yield f"{where} was told {problem}"
        for turn in _forgotten(sessions[:number], session, faults):
            yield f"{where} has forgotten turn {turn}"
    known = words.turns(sessions[-1].memory)
    for problem in _wrong_turns(call, known, float("inf")):
        yield f"in the end {problem}"
    missing = set(range(1, call.answered + 1)) - {turn.number for turn in known}
    for turn in sorted(missing):
        yield f"in the end turn {turn} is missing"


def _heard_at(call: CallFacts, earlier: Sequence[SessionFacts], session: SessionFacts) -> float:
    """
    Up to when the caller has heard what a new session is told. A leg that lost only its
    session still plays what it was given.
    """
    lost = [each.closed_at or session.opened_at for each in earlier]
    since = min([*lost[-1:], session.opened_at]) - NEAR
    kept = any(leg.start < since and leg.end > session.opened_at for leg in call.streams)
    playing = [run.end for run in call.runs if run.start <= session.opened_at]
    return max(playing[-1], session.opened_at) if kept and playing else session.opened_at


def _wrong_beginning(call: CallFacts, session: SessionFacts, at: float) -> Iterator[str]:
    known = words.turns(session.told)
    yield from _wrong_turns(call, known, session.opened_at)
    if session.native:
        return  # it remembers what it has generated, heard or not
    for turn in known:
        began = next((each.start for each in call.spoken if each.turn == turn.number), 0.0)
        heard = _heard(call, turn.number, began, at) / words.WORD_SECONDS
        if len(turn.answer) > heard + MORE_THAN_HEARD:
            yield f"{len(turn.answer)} words of answer {turn.number}, and {heard:.1f} were heard"


def _wrong_turns(call: CallFacts, known: Sequence[words.Turn], at: float) -> Iterator[str]:
    """What cannot be in a memory at this time, though it may well be shorter."""
    numbers = [turn.number for turn in known]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"turns {numbers}"
    for turn in known:
        said = sum(each.turn == turn.number and each.start < at for each in call.spoken)
        if turn.said > said:
            yield f"turn {turn.number} {turn.said} times, and it was said {said} times"
        if not turn.said:
            yield f"an answer to turn {turn.number} without the turn"
        begun = turn.answer.count(1)
        steps = all(later in {first + 1, 1} for first, later in pairwise(turn.answer))
        if turn.answer and (turn.answer[0] != 1 or not steps or begun > max(turn.said, 1)):
            yield f"answer {turn.number} as {turn.answer}"


def _forgotten(
    earlier: Sequence[SessionFacts], session: SessionFacts, faults: Sequence[Fault]
) -> list[int]:
    """
    Turns that an earlier session had heard, so long ago that they had to be known. What it
    heard while a worker hung, it may have told nobody.
    """

    def known(at: float) -> bool:
        hung = (
            fault.at - MEMORY_SECONDS < at < fault.at + fault.seconds
            for fault in faults
            if fault.what == "hang"
        )
        return at < session.opened_at - MEMORY_SECONDS and not any(hung)

    heard: set[int] = set()
    for each in earlier:
        heard |= {turn.number for turn in words.turns(each.told)}
        lived = [(who, text) for at, who, text in each.lived if known(at)]
        heard |= {turn.number for turn in words.turns(lived) if turn.said}
    return sorted(heard - {turn.number for turn in words.turns(session.told)})


# Sound


def _heard(call: CallFacts, turn: int, since: float, until: float) -> float:
    """Seconds of the answer to a turn that were heard in this time."""
    code = codes.code_of_turn(turn)
    return sum(
        min(run.end, until) - run.start
        for run in call.runs
        if run.code == code and since <= run.start < until
    )


def _interruptions(call: CallFacts, sessions: Sequence[SessionFacts]) -> list[float]:
    """When the call lost a leg or a session, the last ones excepted."""
    legs = [stream.end for stream in call.streams[:-1]]
    lost = [session.closed_at for session in sessions[:-1] if session.closed_at is not None]
    return sorted((*legs, *lost))


def _silences(call: CallFacts, faults: Sequence[float]) -> Iterator[float]:
    """For each fault while words were owed to the caller: until they were heard."""
    counted: set[float] = set()
    for at in faults:
        before = [run.end for run in call.runs if run.start < at]
        after = [run.start for run in call.runs if run.start > at]
        since = before[-1] if before else at
        owed = floor(call, max(at, since))
        if owed is Floor.DUE:
            since = max(each.end for each in call.spoken if each.end and each.end <= max(at, since))
        if owed in {Floor.AGENT, Floor.DUE} and after and after[0] not in counted:
            counted.add(after[0])
            yield max(after[0] - since, 0.0)


def _gaps(call: CallFacts, faults: Sequence[float]) -> Iterator[float]:
    for spoken, later in pairwise((*call.spoken, None)):
        if spoken is None:
            continue
        code, end = codes.code_of_turn(spoken.turn), later.start if later else float("inf")
        runs = [run for run in call.runs if run.code == code and spoken.end < run.start < end]
        if len(runs) < 2:
            continue
        first, last = runs[0].start - NEAR, runs[-1].end + NEAR
        if not any(first < at < last for at in faults):
            yield max(later.start - run.end for run, later in pairwise(runs))
