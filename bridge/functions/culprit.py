"""Where an exception of the author's came from, without what it says."""

from __future__ import annotations

import traceback
from pathlib import Path

__all__ = ["culprit"]


def culprit(exc: BaseException) -> str:
    """
    E.g. "KeyError at bakery.py:12": the kind and the place.

    The message stays out of it, because it may hold what a caller said.
    """
    frames = traceback.extract_tb(exc.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(exc).__name__}{place}"
