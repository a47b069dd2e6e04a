"""What one leg of a call leaves to the next."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bridge.call.timeline import Entry
from bridge.call.vocabulary import Happened, Moment
from bridge.ports.conversation import CallerSaid, ToolAsked
from bridge.ports.session import RealtimeConfig
from bridge.ports.store import CallRecord, Cut, Left, PendingChange
from bridge.runner.state import PendingResumption
from bridge.store.journal import MemoryJournal
from bridge.telemetry.metrics import Metrics
from bridge.wiring.carryover import MOST_LINES, entries, lines, runner_of, snapshot
from bridge.wiring.journal import CallJournal
from tests.fakes.model import FakeModel

CONFIG = RealtimeConfig(instruction="Be kind.", voice="marin")
RECORD = CallRecord(
    "CA1",
    caller="+14155550111",
    config=CONFIG,
    history=(CallerSaid("Bread?"),),
    unanswered=(ToolAsked("c1", "hours", "{}"),),
    resume_token="t-1",
    pending=PendingChange(RealtimeConfig(instruction="Be brief."), "Hush.", 2),
)


async def test_a_runner_goes_on_with_what_the_record_has() -> None:
    journal = CallJournal(MemoryJournal(lambda _: True), Metrics())

    runner = runner_of(RECORD, CONFIG, FakeModel(), journal)

    assert runner.history == RECORD.history
    assert runner.unanswered == RECORD.unanswered
    assert runner.resume_token == "t-1"
    assert runner.applied_config == CONFIG
    wanted = CONFIG.merge(RealtimeConfig(instruction="Be brief."))
    assert runner.unapplied == PendingResumption(wanted, "Hush.", 2)


async def test_a_record_has_what_the_runner_goes_on_with() -> None:
    """So that it can go from leg to leg; what does not concern the runner stays as it is."""
    journal = CallJournal(MemoryJournal(lambda _: True), Metrics())
    runner = runner_of(RECORD, CONFIG, FakeModel(), journal)
    line = (1.0, "answered", "", None)

    kept = snapshot(RECORD, runner, heard={}, cut=Cut.AGENT, left=Left.LEG_LOST, timeline=(line,))
    again = runner_of(kept, CONFIG, FakeModel(), journal)

    assert (kept.caller, kept.cut, kept.left) == (RECORD.caller, Cut.AGENT, Left.LEG_LOST)
    assert kept.timeline == (line,)
    assert (again.history, again.unanswered) == (runner.history, runner.unanswered)
    assert (again.resume_token, again.unapplied) == (runner.resume_token, runner.unapplied)
    await asyncio.sleep(0)


async def test_a_record_that_has_not_changed_is_the_same_one() -> None:
    """Whoever keeps it sees at a glance that there is nothing to write."""
    runner = runner_of(RECORD, CONFIG, FakeModel(), CallJournal(MemoryJournal(bool), Metrics()))

    def now(record: CallRecord, cut: Cut = Cut.NOBODY) -> CallRecord:
        return snapshot(record, runner, heard={}, cut=cut, left=Left.LEG_LOST, timeline=())

    kept = now(RECORD)

    assert now(kept) is kept
    assert now(kept, Cut.CALLER) == replace(kept, cut=Cut.CALLER)


def test_lines_of_a_timeline_come_back() -> None:
    """The newest of them; a word that this version does not know is passed over."""
    timeline = [Entry(float(at), Happened(Moment.TOOL_DONE, "hours", 0.5)) for at in range(120)]

    kept = lines(timeline)

    assert len(kept) == MOST_LINES
    assert entries(((0.0, "sneezed", "", None), *kept)) == timeline[-MOST_LINES:]
