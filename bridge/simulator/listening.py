"""
The figures of a call, from what was said and heard.

Rule: pure. Times that go in and come out are seconds since the call was placed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from bridge.simulator.documents import Documents
from bridge.simulator.journal import Utterance
from bridge.simulator.playout import Gap, heard_between
from bridge.simulator.report import CallReport, Ended, Interruption, Reply
from bridge.simulator.streams import CallParts, Streams
from bridge.simulator.voice import Spurt, spurts

__all__ = ["first_words", "interruptions", "replies", "summed_up"]

FRAME_SECONDS = 0.02
PLACES = 3  # of a second: more than 10 ms windows know is noise


def summed_up(
    parts: CallParts, documents: Documents, streams: Streams, ended: Ended, now: float
) -> CallReport:
    """The report of a call that was over at `now`."""
    journal, line = parts.journal, parts.line
    began = journal.began
    heard = heard_between(line.heard, began, now)
    agent = spurts(heard)
    picked_up = None if documents.picked_up_at is None else documents.picked_up_at - began
    said = [utterance.since(began) for utterance in line.utterances]
    carried = [connection.stream for connection in line.connections]
    return CallReport(
        call_sid=parts.identity.call_sid,
        url=parts.webhook_url,
        ended=ended,
        seconds=round(now - began, PLACES),
        picked_up_at=None if picked_up is None else round(picked_up, PLACES),
        first_words_seconds=None if picked_up is None else first_words(agent, picked_up),
        replies=replies(said, agent),
        interruptions=interruptions(said, agent),
        gaps=tuple(
            Gap(round(gap.at - began, PLACES), round(gap.seconds, PLACES))
            for stream in carried
            for gap in stream.playout.gaps
        ),
        clears=sum(stream.clears for stream in carried),
        marks=sum(stream.marks for stream in carried),
        streams=tuple(streams.reports),
        twiml=tuple(documents.twiml),
        transfers=tuple(documents.transfers),
        violations=tuple(journal.violations),
        violation_count=journal.violation_count,
        timeline=tuple(sorted(journal.moments, key=lambda moment: moment.at)),
        heard=heard,
        said=heard_between([line.said], began, now),
    )


def first_words(agent: Sequence[Spurt], since: float) -> float | None:
    """From `since` to the agent's first sound, in seconds."""
    return next((round(spurt.start - since, PLACES) for spurt in agent if spurt.end > since), None)


def replies(utterances: Sequence[Utterance], agent: Sequence[Spurt]) -> tuple[Reply, ...]:
    """How each utterance that was said to its end was answered."""
    found = []
    for index, utterance in enumerate(utterances):
        if utterance.end is None:
            continue
        later = utterances[index + 1].start if index + 1 < len(utterances) else math.inf
        start, end = _voice(utterance, utterance.end)
        onset = next((spurt.start for spurt in agent if start < spurt.start < later), None)
        seconds = None if onset is None else round(onset - end, PLACES)
        found.append(Reply(utterance.name, round(end, PLACES), seconds))
    return tuple(found)


def interruptions(
    utterances: Sequence[Utterance], agent: Sequence[Spurt]
) -> tuple[Interruption, ...]:
    """How long the agent was still heard after it was spoken over."""
    found = []
    for utterance in utterances:
        if not utterance.interrupting:
            continue
        start, _ = _voice(utterance, utterance.start)
        end = next((spurt.end for spurt in agent if spurt.start <= start < spurt.end), start)
        seconds = round(end - start, PLACES)
        found.append(Interruption(utterance.name, round(start, PLACES), seconds))
    return tuple(found)


def _voice(utterance: Utterance, end: float) -> tuple[float, float]:
    """When the first frame with a sound in it went out, and when the last one did."""
    sounds = spurts(utterance.audio)
    if not sounds:
        return utterance.start, end
    first = math.floor(sounds[0].start / FRAME_SECONDS + 1e-6)
    last = math.ceil(sounds[-1].end / FRAME_SECONDS - 1e-6)
    frames = math.ceil(len(utterance.audio) / 160)
    return utterance.start + first * FRAME_SECONDS, end - (frames - last) * FRAME_SECONDS
