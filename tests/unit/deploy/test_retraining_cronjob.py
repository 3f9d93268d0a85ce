"""The cron job of retraining fits Kubernetes and our command line. Nothing is started."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from typer.testing import CliRunner

from cli.main import app
from cli.models import watch as models_watch
from operations.training import retraining
from runtime.settings import Settings, variable_of

FILE = Path(__file__).parents[3] / "deploy" / "k8s" / "base" / "retraining-cronjob.yaml"
JOB: dict[str, Any] = yaml.safe_load(FILE.read_text())
POD = JOB["spec"]["jobTemplate"]["spec"]["template"]["spec"]
[CONTAINER] = POD["containers"]


def test_it_is_a_cron_job_whose_runs_never_overlap_or_repeat() -> None:
    assert (JOB["apiVersion"], JOB["kind"]) == ("batch/v1", "CronJob")
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?", JOB["metadata"]["name"])
    assert JOB["spec"]["concurrencyPolicy"] == "Forbid"
    assert JOB["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert POD["restartPolicy"] == "Never"
    fields = JOB["spec"]["schedule"].split()
    bounds = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
    for field, (least, most) in zip(fields, bounds, strict=True):
        assert field == "*" or least <= int(field) <= most


def test_it_runs_without_rights_that_it_does_not_need() -> None:
    assert POD["securityContext"]["runAsNonRoot"]
    assert not POD["automountServiceAccountToken"]
    assert CONTAINER["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert not CONTAINER["securityContext"]["allowPrivilegeEscalation"]
    assert "memory" in CONTAINER["resources"]["limits"]


def test_what_it_mounts_is_there_and_its_variables_are_settings() -> None:
    volumes = {volume["name"] for volume in POD["volumes"]}
    assert {mount["name"] for mount in CONTAINER["volumeMounts"]} <= volumes
    known = {variable_of(field) for field in Settings.model_fields}
    given = {variable["name"]: variable["value"] for variable in CONTAINER["env"]}
    assert given.keys() <= known
    paths = {mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    assert given["RETRACE_STATE_DIR"] in paths


def test_our_command_line_takes_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[object] = []

    def look(settings: Settings, schedule: retraining.Schedule, promote: bool, now: int) -> Any:
        looked.append((schedule, promote))
        return retraining.Check(now, "steady", None, "")

    monkeypatch.setattr(models_watch, "_checked", look)
    for field in ("kafka_bootstrap_servers", "redis_url", "database_url", "mongodb_url"):
        monkeypatch.setenv(variable_of(field), _ANY[field])
    assert CONTAINER["command"] == ["python", "-m", "cli.main"]
    done = CliRunner().invoke(app, CONTAINER["args"])
    assert (done.exit_code, done.stderr) == (0, "")
    # It stops before promotion, and comes to an end.
    assert looked == [(retraining.Schedule(), False)]


_ANY = {
    "kafka_bootstrap_servers": "127.0.0.1:1",
    "redis_url": "redis://127.0.0.1:1/0",
    "database_url": "postgresql+psycopg://nobody@127.0.0.1:1/none",
    "mongodb_url": "mongodb://127.0.0.1:1/none",
}
