"""
One setting at a time, from a text to what it means.

Rule: nothing is raised before everything has been read, and no value is repeated in a
complaint, for any of them may be a secret in the wrong place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from bridge.config.secret import Secret
from bridge.config.settings import SETTINGS

__all__ = ["Reader", "is_dialable"]

_DEFAULTS = {setting.name: setting.default for setting in SETTINGS}
_YES = ("1", "on", "true", "yes")
_NO = ("0", "false", "no", "off")
_PRINTABLE = re.compile(r"[!-~]+")
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_SIP = re.compile(r"sips?:[^\s@<>\"]+@[^\s@<>\"]+")

_Word = TypeVar("_Word", bound=StrEnum)


def is_dialable(target: str) -> bool:
    """Whether it is a number in E.164, such as +14155550100, or a sip: or sips: URI."""
    return bool(_E164.fullmatch(target) or _SIP.fullmatch(target))


class Reader:
    """Reads settings; what is wrong goes to `problems`, and the default takes its place."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def complain(self, name: str, advice: str) -> None:
        self.problems.append(f"{name}: {advice}")

    def text(self, name: str) -> str:
        """What is set, or the default; an empty setting counts as none."""
        return self._environ.get(name, "").strip() or _DEFAULTS[name]

    def whole(self, name: str, least: int, most: int) -> int:
        text = self.text(name)
        if re.fullmatch(r"\d{1,9}", text) and least <= int(text) <= most:
            return int(text)
        self.complain(name, f"must be a whole number from {least} to {most}")
        return int(_DEFAULTS[name] or least)

    def optional_whole(self, name: str, least: int, most: int) -> int | None:
        """None where nothing is set, and no default is known."""
        if not self.text(name):
            return None
        return self.whole(name, least, most)

    def seconds(self, name: str) -> float:
        try:
            seconds = float(self.text(name))
        except ValueError:
            seconds = -1
        if 0 <= seconds < math.inf:
            return seconds
        self.complain(name, "must be a number of seconds, 0 or more")
        return float(_DEFAULTS[name])

    def flag(self, name: str) -> bool:
        word = self.text(name).lower()
        if word not in _YES + _NO:
            self.complain(name, "must be 1 or 0")
        return word in _YES

    def word(self, name: str, words: type[_Word]) -> _Word:
        """One of `words`, in upper or lower case."""
        found = self.optional_word(name, words)
        return found if found is not None else words(_DEFAULTS[name])

    def optional_word(self, name: str, words: type[_Word]) -> _Word | None:
        text = self.text(name).lower()
        for word in words:
            if word.lower() == text:
                return word
        if text:
            self.complain(name, f"must be one of {', '.join(words)}")
        return None

    def secret(self, name: str) -> Secret | None:
        text = self.text(name)
        if text and not _PRINTABLE.fullmatch(text):
            self.complain(name, "has a space or a character that no key has; copy it again")
            return None
        return Secret(text) if text else None

    def secrets(self, name: str) -> tuple[Secret, ...]:
        """Several, separated by commas."""
        parts = [part.strip() for part in self.text(name).split(",")]
        if parts == [""]:
            return ()
        if not all(_PRINTABLE.fullmatch(part) for part in parts):
            self.complain(name, "must be keys without spaces, separated by single commas")
            return ()
        return tuple(Secret(part) for part in parts)

    def url(self, name: str) -> str:
        """An http or https URL without a slash at its end."""
        text = self.text(name)
        if text and split(text) is None:
            self.complain(name, "must be a URL such as https://api.example.com")
            return _DEFAULTS[name]
        return text.rstrip("/")


def split(url: str) -> SplitResult | None:
    """The parts of an http or https URL that names a host and holds no password, else None."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    well = parts.scheme in {"http", "https"} and parts.hostname and port != 0
    return parts if well and parts.username is None else None
