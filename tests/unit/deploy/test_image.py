"""The image's files: bill of materials, entry point, what is sent to the builder."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.tree import packages

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "docker"


@pytest.fixture(scope="module")
def bill() -> Any:
    command = [sys.executable, str(FOLDER / "sbom.py"), str(ROOT / "requirements.lock")]
    return json.loads(subprocess.check_output(command, text=True))


def test_the_bill_names_what_is_installed_with_the_hashes_of_the_lock(bill: Any) -> None:
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    found = {each["name"]: each for each in bill["components"]}
    for name in ("fastapi", "confluent-kafka", "tensorflow-cpu"):
        [hashes] = {each["name"] for each in found[name]["properties"]}
        assert hashes == "retrace:accepted-sha256"
        assert found[name]["purl"] == f"pkg:pypi/{name}@{found[name]['version']}"
    references = [each["bom-ref"] for each in bill["components"]]
    assert len(set(references)) == len(references) > 100


def test_the_builder_is_sent_every_package_and_no_other_folder() -> None:
    wanted = {line[1:] for line in _lines(ROOT / ".dockerignore") if line.startswith("!")}
    assert set(packages()) == {name for name in wanted if (ROOT / name).is_dir()}
    assert [name for name in wanted if not (ROOT / name).exists()] == []


def test_every_package_is_compiled_in_the_image() -> None:
    compiled = re.search(r"compileall -qq -j 0 \\\n(.*?)&&", _dockerfile(), re.DOTALL)
    assert compiled
    assert set(compiled[1].replace("\\", "").split()) == set(packages())


def test_the_image_runs_without_root_and_asks_for_its_health() -> None:
    last = _dockerfile().rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in last
    assert "\nHEALTHCHECK " in last
    assert {"title", "licenses", "version", "revision", "base.name"} <= set(
        re.findall(r"org\.opencontainers\.image\.([\w.]+)=", last)
    )


def test_the_entry_point_starts_the_processes_by_their_names(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)

    def started(*arguments: str) -> str:
        command = [str(FOLDER / "entrypoint"), *arguments]
        return subprocess.check_output(command, env={"PATH": f"{tmp_path}"}, text=True).strip()

    assert started("api") == "-m runtime.processes.api"
    assert started("worker", "features") == "-m runtime.processes.worker features"
    assert started("models", "list") == "-m cli.main models list"


def test_a_container_whose_api_does_not_answer_is_unhealthy(unused_port: int) -> None:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "health.py")],
        env={"RETRACE_API_PORT": str(unused_port)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"no answer at port {unused_port}" in done.stderr


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _dockerfile() -> str:
    return (FOLDER / "Dockerfile").read_text()


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()
