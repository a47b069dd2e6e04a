"""How long the session lives: since when, until when, and how the ones before it fared."""

from __future__ import annotations

__all__ = ["Lifetime"]

ROTATE_EARLY = 60.0  # seconds before a session's end at which we begin to look for a good moment
ROTATE_LATEST = 3.0  # seconds before its end at which any moment is good
STABLE = 3.0  # seconds after which a session was of use, and was not lost at once


class Lifetime:
    """The life of the session we talk to. All times are seconds of one clock."""

    def __init__(self) -> None:
        self.connected = False
        self._lost_at: float | None = None
        self.ends_at = float("inf")
        self.rotate_at: float | None = None
        """When to begin looking for a good moment to replace it."""
        self.short_lives = 0
        """How many sessions in a row were lost before they were stable."""
        self._began_at = 0.0

    def begin(self, now: float, expires_in: float | None) -> None:
        """A session is ready, and says how long it may last."""
        self.connected, self._began_at = True, now
        self.ends_at, self.rotate_at = float("inf"), None
        if expires_in is not None:
            self.ends_at = now + expires_in
            self.rotate_at = self.ends_at - min(ROTATE_EARLY, expires_in / 2)

    def end(self, now: float) -> None:
        """The session is not to be used any more."""
        self.connected, self._lost_at, self.rotate_at = False, now, None

    def silence(self, now: float) -> float | None:
        """For how long there has been no session; None: there has never been one."""
        return None if self._lost_at is None else now - self._lost_at

    def drop(self, now: float) -> None:
        """The session was lost, and not by our own doing."""
        self.short_lives = 0 if now - self._began_at >= STABLE else self.short_lives + 1

    def rotation_due(self, now: float) -> bool:
        """Whether it is time to look for a good moment. True once."""
        due = self.rotate_at is not None and now >= self.rotate_at
        if due:
            self.rotate_at = None
        return due

    def rotate_once_more(self, now: float) -> None:
        """A rotation failed and the session still serves: try again when its end is near."""
        if self.rotate_at is None and self.ends_at - ROTATE_LATEST > now:
            self.rotate_at = self.ends_at - ROTATE_LATEST
