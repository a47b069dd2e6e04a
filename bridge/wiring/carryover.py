"""
What one leg of a call leaves to the next: a runner from a record, and a record from a runner.

Rule: what the caller has not heard is not carried over, and what nobody has brought about yet
is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bridge.call.timeline import Entry
from bridge.call.vocabulary import Happened, Moment
from bridge.ports.model import RealtimeModel
from bridge.ports.session import RealtimeConfig
from bridge.ports.store import CallRecord, Cut, Left, Line, PendingChange
from bridge.ports.tools import ToolJournal
from bridge.runner.runner import RealtimeRunner
from bridge.runner.state import PendingResumption

__all__ = ["entries", "lines", "runner_of", "snapshot"]

MOST_LINES = 100  # of a call's timeline are carried over; the oldest go


def runner_of(
    record: CallRecord, config: RealtimeConfig, model: RealtimeModel, journal: ToolJournal
) -> RealtimeRunner:
    """The runner that goes on with the call; `config` is what is in force."""
    return RealtimeRunner(
        model,
        config,
        history=record.history,
        unanswered=record.unanswered,
        token=record.resume_token,
        unapplied=_unapplied(config, record.pending),
        journal=journal,
    )


def snapshot(
    record: CallRecord,
    runner: RealtimeRunner,
    *,
    heard: Mapping[str, float],
    cut: Cut,
    left: Left,
    timeline: tuple[Line, ...],
) -> CallRecord:
    """
    The record as it is now, `record` itself where that has not changed. `heard`: how much of
    the agent's items, in ms, the caller has heard; `cut`: who would be cut off.
    """
    now = replace(
        record,
        config=runner.applied_config,
        pending=_pending(runner.unapplied),
        history=runner.history_at(heard),
        unanswered=runner.unanswered,
        resume_token=runner.resume_token,
        cut=cut,
        left=left,
        timeline=timeline,
    )
    return record if now == record else now


def lines(timeline: Iterable[Entry]) -> tuple[Line, ...]:
    """The end of a timeline, for the record."""
    noted = [(each.at, each.happened) for each in timeline][-MOST_LINES:]
    return tuple((round(at, 3), told.what.value, told.detail, told.seconds) for at, told in noted)


def entries(kept: Iterable[Line]) -> list[Entry]:
    """And back again; words of another version are passed over."""
    known = {moment.value: moment for moment in Moment}
    return [
        Entry(at, Happened(known[what], detail, seconds))
        for at, what, detail, seconds in kept
        if what in known
    ]


def _unapplied(config: RealtimeConfig, pending: PendingChange | None) -> PendingResumption | None:
    """What the runner has to bring about, because the one before did not live to."""
    if pending is None:
        return None
    wanted = config.merge(pending.change)
    return PendingResumption(wanted, pending.bridge_message, pending.attempts)


def _pending(unapplied: PendingResumption | None) -> PendingChange | None:
    if unapplied is None:
        return None
    return PendingChange(unapplied.config, unapplied.bridge_message, unapplied.attempts)
