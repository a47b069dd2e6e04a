"""Each step that is there twice, in Python and compiled, with both of its makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from bridge.kernel import KERNEL

__all__ = ["both_makes"]

_Step = TypeVar("_Step", bound=Callable[..., object])


def both_makes(name: str, step: str, here: _Step) -> pytest.MarkDecorator:
    """
    Run a test with `name` as the Python `here`, and as the kernel's `step`: with that where it
    was compiled, which is wherever there is a compiler.
    """
    makes: dict[str, Callable[..., object]] = {"python": here}
    if KERNEL is not None:
        makes["compiled"] = getattr(KERNEL, step)
    return pytest.mark.parametrize(name, makes.values(), ids=makes)
