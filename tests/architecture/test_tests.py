"""Test modules import no other test module."""

import ast
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, parsed

TESTS = ROOT / "tests"
MODULES = [path for path in sorted(TESTS.rglob("*.py")) if path.name != "__init__.py"]


def imported_tests(source: str) -> list[str]:
    """The test modules that a module imports."""
    names: list[str] = []
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [
        name
        for name in names
        if name.startswith("tests.")
        and any(part.startswith("test_") for part in name.split("."))
        and (ROOT / (name.replace(".", "/") + ".py")).is_file()
    ]


@pytest.mark.parametrize(
    "source",
    [
        "from tests.architecture.test_tests import MODULES",
        "import tests.architecture.test_tests",
        "def f():\n    from tests.architecture import test_tests",
    ],
)
def test_an_import_of_a_test_module_is_found(source: str) -> None:
    assert imported_tests(source) == ["tests.architecture.test_tests"]


def test_no_module_imports_a_test_module() -> None:
    """What several of them share is in tests/builders, tests/fakes or a conftest."""
    found = {name_of(path): imported_tests(path.read_text()) for path in MODULES}
    assert {name: names for name, names in found.items() if names} == {}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))
