"""What is told of a call."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.audio.g711 import ulaw_to_pcm16
from bridge.audio.wav import read_wav
from bridge.simulator.journal import Moment, Violation, What
from bridge.simulator.playout import Gap
from bridge.simulator.report import CallReport, Ended, Interruption, Reply, StreamReport
from tests.simulator.sounds import silence, tone

WELL = CallReport(
    call_sid="CA1",
    url="https://bridge.example/voice",
    ended=Ended("caller-hung-up"),
    seconds=20.0,
    picked_up_at=0.05,
    first_words_seconds=0.412,
    replies=(Reply("question", 5.0, 0.5),),
    interruptions=(Interruption("stop", 9.0, 0.24),),
    gaps=(Gap(3.0, 0.06),),
    clears=1,
    marks=12,
    streams=(
        StreamReport("MZ1", 0.1, 9.0, "the connection broke", broken=True),
        StreamReport("MZ2", 9.25, 20.0, "the call is over", broken=False),
    ),
    twiml=("Connect", "Connect"),
    transfers=(),
    violations=(),
    violation_count=0,
    timeline=(
        Moment(0.05, What.PICKED_UP),
        Moment(1.0, What.MARK, "a mark"),
        Moment(20.0, What.ENDED, "caller-hung-up"),
    ),
    heard=tone(0.2),
    said=silence(0.2),
)


def test_a_good_call_has_no_problems() -> None:
    """And its report fits a screen: marks are counted, and not listed."""
    text = WELL.render()

    assert WELL.problems == ()
    assert "   0.050  picked-up\n" in text
    assert "a mark" not in text
    assert "first words    0.41 s after pick-up" in text
    assert "answer         0.50 s after" in text
    assert "interruption   silence after 0.24 s" in text
    assert "handover       0.25 s between two streams" in text
    assert "gaps           1, 0.06 s in all" in text
    assert text.endswith(WELL.summary())


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"ended": Ended("webhook-failed", "11200: it answered 500")}, "the call failed"),
        ({"ended": Ended("too-many-documents")}, "the call failed"),
        ({"first_words_seconds": None}, "the caller heard nobody"),
        ({"replies": (Reply("question", 5.0, None),)}, "nobody answered"),
        ({"violations": (Violation(1.0, 31951, "x"),), "violation_count": 2}, "protocol 2 times"),
    ],
)
def test_what_is_a_problem(changes: dict[str, object], problem: str) -> None:
    """One line each, in the summary too."""
    report = replace(WELL, **changes)  # type: ignore[arg-type]

    assert len(report.problems) == 1
    assert problem in report.problems[0]
    assert f"problem        {report.problems[0]}" in report.summary()


def test_words_before_hanging_up_need_no_answer() -> None:
    """Whoever says goodbye and hangs up has not been let down."""
    report = replace(WELL, replies=(Reply("goodbye", 19.0, None),))

    assert report.problems == ()


def test_json_has_everything_but_the_audio() -> None:
    """With names that stay, for scripts."""
    facts = json.loads(WELL.to_json())

    assert facts["ended"] == {"word": "caller-hung-up", "text": ""}
    assert facts["replies"] == [{"utterance": "question", "at": 5.0, "seconds": 0.5}]
    assert facts["timeline"][1] == {"at": 1.0, "what": "mark", "text": "a mark"}
    assert facts["handovers"] == [0.25]
    assert facts["problems"] == []
    assert not {"heard", "said"} & set(facts)


def test_the_wav_has_the_caller_left_and_the_agent_right(tmp_path: Path) -> None:
    """Both as they were on the line, in step."""
    WELL.write_wav(tmp_path / "call.wav")
    replace(WELL, heard=WELL.said).write_wav(tmp_path / "silent.wav")

    mixed, rate = read_wav(tmp_path / "call.wav")
    assert rate == 8_000
    assert (tmp_path / "call.wav").stat().st_size == 44 + 4 * 1_600
    assert len(mixed) == len(ulaw_to_pcm16(WELL.heard))
    assert set(read_wav(tmp_path / "silent.wav")[0]) == {0}
