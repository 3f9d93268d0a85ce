"""The tree as its tests see it: packages, modules, all files under version control."""

import ast
import gc
import subprocess
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def packages() -> tuple[str, ...]:
    """The root packages that are installed."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    return tuple(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])


@cache
def modules() -> tuple[Path, ...]:
    """Every module of the product."""
    return tuple(path for name in packages() for path in sorted((ROOT / name).rglob("*.py")))


@cache
def files() -> tuple[Path, ...]:
    """Every file under version control, or, outside a repository, every file that could be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, text=True
    )
    names = listed.stdout.split("\0") if listed.returncode == 0 else []
    found = [ROOT / name for name in names if name] or [
        path for path in ROOT.rglob("*") if not any(part in _MADE for part in path.parts)
    ]
    return tuple(path for path in found if path.is_file())


def parsed(source: str) -> ast.Module:
    """The syntax tree; without collections, for CPython 3.11 takes what a finalizer does while it
    builds the tree for an error of its own (`AST constructor recursion depth mismatch`)."""
    gc.disable()
    try:
        return ast.parse(source)
    finally:
        gc.enable()


@cache
def python_files() -> dict[str, str]:
    """The text of every Python file, of the product and of the tests, by its path."""
    found = {str(path.relative_to(ROOT)): path for path in files() if path.suffix == ".py"}
    return {name: path.read_text() for name, path in found.items()}


_MADE = {".venv", ".git", ".mypy_cache", ".ruff_cache", "__pycache__", ".import_linter_cache"}
