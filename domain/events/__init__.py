"""Events by wire name; importing the package registers all of them."""

from domain.events.alerts import (
    AlertDelivered,
    AlertDeliveryFailed,
    AlertRaised,
    AlertResendAsked,
    AlertsGathered,
)
from domain.events.cases import CaseAction, CaseHandled, Verdict
from domain.events.deadletters import RecordDeadLettered
from domain.events.envelope import (
    IMPORT_SOURCE,
    Envelope,
    caused_event_id,
    label_event_id,
    transaction_event_id,
)
from domain.events.lists import (
    DeclaredList,
    ListChange,
    ListEntriesStaged,
    ListEntry,
    ListKind,
    ListPublished,
    ListPurpose,
)
from domain.events.model_alerts import HealthMeasure, ModelAlertDelivered, ModelAlertRaised
from domain.events.policy import (
    FeaturesActivated,
    KeysNamed,
    ModelPromoted,
    ModelRetired,
    ModelRolledOut,
    ModelShadowed,
    ModelTrained,
    ShadowEnded,
    ThresholdsSet,
)
from domain.events.registry import Event, wire_type
from domain.events.routes import Route, RouteKind, RoutesPublished
from domain.events.rules import Rule, RuleAction, RulesApplied, RuleSeverity, RulesPublished
from domain.events.transactions import (
    LabelKind,
    Mode,
    Outcome,
    Path,
    Thresholds,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
    TransactionSubmitted,
)

__all__ = [
    "IMPORT_SOURCE",
    "AlertDelivered",
    "AlertDeliveryFailed",
    "AlertRaised",
    "AlertResendAsked",
    "AlertsGathered",
    "CaseAction",
    "CaseHandled",
    "DeclaredList",
    "Envelope",
    "Event",
    "FeaturesActivated",
    "HealthMeasure",
    "KeysNamed",
    "LabelKind",
    "ListChange",
    "ListEntriesStaged",
    "ListEntry",
    "ListKind",
    "ListPublished",
    "ListPurpose",
    "Mode",
    "ModelAlertDelivered",
    "ModelAlertRaised",
    "ModelPromoted",
    "ModelRetired",
    "ModelRolledOut",
    "ModelShadowed",
    "ModelTrained",
    "Outcome",
    "Path",
    "RecordDeadLettered",
    "Route",
    "RouteKind",
    "RoutesPublished",
    "Rule",
    "RuleAction",
    "RuleSeverity",
    "RulesApplied",
    "RulesPublished",
    "ShadowEnded",
    "Thresholds",
    "ThresholdsSet",
    "TransactionImported",
    "TransactionLabelled",
    "TransactionScored",
    "TransactionSubmitted",
    "Verdict",
    "caused_event_id",
    "label_event_id",
    "transaction_event_id",
    "wire_type",
]
