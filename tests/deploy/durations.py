"""Times as platforms write them, and what a worker needs to stop."""

from __future__ import annotations

import re

__all__ = ["LONGEST_AFTER_DRAIN", "seconds"]

LONGEST_AFTER_DRAIN = 5.0
"""Seconds after BRIDGE_DRAIN_SECONDS within which a worker is gone."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "": 1.0}


def seconds(duration: str | float) -> float:
    """`40s`, `300ms`, `1h`; a bare number is seconds."""
    found = re.fullmatch(r"([\d.]+)([a-z]*)", str(duration))
    assert found is not None, duration
    return float(found[1]) * _UNITS[found[2]]
