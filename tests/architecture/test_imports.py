"""What may not be loaded: help answers at once, and what no process needs stays out of it."""

import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT

HEAVY = (
    "tensorflow", "keras", "ai_edge_litert", "feast", "faust", "aiokafka", "confluent_kafka",
    "pandas", "numpy", "pyarrow", "numba", "jpype", "fastapi", "sqlalchemy", "pymongo",
)  # fmt: skip


def loaded_by(statement: str) -> set[str]:
    """Root modules in a new process after the statement."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return set(done.stdout.split())


def test_the_command_line_loads_nothing_heavy_before_a_command_is_given() -> None:
    loaded = loaded_by("import cli.main")
    assert {"typer", "cli", "domain"} <= loaded
    assert loaded & set(HEAVY) == set()


def test_help_itself_loads_nothing_heavy() -> None:
    loaded = loaded_by(
        "import contextlib, io, sys\n"
        "sys.argv = ['retrace', '--help']\n"
        "from cli.main import app\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    app()"
    )
    assert loaded & set(HEAVY) == set()


@pytest.mark.parametrize("name", ["domain.cleaning", "domain.events", "domain.policy"])
def test_the_domain_is_pure_python(name: str) -> None:
    assert loaded_by(f"import {name}") & set(HEAVY) == set()


def test_features_know_the_compiler_of_their_kernel_and_nothing_else_heavy() -> None:
    assert loaded_by("import domain.features") & set(HEAVY) == {"numpy", "numba"}


def test_the_api_loads_neither_feast_nor_tensorflow() -> None:
    loaded = loaded_by("import api.app")
    assert loaded & {"tensorflow", "keras", "feast", "faust", "pandas"} == set()
