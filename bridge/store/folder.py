"""
A private folder of small files, each of which is old or new and never half of either.

Rule: whatever the folder is made to be by others (gone, full, read-only, a link to somewhere
else), the answer is an OSError and never a file in the wrong place. Blocks; so it is used by a
thread of its own.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["Folder"]

MINE = 0o700  # nobody else may even look
_AHEAD = "."  # names of files that are being written begin with it
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_LOOK = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW


class Folder:
    """
    The folder at `path`, made when it is first used, and again when somebody takes it away.

    One writer in each process. Every method raises OSError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def write(self, name: str, data: bytes) -> None:
        """The file is there with all of `data`, or as it was."""
        ahead = f"{_AHEAD}{name}.{os.getpid()}"
        with self._at() as folder:
            try:
                _fill(os.open(ahead, _WRITE | os.O_TRUNC, 0o600, dir_fd=folder), data)
                # What was renamed is seen by everybody at once. It need not be on the disk:
                # it has to outlive this process, and not the machine.
                os.rename(ahead, name, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError:
                with suppress(OSError):
                    os.unlink(ahead, dir_fd=folder)
                raise

    def create(self, name: str, data: bytes) -> bool:
        """Whether the file was not there before. Of several who try at once, one does it."""
        with self._at() as folder:
            try:
                fd = os.open(name, _WRITE | os.O_EXCL, 0o600, dir_fd=folder)
            except FileExistsError:
                return False
            try:
                _fill(fd, data)
            except OSError:
                self.remove(name)
                raise
            return True

    def read(self, name: str, most: int) -> bytes:
        """The file's content, of which there may be so many bytes."""
        with self._at() as folder:
            fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=folder)
            with os.fdopen(fd, "rb") as file:
                return file.read(most)

    def has(self, name: str) -> bool:
        with self._at() as folder:
            try:
                os.stat(name, dir_fd=folder, follow_symlinks=False)
            except FileNotFoundError:
                return False
            return True

    def names(self, beginning: str = "") -> list[str]:
        """Of the files, in their order; those that are being written are none of them."""
        with self._at() as folder, os.scandir(folder) as files:
            found = [file.name for file in files if file.name.startswith(beginning)]
        return sorted(name for name in found if not name.startswith(_AHEAD))

    def remove(self, name: str) -> None:
        """Once or twice."""
        with self._at() as folder, suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)

    def ages(self, now: float) -> list[tuple[float, str]]:
        """Seconds since it was written, and name: of every file, half-written ones too."""
        found = []
        with self._at() as folder, os.scandir(folder) as files:
            for file in files:
                with suppress(FileNotFoundError):
                    written = file.stat(follow_symlinks=False).st_mtime
                    found.append((now - written, file.name))
        return sorted(found)

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    @contextmanager
    def _at(self) -> Iterator[int]:
        """The folder as it is now. Others may have removed the one that we knew."""
        if self._fd is not None and os.fstat(self._fd).st_nlink == 0:
            self.close()
        if self._fd is None:
            self._fd = _opened(self._path)
        yield self._fd


def _opened(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        path.mkdir(MINE)
    fd = os.open(path, _LOOK)
    found = os.fstat(fd)
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & ~MINE:
        os.close(fd)
        raise PermissionError("the folder is not ours alone")
    return fd


def _fill(fd: int, data: bytes) -> None:
    with os.fdopen(fd, "wb", buffering=0) as file:
        left = memoryview(data)
        while left:
            left = left[file.write(left) or 0 :]
