"""
Small programs for tests: processes that use one module of the house and none of its rooms.

Importing the whole house takes a second; these modules need nothing of it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["begin", "program"]

ROOM = Path(__file__).parents[2] / "bridge" / "serving"

_LOAD = """
import importlib.util, sys
def load(name):
    spec = importlib.util.spec_from_file_location(name, f"{room}/{{name}}.py")
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
"""


def program(text: str) -> list[str]:
    """The command of a program, in which `load("name")` is a module of `bridge/serving`."""
    return [sys.executable, "-c", _LOAD.format(room=ROOM) + text]


def begin(text: str) -> subprocess.Popen[str]:
    """Started, with pipes at its ends."""
    pipe = subprocess.PIPE
    return subprocess.Popen(program(text), stdin=pipe, stdout=pipe, stderr=pipe, text=True)
