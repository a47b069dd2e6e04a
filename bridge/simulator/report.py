"""
What came of a simulated call: what was heard and said, when, how fast, and what was wrong.

All times are seconds since the call was placed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bridge.audio.g711 import ulaw_to_pcm16
from bridge.audio.wav import write_wav
from bridge.simulator.journal import Moment, Violation, What
from bridge.simulator.playout import Gap

__all__ = ["CallReport", "Ended", "Interruption", "Reply", "StreamReport"]

SAMPLE_RATE = 8_000
PATIENCE_SECONDS = 5.0  # a caller who is not answered for so long has a reason to complain
FAILURES = frozenset({"webhook-failed", "too-many-documents"})

_QUIET = frozenset({What.MARK})  # too many of them to be read


@dataclass(frozen=True, slots=True)
class Ended:
    """
    How a call ended.

    `word` is one of caller-hung-up, hung-up (by TwiML), document-ended, transferred,
    rejected, webhook-failed, too-many-documents, out-of-time; `text` says more to people.
    """

    word: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """
    What the caller heard after an utterance.

    `seconds` is the time from the caller's last sound (`at`) to the agent's first; less
    than 0 if the agent did not wait for the end, None if it did not answer.
    """

    utterance: str
    at: float
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Interruption:
    """The caller spoke over the agent from `at` on, and heard it for `seconds` more."""

    utterance: str
    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class StreamReport:
    """One media stream of the call. `broken`: it ended without a closing handshake."""

    stream_sid: str
    started_at: float
    ended_at: float
    ended: str
    broken: bool


@dataclass(frozen=True, slots=True)
class CallReport:
    """
    All that is known of one simulated call.

    `heard` and `said` are mu-law, as long as the call and in step with each other.
    """

    call_sid: str
    url: str
    ended: Ended
    seconds: float
    picked_up_at: float | None
    first_words_seconds: float | None
    """From pick-up to the agent's first sound."""
    replies: tuple[Reply, ...]
    interruptions: tuple[Interruption, ...]
    gaps: tuple[Gap, ...]
    clears: int
    marks: int
    streams: tuple[StreamReport, ...]
    twiml: tuple[str, ...]
    """The documents that were followed, as the names of their verbs."""
    transfers: tuple[str, ...] = field(repr=False)
    violations: tuple[Violation, ...]
    violation_count: int
    timeline: tuple[Moment, ...] = field(repr=False)
    heard: bytes = field(repr=False)
    said: bytes = field(repr=False)

    @property
    def handovers(self) -> tuple[float, ...]:
        """How long the caller was without a stream, for each time it was replaced."""
        pairs = zip(self.streams, self.streams[1:], strict=False)
        return tuple(round(later.started_at - first.ended_at, 4) for first, later in pairs)

    @property
    def problems(self) -> tuple[str, ...]:
        """What a caller or Twilio would complain about, a line each; empty if all is well."""
        return tuple(self._problems())

    def to_dict(self) -> dict[str, Any]:
        """Everything but the audio, for JSON."""
        audio = {"heard", "said"}
        facts = {name: value for name, value in asdict(self).items() if name not in audio}
        return facts | {"handovers": self.handovers, "problems": self.problems}

    def to_json(self) -> str:
        """`to_dict` as text."""
        return json.dumps(self.to_dict(), indent=2)

    def render(self) -> str:
        """The call for people to read: what happened when, and the figures."""
        return "\n".join(
            [*(line(each) for each in self.timeline if shown(each)), "", *self._sums()]
        )

    def summary(self) -> str:
        """The figures alone."""
        return "\n".join(self._sums())

    def write_wav(self, path: str | Path) -> None:
        """The call in stereo: the caller left, the agent right, as the caller heard it."""
        write_wav(path, SAMPLE_RATE, ulaw_to_pcm16(self.said), ulaw_to_pcm16(self.heard))

    def _problems(self) -> Iterator[str]:
        if self.ended.word in FAILURES:
            yield f"the call failed ({self.ended.word}): {self.ended.text}"
        if self.first_words_seconds is None:
            yield "the caller heard nobody"
        ends = (*(reply.at for reply in self.replies[1:]), self.seconds)
        for reply, end in zip(self.replies, ends, strict=False):
            if reply.seconds is None and end - reply.at >= PATIENCE_SECONDS:
                yield f"nobody answered what the caller said until {reply.at:.2f} s"
        if self.violation_count:
            yield f"the bridge broke the protocol {_times(self.violation_count)}"

    def _sums(self) -> Iterator[str]:
        yield f"ended          {' - '.join(filter(None, (self.ended.word, self.ended.text)))}"
        yield f"duration       {self.seconds:.2f} s"
        yield f"first words    {_seconds(self.first_words_seconds)} after pick-up"
        for reply in self.replies:
            yield f"answer         {_seconds(reply.seconds)} after the caller's last sound"
        for cut in self.interruptions:
            yield f"interruption   silence after {_seconds(cut.seconds)}"
        for silence in self.handovers:
            yield f"handover       {_seconds(silence)} between two streams"
        lost = sum(gap.seconds for gap in self.gaps)
        yield f"gaps           {len(self.gaps)}, {_seconds(lost)} in all"
        yield f"marks, clears  {self.marks}, {self.clears}"
        yield f"violations     {self.violation_count}"
        for problem in self.problems:
            yield f"problem        {problem}"


def shown(moment: Moment) -> bool:
    """Whether people want to see it."""
    return moment.what not in _QUIET


def line(moment: Moment) -> str:
    """A moment as a line of text."""
    return f"{moment.at:8.3f}  {moment.what:<16}{moment.text}".rstrip()


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
