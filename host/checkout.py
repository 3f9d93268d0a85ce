"""The checkout that this code runs from: its folder, its version and its git commit."""

import subprocess
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def version() -> str:
    """Of Retrace, which runs from its checkout and is not installed."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def commit() -> str | None:
    """As `git describe` names the checkout; None without git."""
    if not (CHECKOUT / ".git").exists():
        return None
    command = ["git", "-C", str(CHECKOUT), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
