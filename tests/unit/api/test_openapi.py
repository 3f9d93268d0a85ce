"""The OpenAPI document is whole and valid, and the service takes its examples."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from jsonschema import Draft202012Validator  # type: ignore[import-untyped, unused-ignore]

from api.errors import MEDIA_TYPE
from api.routes import (
    alerts,
    cases,
    decisions,
    explanations,
    figures,
    health,
    labels,
    lists,
    live,
    scoring,
    transactions,
    webhooks,
)
from commands.policy.rules import publish_rules
from eventlog.in_memory import InMemoryEventLog
from projections.readmodels.queries.cases import CaseHistory, StoredCase
from projections.readmodels.queries.read_models import ReadModels
from tests.builders.api_bench import payload, running
from tests.fakes.lists import declared
from tests.fakes.rules import rule

MODULES = (
    *(scoring, transactions, live, decisions, labels, alerts, cases),
    *(figures, lists, webhooks, health, explanations),
)


class OneCase(ReadModels):
    """Whatever case is asked for is open, and has no payment that could be labelled."""

    @property
    def cases(self) -> Any:
        return self

    def history(self, case_id: str) -> CaseHistory:
        case = StoredCase(
            case_id=case_id, payer_kind="card", payer_id="tok_1", alerts=1, declined=1,
            first_alert_time=0, last_alert_time=0, base_amount=0, expected_loss=0, state="open",
            assignee=None, verdict=None, handled_time=None, handled_by=None,
        )  # fmt: skip
        return CaseHistory(case, [], [])


@pytest.fixture(scope="module")
async def document() -> dict[str, Any]:
    async with running(InMemoryEventLog()) as api:
        found: dict[str, Any] = (await api.get("/openapi.json")).json()
        return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def parts(tree: Any, name: str) -> Iterator[Any]:
    """Every value under the key `name`, however deep."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key == name:
                yield value
            yield from parts(value, name)
    elif isinstance(tree, list):
        for value in tree:
            yield from parts(value, name)


def test_every_route_is_in_it_with_a_summary_and_a_description(document: dict[str, Any]) -> None:
    routes = {
        (method, route.path.replace(":path", ""))
        for module in MODULES
        for route in module.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    shown = {(method, path) for method, path, _ in operations(document)}
    assert routes == shown
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert all(operation["summary"] for _, _, operation in operations(document))


def test_references_lead_somewhere_and_schemas_are_schemas(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for reference in parts(document, "$ref"):
        node: Any = document
        assert reference.startswith("#/"), reference
        for step in reference[2:].split("/"):
            node = node[step]
    schemas = list(parts(document["paths"], "schema"))
    schemas += document["components"]["schemas"].values()
    assert len(schemas) > 20
    for schema in schemas:
        Draft202012Validator.check_schema(schema)


def test_parameters_of_a_path_are_declared(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        declared = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert declared == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def test_every_error_is_documented_as_its_problem_detail(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        for status, response in operation["responses"].items():
            if status >= "400" and path != "/ready":
                assert list(response["content"]) == [MEDIA_TYPE], (method, path, status)


async def test_examples_of_bodies_fit_their_schema_and_are_taken(document: dict[str, Any]) -> None:
    examples: list[tuple[str, dict[str, Any]]] = []
    for method, path, operation in operations(document):
        if method != "POST":
            continue
        assert operation["requestBody"]["required"]
        ((_, content),) = operation["requestBody"]["content"].items()
        found = content["schema"]["examples"]
        assert found, path
        for example in found:
            Draft202012Validator(content["schema"]).validate(example)
        # A webhook is signed: test_webhooks.py sends each.
        if not path.startswith("/webhooks"):
            examples += [(path, example) for example in found]
    for path, example in examples:
        of_step_up = path.endswith("/step-up")
        score = 0.8 if of_step_up else 0.1
        log = InMemoryEventLog()
        publish_rules(log, [rule()], "f", "", 1, [declared("{name}")])
        async with running(log, read_models=OneCase(None), value=score) as api:  # type: ignore[arg-type]
            if path == "/labels":
                await api.post("/score", payload(example["transaction_id"]))
            elif of_step_up:
                await api.post("/score", payload("{transaction_id}"))
            response = await api.post(path, example)
            assert response.is_success, (path, response.text)
            if path == "/transactions/batch":
                assert response.json()["status"] == 202


async def test_the_pages_of_the_documentation_need_no_other_server() -> None:
    async with running(InMemoryEventLog()) as api:
        for path in ("/docs", "/redoc"):
            linked = re.findall(
                r'(?:script src|link[^>]* href)="([^"]+)"', (await api.get(path)).text
            )
            assert linked
            for each in linked:
                assert each.startswith("/")
                assert (await api.get(each)).status_code == 200
