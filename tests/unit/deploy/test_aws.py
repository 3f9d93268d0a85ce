"""What AWS gives is what settings ask for; the templates are checked by deploy/check."""

import re
from pathlib import Path

from runtime.settings import Settings, variable_of
from runtime.settings.servers import AWS_SOURCES

FOLDER = Path(__file__).parents[3] / "deploy" / "aws"


def test_sources_are_of_settings() -> None:
    assert AWS_SOURCES.keys() <= {variable_of(field) for field in Settings.model_fields}


def test_what_is_said_to_be_in_the_secret_is_put_there() -> None:
    text = (FOLDER / "servers.py").read_text()
    made = set(re.findall(r'^            "([A-Z_]+)": (?:f"|self\._value)', text, re.MULTILINE))
    assert made == {name for name, source in AWS_SOURCES.items() if "secret" in source}


def test_outputs_that_are_named_are_made() -> None:
    text = (FOLDER / "servers.py").read_text()
    named = {w for source in AWS_SOURCES.values() for w in re.findall(r"output (\w+)", source)}
    assert named
    assert all(f'"{name}": ' in text for name in named)


def test_every_worker_runs_on_plain_machines() -> None:
    from local.stack.services import WORKERS

    text = (FOLDER / "compute_ec2.py").read_text()
    [listed] = re.findall(r"^_WORKERS = \((.*)\)$", text, re.MULTILINE)
    assert set(re.findall(r'"(\w+)"', listed)) == set(WORKERS)
