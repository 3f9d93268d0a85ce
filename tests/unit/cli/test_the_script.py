"""./retrace, from a bare clone to the command line: which Python it makes .venv of."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from host.checkout import CHECKOUT

_SHIM = """#!/bin/sh
[ "$1" != -c ] || {{ echo {pace}; exit; }}
exec {python} "$@"
"""
"""A Python that takes so many microseconds for what it is asked to do."""
_SHOWN = "import sys; print(sys.argv[1:])"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Nothing is installed, and the command line prints its arguments."""
    made = tmp_path / "clone"
    (made / "cli").mkdir(parents=True)
    shutil.copy(CHECKOUT / "retrace", made)
    (made / "cli" / "main.py").write_text(_SHOWN)
    for lock in ("requirements.lock", "requirements-dev.lock"):
        (made / lock).touch()
    # Not what this machine has besides: only the tools that the script calls.
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "uname", "cksum", "df", "awk", "rm", "mkdir", "ln", "ps", "tr", "dirname"):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    return made


def _named(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)
    return folder


def _run(clone: Path, *path: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    searched = os.pathsep.join(map(str, [*path, clone.parent / "tools"]))
    environment = {"PATH": searched, "HOME": str(clone)}
    return subprocess.run(
        [clone / "retrace", "--version"],
        env=environment | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _python(pace: int) -> str:
    return _SHIM.format(pace=pace, python=sys.executable)


@pytest.mark.parametrize(
    ("first", "second", "taken"), [(4000, 3000, "second"), (3100, 3000, "first")]
)
def test_a_python_that_is_much_quicker_is_taken_from_behind_another(
    clone: Path, tmp_path: Path, first: int, second: int, taken: str
) -> None:
    before = _named(tmp_path / "first", "python3.12", _python(first))
    behind = _named(tmp_path / "second", "python3.12", _python(second))
    found = _run(clone, before, behind)
    assert found.returncode == 0, found.stderr
    assert found.stdout == "['--version']\n"
    assert f"Creating {clone}/.venv with {tmp_path}/{taken}/python3.12\n" in found.stderr


def test_each_one_that_cannot_be_taken_is_named_with_the_reason(
    clone: Path, tmp_path: Path
) -> None:
    broken = _named(tmp_path / "broken", "python3.11", "#!/bin/sh\nexit 127\n")
    found = _run(clone, broken)
    assert found.returncode == 1
    assert f"Tried:\n  {broken}/python3.11: does not run\nInstall one of them" in found.stderr
    assert not (clone / ".venv").exists()


def test_one_that_is_named_is_taken_or_refused(clone: Path, tmp_path: Path) -> None:
    other = _named(tmp_path / "other", "python3.12", _python(3000))
    refused = _run(clone, other, RETRACE_PYTHON="/nowhere/python3.12")
    assert refused.returncode == 1
    assert refused.stderr.endswith("RETRACE_PYTHON=/nowhere/python3.12: not found\n")
    named = _named(tmp_path / "named", "slow", _python(9000)) / "slow"
    found = _run(clone, other, RETRACE_PYTHON=str(named))
    assert found.returncode == 0, found.stderr
    assert f"with {named}\n" in found.stderr
