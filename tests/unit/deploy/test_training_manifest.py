"""The Kubernetes manifest of a training fits the Job controller and our command."""

from pathlib import Path
from typing import Any

import pytest
import typer
import yaml  # type: ignore[import-untyped]
from typer.testing import CliRunner

from cli.main import app
from runtime.settings import Settings

PATH = Path(__file__).resolve().parents[3] / "deploy" / "k8s" / "jobs" / "training-job.yaml"
# What Kubernetes sets in the pods of an indexed Job.
GIVEN = {"JOB_COMPLETION_INDEX"}


@pytest.fixture(scope="module")
def manifests() -> dict[str, Any]:
    found = list(yaml.safe_load_all(PATH.read_text()))
    assert {one["kind"]: one["apiVersion"] for one in found} == {
        "PersistentVolumeClaim": "v1",
        "Job": "batch/v1",
    }
    return {one["kind"]: one for one in found}


@pytest.fixture(scope="module")
def pod(manifests: dict[str, Any]) -> Any:
    return manifests["Job"]["spec"]["template"]["spec"]


@pytest.fixture(scope="module")
def container(pod: Any) -> Any:
    (only,) = pod["containers"]
    return only


def environment(container: Any) -> dict[str, Any]:
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container["env"]}


def options(command: str) -> dict[str, Any]:
    """Variable of each option that has one -> whether it is required."""
    found = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    return {one.envvar: one.required for one in found.params if one.envvar}


def test_all_workers_run_at_once_and_are_numbered(manifests: dict[str, Any], pod: Any) -> None:
    spec = manifests["Job"]["spec"]
    assert spec["completionMode"] == "Indexed"
    assert spec["completions"] == spec["parallelism"] > 1
    assert pod["restartPolicy"] == "OnFailure"
    assert spec["backoffLimit"] >= 5 * spec["completions"]


def test_the_command_is_ours_and_all_that_it_requires_is_set(container: Any) -> None:
    *python, command = container["command"]
    assert python == ["python", "-m", "cli.main"]
    wanted, given = options(command), environment(container)
    required = {variable for variable, needed in wanted.items() if needed}
    assert required <= GIVEN | given.keys()
    settings = {field.alias for field in Settings.model_fields.values()}
    assert given.keys() <= wanted.keys() | settings


def test_numbers_that_belong_together_agree(manifests: dict[str, Any], container: Any) -> None:
    given = environment(container)
    assert int(given["RETRACE_TRAINING_WORKERS"]) == manifests["Job"]["spec"]["completions"]


def test_the_job_is_told_apart_by_its_uid(pod: Any) -> None:
    given = environment(pod["containers"][0])
    label = "metadata.labels['batch.kubernetes.io/controller-uid']"
    assert given["RETRACE_TRAINING_JOB"] == {"fieldRef": {"fieldPath": label}}


def test_all_share_the_state_folder(manifests: dict[str, Any], pod: Any, container: Any) -> None:
    claim = manifests["PersistentVolumeClaim"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    volume, _ = pod["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    mount, _ = container["volumeMounts"]
    assert mount["name"] == volume["name"]
    assert environment(container)["RETRACE_STATE_DIR"] == mount["mountPath"]


def test_a_pod_without_its_place_is_refused_by_the_name_of_the_variable() -> None:
    refused = CliRunner().invoke(app, ["train-job"], env={"JOB_COMPLETION_INDEX": None})
    assert refused.exit_code == 2
    assert "--index" in refused.output
