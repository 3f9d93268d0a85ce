"""Files and folders appear whole: full disks, writers that die, two writers of one file."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from domain.errors import UnavailableError
from host.files import remove_abandoned, whole_file, write_whole, writing
from host.folders import whole_folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def full_disk(limit: int = 1000) -> Iterator[None]:
    """No file can grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_named_and_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    write_whole(path, b"before")
    with full_disk(), pytest.raises(UnavailableError, match=r"checkpoint\.npz.*free some space"):
        write_whole(path, b"x" * 5000)
    assert path.read_bytes() == b"before"
    assert names(tmp_path) == ["checkpoint.npz"]


def test_a_full_disk_leaves_the_folder_that_was_there(tmp_path: Path) -> None:
    target = tmp_path / "7"
    with whole_folder(target) as draft:
        (draft / "model").write_bytes(b"before")
    with full_disk(), pytest.raises(OSError), whole_folder(target) as draft:
        (draft / "model").write_bytes(b"x" * 5000)
    assert (target / "model").read_bytes() == b"before"
    assert names(tmp_path) == ["7"]


def test_a_folder_replaces_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "models" / "7"
    for name in ("old", "new"):
        with whole_folder(target) as draft:
            (draft / name).write_text(name)
            assert draft.name.startswith(".new-")
    assert names(target) == ["new"]
    assert names(target.parent) == ["7"]
    assert target.stat().st_mode & 0o777 == 0o755


def test_an_error_of_the_writer_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    write_whole(path, b"before")
    with suppress(ZeroDivisionError), whole_file(path) as draft:
        draft.write_bytes(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"before"
    assert names(tmp_path) == ["scores.csv"]


def test_a_writer_that_is_killed_leaves_a_draft_which_a_later_one_removes(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_whole(path, b"before")
    script = (
        "import os, pathlib, sys\n"
        "from host.files import whole_file\n"
        "with whole_file(pathlib.Path(sys.argv[1])) as draft:\n"
        "    draft.write_bytes(b'half')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"before"
    (draft,) = tmp_path.glob("run.json.*.draft")
    write_whole(path, b"after")
    assert draft.exists()  # its writer may still be at it
    os.utime(draft, (0, 0))
    write_whole(path, b"after")
    assert names(tmp_path) == ["run.json"]


def test_two_writers_of_one_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    contents = [bytes([65 + number]) * 50_000 for number in range(8)]

    def write(content: bytes) -> None:
        for _ in range(20):
            write_whole(path, content)
            assert path.read_bytes() in contents

    with ThreadPoolExecutor(len(contents)) as pool:
        list(pool.map(write, contents))
    assert names(tmp_path) == ["stack.json"]


def test_without_replacing_the_first_writer_wins(tmp_path: Path) -> None:
    path = tmp_path / "digest.key"

    def write_late() -> None:
        with whole_file(path, replace=False, mode=0o600) as late:
            late.write_text("late")
            with whole_file(path, replace=False, mode=0o600) as early:
                early.write_text("early")

    with pytest.raises(FileExistsError):
        write_late()
    assert path.read_text() == "early"
    assert path.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["digest.key"]


def test_only_drafts_that_nobody_writes_to_are_removed(tmp_path: Path) -> None:
    for name in ("old.part", "new.part", "old.parquet"):
        (tmp_path / name).write_text("")
        if name.startswith("old"):
            os.utime(tmp_path / name, (0, 0))
    remove_abandoned(tmp_path, "*.part")
    assert names(tmp_path) == ["new.part", "old.parquet"]


def test_a_place_that_cannot_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    expected = r"cannot write .*file/scores\.csv: .*, or name another file"
    with (
        pytest.raises(UnavailableError, match=expected),
        writing(tmp_path / "file" / "scores.csv", "name another file"),
        whole_file(tmp_path / "file" / "scores.csv") as draft,
    ):
        draft.write_text("")
