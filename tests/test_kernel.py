"""The compiled steps: what they are given is looked at before it is believed."""

from __future__ import annotations

import struct
import subprocess
import sys
import sysconfig
from pathlib import Path
from shutil import which

import pytest

from bridge.kernel import KERNEL

TAPS = struct.pack("4d", *range(4))
WRONG: list[tuple[str, tuple[object, ...]]] = [
    ("usual_texts", ()),
    ("usual_texts", ("text", 1, True)),
    ("usual_texts", (b"bytes", "most", True)),
    ("usual_texts", (b"bytes", 1, 1)),
    ("read_voice", ("text",)),
    ("read_voice", ("text", ["kind"])),
    ("read_voice", ('{"type":"kind"', (b"kind",))),
    ("audio_frame", (b"", b"", b"")),
    ("audio_frame", (b"", b"", "", b"mask")),
    ("audio_frame", (b"", b"", b"", b"short"[:3])),
    ("fir", (b"\0" * 8, 1, 1, 1)),
    ("fir", ("", 1, 1, 1, TAPS)),
    ("fir", (b"\0" * 8, "1", 1, 1, TAPS)),
    ("fir", (b"\0" * 8, 1, 1, 1, b"")),
    ("fir", (b"\0" * 8, 1, 1, 1, b"\0" * 8 * 129)),
    ("fir", (b"\0" * 8, 1, 1, 3, TAPS)),
    ("fir", (b"\0" * 8, 1, 0, 1, TAPS)),
    ("fir", (b"\0" * 8, 1, 4, 1, TAPS)),
    ("fir", (b"\0" * 8, 1, 1, 0, TAPS)),
    ("fir", (b"\0" * 8, 1, 1, -1, TAPS)),
    ("fir", (b"\0" * 8, 0, 1, 1, TAPS)),
    ("fir", (b"\0" * 8, -1, 1, 1, TAPS)),
    ("fir", (b"\0" * 7, 1, 1, 1, TAPS)),
    ("fir", (b"\0" * 8, 2, 1, 1, TAPS)),
    ("fir", (b"\0" * 8, 2**62, 1, 1, TAPS)),
    ("fir", (b"\0" * 8, 2**70, 1, 1, TAPS)),
]


def test_it_is_compiled_where_that_is_possible() -> None:
    """With a compiler and Python's headers: an optional part that is missing is not noticed."""
    headers = Path(sysconfig.get_path("include")) / "Python.h"

    assert KERNEL is not None or not (which("gcc") and headers.exists())


@pytest.mark.parametrize(("step", "given"), WRONG)
def test_what_makes_no_sense_is_an_error(step: str, given: tuple[object, ...]) -> None:
    """And not a look beyond the end of what was given."""
    if KERNEL is None:
        return  # there is nothing that could look

    with pytest.raises((TypeError, ValueError, OverflowError)):
        getattr(KERNEL, step)(*given)


def test_without_it_everything_works(tmp_path: Path) -> None:
    """Nothing else needs it: a process that cannot load it makes the same of the same audio."""
    program = """
        import sys
        sys.modules["bridge._kernel"] = None
        from bridge.audio.resample import Resampler
        from bridge.kernel import KERNEL
        from bridge.wire.framing import FrameReader, audio_frame
        from bridge.wire.twilio.media import Media, read_event, write_event
        assert KERNEL is None
        frame = Media("MZ1", bytes(range(160)), chunk=1)
        assert read_event(write_event(frame)) == frame
        assert FrameReader(9_999).feed(audio_frame(b"<", bytes(160), b">", b"mask"))[0][0] == "<"
        assert len(Resampler(8_000, 24_000).feed(bytes(320))) == 960
        print("well")
    """
    script = tmp_path / "without.py"
    script.write_text("\n".join(line.strip() for line in program.splitlines()))
    said = subprocess.run([sys.executable, script], check=False, capture_output=True, text=True)

    assert said.stdout == "well\n", said.stderr
