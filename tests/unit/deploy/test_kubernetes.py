"""Kubernetes manifests as rendered: valid, without rights, and of one piece with the product."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from typer.main import get_command

from cli.main import app
from eventlog.topics import TOPICS
from local.stack.services import WORKERS
from runtime.settings import Settings, variable_of

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "k8s"
OVERLAYS = {"dev": ROOT / "k8s" / "retrace.yaml", "prod": FOLDER / "rendered" / "prod.yaml"}
VERSION = "1.34"
# Validated by deploy/check, where Node is installed.
CUSTOM = {"ServiceMonitor", "PodMonitor", "PrometheusRule", "ScaledObject", "ExternalSecret"}
_WORKLOADS = {"StatefulSet", "Deployment", "Job", "CronJob"}
Manifest = dict[str, Any]


def _read(path: Path) -> list[Manifest]:
    return [each for each in yaml.safe_load_all(path.read_text()) if each]


JOBS = [each for file in sorted((FOLDER / "jobs").glob("*-job.yaml")) for each in _read(file)]


@pytest.fixture(params=OVERLAYS)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    return _read(OVERLAYS[request.param])


def _faults(manifests: list[Manifest]) -> list[str]:
    found = []
    for each in manifests:
        if each["kind"] in CUSTOM:
            continue
        try:
            kubernetes_validate.validate(each, VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{each['kind']} {each['metadata']['name']}: {error.message}")
    return found


def test_every_manifest_is_valid(manifests: list[Manifest]) -> None:
    assert len(manifests) > 20
    assert _faults(manifests) == []


def test_jobs_that_are_started_by_hand_are_valid() -> None:
    assert len(JOBS) == 5
    assert _faults(JOBS) == []


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("StatefulSet", ("spec", "replica"), 2),
        ("StatefulSet", ("spec", "replicas"), "two"),
        ("NetworkPolicy", ("spec", "ingres"), []),
        ("PodDisruptionBudget", ("spec", "selector"), []),
        ("HorizontalPodAutoscaler", ("spec", "maxReplicas"), None),
    ],
)
def test_a_planted_error_is_caught(kind: str, path: tuple[str, str], value: Any) -> None:
    manifests = _read(OVERLAYS["prod"])
    part, name = path
    planted = next(each for each in manifests if each["kind"] == kind)
    planted[part][name] = value
    assert len(_faults(manifests)) == 1


def _pods(manifests: list[Manifest]) -> list[tuple[str, Any]]:
    """Name and pod spec of every workload."""
    found = []
    for each in manifests:
        if each["kind"] in _WORKLOADS:
            spec = each["spec"]
            spec = spec["jobTemplate"]["spec"] if each["kind"] == "CronJob" else spec
            found.append((each["metadata"]["name"], spec["template"]))
    return found


def _containers(manifests: list[Manifest]) -> list[tuple[str, Any]]:
    return [
        (name, container)
        for name, template in _pods(manifests)
        for part in ("initContainers", "containers")
        for container in template["spec"].get(part, ())
    ]


def _ours(manifests: list[Manifest]) -> list[tuple[str, Any]]:
    found = [(n, c) for n, c in _containers(manifests) if c["image"].startswith("retrace:")]
    assert found
    return found


def test_pods_follow_the_restricted_standard(manifests: list[Manifest]) -> None:
    [space] = [each for each in manifests if each["kind"] == "Namespace"]
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, template in _pods([*manifests, *JOBS]):
        pod = template["spec"]
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
    for name, container in _containers([*manifests, *JOBS]):
        context = container["securityContext"]
        assert context["capabilities"] == {"drop": ["ALL"]}, name
        assert context["allowPrivilegeEscalation"] is False, name
        assert "memory" in container["resources"]["limits"], name
        assert re.fullmatch(r"[a-z0-9/-]+:v?\d[\w.]*", container["image"]), name
    assert all(c["securityContext"]["readOnlyRootFilesystem"] for _, c in _ours(manifests))


def test_every_process_of_ours_runs_under_its_name(manifests: list[Manifest]) -> None:
    started = {tuple(container["args"]) for _, container in _ours(manifests)}
    assert {("api",), ("prepare",), *(("worker", name) for name in WORKERS)} <= started
    for name, container in _ours(manifests):
        if container["args"][0] == "worker":
            assert name == f"retrace-worker-{container['args'][1]}"


def test_commands_are_ours_and_so_are_their_options() -> None:
    root: Any = get_command(app)
    for name, container in _ours([*JOBS]):
        words = container.get("args") or container["command"][3:]
        command = root
        while words and words[0] in getattr(command, "commands", {}):
            command, words = command.commands[words[0]], words[1:]
        known = {option for each in command.params for option in each.opts}
        assert {word for word in words if word.startswith("--")} <= known, name


def test_what_is_referred_to_is_there(manifests: list[Manifest]) -> None:
    names = {(each["kind"], each["metadata"]["name"]) for each in manifests}
    # The operator makes the secret of that name.
    names |= {("Secret", name) for kind, name in names if kind == "ExternalSecret"}
    for name, container in _ours([*manifests, *JOBS]):
        for source in container["envFrom"]:
            for part, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                assert part not in source or (kind, source[part]["name"]) in names, name
    for each in manifests:
        spec = each.get("spec", {})
        if target := spec.get("scaleTargetRef"):
            assert (target["kind"], target["name"]) in names
        if each["kind"] == "StatefulSet":
            assert ("Service", spec["serviceName"]) in names


def test_settings_and_secrets_are_known(manifests: list[Manifest]) -> None:
    known = {variable_of(field) for field in Settings.model_fields} | {
        "RETRACE_INSTANCE",
        "POD_NAME",
    }
    training = {"RETRACE_TRAINING_WORKERS", "RETRACE_TRAINING_JOB"}
    for name, container in _ours([*manifests, *JOBS]):
        given = {variable["name"] for variable in container.get("env", ())}
        assert given <= known | training, name
    for each in manifests:
        if each["metadata"]["name"] in {"retrace-settings", "retrace-secrets"}:
            data = each.get("data", {})
            assert data.keys() - {"POSTGRES_PASSWORD"} <= known


def test_selectors_choose_pods_that_are_there(manifests: list[Manifest]) -> None:
    labels = [template["metadata"]["labels"] for _, template in _pods(manifests)]

    def chosen(selector: Manifest) -> bool:
        wanted = selector.get("matchLabels", {}).items()
        return any(wanted <= each.items() for each in labels)

    checked = 0
    for each in manifests:
        selector = each.get("spec", {}).get("podSelector") or each.get("spec", {}).get("selector")
        if each["kind"] in {"NetworkPolicy", "PodDisruptionBudget"} and selector:
            assert chosen(selector), each["metadata"]["name"]
            checked += 1
    assert checked >= 8


def test_everything_is_closed_until_it_is_opened(manifests: list[Manifest]) -> None:
    policies = [each["spec"] for each in manifests if each["kind"] == "NetworkPolicy"]
    closed = [each for each in policies if not {"ingress", "egress"} & each.keys()]
    assert [each["policyTypes"] for each in closed] == [["Ingress", "Egress"]]


def test_api_processes_reach_each_other_by_the_names_of_their_pods(
    manifests: list[Manifest],
) -> None:
    [api] = [c for n, c in _ours(manifests) if n == "retrace-api" and c["args"] == ["api"]]
    given = {variable["name"]: variable.get("value") for variable in api["env"]}
    assert given["RETRACE_API_MEMBER_URL"] == "http://$(POD_NAME).retrace:8000"
    kinds = {(each["kind"], each["metadata"]["name"]): each["spec"] for each in manifests
             if "spec" in each}  # fmt: skip
    assert kinds["StatefulSet", "retrace-api"]["serviceName"] == "retrace"
    assert kinds["Service", "retrace"]["publishNotReadyAddresses"]
    opened = kinds["NetworkPolicy", "retrace-forwarding"]
    assert opened["egress"][0]["to"] == opened["ingress"][0]["from"]


def test_workers_scale_no_further_than_there_are_partitions() -> None:
    most = max(topic.partitions for topic in TOPICS)
    scaled = [each for each in _read(OVERLAYS["prod"]) if each["kind"] == "ScaledObject"]
    assert len(scaled) == 2
    for each in scaled:
        worker = each["spec"]["scaleTargetRef"]["name"].removeprefix("retrace-worker-")
        assert f'worker="{worker}"' in each["spec"]["triggers"][0]["metadata"]["query"]
        assert each["spec"]["maxReplicaCount"] <= most


def test_the_worker_that_must_be_alone_is_alone(manifests: list[Manifest]) -> None:
    [offline] = [
        e
        for e in manifests
        if (e["kind"], e["metadata"]["name"]) == ("StatefulSet", "retrace-worker-offline")
    ]
    assert offline["spec"]["replicas"] == 1
