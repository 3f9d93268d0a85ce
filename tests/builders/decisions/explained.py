"""Explanations over a log in memory."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from api.deps import Explain
from domain.errors import NotFoundError
from domain.events import Envelope
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.of_entities import EntityReader
from eventlog.archive.of_one import facts_of
from eventlog.port import EventLog
from eventlog.topics import TRANSACTIONS
from inference.artefacts.store import Artefact
from operations.explain.explain import ExplainPorts, Fact, explain, fact_of
from operations.explain.told import Explanation
from operations.replay.models import PastModels
from tests.builders.decisions.history import LANGUAGE, loaded

NOTHING_ARCHIVED = ArchiveFolder("/nonexistent", TRANSACTIONS)


def explain_ports(log: EventLog, folder: ArchiveFolder = NOTHING_ARCHIVED) -> ExplainPorts:
    reader = EntityReader(log, folder)
    return ExplainPorts(log, reader, PastModels(loaded), _no_artefact, LANGUAGE)


def explained(
    log: EventLog,
    ends: Sequence[int],
    transaction_id: str,
    at: int | None = None,
    folder: ArchiveFolder = NOTHING_ARCHIVED,
) -> Explanation:
    """As the command line does it."""
    facts = facts_of(log, folder, ends, transaction_id, lambda: None)
    found = fact_of(transaction_id, [(p.partition, p.offset, each) for p, each in facts])
    return explain(explain_ports(log, folder), found, ends, at)


def explained_by(log: EventLog) -> Explain:
    """As a process of the API does it."""

    def told(
        place: tuple[int, int], fact: Envelope, ends: Sequence[int], at: int | None
    ) -> dict[str, Any]:
        return asdict(explain(explain_ports(log), Fact(*place, fact), ends, at))

    return told


def _no_artefact(model_hash: str) -> Artefact:
    raise NotFoundError("model", model_hash)
