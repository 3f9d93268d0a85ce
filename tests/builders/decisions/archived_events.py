"""Generated facts as a log whose beginning is archived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from domain.events import (
    Envelope,
    Exploration,
    StepUpConcluded,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
)
from domain.features import FeatureEvent
from domain.transactions import Transaction
from eventlog.admission.dict_memory import DictMemory
from eventlog.admission.first_wins import Admission
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.history import History
from eventlog.archive.layout import Piece
from eventlog.archive.writing import ArchivedRecord, table_of
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import TRANSACTIONS
from tests.fakes.events import imported, scored, submitted

SERVED = "f" * 16


def fact_of(event: FeatureEvent, number: int) -> Envelope:
    """Of which `event` is what features fold, but for its place; some decisions are explored, and
    all were served three values of a set `SERVED`."""
    x = Transaction(
        transaction_id=event.transaction_id, timestamp=event.transaction_time, amount=number,
        currency="EUR", base_amount=event.base_amount, card_id=event.card_id,
        customer_id=event.customer_id, merchant_id=event.merchant_id, device_id=event.device_id,
        ip=event.ip, country=event.country, channel=event.channel, lat=number / 7,
        attributes={"email": ["a@b.example", " ", 3][number % 3]},
    )  # fmt: skip
    about: dict[str, Any] = {"time": event.time, "known_time": event.known_time}
    if event.kind == "label":
        data: Any = TransactionLabelled.of(
            x, value=event.label or 0, kind="chargeback" if event.label else "genuine",
            reporter="bank", reference=str(number),
        )  # fmt: skip
        return replace(imported(x.transaction_id, **about), id=f"label-{number}", data=data)
    if event.kind == "step_up":
        result: Any = event.outcome
        data = StepUpConcluded.of(x, result=result, reporter="3ds", reference=None)
        return replace(imported(x.transaction_id, **about), id=f"step-up-{number}", data=data)
    if event.outcome is None:
        plain = imported(x.transaction_id, **about)
        assert isinstance(plain.data, TransactionImported)
        return replace(plain, data=replace(plain.data, transaction=x))
    made = scored(x.transaction_id, **about)
    assert isinstance(made.data, TransactionScored)
    arm = None
    if number % 2:
        arm = Exploration(share=500, explored=bool(number % 4))
    outcome: Any = event.outcome
    served = [float(number), None, -0.0]
    data = replace(
        made.data, transaction=x, outcome=outcome, exploration=arm, features=served,
        policy_version=number % 4 - 1,
    )  # fmt: skip
    return replace(made, data=data)


def history_of(facts: Sequence[Envelope], folder: Path, archived: int, pieces: int) -> History:
    """Of each partition about the first `archived` records lie in files, some in each.

    What is decided was submitted before, or its decision would be void."""
    log, files = InMemoryEventLog(), ArchiveFolder(str(folder), TRANSACTIONS)
    for fact in facts:
        if isinstance(fact.data, TransactionScored):
            about: dict[str, Any] = {"time": fact.time, "known_time": fact.known_time}
            before = submitted(fact.subject, fact.data.digest, **about)
            log.append_nowait(TRANSACTIONS, fact.subject, before)
        log.append_nowait(TRANSACTIONS, fact.subject, fact)
    admission = Admission(DictMemory())
    by_partition: dict[int, list[ArchivedRecord]] = {}
    for each in log.read(TRANSACTIONS):
        place, envelope = each.position, decode(each.value)
        counts = admission.admit(envelope, place.partition, place.offset)
        verdict = "counts" if counts else "void"
        made = ArchivedRecord(place.offset, None, each.value, verdict, envelope)
        by_partition.setdefault(place.partition, []).append(made)
    for partition, records in by_partition.items():
        some = records[:archived]
        edges = sorted({*range(0, len(some), max(1, -(-len(some) // pieces))), len(some)})
        for begin, end in pairwise(edges):
            files.add(Piece(partition, begin, end - 1), table_of(some[begin:end]))
    return History(log, files, log._ends(TRANSACTIONS))
