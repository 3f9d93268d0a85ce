"""The launcher `./retrace`, up to the first line of Python. Nothing is installed."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from runtime.settings import CHECKOUT

TOOLS = ["sh", "dirname", "readlink", "uname", "cksum", "ln", "ps", "df", "awk", "grep", "rm"]
TOOLS += ["mv", "mkdir", "tr", "sleep", "cat", "head", "chmod"]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with a space in its name that holds what the launcher reads."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    shutil.copy(CHECKOUT / "retrace", folder)
    for name in ("requirements.lock", "requirements-dev.lock"):
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with standard tools and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        (folder / name).symlink_to(shutil.which(name) or name)
    return folder


def script(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def launch(
    command: Path, tools: Path | str, *arguments: str, **given: str
) -> subprocess.CompletedProcess[str]:
    environment: Mapping[str, str] = {"PATH": str(tools), **given}
    return subprocess.run(
        [command, *arguments], env=environment, cwd="/", capture_output=True, text=True, timeout=60
    )


def test_an_unsupported_platform_is_named(clone: Path, tools: Path) -> None:
    script(tools / "uname", '[ "$1" = -s ] && echo Linux || echo riscv64')
    done = launch(clone / "retrace", tools)
    assert done.returncode == 1
    assert "unsupported platform: Linux riscv64" in done.stderr


def test_every_candidate_is_run_and_its_fault_named(clone: Path, tools: Path) -> None:
    script(tools / "python3.13", "exit 127")
    script(tools / "python3.12", "echo 'is Python 3.12 without the module ensurepip'")
    done = launch(clone / "retrace", tools)
    assert done.returncode == 1
    assert f"Tried:\n  {tools}/python3.13: does not run\n" in done.stderr
    assert f"  {tools}/python3.12: is Python 3.12 without the module ensurepip\n" in done.stderr
    assert not (clone / ".venv.lock").is_symlink()


# Takes so many microseconds for what it is asked to do; that of the environment hands over.
_PYTHON = """
case $1 in
    -c) echo {pace} ;;
    -m) mkdir -p "$3/bin" && cat >"$3/bin/python" <<MADE
#!/bin/sh
case \\$1 in -c) echo "$3" ;; -P) echo handed over ;; esac
MADE
        chmod +x "$3/bin/python" ;;
esac
"""


@pytest.mark.parametrize(
    ("first", "second", "taken"), [(4000, 3000, "second"), (3100, 3000, "first")]
)
def test_a_python_that_is_much_quicker_is_taken_from_behind_another(
    clone: Path, tools: Path, tmp_path: Path, first: int, second: int, taken: str
) -> None:
    for name, pace in {"first": first, "second": second}.items():
        script(tmp_path / name / "python3.12", _PYTHON.format(pace=pace))
    done = launch(clone / "retrace", f"{tmp_path}/first:{tmp_path}/second:{tools}")
    assert f"Creating {clone}/.venv with {tmp_path}/{taken}/python3.12\n" in done.stderr
    assert (done.returncode, done.stdout) == (0, "handed over\n"), done.stderr


def test_one_that_is_named_is_taken_or_refused(clone: Path, tools: Path, tmp_path: Path) -> None:
    script(tools / "python3.12", _PYTHON.format(pace=3000))
    refused = launch(clone / "retrace", tools, RETRACE_PYTHON="/nowhere/python3.12")
    assert refused.returncode == 1
    assert refused.stderr == "retrace: RETRACE_PYTHON=/nowhere/python3.12: not found\n"
    script(tmp_path / "slow", _PYTHON.format(pace=9000))
    done = launch(clone / "retrace", tools, RETRACE_PYTHON=f"{tmp_path}/slow")
    assert f"Creating {clone}/.venv with {tmp_path}/slow\n" in done.stderr
    assert (done.returncode, done.stdout) == (0, "handed over\n"), done.stderr


def test_too_little_disk_is_reported(clone: Path, tools: Path) -> None:
    script(tools / "df", "echo header; echo /dev/x 9 9 1024 9% /")
    done = launch(clone / "retrace", tools)
    assert "not enough disk" in done.stderr
    assert "1 MB free" in done.stderr


def installed(clone: Path, tools: Path) -> None:
    script(clone / ".venv" / "bin" / "python", 'printf "%s|" "$@"')
    size = subprocess.run(
        f"cksum <'{clone}/requirements.lock'", shell=True, capture_output=True, text=True
    )
    (clone / ".venv" / "retrace.stamp").write_text(f"run {size.stdout.strip()} {clone}\n")


def test_once_installed_it_hands_over_at_once_also_through_a_link(
    clone: Path, tools: Path, tmp_path: Path
) -> None:
    installed(clone, tools)
    link = tmp_path / "elsewhere"
    link.symlink_to(os.path.relpath(clone / "retrace", tmp_path))
    done = launch(link, tools, "score", "a b")
    assert done.stdout == "-P|-m|cli.main|score|a b|"
    assert done.stderr == ""


@pytest.mark.parametrize("change", ["requirements.lock", ".venv/retrace.unfinished"])
def test_a_changed_or_half_installation_is_not_used(clone: Path, tools: Path, change: str) -> None:
    installed(clone, tools)
    (clone / change).write_text("changed")
    script(clone / ".venv" / "bin" / "python", "exit 1")
    done = launch(clone / "retrace", tools)
    assert "no working Python" in done.stderr


def test_a_lock_of_a_dead_process_is_taken_over(clone: Path, tools: Path) -> None:
    (clone / ".venv.lock").symlink_to("999999999:long_ago")
    done = launch(clone / "retrace", tools)
    assert "no working Python" in done.stderr
    assert not (clone / ".venv.lock").is_symlink()
