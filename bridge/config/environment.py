"""The one place that looks at the process's environment."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values

from bridge.errors import ConfigError

__all__ = ["environment", "inherited"]


def environment(directory: Path) -> dict[str, str]:
    """
    The variables of this process, and below them those of `directory`'s .env file.

    Raises ConfigError when there is such a file and it cannot be read.
    """
    file = directory / ".env"
    try:
        written = dotenv_values(file, interpolate=False) if file.is_file() else {}
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{file}: cannot be read ({type(exc).__name__})") from exc
    known = {name: value for name, value in written.items() if value is not None}
    return {**known, **os.environ}


def inherited(**more: str) -> dict[str, str]:
    """The variables of this process, without any file's, and `more`: for a process it starts."""
    return {**os.environ, **more}
