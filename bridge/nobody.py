"""
Who is told of something once nobody listens any more.

Rule: whoever is done puts `nobody` in the place of those whom it told, so that it does not
keep them, nor they it.
"""

from __future__ import annotations

__all__ = ["nobody"]


def nobody(*told: object) -> None:
    """Takes anything, and does nothing."""
