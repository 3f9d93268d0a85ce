"""JSON Schemas of events, made from their classes."""

import inspect
import json
from typing import Any

import msgspec

from domain.events import (
    AlertDelivered,
    AlertDeliveryFailed,
    AlertRaised,
    AlertResendAsked,
    AlertsGathered,
    BacktestCompleted,
    BacktestPolicyKept,
    CaseApprovalRequested,
    CaseHandled,
    CaseOverdue,
    Event,
    ExplorationPublished,
    FeaturesActivated,
    KeysNamed,
    ListEntriesStaged,
    ListPublished,
    ModelAlertDelivered,
    ModelAlertRaised,
    ModelPromoted,
    ModelRetired,
    ModelRolledOut,
    ModelShadowed,
    ModelTrained,
    PolicyDrafted,
    PolicyPublished,
    RecordDeadLettered,
    RoutesPublished,
    RulesPublished,
    ShadowEnded,
    StepUpConcluded,
    SuppressionsPublished,
    ThresholdsPublished,
    ThresholdsSet,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
    TransactionSubmitted,
    wire_type,
)
from domain.events.registry import registered
from eventlog.codec import SCHEMA_ROOT
from eventlog.topics import ALERTS, BACKTESTS, DEAD_LETTERS, POLICY, TRANSACTIONS, Topic

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"

EVENTS_OF: dict[Topic, tuple[type[Event], ...]] = {
    TRANSACTIONS: (
        TransactionSubmitted,
        TransactionImported,
        TransactionScored,
        TransactionLabelled,
        StepUpConcluded,
    ),
    POLICY: (
        FeaturesActivated,
        ModelTrained,
        ModelPromoted,
        ModelRolledOut,
        ModelShadowed,
        ShadowEnded,
        ModelRetired,
        ThresholdsSet,
        ThresholdsPublished,
        ExplorationPublished,
        RulesPublished,
        RoutesPublished,
        SuppressionsPublished,
        PolicyDrafted,
        PolicyPublished,
        ListEntriesStaged,
        ListPublished,
        KeysNamed,
    ),
    ALERTS: (
        AlertRaised,
        AlertDelivered,
        ModelAlertRaised,
        ModelAlertDelivered,
        AlertDeliveryFailed,
        AlertsGathered,
        AlertResendAsked,
        CaseHandled,
        CaseApprovalRequested,
        CaseOverdue,
    ),
    DEAD_LETTERS: (RecordDeadLettered,),
    BACKTESTS: (BacktestPolicyKept, BacktestCompleted),
}


def event_schemas() -> dict[str, Schema]:
    """By wire type the schema of the event's `data`, as its `dataschema` attribute names it."""
    return {wire_type(event): data_schema(event) for event in registered().values()}


def data_schema(event: type[Event]) -> Schema:
    """Fields may be added within a version, so that unknown ones are always allowed."""
    made = msgspec.json.schema(event)
    definitions = made.pop("$defs")
    body = definitions.pop(event.__name__)
    for each in (body, *definitions.values()):
        each["description"] = inspect.cleandoc(each.get("description", ""))
    schema = {"$schema": DIALECT, "$id": SCHEMA_ROOT + wire_type(event), **body}
    return schema | ({"$defs": definitions} if definitions else {})


def envelope_schema(event: type[Event]) -> Schema:
    """A whole record: the CloudEvents 1.0 envelope around one kind of event."""
    text: Schema = {"type": "string", "minLength": 1}
    moment: Schema = {"type": "string", "format": "date-time"}
    wire = wire_type(event)
    properties: Schema = {
        "specversion": {"const": "1.0"},
        "id": text | {"description": "Equal ids state the same fact: later records are void."},
        "type": {"const": wire},
        "source": text | {"description": "The process that appended the record."},
        "subject": text,
        "time": moment | {"description": "When it happened in the world."},
        "knowntime": moment | {"description": "When the appending process learnt of it."},
        "correlationid": text,
        "causationid": text,
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"const": SCHEMA_ROOT + wire},
        "data": {"$ref": f"#/components/schemas/{wire}"},
    }
    required = [name for name in properties if name != "causationid"]
    return {"type": "object", "properties": properties, "required": required}


def file_of(wire: str) -> str:
    return f"{wire}.json"


def as_text(schema: Schema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
