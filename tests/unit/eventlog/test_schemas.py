"""Published schemas: they fit every record, and the AsyncAPI document is valid."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from hypothesis import given
from jsonschema import Draft7Validator, Draft202012Validator, ValidationError  # type: ignore[import-untyped, unused-ignore]

from domain.events import Envelope
from domain.events.registry import registered
from eventlog.codec import encode
from eventlog.schemas.asyncapi import document, pages
from eventlog.schemas.event_schemas import EVENTS_OF, event_schemas
from eventlog.topics import TOPICS
from tests.fakes.events import scored
from tests.fakes.strategies import envelopes

DOCS = Path(__file__).parents[3] / "docs" / "events"
DOCUMENT = document()
SCHEMAS = {wire: Draft202012Validator(schema) for wire, schema in event_schemas().items()}


def resolved(reference: str) -> Any:
    """What a `#/a/b` reference of the document points at. Raises KeyError."""
    found: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from references(each)


def test_published_pages_are_up_to_date() -> None:
    stale = [name for name, text in pages().items() if (DOCS / name).read_text() != text]
    assert stale == [], "run ./retrace events schemas --write"


def test_every_version_that_was_published_stays_and_names_itself() -> None:
    found = sorted(DOCS.glob("*.json"))
    assert {path.stem for path in found} >= set(event_schemas())
    for path in found:
        assert json.loads(path.read_text())["$id"] == f"urn:retrace:schema:{path.stem}"


@pytest.mark.parametrize("wire", sorted(event_schemas()))
def test_every_schema_is_valid_and_explained(wire: str) -> None:
    schema = event_schemas()[wire]
    Draft202012Validator.check_schema(schema)
    assert schema["description"].endswith((".", "`"))


@given(envelopes())
def test_every_record_fits_its_schema(envelope: Envelope) -> None:
    record = json.loads(encode(envelope))
    SCHEMAS[envelope.type].validate(record["data"])


@given(envelopes())
def test_every_record_fits_the_payload_of_its_message(envelope: Envelope) -> None:
    payload = resolved(f"#/components/messages/{envelope.type}")["payload"]
    schema = {**payload, "components": DOCUMENT["components"]}
    Draft7Validator(schema).validate(json.loads(encode(envelope)))


def test_a_record_that_lacks_a_field_does_not_fit() -> None:
    record = json.loads(encode(scored("t-1")))
    del record["data"]["digest"]
    with pytest.raises(ValidationError, match="digest"):
        SCHEMAS["fraud.transaction.scored.v1"].validate(record["data"])


def test_every_event_has_a_topic_and_only_one() -> None:
    placed = [event for events in EVENTS_OF.values() for event in events]
    assert len(placed) == len(set(placed))
    assert set(placed) == set(registered().values())


# The parts of the AsyncAPI 3.0.0 specification that this document uses; nothing else may be in it.
def strict(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


REFERENCE = strict(["$ref"], **{"$ref": {"type": "string", "pattern": "^#/"}})
KAFKA = strict([], kafka={"type": "object", "required": ["bindingVersion"]})
NAMED = {"propertyNames": {"pattern": r"^[A-Za-z0-9._-]+$"}}


def mapped(value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": value, **NAMED}


TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
ASYNCAPI = strict(
    ["asyncapi", "info"],
    asyncapi={"const": "3.0.0"},
    info=strict(
        ["title", "version"],
        title=TEXT,
        version=TEXT,
        description=TEXT,
        license=strict(["name"], name=TEXT),
    ),
    defaultContentType=TEXT,
    servers=mapped(
        strict(
            ["host", "protocol"],
            host=TEXT,
            protocol=TEXT,
            variables=mapped(strict([], description=TEXT)),
        )
    ),
    channels=mapped(
        strict(
            ["address"],
            address=TEXT,
            description=TEXT,
            servers={"type": "array", "items": REFERENCE},
            messages=mapped(REFERENCE),
            bindings=KAFKA,
        )
    ),
    operations=mapped(
        strict(
            ["action", "channel"],
            action={"enum": ["send", "receive"]},
            channel=REFERENCE,
            messages={"type": "array", "items": REFERENCE, "minItems": 1},
        )
    ),
    components=strict(
        [],
        messages=mapped(
            strict(
                ["payload"],
                name=TEXT,
                title=TEXT,
                summary=TEXT,
                contentType=TEXT,
                payload=REFERENCE,
                bindings=KAFKA,
            )
        ),
        schemas=mapped({"type": "object", "required": ["type"]}),
    ),
)


def test_the_document_has_the_form_of_asyncapi_3() -> None:
    Draft202012Validator(ASYNCAPI).validate(document())


def test_a_document_of_another_form_is_refused() -> None:
    wrong = document()
    wrong["operations"]["send.retrace.policy.g1"]["action"] = "publish"
    with pytest.raises(ValidationError, match="publish"):
        Draft202012Validator(ASYNCAPI).validate(wrong)


def test_every_reference_leads_somewhere() -> None:
    for reference in set(references(document())):
        assert isinstance(resolved(reference), dict), reference


def test_operations_speak_only_of_messages_of_their_channel() -> None:
    for operation in document()["operations"].values():
        channel = operation["channel"]["$ref"]
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/")


def test_schemas_in_the_document_are_valid_json_schemas() -> None:
    for schema in document()["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)


def test_every_topic_is_a_channel_with_its_partitions() -> None:
    channels = document()["channels"]
    assert list(channels) == [topic.name for topic in TOPICS]
    for topic in TOPICS:
        assert channels[topic.name]["address"] == topic.name
        assert channels[topic.name]["bindings"]["kafka"]["partitions"] == topic.partitions


def test_variables_of_a_server_are_declared() -> None:
    for server in document()["servers"].values():
        assert set(re.findall(r"{(\w+)}", server["host"])) == set(server["variables"])


def test_the_document_is_yaml_that_says_the_same() -> None:
    assert yaml.safe_load(pages()["asyncapi.yaml"]) == document()
