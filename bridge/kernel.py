"""
The steps of the audio path that are compiled, if they are.

Rule: whoever has such a step has it in Python, too, and takes the compiled one where there is
one. `bridge/_kernel.c` is compiled when the package is built, and where that is impossible,
for want of a compiler, everything works as well, and a call costs somewhat more.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

__all__ = ["KERNEL", "compiled"]

_Step = TypeVar("_Step", bound=Callable[..., object])

KERNEL: ModuleType | None
try:
    from bridge import _kernel
except ImportError:
    KERNEL = None
else:
    KERNEL = _kernel


def compiled(name: str, here: _Step) -> _Step:
    """The step called `name` from the kernel; `here`, which does the same, where there is none."""
    step: _Step = here if KERNEL is None else getattr(KERNEL, name)
    return step
