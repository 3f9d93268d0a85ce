"""The compose file is valid, starts what a local stack has, and names what exists."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from jsonschema import Draft202012Validator

from local.stack.services import WORKERS
from runtime.settings import Settings, variable_of

ROOT = Path(__file__).parents[3]
FULL = ROOT / "deploy" / "docker" / "full.env"
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
# Of processes and their clients, beside our settings.
_OTHERS = {"RETRACE_INSTANCE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"}


def _read(environment: dict[str, str]) -> Any:
    """As Compose does: variables first, then YAML with its anchors."""
    text = (ROOT / "compose.yaml").read_text()
    return yaml.safe_load(_VARIABLE.sub(lambda m: environment.get(m[1]) or m[2] or "", text))


@pytest.fixture(scope="module")
def compose() -> Any:
    return _read({})


@pytest.fixture(scope="module")
def ours(compose: Any) -> dict[str, Any]:
    services = compose["services"].items()
    return {name: each for name, each in services if each["image"].startswith("retrace:")}


def _planted() -> Iterator[Any]:
    planted: tuple[dict[str, Any], ...] = (
        {"imag": "a"},
        {"ports": {"a": 1}},
        {"healthcheck": {"tests": []}},
    )
    for wrong in planted:
        file = _read({})
        file["services"]["api"].update(wrong)
        yield file


def test_it_follows_the_specification(compose: Any) -> None:
    assert _faults(compose) == []


@pytest.mark.parametrize("file", list(_planted()))
def test_a_planted_error_is_caught(file: Any) -> None:
    assert _faults(file) != []


def _faults(file: Any) -> list[str]:
    """By the schema of the specification, which a package of validators carries."""
    carried = "check_jsonschema/builtin_schemas/vendor/compose-spec.json"
    schema = json.loads(
        Path(str(distribution("check-jsonschema").locate_file(carried))).read_text()
    )
    return [each.message for each in Draft202012Validator(schema).iter_errors(file)]


def test_it_starts_what_a_local_stack_has(ours: dict[str, Any]) -> None:
    assert ours.keys() == {"prepare", "api", *(f"worker-{name}" for name in WORKERS)}
    assert {name: ours[f"worker-{name}"]["command"] for name in WORKERS} == {
        name: ["worker", name] for name in WORKERS
    }


def test_the_curl_of_the_readme_reaches_the_api(compose: Any) -> None:
    assert "http://localhost:8000/score" in (ROOT / "README.md").read_text()
    assert compose["services"]["api"]["ports"] == ["127.0.0.1:8000:8000"]


def test_ours_have_no_rights_and_write_in_volumes_alone(ours: dict[str, Any]) -> None:
    for each in ours.values():
        assert each["read_only"]
        assert each["cap_drop"] == ["ALL"]
        assert each["security_opt"] == ["no-new-privileges:true"]


def test_every_service_that_stays_has_a_health_check(compose: Any, ours: dict[str, Any]) -> None:
    # That of the image is ours; others of the full profile have none, and nobody waits for them.
    services = compose["services"]
    without = {name for name, each in services.items() if "healthcheck" not in each}
    assert without - ours.keys() == {name for name in services if "profiles" in services[name]}
    for name in WORKERS:
        given = ours[f"worker-{name}"]["environment"]
        assert (given["RETRACE_METRICS_HOST"], given["RETRACE_METRICS_PORT"]) == ("0.0.0.0", "9100")


def test_variables_of_ours_are_settings(compose: Any, ours: dict[str, Any]) -> None:
    known = {variable_of(field) for field in Settings.model_fields} | _OTHERS
    for name, each in ours.items():
        assert each["environment"].keys() <= known, name
    assert _settings(FULL).keys() - known == {"COMPOSE_PROFILES"}


def test_prometheus_asks_every_process_of_ours(ours: dict[str, Any]) -> None:
    file = yaml.safe_load((ROOT / "deploy" / "observability" / "prometheus.yml").read_text())
    asked = {
        target
        for job in file["scrape_configs"]
        for target in job["static_configs"][0]["targets"]
        if job["job_name"].startswith("retrace-")
    }
    assert asked == {"api:8000", *(f"{name}:9100" for name in ours if name.startswith("worker-"))}


def test_what_is_waited_for_and_mounted_is_there(compose: Any) -> None:
    services, volumes = compose["services"], compose["volumes"]
    for name, each in services.items():
        for other, how in dict(each.get("depends_on", {})).items():
            assert other in services, name
            if how["condition"] == "service_healthy":
                assert "test" in services[other]["healthcheck"], name
        named = {volume.partition(":")[0] for volume in each.get("volumes", ())}
        assert {volume for volume in named if not volume.startswith(".")} <= volumes.keys(), name
        for volume in named - volumes.keys():
            assert (ROOT / volume).exists(), volume


def test_images_have_a_tag_and_no_host(compose: Any) -> None:
    for each in compose["services"].values():
        assert re.fullmatch(r"([a-z0-9-]+/)?[a-z0-9-]+:v?\d[\w.]*", each["image"]), each["image"]


def test_the_full_profile_is_chosen_by_its_file() -> None:
    found = _settings(FULL)
    assert found["COMPOSE_PROFILES"] == "full"
    given = _read(found)["services"]["api"]["environment"]
    assert given["RETRACE_ARCHIVE_URL"] == found["RETRACE_ARCHIVE_URL"]
    assert given["RETRACE_MODELS_URL"].startswith("s3://")


def _settings(file: Path) -> dict[str, str]:
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)
