"""
The steps of the audio path that are compiled, if they are.

Rule: whoever has such a step has it in Python, too, and takes the compiled one where there is
one. `bridge/_kernel.c` is compiled when the package is built, and where that is impossible,
for want of a compiler, everything works as well, and a call costs somewhat more.
"""

from __future__ import annotations

from types import ModuleType

__all__ = ["KERNEL"]

KERNEL: ModuleType | None
try:
    from bridge import _kernel
except ImportError:
    KERNEL = None
else:
    KERNEL = _kernel
