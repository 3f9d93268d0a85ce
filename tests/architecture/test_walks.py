"""The walks of docs/architecture.md: their files exist, and no step goes up but through a port."""

import re

import pytest
from importlinter.api import read_configuration

from tests.architecture.tree import ROOT

# A file behind a port, and one that a process runs, are reached from below without an import.
ANNOUNCED = re.compile("behind `|started by `")


def walks(text: str) -> dict[str, list[str]]:
    """The numbered lines under each heading of the third level."""
    found: dict[str, list[str]] = {}
    for part in text.split("\n### ")[1:]:
        heading, _, body = part.partition("\n")
        body = body.split("\n## ")[0]
        found[heading] = re.findall(r"^\d+\. (.+)$", body, re.MULTILINE)
    return found


def steps_up(lines: list[str]) -> list[str]:
    """Lines whose file lies in a higher layer than the one before, without a port or a start."""
    heights = [_height(re.findall("`([^`]+)`", line)[0]) for line in lines]
    pairs = zip(lines[1:], heights, heights[1:], strict=False)
    return [line for line, before, here in pairs if here > before and not ANNOUNCED.search(line)]


def _height(path: str) -> int:
    """Of the package in the layers of .importlinter, the lowest 0."""
    contracts = read_configuration(str(ROOT / ".importlinter"))["contracts_options"]
    layers = next(each["layers"] for each in contracts if each["name"].startswith("Dependencies"))
    return next(
        height
        for height, line in enumerate(reversed(layers))
        if path.split("/")[0] in [name.strip() for name in line.split("|")]
    )


WALKS = walks((ROOT / "docs" / "architecture.md").read_text())


def test_there_are_four_walks() -> None:
    assert len(WALKS) == 4
    assert all(len(lines) >= 10 for lines in WALKS.values())


@pytest.mark.parametrize("name", WALKS)
def test_the_files_of_a_walk_exist(name: str) -> None:
    named = [path for line in WALKS[name] for path in re.findall(r"`([^`]+\.py)`", line)]
    assert [path for path in named if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize("name", WALKS)
def test_a_walk_goes_up_a_layer_through_ports_alone(name: str) -> None:
    assert steps_up(WALKS[name]) == []


def test_a_step_up_is_seen() -> None:
    down = ["`cli/main.py`: a", "`domain/times.py`: b"]
    assert steps_up(down) == []
    assert steps_up(down[::-1]) == ["`cli/main.py`: a"]
    assert steps_up([down[1], "`cli/main.py`: behind `host/clock.py`"]) == []
