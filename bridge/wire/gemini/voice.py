"""
The model's voice as Google usually writes it, read without a JSON parser.

Rule: what is read here is exactly what the parser would have read. Another field, another
order or anything escaped is no mistake: it is left to the parser.
"""

from __future__ import annotations

import binascii
import re

__all__ = ["OUTPUT_RATE", "read_voice"]

OUTPUT_RATE = 24_000  # Hz; the model's voice has no other

_SPACE = b" \t\n\r"  # all that JSON allows
_HEAD = re.compile(
    b"[ \t\n\r]*".join(
        [
            b"",
            *(rb"\{", b'"serverContent"', b":", rb"\{", b'"modelTurn"', b":", rb"\{"),
            *(b'"parts"', b":", rb"\[", rb"\{", b'"inlineData"', b":", rb"\{"),
            *(b'"mimeType"', b":", b'"audio/pcm;rate=%d"' % OUTPUT_RATE, b","),
            *(b'"data"', b":", b'"'),
        ]
    )
)
_TAIL = b'"}}]}}}'


def read_voice(frame: str | bytes) -> bytes | None:
    """The audio of a frame that holds nothing else; None where it is anything else."""
    try:
        text = frame.encode("ascii") if isinstance(frame, str) else frame
        head, end = _HEAD.match(text), text.rfind(b'"')
        if head is None or text[end:].translate(None, _SPACE) != _TAIL:
            return None
        # Strict, so that what is decoded cannot hold a quotation mark either.
        audio = binascii.a2b_base64(text[head.end() : end], strict_mode=True)
    except ValueError:
        return None
    return None if len(audio) % 2 else audio
