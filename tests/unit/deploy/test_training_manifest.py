"""The Kubernetes manifest of a training fits the Job controller and our command."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml  # type: ignore[import-untyped]
from typer.testing import CliRunner

from cli.main import app
from operations.training.cluster_job import Place
from runtime.settings import Settings

PATH = Path(__file__).resolve().parents[3] / "deploy" / "k8s" / "training-job.yaml"
# What Kubernetes sets in the pods of an indexed Job.
GIVEN = {"JOB_COMPLETION_INDEX"}


@pytest.fixture(scope="module")
def manifests() -> dict[str, Any]:
    found = list(yaml.safe_load_all(PATH.read_text()))
    assert {one["kind"]: one["apiVersion"] for one in found} == {
        "Service": "v1",
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
    # A lost pod restarts each of the others once.
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
    (served,) = manifests["Service"]["spec"]["ports"]
    (listened,) = container["ports"]
    assert int(given["RETRACE_TRAINING_PORT"]) == served["port"] == listened["containerPort"]


def test_workers_find_each_other_by_name(manifests: dict[str, Any], pod: Any) -> None:
    service, job = manifests["Service"], manifests["Job"]
    given = environment(pod["containers"][0])
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is True
    assert service["spec"]["selector"] == {"batch.kubernetes.io/job-name": job["metadata"]["name"]}
    assert pod["subdomain"] == service["metadata"]["name"] == given["RETRACE_TRAINING_SERVICE"]
    labels = "metadata.labels['batch.kubernetes.io/{}']"
    for variable, label in (
        ("RETRACE_TRAINING_NAME", "job-name"),
        ("RETRACE_TRAINING_JOB", "controller-uid"),
    ):
        assert given[variable] == {"fieldRef": {"fieldPath": labels.format(label)}}


def test_all_share_the_state_folder(manifests: dict[str, Any], pod: Any, container: Any) -> None:
    claim = manifests["PersistentVolumeClaim"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    (volume,) = pod["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    (mount,) = container["volumeMounts"]
    assert mount["name"] == volume["name"]
    assert environment(container)["RETRACE_STATE_DIR"] == mount["mountPath"]


def test_tensorflow_gets_the_place_of_the_pod() -> None:
    told = json.loads(Place("uid", 1, 3, "fit", "hidden", 2222).tf_config())
    assert told == {
        "cluster": {"worker": ["fit-0.hidden:2222", "fit-1.hidden:2222", "fit-2.hidden:2222"]},
        "task": {"type": "worker", "index": 1},
    }


def test_a_pod_without_its_place_is_refused_by_the_name_of_the_variable() -> None:
    refused = CliRunner().invoke(app, ["train-job"], env={"JOB_COMPLETION_INDEX": None})
    assert refused.exit_code == 2
    assert "--index" in refused.output
