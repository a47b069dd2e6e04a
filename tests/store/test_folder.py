"""Files are old or new and never half of either, whatever becomes of their folder."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.store import folder as folder_module
from bridge.store.folder import Folder

SIZE = 60_000  # bytes of what the child writes, so that it is often in the middle of it
BEGINNING = """
import runpy, sys
from pathlib import Path
# The module alone: the whole bridge takes a while to load.
folder = runpy.run_path(sys.argv[1])["Folder"](Path(sys.argv[2]))
"""
WRITER = f"""
number = 0
while True:
    number += 1
    folder.write("call", b"%08d" % number * ({SIZE} // 8))
    print(number, flush=True)
"""
FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder.write("a", b"small")
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for verb, name in ((folder.write, "a"), (folder.create, "b")):
    try:
        verb(name, bytes(5000))
    except OSError as exc:
        print(exc.errno is not None)
"""


def child(path: Path, script: str) -> list[str | Path]:
    """The command for a process with a folder of its own at this path."""
    return [sys.executable, "-c", BEGINNING + script, folder_module.__file__, path]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "below" / "folder"


@pytest.fixture
def folder(path: Path) -> Iterator[Folder]:
    folder = Folder(path)
    yield folder
    folder.close()


def test_what_is_written_is_read(folder: Folder, path: Path) -> None:
    """The newest of it, by anybody who may."""
    folder.write("a", b"old, and longer")
    folder.write("a", b"new")

    other = Folder(path)
    assert other.read("a", 100) == b"new"
    assert other.names() == ["a"]
    other.close()


def test_nobody_else_may_look(folder: Folder, path: Path) -> None:
    folder.write("a", b"text")

    assert path.stat().st_mode & 0o777 == 0o700
    assert (path / "a").stat().st_mode & 0o777 == 0o600


def test_of_several_who_create_a_file_one_does(folder: Folder) -> None:
    assert folder.create("ticket", b"first")
    assert not folder.create("ticket", b"second")
    assert folder.read("ticket", 100) == b"first"


def test_names_and_removals(folder: Folder) -> None:
    """In order, those that begin alike; what is removed twice is removed."""
    for name in ("b-2", "a-1", "b-1"):
        folder.write(name, b"")
    folder.remove("a-1")
    folder.remove("a-1")

    assert folder.names() == ["b-1", "b-2"]
    assert folder.names("b-2") == ["b-2"]
    assert folder.has("b-1")
    assert not folder.has("a-1")


def test_how_old_files_are(folder: Folder, path: Path) -> None:
    """The youngest first; half-written ones are files as well."""
    folder.write("young", b"")
    folder.write("old", b"")
    (path / ".half").touch()
    os.utime(path / "old", (1_000, 1_000))
    os.utime(path / ".half", (1_500, 1_500))

    now = time.time()
    ages = folder.ages(now)

    assert [name for _, name in ages] == ["young", ".half", "old"]
    assert ages[-1][0] == pytest.approx(now - 1_000)


def test_a_folder_that_somebody_takes_away_is_made_anew(folder: Folder, path: Path) -> None:
    folder.write("a", b"text")
    (path / "a").unlink()
    path.rmdir()

    folder.write("a", b"again")

    assert (path / "a").read_bytes() == b"again"


def of_everybody(path: Path) -> None:
    path.mkdir(parents=True, mode=0o755)
    path.chmod(0o755)


def of_somebody_else(path: Path) -> None:
    path.mkdir(parents=True, mode=0o700)
    os.chown(path, 12_345, 12_345)


def a_link(path: Path) -> None:
    path.parent.mkdir()
    (path.parent / "elsewhere").mkdir(mode=0o700)
    path.symlink_to(path.parent / "elsewhere")


def a_file(path: Path) -> None:
    path.parent.write_bytes(b"")


@pytest.mark.parametrize("made", [of_everybody, of_somebody_else, a_link, a_file])
def test_a_folder_that_is_not_ours_alone(
    folder: Folder, path: Path, made: Callable[[Path], None]
) -> None:
    """Nothing is written there, nor where it leads to."""
    if made is of_somebody_else and os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    made(path)

    with pytest.raises(OSError, match=r"alone|directory|symbolic|exists"):
        folder.write("a", b"text")

    assert not path.is_dir() or list(path.iterdir()) == []


def test_a_file_that_is_a_link(folder: Folder, path: Path) -> None:
    """It is replaced, and what it leads to stays as it is; nobody reads through it."""
    folder.write("b", b"")
    target = path.parent / "target"
    target.write_bytes(b"precious")
    (path / "a").symlink_to(target)

    with pytest.raises(OSError, match="symbolic"):
        folder.read("a", 100)
    folder.write("a", b"text")

    assert target.read_bytes() == b"precious"
    assert folder.read("a", 100) == b"text"


def test_a_full_disk(folder: Folder, path: Path) -> None:
    """What was there is still there, and nothing half-written is left."""
    done = subprocess.run(child(path, FULL_DISK), capture_output=True, check=True, timeout=30)

    assert done.stdout.split() == [b"True", b"True"]
    assert (path / "a").read_bytes() == b"small"
    assert [file.name for file in path.iterdir()] == ["a"]


def test_killed_at_any_moment_a_file_is_old_or_new(path: Path) -> None:
    """A writer dies again and again; what it told last is there whole, or what came after."""
    for attempt in range(10):
        with subprocess.Popen(child(path, WRITER), stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(random.Random(attempt).uniform(0.0, 0.05))
            writer.kill()
            told = writer.stdout.read().split()
        reader = Folder(path)
        found = reader.read("call", 2 * SIZE)
        reader.close()

        number = int(found[:8])
        assert found == b"%08d" % number * (SIZE // 8)
        assert number >= max(map(int, told), default=1)
